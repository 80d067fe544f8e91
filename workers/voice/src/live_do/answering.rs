//! The answer: a turn of the chat Worker, its chunks spoken, its sound sent, its end told.

use super::Inner;
use super::effects::with;
use super::talk::{OUT_RATE_HZ, Turn};
use crate::chat::{self, Kind};
use crate::door::Fail;
use crate::say::{is_fixed, pcm_ms};
use crate::turn::{finished, hearing, note, note_failure};
use futures::channel::oneshot;
use futures::future::{Either, select};
use serde_json::json;
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, Pcm, dbfs, from_le_bytes, to_le_bytes, write_wav};
use silent_core::voice::live::{Event, Outcome};
use silent_core::voice::vad::SAMPLE_RATE_HZ;
use silent_edge::audio_store::Side;
use silent_edge::{SystemClock, random};
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// Turns that are remembered: the running one, and the one before for what comes late.
const TURNS: u32 = 2;

pub(super) fn run_turn(inner: &Rc<Inner>, number: u32, text: String) {
    let begun = with(inner, |talk| {
        let mut figures = std::mem::take(&mut talk.hearing);
        figures.channel = "live".into();
        // What was typed was heard by nobody.
        if !figures.stt_provider.is_empty() {
            figures.parts.push(hearing(&figures, talk.voice_at_ms));
        }
        let turn = Turn {
            id: None,
            text: String::new(),
            is_fixed: None,
            wants_stop: false,
            heard_bytes: None,
            figures,
            speech_ended_ms: talk.voice_at_ms,
            levels: Vec::new(),
            played_ms: 0,
            played_at_ms: 0,
            said: to_le_bytes(&std::mem::take(&mut talk.hearing_samples)),
            answered: Vec::new(),
        };
        talk.turns.retain(|known, _| known.saturating_add(TURNS) > number);
        talk.turns.insert(number, turn);
        talk.tell(&json!({"type": "turn", "turn": number, "text": text}));
        (talk.chat.clone(), talk.told.take())
    });
    let Some((chat, told)) = begun else { return };
    let inner = inner.clone();
    spawn_local(async move {
        if let Some(told) = told {
            let _ = told.await;
        }
        let key = random::bytes::<16>().map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let is_ok = answer(&inner, number, &chat, &text, key.ok().as_deref()).await;
        inner.dispatch(Event::AnswerEnded { turn: number, is_ok });
    });
}

/// Runs a turn to its end; whether there is an answer.
async fn answer(inner: &Rc<Inner>, number: u32, chat: &chat::Chat, text: &str, key: Option<&str>) -> bool {
    let mut stream = match chat.say(text, key).await {
        Ok(stream) => stream,
        Err(fail) => {
            let status = match fail {
                Fail::Said(response) => response.status_code(),
                Fail::Api(_) => 503,
            };
            let error = if status == 429 { "rate-limited" } else { "turn-refused" };
            with(inner, |talk| {
                talk.tell(&json!({"type": "error", "error": error, "status": status}))
            });
            return false;
        }
    };
    let wants_stop = with(inner, |talk| {
        talk.tell(
            &json!({"type": "turn-id", "turn": number, "turn_id": stream.turn_id, "message_id": stream.message_id}),
        );
        let turn = talk.turns.get_mut(&number)?;
        turn.id = Some(stream.turn_id.clone());
        Some(turn.wants_stop)
    });
    if wants_stop.flatten() == Some(true) {
        chat.stop(&stream.turn_id).await;
    }
    let mut is_ok = false;
    while let Some(part) = stream.next().await {
        match chat::kind(&part) {
            Kind::Text(delta) => {
                with(inner, |talk| {
                    let settings = &talk.attachment.settings;
                    if let Some(turn) = talk.turns.get_mut(&number) {
                        turn.is_fixed.get_or_insert_with(|| is_fixed(&delta, settings));
                        turn.text.push_str(&delta);
                    }
                    talk.tell(&json!({"type": "text", "turn": number, "delta": delta}));
                });
                inner.dispatch(Event::Text {
                    turn: number,
                    text: delta,
                });
            }
            Kind::Ended => is_ok = true,
            Kind::Failed | Kind::Done => {}
            Kind::Other => {
                // Help, disclosure and the like, as the page knows them.
                if let Ok(part) = serde_json::from_str::<serde_json::Value>(&part)
                    && part
                        .get("type")
                        .and_then(|kind| kind.as_str())
                        .is_some_and(|kind| kind.starts_with("data-"))
                {
                    with(inner, |talk| {
                        talk.tell(&json!({"type": "part", "turn": number, "part": part}))
                    });
                }
            }
        }
    }
    is_ok
}

pub(super) fn stop_turn(inner: &Rc<Inner>, number: u32) {
    let stop = with(inner, |talk| {
        let turn = talk.turns.get_mut(&number)?;
        turn.wants_stop = true;
        Some((talk.chat.clone(), turn.id.clone()?))
    });
    if let Some((chat, id)) = stop.flatten() {
        spawn_local(async move { chat.stop(&id).await });
    }
}

pub(super) fn synthesise(inner: &Rc<Inner>, turn: u32, chunk: u32, text: String) {
    let (cancel, cancelled) = oneshot::channel::<()>();
    let begun = with(inner, |talk| {
        talk.saying.insert((turn, chunk), cancel);
        let is_fixed = talk.turns.get(&turn).is_some_and(|turn| turn.is_fixed == Some(true));
        (talk.voice.clone(), is_fixed)
    });
    let Some((voice, is_fixed)) = begun else { return };
    let inner = inner.clone();
    spawn_local(async move {
        let teller = inner.clone();
        let began_ms = SystemClock.now_ms();
        let saying = voice.say(text, is_fixed, move |bytes| {
            let duration_ms = pcm_ms(bytes.len(), OUT_RATE_HZ);
            teller.dispatch(Event::Audio {
                turn,
                chunk,
                bytes,
                duration_ms,
            });
            true
        });
        // A dropped sender is the wish to stop; dropping the voice stops it upstream.
        let Either::Left((took, _)) = select(pin!(saying), cancelled).await else {
            return;
        };
        with(&inner, |talk| {
            talk.saying.remove(&(turn, chunk));
            let figures = talk.turns.get_mut(&turn).map(|turn| &mut turn.figures);
            match (&took, figures) {
                (Ok(took), Some(figures)) => note(figures, took),
                (Err(error), Some(figures)) => note_failure(figures, error, began_ms),
                (_, None) => {}
            }
        });
        inner.dispatch(match took {
            Ok(_) => Event::Synthesised {
                turn,
                chunk,
                words: Vec::new(),
            },
            Err(error) => Event::SynthesisFailed { turn, chunk, error },
        });
    });
}

pub(super) fn send_audio(inner: &Rc<Inner>, number: u32, block: u32, bytes: &[u8]) {
    with(inner, |talk| {
        talk.send_audio(number, block, bytes);
        let now_ms = SystemClock.now_ms();
        let keeps = talk.keeper.is_some();
        let Some(turn) = talk.turns.get_mut(&number) else {
            return;
        };
        // Blocks that are sent again are counted once.
        if usize::try_from(block).is_ok_and(|block| block < turn.levels.len()) {
            return;
        }
        if turn.levels.is_empty() {
            turn.played_at_ms = now_ms;
            turn.figures.first_audio_ms = Some(now_ms.saturating_sub(turn.speech_ended_ms));
        }
        let ms = pcm_ms(bytes.len(), OUT_RATE_HZ);
        let before = turn.levels.last().map_or(0, |(end_ms, _)| *end_ms);
        turn.levels
            .push((before.saturating_add(ms), dbfs(&from_le_bytes(bytes))));
        turn.figures.answered_ms = turn.figures.answered_ms.saturating_add(ms);
        if keeps {
            turn.answered.extend_from_slice(bytes);
        }
    });
}

pub(super) fn end_turn(inner: &Rc<Inner>, number: u32, outcome: Outcome) {
    let ended = with(inner, |talk| {
        let turn = talk.turns.get_mut(&number)?;
        turn.levels.clear();
        if outcome == Outcome::Stopped {
            turn.figures.interrupted = true;
        }
        let outcome = match outcome {
            Outcome::Finished => "finished",
            Outcome::Stopped => "stopped",
            Outcome::Failed => "failed",
        };
        let message = json!({
            "type": "turn-end", "turn": number, "turn_id": turn.id, "outcome": outcome,
            "heard_bytes": turn.heard_bytes, "figures": turn.figures,
        });
        let (heard_bytes, figures) = (turn.heard_bytes, turn.figures.clone());
        let sound = (std::mem::take(&mut turn.said), std::mem::take(&mut turn.answered));
        let id = turn.id.clone();
        talk.tell(&message);
        let told = heard_bytes.map(|_| {
            let (tell, told) = oneshot::channel::<()>();
            talk.told = Some(told);
            tell
        });
        Some((
            talk.chat.clone(),
            id?,
            heard_bytes,
            figures,
            told,
            talk.keeper.clone(),
            sound,
            talk.voice.clone(),
        ))
    });
    let Some((chat, id, bytes, figures, told, keeper, (said, answered), voice)) = ended.flatten() else {
        return;
    };
    spawn_local(async move {
        chat.heard(&id, bytes, &figures).await;
        // The next turn waits for no more than this.
        drop(told);
        // Consent may have been taken back since the talk began.
        if let Some(keeper) = keeper
            && chat.settings().await.is_ok_and(|settings| settings.store_audio)
        {
            let said = write_wav(&Pcm {
                samples: from_le_bytes(&said),
                sample_rate_hz: SAMPLE_RATE_HZ,
            });
            let (media_type, file) = finished(&answered, &voice);
            keeper.keep(&id, Side::Said, Container::Wav.media_type(), &said).await;
            keeper.keep(&id, Side::Answered, media_type, &file).await;
        }
    });
}
