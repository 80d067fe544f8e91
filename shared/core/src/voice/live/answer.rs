//! One turn's answer: text in, chunks to synthesise, audio in order, what was heard.

use super::super::chunker::{Chunker, SpeechChunk};
use super::super::playback::{Heard, Played, heard};
use super::super::port::{SpeechError, Word};
use super::{Effect, LiveConfig, Outcome};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Speech of a character, where a chunk's length is not known yet: 150 words a minute.
const CHAR_MS: u32 = 65;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    /// It writes; at this time its silence is too long.
    Writing(u64),
    /// It was told to stop; at this time it counts as stopped.
    Stopping(u64),
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Waiting,
    /// It speaks; at this time its silence is too long.
    Speaking(u64),
    Done,
}

#[derive(Debug)]
struct Chunk {
    text: SpeechChunk,
    voice: Voice,
    has_been_tried: bool,
    queue: VecDeque<(Vec<u8>, u32)>,
    /// Of all audio that came.
    audio_ms: u32,
    words: Vec<Word>,
}

#[derive(Debug)]
struct Block {
    /// Empty once it was played.
    bytes: Vec<u8>,
    end_ms: u32,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) turn: u32,
    model: Model,
    chunker: Chunker,
    chunks: Vec<Chunk>,
    /// The chunk whose audio is sent next.
    sending: usize,
    sent: Vec<Block>,
    sent_ms: u32,
    played_ms: u32,
    /// When playing counts as done, once all audio was sent.
    play_by: Option<u64>,
    is_stopped: bool,
    has_failed: bool,
    is_mute: bool,
}

impl Answer {
    pub(super) fn new(turn: u32, now_ms: u64, config: &LiveConfig) -> Self {
        Self {
            turn,
            model: Model::Writing(now_ms + config.answer_timeout_ms),
            chunker: Chunker::new(config.chunker),
            chunks: Vec::new(),
            sending: 0,
            sent: Vec::new(),
            sent_ms: 0,
            played_ms: 0,
            play_by: None,
            is_stopped: false,
            has_failed: false,
            is_mute: false,
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub(super) fn is_heard(&self) -> bool {
        !self.sent.is_empty()
    }

    pub(super) fn text(&mut self, text: &str, now_ms: u64, config: &LiveConfig) {
        if let Model::Writing(by) = &mut self.model {
            *by = now_ms + config.answer_timeout_ms;
            let chunks = self.chunker.push(text);
            self.add(chunks);
        }
    }

    pub(super) fn model_ended(&mut self, is_ok: bool) {
        if self.model != Model::Ended {
            self.model = Model::Ended;
            self.has_failed |= !is_ok;
            let chunks = self.chunker.finish();
            self.add(chunks);
        }
    }

    fn add(&mut self, chunks: Vec<SpeechChunk>) {
        if self.is_stopped || self.is_mute {
            return;
        }
        self.chunks.extend(chunks.into_iter().map(|text| Chunk {
            text,
            voice: Voice::Waiting,
            has_been_tried: false,
            queue: VecDeque::new(),
            audio_ms: 0,
            words: Vec::new(),
        }));
    }

    fn speaking(&mut self, chunk: u32) -> Option<&mut Chunk> {
        if self.is_stopped {
            return None;
        }
        let chunk = self.chunks.get_mut(usize::try_from(chunk).ok()?)?;
        matches!(chunk.voice, Voice::Speaking(_)).then_some(chunk)
    }

    pub(super) fn audio(&mut self, chunk: u32, bytes: Vec<u8>, duration_ms: u32, now_ms: u64, config: &LiveConfig) {
        if let Some(chunk) = self.speaking(chunk) {
            chunk.voice = Voice::Speaking(now_ms + config.synthesis_timeout_ms);
            chunk.audio_ms = chunk.audio_ms.saturating_add(duration_ms);
            chunk.queue.push_back((bytes, duration_ms));
        }
    }

    pub(super) fn synthesised(&mut self, chunk: u32, words: Vec<Word>) {
        if let Some(chunk) = self.speaking(chunk) {
            chunk.voice = Voice::Done;
            chunk.words = words;
        }
    }

    /// One more try for a chunk of which nothing was heard; else the voice is silent from here on, and the text goes on.
    pub(super) fn synthesis_failed(&mut self, number: u32, error: &SpeechError, effects: &mut Vec<Effect>) {
        let Some(chunk) = self.speaking(number) else {
            return;
        };
        effects.push(Effect::Report(error.slug()));
        if !chunk.has_been_tried && chunk.audio_ms == 0 && error.is_transient() {
            chunk.has_been_tried = true;
            chunk.voice = Voice::Waiting;
            return;
        }
        chunk.voice = Voice::Done;
        self.drop_synthesis(effects, |chunk| chunk.text.index > number);
        self.chunks.retain(|chunk| chunk.text.index <= number);
        self.has_failed = true;
        self.is_mute = true;
    }

    fn drop_synthesis(&self, effects: &mut Vec<Effect>, which: impl Fn(&Chunk) -> bool) {
        let running = self
            .chunks
            .iter()
            .filter(|chunk| matches!(chunk.voice, Voice::Speaking(_)));
        effects.extend(running.filter(|chunk| which(chunk)).map(|chunk| Effect::DropSynthesis {
            turn: self.turn,
            chunk: chunk.text.index,
        }));
    }

    pub(super) fn played(&mut self, played_ms: u32) {
        self.played_ms = self.played_ms.max(played_ms.min(self.sent_ms));
        for block in self.sent.iter_mut().take_while(|block| block.end_ms <= self.played_ms) {
            block.bytes = Vec::new();
        }
    }

    /// Sends again what a client that came back does not have.
    pub(super) fn resend(&mut self, received: u32, now_ms: u64, config: &LiveConfig, effects: &mut Vec<Effect>) {
        if self.is_stopped {
            return;
        }
        let left_ms = u64::from(self.sent_ms - self.played_ms);
        let missing = self
            .sent
            .iter()
            .enumerate()
            .skip(usize::try_from(received).unwrap_or(usize::MAX));
        effects.extend(
            missing
                .filter(|(_, block)| !block.bytes.is_empty())
                .map(|(number, block)| Effect::SendAudio {
                    turn: self.turn,
                    block: u32::try_from(number).unwrap_or(u32::MAX),
                    bytes: block.bytes.clone(),
                }),
        );
        if let Some(by) = &mut self.play_by {
            *by = now_ms + left_ms + config.playback_slack_ms;
            effects.push(Effect::EndAudio { turn: self.turn });
        }
    }

    /// The person wants to hear no more of it.
    pub(super) fn stop(&mut self, now_ms: u64, is_connected: bool, config: &LiveConfig, effects: &mut Vec<Effect>) {
        if self.is_stopped {
            return;
        }
        self.is_stopped = true;
        self.stop_model(now_ms, config, effects);
        self.drop_synthesis(effects, |_| true);
        if is_connected && !self.sent.is_empty() {
            effects.push(Effect::FlushPlayback { turn: self.turn });
        }
    }

    fn stop_model(&mut self, now_ms: u64, config: &LiveConfig, effects: &mut Vec<Effect>) {
        if matches!(self.model, Model::Writing(_)) {
            self.model = Model::Stopping(now_ms + config.stop_timeout_ms);
            effects.push(Effect::StopTurn { turn: self.turn });
        }
    }

    pub(super) fn expire(&mut self, now_ms: u64, is_connected: bool, config: &LiveConfig, effects: &mut Vec<Effect>) {
        match self.model {
            Model::Writing(by) if by <= now_ms => {
                effects.push(Effect::Report("answer-timeout"));
                self.has_failed = true;
                self.stop_model(now_ms, config, effects);
            }
            Model::Stopping(by) if by <= now_ms => {
                effects.push(Effect::Report("stop-timeout"));
                self.model_ended(true);
            }
            _ => {}
        }
        let late = |chunk: &Chunk| matches!(chunk.voice, Voice::Speaking(by) if by <= now_ms);
        while let Some(chunk) = self.chunks.iter().find(|chunk| !self.is_stopped && late(chunk)) {
            let number = chunk.text.index;
            self.drop_synthesis(effects, |chunk| chunk.text.index == number);
            self.synthesis_failed(number, &SpeechError::TimedOut("synthesis"), effects);
        }
        if is_connected && self.play_by.is_some_and(|by| by <= now_ms) {
            self.played(u32::MAX);
        }
    }

    pub(super) fn deadline_ms(&self, is_connected: bool) -> Option<u64> {
        let model = match self.model {
            Model::Writing(by) | Model::Stopping(by) => Some(by),
            Model::Ended => None,
        };
        let voice = self.chunks.iter().filter_map(|chunk| match chunk.voice {
            Voice::Speaking(by) if !self.is_stopped => Some(by),
            _ => None,
        });
        let playing = self.play_by.filter(|_| is_connected);
        voice.chain(model).chain(playing).min()
    }

    /// Whatever can be done now; the outcome once the turn is over.
    pub(super) fn pump(
        &mut self,
        now_ms: u64,
        is_connected: bool,
        config: &LiveConfig,
        effects: &mut Vec<Effect>,
    ) -> Option<Outcome> {
        if self.is_stopped {
            if self.model != Model::Ended {
                return None;
            }
            if let Some(bytes) = self.cut() {
                effects.push(Effect::Truncate { turn: self.turn, bytes });
            }
            return Some(Outcome::Stopped);
        }
        self.synthesise(now_ms, config, effects);
        if !is_connected {
            return None;
        }
        self.send(effects);
        let is_sent = self.model == Model::Ended && self.sending == self.chunks.len();
        if is_sent && self.play_by.is_none() {
            let left_ms = u64::from(self.sent_ms - self.played_ms);
            self.play_by = Some(now_ms + left_ms + config.playback_slack_ms);
            if self.is_heard() {
                effects.push(Effect::EndAudio { turn: self.turn });
            }
        }
        let is_over = is_sent && self.played_ms >= self.sent_ms;
        is_over.then_some(if self.has_failed {
            Outcome::Failed
        } else {
            Outcome::Finished
        })
    }

    fn synthesise(&mut self, now_ms: u64, config: &LiveConfig, effects: &mut Vec<Effect>) {
        let running = self
            .chunks
            .iter()
            .filter(|chunk| matches!(chunk.voice, Voice::Speaking(_)))
            .count();
        let free = config.synthesis_ahead.max(1).saturating_sub(running);
        for chunk in self
            .chunks
            .iter_mut()
            .filter(|chunk| chunk.voice == Voice::Waiting)
            .take(free)
        {
            chunk.voice = Voice::Speaking(now_ms + config.synthesis_timeout_ms);
            effects.push(Effect::Synthesise {
                turn: self.turn,
                chunk: chunk.text.index,
                text: chunk.text.spoken.clone(),
            });
        }
    }

    fn send(&mut self, effects: &mut Vec<Effect>) {
        while let Some(chunk) = self.chunks.get_mut(self.sending) {
            while let Some((bytes, duration_ms)) = chunk.queue.pop_front() {
                effects.push(Effect::SendAudio {
                    turn: self.turn,
                    block: u32::try_from(self.sent.len()).unwrap_or(u32::MAX),
                    bytes: bytes.clone(),
                });
                self.sent_ms = self.sent_ms.saturating_add(duration_ms);
                self.sent.push(Block {
                    bytes,
                    end_ms: self.sent_ms,
                });
            }
            if chunk.voice != Voice::Done {
                return;
            }
            self.sending += 1;
        }
    }

    /// How much of the answer to keep, where it was not heard to its end.
    fn cut(&self) -> Option<usize> {
        // Without a voice the person reads.
        if self.is_mute {
            return None;
        }
        let played: Vec<Played<'_>> = self
            .chunks
            .iter()
            .map(|chunk| {
                let guess = u32::try_from(chunk.text.spoken.chars().count())
                    .unwrap_or(u32::MAX)
                    .saturating_mul(CHAR_MS)
                    .max(1);
                Played {
                    source: &chunk.text.source,
                    spoken: &chunk.text.spoken,
                    duration_ms: if chunk.voice == Voice::Done {
                        chunk.audio_ms
                    } else {
                        guess.max(chunk.audio_ms)
                    },
                    words: &chunk.words,
                }
            })
            .collect();
        let Heard { bytes, is_whole } = heard(&played, self.played_ms);
        (!is_whole || self.play_by.is_none()).then_some(bytes)
    }
}
