//! What voice needs from the outside: speech to text and text to speech, in no vendor's words.

use super::audio::{AudioError, Container};
use alloc::string::String;
use alloc::vec::Vec;
use thiserror::Error;

/// A whole recording to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptionRequest {
    /// The recording, in its container.
    pub audio: Vec<u8>,
    /// What `audio` is.
    pub container: Container,
    /// Hertz; needed where the container is raw PCM.
    pub sample_rate_hz: u32,
    /// BCP 47, if it is known. Without it the provider guesses.
    pub language: Option<String>,
    /// Words or a sentence that came before, which help with names.
    pub prompt: Option<String>,
    /// Whether the times of words are wanted. Some vendors need longer then.
    pub words: bool,
    /// W3C trace context to pass on.
    pub traceparent: Option<String>,
}

/// Live speech to write down: PCM of 16 bits, little endian, one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenRequest {
    /// Hertz.
    pub sample_rate_hz: u32,
    /// BCP 47, if it is known.
    pub language: Option<String>,
    /// Silence after which the provider may end an utterance by itself, in milliseconds.
    pub endpointing_ms: u32,
}

/// A word and when it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is written in the text.
    pub text: String,
    /// Milliseconds from the beginning of the sound.
    pub start_ms: u32,
    /// Milliseconds from the beginning of the sound.
    pub end_ms: u32,
    /// Thousandths.
    pub confidence_milli: Option<u16>,
}

/// What was said. No text is a result too: nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The text, trimmed.
    pub text: String,
    /// BCP 47 or ISO 639-1, where the provider says it.
    pub language: Option<String>,
    /// Thousandths, where the provider says it.
    pub confidence_milli: Option<u16>,
    /// In order; empty where they were not asked for or are not known.
    pub words: Vec<Word>,
    /// Length of the sound that this covers, where the provider says it.
    pub duration_ms: Option<u32>,
    /// Whether it stands. One that does not is replaced by the next.
    pub is_final: bool,
}

/// What a transcription says as it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SttEvent {
    /// Somebody began to speak, in milliseconds from the beginning of the sound.
    SpeechStarted {
        /// Milliseconds.
        at_ms: u32,
    },
    /// Text of a stretch of sound. Final ones follow each other; each replaces the ones before it that are not final.
    Transcript(Transcript),
    /// The provider heard the end of an utterance.
    UtteranceEnded,
    /// All sound that was sent before the request to finish is written down.
    Flushed,
}

/// Text to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechRequest {
    /// Plain text, no markup, within the provider's limit.
    pub text: String,
    /// The vendor's name of the voice.
    pub voice: String,
    /// The vendor's name of the model, where it has several.
    pub model: Option<String>,
    /// BCP 47, for voices of several languages.
    pub language: Option<String>,
    /// The container that is wanted.
    pub container: Container,
    /// Hertz; the vendor's nearest is used, and the first event says which that was.
    pub sample_rate_hz: u32,
    /// What was said before, for vendors whose intonation follows it.
    pub previous_text: Option<String>,
    /// Whether the times of words are wanted.
    pub words: bool,
    /// W3C trace context to pass on.
    pub traceparent: Option<String>,
}

/// What a stream of speech brings. The audio, joined, is one valid file or one run of PCM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeechEvent {
    /// What the audio is; the first event.
    Started {
        /// The container.
        container: Container,
        /// Hertz; 0 where the container itself says it.
        sample_rate_hz: u32,
    },
    /// The next part of the audio; of PCM, whole samples.
    Audio(Vec<u8>),
    /// When words are said, from the beginning of this speech.
    Words(Vec<Word>),
    /// Characters that the vendor bills for.
    Billed {
        /// As the vendor counts them, else the characters of the text.
        characters: u32,
    },
    /// The audio is whole.
    Done,
}

/// Why speech was not understood or not made. Carries no text of the vendor, which may quote the person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpeechError {
    /// It could not be reached.
    #[error("provider cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("provider timed out: {0}")]
    TimedOut(&'static str),
    /// It refuses for now; seconds to wait where it says so.
    #[error("provider is busy")]
    Busy {
        /// Seconds.
        retry_after_s: Option<u32>,
    },
    /// The key, the account or its credit is refused.
    #[error("provider refuses the account")]
    Account,
    /// The sound cannot be used.
    #[error("audio: {0}")]
    Audio(#[from] AudioError),
    /// The text is empty or longer than the vendor takes.
    #[error("text cannot be spoken: {0}")]
    Text(&'static str),
    /// What is asked for cannot be had from this vendor.
    #[error("provider does not offer: {0}")]
    Unsupported(&'static str),
    /// It answered with an error status.
    #[error("provider answered {0}")]
    Status(u16),
    /// Its bytes are not of the protocol, or of another format than was asked for.
    #[error("provider broke its protocol: {0}")]
    Protocol(&'static str),
    /// The stream ended before it was whole.
    #[error("provider's stream was cut")]
    Truncated,
    /// An error inside the stream.
    #[error("provider failed in mid-stream")]
    InStream,
}

impl SpeechError {
    /// A stable slug for events and metrics.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Unreachable => "speech-unreachable",
            Self::TimedOut(_) => "speech-timeout",
            Self::Busy { .. } => "speech-busy",
            Self::Account => "speech-account",
            Self::Audio(error) => error.slug(),
            Self::Text(_) => "speech-text",
            Self::Unsupported(_) => "speech-unsupported",
            Self::Status(_) => "speech-status",
            Self::Protocol(_) => "speech-protocol",
            Self::Truncated => "speech-truncated",
            Self::InStream => "speech-in-stream",
        }
    }

    /// Whether the same request may succeed later, or with another provider of the same kind at once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut(_) | Self::Busy { .. } | Self::Truncated | Self::InStream => true,
            Self::Status(status) => *status >= 500,
            Self::Account | Self::Audio(_) | Self::Text(_) | Self::Unsupported(_) | Self::Protocol(_) => false,
        }
    }
}

/// A live transcription. Dropping it ends it upstream.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait SttStream {
    /// Takes more sound; may wait while the provider is slow.
    ///
    /// # Errors
    /// [`SpeechError`] where the connection is gone.
    async fn send(&mut self, pcm: &[u8]) -> Result<(), SpeechError>;
    /// Asks for the rest of what was said; [`SttEvent::Flushed`] follows it.
    ///
    /// # Errors
    /// [`SpeechError`] where the connection is gone.
    async fn finish(&mut self) -> Result<(), SpeechError>;
    /// The next event, or none at the end.
    async fn next(&mut self) -> Option<Result<SttEvent, SpeechError>>;
}

/// Speech to text.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait SttProvider {
    /// Its live transcriptions.
    type Stream: SttStream;
    /// The provider's name in events.
    fn name(&self) -> &str;
    /// Writes down a recording.
    ///
    /// # Errors
    /// [`SpeechError`] where there is no transcript; an empty one is none.
    async fn transcribe(&self, request: &TranscriptionRequest) -> Result<Transcript, SpeechError>;
    /// Begins to listen.
    ///
    /// # Errors
    /// [`SpeechError::Unsupported`] where it writes down recordings only; others where it does not begin.
    async fn listen(&self, request: &ListenRequest) -> Result<Self::Stream, SpeechError>;
}

/// Speech as it comes. Dropping it stops the work upstream.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait SpeechStream {
    /// The next event, or none at the end.
    async fn next(&mut self) -> Option<Result<SpeechEvent, SpeechError>>;
}

/// Text to speech.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait TtsProvider {
    /// Its streams.
    type Stream: SpeechStream;
    /// The provider's name in events.
    fn name(&self) -> &str;
    /// Longest text of one request, in characters.
    fn max_chars(&self) -> usize;
    /// Speaks.
    ///
    /// # Errors
    /// [`SpeechError`] where no stream begins.
    async fn speak(&self, request: &SpeechRequest) -> Result<Self::Stream, SpeechError>;
}
