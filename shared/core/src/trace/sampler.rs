//! Which traces are kept.

use super::ids::TraceId;

/// 2 to the power of 63.
const ALL: f64 = 9_223_372_036_854_775_808.0;

/// OpenTelemetry's `ParentBased(TraceIdRatioBased)`: a caller's decision holds, and a trace of our own is kept where its
/// id says so. Whoever decides by the same ratio decides the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    ratio: f64,
}

impl Sampler {
    /// Keeps this share of the traces that begin here, 0 to 1; what lies outside is moved to the nearest end.
    #[must_use]
    pub fn new(ratio: f64) -> Self {
        let ratio = if ratio.is_nan() { 0.0 } else { ratio.clamp(0.0, 1.0) };
        Self { ratio }
    }

    /// Whether the trace is one of the share: its last eight bytes, halved, lie below the ratio of 2⁶³ (as in
    /// OpenTelemetry's SDK for Go, `TraceIDRatioBased`).
    #[must_use]
    pub fn takes(&self, trace: TraceId) -> bool {
        let last = trace
            .bytes()
            .iter()
            .skip(8)
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        self.ratio >= 1.0 || last >> 1 < (self.ratio * ALL) as u64
    }
}
