//! The lines of a stream and the whole answer, which have one shape.

use crate::llm::events::Events;
use crate::llm::fault::{Failure, says_too_long};
use alloc::string::String;
use serde::Deserialize;
use silent_core::turn::{ProviderError, StopReason, Usage};

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    model: String,
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<String>,
}

/// `thinking` is not said.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
}

/// Lines to events.
#[derive(Debug, Default)]
pub(crate) struct Reader;

impl Reader {
    pub(crate) fn read(&mut self, line: &str, events: &mut Events) {
        whole(line.as_bytes(), events);
    }
}

/// A line, or an answer that came at once.
pub(crate) fn whole(bytes: &[u8], events: &mut Events) {
    let Ok(line) = serde_json::from_slice::<Line>(bytes) else {
        return events.fail(ProviderError::Protocol("line is not JSON of the protocol"));
    };
    if let Some(error) = line.error {
        let error = error.to_ascii_lowercase();
        return events.fail(of_text(&error).unwrap_or(ProviderError::InStream));
    }
    events.model(&line.model);
    events.delta(line.message.as_ref().map_or("", |message| &message.content));
    if line.done {
        // Both are left out when they are nought, as when the whole prompt was cached.
        events.usage(Usage {
            input_tokens: line.prompt_eval_count.unwrap_or(0),
            output_tokens: line.eval_count.unwrap_or(0),
            ..Usage::default()
        });
        events.stop(match line.done_reason.as_deref() {
            // Servers before 0.3 give no reason.
            None | Some("" | "stop") => StopReason::Stop,
            Some("length") => StopReason::Length,
            // "load" and "unload": it did not speak at all.
            Some(_) => StopReason::Other,
        });
        events.done();
    }
}

/// What an error in lower case means, where it says so.
fn of_text(error: &str) -> Option<ProviderError> {
    if error.contains("server busy") || error.contains("maximum pending requests") {
        Some(ProviderError::Overloaded { retry_after_s: None })
    } else if says_too_long(error) || error.contains("exceeds context") {
        Some(ProviderError::ContextLength)
    } else {
        None
    }
}

/// What an answer of another status means.
pub(crate) fn fault(failure: &Failure<'_>) -> ProviderError {
    of_text(&failure.text("/error")).unwrap_or_else(|| failure.by_status())
}
