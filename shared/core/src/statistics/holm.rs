//! Several questions at once: Holm's step-down correction.

use super::StatisticsError;
use alloc::vec;
use alloc::vec::Vec;

/// The p-values adjusted so that rejecting those at most α errs anywhere with probability at most α, in the given order.
///
/// S. Holm, Scandinavian Journal of Statistics 6 (1979). Always-valid p-values stay so.
///
/// # Errors
/// Where one is not between 0 and 1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err(StatisticsError::OutOfRange {
            what: "a p-value",
            range: "0 to 1",
        });
    }
    let mut ordered: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    ordered.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0;
    for (rank, (place, p)) in ordered.into_iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = libm::fmax(largest, libm::fmin(1.0, left * p));
        if let Some(slot) = adjusted.get_mut(place) {
            *slot = largest;
        }
    }
    Ok(adjusted)
}
