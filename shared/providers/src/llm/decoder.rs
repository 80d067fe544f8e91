//! One decoder for all vendors: frames by the vendor's framing, events by its reader.

use super::events::Events;
use super::{anthropic, bedrock, gemini, ollama, openai, workers_ai};
use crate::aws::event_stream;
use crate::{ndjson, sse};
use alloc::vec::Vec;
use silent_core::turn::{LlmEvent, ProviderError};

/// Bytes of a streamed answer to events. Made by [`Endpoint::decoder`](super::Endpoint::decoder) or
/// [`workers_ai::decoder`].
#[derive(Debug)]
pub struct Decoder {
    wire: Wire,
    events: Events,
}

#[derive(Debug)]
pub(crate) enum Wire {
    Anthropic(sse::Decoder, anthropic::Reader),
    Bedrock(event_stream::Decoder, bedrock::Reader),
    Gemini(sse::Decoder, gemini::Reader),
    Ollama(ndjson::Decoder, ollama::Reader),
    OpenAi(sse::Decoder, openai::Reader),
    WorkersAi(sse::Decoder, workers_ai::Reader),
}

impl Decoder {
    pub(crate) fn new(wire: Wire, asked_model: &str) -> Self {
        Self {
            wire,
            events: Events::new(asked_model),
        }
    }

    /// Takes bytes and gives the events that are whole now. After an error it gives nothing more.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<LlmEvent, ProviderError>> {
        let events = &mut self.events;
        match &mut self.wire {
            Wire::Anthropic(frames, reader) => each(frames.push(bytes), |data| reader.read(&data, events)),
            Wire::Bedrock(frames, reader) => each(frames.push(bytes), |frame| reader.read(frame, events)),
            Wire::Gemini(frames, reader) => each(frames.push(bytes), |data| reader.read(&data, events)),
            Wire::Ollama(lines, reader) => each(lines.push(bytes), |line| reader.read(&line, events)),
            Wire::OpenAi(frames, reader) => each(frames.push(bytes), |data| reader.read(&data, events)),
            Wire::WorkersAi(frames, reader) => each(frames.push(bytes), |data| reader.read(&data, events)),
        }
        self.events.take()
    }

    /// Whether nothing more is worth reading: the vendor marked the end, or there was an error.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.events.is_over()
    }

    /// At the end of the bytes.
    ///
    /// # Errors
    /// [`ProviderError::Truncated`] where no stop reason was given: what was said is not whole. The error again that
    /// [`Decoder::push`] gave, if it gave one.
    pub fn finish(&self) -> Result<(), ProviderError> {
        self.events.finish()
    }
}

fn each<T>(frames: Vec<T>, mut read: impl FnMut(T)) {
    for frame in frames {
        read(frame);
    }
}
