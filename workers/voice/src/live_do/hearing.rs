//! The person's words: live where a vendor listens, else as a recording when the utterance is over.

use super::Inner;
use super::effects::with;
use super::talk::Utterance;
use crate::say::pcm_ms;
use serde_json::json;
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, to_le_bytes};
use silent_core::voice::live::Event;
use silent_core::voice::port::{ListenRequest, SpeechError, SttEvent, TranscriptionRequest};
use silent_core::voice::vad::SAMPLE_RATE_HZ;
use silent_edge::SystemClock;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// The kernel ends utterances itself; this is for vendors that would do it sooner.
const ENDPOINTING_MS: u32 = 500;

pub(super) fn start_transcription(inner: &Rc<Inner>, number: u32, from_ms: u32) {
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
pub(super) fn forward(utterance: &mut Utterance) {
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

pub(super) fn finish_transcription(inner: &Rc<Inner>, number: u32) {
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
