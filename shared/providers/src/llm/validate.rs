//! Whether an answer is one that a turn may use.

use alloc::string::String;
use silent_core::turn::{LlmEvent, LlmRequest, ProviderError, StopReason};

/// Judges the events of a whole answer, streamed or not.
///
/// # Errors
/// [`ProviderError::Truncated`] without a stop reason. [`ProviderError::Protocol`] where the answer has two stop reasons, says
/// nothing although it was not refused, or is no JSON although a schema was asked for and the answer is not cut by its limit.
pub fn validate_response(ask: &LlmRequest, events: &[LlmEvent]) -> Result<(), ProviderError> {
    let mut text = String::new();
    let mut stop = None;
    for event in events {
        match event {
            LlmEvent::Delta(more) => text.push_str(more),
            LlmEvent::Stop(_) if stop.is_some() => return Err(ProviderError::Protocol("two stop reasons")),
            LlmEvent::Stop(reason) => stop = Some(*reason),
            LlmEvent::Model(_) | LlmEvent::Usage(_) | LlmEvent::Cost(_) => {}
            // The router's words, which no vendor says.
            LlmEvent::Reset | LlmEvent::Attempt(_) => return Err(ProviderError::Protocol("not a vendor's event")),
        }
    }
    match stop {
        None => Err(ProviderError::Truncated),
        Some(StopReason::Refusal | StopReason::ContentFilter) => Ok(()),
        Some(_) if text.trim().is_empty() => Err(ProviderError::Protocol("empty answer")),
        Some(StopReason::Stop)
            if ask.response_schema.is_some() && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() =>
        {
            Err(ProviderError::Protocol("answer is not JSON"))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::ask;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn answers() {
        let said = |text: &str| LlmEvent::Delta(text.into());
        let stop = LlmEvent::Stop;
        let plain = ask("hi");
        let mut data = plain.clone();
        data.response_schema = Some(serde_json::json!({"type": "object"}));
        let protocol = |what| Err(ProviderError::Protocol(what));
        let cases: [(&LlmRequest, Vec<LlmEvent>, Result<(), ProviderError>); 9] = [
            (&plain, vec![said("yes"), stop(StopReason::Stop)], Ok(())),
            (&plain, vec![said("yes")], Err(ProviderError::Truncated)),
            (
                &plain,
                vec![said(" "), stop(StopReason::Stop)],
                protocol("empty answer"),
            ),
            (&plain, vec![stop(StopReason::ContentFilter)], Ok(())),
            (&plain, vec![stop(StopReason::Refusal)], Ok(())),
            (
                &plain,
                vec![said("a"), stop(StopReason::Stop), stop(StopReason::Length)],
                protocol("two stop reasons"),
            ),
            (
                &data,
                vec![said("{\"a\""), said(": 1}"), stop(StopReason::Stop)],
                Ok(()),
            ),
            (
                &data,
                vec![said("{\"a\""), stop(StopReason::Stop)],
                protocol("answer is not JSON"),
            ),
            (&data, vec![said("{\"a\""), stop(StopReason::Length)], Ok(())),
        ];
        for (ask, events, expected) in cases {
            assert_eq!(validate_response(ask, &events), expected, "{events:?}");
        }
    }
}
