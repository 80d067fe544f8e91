//! Who may answer, and how long to wait: from variables and secrets.
//!
//! A vendor's settings are `<VENDOR>_<SETTING>`, for example `ANTHROPIC_API_KEY`, `BEDROCK_REGION`, `OLLAMA_BASE_URL`; which
//! there are says [`Endpoint::configure`]. Workers AI is the binding `AI`.

use super::workers_ai;
use crate::config::{number, text};
use crate::error::ApiError;
use crate::log;
use serde_json::json;
use silent_core::router::{Limits, Plan, Target, Timeouts};
use silent_core::turn::Policy;
use silent_providers::llm::{ConfigError, Endpoint, offline};
use std::cell::Cell;
use worker::Env;
use worker::wasm_bindgen::JsValue;

/// Every vendor that a variant may name.
pub const VENDORS: [&str; 11] = [
    "anthropic",
    "openai",
    "openrouter",
    "bedrock",
    "gemini",
    "groq",
    "workers-ai",
    "ollama",
    "ollama-v1",
    "vllm",
    "llama-cpp",
];

const WORKERS_AI: &str = "workers-ai";

/// A vendor that can be asked.
#[derive(Clone)]
pub(crate) enum Vendor {
    /// The embedded listener; milliseconds between its words.
    Offline { token_delay_ms: u64 },
    /// A server.
    Http(Endpoint),
    /// The binding.
    WorkersAi(JsValue),
}

/// Who decides which model answers.
enum Choice {
    /// The variant.
    Variants,
    /// The embedded listener, whatever the variant says.
    Offline,
    /// One server, whatever the variant says; and one model, where it is named.
    One {
        provider: String,
        model: Option<String>,
        vendor: Box<Vendor>,
    },
}

/// Which models may answer, and how long to wait for them.
pub struct LlmConfig {
    env: Env,
    choice: Choice,
    token_delay_ms: u64,
    judge_provider: Option<String>,
    /// Without targets, routing and reset, which are the turn's.
    plan: Plan,
}

impl LlmConfig {
    /// The same with the embedded listener alone: what is left where nothing may be spent.
    #[must_use]
    pub fn offline(&self) -> Self {
        Self {
            env: self.env.clone(),
            choice: Choice::Offline,
            token_delay_ms: self.token_delay_ms,
            judge_provider: None,
            plan: self.plan.clone(),
        }
    }

    /// Reads `LLM_PROVIDER`: empty or `variants`, `offline`, or a vendor that answers whatever the variant says and whose
    /// settings are `LLM_…`; and the waits.
    ///
    /// # Errors
    /// [`ApiError::Internal`] naming what is missing or malformed, never its value.
    pub(crate) fn read(env: &Env) -> Result<Self, ApiError> {
        let choice = match text(env, "LLM_PROVIDER").as_deref() {
            None | Some("variants") => Choice::Variants,
            Some(offline::NAME) => Choice::Offline,
            Some(vendor) => Choice::One {
                provider: vendor.into(),
                model: text(env, "LLM_MODEL"),
                vendor: configure(env, vendor, "LLM")
                    .map(Box::new)
                    .map_err(|error| ApiError::internal(format!("LLM_PROVIDER {vendor}: {error}")))?,
            },
        };
        let defaults = Timeouts::default();
        let idle_ms = number(env, "LLM_IDLE_TIMEOUT_MS", defaults.idle_ms)?;
        let first_token_ms = number(env, "LLM_FIRST_TOKEN_TIMEOUT_MS", defaults.first_token_ms.max(idle_ms))?;
        // One's own server often reads the whole prompt before it sends a header.
        let connect_ms = match choice {
            Choice::One { .. } => first_token_ms,
            _ => defaults.connect_ms,
        };
        let breaker = Limits::default();
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let plan = Plan {
            timeouts: Timeouts {
                connect_ms: number(env, "LLM_CONNECT_TIMEOUT_MS", connect_ms)?,
                first_token_ms,
                idle_ms,
                total_ms: number(env, "LLM_TOTAL_TIMEOUT_MS", defaults.total_ms)?,
            },
            attempts: u8::try_from(number(env, "LLM_ATTEMPTS", 2)?).unwrap_or(u8::MAX).max(1),
            hedge_after_ms: Some(number(env, "LLM_HEDGE_AFTER_MS", 0)?).filter(|ms| *ms > 0),
            hedge_percent: small(number(env, "LLM_HEDGE_PERCENT", 10)?),
            breaker: Limits {
                consecutive: small(number(env, "LLM_BREAKER_FAILURES", u64::from(breaker.consecutive))?).max(1),
                open_ms: number(env, "LLM_BREAKER_OPEN_MS", breaker.open_ms)?,
                ..breaker
            },
            ..Plan::new(Vec::new())
        };
        Ok(Self {
            env: env.clone(),
            choice,
            token_delay_ms: number(env, "OFFLINE_TOKEN_DELAY_MS", 25)?,
            judge_provider: text(env, "SAFETY_PROVIDER"),
            plan,
        })
    }

    /// What may be tried for a turn. Where nobody that the variant names is configured, the embedded listener answers.
    pub(crate) fn plan(&self, policy: &Policy) -> Plan {
        let mut targets = match &self.choice {
            Choice::One { provider, model, .. } => vec![Target {
                provider: provider.clone(),
                model: model.clone().unwrap_or_else(|| policy.model.clone()),
            }],
            Choice::Variants => {
                let targets = policy.targets.iter();
                targets
                    .filter(|target| self.vendor(&target.provider).is_some())
                    .cloned()
                    .collect()
            }
            Choice::Offline => Vec::new(),
        };
        if targets.is_empty() {
            targets.push(Target {
                provider: offline::NAME.into(),
                model: offline::MODEL.into(),
            });
        }
        Plan {
            targets,
            routing: policy.routing,
            allows_reset: policy.allows_reset,
            ..self.plan.clone()
        }
    }

    /// A vendor, where it is configured.
    pub(crate) fn vendor(&self, name: &str) -> Option<Vendor> {
        match &self.choice {
            Choice::One { provider, vendor, .. } => (provider == name).then(|| Vendor::clone(vendor)),
            _ if name == offline::NAME => Some(Vendor::Offline {
                token_delay_ms: self.token_delay_ms,
            }),
            Choice::Variants => {
                let prefix = name.to_uppercase().replace('-', "_");
                match configure(&self.env, name, &prefix) {
                    Ok(vendor) => Some(vendor),
                    Err(Unusable::Absent) => None,
                    Err(error) => {
                        // A turn goes on without it; whoever runs this has to know.
                        log::line("error", "llm-setting", name, json!({"cause": error.to_string()}));
                        None
                    }
                }
            }
            Choice::Offline => None,
        }
    }

    /// Where the gate's second stage is.
    pub(crate) fn judge(&self, model: &str) -> Option<Target> {
        let provider = match &self.choice {
            Choice::One { provider, .. } => provider.clone(),
            Choice::Variants => self.judge_provider.clone()?,
            Choice::Offline => return None,
        };
        Some(Target {
            provider,
            model: model.into(),
        })
    }

    /// The provider that answers whatever the variant says; none where the variant decides among several.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        match &self.choice {
            Choice::One { provider, .. } => Some(provider),
            Choice::Offline => Some(offline::NAME),
            Choice::Variants => None,
        }
    }

    /// The vendors that variants can reach here.
    #[must_use]
    pub fn configured(&self) -> Vec<&'static str> {
        VENDORS.into_iter().filter(|name| self.vendor(name).is_some()).collect()
    }
}

/// Why a vendor cannot be asked.
enum Unusable {
    /// Nothing of it is configured.
    Absent,
    /// Something is wrong or missing.
    Wrong(ConfigError),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => formatter.write_str("nothing is configured"),
            Self::Wrong(error) => error.fmt(formatter),
        }
    }
}

/// Reads a vendor from `<PREFIX>_<SETTING>`; what is secret is a secret binding. The model is the target's, never a setting.
fn configure(env: &Env, vendor: &str, prefix: &str) -> Result<Vendor, Unusable> {
    if vendor == WORKERS_AI {
        return workers_ai::binding(env).map(Vendor::WorkersAi).ok_or(Unusable::Absent);
    }
    let found = Cell::new(false);
    let setting = |name: &'static str| {
        if name == "model" {
            return None;
        }
        let name = format!("{prefix}_{}", name.to_uppercase());
        let value = text(env, &name);
        found.set(found.get() || value.is_some());
        value
    };
    let endpoint = Endpoint::configure(vendor, &setting);
    match endpoint {
        // Some vendors need no setting, for example a server on this machine: it has to be named all the same.
        Ok(endpoint) if found.get() || prefix == "LLM" => Ok(Vendor::Http(endpoint)),
        Err(error) if found.get() || prefix == "LLM" => Err(Unusable::Wrong(error)),
        _ => Err(Unusable::Absent),
    }
}
