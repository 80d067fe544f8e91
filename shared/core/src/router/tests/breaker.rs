//! The breaker alone, then in the router.

use super::sim::{Bench, refuse, whole};
use crate::router::{Breaker, Limits, Permit};
use crate::turn::ProviderError;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    consecutive: 3,
    of_twenty: 10,
    open_ms: 1_000,
    max_open_ms: 3_000,
};

fn failed(breaker: &mut Breaker, times: u32, now_ms: u64) {
    for _ in 0..times {
        let permit = breaker.ask(now_ms, 100).unwrap();
        breaker.failed(permit, now_ms, 0, &LIMITS);
    }
}

#[test]
fn it_opens_looks_again_once_and_closes() {
    let mut breaker = Breaker::default();
    failed(&mut breaker, 2, 0);
    assert_eq!(breaker.ask(0, 100), Some(Permit::Normal));
    failed(&mut breaker, 1, 0);
    assert_eq!(
        (breaker.ask(999, 100), breaker.closed_until_ms(999)),
        (None, Some(1_000))
    );
    let probe = breaker.ask(1_000, 100).unwrap();
    assert_eq!(probe, Permit::Probe(1_100));
    assert_eq!(breaker.ask(1_099, 100), None, "one probe at a time");
    breaker.spoke(probe, &LIMITS);
    assert_eq!(breaker.ask(1_099, 100), Some(Permit::Normal), "it speaks again");
    breaker.succeeded(probe);
    failed(&mut breaker, 2, 2_000);
    assert_eq!(breaker.ask(2_000, 100), Some(Permit::Normal));
}

#[test]
fn a_failed_probe_opens_it_for_longer_up_to_the_limit() {
    let mut breaker = Breaker::default();
    failed(&mut breaker, 3, 0);
    let mut now_ms = 0;
    for open_ms in [1_000, 2_000, 3_000, 3_000] {
        assert_eq!(breaker.closed_until_ms(now_ms), Some(now_ms + open_ms));
        now_ms += open_ms;
        failed(&mut breaker, 1, now_ms);
    }
    // On trial after a probe that spoke: one failure is enough.
    now_ms += 3_000;
    let probe = breaker.ask(now_ms, 100).unwrap();
    breaker.spoke(probe, &LIMITS);
    breaker.failed(probe, now_ms, 0, &LIMITS);
    assert_eq!(breaker.ask(now_ms, 100), None);
}

#[test]
fn half_of_the_last_answers_open_it_too() {
    let mut breaker = Breaker::default();
    for n in 0..19 {
        let permit = breaker.ask(0, 100).unwrap();
        if n % 2 == 0 {
            breaker.failed(permit, 0, 0, &LIMITS);
        } else {
            breaker.succeeded(permit);
        }
        assert_eq!(breaker.ask(0, 100).is_none(), n == 18, "{n}");
    }
}

#[test]
fn late_news_changes_nothing_and_what_it_asks_for_counts() {
    let mut breaker = Breaker::default();
    let early = breaker.ask(0, 100).unwrap();
    failed(&mut breaker, 2, 0);
    let permit = breaker.ask(0, 100).unwrap();
    breaker.failed(permit, 0, 2_500, &LIMITS);
    assert_eq!(
        breaker.closed_until_ms(0),
        Some(2_500),
        "as long as the target asked for"
    );
    breaker.succeeded(early);
    breaker.failed(early, 2_000, 0, &LIMITS);
    assert_eq!(breaker.closed_until_ms(2_000), Some(2_500));
}

#[test]
fn a_probe_that_is_given_up_or_lost_frees_its_place() {
    let mut breaker = Breaker::default();
    failed(&mut breaker, 3, 0);
    let probe = breaker.ask(1_000, 100).unwrap();
    breaker.released(probe);
    let probe = breaker.ask(1_000, 100).unwrap();
    assert_eq!(breaker.ask(1_099, 100), None);
    let next = breaker.ask(1_100, 100).unwrap();
    // The lost one's news is no news.
    breaker.succeeded(probe);
    assert_eq!(breaker.ask(1_150, 100), None);
    breaker.succeeded(next);
    assert_eq!(breaker.ask(1_150, 100), Some(Permit::Normal));
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Ask,
    Spoke(usize),
    Succeeded(usize),
    Failed(usize),
    Released(usize),
    Pass(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => Just(Move::Ask),
        1 => (0_usize..4).prop_map(Move::Spoke),
        1 => (0_usize..4).prop_map(Move::Succeeded),
        4 => (0_usize..4).prop_map(Move::Failed),
        1 => (0_usize..4).prop_map(Move::Released),
        2 => (0_u64..1_500).prop_map(Move::Pass),
    ];
    proptest::collection::vec(one, 0..200)
}

proptest! {
    /// Whatever happens in whatever order, while probes are sent at most one is out within its time.
    #[test]
    fn at_most_one_probe(moves in moves()) {
        let mut breaker = Breaker::default();
        let mut now_ms = 0;
        let mut out: Vec<Permit> = Vec::new();
        let mut probe: Option<u64> = None;
        for step in moves {
            match step {
                Move::Pass(ms) => now_ms += ms,
                Move::Ask => {
                    if let Some(permit) = breaker.ask(now_ms, 400) {
                        if let Permit::Probe(until_ms) = permit {
                            prop_assert!(probe.is_none_or(|until_ms| until_ms <= now_ms), "two probes");
                            probe = Some(until_ms);
                        } else {
                            prop_assert!(probe.is_none(), "a probe is out, and others are let through");
                        }
                        out.push(permit);
                    }
                }
                Move::Spoke(n) | Move::Succeeded(n) | Move::Failed(n) | Move::Released(n) => {
                    if out.is_empty() {
                        continue;
                    }
                    let permit = out[n % out.len()];
                    match step {
                        Move::Spoke(_) => breaker.spoke(permit, &LIMITS),
                        Move::Succeeded(_) => breaker.succeeded(permit),
                        Move::Failed(_) => breaker.failed(permit, now_ms, 0, &LIMITS),
                        _ => breaker.released(permit),
                    }
                    if !matches!(step, Move::Spoke(_)) {
                        out.remove(n % out.len());
                    }
                    if let Permit::Probe(until_ms) = permit && probe == Some(until_ms) {
                        probe = None;
                    }
                }
            }
        }
    }
}

#[test]
fn the_router_leaves_a_broken_target_alone_and_comes_back() {
    let mut bench = Bench::new(&[
        ("a", vec![refuse(ProviderError::Status(500))]),
        ("b", vec![whole("from b")]),
    ]);
    bench.plan.breaker = LIMITS;
    assert_eq!(
        bench.turn().outcomes(),
        [("a", "provider-status"), ("a", "provider-status"), ("b", "ok")]
    );
    assert_eq!(
        bench.turn().outcomes(),
        [("a", "provider-status"), ("b", "ok")],
        "the third failure opens it"
    );
    assert_eq!(bench.turn().outcomes(), [("a", "breaker-open"), ("b", "ok")]);
    bench.rescript("a", whole("from a"));
    bench.pass(1_000);
    assert_eq!(bench.turn().outcomes(), [("a", "ok")]);
    assert_eq!(bench.turn().outcomes(), [("a", "ok")]);
}

#[test]
fn where_every_breaker_is_open_the_turn_fails_at_once_and_says_when_to_come_back() {
    let mut bench = Bench::new(&[("a", vec![refuse(ProviderError::Status(500))])]);
    bench.plan.breaker = LIMITS;
    bench.turn();
    bench.turn();
    let heard = bench.turn();
    assert_eq!((heard.outcomes(), heard.took_ms), (vec![("a", "breaker-open")], 0));
    assert_eq!(heard.error, Some(ProviderError::Overloaded { retry_after_s: Some(1) }));
}

#[test]
fn a_request_that_no_target_could_answer_does_not_open_it() {
    let mut bench = Bench::new(&[("a", vec![refuse(ProviderError::ContextLength)])]);
    bench.plan.breaker = LIMITS;
    for _ in 0..5 {
        assert_eq!(bench.turn().outcomes(), [("a", "provider-context-length")]);
    }
}

#[test]
fn a_person_who_stops_a_probe_frees_its_place() {
    let mut bench = Bench::new(&[("a", vec![refuse(ProviderError::Status(500))])]);
    bench.plan.breaker = LIMITS;
    bench.turn();
    bench.turn();
    bench.pass(1_000);
    bench.rescript("a", super::sim::script(vec![super::sim::Step::Hang]));
    assert_eq!(bench.turn_until(Some(50)).outcomes(), [("a", "stopped")]);
    bench.rescript("a", whole("again"));
    assert_eq!(bench.turn().text, "again");
}
