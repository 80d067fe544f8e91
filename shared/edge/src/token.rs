//! Guest tokens: a signed name for a person (JWT, HS256), and nothing else.

use crate::error::ApiError;
use chrono::{DateTime, Duration, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use serde::{Deserialize, Serialize};
use silent_core::ids::PersonId;

/// A guest's token lives as long as browsers keep a cookie (400 days).
pub const LIFETIME_S: i64 = 400 * 86_400;

#[derive(Clone, Serialize, Deserialize)]
struct Custom {
    sub: String,
    kind: String,
}

/// Signs and verifies.
pub struct Tokens {
    key: Hs256Key,
}

/// Milliseconds since 1970 as the JWT library takes them.
pub(crate) fn moment(now_ms: u64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(i64::try_from(now_ms).unwrap_or(i64::MAX)).unwrap_or(DateTime::UNIX_EPOCH)
}

impl Tokens {
    /// With a secret of at least 32 bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self {
            key: Hs256Key::new(secret),
        }
    }

    /// A token for a guest.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where the claims cannot be written.
    pub fn issue(&self, person: &PersonId, now_ms: u64) -> Result<String, ApiError> {
        let mut claims = Claims::new(Custom {
            sub: person.to_string(),
            kind: "guest".into(),
        });
        claims.issued_at = Some(moment(now_ms));
        claims.expiration = Some(moment(now_ms) + Duration::seconds(LIFETIME_S));
        Hs256
            .token(&Header::empty(), &claims, &self.key)
            .map_err(|_| ApiError::internal("token cannot be signed"))
    }

    /// The person whom a token names.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] for a token that is malformed, foreign, altered or expired.
    pub fn verify(&self, token: &str, now_ms: u64) -> Result<PersonId, ApiError> {
        let untrusted = UntrustedToken::new(token).map_err(|_| ApiError::Unauthorized)?;
        let token: Token<Custom> = Hs256
            .validator(&self.key)
            .validate(&untrusted)
            .map_err(|_| ApiError::Unauthorized)?;
        let options = TimeOptions::new(Duration::seconds(5), || moment(now_ms));
        let claims = token.claims();
        claims
            .validate_expiration(&options)
            .map_err(|_| ApiError::Unauthorized)?;
        PersonId::parse(&claims.custom.sub).map_err(|_| ApiError::Unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const NOW: u64 = 1_795_237_200_000;

    #[test]
    fn only_our_own_unexpired_tokens_verify() {
        let person = PersonId::new(NOW, [7; 10]);
        let tokens = Tokens::new(&[1; 32]);
        let token = tokens.issue(&person, NOW).unwrap();
        assert_eq!(tokens.verify(&token, NOW), Ok(person));

        let later = NOW + u64::try_from(LIFETIME_S).unwrap() * 1_000 + 6_000;
        assert_eq!(tokens.verify(&token, later), Err(ApiError::Unauthorized), "expired");
        assert_eq!(
            Tokens::new(&[2; 32]).verify(&token, NOW),
            Err(ApiError::Unauthorized),
            "another key"
        );
        let body = token.split('.').nth(1).unwrap();
        let none = format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        for forged in ["", "a.b.c", &none, &token.replace('.', "..")] {
            assert_eq!(tokens.verify(forged, NOW), Err(ApiError::Unauthorized), "{forged}");
        }
    }
}
