//! Whatever upstreams do: no turn hangs, no half-answer counts as whole, nothing is charged twice, nothing lives on.

use super::sim::{Bench, Script, Step, say, used};
use crate::router::Routing;
use crate::turn::{LlmEvent, ProviderError, StopReason};
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn errors() -> impl Strategy<Value = ProviderError> {
    prop_oneof![
        Just(ProviderError::Unreachable),
        Just(ProviderError::Truncated),
        Just(ProviderError::InStream),
        Just(ProviderError::ContextLength),
        Just(ProviderError::QuotaExhausted),
        Just(ProviderError::Filtered),
        Just(ProviderError::Protocol("x")),
        proptest::option::of(0_u32..40).prop_map(|retry_after_s| ProviderError::Busy { retry_after_s }),
        prop_oneof![Just(400), Just(401), Just(500), Just(503)].prop_map(ProviderError::Status),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => "[a-z]{1,6} ".prop_map(|word| say(&word)),
        3 => (0_u64..8_000).prop_map(Step::Wait),
        3 => Just(Step::Tell(LlmEvent::Stop(StopReason::Stop))),
        2 => (0_u64..50, 0_u64..50).prop_map(|(input, output)| used(input, output)),
        1 => errors().prop_map(Step::Fail),
        1 => Just(Step::Hang),
        1 => Just(Step::End),
    ]
}

fn scripts() -> impl Strategy<Value = Script> {
    let open = prop_oneof![
        6 => Just(Vec::new()),
        2 => (0_u64..7_000).prop_map(|ms| Vec::from([Step::Wait(ms)])),
        2 => errors().prop_map(|error| Vec::from([Step::Fail(error)])),
        1 => Just(Vec::from([Step::Hang])),
    ];
    (open, proptest::collection::vec(steps(), 0..14)).prop_map(|(open, steps)| Script { open, steps })
}

/// What a script says up to its end, and whether that is a whole answer.
fn said(script: &Script) -> (String, bool) {
    let mut text = String::new();
    for step in &script.steps {
        match step {
            Step::Tell(LlmEvent::Delta(word)) => text.push_str(word),
            Step::Tell(LlmEvent::Stop(_)) => {
                let whole = !text.is_empty();
                return (text, whole);
            }
            Step::Fail(_) | Step::Hang | Step::End => break,
            _ => {}
        }
    }
    (text, false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_turn_ends_well_or_with_an_error(
        targets in proptest::collection::vec(proptest::collection::vec(scripts(), 1..3), 1..4),
        routing in prop_oneof![Just(Routing::Quality), Just(Routing::Fast), Just(Routing::Cost)],
        hedge_after_ms in proptest::option::of(0_u64..6_000),
        allows_reset: bool,
        stop_after_ms in proptest::option::of(0_u64..60_000),
        total_ms in 1_u64..60_000,
    ) {
        let names = ["a", "b", "c"];
        let all: Vec<(&str, Vec<Script>)> = names.into_iter().zip(targets).collect();
        let mut bench = Bench::new(&all);
        bench.plan.routing = routing;
        bench.plan.hedge_after_ms = hedge_after_ms;
        bench.plan.hedge_percent = 100;
        bench.plan.allows_reset = allows_reset;
        bench.plan.timeouts.total_ms = total_ms;
        // The second turn meets breakers and observations of the first.
        for _ in 0..2 {
            // `turn_until` itself fails where everybody waits for ever, and where an upstream lives on.
            let heard = bench.turn_until(stop_after_ms);
            let stopped = stop_after_ms.is_some_and(|ms| heard.took_ms >= ms);
            // After the stop reason the count of tokens may take two seconds more, within the total.
            prop_assert!(heard.took_ms <= total_ms, "{} ms of {total_ms}", heard.took_ms);
            if !stopped {
                prop_assert_eq!(heard.error.is_none(), heard.stop.is_some(), "neither or both: {:?}", heard);
            }
            if heard.error.is_none() && !stopped {
                let last = heard.attempts.last().unwrap();
                prop_assert_eq!(last.outcome.as_str(), "ok");
                let own = all.iter().find(|(name, _)| *name == last.provider).unwrap();
                prop_assert!(
                    own.1.iter().map(said).any(|(text, whole)| whole && text == heard.text),
                    "{:?} is nobody's whole answer", heard.text
                );
            }
            prop_assert!(allows_reset || heard.resets == 0);
            let oks = heard.attempts.iter().filter(|attempt| attempt.outcome == "ok").count();
            prop_assert!(oks <= 1);
            // As many attempts as were asked, or told why not; each charged by itself.
            let asked = bench.world.asked.borrow_mut().drain(..).count();
            let told = heard.attempts.iter().filter(|attempt| attempt.outcome != "breaker-open").count();
            prop_assert_eq!(asked, told, "{:?}", heard.outcomes());
            prop_assert!(told <= all.len() * 2);
            for attempt in &heard.attempts {
                let spoke = attempt.ttft_ms.is_some();
                prop_assert!(!spoke || attempt.usage.is_some(), "words for nothing: {:?}", attempt);
                prop_assert!(attempt.started_at_ms < heard.began_ms + total_ms, "begun when the time was over");
                prop_assert!(attempt.total_ms <= total_ms && attempt.ttft_ms <= Some(attempt.total_ms));
            }
            bench.pass(1);
        }
    }
}
