//! Deepgram: recordings and live speech to text, text to speech.
//!
//! Source: Deepgram API reference, "Listen" (HTTP and WebSocket) and "Speak".

use super::audio::AudioStream;
use super::body::Whole;
use super::{
    Decode, Events, LiveSttSession, LiveSttWire, Message, ResponseHead, SttWire, TtsWire, chars, encode, error,
    language, milli, ms, speakable,
};
use crate::http::{HttpRequest, Method, Secret};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::voice::audio::{AudioError, Container};
use silent_core::voice::port::{
    ListenRequest, SpeechError, SpeechEvent, SpeechRequest, SttEvent, Transcript, TranscriptionRequest, Word,
};

#[cfg(test)]
mod tests;

/// Largest file that is read into memory; the vendor takes 2 GB.
const MAX_FILE: usize = 100 << 20;
const MAX_CHARS: usize = 2_000;

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// `https://api.deepgram.com`, or a proxy; without a slash at the end.
    pub base_url: String,
    /// The key.
    pub api_key: Secret,
}

impl Account {
    fn request(&self, method: Method, path: &str, content_type: Option<&str>, body: Vec<u8>) -> HttpRequest {
        let mut headers = alloc::vec![("authorization", format!("Token {}", self.api_key.expose()))];
        if let Some(kind) = content_type {
            headers.push(("content-type", kind.to_string()));
        }
        HttpRequest {
            method,
            url: format!("{}{path}", self.base_url.trim_end_matches('/')),
            headers,
            body,
        }
    }
}

/// Speech to text.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The account.
    pub account: Account,
    /// `nova-3` or another.
    pub model: String,
}

#[derive(Deserialize)]
struct Answer {
    metadata: Option<Metadata>,
    results: Option<Results>,
}

#[derive(Deserialize)]
struct Metadata {
    duration: Option<f64>,
}

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    alternatives: Vec<Alternative>,
    detected_language: Option<String>,
}

#[derive(Deserialize)]
struct Alternative {
    #[serde(default)]
    transcript: String,
    confidence: Option<f64>,
    #[serde(default)]
    words: Vec<WireWord>,
    #[serde(default)]
    languages: Vec<String>,
}

#[derive(Deserialize)]
struct WireWord {
    #[serde(default)]
    word: String,
    punctuated_word: Option<String>,
    #[serde(default)]
    start: f64,
    #[serde(default)]
    end: f64,
    confidence: Option<f64>,
}

impl Channel {
    /// The first alternative is the most likely one.
    fn into_transcript(self, duration: Option<f64>, is_final: bool) -> Transcript {
        let Some(best) = self.alternatives.into_iter().next() else {
            return Transcript {
                is_final,
                ..Transcript::default()
            };
        };
        let is_empty = best.transcript.trim().is_empty();
        let language = self.detected_language.or_else(|| best.languages.into_iter().next());
        Transcript {
            text: best.transcript.trim().into(),
            language: language.as_deref().and_then(language::tag),
            // Silence has a confidence of 0, which says nothing about a text.
            confidence_milli: best.confidence.filter(|_| !is_empty).map(milli),
            words: best
                .words
                .into_iter()
                .map(|word| Word {
                    text: word.punctuated_word.unwrap_or(word.word),
                    start_ms: ms(word.start),
                    end_ms: ms(word.end),
                    confidence_milli: word.confidence.map(milli),
                })
                .collect(),
            duration_ms: duration.map(ms),
            is_final,
        }
    }
}

impl SttWire for Listen {
    fn request(&self, ask: &TranscriptionRequest) -> Result<HttpRequest, SpeechError> {
        if ask.audio.is_empty() {
            return Err(AudioError::Empty.into());
        }
        if ask.audio.len() > MAX_FILE {
            return Err(AudioError::TooLarge { limit_bytes: MAX_FILE }.into());
        }
        let mut path = format!("/v1/listen?model={}&smart_format=true", encode(&self.model));
        match &ask.language {
            Some(tag) => path.push_str(&format!("&language={}", encode(tag))),
            None => path.push_str("&detect_language=true"),
        }
        if ask.container == Container::Pcm16 {
            path.push_str(&format!(
                "&encoding=linear16&sample_rate={}&channels=1",
                ask.sample_rate_hz
            ));
        }
        let kind = if ask.container == Container::Pcm16 {
            "application/octet-stream"
        } else {
            ask.container.media_type()
        };
        let mut request = self.account.request(Method::Post, &path, Some(kind), ask.audio.clone());
        if let Some(trace) = &ask.traceparent {
            request.headers.push(("traceparent", trace.clone()));
        }
        Ok(request)
    }

    fn decoder(&self, head: &ResponseHead) -> Box<dyn Decode<SttEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |_| match head.status {
                // "Bad Request: failed to process audio: corrupt or unsupported data"; parameters are ours and fixed.
                400 => AudioError::Refused.into(),
                _ => error::of_status(&head),
            });
        }
        Whole::json(|bytes| {
            let Ok(answer) = serde_json::from_slice::<Answer>(bytes) else {
                return alloc::vec![Err(SpeechError::Protocol("transcript is not JSON of the protocol"))];
            };
            let duration = answer.metadata.and_then(|metadata| metadata.duration);
            match answer.results.and_then(|results| results.channels.into_iter().next()) {
                Some(channel) => {
                    let transcript = channel.into_transcript(duration, true);
                    alloc::vec![Ok(SttEvent::Transcript(transcript)), Ok(SttEvent::Flushed)]
                }
                None => alloc::vec![Err(SpeechError::Protocol("transcript without a channel"))],
            }
        })
    }
}

impl LiveSttWire for Listen {
    fn request(&self, ask: &ListenRequest, _now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let mut path = format!(
            "/v1/listen?model={}&encoding=linear16&sample_rate={}&channels=1&interim_results=true&smart_format=true&\
             vad_events=true&endpointing={}",
            encode(&self.model),
            ask.sample_rate_hz,
            ask.endpointing_ms
        );
        // Only recordings have their language detected; live, the model of several languages takes its place.
        let language = ask.language.as_deref().unwrap_or("multi");
        path.push_str(&format!("&language={}", encode(language)));
        let mut request = self.account.request(Method::Get, &path, None, Vec::new());
        request.headers.push(("upgrade", "websocket".to_string()));
        Ok(request)
    }

    fn session(&self) -> Box<dyn LiveSttSession> {
        Box::new(Session::default())
    }
}

/// A live stream.
#[derive(Debug, Default)]
struct Session {
    /// Whether the rest was asked for and has not come.
    is_flushing: bool,
    is_closing: bool,
    is_over: bool,
}

#[derive(Deserialize)]
struct LiveMessage {
    #[serde(rename = "type", default)]
    kind: String,
    /// An object in results, a pair of numbers elsewhere.
    channel: Option<Value>,
    duration: Option<f64>,
    timestamp: Option<f64>,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    speech_final: bool,
    #[serde(default)]
    from_finalize: bool,
    err_code: Option<String>,
}

fn control(kind: &str) -> Vec<Message> {
    alloc::vec![Message::Text(json!({ "type": kind }).to_string())]
}

impl Session {
    fn flushed(&mut self, out: &mut Events<SttEvent>) {
        if self.is_flushing {
            self.is_flushing = false;
            out.push(Ok(SttEvent::Flushed));
        }
    }

    fn fail(&mut self, error: SpeechError) -> Events<SttEvent> {
        self.is_over = true;
        alloc::vec![Err(error)]
    }

    fn results(&mut self, message: LiveMessage) -> Events<SttEvent> {
        let channel = message.channel.map(serde_json::from_value::<Channel>);
        let Some(Ok(channel)) = channel else {
            return self.fail(SpeechError::Protocol("results without a channel"));
        };
        let mut out = Events::new();
        let transcript = channel.into_transcript(message.duration, message.is_final);
        // Silence is told every second or so.
        if !transcript.text.is_empty() {
            out.push(Ok(SttEvent::Transcript(transcript)));
        }
        if message.speech_final {
            out.push(Ok(SttEvent::UtteranceEnded));
        }
        if message.from_finalize {
            self.flushed(&mut out);
        }
        out
    }
}

impl LiveSttSession for Session {
    fn audio(&mut self, pcm: &[u8]) -> Vec<Message> {
        // An empty message would end the stream.
        if pcm.is_empty() || self.is_closing {
            Vec::new()
        } else {
            alloc::vec![Message::Binary(pcm.to_vec())]
        }
    }

    fn keep_alive(&mut self) -> Vec<Message> {
        control("KeepAlive")
    }

    fn flush(&mut self) -> Vec<Message> {
        self.is_flushing = true;
        control("Finalize")
    }

    fn close(&mut self) -> Vec<Message> {
        self.is_flushing = true;
        self.is_closing = true;
        control("CloseStream")
    }

    fn receive(&mut self, message: &Message) -> Events<SttEvent> {
        if self.is_over {
            return Events::new();
        }
        let Message::Text(text) = message else {
            return self.fail(SpeechError::Protocol("bytes in place of text"));
        };
        let Ok(message) = serde_json::from_str::<LiveMessage>(text) else {
            return self.fail(SpeechError::Protocol("message is not JSON of the protocol"));
        };
        let mut out = Events::new();
        match message.kind.as_str() {
            "Results" => return self.results(message),
            "SpeechStarted" => out.push(Ok(SttEvent::SpeechStarted {
                at_ms: ms(message.timestamp.unwrap_or(0.0)),
            })),
            "UtteranceEnd" => out.push(Ok(SttEvent::UtteranceEnded)),
            // The last message of a stream that was closed.
            "Metadata" if self.is_closing => self.flushed(&mut out),
            "Error" => return self.fail(SpeechError::InStream),
            _ if message.err_code.is_some() => return self.fail(SpeechError::InStream),
            _ => {}
        }
        out
    }

    fn closed(&mut self, code: u16) -> Events<SttEvent> {
        if self.is_over {
            return Events::new();
        }
        let mut out = Events::new();
        if self.is_closing && matches!(code, 1000 | 1005) {
            self.flushed(&mut out);
            self.is_over = true;
            return out;
        }
        // DATA-0000 with 1008: the sound cannot be decoded; NET-0001 with 1011: no sound came for 10 seconds.
        self.fail(match code {
            1008 => AudioError::Refused.into(),
            1011 => SpeechError::TimedOut("no sound"),
            _ => SpeechError::Truncated,
        })
    }
}

/// Text to speech.
#[derive(Debug, Clone)]
pub struct Speak {
    /// The account.
    pub account: Account,
}

impl TtsWire for Speak {
    fn max_chars(&self) -> usize {
        MAX_CHARS
    }

    /// The voice is the model: `aura-2-thalia-en`.
    fn request(&self, ask: &SpeechRequest, _now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let rate = ask.sample_rate_hz;
        let format = match ask.container {
            Container::Pcm16 => format!("encoding=linear16&container=none&sample_rate={}", nearest(rate)),
            Container::Wav => format!("encoding=linear16&container=wav&sample_rate={}", nearest(rate)),
            Container::Mp3 => "encoding=mp3".to_string(),
            Container::Ogg => "encoding=opus&container=ogg".to_string(),
            Container::Flac => format!("encoding=flac&sample_rate={}", nearest(rate)),
            Container::Mp4 | Container::WebM => return Err(SpeechError::Unsupported("container")),
        };
        let path = format!("/v1/speak?model={}&{format}", encode(&ask.voice));
        let body = json!({ "text": speakable(&ask.text, MAX_CHARS)? }).to_string();
        Ok(self
            .account
            .request(Method::Post, &path, Some("application/json"), body.into_bytes()))
    }

    fn decoder(&self, head: &ResponseHead, ask: &SpeechRequest) -> Box<dyn Decode<SpeechEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |_| match head.status {
                413 | 422 => SpeechError::Text("refused by the provider"),
                _ => error::of_status(&head),
            });
        }
        let billed = head.number("dg-char-count").unwrap_or_else(|| chars(&ask.text));
        AudioStream::of_body(head, ask.container, nearest(ask.sample_rate_hz), billed)
    }
}

/// The lowest rate on offer that is not below the wanted one.
fn nearest(rate_hz: u32) -> u32 {
    let offered = [8_000, 16_000, 24_000, 32_000, 48_000];
    offered.into_iter().find(|rate| *rate >= rate_hz).unwrap_or(48_000)
}
