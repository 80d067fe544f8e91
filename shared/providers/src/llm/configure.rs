//! Endpoints from settings.

use super::{Endpoint, anthropic, bedrock, gemini, ollama, openai, openrouter};
use crate::aws::sigv4::Credentials;
use crate::http::Secret;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use thiserror::Error;

/// What is missing or wrong in the configuration of an endpoint. Names the setting, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// No such vendor.
    #[error("unknown vendor of language models")]
    Vendor,
    /// A setting is not there.
    #[error("setting {0} is missing")]
    Missing(&'static str),
    /// A setting is none of its values.
    #[error("setting {0} has no such value")]
    Value(&'static str),
}

impl Endpoint {
    /// Reads an endpoint from settings. Vendors: `openai`, `groq`, `vllm`, `llama-cpp`, `ollama-v1`, `openrouter`, `anthropic`,
    /// `bedrock`, `gemini`, `ollama`. All have `model` and `base_url`, which those with a public address do not need. Beside
    /// these:
    /// - the first five: `api_key`, `quirks` (`openai`, `compatible`, `plain`), `temperature` (`true`, `false`);
    /// - `openrouter`: `api_key`, `providers` (pinned, in order, separated by commas), `zdr`;
    /// - `anthropic`: `api_key`, `version`;
    /// - `bedrock`: `region`, `api_key` or `access_key_id`, `secret_access_key` and `session_token`, `control_url`, `temperature`;
    /// - `gemini`: `api_key`, `thinking_budget`;
    /// - `ollama`: `api_key`, `num_ctx`.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or wrong.
    pub fn configure(vendor: &str, setting: &dyn Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        let need = |name: &'static str| setting(name).ok_or(ConfigError::Missing(name));
        let flag = |name: &'static str, default: bool| match setting(name).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ConfigError::Value(name)),
        };
        let number = |name: &'static str| match setting(name) {
            None => Ok(None),
            Some(value) => value.parse::<u32>().map(Some).map_err(|_| ConfigError::Value(name)),
        };
        let base_url = |public: &str| setting("base_url").unwrap_or_else(|| public.to_string());
        let model = setting("model");
        let key = || need("api_key").map(Secret::new);
        let compatible = |base_url: String, quirks: openai::Quirks| {
            let quirks = match setting("quirks").as_deref() {
                None => quirks,
                Some("openai") => openai::Quirks::OPENAI,
                Some("compatible") => openai::Quirks::COMPATIBLE,
                Some("plain") => openai::Quirks::PLAIN,
                Some(_) => return Err(ConfigError::Value("quirks")),
            };
            Ok(Self::OpenAi(openai::Endpoint {
                name: vendor.to_string(),
                base_url,
                api_key: setting("api_key").map(Secret::new),
                model: model.clone(),
                quirks: openai::Quirks {
                    temperature: flag("temperature", quirks.temperature)?,
                    ..quirks
                },
            }))
        };
        match vendor {
            "openai" => {
                let base_url = base_url(openai::Endpoint::OPENAI_URL);
                // Somebody else's server behind the vendor's name is the usual way to configure one.
                let quirks = if base_url.starts_with(openai::Endpoint::OPENAI_URL) {
                    openai::Quirks::OPENAI
                } else {
                    openai::Quirks::COMPATIBLE
                };
                compatible(base_url, quirks)
            }
            "groq" => compatible(base_url(openai::Endpoint::GROQ_URL), openai::Quirks::OPENAI),
            "vllm" | "llama-cpp" | "ollama-v1" => compatible(need("base_url")?, openai::Quirks::COMPATIBLE),
            "openrouter" => {
                let pinned: Vec<String> = setting("providers")
                    .unwrap_or_default()
                    .split(',')
                    .map(|name| name.trim().to_string())
                    .filter(|name| !name.is_empty())
                    .collect();
                let routing = if pinned.is_empty() {
                    openrouter::Routing::default()
                } else {
                    openrouter::Routing::pinned(pinned)
                };
                Ok(Self::OpenRouter(openrouter::Endpoint {
                    base_url: base_url(openrouter::Endpoint::BASE_URL),
                    api_key: key()?,
                    model,
                    routing: openrouter::Routing {
                        zdr: flag("zdr", routing.zdr)?,
                        ..routing
                    },
                }))
            }
            "anthropic" => Ok(Self::Anthropic(anthropic::Endpoint {
                base_url: base_url(anthropic::Endpoint::BASE_URL),
                api_key: key()?,
                model,
                version: match setting("version").as_deref() {
                    None | Some("2026-10-21") => anthropic::Version::V2026_10_21,
                    Some("2023-06-01") => anthropic::Version::V2023_06_01,
                    Some(_) => return Err(ConfigError::Value("version")),
                },
            })),
            "bedrock" => Ok(Self::Bedrock(bedrock::Endpoint {
                region: need("region")?,
                auth: match setting("api_key") {
                    Some(key) => bedrock::Auth::ApiKey(Secret::new(key)),
                    None => bedrock::Auth::SigV4(Credentials {
                        access_key_id: need("access_key_id")?,
                        secret_access_key: Secret::new(need("secret_access_key")?),
                        session_token: setting("session_token").map(Secret::new),
                    }),
                },
                model,
                temperature: flag("temperature", false)?,
                runtime_url: setting("base_url"),
                control_url: setting("control_url"),
            })),
            "gemini" => Ok(Self::Gemini(gemini::Endpoint {
                base_url: base_url(gemini::Endpoint::BASE_URL),
                api_key: key()?,
                model,
                thinking_budget: number("thinking_budget")?,
            })),
            "ollama" => Ok(Self::Ollama(ollama::Endpoint {
                base_url: base_url(ollama::Endpoint::BASE_URL),
                api_key: setting("api_key").map(Secret::new),
                model,
                num_ctx: number("num_ctx")?,
            })),
            _ => Err(ConfigError::Vendor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn configure(vendor: &str, settings: &[(&str, &str)]) -> Result<Endpoint, ConfigError> {
        Endpoint::configure(vendor, &|name| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_string())
        })
    }

    #[test]
    fn settings_are_read_or_named() {
        let missing = |name| ConfigError::Missing(name);
        for (vendor, settings, expected) in [
            ("nobody", &[][..], ConfigError::Vendor),
            ("anthropic", &[], missing("api_key")),
            (
                "anthropic",
                &[("api_key", "k"), ("version", "1")],
                ConfigError::Value("version"),
            ),
            ("vllm", &[], missing("base_url")),
            (
                "vllm",
                &[("base_url", "http://x/v1"), ("quirks", "odd")],
                ConfigError::Value("quirks"),
            ),
            ("bedrock", &[("region", "eu-central-1")], missing("access_key_id")),
            (
                "openrouter",
                &[("api_key", "k"), ("zdr", "yes")],
                ConfigError::Value("zdr"),
            ),
        ] {
            assert_eq!(configure(vendor, settings).unwrap_err(), expected, "{vendor}");
        }
    }

    #[test]
    fn a_server_behind_openais_name_is_a_compatible_one() {
        let quirks = |vendor: &str, settings: &[(&str, &str)]| match configure(vendor, settings) {
            Ok(Endpoint::OpenAi(endpoint)) => endpoint.quirks,
            other => panic!("{other:?}"),
        };
        assert_eq!(quirks("openai", &[]), openai::Quirks::OPENAI);
        assert_eq!(
            quirks("openai", &[("base_url", "http://127.0.0.1:8091/v1")]),
            openai::Quirks::COMPATIBLE
        );
        assert!(!quirks("groq", &[("temperature", "false")]).temperature);
        assert_eq!(
            quirks("llama-cpp", &[("base_url", "http://x"), ("quirks", "plain")]),
            openai::Quirks::PLAIN
        );
    }

    #[test]
    fn pins_are_read() {
        let endpoint = configure(
            "openrouter",
            &[("api_key", "k"), ("providers", "anthropic, amazon-bedrock")],
        );
        let Ok(Endpoint::OpenRouter(endpoint)) = endpoint else {
            panic!("{endpoint:?}")
        };
        assert_eq!(endpoint.routing.order, ["anthropic", "amazon-bedrock"]);
        assert!(!endpoint.routing.allow_fallbacks);
        assert!(!format!("{endpoint:?}").contains("\"k\""));
    }
}
