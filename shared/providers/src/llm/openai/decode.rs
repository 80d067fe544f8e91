//! The stream of chunks.

use crate::sse;
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use silent_core::turn::{LlmEvent, ProviderError, StopReason, Usage};

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// What an HTTP status other than 200 means.
#[must_use]
pub fn error_of_status(status: u16, retry_after_s: Option<u32>) -> ProviderError {
    match status {
        429 | 503 => ProviderError::Busy { retry_after_s },
        408 | 504 => ProviderError::TimedOut("upstream"),
        status => ProviderError::Status(status),
    }
}

/// Bytes to events.
#[derive(Debug, Default)]
pub struct Decoder {
    events: sse::Decoder,
    named: bool,
    stopped: bool,
    done: bool,
}

impl Decoder {
    /// Takes bytes and gives the events that are whole now. After an error, nothing more is worth reading.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<LlmEvent, ProviderError>> {
        let mut out = Vec::new();
        for data in self.events.push(bytes) {
            if self.done {
                break;
            }
            if data.trim() == "[DONE]" {
                self.done = true;
                break;
            }
            match serde_json::from_str::<Chunk>(&data) {
                Ok(chunk) => self.read(chunk, &mut out),
                Err(_) => out.push(Err(ProviderError::Protocol("chunk is not JSON of the protocol"))),
            }
        }
        out
    }

    /// Whether `[DONE]` was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// At the end of the bytes.
    ///
    /// # Errors
    /// [`ProviderError::Truncated`] where no stop reason was given: what was said is not whole.
    pub fn finish(&self) -> Result<(), ProviderError> {
        if self.stopped {
            Ok(())
        } else {
            Err(ProviderError::Truncated)
        }
    }

    fn read(&mut self, chunk: Chunk, out: &mut Vec<Result<LlmEvent, ProviderError>>) {
        if chunk.error.is_some() {
            out.push(Err(ProviderError::InStream));
            return;
        }
        if let Some(model) = chunk.model.filter(|model| !self.named && !model.is_empty()) {
            self.named = true;
            out.push(Ok(LlmEvent::Model(model)));
        }
        for choice in chunk.choices {
            for text in [choice.delta.content, choice.delta.refusal].into_iter().flatten() {
                if !text.is_empty() {
                    out.push(Ok(LlmEvent::Delta(text)));
                }
            }
            if let Some(reason) = choice.finish_reason {
                self.stopped = true;
                out.push(Ok(LlmEvent::Stop(match reason.as_str() {
                    "length" => StopReason::Length,
                    "content_filter" => StopReason::ContentFilter,
                    _ => StopReason::Stop,
                })));
            }
        }
        if let Some(usage) = chunk.usage {
            out.push(Ok(LlmEvent::Usage(Usage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
            })));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = include_str!("../../../testdata/openai/whole.sse");
    const CUT: &str = include_str!("../../../testdata/openai/cut.sse");

    fn decode(pieces: &[&[u8]]) -> (Vec<Result<LlmEvent, ProviderError>>, Result<(), ProviderError>) {
        let mut decoder = Decoder::default();
        let events = pieces.iter().flat_map(|piece| decoder.push(piece)).collect();
        (events, decoder.finish())
    }

    #[test]
    fn a_whole_stream() {
        let (events, end) = decode(&[WHOLE.as_bytes()]);
        let expected = [
            LlmEvent::Model("gpt-4o-mini-2024-07-18".into()),
            LlmEvent::Delta("Hello".into()),
            LlmEvent::Delta(", wörld.".into()),
            LlmEvent::Stop(StopReason::Stop),
            LlmEvent::Usage(Usage {
                input_tokens: 9,
                output_tokens: 4,
            }),
        ];
        assert_eq!(events, expected.map(Ok));
        assert_eq!(end, Ok(()));
    }

    #[test]
    fn a_cut_stream_is_not_whole() {
        assert_eq!(decode(&[CUT.as_bytes()]).1, Err(ProviderError::Truncated));
    }

    #[test]
    fn faults_are_told_apart() {
        let check = |data: &str, expected: Result<LlmEvent, ProviderError>| {
            let event = alloc::format!("data: {data}\n\n");
            assert_eq!(decode(&[event.as_bytes()]).0, [expected], "{data}");
        };
        check(
            "{oops",
            Err(ProviderError::Protocol("chunk is not JSON of the protocol")),
        );
        check(r#"{"error":{"message":"overloaded"}}"#, Err(ProviderError::InStream));
        check(
            r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
            Ok(LlmEvent::Stop(StopReason::Length)),
        );
        check(
            r#"{"choices":[{"delta":{"refusal":"no"}}]}"#,
            Ok(LlmEvent::Delta("no".into())),
        );
        assert_eq!(
            error_of_status(429, Some(3)),
            ProviderError::Busy { retry_after_s: Some(3) }
        );
        assert_eq!(error_of_status(401, None), ProviderError::Status(401));
    }

    proptest! {
        #[test]
        fn splits_do_not_matter(cuts in proptest::collection::vec(0_usize..WHOLE.len(), 0..30)) {
            let bytes = WHOLE.as_bytes();
            let mut cuts = cuts;
            cuts.push(0);
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&pieces), decode(&[bytes]));
        }
    }
}
