//! Saying a piece of an answer, from a provider or from the cache of fixed phrases.
//!
//! Invariant: only the gate's fixed texts are kept in the cache; what a model said to a person never is.

use crate::chat::Settings;
use silent_core::safety::{self, Level};
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, Resampler, from_le_bytes, to_le_bytes};
use silent_core::voice::phrases::cache_key;
use silent_core::voice::port::{SpeechError, SpeechEvent};
use silent_edge::speech::{Saying, Speech};
use silent_edge::{SystemClock, audio_store};
use std::rc::Rc;
use worker::Bucket;

/// Length of a block that a cached phrase is cut into.
const BLOCK_MS: u32 = 100;
/// Bytes of a block of a compressed phrase.
const BLOCK_BYTES: usize = 4_096;

/// One voice for one person.
pub(crate) struct Voice {
    pub(crate) speech: Rc<Speech>,
    pub(crate) phrases: Option<Bucket>,
    /// The provider that the person's variant asks for.
    pub(crate) preferred: Option<String>,
    /// BCP 47.
    pub(crate) language: String,
    pub(crate) container: Container,
    pub(crate) sample_rate_hz: u32,
    pub(crate) traceparent: Option<String>,
}

/// What a piece took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Took {
    pub(crate) provider: String,
    pub(crate) characters: u32,
    pub(crate) cost_micros: u64,
    pub(crate) first_ms: u64,
    pub(crate) failovers: u32,
    pub(crate) is_cached: bool,
    /// Milliseconds since 1970.
    pub(crate) began_ms: u64,
    /// Milliseconds since 1970.
    pub(crate) ended_ms: u64,
}

/// Whether a text is one of the gate's, word for word.
pub(crate) fn is_fixed(text: &str, settings: &Settings) -> bool {
    let country = settings.country.as_deref();
    (2..=4).any(|level| safety::response(Level::new(level), &settings.locale, country).text == text)
        || safety::human_wanted(country).text == text
}

impl Voice {
    /// Says a text; `tell` takes its audio in order and returns whether somebody still listens.
    pub(crate) async fn say(
        &self,
        text: String,
        is_fixed: bool,
        tell: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<Took, SpeechError> {
        let began_ms = SystemClock.now_ms();
        let took = self.say_from(began_ms, text, is_fixed, tell).await?;
        Ok(Took {
            began_ms,
            ended_ms: SystemClock.now_ms(),
            ..took
        })
    }

    async fn say_from(
        &self,
        began_ms: u64,
        text: String,
        is_fixed: bool,
        mut tell: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<Took, SpeechError> {
        let saying = Saying {
            text,
            language: self.language.clone(),
            container: self.container,
            sample_rate_hz: self.sample_rate_hz,
            voice: None,
            traceparent: self.traceparent.clone(),
        };
        let phrases = self.phrases.as_ref().filter(|_| is_fixed);
        if let Some(bucket) = phrases {
            for (name, request) in self.speech.requests(self.preferred.as_deref(), &saying) {
                if let Some(bytes) = audio_store::phrase(bucket, &cache_key(name, &request)).await {
                    let took = Took {
                        provider: name.into(),
                        first_ms: SystemClock.now_ms().saturating_sub(began_ms),
                        is_cached: true,
                        ..Took::default()
                    };
                    for block in bytes.chunks(self.block_bytes()) {
                        if !tell(block.to_vec()) {
                            break;
                        }
                    }
                    return Ok(took);
                }
            }
        }
        let mut spoken = self.speech.speak(self.preferred.as_deref(), &saying).await?;
        let is_pcm = self.container == Container::Pcm16;
        let mut resampler = (is_pcm && spoken.sample_rate_hz != self.sample_rate_hz)
            .then(|| Resampler::new(spoken.sample_rate_hz, self.sample_rate_hz));
        let mut took = Took {
            provider: spoken.provider.clone(),
            failovers: spoken.failovers,
            ..Took::default()
        };
        let mut kept = Vec::new();
        let mut give = |bytes: Vec<u8>, took: &mut Took| {
            if took.first_ms == 0 {
                took.first_ms = SystemClock.now_ms().saturating_sub(began_ms).max(1);
            }
            if phrases.is_some() {
                kept.extend_from_slice(&bytes);
            }
            bytes.is_empty() || tell(bytes)
        };
        while let Some(event) = spoken.next().await {
            match event? {
                SpeechEvent::Audio(bytes) => {
                    let bytes = match &mut resampler {
                        Some(resampler) => to_le_bytes(&resampler.push(&from_le_bytes(&bytes))),
                        None => bytes,
                    };
                    if !give(bytes, &mut took) {
                        return Ok(took);
                    }
                }
                SpeechEvent::Billed { characters } => {
                    took.characters = characters;
                    took.cost_micros =
                        u64::from(characters).saturating_mul(spoken.micros_per_million_chars) / 1_000_000;
                }
                SpeechEvent::Started { .. } | SpeechEvent::Words(_) | SpeechEvent::Done => {}
            }
        }
        if let Some(resampler) = &mut resampler {
            give(to_le_bytes(&resampler.finish()), &mut took);
        }
        if let Some(bucket) = phrases
            && let Some((_, request)) = self
                .speech
                .requests(self.preferred.as_deref(), &saying)
                .into_iter()
                .find(|(name, _)| *name == took.provider)
        {
            audio_store::keep_phrase(bucket, &cache_key(&took.provider, &request), kept).await;
        }
        Ok(took)
    }

    fn block_bytes(&self) -> usize {
        if self.container == Container::Pcm16 {
            bytes_of(BLOCK_MS, self.sample_rate_hz).max(2)
        } else {
            BLOCK_BYTES
        }
    }
}

/// Bytes of PCM of a length.
fn bytes_of(ms: u32, sample_rate_hz: u32) -> usize {
    let samples = u64::from(ms) * u64::from(sample_rate_hz) / 1_000;
    usize::try_from(samples * 2).unwrap_or(usize::MAX)
}

/// Length of PCM, milliseconds.
pub(crate) fn pcm_ms(bytes: usize, sample_rate_hz: u32) -> u32 {
    let samples = bytes as u64 / 2;
    u32::try_from(samples * 1_000 / u64::from(sample_rate_hz.max(1))).unwrap_or(u32::MAX)
}
