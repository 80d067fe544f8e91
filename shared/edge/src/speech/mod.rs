//! Speech over the runtime's `fetch`: several providers of each kind, the next one where one fails.
//!
//! Invariant: a provider is left only before anything of its answer was used.

mod breaker;
mod config;
mod fetch;
mod listen;
mod stt;
mod tts;

pub use config::{Stt, Tts};
pub use listen::Listening;
pub use stt::Heard;
pub use tts::{Saying, Spoken};

use crate::error::ApiError;
use silent_core::voice::port::SpeechError;
use worker::Env;

/// All that is configured.
pub struct Speech {
    /// Those that write down, the preferred one first.
    pub stt: Vec<Stt>,
    /// Those that speak, the preferred one first.
    pub tts: Vec<Tts>,
}

impl Speech {
    /// Reads the variables `STT` and `TTS`, JSON lists in order of preference. Each entry has `name`, `kind` and what the
    /// kind needs: `openai` (`base_url`, `model`), `deepgram`, `elevenlabs`, `workers-ai` (`base_url`, `model`), `polly` and
    /// `transcribe` (`region`, `access_key_id`); those that speak have `voice`, `voices` by language, or both. Keys are
    /// secrets named `SPEECH_KEY_<NAME>`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] naming what is missing or malformed, never its value.
    pub fn read(env: &Env) -> Result<Self, ApiError> {
        let (stt, tts) = config::read(env)?;
        Ok(Self { stt, tts })
    }

    /// Those that speak a language, the preferred one first.
    fn voices(&self, preferred: Option<&str>, language: &str) -> Vec<&Tts> {
        let mut all: Vec<&Tts> = self.tts.iter().filter(|tts| tts.voice(language).is_some()).collect();
        all.sort_by_key(|tts| Some(tts.name.as_str()) != preferred);
        all
    }
}

/// Nobody is configured, or nobody may be asked now.
const NOBODY: SpeechError = SpeechError::Unreachable;
