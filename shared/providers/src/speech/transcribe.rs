//! Amazon Transcribe, live, over a WebSocket whose URL carries the signature.
//!
//! Source: Amazon Transcribe developer guide, "Setting up a WebSocket stream", and API reference, "TranscriptResultStream".
//! HTTP/2 is left out: a Worker's `fetch` cannot send a body while it reads the answer.

use super::{Events, LiveSttSession, LiveSttWire, Message, encode, language, milli, ms};
use crate::aws::event_stream::{Decoder, Frame, encode as frame};
use crate::aws::sigv4::{Credentials, Paths, Payload, Request, Signer};
use crate::http::{HttpRequest, Method};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Deserialize;
use silent_core::voice::port::{ListenRequest, SpeechError, SttEvent, Transcript, Word};

#[cfg(test)]
mod tests;

/// The most that the service allows.
const EXPIRES_S: u32 = 300;
/// Samples of one frame, in bytes: 32 KB is the service's limit, 100 ms at 16 kHz what it advises.
const MAX_AUDIO: usize = 3_200;

/// Languages without a region and the region whose speakers are most.
const REGIONS: &[(&str, &str)] = &[
    ("ar", "ar-SA"),
    ("de", "de-DE"),
    ("en", "en-US"),
    ("es", "es-US"),
    ("fa", "fa-IR"),
    ("fr", "fr-FR"),
    ("he", "he-IL"),
    ("hi", "hi-IN"),
    ("id", "id-ID"),
    ("it", "it-IT"),
    ("ja", "ja-JP"),
    ("ko", "ko-KR"),
    ("nl", "nl-NL"),
    ("pl", "pl-PL"),
    ("pt", "pt-BR"),
    ("ru", "ru-RU"),
    ("th", "th-TH"),
    ("uk", "uk-UA"),
    ("vi", "vi-VN"),
    ("zh", "zh-CN"),
];

/// An account in a region.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Who signs.
    pub credentials: Credentials,
    /// For example `eu-central-1`.
    pub region: String,
    /// In place of `https://transcribestreaming.{region}.amazonaws.com:8443`, for a proxy.
    pub base_url: Option<String>,
    /// Tags among which the language is found where it is not known, for example `en-US,de-DE`; at least two.
    pub languages: String,
}

impl LiveSttWire for Listen {
    fn request(&self, ask: &ListenRequest, now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let base = match &self.base_url {
            Some(base) => base.trim_end_matches('/').to_string(),
            None => format!("https://transcribestreaming.{}.amazonaws.com:8443", self.region),
        };
        let language = match &ask.language {
            Some(tag) => {
                let region = REGIONS.iter().find(|(primary, _)| primary == tag);
                format!("language-code={}", encode(region.map_or(tag, |(_, whole)| whole)))
            }
            None => format!("identify-language=true&language-options={}", encode(&self.languages)),
        };
        let url = format!(
            "{base}/stream-transcription-websocket?{language}&media-encoding=pcm&sample-rate={}",
            ask.sample_rate_hz
        );
        let signer = Signer {
            credentials: &self.credentials,
            region: &self.region,
            service: "transcribe",
            now_ms,
            paths: Paths::Normalized,
            content_sha256: false,
        };
        let request = Request {
            method: "GET",
            url: &url,
            headers: &[],
            payload: Payload::Bytes(&[]),
        };
        Ok(HttpRequest {
            method: Method::Get,
            url: signer.presign(&request, EXPIRES_S),
            headers: Vec::from([("upgrade", "websocket".to_string())]),
            body: Vec::new(),
        })
    }

    fn session(&self) -> Box<dyn LiveSttSession> {
        Box::new(Session::default())
    }
}

/// A live stream.
#[derive(Debug, Default)]
struct Session {
    frames: Decoder,
    is_closing: bool,
    is_over: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TranscriptEvent {
    transcript: WireTranscript,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTranscript {
    #[serde(default)]
    results: Vec<WireResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireResult {
    #[serde(default)]
    alternatives: Vec<Alternative>,
    #[serde(default)]
    start_time: f64,
    #[serde(default)]
    end_time: f64,
    #[serde(default)]
    is_partial: bool,
    language_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alternative {
    #[serde(default)]
    transcript: String,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    #[serde(default)]
    content: String,
    #[serde(default)]
    start_time: f64,
    #[serde(default)]
    end_time: f64,
    #[serde(rename = "Type", default)]
    kind: String,
    confidence: Option<f64>,
}

impl WireResult {
    fn into_transcript(self) -> Option<Transcript> {
        let best = self.alternatives.into_iter().next()?;
        let mut words: Vec<Word> = Vec::new();
        for item in best.items {
            match words.last_mut() {
                // Punctuation is an item of its own, without a time.
                Some(word) if item.kind == "punctuation" => word.text.push_str(&item.content),
                _ => words.push(Word {
                    text: item.content,
                    start_ms: ms(item.start_time),
                    end_ms: ms(item.end_time),
                    confidence_milli: item.confidence.map(milli),
                }),
            }
        }
        let known: Vec<u32> = words
            .iter()
            .filter_map(|word| word.confidence_milli.map(u32::from))
            .collect();
        let mean = known
            .iter()
            .sum::<u32>()
            .checked_div(u32::try_from(known.len()).unwrap_or(0));
        Some(Transcript {
            text: best.transcript.trim().into(),
            language: self.language_code.as_deref().and_then(language::tag),
            confidence_milli: mean.and_then(|mean| u16::try_from(mean).ok()),
            words,
            duration_ms: Some(ms(self.end_time - self.start_time)),
            is_final: !self.is_partial,
        })
    }
}

impl Session {
    fn fail(&mut self, error: SpeechError, out: &mut Events<SttEvent>) {
        self.is_over = true;
        out.push(Err(error));
    }

    fn frame(&mut self, frame: &Frame, out: &mut Events<SttEvent>) {
        if frame.header(":message-type") != Some("event") {
            let error = match frame.header(":exception-type") {
                Some("LimitExceededException") => SpeechError::Busy { retry_after_s: None },
                Some("ServiceUnavailableException") => SpeechError::Busy { retry_after_s: None },
                _ => SpeechError::InStream,
            };
            return self.fail(error, out);
        }
        if frame.header(":event-type") != Some("TranscriptEvent") {
            return;
        }
        let Ok(event) = serde_json::from_slice::<TranscriptEvent>(&frame.payload) else {
            return self.fail(SpeechError::Protocol("event is not JSON of the protocol"), out);
        };
        let results = event.transcript.results.into_iter();
        let transcripts = results.filter_map(WireResult::into_transcript);
        out.extend(
            transcripts
                .filter(|transcript| !transcript.text.is_empty())
                .map(|transcript| Ok(SttEvent::Transcript(transcript))),
        );
    }
}

fn audio_event(pcm: &[u8]) -> Message {
    let headers = [
        (":content-type", "application/octet-stream"),
        (":event-type", "AudioEvent"),
        (":message-type", "event"),
    ];
    Message::Binary(frame(&headers, pcm))
}

impl LiveSttSession for Session {
    fn audio(&mut self, pcm: &[u8]) -> Vec<Message> {
        // An empty one would end the stream.
        if self.is_closing {
            Vec::new()
        } else {
            pcm.chunks(MAX_AUDIO).map(audio_event).collect()
        }
    }

    /// Silence: the service ends a stream without sound after 15 seconds.
    fn keep_alive(&mut self) -> Vec<Message> {
        self.audio(&[0; MAX_AUDIO])
    }

    /// The service cannot flush a stream and keep it: this ends it.
    fn flush(&mut self) -> Vec<Message> {
        self.close()
    }

    fn close(&mut self) -> Vec<Message> {
        if core::mem::replace(&mut self.is_closing, true) {
            Vec::new()
        } else {
            Vec::from([audio_event(&[])])
        }
    }

    fn receive(&mut self, message: &Message) -> Events<SttEvent> {
        let mut out = Events::new();
        if self.is_over {
            return out;
        }
        let Message::Binary(bytes) = message else {
            self.fail(SpeechError::Protocol("text in place of frames"), &mut out);
            return out;
        };
        for frame in self.frames.push(bytes) {
            if self.is_over {
                break;
            }
            match frame {
                Ok(frame) => self.frame(&frame, &mut out),
                Err(_) => self.fail(SpeechError::Protocol("frame is broken"), &mut out),
            }
        }
        out
    }

    fn closed(&mut self, code: u16) -> Events<SttEvent> {
        if core::mem::replace(&mut self.is_over, true) {
            return Events::new();
        }
        if self.is_closing && matches!(code, 1000 | 1005) {
            return Vec::from([Ok(SttEvent::Flushed)]);
        }
        Vec::from([Err(SpeechError::Truncated)])
    }
}
