//! What must hold whatever the data.

use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

prop_compose! {
    fn rates()(trials in 1_u64..100_000)(successes in 0..=trials, trials in Just(trials)) -> Proportion {
        rate(successes, trials)
    }
}

prop_compose! {
    fn samples()(mean in -1e6..1e6_f64, deviation in 1e-3..1e6_f64, count in 30_u64..1_000_000) -> Sample {
        sample(mean, deviation, count)
    }
}

prop_compose! {
    fn differences()(z in -40.0..40.0_f64, error in 1e-6..1e6_f64, units in 2_u64..10_000_000) -> Difference {
        Difference::new(z * error, error, units).unwrap()
    }
}

fn pairs() -> impl Strategy<Value = PairMoments> {
    prop::collection::vec((-1_000_i64..1_000, 1_i64..1_000), 3..60).prop_map(|values| {
        let mut moments = PairMoments::default();
        values
            .into_iter()
            .for_each(|(first, second)| moments.record(first, second));
        moments
    })
}

fn is_probability(p: f64) -> bool {
    (0.0..=1.0).contains(&p)
}

proptest! {
    #[test]
    fn rates_are_symmetric(a in rates(), b in rates(), alpha in 0.001..0.4_f64) {
        let (Ok(there), Ok(back)) = (two_proportions(&a, &b, alpha), two_proportions(&b, &a, alpha)) else {
            return Ok(());
        };
        prop_assert!(close(there.z, -back.z, 1e-12) && close(there.p_value, back.p_value, 1e-9));
        prop_assert!((there.interval.lower + back.interval.upper).abs() < 1e-12);
        prop_assert!(is_probability(there.p_value));
        prop_assert!(there.interval.contains(there.difference));
        prop_assert!(there.interval.lower >= -1.0 - 1e-12 && there.interval.upper <= 1.0 + 1e-12);
    }

    #[test]
    fn more_successes_never_speak_against_the_treatment(a in rates(), b in rates()) {
        prop_assume!(b.successes() < b.trials());
        let more = rate(b.successes() + 1, b.trials());
        let (Ok(less), Ok(more)) = (two_proportions(&a, &b, 0.05), two_proportions(&a, &more, 0.05)) else {
            return Ok(());
        };
        prop_assert!(more.difference > less.difference);
        prop_assert!(more.interval.lower >= less.interval.lower - 1e-12);
    }

    #[test]
    fn means_are_symmetric_and_scale(a in samples(), b in samples(), scale in 1e-3..1e3_f64) {
        let there = welch(&a, &b, 0.05).unwrap();
        let back = welch(&b, &a, 0.05).unwrap();
        prop_assert!(close(there.t, -back.t, 1e-12) && close(there.p_value, back.p_value, 1e-9));
        prop_assert!(is_probability(there.p_value) && there.interval.contains(there.difference));
        let scaled = |sample: &Sample| Sample { mean: sample.mean * scale, variance: sample.variance * scale * scale, ..*sample };
        let scaled = welch(&scaled(&a), &scaled(&b), 0.05).unwrap();
        prop_assert!((scaled.t - there.t).abs() <= 1e-9 * (1.0 + there.t.abs() * (a.mean.abs() + b.mean.abs()) / there.difference.abs()));
        prop_assert!(close(scaled.df, there.df, 1e-9));
    }

    #[test]
    fn the_always_valid_interval_contains_the_fixed_one(
        a in samples(), b in samples(), alpha in 0.001..0.2_f64, planned in 1_u64..1_000_000,
    ) {
        let difference = a.difference_to(&b).unwrap();
        let always = ConfidenceSequence::new(alpha, planned).unwrap().interval(&difference);
        let fixed = welch(&a, &b, alpha).unwrap().interval;
        prop_assert!(always.lower <= fixed.lower && fixed.upper <= always.upper);
    }

    #[test]
    fn always_valid_figures_agree_with_each_other(
        difference in differences(), alpha in 0.001..0.2_f64, planned in 1_u64..1_000_000,
    ) {
        let sequence = ConfidenceSequence::new(alpha, planned).unwrap();
        let (interval, p) = (sequence.interval(&difference), sequence.p_value(&difference));
        prop_assert!(is_probability(p) && interval.contains(difference.estimate));
        if (p - alpha).abs() > 1e-9 {
            prop_assert_eq!(p <= alpha, !interval.contains(0.0));
        }
        let above = sequence.p_value_above(&difference);
        prop_assert!(is_probability(above));
        if (above - alpha).abs() > 1e-9 {
            prop_assert_eq!(above <= alpha, sequence.lower_bound(&difference) > 0.0);
        }
        // One side at a time asks less than both.
        prop_assert!(sequence.lower_bound(&difference) <= difference.estimate);
        prop_assert!(close(
            sequence.upper_bound(&difference),
            -sequence.lower_bound(&difference.negated()),
            1e-12
        ));
        prop_assert!(is_probability(sequence.p_value_above(&difference.negated())));
    }

    #[test]
    fn a_stricter_level_is_wider(difference in differences(), alpha in 0.002..0.2_f64, planned in 100_u64..100_000) {
        let width = |alpha: f64| {
            let sequence = ConfidenceSequence::new(alpha, planned).unwrap();
            (sequence.interval(&difference).width(), sequence.upper_bound(&difference))
        };
        let (strict, loose) = (width(alpha / 2.0), width(alpha));
        // The spread follows α as well, so that at odd sizes the gain is small but never turns.
        prop_assert!(strict.0 > loose.0 && strict.1 > loose.1);
    }

    #[test]
    fn stronger_evidence_has_a_smaller_p(z in 0.0..30.0_f64, more in 0.01..5.0_f64, units in 2_u64..1_000_000) {
        let sequence = ConfidenceSequence::new(0.05, 5_000).unwrap();
        let (weak, strong) = (Difference::new(z, 1.0, units).unwrap(), Difference::new(z + more, 1.0, units).unwrap());
        prop_assert!(sequence.p_value(&strong) <= sequence.p_value(&weak));
        prop_assert!(sequence.p_value_above(&strong) <= sequence.p_value_above(&weak));
    }

    #[test]
    fn sample_ratio_checks_know_no_order(counts in prop::collection::vec((0_u64..1_000_000, 0.01..1.0_f64), 2..6)) {
        prop_assume!(counts.iter().any(|(count, _)| *count > 0));
        let split = |pairs: &[(u64, f64)]| -> (Vec<u64>, Vec<f64>) { pairs.iter().copied().unzip() };
        let reversed: Vec<_> = counts.iter().rev().copied().collect();
        let ((n, w), (m, v)) = (split(&counts), split(&reversed));
        let (there, back) = (sample_ratio(&n, &w).unwrap(), sample_ratio(&m, &v).unwrap());
        prop_assert!(close(there.chi_squared, back.chi_squared, 1e-9) && is_probability(there.p_value));
        let (there, back) = (sequential_sample_ratio(&n, &w).unwrap(), sequential_sample_ratio(&m, &v).unwrap());
        prop_assert!((there.log_e_value - back.log_e_value).abs() <= 1e-9 * (1.0 + there.log_e_value.abs()));
        prop_assert!(is_probability(there.p_value));
    }

    #[test]
    fn right_shares_are_never_a_mismatch(each in 1_u64..10_000_000, arms in 2_usize..6) {
        let check = sequential_sample_ratio(&vec![each; arms], &vec![1.0; arms]).unwrap();
        prop_assert!(check.log_e_value <= 1e-9);
        prop_assert!(sample_ratio(&vec![each; arms], &vec![1.0; arms]).unwrap().p_value > 0.999_999);
    }

    #[test]
    fn holm_keeps_order_and_only_raises(p_values in prop::collection::vec(0.0..=1.0_f64, 1..12)) {
        let adjusted = holm(&p_values).unwrap();
        for (i, (p, q)) in p_values.iter().zip(&adjusted).enumerate() {
            prop_assert!(p <= q && is_probability(*q));
            for (other, other_adjusted) in p_values.iter().zip(&adjusted).skip(i) {
                prop_assert!((p > other || q <= other_adjusted) && (p < other || q >= other_adjusted));
            }
        }
        let least = p_values.iter().copied().fold(1.0, f64::min);
        let corrected = (least * p_values.len() as f64).min(1.0);
        prop_assert!(close(adjusted.iter().copied().fold(1.0, f64::min), corrected, 1e-12));
    }

    #[test]
    fn a_ratio_of_equal_denominators_is_a_mean(values in prop::collection::vec(-1_000_i64..1_000, 3..50), size in 1_i64..9) {
        let mut pair = PairMoments::default();
        values.iter().for_each(|value| pair.record(value * size, size));
        let mut plain = Moments::default();
        values.iter().for_each(|value| plain.record(*value));
        prop_assume!(plain.variance().unwrap() > 0.0);
        let (pair, plain) = (pair.summary().unwrap(), plain.sample().unwrap());
        prop_assert!(close(pair.ratio().unwrap(), plain.mean, 1e-12));
        let (ratio, mean) = (ratio_difference(&pair, &pair).unwrap(), plain.difference_to(&plain).unwrap());
        prop_assert!(close(ratio.standard_error, mean.standard_error, 1e-9));
    }

    #[test]
    fn cuped_never_adds_noise_to_a_shared_slope(a in pairs(), b in pairs()) {
        let (a, b) = (a.summary().unwrap(), b.summary().unwrap());
        let Ok(adjusted) = adjust(&a, &b) else { return Ok(()) };
        prop_assert!(adjusted.control.variance >= 0.0 && adjusted.treatment.variance >= 0.0);
        prop_assert!((0.0..=1.0).contains(&adjusted.variance_removed));
        // What was the same before and during is gone.
        let same = PairSummary { first_mean: a.second_mean, first_variance: a.second_variance, covariance: a.second_variance, ..a };
        let gone = adjust(&same, &same).unwrap();
        prop_assert!(close(gone.theta, 1.0, 1e-9) && gone.control.variance <= 1e-9 * a.second_variance);
    }
}
