//! Carrying out what the kernel says. Each task tells its outcome as an event; one that nobody awaits is ignored there.

use super::{Inner, Talk, answering, hearing};
use serde_json::json;
use silent_core::voice::live::{CloseReason, Effect, State};
use std::rc::Rc;

pub(super) fn apply(inner: &Rc<Inner>, effects: Vec<Effect>) {
    for effect in effects {
        one(inner, effect);
    }
}

/// Does something with the conversation, if there still is one.
pub(super) fn with<T>(inner: &Rc<Inner>, work: impl FnOnce(&mut Talk) -> T) -> Option<T> {
    inner.talk.borrow_mut().as_mut().map(work)
}

fn one(inner: &Rc<Inner>, effect: Effect) {
    match effect {
        Effect::StateChanged(state) => {
            let name = match state {
                State::Idle => "idle",
                State::Listening => "listening",
                State::Thinking => "thinking",
                State::Speaking => "speaking",
                State::Closed => "closed",
            };
            with(inner, |talk| talk.tell(&json!({"type": "state", "state": name})));
        }
        Effect::StartTranscription { utterance, from_ms } => hearing::start_transcription(inner, utterance, from_ms),
        Effect::Transcribe { utterance } => {
            with(inner, |talk| {
                let frame = talk.last_frame().to_vec();
                if let Some(utterance) = talk.utterances.get_mut(&utterance) {
                    utterance.samples.extend_from_slice(&frame);
                    hearing::forward(utterance);
                }
            });
        }
        Effect::FinishTranscription { utterance } => hearing::finish_transcription(inner, utterance),
        Effect::DropTranscription { utterance } => {
            with(inner, |talk| talk.utterances.remove(&utterance));
        }
        Effect::RunTurn { turn, text } => answering::run_turn(inner, turn, text),
        Effect::StopTurn { turn } => answering::stop_turn(inner, turn),
        Effect::Synthesise { turn, chunk, text } => answering::synthesise(inner, turn, chunk, text),
        Effect::DropSynthesis { turn, chunk } => {
            with(inner, |talk| talk.saying.remove(&(turn, chunk)));
        }
        Effect::SendAudio { turn, block, bytes } => answering::send_audio(inner, turn, block, &bytes),
        Effect::EndAudio { turn } => {
            with(inner, |talk| talk.tell(&json!({"type": "audio-end", "turn": turn})));
        }
        Effect::FlushPlayback { turn } => {
            with(inner, |talk| {
                talk.tell(&json!({"type": "flush", "turn": turn}));
                if let Some(turn) = talk.turns.get_mut(&turn) {
                    turn.levels.clear();
                    turn.figures.interrupted = true;
                }
            });
        }
        Effect::Truncate { turn, bytes } => {
            with(inner, |talk| {
                if let Some(turn) = talk.turns.get_mut(&turn) {
                    turn.heard_bytes = Some(bytes as u64);
                }
            });
        }
        Effect::EndTurn { turn, outcome } => answering::end_turn(inner, turn, outcome),
        Effect::Report(slug) => {
            with(inner, |talk| {
                talk.tell(&json!({"type": "error", "error": slug}));
                let figures = match talk.turns.values_mut().last() {
                    Some(turn) => &mut turn.figures,
                    None => &mut talk.hearing,
                };
                figures.error = Some(slug.into());
            });
        }
        Effect::Close(reason) => {
            let reason = match reason {
                CloseReason::HungUp => "hung-up",
                CloseReason::Lost => "lost",
                CloseReason::Idle => "idle",
            };
            with(inner, |talk| {
                talk.tell(&json!({"type": "closed", "reason": reason}));
                talk.close_socket(reason);
            });
        }
    }
}
