//! Speech to text and text to speech, a folder or file for each vendor, behind one contract.
//!
//! A request is a value; a decoder takes bytes and gives events. Invariants: any split of the bytes gives the same events; after
//! an error nothing follows; audio that is not what was asked for is an error, never passed on.

mod audio;
mod body;
mod error;
mod language;
mod multipart;
mod whisper;

pub mod deepgram;
pub mod elevenlabs;
pub mod openai;
pub mod polly;
pub mod transcribe;
pub mod workers_ai;

#[cfg(test)]
mod testing;

pub use audio::BLOCK_MS;

use crate::http::{HttpRequest, percent_encode};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use silent_core::voice::port::{
    ListenRequest, SpeechError, SpeechEvent, SpeechRequest, SttEvent, TranscriptionRequest,
};

/// What an answer begins with.
#[derive(Debug, Clone, Default)]
pub struct ResponseHead {
    /// The status.
    pub status: u16,
    /// Names and values, names in any case.
    pub headers: Vec<(String, String)>,
}

impl ResponseHead {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.header(name)?.trim().parse().ok()
    }

    fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or("").trim().to_ascii_lowercase())
    }
}

/// Events or the error that ends them.
pub type Events<E> = Vec<Result<E, SpeechError>>;

/// Reads an answer. After the first error nothing more is worth reading.
pub trait Decode<E> {
    /// Takes bytes of the body and gives the events that are certain now.
    fn push(&mut self, bytes: &[u8]) -> Events<E>;
    /// At the end of the body. An answer that is not whole is an error.
    fn finish(&mut self) -> Events<E>;
}

/// Writes down recordings.
pub trait SttWire {
    /// The request.
    ///
    /// # Errors
    /// [`SpeechError`] where the vendor cannot do it.
    fn request(&self, ask: &TranscriptionRequest) -> Result<HttpRequest, SpeechError>;
    /// The reader of the answer. The last event of a whole one is a final transcript, then [`SttEvent::Flushed`].
    fn decoder(&self, head: &ResponseHead) -> Box<dyn Decode<SttEvent>>;
}

/// Speaks.
pub trait TtsWire {
    /// Longest text of one request, in characters.
    fn max_chars(&self) -> usize;
    /// The request; `now_ms` is for signatures.
    ///
    /// # Errors
    /// [`SpeechError`] where the vendor cannot do it.
    fn request(&self, ask: &SpeechRequest, now_ms: u64) -> Result<HttpRequest, SpeechError>;
    /// The reader of the answer to `ask`.
    fn decoder(&self, head: &ResponseHead, ask: &SpeechRequest) -> Box<dyn Decode<SpeechEvent>>;
}

/// A message of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// Writes down live speech over a WebSocket.
pub trait LiveSttWire {
    /// The request that opens the socket, with `upgrade: websocket`; `now_ms` is for signatures.
    ///
    /// # Errors
    /// [`SpeechError`] where the vendor cannot do it.
    fn request(&self, ask: &ListenRequest, now_ms: u64) -> Result<HttpRequest, SpeechError>;
    /// What an answer other than 101 means.
    fn refused(&self, head: &ResponseHead) -> SpeechError {
        error::of_status(head)
    }
    /// One conversation on the socket.
    fn session(&self) -> Box<dyn LiveSttSession>;
}

/// One socket's state.
pub trait LiveSttSession {
    /// Messages that carry sound: PCM of 16 bits.
    fn audio(&mut self, pcm: &[u8]) -> Vec<Message>;
    /// Messages that keep the socket open while no sound is sent; due every 5 seconds.
    fn keep_alive(&mut self) -> Vec<Message>;
    /// Asks for the rest; the socket stays open where the vendor can do that. [`SttEvent::Flushed`] follows.
    fn flush(&mut self) -> Vec<Message>;
    /// Ends the stream. [`SttEvent::Flushed`] follows, then the vendor closes.
    fn close(&mut self) -> Vec<Message>;
    /// Takes a message.
    fn receive(&mut self, message: &Message) -> Events<SttEvent>;
    /// The socket was closed with this code.
    fn closed(&mut self, code: u16) -> Events<SttEvent>;
}

/// Seconds of a wire format as milliseconds; no number and negative ones are 0.
fn ms(seconds: f64) -> u32 {
    // Casts saturate.
    libm::round(seconds * 1_000.0) as u32
}

/// A probability as thousandths.
fn milli(probability: f64) -> u16 {
    libm::round(probability.clamp(0.0, 1.0) * 1_000.0) as u16
}

fn chars(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// The text if it can be spoken within the vendor's limit.
fn speakable(text: &str, max_chars: usize) -> Result<&str, SpeechError> {
    let text = text.trim();
    if text.is_empty() {
        Err(SpeechError::Text("empty"))
    } else if text.chars().count() > max_chars {
        Err(SpeechError::Text("too long"))
    } else {
        Ok(text)
    }
}

fn encode(text: &str) -> String {
    percent_encode(text, "")
}
