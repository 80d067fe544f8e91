//! Configuration, read once into types: a wrong value stops the Worker with its name, not a person's turn.

use crate::budget::Budgets;
use crate::error::ApiError;
use crate::llm::LlmConfig;
use crate::trace::TraceConfig;
use silent_core::sealed::KeyRing;
use worker::Env;

/// What the chat Worker needs to know.
pub struct ChatConfig {
    /// `local`, `test` or `production`.
    pub environment: String,
    /// Key-encryption keys.
    pub key_ring: KeyRing,
    /// Which models answer.
    pub llm: LlmConfig,
    /// Origins beside our own whose pages may call us.
    pub allowed_origins: Vec<String>,
    /// Budget of the conversation window, in tokens.
    pub window_tokens: u32,
    /// The model of the gate's second stage, by the provider's name for it.
    pub safety_model: Option<String>,
    /// Longest wait for it, milliseconds.
    pub safety_timeout_ms: u64,
    /// What may be spent.
    pub budgets: Budgets,
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

pub(crate) fn number(env: &Env, name: &str, default: u64) -> Result<u64, ApiError> {
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
        Ok(Self {
            environment: text(env, "ENVIRONMENT").unwrap_or_else(|| "local".into()),
            key_ring,
            allowed_origins: list(env, "ALLOWED_ORIGINS"),
            window_tokens: u32::try_from(number(env, "WINDOW_TOKENS", 6_000)?).unwrap_or(u32::MAX),
            safety_model: text(env, "SAFETY_MODEL"),
            safety_timeout_ms: number(env, "SAFETY_TIMEOUT_MS", 2_500)?,
            budgets: Budgets::read(env)?,
            trace: TraceConfig::read(env, "silent-infinity-chat")?,
            llm: LlmConfig::read(env)?,
        })
    }
}
