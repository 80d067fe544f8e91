//! Hearing and speaking as spans of their turn.

use crate::ids::TurnId;
use crate::trace::{Direction, Outcome, Recorder, SpokenPart, TraceContext, names, spoken};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

fn part(direction: Direction, error: Option<&str>) -> SpokenPart {
    SpokenPart {
        direction,
        start_ms: 1_000,
        end_ms: 1_250,
        provider: Some("polly".into()),
        amount: 42,
        is_cached: false,
        error: error.map(Into::into),
    }
}

#[test]
fn they_are_the_turns_own_and_share_no_id_with_it() {
    let context = TraceContext::of_turn(&TurnId::new(1, [3; 10]), None, |_| true);
    let recorder = Recorder::new(context.clone(), None, 0);
    for _ in 0..63 {
        recorder.start(names::LLM, 1);
    }
    let parts = [
        part(Direction::Stt, None),
        part(Direction::Tts, None),
        part(Direction::Tts, Some("speech-status")),
    ];
    let spans = spoken(&context, &parts);
    let named: Vec<_> = spans.iter().map(|span| (span.name.as_ref(), span.outcome)).collect();
    assert_eq!(
        named,
        [
            ("turn.stt", Outcome::Unset),
            ("turn.tts", Outcome::Unset),
            ("turn.tts", Outcome::Error)
        ]
    );
    assert!(
        spans
            .iter()
            .all(|span| span.parent == Some(context.span_id) && span.trace_id == context.trace_id)
    );
    let ids: BTreeSet<_> = recorder
        .finish(2)
        .iter()
        .chain(&spans)
        .map(|span| span.span_id)
        .collect();
    assert_eq!(ids.len(), 64 + 3);
}

#[test]
fn they_are_sampled_with_their_turn_and_kept_for_an_error() {
    let context = TraceContext::of_turn(&TurnId::new(1, [3; 10]), None, |_| false);
    assert!(spoken(&context, &[part(Direction::Stt, None)]).is_empty());
    assert_eq!(
        spoken(
            &context,
            &[part(Direction::Stt, None), part(Direction::Tts, Some("speech-timeout"))]
        )
        .len(),
        2
    );
}
