//! `POST /v1/audio/transcriptions`. Source: OpenAI API reference, "Create transcription".

use super::{Refusal, model};
use crate::door::Door;
use crate::problem::MAX_RECORDING;
use crate::turn::is_silent;
use serde_json::{Value, json};
use silent_core::voice::audio::{check, duration_ms};
use silent_core::voice::port::{Transcript, TranscriptionRequest};
use silent_edge::api_key::ApiKey;
use silent_edge::http::header;
use silent_edge::log;
use worker::{FormEntry, Request, Response};

/// All of them mean the configured providers.
const MODELS: [&str; 4] = ["companion", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"];

pub(super) async fn create(door: &Door, mut request: Request, key: &ApiKey) -> Result<Response, Refusal> {
    // The form is read into memory by the runtime: what is too long is refused before.
    let length = header(request.headers(), "content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_RECORDING + 64 * 1024) {
        return Err(too_large());
    }
    let form = request
        .form_data()
        .await
        .map_err(|_| Refusal::invalid(None, None, "Could not parse multipart form"))?;
    let field = |name: &str| match form.get(name) {
        Some(FormEntry::Field(value)) if !value.is_empty() => Some(value),
        _ => None,
    };
    let Some(FormEntry::File(file)) = form.get("file") else {
        return Err(Refusal::invalid(
            Some("file"),
            None,
            "you must provide a file to transcribe",
        ));
    };
    let name =
        field("model").ok_or_else(|| Refusal::invalid(Some("model"), None, "you must provide a model parameter"))?;
    model(&name, &MODELS)?;
    let format = field("response_format").unwrap_or_else(|| "json".into());
    if !["json", "text", "verbose_json", "srt", "vtt"].contains(&format.as_str()) {
        return Err(Refusal::invalid(
            Some("response_format"),
            Some("unsupported_value"),
            "response_format must be json, text, verbose_json, srt or vtt",
        ));
    }
    let audio = file.bytes().await?;
    if audio.len() > MAX_RECORDING {
        return Err(too_large());
    }
    let container = check(&audio, MAX_RECORDING)
        .map_err(|error| Refusal::invalid(Some("file"), Some(error.slug()), error.to_string()))?;
    let length_ms = duration_ms(&audio, container, 0);
    let (transcript, provider, cost_micros) = if is_silent(&audio, container) {
        (Transcript::default(), String::from("none"), 0)
    } else {
        let heard = door
            .speech
            .transcribe(&TranscriptionRequest {
                audio,
                container,
                sample_rate_hz: 0,
                language: field("language"),
                prompt: field("prompt"),
                words: true,
                traceparent: None,
            })
            .await?;
        let ms = heard.transcript.duration_ms.or(length_ms).unwrap_or(0);
        let cost = heard.micros_per_minute.saturating_mul(u64::from(ms)) / 60_000;
        (heard.transcript, heard.provider, cost)
    };
    let length_ms = transcript.duration_ms.or(length_ms).unwrap_or(0);
    let fields = json!({"key": key.id, "provider": provider, "audio_ms": length_ms, "cost_micros": cost_micros});
    log::line("info", "audio-transcribed", &door.correlation_id, fields);
    if field("stream").as_deref() == Some("true") {
        return stream(&transcript, length_ms);
    }
    Ok(match format.as_str() {
        "json" => Response::from_json(&json!({"text": transcript.text, "usage": usage(length_ms)}))?,
        "verbose_json" => Response::from_json(&verbose(&transcript, length_ms))?,
        "text" => plain(&format!("{}\n", transcript.text))?,
        "srt" => plain(&cue(&transcript, length_ms, ','))?,
        _ => plain(&format!("WEBVTT\n\n{}", cue(&transcript, length_ms, '.')))?,
    })
}

fn too_large() -> Refusal {
    Refusal {
        status: 413,
        ..Refusal::invalid(
            Some("file"),
            Some("request_too_large"),
            format!("Maximum content size limit ({MAX_RECORDING}) exceeded"),
        )
    }
}

fn plain(text: &str) -> Result<Response, Refusal> {
    let response = Response::ok(text)?;
    response.headers().set("content-type", "text/plain; charset=utf-8")?;
    Ok(response)
}

fn usage(length_ms: u32) -> Value {
    json!({"type": "duration", "seconds": length_ms.div_ceil(1_000)})
}

fn seconds(ms: u32) -> f64 {
    f64::from(ms) / 1_000.0
}

fn verbose(transcript: &Transcript, length_ms: u32) -> Value {
    let words: Vec<Value> = transcript
        .words
        .iter()
        .map(|word| json!({"word": word.text, "start": seconds(word.start_ms), "end": seconds(word.end_ms)}))
        .collect();
    json!({
        "task": "transcribe",
        "language": transcript.language.as_deref().unwrap_or("unknown"),
        "duration": seconds(length_ms),
        "text": transcript.text,
        "segments": [{
            "id": 0, "seek": 0, "start": 0.0, "end": seconds(length_ms), "text": transcript.text, "tokens": [],
            "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0,
        }],
        "words": words,
        "usage": usage(length_ms),
    })
}

/// One cue that covers the recording: a subtitle's numbers differ from WebVTT's in their mark alone.
fn cue(transcript: &Transcript, length_ms: u32, mark: char) -> String {
    let time = |ms: u32| {
        let (s, rest) = (ms / 1_000, ms % 1_000);
        format!("{:02}:{:02}:{:02}{mark}{rest:03}", s / 3_600, s / 60 % 60, s % 60)
    };
    let number = if mark == ',' { "1\n" } else { "" };
    format!("{number}{} --> {}\n{}\n\n", time(0), time(length_ms), transcript.text)
}

fn stream(transcript: &Transcript, length_ms: u32) -> Result<Response, Refusal> {
    let events = [
        json!({"type": "transcript.text.delta", "delta": transcript.text}),
        json!({"type": "transcript.text.done", "text": transcript.text, "usage": usage(length_ms)}),
    ];
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let response = Response::ok(format!("{text}data: [DONE]\n\n"))?;
    response.headers().set("content-type", "text/event-stream")?;
    Ok(response)
}
