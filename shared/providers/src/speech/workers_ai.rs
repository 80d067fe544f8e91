//! Cloudflare Workers AI over HTTP: Whisper and Deepgram's Aura. The binding takes the same bodies, and answers without the
//! envelope.
//!
//! Source: Cloudflare docs, Workers AI models `whisper-large-v3-turbo` and `aura-1`.

use super::audio::AudioStream;
use super::body::Whole;
use super::whisper::Wire;
use super::{Decode, ResponseHead, SttWire, TtsWire, chars, error, language, speakable};
use crate::http::{HttpRequest, Method, Secret};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use silent_core::voice::audio::{AudioError, Container, write_header};
use silent_core::voice::port::{SpeechError, SpeechEvent, SpeechRequest, SttEvent, TranscriptionRequest};

#[cfg(test)]
mod tests;

/// Largest recording: base64 and JSON must fit in memory beside it.
const MAX_FILE: usize = 16 << 20;
const MAX_CHARS: usize = 2_000;

/// An account and a model.
#[derive(Debug, Clone)]
pub struct Model {
    /// `https://api.cloudflare.com/client/v4/accounts/{id}/ai/run`, or a gateway; without a slash at the end.
    pub base_url: String,
    /// An API token.
    pub api_token: Secret,
    /// `@cf/openai/whisper-large-v3-turbo`, `@cf/deepgram/aura-1`.
    pub model: String,
}

impl Model {
    fn post(&self, body: &Value, trace: Option<&String>) -> HttpRequest {
        let mut headers = alloc::vec![
            ("authorization", format!("Bearer {}", self.api_token.expose())),
            ("content-type", "application/json".to_string()),
        ];
        if let Some(trace) = trace {
            headers.push(("traceparent", trace.clone()));
        }
        HttpRequest {
            method: Method::Post,
            url: format!("{}/{}", self.base_url.trim_end_matches('/'), self.model),
            headers,
            body: body.to_string().into_bytes(),
        }
    }
}

/// Codes tell more than statuses: out of capacity, a time-out, an allocation that is used up, audio that cannot be read
/// (Workers AI, "Errors").
fn refused(head: &ResponseHead, body: &Value) -> SpeechError {
    match body.pointer("/errors/0/code").and_then(Value::as_u64) {
        Some(3040) => error::busy(head),
        Some(3007) => SpeechError::TimedOut("upstream"),
        Some(3036) => SpeechError::Account,
        Some(5004) => AudioError::Refused.into(),
        _ => error::of_status(head),
    }
}

/// Speech to text.
#[derive(Debug, Clone)]
pub struct Whisper(pub Model);

impl SttWire for Whisper {
    fn request(&self, ask: &TranscriptionRequest) -> Result<HttpRequest, SpeechError> {
        if ask.audio.is_empty() {
            return Err(AudioError::Empty.into());
        }
        if ask.audio.len() > MAX_FILE {
            return Err(AudioError::TooLarge { limit_bytes: MAX_FILE }.into());
        }
        let file = if ask.container == Container::Pcm16 {
            let mut file = write_header(ask.sample_rate_hz, u32::try_from(ask.audio.len()).ok());
            file.extend_from_slice(&ask.audio);
            Cow::Owned(file)
        } else {
            Cow::Borrowed(&ask.audio)
        };
        let mut body = Map::new();
        body.insert("audio".to_string(), json!(STANDARD.encode(file.as_slice())));
        body.insert("task".to_string(), json!("transcribe"));
        if let Some(tag) = &ask.language {
            body.insert("language".to_string(), json!(language::primary(tag)));
        }
        if let Some(prompt) = &ask.prompt {
            body.insert("initial_prompt".to_string(), json!(prompt));
        }
        Ok(self.0.post(&Value::Object(body), ask.traceparent.as_ref()))
    }

    fn decoder(&self, head: &ResponseHead) -> Box<dyn Decode<SttEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |body| refused(&head, body));
        }
        Whole::json(|bytes| {
            let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
            if body.get("success") == Some(&Value::Bool(false)) {
                return alloc::vec![
                    Err(refused(&ResponseHead::default(), &body)).map_err(|error| match error {
                        SpeechError::Status(_) => SpeechError::InStream,
                        error => error,
                    })
                ];
            }
            let result = body.get("result").cloned().unwrap_or(body);
            match serde_json::from_value::<Wire>(result) {
                Ok(wire) => wire.into_events(),
                Err(_) => alloc::vec![Err(SpeechError::Protocol("transcript is not JSON of the protocol"))],
            }
        })
    }
}

/// Text to speech.
#[derive(Debug, Clone)]
pub struct Aura(pub Model);

impl TtsWire for Aura {
    fn max_chars(&self) -> usize {
        MAX_CHARS
    }

    fn request(&self, ask: &SpeechRequest, _now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let text = speakable(&ask.text, MAX_CHARS)?;
        // Without these the answer is MP3.
        let mut body = match ask.container {
            Container::Pcm16 => json!({"encoding": "linear16", "container": "none", "sample_rate": rate(ask)}),
            Container::Wav => json!({"encoding": "linear16", "container": "wav", "sample_rate": rate(ask)}),
            Container::Mp3 => json!({"encoding": "mp3"}),
            Container::Ogg => json!({"encoding": "opus", "container": "ogg"}),
            Container::Flac => json!({"encoding": "flac", "sample_rate": rate(ask)}),
            Container::Mp4 | Container::WebM => return Err(SpeechError::Unsupported("container")),
        };
        if let Some(fields) = body.as_object_mut() {
            fields.insert("text".to_string(), json!(text));
            fields.insert("speaker".to_string(), json!(ask.voice));
        }
        Ok(self.0.post(&body, ask.traceparent.as_ref()))
    }

    fn decoder(&self, head: &ResponseHead, ask: &SpeechRequest) -> Box<dyn Decode<SpeechEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |body| refused(&head, body));
        }
        AudioStream::of_body(head, ask.container, rate(ask), chars(&ask.text))
    }
}

fn rate(ask: &SpeechRequest) -> u32 {
    let offered = [8_000, 16_000, 24_000, 32_000, 48_000];
    offered
        .into_iter()
        .find(|rate| *rate >= ask.sample_rate_hz)
        .unwrap_or(48_000)
}
