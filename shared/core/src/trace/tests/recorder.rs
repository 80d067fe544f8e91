//! What becomes of the spans of a turn.

use crate::ids::TurnId;
use crate::trace::retry::{self, Tried};
use crate::trace::{Kind, Outcome, Recorder, TraceContext, Value, names};
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn recorder(sampled: bool, caller: Option<&TraceContext>) -> Recorder {
    let turn = TurnId::new(1, [3; 10]);
    Recorder::new(TraceContext::of_turn(&turn, caller, |_| sampled), caller, 1_000)
}

#[test]
fn spans_hang_together_as_they_were_begun() {
    let caller = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None).unwrap();
    let trace = recorder(false, Some(&caller));
    let llm = trace.start(names::LLM, 1_010);
    let call = trace.start_in(llm, "chat m", Kind::Client, 1_011);
    trace.event(llm, names::TTFT, 1_050);
    trace.set(call, "gen_ai.request.model", "m");
    trace.set(call, "gen_ai.request.model", "n");
    trace.end(call, 1_090);
    trace.end(llm, 1_100);
    let write = trace.start(names::DB_WRITE, 1_100);
    let spans = trace.finish(1_120);
    let named: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(named, ["turn", "turn.llm", "chat m", "turn.db_write"]);
    let parents: Vec<_> = spans.iter().map(|span| span.parent).collect();
    let turn = spans[0].span_id;
    assert_eq!(parents, [Some(caller.span_id), Some(turn), Some(llm), Some(turn)]);
    let remote: Vec<_> = spans.iter().map(|span| span.parent_is_remote).collect();
    assert_eq!(remote, [true, false, false, false]);
    assert!(spans.iter().all(|span| span.trace_id == caller.trace_id));
    assert_eq!(spans[2].attributes, [("gen_ai.request.model".into(), Value::from("n"))]);
    let times: Vec<_> = spans.iter().map(|span| (span.start_ms, span.end_ms)).collect();
    assert_eq!(times, [(1_000, 1_120), (1_010, 1_100), (1_011, 1_090), (1_100, 1_120)]);
    assert_eq!(spans[3].span_id, write);
}

#[test]
fn errors_are_kept_and_what_the_sampler_leaves_out_is_not() {
    let left_out = recorder(false, None);
    left_out.end(left_out.start(names::LLM, 1_000), 1_001);
    assert!(left_out.finish(1_002).is_empty());

    let failed = recorder(false, None);
    let llm = failed.start(names::LLM, 1_000);
    failed.fail(llm, "provider-timeout");
    let spans = failed.finish(1_002);
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1].outcome, Outcome::Error);
    assert_eq!(spans[1].attributes, [("error.type".into(), "provider-timeout".into())]);

    let crisis = recorder(false, None);
    crisis.keep();
    assert_eq!(crisis.finish(1_002).len(), 1);
}

#[test]
fn a_runaway_turn_stays_bounded() {
    let trace = recorder(true, None);
    for _ in 0..1_000 {
        trace.set(trace.start(names::LLM, 1_000), "error.type", "x");
    }
    assert_eq!(trace.finish(1_000).len(), 64);
    let long: String = "ä".repeat(1_000);
    assert_eq!(Value::from(long.as_str()), Value::Text("ä".repeat(128)));
}

#[test]
fn only_what_may_pass_is_tried_again() {
    let wait = |status| retry::wait_ms(Tried::Status(status, None), 1, 0);
    for status in [429, 502, 503, 504, 521, 530] {
        assert_eq!(wait(status), Some(1_000));
    }
    for status in [400, 401, 403, 404, 408, 413, 500, 501] {
        assert_eq!(wait(status), None, "{status}");
    }
    assert_eq!(retry::wait_ms(Tried::Status(503, Some(7)), 1, 9), Some(7_000));
    assert_eq!(retry::wait_ms(Tried::Status(429, Some(3_600)), 1, 9), None);
    assert_eq!(retry::wait_ms(Tried::Status(400, Some(1)), 1, 9), None);
    let all: Vec<_> = (1..6).map(|tries| retry::wait_ms(Tried::NoAnswer, tries, 0)).collect();
    assert_eq!(all, [Some(1_000), Some(2_000), Some(4_000), None, None]);
}

proptest! {
    #[test]
    fn no_span_ends_before_it_begins(start in 0_u64..1 << 40, ends in proptest::collection::vec(0_u64..1 << 40, 1..9), over in 0_u64..1 << 40) {
        let trace = recorder(true, None);
        for end in ends {
            let span = trace.start(names::LLM, start);
            trace.end(span, end);
        }
        trace.start(names::LLM, start);
        for span in trace.finish(over) {
            prop_assert!(span.start_ms <= span.end_ms);
        }
    }

    #[test]
    fn waits_are_bounded(tries: u32, jitter: u64, status: u16, after: Option<u64>) {
        for tried in [Tried::NoAnswer, Tried::Status(status, after)] {
            prop_assert!(retry::wait_ms(tried, tries, jitter).is_none_or(|wait| wait <= 10_000));
        }
    }
}
