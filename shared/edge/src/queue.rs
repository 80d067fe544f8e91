//! What travels from a session to the store of events: sealed text and an event without any.

use serde::{Deserialize, Serialize};
use silent_core::ids::{PersonId, SessionId};
use silent_core::trace::SpokenPart;
use silent_core::turn::TurnEvent;

/// What hearing and speaking a turn took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceFigures {
    /// `http` or `live`.
    pub channel: String,
    /// Length of what the person said, milliseconds.
    pub said_ms: u32,
    /// Who wrote it down.
    pub stt_provider: String,
    /// From the end of speech, or the whole recording, to its words, milliseconds.
    pub stt_ms: u64,
    /// Providers that failed before.
    pub stt_failovers: u32,
    /// Who spoke the answer first; none where nobody did.
    pub tts_provider: Option<String>,
    /// Characters that vendors bill for.
    pub tts_chars: u32,
    /// Length of the answer as it was spoken, milliseconds.
    pub answered_ms: u32,
    /// From the first request to speak to its first audio, milliseconds.
    pub tts_first_ms: Option<u64>,
    /// Providers that failed before.
    pub tts_failovers: u32,
    /// Chunks that were taken from the cache of fixed phrases.
    pub cached_chunks: u32,
    /// From the end of speech, or the whole recording, to the first audio that was sent, milliseconds.
    pub first_audio_ms: Option<u64>,
    /// Whether the person interrupted the answer.
    pub interrupted: bool,
    /// What failed, a stable slug.
    pub error: Option<String>,
    /// Price of both, millionths of a US dollar.
    pub cost_micros: u64,
    /// What becomes spans of the turn's trace; no part of the message.
    #[serde(skip)]
    pub parts: Vec<SpokenPart>,
}

/// The queue of messages that were given up; what comes there is kept.
pub const DEAD: &str = "turn-events-dead";

/// A message of the event queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum QueueMessage {
    /// A session began.
    SessionCreated {
        /// The session.
        session_id: SessionId,
        /// Its owner.
        person_id: PersonId,
        /// The product.
        product: String,
        /// Milliseconds since 1970.
        created_at_ms: u64,
    },
    /// A turn ended.
    Turn {
        /// What happened.
        event: Box<TurnEvent>,
        /// What the person said, sealed, base 64.
        sealed_input: String,
        /// What was answered, sealed, base 64.
        sealed_output: String,
    },
    /// A person rated an answer.
    Feedback {
        /// The event of the turn.
        event_id: String,
        /// The session.
        session_id: SessionId,
        /// Its owner.
        person_id: PersonId,
        /// 0-1000.
        satisfaction_milli: u16,
        /// Milliseconds since 1970.
        at_ms: u64,
    },
    /// What speaking a turn took, told when the voice had ended.
    Voice {
        /// The event of the turn.
        event_id: String,
        /// The session.
        session_id: SessionId,
        /// Its owner.
        person_id: PersonId,
        /// What was measured.
        figures: VoiceFigures,
        /// Milliseconds since 1970.
        at_ms: u64,
    },
    /// A session was deleted: its rows go.
    EraseSession {
        /// The session.
        session_id: SessionId,
        /// Milliseconds since 1970.
        at_ms: u64,
    },
    /// A person was erased: all rows go.
    ErasePerson {
        /// The person.
        person_id: PersonId,
        /// Milliseconds since 1970.
        at_ms: u64,
    },
}

impl QueueMessage {
    /// Whose erasure takes the message away: the session and its owner, as far as it names them.
    #[must_use]
    pub fn subjects(&self) -> [Option<&str>; 2] {
        match self {
            Self::SessionCreated {
                session_id, person_id, ..
            }
            | Self::Feedback {
                session_id, person_id, ..
            }
            | Self::Voice {
                session_id, person_id, ..
            } => [Some(session_id.as_str()), Some(person_id.as_str())],
            Self::Turn { event, .. } => [Some(event.session_id.as_str()), Some(event.person_id.as_str())],
            Self::EraseSession { session_id, .. } => [Some(session_id.as_str()), None],
            Self::ErasePerson { person_id, .. } => [None, Some(person_id.as_str())],
        }
    }
}
