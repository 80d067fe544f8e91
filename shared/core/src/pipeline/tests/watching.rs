//! Watched sums are those of gold, in whatever order events come; what is proven, and what is not.

use super::*;
use crate::pipeline::{Rollup, RowKey, Watch, WatchedSession};
use crate::statistics::{Gate, Policy, Reason as Why};
use crate::variants::{Category, Snapshot, VariantId};
use alloc::collections::BTreeMap;
use alloc::string::String;
use proptest::prelude::*;

const CONTROL: &str = "claude-sonnet-4-6";
const CANARY: &str = "claude-haiku-4-5";

/// The release's registry, in which the canary has a share.
fn registry() -> Snapshot {
    Snapshot::builtin().unwrap()
}

fn watch() -> Watch {
    let mut watch = Watch::default();
    watch.follow(&registry());
    watch
}

#[derive(Default)]
struct Guard {
    watch: Watch,
    sessions: BTreeMap<String, WatchedSession>,
}

impl Guard {
    fn new() -> Self {
        Self {
            watch: watch(),
            ..Self::default()
        }
    }

    fn turn(&mut self, event: &TurnEvent) {
        let session = self.sessions.entry(event.session_id.as_str().into()).or_default();
        self.watch.turn(session, event);
    }

    fn rating(&mut self, event: &TurnEvent, milli: u16) {
        let session = self.sessions.entry(event.session_id.as_str().into()).or_default();
        self.watch.rating(session, event, milli);
    }

    fn sums(&self, arm: &str) -> Rollup {
        let shown = serde_json::to_value(&self.watch).unwrap();
        let sums = &shown["experiments"]["LLM_MODEL"]["sums"][arm];
        serde_json::from_value(sums.clone()).unwrap_or_default()
    }

    fn reasons(&self) -> Vec<Vec<Why>> {
        let found = self.watch.findings(&registry(), &Policy::default()).unwrap();
        found.into_iter().map(|finding| finding.demotion.reasons).collect()
    }
}

fn of_model(model: &str, session: u16, seq: u64) -> TurnEvent {
    let mut event = turn((session % 250) as u8, 1, seq, seq);
    event.session_id = SessionId::new(
        day().start_ms(),
        [0, 0, 0, 0, 0, 0, 0, 0, (session >> 8) as u8, session as u8],
    );
    event.event_id = format!("{}:{seq}", event.session_id);
    event.person_id = PersonId::new(
        day().start_ms(),
        [1, 0, 0, 0, 0, 0, 0, 0, (session >> 8) as u8, session as u8],
    );
    event.variants.insert("LLM_MODEL".into(), model.into());
    event
}

fn events() -> impl Strategy<Value = Vec<(TurnEvent, Option<u16>)>> {
    let one = (
        0..12_u16,
        1..5_u64,
        0..20_u8,
        0..9_000_u64,
        prop::option::of(0..=1_000_u16),
    );
    prop::collection::vec(one, 1..60).prop_map(|all| {
        let mut seen = BTreeMap::new();
        for (session, seq, what, number, rated) in all {
            let mut event = of_model(if session % 2 == 0 { CONTROL } else { CANARY }, session, seq);
            event.total_ms = number;
            event.cost_micros = (what != 1).then_some(number * 2);
            event.status = if what == 2 { Status::Failed } else { Status::Done };
            if what == 3 {
                event.reasons.insert("LLM_MODEL".into(), Reason::Withdrawn);
            }
            event.crisis_override = what == 4;
            seen.entry((session, seq)).or_insert((event, rated));
        }
        seen.into_values().collect()
    })
}

proptest! {
    #[test]
    fn watched_sums_are_those_of_gold((all, order) in events().prop_flat_map(|all| {
        let n = all.len();
        (Just(all), Just((0..2 * n).collect::<Vec<_>>()).prop_shuffle())
    })) {
        let mut guard = Guard::new();
        let mut builder = DayBuilder::new(day());
        for (event, rated) in &all {
            builder.turn(event);
            if let Some(milli) = rated { builder.rated(&event.event_id, 1, *milli); }
        }
        for at in order {
            let (event, rated) = &all[at / 2];
            match (at % 2, rated) {
                (0, _) => guard.turn(event),
                (_, Some(milli)) => guard.rating(event, *milli),
                _ => {}
            }
        }
        let gold = builder.finish(|_| false);
        for (model, arm) in [(CONTROL, ""), (CANARY, CANARY)] {
            let key = RowKey { category: "LLM_MODEL".into(), variant: model.into() };
            let expected = gold.rows.get(&key).cloned().unwrap_or_default();
            let sums = guard.sums(arm);
            prop_assert_eq!(sums.session_turns, expected.session_turns);
            prop_assert_eq!(sums.session_errors, expected.session_errors);
            prop_assert_eq!(sums.session_cost, expected.session_cost);
            prop_assert_eq!(sums.session_satisfaction, expected.session_satisfaction);
            prop_assert_eq!(sums.latency_ms, expected.latency_ms);
        }
    }
}

/// 150 sessions of each arm; `change` makes the canary's turns what they are.
fn watched(change: impl Fn(&mut TurnEvent)) -> Guard {
    let mut guard = Guard::new();
    for n in 0..300_u16 {
        let mut event = of_model(if n % 2 == 0 { CONTROL } else { CANARY }, n, 1);
        event.total_ms = 900 + u64::from(n % 100);
        event.cost_micros = Some(1_000 + u64::from(n % 7) * 10);
        if n % 2 == 1 {
            change(&mut event);
        }
        guard.turn(&event);
        guard.rating(&event, 500 + n % 50);
    }
    guard
}

#[test]
fn a_canary_that_is_as_good_stays() {
    assert!(watched(|_| {}).reasons().is_empty());
}

#[test]
fn each_regression_is_found_and_told() {
    let gate = |gate| alloc::vec![alloc::vec![Why::GateFailed { gate }]];
    assert_eq!(
        watched(|event| event.cost_micros = event.cost_micros.map(|cost| cost * 2)).reasons(),
        gate(Gate::CostPerTurn)
    );
    assert_eq!(watched(|event| event.total_ms *= 2).reasons(), gate(Gate::LatencyP95));
    assert_eq!(
        watched(|event| event.status = Status::Failed).reasons(),
        gate(Gate::ErrorRate)
    );
    let mut unhappy = watched(|_| {});
    for n in (1..300_u16).step_by(2) {
        unhappy.rating(&of_model(CANARY, n, 1), 0);
    }
    assert_eq!(unhappy.reasons(), gate(Gate::Satisfaction));

    let dear = watched(|event| event.cost_micros = event.cost_micros.map(|cost| cost * 2));
    let finding = dear.watch.findings(&registry(), &Policy::default()).unwrap().remove(0);
    assert_eq!(
        (finding.category, finding.id.as_str(), finding.sessions),
        (Category::LlmModel, CANARY, [150, 150])
    );
    let words = finding.in_words();
    assert!(
        words.starts_with("cost per turn +100.0 % (proven +")
            && words.ends_with("allowed +20.0 %); 150 and 150 sessions"),
        "{words}"
    );
}

#[test]
fn a_change_begins_anew_and_what_ended_goes() {
    let mut guard = watched(|event| event.total_ms *= 2);
    guard.watch.follow(&registry());
    assert_eq!(guard.reasons().len(), 1, "nothing changed");
    let mut variants = registry().variants().to_vec();
    for variant in &mut variants {
        if variant.category == Category::LlmModel && variant.id == *CANARY {
            variant.version += 1;
        }
    }
    let next = Snapshot::new(9, variants.clone()).unwrap();
    guard.watch.follow(&next);
    assert!(guard.watch.findings(&next, &Policy::default()).unwrap().is_empty());
    // A session of the old phase goes on in the new one: what it gave before is not taken from sums that never had it.
    guard.turn(&of_model(CANARY, 1, 2));
    assert_eq!(guard.sums(CANARY).session_turns.sum(), 1);
    let killed = next.with_killed([Category::LlmModel].into());
    guard.watch.follow(&killed);
    assert!(!serde_json::to_string(&guard.watch).unwrap().contains("LLM_MODEL"));
    for variant in &mut variants {
        if !matches!(variant.status, crate::variants::Status::Production) {
            variant.rollout_percent = 0.0;
        }
    }
    guard.watch.follow(&Snapshot::new(10, variants).unwrap());
    assert!(guard.watch.is_idle());
    assert!(VariantId::parse("").is_err(), "no variant is named as the control arm");
}
