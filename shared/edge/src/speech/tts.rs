//! Text to speech.

use super::fetch::{self, Answer};
use super::{NOBODY, Speech, Tts, breaker};
use crate::SystemClock;
use silent_core::turn::Clock;
use silent_core::voice::audio::{AudioError, Container};
use silent_core::voice::port::{SpeechError, SpeechEvent, SpeechRequest};
use std::time::Duration;

/// Longest silence of a provider.
const IDLE: Duration = Duration::from_secs(8);

/// What is to be said, in nobody's terms.
#[derive(Debug, Clone)]
pub struct Saying {
    /// Plain text.
    pub text: String,
    /// BCP 47.
    pub language: String,
    /// The container that is wanted.
    pub container: Container,
    /// Hertz that are wanted.
    pub sample_rate_hz: u32,
    /// A voice by its vendor's name; without one, that of the language.
    pub voice: Option<String>,
    /// W3C trace context to pass on.
    pub traceparent: Option<String>,
}

/// Speech that has begun.
pub struct Spoken {
    /// Who speaks.
    pub provider: String,
    /// What a million characters cost there, micros.
    pub micros_per_million_chars: u64,
    /// Hertz, where it is PCM.
    pub sample_rate_hz: u32,
    /// Providers that failed before.
    pub failovers: u32,
    answer: Answer<SpeechEvent>,
}

impl Spoken {
    /// The next event after [`SpeechEvent::Started`], or none at the end.
    pub async fn next(&mut self) -> Option<Result<SpeechEvent, SpeechError>> {
        let event = self.answer.next().await.map(|event| event.map_err(of_answer));
        if let Some(Err(error)) = &event {
            breaker::failed(&self.provider, error, SystemClock.now_ms());
        }
        event
    }
}

/// Sound that a provider made and nobody can use is its own fault.
fn of_answer(error: SpeechError) -> SpeechError {
    match error {
        SpeechError::Audio(AudioError::Empty | AudioError::TruncatedHeader) => SpeechError::Truncated,
        SpeechError::Audio(_) => SpeechError::Protocol("audio that cannot be used"),
        error => error,
    }
}

/// The request that a provider would be asked with.
fn request(tts: &Tts, saying: &Saying) -> SpeechRequest {
    let own = saying.voice.as_deref().filter(|voice| tts.has_voice(voice));
    SpeechRequest {
        text: saying.text.clone(),
        voice: own.or_else(|| tts.voice(&saying.language)).unwrap_or("").into(),
        model: tts.model.clone(),
        language: Some(saying.language.clone()),
        container: saying.container,
        sample_rate_hz: saying.sample_rate_hz,
        previous_text: None,
        words: false,
        traceparent: saying.traceparent.clone(),
    }
}

impl Speech {
    /// The requests that could be asked, with their provider's name, the preferred one first: keys of a cache come from them.
    #[must_use]
    pub fn requests(&self, preferred: Option<&str>, saying: &Saying) -> Vec<(&str, SpeechRequest)> {
        let all = self.voices(preferred, &saying.language);
        all.into_iter()
            .map(|tts| (tts.name.as_str(), request(tts, saying)))
            .collect()
    }

    /// Begins to speak. Providers are tried in order until one has begun.
    ///
    /// # Errors
    /// [`SpeechError`] of the last one, or at once where the text is at fault.
    pub async fn speak(&self, preferred: Option<&str>, saying: &Saying) -> Result<Spoken, SpeechError> {
        let (mut last, mut failovers) = (NOBODY, 0);
        for tts in self.voices(preferred, &saying.language) {
            if !breaker::is_closed(&tts.name, SystemClock.now_ms()) {
                continue;
            }
            match begin(tts, &request(tts, saying)).await {
                Ok((answer, sample_rate_hz)) => {
                    breaker::succeeded(&tts.name);
                    return Ok(Spoken {
                        provider: tts.name.clone(),
                        micros_per_million_chars: tts.micros_per_million_chars,
                        sample_rate_hz,
                        failovers,
                        answer,
                    });
                }
                Err(error) if breaker::is_fault_of_request(&error) => return Err(error),
                Err(error) => {
                    breaker::failed(&tts.name, &error, SystemClock.now_ms());
                    (last, failovers) = (error, failovers + 1);
                }
            }
        }
        Err(last)
    }
}

async fn begin(tts: &Tts, ask: &SpeechRequest) -> Result<(Answer<SpeechEvent>, u32), SpeechError> {
    let request = tts.wire.request(ask, SystemClock.now_ms())?;
    let mut answer = fetch::ask(request, IDLE, |head| tts.wire.decoder(head, ask)).await?;
    match answer.next().await {
        Some(Ok(SpeechEvent::Started { sample_rate_hz, .. })) => Ok((answer, sample_rate_hz)),
        Some(Ok(_)) => Err(SpeechError::Protocol("audio before its kind")),
        Some(Err(error)) => Err(of_answer(error)),
        None => Err(SpeechError::Truncated),
    }
}
