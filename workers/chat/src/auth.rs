//! Who asks: a guest's token, in a cookie or as a bearer.

use silent_core::ids::PersonId;
use silent_edge::error::ApiError;
use silent_edge::http::{self, cookie, header};
use silent_edge::token::{LIFETIME_S, Tokens};
use worker::{Method, Request};

const COOKIE: &str = "si_token";

/// The person of a request; bearer before cookie.
pub(crate) fn person(request: &Request, tokens: &Tokens, now_ms: u64) -> Result<PersonId, ApiError> {
    let bearer = header(request.headers(), "authorization")
        .and_then(|value| value.strip_prefix("Bearer ").map(ToString::to_string));
    let token = bearer
        .or_else(|| cookie(request.headers(), COOKIE))
        .ok_or(ApiError::Unauthorized)?;
    tokens.verify(&token, now_ms)
}

/// A `Set-Cookie` value for the token; an empty one removes it.
pub(crate) fn set_cookie(token: &str, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    let age = if token.is_empty() { 0 } else { LIFETIME_S };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}

/// Refuses requests that a foreign page makes a browser send; programs without a browser send no `Origin`.
pub(crate) fn check_origin(request: &Request, allowed: &[String]) -> Result<Option<String>, ApiError> {
    let Some(origin) = header(request.headers(), "origin") else {
        return Ok(None);
    };
    let own = request.url()?.origin().ascii_serialization();
    if origin == own {
        return Ok(None);
    }
    if allowed.contains(&origin) {
        return Ok(Some(origin));
    }
    // Reading is harmless: without CORS headers the foreign page never sees the answer.
    if matches!(request.method(), Method::Get | Method::Head) {
        return Ok(None);
    }
    Err(ApiError::ForbiddenOrigin)
}

/// The language that a client asks for, BCP 47; English where it asks for none.
pub(crate) fn locale(request: &Request) -> String {
    header(request.headers(), "accept-language")
        .and_then(|header| header.split([',', ';']).next().map(|tag| tag.trim().to_string()))
        .filter(|tag| (1..=35).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .unwrap_or_else(|| "en".into())
}

/// The person's region: what they chose, else the country that the request comes from.
pub(crate) fn region(request: &Request) -> Option<String> {
    let chosen = header(request.headers(), "x-country").and_then(|code| http::country(&code));
    chosen.or_else(|| request.cf().and_then(worker::Cf::country))
}
