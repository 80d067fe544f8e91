//! What counts, and where.

use super::*;
use crate::pipeline::{PRODUCT, Rollup, RowKey};

fn row(gold: &Gold, category: &str, variant: &str) -> Rollup {
    let key = RowKey {
        category: category.into(),
        variant: variant.into(),
    };
    gold.rows.get(&key).cloned().unwrap_or_default()
}

fn crisis(mut event: TurnEvent) -> TurnEvent {
    event.crisis_override = true;
    event.crisis_level = 3;
    event.ttft_ms = None;
    event
}

#[test]
fn sums_of_a_day() {
    let mut failed = turn(1, 1, 2, 2);
    (failed.status, failed.cost_micros, failed.ttft_ms) = (Status::Failed, None, None);
    let records = [
        recorded(turn(1, 1, 1, 1)),
        recorded(failed),
        recorded(turn(1, 2, 1, 3)),
        recorded(turn(2, 3, 1, 4)),
        rating(&turn(1, 1, 1, 1), 500, 5),
        rating(&turn(1, 1, 2, 2), 1_000, 5),
        rating(&turn(2, 3, 1, 4), 0, 5),
    ];
    let gold = gold(&records);
    let seen = row(&gold, "LLM_MODEL", "claude-sonnet-4-6");
    assert_eq!(seen, row(&gold, "MANDALA_FACE", "on"));
    assert_eq!(seen, row(&gold, PRODUCT, "companion"));
    assert_eq!(gold.rows.len(), 3);
    assert_eq!((seen.turns, seen.sessions, seen.persons, seen.errors), (4, 3, 2, 1));
    assert_eq!(
        (seen.tokens_in, seen.tokens_out, seen.cost_micros, seen.priced_turns),
        (400, 80, 1_800, 3)
    );
    let figures = seen.figures();
    assert_eq!(figures.cost_per_turn_micros, Some(600.0));
    // Two sessions rated: 0.75 and 0.
    assert_eq!((figures.satisfaction, figures.ratings), (Some(0.375), 3));
    assert_eq!(
        (figures.error_rate, seen.latency_ms.count(), seen.ttft_ms.count()),
        (Some(0.25), 3, 3)
    );
}

#[test]
fn what_was_asked_for_or_withdrawn_counts_for_no_variant_of_its_category() {
    for reason in [Reason::Override, Reason::Withdrawn, Reason::Degraded] {
        let gold = gold(&[recorded(withdrawn(turn(1, 1, 1, 1), "LLM_MODEL", reason))]);
        assert_eq!(row(&gold, "LLM_MODEL", "claude-sonnet-4-6"), Rollup::default());
        assert_eq!(row(&gold, "MANDALA_FACE", "on").turns, 1);
        assert_eq!(row(&gold, PRODUCT, "companion").turns, 1);
    }
    let split = gold(&[recorded(withdrawn(turn(1, 1, 1, 1), "LLM_MODEL", Reason::Split))]);
    assert_eq!(row(&split, "LLM_MODEL", "claude-sonnet-4-6").turns, 1);
}

#[test]
fn a_session_with_a_crisis_leaves_and_is_counted() {
    let gold = gold(&[
        recorded(turn(1, 1, 1, 1)),
        recorded(crisis(turn(1, 1, 2, 2))),
        rating(&turn(1, 1, 1, 1), 500, 5),
        recorded(turn(2, 2, 1, 3)),
    ]);
    let seen = row(&gold, "LLM_MODEL", "claude-sonnet-4-6");
    assert_eq!((seen.sessions, seen.crisis_sessions, seen.persons), (2, 1, 2));
    assert_eq!(
        (
            seen.turns,
            seen.ratings,
            seen.session_turns.count(),
            seen.latency_ms.count()
        ),
        (1, 0, 1, 1)
    );
    assert_eq!(seen.figures().crisis_rate, Some(0.5));
    let product = row(&gold, PRODUCT, "companion");
    assert_eq!(
        (
            product.turns,
            product.sessions,
            product.crisis_sessions,
            product.ratings
        ),
        (3, 2, 1, 1)
    );
    // What the fixed text took says nothing about a model.
    assert_eq!(product.latency_ms.count(), 2);
}

#[test]
fn a_session_of_crisis_alone_has_no_variant() {
    let gold = gold(&[recorded(crisis(turn(1, 1, 1, 1)))]);
    assert_eq!(
        gold.rows.keys().map(|key| key.category.as_str()).collect::<Vec<_>>(),
        [PRODUCT]
    );
}

#[test]
fn persons_are_new_on_the_day_of_their_id_and_return_by_what_is_said_of_them() {
    let mut known = turn(2, 2, 1, 1);
    known.person_id = PersonId::new(day().start_ms() - 1, [2; 10]);
    let mut builder = DayBuilder::new(day());
    builder.turn(&turn(1, 1, 1, 1));
    builder.turn(&known);
    assert_eq!(builder.persons().len(), 2);
    let gold = builder.finish(|person| person == known.person_id.as_str());
    let seen = row(&gold, PRODUCT, "companion");
    assert_eq!((seen.persons, seen.new_persons, seen.returned), (2, 1, 1));
    assert_eq!(seen.figures().return_rate, Some(0.5));
}

#[test]
fn events_of_other_days_and_ratings_without_a_turn_are_passed_over() {
    let mut early = turn(1, 1, 1, 0);
    early.accepted_at_ms -= 1;
    let gold = gold(&[recorded(early), rating(&turn(1, 1, 1, 0), 500, 5)]);
    assert!(gold.rows.is_empty());
}
