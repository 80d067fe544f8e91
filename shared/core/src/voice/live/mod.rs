//! A spoken conversation as a pure state machine: what happened goes in, what to do comes out.
//!
//! Invariants: at most one turn runs; the audio of a turn is sent in order; after an interruption none of it is sent; every
//! turn that was started ends exactly once; a lost connection loses neither turn nor audio within the time of grace.
//! The Worker carries sound, text and effects; it decides nothing about order itself.

mod answer;
mod hearing;
mod kernel;

#[cfg(test)]
mod tests;

pub use kernel::Live;

use super::chunker::ChunkerConfig;
use super::endpoint::EndpointConfig;
use super::port::{SpeechError, Word};
use super::vad::VadFrame;
use alloc::string::String;
use alloc::vec::Vec;

/// Limits of a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveConfig {
    /// When turns begin and end.
    pub endpoint: EndpointConfig,
    /// How answers are cut.
    pub chunker: ChunkerConfig,
    /// How long a lost connection may take to come back.
    pub grace_ms: u64,
    /// Longest wait for the last words of a transcript; then what there is counts.
    pub transcript_timeout_ms: u64,
    /// The same where there are none yet: a recording is written down as a whole.
    pub recording_timeout_ms: u64,
    /// Longest silence of the model.
    pub answer_timeout_ms: u64,
    /// Longest wait until a model that was told to stop has stopped.
    pub stop_timeout_ms: u64,
    /// Longest silence of a synthesis.
    pub synthesis_timeout_ms: u64,
    /// How much longer than its length playing may take before it counts as done.
    pub playback_slack_ms: u64,
    /// Chunks that are synthesised at the same time.
    pub synthesis_ahead: usize,
    /// A conversation in which nothing happens ends after this.
    pub idle_ms: u64,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            endpoint: EndpointConfig::default(),
            chunker: ChunkerConfig::default(),
            grace_ms: 20_000,
            transcript_timeout_ms: 3_000,
            recording_timeout_ms: 8_000,
            answer_timeout_ms: 30_000,
            stop_timeout_ms: 5_000,
            synthesis_timeout_ms: 10_000,
            playback_slack_ms: 3_000,
            synthesis_ahead: 2,
            idle_ms: 300_000,
        }
    }
}

/// What the person sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody speaks.
    Idle,
    /// The person speaks, or their words are being written down.
    Listening,
    /// An answer is made and not heard yet.
    Thinking,
    /// An answer is heard.
    Speaking,
    /// It is over.
    Closed,
}

/// What happened. Numbers of turns, utterances and chunks are those of the effects; events about others are late and ignored.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The next 20 ms of the person's sound.
    Frame {
        /// The detector's judgement.
        vad: VadFrame,
        /// Level of what the client plays at that moment, where it plays.
        playing_dbfs: Option<f32>,
    },
    /// Words of an utterance that may still change; they replace those before.
    Partial {
        /// The utterance.
        utterance: u32,
        /// The words.
        text: String,
    },
    /// Words of an utterance that stand; more may follow.
    Final {
        /// The utterance.
        utterance: u32,
        /// The words.
        text: String,
    },
    /// All of an utterance is written down.
    Transcribed {
        /// The utterance.
        utterance: u32,
    },
    /// No more of an utterance will be written down.
    TranscriptionFailed {
        /// The utterance.
        utterance: u32,
        /// Why.
        error: SpeechError,
    },
    /// The person wrote instead of speaking.
    Typed {
        /// What they wrote.
        text: String,
    },
    /// More of the answer, as the guard let it pass.
    Text {
        /// The turn.
        turn: u32,
        /// Markdown.
        text: String,
    },
    /// The answer is whole, stopped or failed, and stored.
    AnswerEnded {
        /// The turn.
        turn: u32,
        /// Whether there is an answer, whole or stopped.
        is_ok: bool,
    },
    /// More audio of a chunk, in the chunk's order.
    Audio {
        /// The turn.
        turn: u32,
        /// The chunk.
        chunk: u32,
        /// As it is to be sent.
        bytes: Vec<u8>,
        /// Its length.
        duration_ms: u32,
    },
    /// A chunk's audio is whole.
    Synthesised {
        /// The turn.
        turn: u32,
        /// The chunk.
        chunk: u32,
        /// When its words are said, where the provider tells.
        words: Vec<Word>,
    },
    /// A chunk's audio will not come, or no more of it.
    SynthesisFailed {
        /// The turn.
        turn: u32,
        /// The chunk.
        chunk: u32,
        /// Why.
        error: SpeechError,
    },
    /// How much of a turn's audio the client has played. Sent every 100 ms or so, it decides what counts as heard.
    Played {
        /// The turn.
        turn: u32,
        /// Milliseconds from the beginning of the answer.
        played_ms: u32,
    },
    /// The person stops the answer by hand.
    Stop,
    /// The person ends the conversation.
    HangUp,
    /// The connection is lost.
    Disconnected,
    /// The client is back.
    Reconnected {
        /// Blocks of the running turn's audio that it has.
        received: u32,
    },
    /// The time that [`Live::deadline_ms`] named has come.
    Tick,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Said to the end.
    Finished,
    /// Stopped by the person, or by the end of the conversation.
    Stopped,
    /// The model or the voice failed.
    Failed,
}

/// Why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The person ended it.
    HungUp,
    /// The connection did not come back.
    Lost,
    /// Nothing happened for long.
    Idle,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell the client.
    StateChanged(State),
    /// Begin to write down, from this time of the person's sound on: a little of it lies in the past.
    StartTranscription {
        /// The new utterance.
        utterance: u32,
        /// Milliseconds since the first frame.
        from_ms: u32,
    },
    /// Write down the frame that came with the event.
    Transcribe {
        /// The utterance.
        utterance: u32,
    },
    /// No more sound comes: ask for the rest.
    FinishTranscription {
        /// The utterance.
        utterance: u32,
    },
    /// Nobody waits for it any more.
    DropTranscription {
        /// The utterance.
        utterance: u32,
    },
    /// Answer.
    RunTurn {
        /// The new turn.
        turn: u32,
        /// What the person said.
        text: String,
    },
    /// Stop the answer upstream; `AnswerEnded` follows.
    StopTurn {
        /// The turn.
        turn: u32,
    },
    /// Speak a chunk.
    Synthesise {
        /// The turn.
        turn: u32,
        /// The chunk.
        chunk: u32,
        /// What to say.
        text: String,
    },
    /// Stop speaking a chunk; no event about it may come after this, unless it is asked for again.
    DropSynthesis {
        /// The turn.
        turn: u32,
        /// The chunk.
        chunk: u32,
    },
    /// Send audio to the client.
    SendAudio {
        /// The turn.
        turn: u32,
        /// Number of the block within the turn, from 0.
        block: u32,
        /// The audio.
        bytes: Vec<u8>,
    },
    /// Tell the client that all audio of the turn was sent.
    EndAudio {
        /// The turn.
        turn: u32,
    },
    /// Tell the client to drop what it has not played.
    FlushPlayback {
        /// The turn.
        turn: u32,
    },
    /// Remember only what was heard of the answer. The fixed texts of the crisis gate stay whole: the store decides that.
    Truncate {
        /// The turn.
        turn: u32,
        /// Bytes of the answer's Markdown.
        bytes: usize,
    },
    /// A turn is over.
    EndTurn {
        /// The turn.
        turn: u32,
        /// How.
        outcome: Outcome,
    },
    /// Tell client and metrics that something failed: a stable slug.
    Report(&'static str),
    /// Close everything.
    Close(CloseReason),
}
