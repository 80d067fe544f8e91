//! ElevenLabs: text to speech as it is made, with the times of characters where they are wanted.
//!
//! Source: ElevenLabs API reference, "Stream speech" and "Stream speech with timing".

use super::audio::AudioStream;
use super::body::Whole;
use super::{Decode, Events, ResponseHead, TtsWire, chars, encode, error, ms, speakable};
use crate::http::{HttpRequest, Method, Secret};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::voice::audio::Container;
use silent_core::voice::port::{SpeechError, SpeechEvent, SpeechRequest, Word};

#[cfg(test)]
mod tests;

/// The limit of `eleven_v3`; the other models take more.
const MAX_CHARS: usize = 3_000;
/// Longest line: a few seconds of sound in base64.
const MAX_LINE: usize = 8 << 20;

/// An account and how it speaks.
#[derive(Debug, Clone)]
pub struct Speech {
    /// `https://api.elevenlabs.io`, or a proxy; without a slash at the end.
    pub base_url: String,
    /// The key.
    pub api_key: Secret,
    /// `eleven_flash_v2_5` or another.
    pub model: String,
}

/// The vendor's name of a format, and its rate.
fn format_of(ask: &SpeechRequest) -> Result<(String, u32), SpeechError> {
    match ask.container {
        Container::Pcm16 => {
            let offered = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];
            let rate = offered
                .into_iter()
                .find(|rate| *rate >= ask.sample_rate_hz)
                .unwrap_or(48_000);
            Ok((format!("pcm_{rate}"), rate))
        }
        Container::Mp3 => Ok(("mp3_44100_128".to_string(), 44_100)),
        Container::Ogg => Ok(("opus_48000_64".to_string(), 48_000)),
        _ => Err(SpeechError::Unsupported("container")),
    }
}

impl TtsWire for Speech {
    fn max_chars(&self) -> usize {
        MAX_CHARS
    }

    fn request(&self, ask: &SpeechRequest, _now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let (format, _) = format_of(ask)?;
        let model = ask.model.as_ref().unwrap_or(&self.model);
        let mut body = json!({ "text": speakable(&ask.text, MAX_CHARS)?, "model_id": model });
        if let Some(fields) = body.as_object_mut() {
            if let Some(before) = &ask.previous_text {
                fields.insert("previous_text".to_string(), json!(before));
            }
            if let Some(tag) = &ask.language {
                fields.insert("language_code".to_string(), json!(super::language::primary(tag)));
            }
        }
        let times = if ask.words { "/with-timestamps" } else { "" };
        Ok(HttpRequest {
            method: Method::Post,
            url: format!(
                "{}/v1/text-to-speech/{}/stream{times}?output_format={format}",
                self.base_url.trim_end_matches('/'),
                encode(&ask.voice)
            ),
            headers: alloc::vec![
                ("xi-api-key", self.api_key.expose().to_string()),
                ("content-type", "application/json".to_string()),
            ],
            body: body.to_string().into_bytes(),
        })
    }

    fn decoder(&self, head: &ResponseHead, ask: &SpeechRequest) -> Box<dyn Decode<SpeechEvent>> {
        if !head.is_ok() {
            let head = head.clone();
            return Whole::error(move |body| refused(&head, body));
        }
        let billed = head.number("character-cost").unwrap_or_else(|| chars(&ask.text));
        let rate = format_of(ask).map_or(0, |(_, rate)| rate);
        if ask.words {
            Box::new(Timed::new(
                AudioStream::new(ask.container, rate, billed),
                ask.container,
                rate,
            ))
        } else {
            AudioStream::of_body(head, ask.container, rate, billed)
        }
    }
}

/// The status alone does not tell: a quota that is used up is a 401, and so is a wrong key.
fn refused(head: &ResponseHead, body: &Value) -> SpeechError {
    match body.pointer("/detail/status").and_then(Value::as_str) {
        Some("too_many_concurrent_requests" | "system_busy" | "rate_limit_exceeded") => error::busy(head),
        Some("max_character_limit_exceeded" | "text_too_long") => SpeechError::Text("too long"),
        Some("voice_not_found") => SpeechError::Unsupported("voice"),
        _ => error::of_status(head),
    }
}

#[derive(Deserialize)]
struct Line {
    audio_base64: Option<String>,
    alignment: Option<Alignment>,
    detail: Option<Value>,
}

#[derive(Deserialize)]
struct Alignment {
    #[serde(default)]
    characters: Vec<String>,
    #[serde(default)]
    character_start_times_seconds: Vec<f64>,
    #[serde(default)]
    character_end_times_seconds: Vec<f64>,
}

/// Lines of JSON with sound and times.
struct Timed {
    audio: AudioStream,
    /// Bytes of PCM in a second; 0 where the sound's length does not follow from its bytes.
    bytes_per_second: u64,
    audio_bytes: u64,
    line: Vec<u8>,
    word: Option<Word>,
    words: Vec<Word>,
    last_end: f64,
    is_over: bool,
}

impl Timed {
    fn new(audio: AudioStream, container: Container, rate_hz: u32) -> Self {
        Self {
            audio,
            bytes_per_second: if container == Container::Pcm16 {
                u64::from(rate_hz) * 2
            } else {
                0
            },
            audio_bytes: 0,
            line: Vec::new(),
            word: None,
            words: Vec::new(),
            last_end: 0.0,
            is_over: false,
        }
    }

    fn fail(&mut self, error: SpeechError, out: &mut Events<SpeechEvent>) {
        self.is_over = true;
        out.push(Err(error));
    }

    fn end_line(&mut self, out: &mut Events<SpeechEvent>) {
        let line = core::mem::take(&mut self.line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let Ok(line) = serde_json::from_slice::<Line>(&line) else {
            return self.fail(SpeechError::Protocol("line is not JSON of the protocol"), out);
        };
        if line.detail.is_some() {
            return self.fail(SpeechError::InStream, out);
        }
        let Ok(bytes) = STANDARD.decode(line.audio_base64.unwrap_or_default()) else {
            return self.fail(SpeechError::Protocol("audio is not base64"), out);
        };
        if let Some(alignment) = line.alignment {
            self.align(&alignment);
        }
        if !self.words.is_empty() {
            out.push(Ok(SpeechEvent::Words(core::mem::take(&mut self.words))));
        }
        self.audio_bytes += bytes.len() as u64;
        let events = self.audio.push(&bytes);
        self.is_over |= events.iter().any(Result::is_err);
        out.extend(events);
    }

    /// Characters to words. Times go on from line to line; where a line begins anew, they count from the sound before it.
    fn align(&mut self, alignment: &Alignment) {
        let first = alignment.character_start_times_seconds.first().copied().unwrap_or(0.0);
        let begins_anew = first + 0.001 < self.last_end && self.bytes_per_second > 0;
        let offset = if begins_anew {
            self.audio_bytes as f64 / self.bytes_per_second as f64
        } else {
            0.0
        };
        let times = alignment
            .character_start_times_seconds
            .iter()
            .zip(&alignment.character_end_times_seconds);
        for (character, (start, end)) in alignment.characters.iter().zip(times) {
            let (start, end) = (start + offset, end + offset);
            self.last_end = end;
            if character.trim().is_empty() {
                self.words.extend(self.word.take());
                continue;
            }
            match &mut self.word {
                Some(word) => {
                    word.text.push_str(character);
                    word.end_ms = ms(end);
                }
                None => {
                    self.word = Some(Word {
                        text: character.clone(),
                        start_ms: ms(start),
                        end_ms: ms(end),
                        confidence_milli: None,
                    });
                }
            }
        }
    }
}

impl Decode<SpeechEvent> for Timed {
    fn push(&mut self, bytes: &[u8]) -> Events<SpeechEvent> {
        let mut out = Events::new();
        for byte in bytes {
            if self.is_over {
                break;
            }
            if *byte == b'\n' {
                self.end_line(&mut out);
            } else if self.line.len() < MAX_LINE {
                self.line.push(*byte);
            } else {
                self.fail(SpeechError::Protocol("line is too long"), &mut out);
            }
        }
        out
    }

    fn finish(&mut self) -> Events<SpeechEvent> {
        let mut out = Events::new();
        if self.is_over {
            return out;
        }
        // A line without its end is cut, unless it is whole JSON.
        if serde_json::from_slice::<Value>(&self.line).is_ok() {
            self.end_line(&mut out);
        } else if !self.line.iter().all(u8::is_ascii_whitespace) {
            self.fail(SpeechError::Truncated, &mut out);
        }
        if self.is_over {
            return out;
        }
        if let Some(word) = self.word.take() {
            out.push(Ok(SpeechEvent::Words(alloc::vec![word])));
        }
        self.is_over = true;
        out.extend(self.audio.finish());
        out
    }
}
