//! Cloudflare Access: who an admin is. The token is verified here again, whatever stands in front of us.
//!
//! Source: Cloudflare One, "Validate JWTs" and "Application token". RS256 only; keys by `kid` from the team's JWKS.

mod claims;
mod config;
mod jwks;
mod subtle;

pub use claims::{Identity, Rules};
pub use config::AccessConfig;

use crate::error::ApiError;
use crate::http::{cookie, header};
use jwt_compact::UntrustedToken;
use worker::Headers;

/// The header that Access adds to every request that it lets through.
pub const HEADER: &str = "cf-access-jwt-assertion";
/// The cookie that it gives to browsers.
const COOKIE: &str = "CF_Authorization";

/// The admin who asks.
///
/// # Errors
/// [`ApiError::Unauthorized`] for a token that is missing, malformed, forged, expired or for somebody else;
/// [`ApiError::Forbidden`] where the group or the second factor is missing; [`ApiError::Unavailable`] where the keys
/// cannot be had.
pub async fn admin(headers: &Headers, config: &AccessConfig, now_ms: u64) -> Result<Identity, ApiError> {
    let token = header(headers, HEADER)
        .or_else(|| cookie(headers, COOKIE))
        .ok_or(ApiError::Unauthorized)?;
    let untrusted = UntrustedToken::new(&token).map_err(|_| ApiError::Unauthorized)?;
    if untrusted.algorithm() != "RS256" {
        return Err(ApiError::Unauthorized);
    }
    let kid = untrusted.header().key_id.clone().ok_or(ApiError::Unauthorized)?;
    let key = jwks::key(&config.keys, &kid, now_ms)
        .await?
        .ok_or(ApiError::Unauthorized)?;
    let (signed, _) = token.rsplit_once('.').ok_or(ApiError::Unauthorized)?;
    if !subtle::verify(&key, untrusted.signature_bytes(), signed.as_bytes()).await? {
        return Err(ApiError::Unauthorized);
    }
    claims::identity(&untrusted, &config.rules, now_ms)
}
