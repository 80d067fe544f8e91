//! The spans of a turn, whose caller's trace is not sampled: what is kept all the same, and what it says.

use super::*;
use crate::trace::{Kind, Outcome as Ending, Value};

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
