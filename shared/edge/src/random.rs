//! Randomness from the runtime.

use crate::error::ApiError;

/// `N` random bytes.
///
/// # Errors
/// [`ApiError::Internal`] where the runtime gives none, which it always does outside of start-up.
pub fn bytes<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(|_| ApiError::internal("no randomness"))?;
    Ok(out)
}
