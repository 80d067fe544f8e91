//! Sums and sketches: any order and any grouping give the same bytes.

use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn sketch(values: &[u64]) -> Sketch {
    let mut sketch = Sketch::default();
    sketch.extend(values.iter().copied());
    sketch
}

fn moments(values: &[i64]) -> Moments {
    let mut moments = Moments::default();
    values.iter().for_each(|value| moments.record(*value));
    moments
}

fn latencies() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![0_u64..300, 0_u64..60_000, any::<u64>()], 1..200)
}

proptest! {
    #[test]
    fn sketches_merge_in_any_order(mut a in latencies(), b in latencies(), c in latencies()) {
        let merged = |parts: &[&Sketch]| {
            let mut sum = Sketch::default();
            parts.iter().for_each(|part| sum.merge(part));
            sum.encode()
        };
        let (x, y, z) = (sketch(&a), sketch(&b), sketch(&c));
        let whole = merged(&[&x, &y, &z]);
        prop_assert_eq!(&whole, &merged(&[&z, &y, &x]));
        let mut right = y.clone();
        right.merge(&z);
        prop_assert_eq!(&whole, &merged(&[&x, &right]));
        a.extend(b);
        a.extend(c);
        a.reverse();
        prop_assert_eq!(&whole, &sketch(&a).encode());
        prop_assert_eq!(merged(&[&Sketch::default(), &x]), x.encode());
    }

    #[test]
    fn quantiles_are_within_a_hundredth(mut values in latencies(), q in 0.001..0.999_f64) {
        let seen = sketch(&values).quantile(q).unwrap().unwrap();
        values.sort_unstable();
        let rank = ((q * values.len() as f64 - 1e-9).ceil() as usize).clamp(1, values.len());
        let exact = values[rank - 1] as f64;
        prop_assert!((seen - exact).abs() <= exact / 128.0, "{seen} for {exact}");
        prop_assert!(exact >= 128.0 || seen == exact);
    }

    #[test]
    fn a_sketch_survives_its_text(values in latencies()) {
        let sketch = sketch(&values);
        let text = sketch.encode();
        prop_assert_eq!(Sketch::decode(&text).unwrap(), sketch.clone());
        let json = serde_json::to_string(&sketch).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sketch>(&json).unwrap(), sketch);
    }

    #[test]
    fn any_text_that_is_read_is_the_one_that_is_written(text in "[A-Za-z0-9+/]{0,12}") {
        if let Ok(sketch) = Sketch::decode(&text) {
            prop_assert_eq!(sketch.encode(), text);
        }
    }

    #[test]
    fn a_sketched_interval_contains_the_exact_one(values in prop::collection::vec(1_u64..60_000, 40..400)) {
        let sessions: Vec<[f64; 1]> = values.iter().map(|value| [*value as f64]).collect();
        let exact = clustered_quantile(&sessions, 0.5, 0.05).unwrap();
        let count = values.len() as u64;
        let rough = sketched_quantile(&sketch(&values), 0.5, 0.05, count, exact.design_effect).unwrap();
        prop_assert!(rough.interval.lower <= exact.interval.lower && exact.interval.upper <= rough.interval.upper);
        prop_assert!(rough.interval.lower >= exact.interval.lower * (1.0 - 1.0 / 64.0));
        prop_assert!(rough.interval.upper <= exact.interval.upper * (1.0 + 1.0 / 64.0));
    }

    #[test]
    fn moments_merge_in_any_order(mut a in prop::collection::vec(any::<i64>(), 0..50), b in prop::collection::vec(any::<i64>(), 0..50)) {
        let (x, y) = (moments(&a), moments(&b));
        let (mut there, mut back) = (x, y);
        there.merge(&y);
        back.merge(&x);
        prop_assert_eq!(there, back);
        a.extend(b);
        a.reverse();
        prop_assert_eq!(there, moments(&a));
        let json = serde_json::to_string(&there).unwrap();
        prop_assert_eq!(serde_json::from_str::<Moments>(&json).unwrap(), there);
    }

    /// Against the two-pass formula, moved far from 0, where Σx² - (Σx)²/n in `f64` has no figure left.
    #[test]
    fn variance_is_exact_far_from_zero(values in prop::collection::vec(-1_000_i64..1_000, 2..100), shift in -1_i64..2) {
        let far = shift * 1_000_000_000_000;
        let shifted: Vec<i64> = values.iter().map(|value| value + far).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<i64>() as f64 / n;
        let expected = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let seen = moments(&shifted).variance().unwrap();
        prop_assert!((seen - expected).abs() <= 1e-9 * expected.max(1.0), "{seen} {expected}");
        prop_assert!((moments(&shifted).mean().unwrap() - (mean + far as f64)).abs() < 1e-3);
    }

    #[test]
    fn covariance_of_a_value_with_itself_is_its_variance(values in prop::collection::vec(-1_000_000_i64..1_000_000, 2..60)) {
        let mut pairs = PairMoments::default();
        values.iter().for_each(|value| pairs.record(*value, -*value));
        let summary = pairs.summary().unwrap();
        prop_assert!(close(summary.covariance, -summary.first_variance, 1e-12));
        prop_assert!(close(summary.first_variance, summary.second_variance, 1e-12));
    }
}

#[test]
fn small_figures() {
    let few = moments(&[2, 4, 4, 4, 5, 5, 7, 9]);
    assert_eq!((few.count(), few.sum(), few.mean()), (8, 40, Some(5.0)));
    assert_eq!(few.variance(), Some(32.0 / 7.0));
    assert_eq!(moments(&[]).mean(), None);
    assert_eq!(moments(&[3]).variance(), None);
    // Sessions of 1, 1 and 10 turns.
    assert_eq!(moments(&[1, 1, 10]).largest_design_effect(), Some(8.5));
    assert_eq!(Sketch::default().quantile(0.5).unwrap(), None);
    assert_eq!(sketch(&[u64::MAX, 0, 7]).quantile(0.5).unwrap(), Some(7.0));
    assert!(sketch(&[1]).quantile(1.5).is_err());
}

#[test]
fn text_that_no_sketch_wrote_is_refused() {
    assert_eq!(Sketch::default().encode(), "AQ");
    // A version, an unfinished pair, a count of 0, a bucket twice, one past the last, a number with a needless byte.
    for bytes in [
        &[2][..],
        &[1, 5],
        &[1, 5, 0],
        &[1, 5, 1, 0, 1],
        &[1, 0xc0, 0x1d, 1],
        &[1, 0x85, 0, 1],
        &[],
    ] {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        assert_eq!(Sketch::decode(&text), Err(CorruptSketch), "{bytes:?}");
    }
    assert!(Sketch::decode("not base64").is_err());
}

#[test]
fn a_day_of_latencies_is_short() {
    let mut next = numbers(3);
    let mut day = Sketch::default();
    // Log-uniform from 100 ms to 60 s.
    day.extend((0..100_000).map(|_| (100.0 * 600_f64.powf(next())) as u64));
    assert!(day.encode().len() < 2_700, "{}", day.encode().len());
}
