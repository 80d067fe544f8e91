//! The conversation's one place of decisions.

use super::super::endpoint::{Completeness, Endpoint, EndpointEvent};
use super::super::vad::VadFrame;
use super::answer::Answer;
use super::hearing::{Hearing, join};
use super::{CloseReason, Effect, Event, LiveConfig, State};
use alloc::string::String;
use alloc::vec::Vec;

/// A conversation.
#[derive(Debug)]
pub struct Live {
    config: LiveConfig,
    endpoint: Endpoint,
    hearing: Hearing,
    answer: Option<Answer>,
    /// What was said while the turn before had not stopped yet.
    waiting: String,
    next_turn: u32,
    state: State,
    /// When a lost connection is given up.
    grace_until: Option<u64>,
    /// The end that has begun: it waits for the turn to stop.
    closing: Option<CloseReason>,
    idle_since: u64,
}

impl Live {
    /// A conversation in which nothing was said.
    #[must_use]
    pub fn new(config: LiveConfig, now_ms: u64) -> Self {
        Self {
            config,
            endpoint: Endpoint::new(config.endpoint),
            hearing: Hearing::default(),
            answer: None,
            waiting: String::new(),
            next_turn: 0,
            state: State::Idle,
            grace_until: None,
            closing: None,
            idle_since: now_ms,
        }
    }

    /// What the person sees.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// When [`Event::Tick`] is due. Earlier or later ticks do no harm.
    #[must_use]
    pub fn deadline_ms(&self) -> Option<u64> {
        if self.state == State::Closed {
            return None;
        }
        let is_open = self.closing.is_none();
        let idle = (is_open && self.state == State::Idle && self.is_connected())
            .then(|| self.idle_since + self.config.idle_ms);
        let answer = self
            .answer
            .as_ref()
            .and_then(|answer| answer.deadline_ms(self.is_connected()));
        [
            self.grace_until.filter(|_| is_open),
            idle,
            answer,
            self.hearing.deadline_ms(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes what happened and says what to do. Time never goes back.
    pub fn handle(&mut self, event: Event, now_ms: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.state == State::Closed {
            return effects;
        }
        self.take(event, now_ms, &mut effects);
        self.expire(now_ms, &mut effects);
        self.go_on(now_ms, &mut effects);
        self.show(now_ms, &mut effects);
        effects
    }

    fn is_connected(&self) -> bool {
        self.grace_until.is_none()
    }

    fn take(&mut self, event: Event, now_ms: u64, effects: &mut Vec<Effect>) {
        match event {
            Event::Frame { vad, playing_dbfs } => self.frame(&vad, playing_dbfs, now_ms, effects),
            Event::Partial { utterance, text } => self.words(utterance, &text, false),
            Event::Final { utterance, text } => self.words(utterance, &text, true),
            Event::Transcribed { utterance } => {
                self.hearing.end(utterance);
            }
            Event::TranscriptionFailed { utterance, error } => {
                if self.hearing.end(utterance) {
                    effects.push(Effect::Report(error.slug()));
                }
            }
            Event::Stop => {
                self.endpoint.reset();
                self.hearing.drop_all(effects);
                self.waiting.clear();
                self.stop_answer(now_ms, effects);
            }
            Event::Typed { text } => {
                if self.closing.is_none() {
                    self.stop_answer(now_ms, effects);
                    join(&mut self.waiting, &text);
                }
            }
            Event::HangUp => self.close(CloseReason::HungUp, now_ms, effects),
            Event::Disconnected => {
                if self.is_connected() {
                    self.grace_until = Some(now_ms + self.config.grace_ms);
                    // What was said so far counts; the rest of it is lost.
                    self.endpoint.reset();
                    self.hearing.finish(now_ms, &self.config, effects);
                }
            }
            Event::Reconnected { received } => {
                self.grace_until = None;
                self.idle_since = now_ms;
                effects.push(Effect::StateChanged(self.state));
                if let Some(answer) = &mut self.answer {
                    answer.resend(received, now_ms, &self.config, effects);
                }
            }
            Event::Tick => {}
            event => self.answer_event(event, now_ms, effects),
        }
    }

    fn answer_event(&mut self, event: Event, now_ms: u64, effects: &mut Vec<Effect>) {
        let Some(answer) = &mut self.answer else {
            return;
        };
        let config = &self.config;
        match event {
            Event::Text { turn, text } if turn == answer.turn => answer.text(&text, now_ms, config),
            Event::AnswerEnded { turn, is_ok } if turn == answer.turn => answer.model_ended(is_ok),
            Event::Audio {
                turn,
                chunk,
                bytes,
                duration_ms,
            } if turn == answer.turn => answer.audio(chunk, bytes, duration_ms, now_ms, config),
            Event::Synthesised { turn, chunk, words } if turn == answer.turn => answer.synthesised(chunk, words),
            Event::SynthesisFailed { turn, chunk, error } if turn == answer.turn => {
                answer.synthesis_failed(chunk, &error, effects);
            }
            Event::Played { turn, played_ms } if turn == answer.turn => answer.played(played_ms),
            _ => {}
        }
    }

    fn frame(&mut self, vad: &VadFrame, playing_dbfs: Option<f32>, now_ms: u64, effects: &mut Vec<Effect>) {
        if !self.is_connected() || self.closing.is_some() {
            return;
        }
        match self.endpoint.push(vad, playing_dbfs) {
            Some(EndpointEvent::Started { from_ms, .. }) => {
                self.stop_answer(now_ms, effects);
                self.hearing.start(from_ms, effects);
            }
            Some(EndpointEvent::Ended { .. }) => {
                self.hearing.finish(now_ms, &self.config, effects);
            }
            None => self.hearing.feed(effects),
        }
    }

    fn words(&mut self, utterance: u32, text: &str, is_final: bool) {
        if let Some(text) = self.hearing.words(utterance, text, is_final) {
            self.endpoint.hint(Completeness::of(&text));
        }
    }

    fn stop_answer(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        let is_connected = self.is_connected();
        if let Some(answer) = &mut self.answer {
            answer.stop(now_ms, is_connected, &self.config, effects);
        }
    }

    fn close(&mut self, reason: CloseReason, now_ms: u64, effects: &mut Vec<Effect>) {
        if self.closing.is_none() {
            self.closing = Some(reason);
            self.endpoint.reset();
            self.hearing.drop_all(effects);
            self.waiting.clear();
            self.stop_answer(now_ms, effects);
        }
    }

    fn expire(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        if self.grace_until.is_some_and(|until| until <= now_ms) {
            self.close(CloseReason::Lost, now_ms, effects);
        }
        let is_idle = self.state == State::Idle && self.is_connected();
        if is_idle && self.idle_since + self.config.idle_ms <= now_ms {
            self.close(CloseReason::Idle, now_ms, effects);
        }
        self.hearing.expire(now_ms, effects);
        let is_connected = self.is_connected();
        if let Some(answer) = &mut self.answer {
            answer.expire(now_ms, is_connected, &self.config, effects);
        }
    }

    /// Whatever follows from what is known now.
    fn go_on(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        // A provider may end an utterance while the person still speaks.
        if !self.endpoint.is_speaking()
            && let Some(text) = self.hearing.take_text()
        {
            join(&mut self.waiting, &text);
        }
        loop {
            let is_connected = self.is_connected();
            if let Some(answer) = &mut self.answer {
                let Some(outcome) = answer.pump(now_ms, is_connected, &self.config, effects) else {
                    return;
                };
                effects.push(Effect::EndTurn {
                    turn: answer.turn,
                    outcome,
                });
                self.answer = None;
            }
            if let Some(reason) = self.closing {
                effects.push(Effect::Close(reason));
                return;
            }
            // Someone who is speaking again has not finished.
            if self.waiting.is_empty() || !self.hearing.is_empty() {
                return;
            }
            let turn = self.next_turn;
            self.next_turn += 1;
            self.answer = Some(Answer::new(turn, now_ms, &self.config));
            effects.push(Effect::RunTurn {
                turn,
                text: core::mem::take(&mut self.waiting),
            });
        }
    }

    fn show(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        let running = self.answer.as_ref().filter(|answer| !answer.is_stopped());
        let state = if self.closing.is_some() && self.answer.is_none() {
            State::Closed
        } else if let Some(answer) = running {
            if answer.is_heard() {
                State::Speaking
            } else {
                State::Thinking
            }
        } else if !self.hearing.is_empty() {
            State::Listening
        } else if !self.waiting.is_empty() {
            State::Thinking
        } else {
            State::Idle
        };
        if state != self.state {
            if state == State::Idle {
                self.idle_since = now_ms;
            }
            self.state = state;
            effects.push(Effect::StateChanged(state));
        }
    }
}
