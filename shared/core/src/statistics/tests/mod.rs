//! Shared by the tests: closeness, simple arms, a small generator of numbers.

mod decisions;
mod distributions;
mod mergeable;
mod properties;
mod vectors;

use super::*;

/// Whether two numbers agree within a share of the larger one.
fn close(a: f64, b: f64, relative: f64) -> bool {
    a == b || (a - b).abs() <= relative * a.abs().max(b.abs())
}

#[track_caller]
fn assert_close(seen: f64, expected: f64, relative: f64) {
    assert!(close(seen, expected, relative), "{seen:e} is not {expected:e}");
}

fn rate(successes: u64, trials: u64) -> Proportion {
    Proportion::new(successes, trials).unwrap()
}

fn sample(mean: f64, deviation: f64, count: u64) -> Sample {
    Sample {
        count,
        mean,
        variance: deviation * deviation,
    }
}

/// SplitMix64 (S. Steele, D. Lea, C. Flood, 2014), to 0..1.
fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
