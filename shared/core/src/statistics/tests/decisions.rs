//! Gates, promotion and demotion.

use super::*;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const SESSIONS: u64 = 5_000;

fn quantile(value: f64, sessions: u64) -> QuantileEstimate {
    QuantileEstimate {
        value,
        interval: Interval {
            lower: value * 0.98,
            upper: value * 1.02,
        },
        critical: 1.96,
        observations: sessions * 8,
        sessions,
        design_effect: 2.0,
    }
}

fn arm(latency_ms: f64, satisfaction: f64, cost_micros: f64, sessions: u64) -> ArmSummary {
    ArmSummary {
        sessions,
        latency_p95: Some(quantile(latency_ms, sessions)),
        satisfaction: Some(sample(satisfaction, 0.25, sessions)),
        cost_per_turn: Some(PairSummary {
            count: sessions,
            first_mean: cost_micros * 8.0,
            second_mean: 8.0,
            first_variance: cost_micros * cost_micros * 36.0,
            second_variance: 25.0,
            covariance: cost_micros * 25.0,
        }),
    }
}

fn replayed(new_misses: u64) -> CrisisEvidence {
    CrisisEvidence {
        replay: Some(Replay {
            cases: 4_000,
            new_misses,
        }),
        ..CrisisEvidence::default()
    }
}

fn verdicts(control: &ArmSummary, treatment: &ArmSummary, policy: &Policy) -> Vec<Verdict> {
    let results = evaluate(control, treatment, &replayed(0), policy).unwrap();
    assert!(results.iter().map(|result| result.gate).eq(Gate::ALL));
    results.iter().map(|result| result.verdict).collect()
}

fn success(z: f64, better: Direction) -> Success {
    Success {
        name: String::from("returns"),
        difference: Some(Difference::new(z, 1.0, 2 * SESSIONS).unwrap()),
        better,
    }
}

fn even() -> SequentialRatioCheck {
    sequential_sample_ratio(&[5_000, 5_020], &[1.0, 1.0]).unwrap()
}

use Verdict::{Fail, InsufficientData, Pass};

#[test]
fn an_equal_challenger_passes_with_enough_data_and_waits_without() {
    let policy = Policy::default();
    let control = arm(900.0, 0.7, 200.0, SESSIONS);
    assert_eq!(verdicts(&control, &control, &policy), [Pass; 4]);
    let few = arm(900.0, 0.7, 200.0, 99);
    let waiting = [InsufficientData, Pass, InsufficientData, InsufficientData];
    assert_eq!(verdicts(&few, &few, &policy), waiting);
    let unseen = ArmSummary {
        sessions: SESSIONS,
        ..ArmSummary::default()
    };
    assert_eq!(verdicts(&control, &unseen, &policy), waiting);
}

#[test]
fn each_gate_fails_on_its_own_breach() {
    let policy = Policy::default();
    let control = arm(900.0, 0.7, 200.0, SESSIONS);
    let with = |latency, satisfaction, cost| verdicts(&control, &arm(latency, satisfaction, cost, SESSIONS), &policy);
    assert_eq!(with(1_200.0, 0.7, 200.0), [Fail, Pass, Pass, Pass]);
    assert_eq!(with(900.0, 0.6, 200.0), [Pass, Pass, Fail, Pass]);
    assert_eq!(with(900.0, 0.7, 300.0), [Pass, Pass, Pass, Fail]);
    // On the threshold nothing is proven.
    assert_eq!(
        with(990.0, 0.65, 240.0),
        [InsufficientData, Pass, InsufficientData, InsufficientData]
    );
    // Better passes.
    assert_eq!(with(600.0, 0.8, 100.0), [Pass; 4]);
}

#[test]
fn a_gate_tells_what_it_saw() {
    let policy = Policy::default();
    let result = latency_gate(
        &arm(900.0, 0.7, 200.0, SESSIONS),
        &arm(945.0, 0.7, 200.0, SESSIONS),
        &policy,
    )
    .unwrap();
    assert_close(result.estimate.unwrap(), 0.05, 1e-12);
    assert_eq!((result.threshold, result.note), (0.10, None));
    assert!(result.interval.unwrap().contains(0.05));
    let result = satisfaction_gate(
        &arm(900.0, 0.7, 200.0, SESSIONS),
        &arm(900.0, 0.68, 200.0, SESSIONS),
        &policy,
    )
    .unwrap();
    assert_close(result.estimate.unwrap(), -0.02, 1e-9);
    assert_eq!(result.threshold, -0.05);
    assert_eq!(result.verdict, Pass);
}

#[test]
fn cost_may_be_signed_off() {
    let policy = Policy {
        cost_signed_off: true,
        ..Policy::default()
    };
    let (control, dear) = (arm(900.0, 0.7, 200.0, SESSIONS), arm(900.0, 0.7, 900.0, SESSIONS));
    let result = cost_gate(&control, &dear, &policy).unwrap();
    assert_eq!((result.verdict, result.note), (Pass, Some("signed_off")));
    assert_close(result.estimate.unwrap(), 3.5, 1e-9);
}

#[test]
fn crises() {
    let policy = Policy::default();
    let verdict = |crisis: &CrisisEvidence| {
        let result = crisis_gate(crisis, &policy).unwrap();
        (result.verdict, result.note)
    };
    assert_eq!(verdict(&replayed(0)), (Pass, None));
    assert_eq!(verdict(&replayed(1)), (Fail, Some("new_miss_in_replay")));
    assert_eq!(
        verdict(&CrisisEvidence::default()),
        (InsufficientData, Some("not_replayed"))
    );
    let empty = CrisisEvidence {
        replay: Some(Replay {
            cases: 0,
            new_misses: 0,
        }),
        ..CrisisEvidence::default()
    };
    assert_eq!(verdict(&empty), (InsufficientData, Some("not_replayed")));
    // A live miss fails at once, whatever the replay says.
    let missed = CrisisEvidence {
        confirmed_live_misses: 1,
        ..replayed(0)
    };
    assert_eq!(verdict(&missed), (Fail, Some("confirmed_live_miss")));
    let rates = |control, treatment| CrisisEvidence {
        control: Some(control),
        treatment: Some(treatment),
        ..replayed(0)
    };
    assert_eq!(
        verdict(&rates(rate(490, 500), rate(400, 500))),
        (Fail, Some("detection_rate_fell"))
    );
    assert_eq!(verdict(&rates(rate(490, 500), rate(488, 500))), (Pass, None));
    assert_eq!(verdict(&rates(rate(490, 500), rate(500, 500))), (Pass, None));
    // Of a handful nothing is proven.
    assert_eq!(verdict(&rates(rate(20, 20), rate(10, 20))), (Pass, None));
}

#[test]
fn promotion_needs_everything() {
    let policy = Policy::default();
    let control = arm(900.0, 0.7, 200.0, SESSIONS);
    let gates = evaluate(&control, &control, &replayed(0), &policy).unwrap();
    let decide = |sessions, successes: &[Success], gates: &[GateResult], ratio: &SequentialRatioCheck| {
        promotion_decision(SESSIONS, sessions, successes, gates, ratio, &policy).unwrap()
    };
    let up = [success(5.0, Direction::Up)];
    let good = decide(SESSIONS, &up, &gates, &even());
    assert!(good.promote && good.reasons.is_empty() && good.metrics[0].superior);
    assert_eq!(good.next, NextStep::ReadyForReview);

    // More than 500, not 500.
    assert!(decide(501, &up, &gates, &even()).promote);
    let few = decide(500, &up, &gates, &even());
    assert_eq!(
        few.reasons,
        [Reason::TooFewSessions {
            sessions: 500,
            more_than: 500
        }]
    );
    assert_eq!((few.promote, few.next), (false, NextStep::CollectMore));

    // Significant by the test that people know (z = 2.5, p = 0.012), and not by the one that counts.
    let weak = decide(SESSIONS, &[success(2.5, Direction::Up)], &gates, &even());
    assert!(matches!(weak.reasons[..], [Reason::NotSignificant { p_value }] if p_value > 0.05));
    // Significantly worse is no winner; less is better for some.
    assert!(!decide(SESSIONS, &[success(-5.0, Direction::Up)], &gates, &even()).promote);
    assert!(decide(SESSIONS, &[success(-5.0, Direction::Down)], &gates, &even()).promote);
    assert!(!decide(SESSIONS, &[], &gates, &even()).promote);

    let uneven = sequential_sample_ratio(&[5_000, 6_000], &[1.0, 1.0]).unwrap();
    let broken = decide(SESSIONS, &up, &gates, &uneven);
    assert!(matches!(broken.reasons[..], [Reason::SampleRatioMismatch { .. }]));
    assert_eq!(broken.next, NextStep::InvestigateSampleRatio);

    let unseen = decide(SESSIONS, &up, &gates[..3], &even());
    assert_eq!(
        unseen.reasons,
        [Reason::GateUndecided {
            gate: Gate::CostPerTurn
        }]
    );
    let slow = evaluate(&control, &arm(2_000.0, 0.7, 200.0, SESSIONS), &replayed(0), &policy).unwrap();
    let slow = decide(SESSIONS, &up, &slow, &uneven);
    assert!(slow.reasons.contains(&Reason::GateFailed { gate: Gate::LatencyP95 }));
    assert_eq!(slow.next, NextStep::RollBack);
}

#[test]
fn many_metrics_are_held_to_a_stricter_level() {
    let policy = Policy::default();
    let control = arm(900.0, 0.7, 200.0, SESSIONS);
    let gates = evaluate(&control, &control, &replayed(0), &policy).unwrap();
    // p is 0.03 alone: enough by itself, not among three.
    let one = success(3.28, Direction::Up);
    let decide =
        |successes: &[Success]| promotion_decision(SESSIONS, SESSIONS, successes, &gates, &even(), &policy).unwrap();
    assert!(decide(core::slice::from_ref(&one)).promote);
    let three = decide(&[one, success(0.1, Direction::Up), success(-0.2, Direction::Up)]);
    assert!(!three.promote);
    assert_close(three.metrics[0].adjusted_p_value, 3.0 * three.metrics[0].p_value, 1e-12);
}

#[test]
fn demotion() {
    let policy = Policy::default();
    let control = arm(900.0, 0.7, 200.0, SESSIONS);
    let gates = |treatment: &ArmSummary| evaluate(&control, treatment, &replayed(0), &policy).unwrap();
    assert!(!demotion_decision(&gates(&control), 0).demote);
    // Undecided is no proof.
    assert!(!demotion_decision(&gates(&arm(2_000.0, 0.7, 200.0, 50)), 0).demote);
    let slow = demotion_decision(&gates(&arm(2_000.0, 0.7, 200.0, SESSIONS)), 0);
    assert_eq!(slow.reasons, [Reason::GateFailed { gate: Gate::LatencyP95 }]);
    let missed = demotion_decision(&gates(&control), 1);
    assert_eq!(
        (missed.demote, &missed.reasons[..]),
        (true, &[Reason::ConfirmedLiveMiss { misses: 1 }][..])
    );
}

#[test]
fn a_policy_out_of_range_is_an_error() {
    let policy = Policy {
        alpha: 0.7,
        ..Policy::default()
    };
    let control = arm(900.0, 0.7, 200.0, SESSIONS);
    assert!(evaluate(&control, &control, &replayed(0), &policy).is_err());
    assert!(promotion_decision(1, 1, &[], &[], &even(), &policy).is_err());
}

proptest! {
    /// A worse challenger never gets a better verdict.
    #[test]
    fn verdicts_follow_the_damage(latency in 500.0..2_000.0_f64, more in 0.0..500.0_f64, sessions in 1_u64..100_000) {
        let control = arm(900.0, 0.7, 200.0, sessions);
        let rank = |verdict| match verdict { Pass => 0, InsufficientData => 1, Fail => 2 };
        let gate = |latency| latency_gate(&control, &arm(latency, 0.7, 200.0, sessions), &Policy::default()).unwrap();
        let (better, worse) = (gate(latency), gate(latency + more));
        prop_assert!(rank(worse.verdict) >= rank(better.verdict));
        if let (Some(interval), Some(estimate)) = (better.interval, better.estimate) {
            prop_assert!(interval.contains(estimate));
            prop_assert_eq!(better.verdict == Pass, interval.upper < better.threshold);
            prop_assert_eq!(better.verdict == Fail, interval.lower > better.threshold);
        }
    }
}
