//! A transcript as Whisper's servers write it in JSON: OpenAI, Groq, local ones, Workers AI.

use super::{Events, language, milli, ms};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use silent_core::voice::port::{SpeechError, SttEvent, Transcript, Word};

/// Above this probability of silence, together with the next, a segment is not speech (openai/whisper, `transcribe`).
const NO_SPEECH: f64 = 0.6;
/// Below this mean log probability.
const LOG_PROBABILITY: f64 = -1.0;

#[derive(Deserialize)]
pub(super) struct Wire {
    text: Option<String>,
    language: Option<String>,
    duration: Option<f64>,
    #[serde(default)]
    words: Vec<WireWord>,
    #[serde(default)]
    segments: Vec<Segment>,
    transcription_info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    language: Option<String>,
    duration: Option<f64>,
}

#[derive(Deserialize)]
struct WireWord {
    #[serde(default)]
    word: String,
    #[serde(default)]
    start: f64,
    #[serde(default)]
    end: f64,
}

#[derive(Deserialize)]
struct Segment {
    #[serde(default)]
    text: String,
    #[serde(default)]
    start: f64,
    #[serde(default)]
    end: f64,
    avg_logprob: Option<f64>,
    no_speech_prob: Option<f64>,
    #[serde(default)]
    words: Vec<WireWord>,
}

impl Segment {
    /// What Whisper makes up in silence ("Thank you for watching") is not what the person said.
    fn is_silence(&self) -> bool {
        self.no_speech_prob.is_some_and(|value| value > NO_SPEECH)
            && self.avg_logprob.is_some_and(|value| value < LOG_PROBABILITY)
    }
}

impl Wire {
    pub(super) fn into_events(self) -> Events<SttEvent> {
        let Some(text) = self.text else {
            return alloc::vec![Err(SpeechError::Protocol("transcript without text"))];
        };
        let (spoken, silent): (Vec<&Segment>, Vec<&Segment>) =
            self.segments.iter().partition(|segment| !segment.is_silence());
        let text = if silent.is_empty() {
            text.trim().into()
        } else {
            let kept: Vec<&str> = spoken.iter().map(|segment| segment.text.trim()).collect();
            kept.join(" ")
        };
        let words = self
            .words
            .iter()
            .chain(spoken.iter().flat_map(|segment| &segment.words));
        let words = words.filter(|word| {
            let middle = f64::midpoint(word.start, word.end);
            !silent
                .iter()
                .any(|segment| (segment.start..segment.end).contains(&middle))
        });
        let info = self.transcription_info.as_ref();
        let language = self
            .language
            .as_deref()
            .or(info.and_then(|info| info.language.as_deref()));
        let duration = self.duration.or(info.and_then(|info| info.duration));
        let transcript = Transcript {
            language: language.and_then(language::tag),
            confidence_milli: confidence(&spoken),
            words: words
                .map(|word| Word {
                    text: word.word.trim().into(),
                    start_ms: ms(word.start),
                    end_ms: ms(word.end),
                    confidence_milli: None,
                })
                .collect(),
            duration_ms: duration.map(ms),
            is_final: true,
            text,
        };
        alloc::vec![Ok(SttEvent::Transcript(transcript)), Ok(SttEvent::Flushed)]
    }
}

/// The mean probability of a token, weighted by time.
fn confidence(segments: &[&Segment]) -> Option<u16> {
    let (mut sum, mut time) = (0.0, 0.0);
    for segment in segments {
        let length = (segment.end - segment.start).max(0.01);
        sum += segment.avg_logprob? * length;
        time += length;
    }
    (time > 0.0).then(|| milli(libm::exp(sum / time)))
}
