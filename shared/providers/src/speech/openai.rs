//! OpenAI's audio API and the many servers that speak it: Groq, local Whisper servers; Kokoro, Piper behind HTTP.
//!
//! Source: OpenAI API reference, "Create transcription", "Create speech", "Transcription streaming events".

use super::audio::AudioStream;
use super::body::Whole;
use super::multipart::Form;
use super::whisper::Wire;
use super::{Decode, Events, ResponseHead, SttWire, TtsWire, chars, error, language, speakable};
use crate::http::{HttpRequest, Method, Secret};
use crate::sse;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::voice::audio::{AudioError, Container, write_header};
use silent_core::voice::port::{SpeechError, SpeechEvent, SpeechRequest, SttEvent, Transcript, TranscriptionRequest};

#[cfg(test)]
mod tests;

/// Largest file of a transcription.
const MAX_FILE: usize = 25 << 20;
const MAX_CHARS: usize = 4_096;
/// The rate of OpenAI's PCM, which cannot be chosen.
const PCM_RATE_HZ: u32 = 24_000;

/// Where a compatible server is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Up to and with `/v1`, without a slash at the end.
    pub base_url: String,
    /// Bearer key, if it wants one.
    pub api_key: Option<Secret>,
    /// The server's name of the model.
    pub model: String,
}

impl Endpoint {
    fn post(&self, path: &str, content_type: String, trace: Option<&String>, body: Vec<u8>) -> HttpRequest {
        let mut headers = alloc::vec![("content-type", content_type)];
        if let Some(key) = &self.api_key {
            headers.push(("authorization", format!("Bearer {}", key.expose())));
        }
        if let Some(trace) = trace {
            headers.push(("traceparent", trace.clone()));
        }
        HttpRequest {
            method: Method::Post,
            url: format!("{}{path}", self.base_url.trim_end_matches('/')),
            headers,
            body,
        }
    }
}

/// What a model can answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Text alone (`json`): `gpt-4o-transcribe` and its kin.
    Plain,
    /// Language, length, segments and words (`verbose_json`): Whisper at OpenAI, Groq and locally.
    Verbose,
    /// Text as it is recognised, in a stream: `gpt-4o-transcribe` and its kin.
    Stream,
}

/// Transcriptions.
#[derive(Debug, Clone)]
pub struct Transcriptions {
    /// The server.
    pub endpoint: Endpoint,
    /// What its model can do.
    pub detail: Detail,
}

impl SttWire for Transcriptions {
    fn request(&self, ask: &TranscriptionRequest) -> Result<HttpRequest, SpeechError> {
        if ask.audio.is_empty() {
            return Err(AudioError::Empty.into());
        }
        if ask.audio.len() > MAX_FILE {
            return Err(AudioError::TooLarge { limit_bytes: MAX_FILE }.into());
        }
        // Raw samples are not taken; with a header they are.
        let (container, file) = if ask.container == Container::Pcm16 {
            let mut file = write_header(ask.sample_rate_hz, u32::try_from(ask.audio.len()).ok());
            file.extend_from_slice(&ask.audio);
            (Container::Wav, Cow::Owned(file))
        } else {
            (ask.container, Cow::Borrowed(&ask.audio))
        };
        let is_verbose = self.detail == Detail::Verbose;
        let mut fields = alloc::vec![
            ("model", self.endpoint.model.clone()),
            (
                "response_format",
                if is_verbose { "verbose_json" } else { "json" }.to_string()
            ),
            ("temperature", "0".to_string()),
        ];
        if let Some(tag) = &ask.language {
            fields.push(("language", language::primary(tag).to_string()));
        }
        if let Some(prompt) = &ask.prompt {
            fields.push(("prompt", prompt.clone()));
        }
        if is_verbose {
            fields.push(("timestamp_granularities[]", "segment".to_string()));
            if ask.words {
                fields.push(("timestamp_granularities[]", "word".to_string()));
            }
        }
        if self.detail == Detail::Stream {
            fields.push(("stream", "true".to_string()));
        }
        let form = Form {
            fields,
            file_name: format!("speech.{}", container.extension()),
            media_type: container.media_type(),
            file: &file,
        };
        let (content_type, body) = form.write();
        Ok(self
            .endpoint
            .post("/audio/transcriptions", content_type, ask.traceparent.as_ref(), body))
    }

    fn decoder(&self, head: &ResponseHead) -> Box<dyn Decode<SttEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |body| refused(&head, body));
        }
        if head.media_type().as_deref() == Some("text/event-stream") {
            return Box::new(Stream::default());
        }
        Whole::json(|bytes| match serde_json::from_slice::<Wire>(bytes) {
            Ok(wire) => wire.into_events(),
            Err(_) => alloc::vec![Err(SpeechError::Protocol("transcript is not JSON of the protocol"))],
        })
    }
}

/// What a refusal means: a quota that is used up looks like a busy server.
fn refused(head: &ResponseHead, body: &Value) -> SpeechError {
    let said = |name: &str| body.pointer(name).and_then(Value::as_str).unwrap_or("");
    let code = said("/error/code");
    let kind = said("/error/type");
    let about_file = said("/error/param") == "file"
        || ["audio", "file", "decode", "media"]
            .iter()
            .any(|word| said("/error/message").to_ascii_lowercase().contains(word));
    match head.status {
        429 if code == "insufficient_quota" || kind == "insufficient_quota" => SpeechError::Account,
        400 | 422 if about_file => AudioError::Refused.into(),
        _ => error::of_status(head),
    }
}

/// The stream of `transcript.text.delta` and `transcript.text.done`.
#[derive(Default)]
struct Stream {
    events: sse::Decoder,
    text: String,
    is_over: bool,
}

#[derive(Deserialize)]
struct StreamEvent {
    #[serde(rename = "type", default)]
    kind: String,
    delta: Option<String>,
    text: Option<String>,
    error: Option<Value>,
}

impl Stream {
    fn read(&mut self, data: &str, out: &mut Events<SttEvent>) {
        let Ok(event) = serde_json::from_str::<StreamEvent>(data) else {
            self.is_over = true;
            out.push(Err(SpeechError::Protocol("event is not JSON of the protocol")));
            return;
        };
        let mut transcript = Transcript::default();
        match event.kind.as_str() {
            "transcript.text.delta" => {
                self.text.push_str(event.delta.as_deref().unwrap_or(""));
                transcript.text = self.text.trim().into();
                if !transcript.text.is_empty() {
                    out.push(Ok(SttEvent::Transcript(transcript)));
                }
            }
            "transcript.text.done" => {
                transcript.text = event.text.as_deref().unwrap_or(&self.text).trim().into();
                transcript.is_final = true;
                self.is_over = true;
                out.push(Ok(SttEvent::Transcript(transcript)));
                out.push(Ok(SttEvent::Flushed));
            }
            kind if kind == "error" || event.error.is_some() => {
                self.is_over = true;
                out.push(Err(SpeechError::InStream));
            }
            // Kinds that are added later, such as segments of speakers.
            _ => {}
        }
    }
}

impl Decode<SttEvent> for Stream {
    fn push(&mut self, bytes: &[u8]) -> Events<SttEvent> {
        let mut out = Events::new();
        for data in self.events.push(bytes) {
            if self.is_over || data.trim() == "[DONE]" {
                break;
            }
            self.read(&data, &mut out);
        }
        out
    }

    fn finish(&mut self) -> Events<SttEvent> {
        if self.is_over {
            return Events::new();
        }
        self.is_over = true;
        alloc::vec![Err(SpeechError::Truncated)]
    }
}

/// Speech.
#[derive(Debug, Clone)]
pub struct Speech {
    /// The server.
    pub endpoint: Endpoint,
    /// Whether PCM is asked for as WAV, whose header tells the rate: for servers whose voices differ in it.
    pub pcm_as_wav: bool,
}

impl TtsWire for Speech {
    fn max_chars(&self) -> usize {
        MAX_CHARS
    }

    fn request(&self, ask: &SpeechRequest, _now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let format = match ask.container {
            Container::Pcm16 if self.pcm_as_wav => "wav",
            Container::Pcm16 => "pcm",
            Container::Wav => "wav",
            Container::Mp3 => "mp3",
            Container::Ogg => "opus",
            Container::Flac => "flac",
            Container::Mp4 | Container::WebM => return Err(SpeechError::Unsupported("container")),
        };
        let body = json!({
            "model": ask.model.as_deref().unwrap_or(&self.endpoint.model),
            "input": speakable(&ask.text, MAX_CHARS)?,
            "voice": ask.voice,
            "response_format": format,
        });
        let kind = "application/json".to_string();
        Ok(self.endpoint.post(
            "/audio/speech",
            kind,
            ask.traceparent.as_ref(),
            body.to_string().into_bytes(),
        ))
    }

    fn decoder(&self, head: &ResponseHead, ask: &SpeechRequest) -> Box<dyn Decode<SpeechEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |body| match (head.status, refused(&head, body)) {
                (400 | 422, _) => SpeechError::Status(head.status),
                (_, error) => error,
            });
        }
        AudioStream::of_body(head, ask.container, PCM_RATE_HZ, chars(&ask.text))
    }
}
