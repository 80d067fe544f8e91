//! Speech providers from configuration: two lists, each in order of preference.

use crate::config::text;
use crate::error::ApiError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use silent_providers::aws::sigv4::Credentials;
use silent_providers::http::Secret;
use silent_providers::speech::{
    LiveSttWire, SttWire, TtsWire, deepgram, elevenlabs, openai, polly, transcribe, workers_ai,
};
use std::collections::BTreeMap;
use worker::Env;

/// One that writes down.
pub struct Stt {
    /// Its name in events.
    pub name: String,
    pub(super) recordings: Option<Box<dyn SttWire>>,
    pub(super) live: Option<Box<dyn LiveSttWire>>,
    /// Price of a minute, millionths of a US dollar.
    pub micros_per_minute: u64,
}

/// One that speaks.
pub struct Tts {
    /// Its name in events, and the one by which a voice variant chooses it.
    pub name: String,
    pub(super) wire: Box<dyn TtsWire>,
    pub(super) model: Option<String>,
    voice: Option<String>,
    /// Voice by language.
    voices: BTreeMap<String, String>,
    /// Price of a million characters, millionths of a US dollar.
    pub micros_per_million_chars: u64,
}

impl Tts {
    /// The voice for a language, if there is one. A voice without a language speaks all of them.
    #[must_use]
    pub fn voice(&self, language: &str) -> Option<&str> {
        let primary = language.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
        self.voices.get(&primary).or(self.voice.as_ref()).map(String::as_str)
    }

    /// Whether the provider has a voice of this name.
    #[must_use]
    pub fn has_voice(&self, name: &str) -> bool {
        self.voice.as_deref() == Some(name) || self.voices.values().any(|voice| voice == name)
    }
}

/// An entry of `STT` or `TTS`; what a kind does not need is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: String,
    base_url: Option<String>,
    model: Option<String>,
    /// Of `openai`: `plain`, `verbose` or `stream`.
    detail: Option<String>,
    region: Option<String>,
    access_key_id: Option<String>,
    /// Of `polly`: `neural` or `generative`.
    engine: Option<String>,
    /// Of `transcribe`: the tags among which the language is found.
    languages: Option<String>,
    voice: Option<String>,
    #[serde(default)]
    voices: BTreeMap<String, String>,
    /// Of `openai`: PCM is asked for as WAV, whose header tells the rate.
    #[serde(default)]
    pcm_as_wav: bool,
    #[serde(default)]
    micros_per_minute: u64,
    #[serde(default)]
    micros_per_million_chars: u64,
}

/// Reads `STT` and `TTS` (JSON lists); keys are secrets named `SPEECH_KEY_<NAME>`.
pub(super) fn read(env: &Env) -> Result<(Vec<Stt>, Vec<Tts>), ApiError> {
    let secret = |name: &str| {
        let name = format!("SPEECH_KEY_{}", name.to_ascii_uppercase().replace(['-', '.'], "_"));
        env.secret(&name).ok().map(|key| key.to_string())
    };
    let stt = entries("STT", text(env, "STT"))?;
    let tts = entries("TTS", text(env, "TTS"))?;
    Ok((
        stt.into_iter()
            .map(|entry: Entry| stt_of(entry, &secret))
            .collect::<Result<_, _>>()?,
        tts.into_iter()
            .map(|entry: Entry| tts_of(entry, &secret))
            .collect::<Result<_, _>>()?,
    ))
}

fn entries<T: DeserializeOwned>(variable: &str, value: Option<String>) -> Result<Vec<T>, ApiError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&value).map_err(|error| ApiError::internal(format!("{variable}: {error}")))
}

fn need(entry: &str, field: &str, value: Option<String>) -> Result<String, ApiError> {
    value.ok_or_else(|| ApiError::internal(format!("speech provider {entry}: {field} is missing")))
}

type Keys<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Entry {
    fn base_url(&self, public: &str) -> String {
        let url = self.base_url.as_deref().unwrap_or(public);
        url.trim_end_matches('/').to_string()
    }

    fn key(&self, keys: Keys<'_>) -> Result<Secret, ApiError> {
        need(&self.name, "key", keys(&self.name)).map(Secret::new)
    }

    fn endpoint(&self, keys: Keys<'_>) -> Result<openai::Endpoint, ApiError> {
        Ok(openai::Endpoint {
            base_url: self.base_url("https://api.openai.com/v1"),
            api_key: keys(&self.name).map(Secret::new),
            model: need(&self.name, "model", self.model.clone())?,
        })
    }

    fn deepgram(&self, keys: Keys<'_>) -> Result<deepgram::Account, ApiError> {
        Ok(deepgram::Account {
            base_url: self.base_url("https://api.deepgram.com"),
            api_key: self.key(keys)?,
        })
    }

    fn workers_ai(&self, keys: Keys<'_>) -> Result<workers_ai::Model, ApiError> {
        Ok(workers_ai::Model {
            base_url: need(&self.name, "base_url", self.base_url.clone())?,
            api_token: self.key(keys)?,
            model: need(&self.name, "model", self.model.clone())?,
        })
    }

    fn credentials(&self, keys: Keys<'_>) -> Result<Credentials, ApiError> {
        Ok(Credentials {
            access_key_id: need(&self.name, "access_key_id", self.access_key_id.clone())?,
            secret_access_key: self.key(keys)?,
            session_token: None,
        })
    }
}

fn unknown(entry: &Entry, field: &str) -> ApiError {
    ApiError::internal(format!("speech provider {}: {field} has no such value", entry.name))
}

type Wires = (Option<Box<dyn SttWire>>, Option<Box<dyn LiveSttWire>>);

fn stt_of(entry: Entry, keys: Keys<'_>) -> Result<Stt, ApiError> {
    let (recordings, live): Wires = match entry.kind.as_str() {
        "openai" => {
            let detail = match entry.detail.as_deref() {
                None | Some("plain") => openai::Detail::Plain,
                Some("verbose") => openai::Detail::Verbose,
                Some("stream") => openai::Detail::Stream,
                Some(_) => return Err(unknown(&entry, "detail")),
            };
            let endpoint = entry.endpoint(keys)?;
            (Some(Box::new(openai::Transcriptions { endpoint, detail })), None)
        }
        "deepgram" => {
            let listen = deepgram::Listen {
                account: entry.deepgram(keys)?,
                model: entry.model.clone().unwrap_or_else(|| "nova-3".into()),
            };
            (Some(Box::new(listen.clone())), Some(Box::new(listen)))
        }
        "workers-ai" => (Some(Box::new(workers_ai::Whisper(entry.workers_ai(keys)?))), None),
        "transcribe" => (
            None,
            Some(Box::new(transcribe::Listen {
                credentials: entry.credentials(keys)?,
                region: need(&entry.name, "region", entry.region.clone())?,
                base_url: entry.base_url.clone(),
                languages: entry.languages.clone().unwrap_or_else(|| "en-US,de-DE".into()),
            })),
        ),
        _ => return Err(unknown(&entry, "kind")),
    };
    Ok(Stt {
        name: entry.name,
        recordings,
        live,
        micros_per_minute: entry.micros_per_minute,
    })
}

fn tts_of(entry: Entry, keys: Keys<'_>) -> Result<Tts, ApiError> {
    let wire: Box<dyn TtsWire> = match entry.kind.as_str() {
        "openai" => Box::new(openai::Speech {
            endpoint: entry.endpoint(keys)?,
            pcm_as_wav: entry.pcm_as_wav,
        }),
        "deepgram" => Box::new(deepgram::Speak {
            account: entry.deepgram(keys)?,
        }),
        "elevenlabs" => Box::new(elevenlabs::Speech {
            base_url: entry.base_url("https://api.elevenlabs.io"),
            api_key: entry.key(keys)?,
            model: entry.model.clone().unwrap_or_else(|| "eleven_flash_v2_5".into()),
        }),
        "polly" => Box::new(polly::Speech {
            credentials: entry.credentials(keys)?,
            region: need(&entry.name, "region", entry.region.clone())?,
            base_url: entry.base_url.clone(),
            engine: match entry.engine.as_deref() {
                None | Some("neural") => polly::Engine::Neural,
                Some("generative") => polly::Engine::Generative,
                Some(_) => return Err(unknown(&entry, "engine")),
            },
        }),
        "workers-ai" => Box::new(workers_ai::Aura(entry.workers_ai(keys)?)),
        _ => return Err(unknown(&entry, "kind")),
    };
    if entry.voice.is_none() && entry.voices.is_empty() {
        return Err(ApiError::internal(format!(
            "speech provider {}: voice is missing",
            entry.name
        )));
    }
    Ok(Tts {
        name: entry.name,
        wire,
        // The wire knows its model already.
        model: None,
        voice: entry.voice,
        voices: entry.voices,
        micros_per_million_chars: entry.micros_per_million_chars,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tts(text: &str) -> Result<Vec<Tts>, ApiError> {
        let all: Vec<Entry> = entries("TTS", Some(text.into()))?;
        all.into_iter()
            .map(|entry| tts_of(entry, &|name: &str| (name == "cloud").then(|| "k".into())))
            .collect()
    }

    #[test]
    fn a_list_is_read_and_what_is_wrong_is_named() {
        let all = tts(
            r#"[{"name": "cloud", "kind": "elevenlabs", "voices": {"de": "Anna", "en": "Ruth"}},
                {"name": "local", "kind": "openai", "base_url": "http://127.0.0.1:1/v1/", "model": "piper", "voice": "joe"}]"#,
        )
        .unwrap();
        let voices: Vec<Option<&str>> = all.iter().map(|tts| tts.voice("de-AT")).collect();
        assert_eq!(voices, [Some("Anna"), Some("joe")]);
        assert_eq!(all[0].voice("fr"), None);
        for (text, named) in [
            (r#"[{"name": "x", "kind": "elevenlabs", "voice": "v"}]"#, "x: key"),
            (r#"[{"name": "cloud", "kind": "elevenlabs"}]"#, "cloud: voice"),
            (r#"[{"name": "cloud", "kind": "tin-can", "voice": "v"}]"#, "cloud: kind"),
            (r#"[{"name": "cloud", "knd": "openai"}]"#, "knd"),
        ] {
            let error = format!("{:?}", tts(text).err().unwrap());
            assert!(error.contains(named), "{error}");
        }
    }
}
