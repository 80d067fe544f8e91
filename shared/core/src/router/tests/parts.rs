//! Waits, the order of targets, hedges.

use super::sim::{Bench, Script, Step, ask, say, script, stop, target, used, whole};
use crate::router::backoff::{Jitter, retry_in_ms};
use crate::router::{Routing, Target};
use crate::turn::ProviderError;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn late(ms: u64, words: &str) -> Script {
    let mut script = whole(words);
    script.steps.insert(0, Step::Wait(ms));
    script
}

#[test]
fn chance_is_the_published_one() {
    // The first numbers of splitmix64 from seed 1234567, as in the author's reference code.
    let mut jitter = Jitter::new(1_234_567);
    let drawn: Vec<u64> = (0..3).map(|_| jitter.up_to(u64::MAX - 1)).collect();
    assert_eq!(
        drawn,
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423
        ]
    );
}

#[test]
fn waits_are_spread_grow_and_keep_to_retry_after() {
    let mut jitter = Jitter::new(1);
    let mut wait =
        |error: &ProviderError, failures, left_ms, others| retry_in_ms(error, failures, left_ms, others, &mut jitter);
    let failed = ProviderError::Status(500);
    let first: BTreeSet<u64> = (0..200).filter_map(|_| wait(&failed, 1, 60_000, false)).collect();
    assert!(first.len() > 100 && first.iter().all(|ms| *ms <= 250), "{first:?}");
    let third: BTreeSet<u64> = (0..200).filter_map(|_| wait(&failed, 3, 60_000, false)).collect();
    assert!(third.last() > Some(&500) && third.last() <= Some(&1_000));
    let busy = |seconds| ProviderError::Busy {
        retry_after_s: Some(seconds),
    };
    for (error, left_ms, others, expected) in [
        (busy(1), 60_000, true, Some(1_000)),
        (busy(3), 60_000, true, None),
        (busy(3), 60_000, false, Some(3_000)),
        (busy(3), 2_000, false, None),
        (busy(60), 100_000, false, None),
        (ProviderError::Status(401), 60_000, false, None),
        (ProviderError::TimedOut("connect"), 60_000, true, None),
        (ProviderError::TimedOut("connect"), 60_000, false, Some(0)),
    ] {
        let got = wait(&error, 1, left_ms, others);
        assert_eq!(
            got.map(|ms| ms / 1_000 * 1_000),
            expected,
            "{error:?} {left_ms} {others}"
        );
    }
}

#[test]
fn retry_after_is_kept_by_the_router() {
    let busy = |seconds| {
        super::sim::refuse(ProviderError::Busy {
            retry_after_s: Some(seconds),
        })
    };
    let alone = Bench::new(&[("a", vec![busy(3), whole("late")])]);
    assert_eq!(alone.turn().text, "late");
    let asked = alone.world.asked.borrow().clone();
    assert!((3_000..3_300).contains(&(asked[1].1 - asked[0].1)), "{asked:?}");
    let pair = Bench::new(&[("a", vec![busy(3)]), ("b", vec![whole("from b")])]);
    let heard = pair.turn();
    assert_eq!(
        (heard.text.as_str(), heard.took_ms),
        ("from b", 0),
        "another one answers meanwhile"
    );
}

#[test]
fn fast_learns_who_is_fast() {
    let mut bench = Bench::new(&[("slow", vec![late(900, "a")]), ("quick", vec![late(90, "b")])]);
    bench.plan.routing = Routing::Fast;
    let answered: Vec<_> = (0..4).map(|_| bench.turn().attempts[0].provider.clone()).collect();
    assert_eq!(answered, ["slow", "quick", "quick", "quick"]);
    assert_eq!(bench.health.borrow().ttft_ms(&target("slow"), 1_000), Some(900));
    // It slows down, and what was seen of the other is forgotten in time.
    bench.rescript("quick", late(5_000, "b"));
    assert_eq!(bench.turn().attempts[0].provider, "quick");
    assert_eq!(bench.turn().attempts[0].provider, "slow");
}

#[test]
fn cost_asks_the_cheapest_first_and_the_unpriced_last() {
    let priced = |provider: &str, model: &str| Target {
        provider: provider.into(),
        model: model.into(),
    };
    let targets = vec![
        priced("own", "smollm2"),
        priced("anthropic", "claude-sonnet-4-6"),
        priced("openai", "gpt-4o-mini"),
        priced("anthropic", "claude-haiku-4-5"),
    ];
    let mut plan = crate::router::Plan::new(targets.clone());
    let order = |plan: &crate::router::Plan| {
        let ordered = crate::router::order::ordered(plan, &ask(), &crate::router::Health::default(), 0);
        ordered.into_iter().map(|target| target.model).collect::<Vec<_>>()
    };
    let configured: Vec<_> = targets.into_iter().map(|target| target.model).collect();
    assert_eq!(order(&plan), configured);
    plan.routing = Routing::Cost;
    assert_eq!(
        order(&plan),
        ["gpt-4o-mini", "claude-haiku-4-5", "claude-sonnet-4-6", "smollm2"]
    );
}

#[test]
fn a_late_target_is_hedged_and_the_loser_is_closed() {
    let mut bench = Bench::new(&[("a", vec![late(3_000, "from a")]), ("b", vec![late(100, "from b")])]);
    bench.plan.hedge_after_ms = Some(500);
    let heard = bench.turn();
    assert_eq!((heard.text.as_str(), heard.took_ms, heard.resets), ("from b", 600, 0));
    assert_eq!(heard.outcomes(), [("a", "hedge-lost"), ("b", "ok")]);
    assert_eq!(heard.attempts[0].usage, None, "it said nothing and is charged nothing");
    // One in ten: a hedge has to be saved up again.
    for n in 0..8 {
        assert_eq!(bench.turn().text, "from a", "{n}");
    }
    assert_eq!(bench.turn().text, "from b");
}

#[test]
fn the_first_may_still_win_and_either_may_fail() {
    let failing = script(vec![Step::Wait(200), Step::Fail(ProviderError::InStream)]);
    for (a, b, text, outcomes) in [
        (
            late(600, "from a"),
            late(900, "from b"),
            "from a",
            vec![("b", "hedge-lost"), ("a", "ok")],
        ),
        (
            late(900, "from a"),
            failing.clone(),
            "from a",
            vec![("b", "provider-in-stream"), ("a", "ok")],
        ),
        (
            script(vec![Step::Wait(600), Step::Fail(ProviderError::InStream)]),
            late(900, "from b"),
            "from b",
            vec![("a", "provider-in-stream"), ("b", "ok")],
        ),
    ] {
        let mut bench = Bench::new(&[("a", vec![a]), ("b", vec![b])]);
        bench.plan.hedge_after_ms = Some(500);
        let heard = bench.turn();
        assert_eq!((heard.text.as_str(), heard.outcomes()), (text, outcomes));
    }
    // Both fail, and each has its second chance.
    let mut bench = Bench::new(&[("a", vec![late(700, "").cut(), whole("at last")]), ("b", vec![failing])]);
    bench.plan.hedge_after_ms = Some(500);
    assert_eq!(bench.turn().text, "at last");
}

impl Script {
    fn cut(mut self) -> Self {
        self.steps.retain(|step| matches!(step, Step::Wait(_)));
        self
    }
}

#[test]
fn both_of_a_race_are_closed_when_the_person_stops() {
    let hanging = script(vec![used(5, 0), Step::Hang]);
    let mut bench = Bench::new(&[("a", vec![hanging.clone()]), ("b", vec![hanging])]);
    bench.plan.hedge_after_ms = Some(500);
    let heard = bench.turn_until(Some(1_000));
    assert_eq!(heard.outcomes(), [("a", "stopped"), ("b", "stopped")]);
    assert!(
        heard.attempts.iter().all(|attempt| attempt.usage.is_some()),
        "what was counted counts"
    );
}

#[test]
fn what_a_provider_had_no_time_to_count_is_estimated() {
    let heard = Bench::new(&[
        (
            "a",
            vec![script(vec![
                say("eight words that are not counted by anybody "),
                Step::End,
            ])],
        ),
        ("b", vec![script(vec![say("whole "), stop(), used(11, 1)])]),
    ])
    .turn();
    let [cut, ok] = &heard.attempts[..] else {
        panic!("{heard:?}")
    };
    assert!(cut.usage_estimated && !ok.usage_estimated);
    let usage = cut.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens),
        (2 + 2, 11),
        "a quarter of the letters, rounded up"
    );
    assert_eq!(cut.cost_micros, Some(8), "4 × 0.15 + 11 × 0.60 micros, rounded up");
}

proptest! {
    #[test]
    fn jitter_stays_below(seed: u64, max in 0_u64..1 << 62) {
        prop_assert!(Jitter::new(seed).up_to(max) <= max);
    }
}
