//! What the voice Worker asks a session: how to speak, and what was heard of an answer.

use super::Inner;
use crate::policy;
use serde::Deserialize;
use serde_json::json;
use silent_core::ids::TurnId;
use silent_core::trace::{SpokenPart, spoken};
use silent_core::turn::Clock;
use silent_core::variants::Category;
use silent_edge::error::ApiError;
use silent_edge::queue::{QueueMessage, VoiceFigures};
use silent_edge::{SystemClock, durable, http, registry};
use std::rc::Rc;
use worker::{Request, Response};

/// The provider of the gate's fixed texts, which are remembered whole.
const FIXED: &str = "safety";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeardBody {
    /// Bytes of the answer that were heard; none where it was heard to its end.
    bytes: Option<u64>,
    /// What the voice took.
    figures: Option<VoiceFigures>,
    /// Its parts, for the trace.
    #[serde(default)]
    parts: Vec<SpokenPart>,
}

/// The session's language and voice.
pub(super) async fn settings(inner: &Rc<Inner>) -> Result<Response, ApiError> {
    let snapshot = registry::snapshot(&inner.env, SystemClock.now_ms()).await;
    let begin = inner.store().begun()?.ok_or(ApiError::NotFound)?;
    let voice = snapshot.and_then(|snapshot| {
        let in_force = snapshot.in_force(&begin.assignment, begin.person_id.as_str());
        let variant = policy::variant(&snapshot, &in_force, Category::VoiceProvider)?;
        variant.config.get("voice")?.as_str().map(String::from)
    });
    Ok(Response::from_json(&json!({"locale": begin.locale, "voice": voice}))?)
}

/// Remembers less of an answer than was written, and passes on what was measured.
pub(super) async fn heard(inner: &Rc<Inner>, turn: &TurnId, mut request: Request) -> Result<Response, ApiError> {
    let (body, _): (HeardBody, _) = http::json(&mut request).await?;
    let store = inner.store();
    let row = store.turn(turn)?.ok_or(ApiError::NotFound)?;
    let begin = store.begun()?.ok_or(ApiError::NotFound)?;
    if let Some(bytes) = body.bytes.filter(|_| row.provider.as_deref() != Some(FIXED)) {
        store.hear(turn, bytes)?;
    }
    let tracing = inner.tracing()?;
    let spans = spoken(&tracing.context(turn, row.caller().as_ref()), &body.parts);
    if !spans.is_empty() {
        wasm_bindgen_futures::spawn_local(async move { tracing.export(spans).await });
    }
    if let Some(figures) = body.figures {
        store.put_message(&QueueMessage::Voice {
            event_id: format!("{}:{}", begin.session_id, row.seq),
            session_id: begin.session_id,
            person_id: begin.person_id,
            figures,
            at_ms: SystemClock.now_ms(),
        })?;
        inner.arm(0).await?;
    }
    durable::sync(&inner.state).await?;
    Ok(Response::empty()?.with_status(204))
}

/// The part of an answer that was heard; nothing where none was.
pub(super) fn as_heard(mut answer: String, bytes: Option<u64>) -> String {
    let Some(mut end) = bytes.and_then(|bytes| usize::try_from(bytes).ok()) else {
        return answer;
    };
    if end >= answer.len() {
        return answer;
    }
    while !answer.is_char_boundary(end) {
        end -= 1;
    }
    answer.truncate(end);
    if !answer.is_empty() {
        // So that the model knows where it was interrupted.
        answer.push('…');
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_heard_is_remembered() {
        for (bytes, expected) in [
            (None, "Über allen"),
            (Some(99), "Über allen"),
            (Some(5), "Über…"),
            (Some(1), ""),
            (Some(0), ""),
        ] {
            assert_eq!(as_heard("Über allen".into(), bytes), expected);
        }
    }
}
