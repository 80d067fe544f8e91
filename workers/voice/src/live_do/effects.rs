//! Carrying out what the kernel says. Each task tells its outcome as an event; one that nobody awaits is ignored there.

use super::Inner;
use super::talk::{OUT_RATE_HZ, Turn, Utterance};
use crate::chat::{self, Kind};
use crate::door::Fail;
use crate::say::{is_fixed, pcm_ms};
use crate::turn::{finished, note};
use futures::channel::oneshot;
use futures::future::{Either, select};
use serde_json::json;
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, Pcm, dbfs, from_le_bytes, to_le_bytes, write_wav};
use silent_core::voice::live::{CloseReason, Effect, Event, Outcome, State};
use silent_core::voice::port::{ListenRequest, SpeechError, SttEvent, TranscriptionRequest};
use silent_core::voice::vad::SAMPLE_RATE_HZ;
use silent_edge::audio_store::Side;
use silent_edge::queue::VoiceFigures;
use silent_edge::{SystemClock, random};
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// The kernel ends utterances itself; this is for vendors that would do it sooner.
const ENDPOINTING_MS: u32 = 500;
/// Turns that are remembered: the running one, and the one before for what comes late.
const TURNS: u32 = 2;

pub(super) fn apply(inner: &Rc<Inner>, effects: Vec<Effect>) {
    for effect in effects {
        one(inner, effect);
    }
}

/// Does something with the conversation, if there still is one.
fn with<T>(inner: &Rc<Inner>, work: impl FnOnce(&mut super::Talk) -> T) -> Option<T> {
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
        Effect::StartTranscription { utterance, from_ms } => start_transcription(inner, utterance, from_ms),
        Effect::Transcribe { utterance } => {
            with(inner, |talk| {
                let frame = talk.last_frame().to_vec();
                if let Some(utterance) = talk.utterances.get_mut(&utterance) {
                    utterance.samples.extend_from_slice(&frame);
                    forward(utterance);
                }
            });
        }
        Effect::FinishTranscription { utterance } => finish_transcription(inner, utterance),
        Effect::DropTranscription { utterance } => {
            with(inner, |talk| talk.utterances.remove(&utterance));
        }
        Effect::RunTurn { turn, text } => run_turn(inner, turn, text),
        Effect::StopTurn { turn } => stop_turn(inner, turn),
        Effect::Synthesise { turn, chunk, text } => synthesise(inner, turn, chunk, text),
        Effect::DropSynthesis { turn, chunk } => {
            with(inner, |talk| talk.saying.remove(&(turn, chunk)));
        }
        Effect::SendAudio { turn, block, bytes } => send_audio(inner, turn, block, &bytes),
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
        Effect::EndTurn { turn, outcome } => end_turn(inner, turn, outcome),
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

fn start_transcription(inner: &Rc<Inner>, number: u32, from_ms: u32) {
    let started = with(inner, |talk| {
        let listens = talk.speech.listens();
        let utterance = Utterance {
            samples: talk.since(from_ms),
            as_recording: !listens,
            ..Utterance::default()
        };
        talk.utterances.insert(number, utterance);
        let ask = ListenRequest {
            sample_rate_hz: SAMPLE_RATE_HZ,
            language: Some(talk.attachment.settings.locale.clone()),
            endpointing_ms: ENDPOINTING_MS,
        };
        listens.then(|| (talk.speech.clone(), ask))
    });
    let Some(Some((speech, ask))) = started else { return };
    let inner = inner.clone();
    spawn_local(async move {
        let told = inner.clone();
        let listening = speech.listen(&ask, move |event| listened(&told, number, event)).await;
        let failed = match listening {
            Ok(listening) => {
                with(&inner, |talk| {
                    if let Some(utterance) = talk.utterances.get_mut(&number) {
                        talk.hearing.stt_provider = listening.provider.clone();
                        utterance.listening = Some(listening);
                        forward(utterance);
                        if utterance.is_finished
                            && let Some(listening) = &utterance.listening
                        {
                            listening.finish();
                        }
                    }
                });
                false
            }
            Err(_) => true,
        };
        if failed {
            fall_back(&inner, number, &SpeechError::Unreachable);
        }
    });
}

/// Sends what a live transcription does not have yet.
fn forward(utterance: &mut Utterance) {
    if let Some(listening) = &utterance.listening
        && let Some(new) = utterance.samples.get(utterance.sent..)
        && !new.is_empty()
    {
        listening.send(to_le_bytes(new));
        utterance.sent = utterance.samples.len();
    }
}

/// What a live transcription tells.
fn listened(inner: &Rc<Inner>, number: u32, event: Result<SttEvent, SpeechError>) {
    match event {
        Ok(SttEvent::Transcript(transcript)) => {
            let text = transcript.text;
            with(inner, |talk| {
                talk.tell(
                    &json!({"type": "transcript", "utterance": number, "text": text, "final": transcript.is_final}),
                );
                if let Some(utterance) = talk.utterances.get_mut(&number) {
                    utterance.has_words |= transcript.is_final;
                }
            });
            inner.dispatch(if transcript.is_final {
                Event::Final {
                    utterance: number,
                    text,
                }
            } else {
                Event::Partial {
                    utterance: number,
                    text,
                }
            });
        }
        Ok(SttEvent::Flushed) => transcribed(inner, number),
        Ok(SttEvent::SpeechStarted { .. } | SttEvent::UtteranceEnded) => {}
        Err(error) => fall_back(inner, number, &error),
    }
}

fn transcribed(inner: &Rc<Inner>, number: u32) {
    with(inner, |talk| {
        talk.hearing.stt_ms = SystemClock.now_ms().saturating_sub(talk.voice_at_ms);
        if let Some(utterance) = talk.utterances.remove(&number) {
            talk.hearing.said_ms = talk.hearing.said_ms.saturating_add(samples_ms(&utterance.samples));
            if let Some(listening) = &utterance.listening {
                talk.hearing.cost_micros += price(listening.micros_per_minute, samples_ms(&utterance.samples));
            }
            if talk.keeper.is_some() {
                talk.hearing_samples.extend_from_slice(&utterance.samples);
            }
        }
    });
    inner.dispatch(Event::Transcribed { utterance: number });
}

fn price(micros_per_minute: u64, ms: u32) -> u64 {
    micros_per_minute.saturating_mul(u64::from(ms)) / 60_000
}

fn samples_ms(samples: &[i16]) -> u32 {
    pcm_ms(samples.len() * 2, SAMPLE_RATE_HZ)
}

/// Where live listening fails the sound is still there: it is written down as a recording.
fn fall_back(inner: &Rc<Inner>, number: u32, error: &SpeechError) {
    let state = with(inner, |talk| {
        talk.hearing.stt_failovers += 1;
        talk.utterances.get_mut(&number).map(|utterance| {
            utterance.as_recording = true;
            utterance.listening = None;
            (utterance.has_words, utterance.is_finished)
        })
    });
    match state.flatten() {
        // Its beginning stands already: said twice would be worse than cut.
        Some((true, _)) => inner.dispatch(Event::TranscriptionFailed {
            utterance: number,
            error: error.clone(),
        }),
        Some((false, true)) => transcribe(inner, number),
        _ => {}
    }
}

fn finish_transcription(inner: &Rc<Inner>, number: u32) {
    let as_recording = with(inner, |talk| {
        let utterance = talk.utterances.get_mut(&number)?;
        utterance.is_finished = true;
        if let Some(listening) = &utterance.listening {
            listening.finish();
        }
        Some(utterance.as_recording)
    });
    if as_recording.flatten() == Some(true) {
        transcribe(inner, number);
    }
}

fn transcribe(inner: &Rc<Inner>, number: u32) {
    let asked = with(inner, |talk| {
        let utterance = talk.utterances.get(&number)?;
        let request = TranscriptionRequest {
            audio: to_le_bytes(&utterance.samples),
            container: Container::Pcm16,
            sample_rate_hz: SAMPLE_RATE_HZ,
            language: Some(talk.attachment.settings.locale.clone()),
            prompt: None,
            words: false,
            traceparent: None,
        };
        Some((talk.speech.clone(), request, samples_ms(&utterance.samples)))
    });
    let Some((speech, request, said_ms)) = asked.flatten() else {
        return;
    };
    let inner = inner.clone();
    spawn_local(async move {
        match speech.transcribe(&request).await {
            Ok(heard) => {
                let text = heard.transcript.text;
                with(&inner, |talk| {
                    talk.hearing.stt_provider = heard.provider;
                    talk.hearing.stt_failovers += heard.failovers;
                    talk.hearing.cost_micros += price(heard.micros_per_minute, said_ms);
                    talk.tell(&json!({"type": "transcript", "utterance": number, "text": text, "final": true}));
                });
                inner.dispatch(Event::Final {
                    utterance: number,
                    text,
                });
                transcribed(&inner, number);
            }
            Err(error) => {
                with(&inner, |talk| talk.utterances.remove(&number));
                inner.dispatch(Event::TranscriptionFailed {
                    utterance: number,
                    error,
                });
            }
        }
    });
}

fn run_turn(inner: &Rc<Inner>, number: u32, text: String) {
    let begun = with(inner, |talk| {
        let hearing = std::mem::take(&mut talk.hearing);
        let turn = Turn {
            id: None,
            text: String::new(),
            is_fixed: None,
            wants_stop: false,
            heard_bytes: None,
            figures: VoiceFigures {
                channel: "live".into(),
                ..hearing
            },
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

fn stop_turn(inner: &Rc<Inner>, number: u32) {
    let stop = with(inner, |talk| {
        let turn = talk.turns.get_mut(&number)?;
        turn.wants_stop = true;
        Some((talk.chat.clone(), turn.id.clone()?))
    });
    if let Some((chat, id)) = stop.flatten() {
        spawn_local(async move { chat.stop(&id).await });
    }
}

fn synthesise(inner: &Rc<Inner>, turn: u32, chunk: u32, text: String) {
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
            if let (Ok(took), Some(turn)) = (&took, talk.turns.get_mut(&turn)) {
                note(&mut turn.figures, took);
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

fn send_audio(inner: &Rc<Inner>, number: u32, block: u32, bytes: &[u8]) {
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

fn end_turn(inner: &Rc<Inner>, number: u32, outcome: Outcome) {
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
        if let Some(keeper) = keeper {
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
