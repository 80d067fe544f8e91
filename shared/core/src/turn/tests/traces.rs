//! The spans of a turn, whose caller's trace is not sampled: what is kept all the same, and what it says.

use super::*;
use crate::trace::{Kind, Outcome as Ending, SpanId, Value};

const SECRET: &str = "zebra";

/// Cut in the middle, which is an error, so that the trace is kept.
fn cut() -> Outcome {
    let usage = Usage {
        input_tokens: 5,
        output_tokens: 7,
        ..Usage::default()
    };
    run(case(
        "My zebra is ill",
        Ok(vec![
            Ok(LlmEvent::Model("model-7".into())),
            delta("Your zebra. Is"),
            Ok(LlmEvent::Usage(usage)),
            Err(ProviderError::Truncated),
        ]),
    ))
}

fn find<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).expect(name)
}

fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a Value> {
    let mut all = span.attributes.iter();
    all.find(|(known, _)| known == name).map(|(_, value)| value)
}

#[test]
fn spans_name_the_parts_of_a_turn_and_the_request_carries_the_one_that_is_recorded() {
    let outcome = cut();
    let named: Vec<_> = outcome.spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(named, ["turn", "turn.guardrails", "turn.llm", "chat wanted"]);
    let turn = &outcome.spans[0];
    let (llm, call) = (find(&outcome.spans, "turn.llm"), find(&outcome.spans, "chat wanted"));
    assert_eq!(turn.parent.unwrap().hex(), "00f067aa0ba902b7");
    assert_eq!((llm.parent, call.parent), (Some(turn.span_id), Some(llm.span_id)));
    assert_eq!(call.kind, Kind::Client);
    let sent = outcome.asked[0].trace.as_ref().unwrap();
    assert_eq!((sent.trace_id, sent.span_id), (turn.trace_id, call.span_id));
    assert_eq!(sent.state.as_deref(), Some("foo=1"));
    assert!(llm.events.iter().any(|event| event.name == "llm.ttft"));
    assert!(llm.events.iter().all(|event| event.name != "llm.stream_complete"));
    for (name, value) in [
        ("gen_ai.operation.name", "chat".into()),
        ("gen_ai.request.model", "wanted".into()),
        ("gen_ai.response.model", "model-7".into()),
        ("gen_ai.usage.input_tokens", 5_u64.into()),
        ("gen_ai.usage.output_tokens", 7_u64.into()),
        ("gen_ai.request.max_tokens", 100_u64.into()),
        ("gen_ai.request.temperature", 0.7.into()),
        (
            "gen_ai.conversation.id",
            outcome.record.event.session_id.as_str().into(),
        ),
        ("error.type", "provider-truncated".into()),
    ] {
        assert_eq!(attribute(call, name), Some(&value), "{name}");
    }
    assert_eq!(attribute(turn, "variant.llm_model"), Some(&"challenger".into()));
    assert_eq!(attribute(turn, "error.type"), Some(&"provider-truncated".into()));
    assert_eq!((turn.outcome, call.outcome), (Ending::Error, Ending::Error));
}

#[test]
fn no_word_of_the_conversation_and_no_person_is_in_a_trace() {
    let outcome = cut();
    assert!(outcome.record.answer.contains(SECRET));
    let all = alloc::format!("{:?}", outcome.spans);
    assert!(!all.contains(SECRET));
    assert!(!all.contains(outcome.record.event.person_id.as_str()));
}

#[test]
fn a_crisis_and_an_absent_gate_are_kept_and_a_plain_turn_is_not() {
    let crisis = run(case("I want to die", Ok(vec![])));
    let turn = &crisis.spans[0];
    assert_eq!(attribute(turn, "crisis.level"), Some(&2_u64.into()));
    assert_eq!(attribute(turn, "variant.llm_model"), Some(&"production".into()));
    assert!(crisis.spans.iter().all(|span| !span.name.starts_with("chat")));

    let away = run(Case {
        gate_away: true,
        ..case("hello", Ok(vec![]))
    });
    let gate = find(&away.spans, "turn.guardrails");
    assert_eq!(
        (gate.outcome, attribute(gate, "error.type")),
        (Ending::Error, Some(&"gate-away".into()))
    );

    assert!(run(case("hello", Ok(vec![delta("Hm."), stop()]))).spans.is_empty());
}

#[test]
fn every_attempt_is_a_span_of_its_own() {
    let named = |attempt: Attempt, n: u8| {
        let span_id = SpanId::parse(&alloc::format!("{n:016x}"));
        Ok(LlmEvent::Attempt(Attempt { span_id, ..attempt }))
    };
    let outcome = run(case(
        "hello",
        Ok(vec![
            // Not asked: no request, no span.
            Ok(LlmEvent::Attempt(attempt("first", "breaker-open", None, None))),
            named(attempt("bedrock", "provider-truncated", Some((10, 3)), Some(7)), 1),
            named(attempt("gemini", "hedge-lost", None, None), 2),
            delta("All of it."),
            stop(),
            named(attempt("second", "ok", Some((10, 5)), Some(9)), 3),
        ]),
    ));
    let llm = find(&outcome.spans, "turn.llm");
    let calls: Vec<_> = outcome
        .spans
        .iter()
        .filter(|span| span.parent == Some(llm.span_id))
        .collect();
    let told: Vec<_> = calls
        .iter()
        .map(|span| {
            let text = |name| match attribute(span, name) {
                Some(Value::Text(text)) => text.as_str(),
                _ => "",
            };
            (
                span.span_id.hex(),
                text("gen_ai.provider.name"),
                text("error.type"),
                span.outcome,
                span.start_ms,
                span.end_ms,
            )
        })
        .collect();
    let id = |n: u8| alloc::format!("{n:016x}");
    assert_eq!(
        told,
        [
            (id(1), "aws.bedrock", "provider-truncated", Ending::Error, 1, 5),
            (id(2), "gcp.gemini", "", Ending::Unset, 1, 5),
            (id(3), "second", "", Ending::Unset, 1, 5),
        ]
    );
    let reasons = |span: &Span| attribute(span, "gen_ai.response.finish_reasons").cloned();
    assert_eq!(reasons(calls[2]), Some(Value::List(vec!["stop".into()])));
    assert_eq!(reasons(calls[0]), None);
    assert_eq!(llm.outcome, Ending::Unset, "the answer as a whole did not fail");
}
