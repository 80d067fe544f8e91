//! Comparing two arms: what the figures rest on is tested in `statistics`; here, that they are asked the right question.

use super::*;
use crate::pipeline::{Rollup, RowKey, compare, expected_shares};
use crate::statistics::{CrisisEvidence, NextStep, Policy, Replay};
use crate::variants::{Category, Snapshot};

/// An arm of `sessions` sessions of one turn; every third one rated.
fn arm(model: &str, sessions: u16, satisfaction_milli: u16, cost_micros: u64) -> Rollup {
    let mut builder = DayBuilder::new(day());
    for n in 0..sessions {
        let mut event = turn((n % 250) as u8, 1, 1, 1);
        event.session_id = SessionId::new(day().start_ms(), [0, 0, 0, 0, 0, 0, 0, 0, (n >> 8) as u8, n as u8]);
        event.event_id = format!("{}:1", event.session_id);
        event.person_id = PersonId::new(day().start_ms(), [1, 0, 0, 0, 0, 0, 0, 0, (n >> 8) as u8, n as u8]);
        event.variants.insert("LLM_MODEL".into(), model.into());
        event.cost_micros = Some(cost_micros + u64::from(n % 7));
        event.total_ms = 900 + u64::from(n % 100);
        builder.turn(&event);
        builder.rated(&event.event_id, 1, satisfaction_milli + n % 50);
    }
    let key = RowKey {
        category: "LLM_MODEL".into(),
        variant: model.into(),
    };
    builder.finish(|_| false).rows.remove(&key).unwrap()
}

fn replayed() -> CrisisEvidence {
    CrisisEvidence {
        replay: Some(Replay {
            cases: 100,
            new_misses: 0,
        }),
        ..CrisisEvidence::default()
    }
}

#[test]
fn a_better_and_cheaper_variant_is_ready_for_review() {
    let (a, b) = (arm("a", 800, 500, 1_000), arm("b", 800, 600, 700));
    let found = compare(("a", &a), ("b", &b), Some([0.5, 0.5]), &replayed(), &Policy::default()).unwrap();
    assert!(found.decision.promote, "{:?}", found.decision);
    assert_eq!(found.decision.next, NextStep::ReadyForReview);
    let satisfaction = &found.tests[0];
    assert_eq!(satisfaction.metric, "satisfaction");
    assert!((satisfaction.estimate.unwrap() - 0.1).abs() < 1e-9);
    let (fixed, valid) = (satisfaction.fixed.unwrap(), satisfaction.always_valid.unwrap());
    assert!(valid.low < fixed.low && fixed.high < valid.high && fixed.p <= valid.p);
    let cost = found
        .tests
        .iter()
        .find(|test| test.metric == "cost_per_turn_micros")
        .unwrap();
    assert!((cost.estimate.unwrap() + 300.0).abs() < 1e-6);
}

#[test]
fn without_a_replay_or_a_known_ratio_nothing_is_promoted() {
    let (a, b) = (arm("a", 800, 500, 1_000), arm("b", 800, 600, 700));
    let unplayed = compare(
        ("a", &a),
        ("b", &b),
        Some([0.5, 0.5]),
        &CrisisEvidence::default(),
        &Policy::default(),
    )
    .unwrap();
    assert!(!unplayed.decision.promote);
    let unknown = compare(("a", &a), ("b", &b), None, &replayed(), &Policy::default()).unwrap();
    assert_eq!((unknown.sample_ratio.p, unknown.decision.promote), (None, false));
    assert_eq!(unknown.decision.next, NextStep::CollectMore);
    assert_eq!(
        unknown.decision.reasons,
        [serde_json::json!({"reason": "sample_ratio_unknown"})]
    );
}

#[test]
fn a_wrong_ratio_raises_the_alarm() {
    let (a, b) = (arm("a", 1_200, 500, 1_000), arm("b", 600, 500, 1_000));
    let found = compare(("a", &a), ("b", &b), Some([0.5, 0.5]), &replayed(), &Policy::default()).unwrap();
    assert!(found.sample_ratio.alarm);
    assert_eq!(found.decision.next, NextStep::InvestigateSampleRatio);
}

#[test]
fn arms_without_data_are_compared_to_nothing() {
    let empty = Rollup::default();
    let found = compare(
        ("a", &empty),
        ("b", &empty),
        Some([0.5, 0.5]),
        &replayed(),
        &Policy::default(),
    )
    .unwrap();
    assert!(
        found
            .tests
            .iter()
            .all(|test| test.estimate.is_none() && test.fixed.is_none())
    );
    assert_eq!(
        (found.sample_ratio.p, found.decision.next),
        (None, NextStep::CollectMore)
    );
}

#[test]
fn shares_of_the_registry() {
    let snapshot = Snapshot::builtin().unwrap();
    // Half of all people may be in a model experiment, and a tenth of them is.
    let challenger = snapshot.challengers(Category::SystemPrompt).next().unwrap();
    let share = f64::from(challenger.rollout_basis_points()) / 20_000.0;
    let control = snapshot.defaults(Category::SystemPrompt).next().unwrap();
    let found = expected_shares(
        &snapshot,
        Category::SystemPrompt,
        control.id.as_str(),
        challenger.id.as_str(),
    )
    .unwrap();
    assert!((found[1] - share).abs() < 1e-12 && (found[0] + found[1] - 1.0).abs() < 1e-12);
    assert_eq!(
        expected_shares(&snapshot, Category::SystemPrompt, control.id.as_str(), "nobody"),
        None
    );
    let killed = snapshot.with_killed([Category::SystemPrompt].into());
    assert_eq!(
        expected_shares(
            &killed,
            Category::SystemPrompt,
            "v2-sha-current",
            "v3-sha-empathy-rewrite"
        ),
        None
    );
}
