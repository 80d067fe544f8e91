//! What the shell remembers of a conversation beside the kernel.

use super::Attachment;
use crate::chat::Chat;
use crate::recordings::Keeper;
use crate::say::Voice;
use futures::channel::oneshot;
use serde_json::{Value, json};
use silent_core::ids::TurnId;
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, Resampler};
use silent_core::voice::live::{Live, LiveConfig};
use silent_core::voice::vad::{FRAME_MS, FRAME_SAMPLES, Framer, SAMPLE_RATE_HZ, Vad, VadConfig, VadFrame};
use silent_edge::SystemClock;
use silent_edge::error::ApiError;
use silent_edge::queue::VoiceFigures;
use silent_edge::speech::{Listening, Speech};
use silent_edge::token::Tokens;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use worker::{Env, WebSocket};

/// Hertz of the answer's sound.
pub(super) const OUT_RATE_HZ: u32 = 24_000;
/// Frames that are remembered: the beginning of a word is found when it is over.
const RECENT: usize = 100;
/// Frames before the first sound that go with it.
const LEAD: u32 = 10;

/// An utterance that is being written down.
#[derive(Default)]
pub(super) struct Utterance {
    pub(super) samples: Vec<i16>,
    /// The live transcription; sound waits in `samples` until it is open.
    pub(super) listening: Option<Listening>,
    /// Samples that were sent to it.
    pub(super) sent: usize,
    /// Whether it is to be written down as a recording: nobody listens live, or who did has failed.
    pub(super) as_recording: bool,
    pub(super) has_words: bool,
    pub(super) is_finished: bool,
}

/// A turn of this conversation.
pub(super) struct Turn {
    pub(super) id: Option<TurnId>,
    pub(super) text: String,
    pub(super) is_fixed: Option<bool>,
    pub(super) wants_stop: bool,
    pub(super) heard_bytes: Option<u64>,
    pub(super) figures: VoiceFigures,
    pub(super) speech_ended_ms: u64,
    /// End and level of each block that was sent, milliseconds from the beginning.
    pub(super) levels: Vec<(u32, f32)>,
    pub(super) played_ms: u32,
    pub(super) played_at_ms: u64,
    pub(super) said: Vec<u8>,
    pub(super) answered: Vec<u8>,
}

/// A conversation.
pub(super) struct Talk {
    pub(super) live: Live,
    pub(super) attachment: Attachment,
    socket: WebSocket,
    pub(super) chat: Chat,
    pub(super) speech: Rc<Speech>,
    pub(super) voice: Rc<Voice>,
    pub(super) keeper: Option<Keeper>,
    resampler: Option<Resampler>,
    framer: Framer,
    vad: Vad,
    recent: VecDeque<Vec<i16>>,
    pub(super) frames: u32,
    pub(super) began_ms: u64,
    /// When a voice was heard last.
    pub(super) voice_at_ms: u64,
    pub(super) utterances: BTreeMap<u32, Utterance>,
    /// What the next turn's figures begin with.
    pub(super) hearing: VoiceFigures,
    pub(super) hearing_samples: Vec<i16>,
    pub(super) turns: BTreeMap<u32, Turn>,
    /// Dropping one ends its task.
    pub(super) saying: BTreeMap<(u32, u32), oneshot::Sender<()>>,
    /// Resolves when the chat Worker knows what was heard of the last answer.
    pub(super) told: Option<oneshot::Receiver<()>>,
}

impl Talk {
    pub(super) fn new(env: &Env, attachment: Attachment, socket: WebSocket) -> Result<Self, ApiError> {
        let now_ms = SystemClock.now_ms();
        let settings = &attachment.settings;
        let tokens = Tokens::read(env)?;
        let token = tokens.issue(&settings.person_id, now_ms)?;
        let session = attachment.session.clone();
        let (country, address) = (settings.country.clone(), attachment.address.clone());
        let chat = Chat::new(env, &tokens, session, token, country, address)?;
        let speech = Rc::new(Speech::read(env)?);
        let voice = Voice {
            speech: speech.clone(),
            phrases: env.bucket("BUCKET").ok(),
            preferred: settings.voice.clone(),
            language: settings.locale.clone(),
            container: Container::Pcm16,
            sample_rate_hz: OUT_RATE_HZ,
            traceparent: None,
        };
        Ok(Self {
            live: Live::new(LiveConfig::default(), now_ms),
            socket,
            chat,
            speech,
            voice: Rc::new(voice),
            keeper: Keeper::new(env, settings, &attachment.session),
            resampler: resampler(attachment.rate_hz),
            attachment,
            framer: Framer::default(),
            vad: Vad::new(VadConfig::default()),
            recent: VecDeque::new(),
            frames: 0,
            began_ms: now_ms,
            voice_at_ms: now_ms,
            utterances: BTreeMap::new(),
            hearing: VoiceFigures::default(),
            hearing_samples: Vec::new(),
            turns: BTreeMap::new(),
            saying: BTreeMap::new(),
            told: None,
        })
    }

    /// The client is back, on another socket.
    pub(super) fn resume(&mut self, attachment: Attachment, socket: WebSocket) {
        self.resampler = resampler(attachment.rate_hz);
        self.framer = Framer::default();
        self.attachment = attachment;
        self.socket = socket;
        // What was not sent while nobody was there is no debt.
        self.began_ms = SystemClock.now_ms().saturating_sub(self.heard_ms());
    }

    /// Blocks that a client has which says that it has `received` of a turn.
    pub(super) fn received(&self, turn: Option<u32>, received: Option<u32>) -> u32 {
        match self.turns.last_key_value() {
            Some((number, _)) if turn == Some(*number) => received.unwrap_or(0),
            _ => 0,
        }
    }

    /// Milliseconds of sound that the kernel has.
    pub(super) fn heard_ms(&self) -> u64 {
        u64::from(self.frames) * u64::from(FRAME_MS)
    }

    /// The first message on a socket: how to speak, and where the conversation is.
    pub(super) fn greet(&self, resumed: bool) {
        let turn = self.turns.last_key_value().filter(|_| resumed);
        self.tell(&json!({
            "type": "ready",
            "session_id": self.attachment.session,
            "input": {"format": "pcm_s16le", "sample_rate_hz": self.attachment.rate_hz, "channels": 1},
            "output": {"format": "pcm_s16le", "sample_rate_hz": OUT_RATE_HZ, "channels": 1},
            "resumed": resumed,
            "turn": turn.map(|(number, turn)| json!({"turn": number, "turn_id": turn.id, "text": turn.text})),
        }));
    }

    /// Sends a message. A socket that is gone tells so by closing.
    pub(super) fn tell(&self, message: &Value) {
        let _ = self.socket.send_with_str(message.to_string());
    }

    /// Sends audio: turn and block as little-endian numbers of 32 bits, then the samples.
    pub(super) fn send_audio(&self, turn: u32, block: u32, bytes: &[u8]) {
        let mut message = Vec::with_capacity(8 + bytes.len());
        message.extend_from_slice(&turn.to_le_bytes());
        message.extend_from_slice(&block.to_le_bytes());
        message.extend_from_slice(bytes);
        let _ = self.socket.send_with_bytes(message);
    }

    pub(super) fn close_socket(&self, reason: &str) {
        let _ = self.socket.close(Some(1_000), Some(reason));
    }

    /// Cuts the person's sound into frames of the detector.
    pub(super) fn frames_of(&mut self, samples: &[i16]) -> Vec<Vec<i16>> {
        match &mut self.resampler {
            Some(resampler) => self.framer.push(&resampler.push(samples)),
            None => self.framer.push(samples),
        }
    }

    /// Judges a frame and remembers it; with it the level of what the client plays, if it plays.
    pub(super) fn hear(&mut self, frame: Vec<i16>) -> (VadFrame, Option<f32>) {
        let vad = self.vad.push(&frame);
        let now_ms = SystemClock.now_ms();
        if vad.is_speech {
            self.voice_at_ms = now_ms;
        }
        self.recent.push_back(frame);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.frames = self.frames.saturating_add(1);
        let playing = self.turns.last_key_value().and_then(|(_, turn)| turn.playing(now_ms));
        (vad, playing)
    }

    /// The sound since a time, with a little before it.
    pub(super) fn since(&self, from_ms: u32) -> Vec<i16> {
        let from = (from_ms / FRAME_MS).saturating_sub(LEAD);
        let back = usize::try_from(self.frames.saturating_sub(from)).unwrap_or(usize::MAX);
        let skip = self.recent.len().saturating_sub(back);
        let mut out = Vec::with_capacity((self.recent.len() - skip) * FRAME_SAMPLES);
        for frame in self.recent.iter().skip(skip) {
            out.extend_from_slice(frame);
        }
        out
    }

    pub(super) fn last_frame(&self) -> &[i16] {
        self.recent.back().map_or(&[], Vec::as_slice)
    }
}

impl Turn {
    /// Level of what is heard of the answer at this moment; none where it is silent.
    fn playing(&self, now_ms: u64) -> Option<f32> {
        if self.levels.is_empty() {
            return None;
        }
        let since = u32::try_from(now_ms.saturating_sub(self.played_at_ms)).unwrap_or(u32::MAX);
        let at = self.played_ms.saturating_add(since);
        let block = self.levels.iter().find(|(end_ms, _)| *end_ms > at);
        block.map(|(_, level)| *level)
    }
}

fn resampler(rate_hz: u32) -> Option<Resampler> {
    (rate_hz != SAMPLE_RATE_HZ).then(|| Resampler::new(rate_hz, SAMPLE_RATE_HZ))
}
