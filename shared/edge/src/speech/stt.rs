//! Recordings to text.

use super::{NOBODY, Speech, Stt, breaker, fetch};
use crate::SystemClock;
use silent_core::turn::Clock;
use silent_core::voice::port::{SpeechError, SttEvent, Transcript, TranscriptionRequest};
use std::time::Duration;

/// Longest silence of a provider: a long recording is written down whole before the first byte of the answer.
const IDLE: Duration = Duration::from_secs(20);

/// What was heard, and by whom.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The words.
    pub transcript: Transcript,
    /// Who wrote them down.
    pub provider: String,
    /// What a minute costs there, micros.
    pub micros_per_minute: u64,
    /// How long that took, milliseconds, failures of others included.
    pub took_ms: u64,
    /// Providers that failed before.
    pub failovers: u32,
}

impl Speech {
    /// Writes down a recording.
    ///
    /// # Errors
    /// [`SpeechError`] of the last provider, or at once where the sound is at fault.
    pub async fn transcribe(&self, request: &TranscriptionRequest) -> Result<Heard, SpeechError> {
        let began_ms = SystemClock.now_ms();
        let (mut last, mut failovers) = (NOBODY, 0);
        for stt in &self.stt {
            if !breaker::is_closed(&stt.name, SystemClock.now_ms()) {
                continue;
            }
            match transcribe(stt, request).await {
                Ok(transcript) => {
                    breaker::succeeded(&stt.name);
                    return Ok(Heard {
                        transcript,
                        provider: stt.name.clone(),
                        micros_per_minute: stt.micros_per_minute,
                        took_ms: SystemClock.now_ms().saturating_sub(began_ms),
                        failovers,
                    });
                }
                Err(error) if breaker::is_fault_of_request(&error) => return Err(error),
                Err(error) => {
                    breaker::failed(&stt.name, &error, SystemClock.now_ms());
                    (last, failovers) = (error, failovers + 1);
                }
            }
        }
        Err(last)
    }
}

async fn transcribe(stt: &Stt, request: &TranscriptionRequest) -> Result<Transcript, SpeechError> {
    let wire = stt.recordings.as_ref().ok_or(SpeechError::Unsupported("recordings"))?;
    let mut answer = fetch::ask(wire.request(request)?, IDLE, |head| wire.decoder(head)).await?;
    while let Some(event) = answer.next().await {
        match event? {
            SttEvent::Transcript(transcript) if transcript.is_final => return Ok(transcript),
            _ => {}
        }
    }
    Err(SpeechError::Truncated)
}
