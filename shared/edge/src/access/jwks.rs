//! The team's public keys, by `kid`: held for an hour, looked up anew when an unknown one appears.

use crate::error::ApiError;
use futures::future::{Either, select};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;
use worker::{Delay, Fetch, Url};

/// How long keys are used without asking again.
const FRESH_MS: u64 = 3_600_000;
/// Least time between two requests, so that made-up key ids do not become requests.
const PAUSE_MS: u64 = 10_000;
/// Longest wait for the keys.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A public RSA key (RFC 7517, RFC 7518 section 6.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Jwk {
    kid: String,
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    /// The modulus, base 64.
    pub(super) n: String,
    /// The exponent, base 64.
    pub(super) e: String,
}

/// A set of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jwks(Vec<Jwk>);

impl Jwks {
    /// Reads a key set; keys of another kind are left out. None where it is not a set.
    pub(super) fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_str(text).ok()?;
        let keys = set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Some(Self(keys.filter(Jwk::is_usable).collect()))
    }

    fn get(&self, kid: &str) -> Option<Jwk> {
        self.0.iter().find(|key| key.kid == kid).cloned()
    }
}

impl Jwk {
    fn is_usable(&self) -> bool {
        // 2,048 bits are 342 characters.
        self.kty == "RSA"
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.n.trim_end_matches('=').len() >= 342
    }
}

/// Where the keys come from.
pub(super) enum KeySource {
    /// The team's address.
    Team(String),
    /// The local development issuer's keys themselves.
    Development(Jwks),
}

struct Held {
    url: String,
    keys: Jwks,
    read_at_ms: u64,
    asked_at_ms: u64,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// The key of that id, or none where the team has no such key.
pub(super) async fn key(source: &KeySource, kid: &str, now_ms: u64) -> Result<Option<Jwk>, ApiError> {
    let url = match source {
        KeySource::Development(keys) => return Ok(keys.get(kid)),
        KeySource::Team(url) => url,
    };
    let (known, may_ask) = HELD.with_borrow(|held| match held.as_ref().filter(|held| held.url == *url) {
        None => (None, true),
        Some(held) => {
            let is_fresh = now_ms.saturating_sub(held.read_at_ms) < FRESH_MS;
            let key = held.keys.get(kid);
            let may_ask = now_ms.saturating_sub(held.asked_at_ms) >= PAUSE_MS;
            (key.clone(), may_ask && !(is_fresh && key.is_some()))
        }
    });
    if !may_ask {
        return Ok(known);
    }
    match fetch(url).await {
        Some(keys) => {
            let key = keys.get(kid);
            HELD.set(Some(Held {
                url: url.clone(),
                keys,
                read_at_ms: now_ms,
                asked_at_ms: now_ms,
            }));
            Ok(key)
        }
        // The team's address is away: a key that was good an hour ago still is.
        None => {
            HELD.with_borrow_mut(|held| {
                if let Some(held) = held.as_mut() {
                    held.asked_at_ms = now_ms;
                }
            });
            known
                .map(Some)
                .ok_or_else(|| ApiError::unavailable("the keys of Access cannot be had"))
        }
    }
}

async fn fetch(url: &str) -> Option<Jwks> {
    let request = Fetch::Url(Url::parse(url).ok()?);
    let mut response = match select(pin!(request.send()), pin!(Delay::from(TIMEOUT))).await {
        Either::Left((response, _)) => response.ok()?,
        Either::Right(_) => return None,
    };
    if response.status_code() != 200 {
        return None;
    }
    Jwks::parse(&response.text().await.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signing_keys_of_a_decent_size_count() {
        let n = "x".repeat(342);
        let check = |fields: &str, usable: bool| {
            let text = format!(r#"{{"keys": [{{"kid": "1", {fields}}}, 5], "public_cert": {{}}}}"#);
            assert_eq!(Jwks::parse(&text).unwrap().get("1").is_some(), usable, "{fields}");
        };
        check(
            &format!(r#""kty": "RSA", "alg": "RS256", "use": "sig", "n": "{n}", "e": "AQAB""#),
            true,
        );
        check(&format!(r#""kty": "RSA", "n": "{n}", "e": "AQAB""#), true);
        check(&format!(r#""kty": "EC", "n": "{n}", "e": "AQAB""#), false);
        check(
            &format!(r#""kty": "RSA", "use": "enc", "n": "{n}", "e": "AQAB""#),
            false,
        );
        check(
            &format!(r#""kty": "RSA", "alg": "RS512", "n": "{n}", "e": "AQAB""#),
            false,
        );
        check(r#""kty": "RSA", "n": "short", "e": "AQAB""#, false);
        assert_eq!(Jwks::parse("[]"), None);
    }
}
