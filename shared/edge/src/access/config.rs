//! Whose tokens count.

use super::claims::Rules;
use super::jwks::{Jwks, KeySource};
use crate::config::{list, text};
use crate::error::ApiError;
use worker::Env;

/// Issuer and audience of the local development issuer (`npm run -s admin-token`).
const DEVELOPMENT: (&str, &str) = ("https://development.invalid", "silent-infinity-development");

/// What a token is held against.
pub struct AccessConfig {
    pub(super) keys: KeySource,
    pub(super) rules: Rules,
}

impl AccessConfig {
    /// Reads the variables; `host` is the one that the request was made to.
    ///
    /// With `ACCESS_ISSUER` (the team's domain, `https://<team>.cloudflareaccess.com`) and `ACCESS_AUD` set, these count
    /// and nothing else. Without, the development issuer counts, on a loopback address of a local or test environment
    /// only: a deployed Worker refuses to answer at all while its key is set.
    ///
    /// # Errors
    /// [`ApiError::Internal`] naming what is missing or contradictory.
    pub fn read(env: &Env, host: &str) -> Result<Self, ApiError> {
        let environment = text(env, "ENVIRONMENT").unwrap_or_else(|| "production".into());
        let is_local = matches!(environment.as_str(), "local" | "test");
        let development = env.secret("ACCESS_DEV_JWKS").ok().map(|value| value.to_string());
        if development.is_some() && !is_local {
            return Err(ApiError::internal("ACCESS_DEV_JWKS is set in a deployed environment"));
        }
        let (keys, issuer, audience) = match (text(env, "ACCESS_ISSUER"), development) {
            (Some(issuer), _) => {
                let issuer = issuer.trim_end_matches('/').to_string();
                if !(issuer.starts_with("https://") || is_local) {
                    return Err(ApiError::internal("ACCESS_ISSUER is not https"));
                }
                let audience = text(env, "ACCESS_AUD").ok_or_else(|| ApiError::internal("ACCESS_AUD is not set"))?;
                (
                    KeySource::Team(format!("{issuer}/cdn-cgi/access/certs")),
                    issuer,
                    audience,
                )
            }
            (None, Some(jwks)) if is_local && is_loopback(host) => {
                let (issuer, audience) = DEVELOPMENT;
                let jwks = Jwks::parse(&jwks).ok_or_else(|| ApiError::internal("ACCESS_DEV_JWKS is malformed"))?;
                (KeySource::Development(jwks), issuer.into(), audience.into())
            }
            _ => return Err(ApiError::internal("ACCESS_ISSUER is not set")),
        };
        Ok(Self {
            keys,
            rules: Rules {
                issuer,
                audience,
                groups: list(env, "ACCESS_ADMIN_GROUPS"),
                group_claim: text(env, "ACCESS_GROUP_CLAIM").unwrap_or_else(|| "groups".into()),
                mfa_claim: text(env, "ACCESS_MFA_CLAIM"),
                mfa_values: list(env, "ACCESS_MFA_VALUES"),
            },
        })
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
