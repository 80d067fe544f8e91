//! Waits between attempts.

use crate::turn::ProviderError;

/// The first wait is below this; it doubles from attempt to attempt.
const BASE_MS: u64 = 250;
/// No jittered wait is longer.
const CAP_MS: u64 = 4_000;
/// Longest wait that is asked of a person while another target could answer.
const PATIENCE_MS: u64 = 2_000;
/// Longest wait where no other target is left.
const LAST_PATIENCE_MS: u64 = 10_000;

/// Chance (Steele, Lea, Flood 2014: "Fast splittable pseudorandom number generators"). It spreads retries and is no secret.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// From a seed of the runtime's.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to and with `max`.
    pub(crate) fn up_to(&mut self, max: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % max.saturating_add(1)
    }
}

/// Milliseconds until the same target may be asked again after its failure number `failures`, or none where it is not
/// worth it: another request would fail as well, or the wait is longer than what is left or what a person is asked to bear.
///
/// Full jitter (Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015), and never before the provider's own
/// `Retry-After`.
pub(crate) fn retry_in_ms(
    error: &ProviderError,
    failures: u8,
    left_ms: u64,
    others: bool,
    jitter: &mut Jitter,
) -> Option<u64> {
    // Who kept us waiting once is not waited for again while somebody else can answer.
    if !error.is_retryable() || (others && matches!(error, ProviderError::TimedOut(_))) {
        return None;
    }
    let doublings = u32::from(failures.saturating_sub(1)).min(16);
    let spread = jitter.up_to((BASE_MS << doublings).min(CAP_MS));
    let wait = match error.retry_after_s() {
        Some(seconds) => (u64::from(seconds) * 1_000).saturating_add(spread.min(BASE_MS)),
        None => spread,
    };
    let patience = if others { PATIENCE_MS } else { LAST_PATIENCE_MS };
    (wait <= patience && wait < left_ms).then_some(wait)
}
