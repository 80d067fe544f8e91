//! Against OpenTelemetry's SDK for Python.

use crate::trace::{Sampler, TraceId};
use alloc::string::ToString;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// The first 16 bytes of SHA-256 of a decimal number.
fn trace(n: u32) -> TraceId {
    let hash = Sha256::digest(n.to_string());
    TraceId::new(hash[..16].try_into().unwrap())
}

#[test]
fn takes_as_many_of_the_same_traces_as_the_sdk_does() {
    // `TraceIdRatioBased(ratio)` of opentelemetry-sdk 1.45.2 over `trace(0..2000)`.
    for (ratio, sampled) in [(0.0, 0), (0.001, 3), (0.1, 208), (0.5, 994), (0.9, 1_795), (1.0, 2_000)] {
        let sampler = Sampler::new(ratio);
        assert_eq!(
            (0..2_000).filter(|n| sampler.takes(trace(*n))).count(),
            sampled,
            "{ratio}"
        );
    }
}

#[test]
fn a_ratio_that_is_none_takes_nothing_or_everything() {
    let last = TraceId::new([0xFF; 16]);
    let first = TraceId::new([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(!Sampler::new(f64::NAN).takes(first));
    assert!(!Sampler::new(-1.0).takes(first));
    assert!(Sampler::new(7.0).takes(last));
    assert!(Sampler::new(1.0).takes(last));
}

proptest! {
    #[test]
    fn a_higher_ratio_takes_all_that_a_lower_one_does(bytes: [u8; 16], a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let trace = TraceId::new(bytes);
        prop_assert!(!Sampler::new(low).takes(trace) || Sampler::new(high).takes(trace));
    }
}
