//! How long to wait before something is tried again.

/// Attempts at one effect of a workflow before it is given up: some five hours.
pub const EFFECT_ATTEMPTS: u32 = 70;
/// Attempts at one delivery before it is dead: some seventeen hours.
pub const DELIVERY_ATTEMPTS: u32 = 10;

const MINUTE_MS: u64 = 60_000;

/// Milliseconds after failure number `failures` of an effect: 1 s, doubled up to five minutes.
#[must_use]
pub fn effect_in_ms(failures: u32) -> u64 {
    exponential(1_000, 2, failures, 5 * MINUTE_MS)
}

/// Milliseconds after failure number `failures` of a delivery, or none where it is given up: 2 s, times four, up to six hours.
#[must_use]
pub fn delivery_in_ms(failures: u32) -> Option<u64> {
    (failures < DELIVERY_ATTEMPTS).then(|| exponential(2_000, 4, failures, 360 * MINUTE_MS))
}

fn exponential(first_ms: u64, factor: u64, failures: u32, most_ms: u64) -> u64 {
    let times = factor.saturating_pow(failures.saturating_sub(1));
    first_ms.saturating_mul(times).min(most_ms)
}
