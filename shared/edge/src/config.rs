//! Configuration, read once into types: a wrong value stops the Worker with its name, not a person's turn.

use crate::error::ApiError;
use crate::trace::TraceConfig;
use silent_core::sealed::KeyRing;
use silent_providers::llm::Endpoint;
use worker::Env;

/// Which model answers.
pub enum LlmConfig {
    /// The embedded listener; milliseconds between its words.
    Offline {
        /// Milliseconds.
        token_delay_ms: u64,
    },
    /// A server.
    Http(Endpoint),
}

/// What the chat Worker needs to know.
pub struct ChatConfig {
    /// `local`, `test` or `production`.
    pub environment: String,
    /// Key-encryption keys.
    pub key_ring: KeyRing,
    /// Which model answers.
    pub llm: LlmConfig,
    /// Origins beside our own whose pages may call us.
    pub allowed_origins: Vec<String>,
    /// Budget of the conversation window, in tokens.
    pub window_tokens: u32,
    /// The model of the gate's second stage, by the provider's name for it.
    pub safety_model: Option<String>,
    /// Longest wait for it, milliseconds.
    pub safety_timeout_ms: u64,
    /// Longest wait for the next bytes of a model, milliseconds.
    pub idle_timeout_ms: u64,
    /// Where traces go.
    pub trace: TraceConfig,
}

pub(crate) fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name)
        .ok()
        .map(|value| value.to_string())
        .filter(|value| !value.is_empty())
}

/// The parts of a comma-separated variable.
pub(crate) fn list(env: &Env, name: &str) -> Vec<String> {
    let parts = text(env, name).unwrap_or_default();
    let parts = parts.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(String::from).collect()
}

fn number(env: &Env, name: &str, default: u64) -> Result<u64, ApiError> {
    match text(env, name) {
        None => Ok(default),
        Some(value) => value
            .parse()
            .map_err(|_| ApiError::internal(format!("{name} is not a number"))),
    }
}

impl ChatConfig {
    /// Reads variables and secrets.
    ///
    /// # Errors
    /// [`ApiError::Internal`] naming what is missing or malformed, never its value.
    pub fn read(env: &Env) -> Result<Self, ApiError> {
        let secret = |name: &str| {
            env.secret(name)
                .map(|value| value.to_string())
                .map_err(|_| ApiError::internal(format!("secret {name} is not set")))
        };
        let key_ring = KeyRing::parse(&secret("KEK")?).map_err(|error| ApiError::internal(format!("KEK: {error}")))?;
        let llm = match text(env, "LLM_PROVIDER").as_deref() {
            None | Some("offline") => LlmConfig::Offline {
                token_delay_ms: number(env, "OFFLINE_TOKEN_DELAY_MS", 25)?,
            },
            // `LLM_` and the setting's name; what is secret is a secret binding.
            Some(vendor) => LlmConfig::Http(
                Endpoint::configure(vendor, &|name| {
                    let name = format!("LLM_{}", name.to_uppercase());
                    let secret = || env.secret(&name).ok().map(|key| key.to_string());
                    text(env, &name).or_else(secret)
                })
                .map_err(|error| ApiError::internal(format!("LLM_PROVIDER {vendor}: {error}")))?,
            ),
        };
        Ok(Self {
            environment: text(env, "ENVIRONMENT").unwrap_or_else(|| "local".into()),
            key_ring,
            allowed_origins: list(env, "ALLOWED_ORIGINS"),
            window_tokens: u32::try_from(number(env, "WINDOW_TOKENS", 6_000)?).unwrap_or(u32::MAX),
            safety_model: text(env, "SAFETY_MODEL").filter(|_| matches!(llm, LlmConfig::Http(_))),
            safety_timeout_ms: number(env, "SAFETY_TIMEOUT_MS", 2_500)?,
            idle_timeout_ms: number(env, "LLM_IDLE_TIMEOUT_MS", 60_000)?,
            trace: TraceConfig::read(env, "silent-infinity-chat")?,
            llm,
        })
    }
}
