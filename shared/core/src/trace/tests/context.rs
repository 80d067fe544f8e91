//! Cases of the W3C's own suite (`w3c/trace-context`, test/test.py, strictness 2), and properties.

use crate::ids::TurnId;
use crate::trace::TraceContext;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";

fn parse(traceparent: &str) -> Option<TraceContext> {
    TraceContext::parse(traceparent, None)
}

fn state_of(tracestate: &str) -> Option<String> {
    TraceContext::parse(&format!("00-{TRACE}-{PARENT}-00"), Some(tracestate))
        .unwrap()
        .state
}

#[test]
fn a_valid_traceparent_is_read() {
    for (text, sampled) in [
        (format!("00-{TRACE}-{PARENT}-01"), true),
        (format!("00-{TRACE}-{PARENT}-00"), false),
        (format!("00-{TRACE}-{PARENT}-ff"), true),
        (format!("cc-{TRACE}-{PARENT}-01"), true),
        (format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"), true),
        (format!("\t 00-{TRACE}-{PARENT}-01 \t"), true),
    ] {
        let context = parse(&text).expect(&text);
        assert_eq!(context.trace_id.hex(), TRACE);
        assert_eq!(context.span_id.hex(), PARENT);
        assert_eq!(context.sampled, sampled, "{text}");
        let flags = u8::from(sampled);
        assert_eq!(context.traceparent(), format!("00-{TRACE}-{PARENT}-0{flags}"));
    }
}

#[test]
fn an_invalid_traceparent_is_none() {
    for text in [
        String::new(),
        format!("00-{TRACE}-{PARENT}-01."),
        format!("00-{TRACE}-{PARENT}-01-what-the-future-will-be-like"),
        format!("cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like"),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!(".0-{TRACE}-{PARENT}-01"),
        format!("0.-{TRACE}-{PARENT}-01"),
        format!("000-{TRACE}-{PARENT}-01"),
        format!("0000-{TRACE}-{PARENT}-01"),
        format!("0-{TRACE}-{PARENT}-01"),
        format!("00-00000000000000000000000000000000-{PARENT}-01"),
        format!("00-.2345678901234567890123456789012-{PARENT}-01"),
        format!("00-1234567890123456789012345678901.-{PARENT}-01"),
        format!("00-{TRACE}3-{PARENT}-01"),
        format!("00-1234567890123456789012345678901-{PARENT}-01"),
        format!("00-{TRACE}-0000000000000000-01"),
        format!("00-{TRACE}-.234567890123456-01"),
        format!("00-{TRACE}-123456789012345.-01"),
        format!("00-{TRACE}-12345678901234567-01"),
        format!("00-{TRACE}-123456789012345-01"),
        format!("00-{TRACE}-{PARENT}-.0"),
        format!("00-{TRACE}-{PARENT}-0."),
        format!("00-{TRACE}-{PARENT}-001"),
        format!("00-{TRACE}-{PARENT}-1"),
        // Section 3.2.2: lower case only.
        format!("00-4BF92F3577B34DA6A3CE929D0E0E4736-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01"),
    ] {
        assert_eq!(parse(&text), None, "{text}");
    }
}

#[test]
fn a_valid_tracestate_is_passed_on_as_it_came() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (0x20_u8..=0x7E)
        .filter(|byte| !b",=".contains(byte))
        .map(char::from)
        .collect();
    let many = |count: usize| -> String {
        let members: Vec<String> = (0..count).map(|n| format!("bar{n:02}={n:02}")).collect();
        members.join(",")
    };
    for text in [
        "foo=1",
        "foo=1,bar=2",
        "foo=1 \t , \t bar=2, \t baz=3",
        "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
        &format!("{key}={value}"),
        &format!("{key}@a-z0-9_-*/={value}"),
        &format!("{}=1", "z".repeat(256)),
        &format!("{}@{}=1", "t".repeat(241), "v".repeat(14)),
        &format!("foo={}", "v".repeat(256)),
        &many(32),
    ] {
        assert_eq!(state_of(text).as_deref(), Some(text));
    }
    for text in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t", ",foo=1,"] {
        assert_eq!(state_of(text).as_deref(), Some("foo=1"));
    }
    for text in [
        "",
        " ",
        ",",
        "foo",
        "foo=",
        "=1",
        "foo =1",
        "FOO=1",
        "foo.bar=1",
        "foo@=1,bar=2",
        "@foo=1,bar=2",
        "foo@@bar=1,bar=2",
        "foo@bar@baz=1,bar=2",
        "foo=bar=baz",
        "foo=,bar=3",
        "foo=1,foo=1",
        "foo=1,foo=2",
        "foo=bär",
        &format!("{}=1", "z".repeat(257)),
        &format!("{}@v=1", "t".repeat(242)),
        &format!("t@{}=1", "v".repeat(15)),
        &format!("foo={}", "v".repeat(257)),
        &format!("{}=1,{}=1", "y".repeat(255), "z".repeat(255)),
        &many(33),
    ] {
        assert_eq!(state_of(text), None, "{text}");
    }
}

#[test]
fn a_turn_continues_its_caller_or_begins_a_trace() {
    let turn = TurnId::new(1_700_000_000_000, [7; 10]);
    let caller = TraceContext::parse(&format!("00-{TRACE}-{PARENT}-00"), Some("foo=1")).unwrap();
    let child = TraceContext::of_turn(&turn, Some(&caller), |_| true);
    assert_eq!(child.trace_id, caller.trace_id);
    assert_ne!(child.span_id, caller.span_id);
    // The caller's decision holds.
    assert!(!child.sampled);
    assert_eq!(child.state.as_deref(), Some("foo=1"));
    let root = TraceContext::of_turn(&turn, None, |_| true);
    assert!(root.sampled);
    assert_eq!(root.span_id, child.span_id);
    assert_eq!(root.state, None);
    assert_eq!(root, TraceContext::of_turn(&turn, None, |_| true));
    let other = TraceContext::of_turn(&TurnId::new(1_700_000_000_000, [8; 10]), None, |_| true);
    assert_ne!(other.trace_id, root.trace_id);
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(trace: [u8; 16], span: [u8; 8], sampled: bool, state in proptest::option::of("[a-z]{1,9}=[!-+]{1,9}")) {
        let context = TraceContext {
            trace_id: crate::trace::TraceId::new(trace),
            span_id: crate::trace::SpanId::new(span),
            sampled,
            state,
        };
        let read = TraceContext::parse(&context.traceparent(), context.state.as_deref());
        prop_assert_eq!(read.as_ref(), Some(&context));
        prop_assert_eq!(TraceContext::from_line(&context.to_line()), Some(context));
    }

    #[test]
    fn whatever_comes_in_is_no_panic_and_goes_out_valid(parent in "\\PC{0,80}", near in "(00|cc)-[0-9a-f]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}(-x)?", state in "\\PC{0,80}") {
        for text in [&parent, &near] {
            if let Some(context) = TraceContext::parse(text, Some(&state)) {
                prop_assert_eq!(TraceContext::from_line(&context.to_line()), Some(context));
            }
        }
    }

    #[test]
    fn ids_are_kept_as_text_and_all_zero_is_none(bytes: [u8; 8]) {
        let id = crate::trace::SpanId::new(bytes);
        let text = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(&text, &format!("\"{}\"", id));
        prop_assert_eq!(serde_json::from_str::<crate::trace::SpanId>(&text).unwrap(), id);
        prop_assert!(serde_json::from_str::<crate::trace::SpanId>("\"0000000000000000\"").is_err());
    }

    #[test]
    fn children_never_share_an_id(span: [u8; 8], a: u32, b: u32) {
        let span = crate::trace::SpanId::new(span);
        prop_assert_eq!(span.child(a) == span.child(b), a == b);
    }
}
