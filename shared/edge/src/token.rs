//! Tokens of our own (JWT, HS256): a guest's name, and a tester's wishes. Each kind opens only its own door.

use crate::error::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use silent_core::ids::PersonId;
use silent_core::sealed::DataKey;
use silent_core::variants::Overrides;
use worker::Env;

/// A guest's token lives as long as browsers keep a cookie (400 days).
pub const LIFETIME_S: i64 = 400 * 86_400;

const GUEST: &str = "guest";
const PREVIEW: &str = "preview";
const TICKET: &str = "events";
const LINK: &str = "link";
const APPROVAL: &str = "approval";

#[derive(Clone, Serialize, Deserialize)]
struct Custom {
    sub: String,
    kind: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Wishes {
    kind: String,
    overrides: Overrides,
}

/// Signs and verifies.
pub struct Tokens {
    key: Hs256Key,
    /// What a link leads to is sealed: it may name a person, and goes to others.
    sealing: DataKey,
    /// Keys the nonces.
    nonces: [u8; 32],
}

/// A key of its own for each purpose, from one secret.
fn derived(secret: &[u8], purpose: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(purpose)
        .chain_update([0])
        .chain_update(secret)
        .finalize()
        .into()
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
            sealing: DataKey::new(derived(secret, "silent-infinity link, seal")),
            nonces: derived(secret, "silent-infinity link, nonce"),
        }
    }

    /// With the secret of the environment.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where `TOKEN_SECRET` is missing or too short.
    pub fn read(env: &Env) -> Result<Self, ApiError> {
        let secret = env
            .secret("TOKEN_SECRET")
            .map_err(|_| ApiError::internal("secret TOKEN_SECRET is not set"))?
            .to_string();
        let bytes = STANDARD.decode(secret).ok().filter(|bytes| bytes.len() >= 32);
        let bytes = bytes.ok_or_else(|| ApiError::internal("TOKEN_SECRET is not base64 of at least 32 bytes"))?;
        Ok(Self::new(&bytes))
    }

    /// A token for a guest.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where the claims cannot be written.
    pub fn issue(&self, person: &PersonId, now_ms: u64) -> Result<String, ApiError> {
        let mut claims = Claims::new(Custom {
            sub: person.to_string(),
            kind: GUEST.into(),
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
        let custom: Custom = self.open(token, now_ms)?;
        if custom.kind != GUEST {
            return Err(ApiError::Unauthorized);
        }
        PersonId::parse(&custom.sub).map_err(|_| ApiError::Unauthorized)
    }

    /// A token that shows variants to a tester until `expires_at_ms`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where the claims cannot be written.
    pub fn issue_preview(&self, overrides: &Overrides, expires_at_ms: u64) -> Result<String, ApiError> {
        let mut claims = Claims::new(Wishes {
            kind: PREVIEW.into(),
            overrides: overrides.clone(),
        });
        claims.expiration = Some(moment(expires_at_ms));
        Hs256
            .token(&Header::empty(), &claims, &self.key)
            .map_err(|_| ApiError::internal("token cannot be signed"))
    }

    /// What a tester's token asks to see.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] for a token that is malformed, foreign, altered, expired or of another kind.
    pub fn verify_preview(&self, token: &str, now_ms: u64) -> Result<Overrides, ApiError> {
        let wishes: Wishes = self.open(token, now_ms)?;
        if wishes.kind == PREVIEW {
            Ok(wishes.overrides)
        } else {
            Err(ApiError::Unauthorized)
        }
    }

    /// A ticket for the stream of registry changes, which browsers open without headers. It names nobody, and is the
    /// same for the same `expires_at_ms`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where the claims cannot be written.
    pub fn issue_ticket(&self, expires_at_ms: u64) -> Result<String, ApiError> {
        let mut claims = Claims::new(Custom {
            sub: String::new(),
            kind: TICKET.into(),
        });
        claims.expiration = Some(moment(expires_at_ms));
        Hs256
            .token(&Header::empty(), &claims, &self.key)
            .map_err(|_| ApiError::internal("token cannot be signed"))
    }

    /// Checks a ticket.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`].
    pub fn verify_ticket(&self, ticket: &str, now_ms: u64) -> Result<(), ApiError> {
        let custom: Custom = self.open(ticket, now_ms)?;
        if custom.kind == TICKET {
            Ok(())
        } else {
            Err(ApiError::Unauthorized)
        }
    }

    /// A link to one thing, for whoever holds it, until `expires_at_ms`; the same for the same thing and time. It does
    /// not show what it leads to.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where the claims cannot be written.
    pub fn issue_link(&self, thing: &str, expires_at_ms: u64) -> Result<String, ApiError> {
        // From all that is sealed: the same nonce for another text would take a collision of the hash.
        let hash = Sha256::new()
            .chain_update(self.nonces)
            .chain_update(expires_at_ms.to_be_bytes())
            .chain_update(thing)
            .finalize();
        let mut nonce = [0; 12];
        nonce.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        let sealed = self
            .sealing
            .seal(thing.as_bytes(), LINK, nonce)
            .map_err(|_| ApiError::internal("link cannot be sealed"))?;
        let mut claims = Claims::new(Custom {
            sub: URL_SAFE_NO_PAD.encode(sealed),
            kind: LINK.into(),
        });
        claims.expiration = Some(moment(expires_at_ms));
        Hs256
            .token(&Header::empty(), &claims, &self.key)
            .map_err(|_| ApiError::internal("token cannot be signed"))
    }

    /// The thing that a link leads to.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`].
    pub fn verify_link(&self, link: &str, now_ms: u64) -> Result<String, ApiError> {
        let custom: Custom = self.open(link, now_ms)?;
        if custom.kind != LINK {
            return Err(ApiError::Unauthorized);
        }
        let sealed = URL_SAFE_NO_PAD.decode(&custom.sub).ok();
        let thing = sealed.and_then(|sealed| self.sealing.open(&sealed, LINK).ok());
        let thing = thing.and_then(|thing| String::from_utf8(thing).ok());
        thing.ok_or(ApiError::Unauthorized)
    }

    /// A link by which a person approves `thing`, until `expires_at_ms`; the same for the same thing and time.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where the claims cannot be written.
    pub fn issue_approval(&self, thing: &str, expires_at_ms: u64) -> Result<String, ApiError> {
        let mut claims = Claims::new(Custom {
            sub: thing.into(),
            kind: APPROVAL.into(),
        });
        claims.expiration = Some(moment(expires_at_ms));
        Hs256
            .token(&Header::empty(), &claims, &self.key)
            .map_err(|_| ApiError::internal("token cannot be signed"))
    }

    /// What a link asks to be approved; an expired one is told from a forged one by [`ApiError::NotFound`].
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] for one that is malformed, foreign, altered or of another kind; [`ApiError::NotFound`].
    pub fn verify_approval(&self, token: &str, now_ms: u64) -> Result<String, ApiError> {
        // As of 1970 nothing has expired: the signature is looked at first.
        let custom: Custom = self.open(token, 0)?;
        if custom.kind != APPROVAL {
            return Err(ApiError::Unauthorized);
        }
        match self.open::<Custom>(token, now_ms) {
            Ok(custom) => Ok(custom.sub),
            Err(_) => Err(ApiError::NotFound),
        }
    }

    fn open<T: Clone + DeserializeOwned>(&self, token: &str, now_ms: u64) -> Result<T, ApiError> {
        let untrusted = UntrustedToken::new(token).map_err(|_| ApiError::Unauthorized)?;
        let token: Token<T> = Hs256
            .validator(&self.key)
            .validate(&untrusted)
            .map_err(|_| ApiError::Unauthorized)?;
        let options = TimeOptions::new(Duration::seconds(5), || moment(now_ms));
        let claims = token.claims();
        claims
            .validate_expiration(&options)
            .map_err(|_| ApiError::Unauthorized)?;
        Ok(claims.custom.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use silent_core::variants::{Category, VariantId};

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

    #[test]
    fn a_kind_opens_its_own_door_only() {
        let tokens = Tokens::new(&[1; 32]);
        let overrides: Overrides = [(Category::MandalaFace, VariantId::parse("none").unwrap())].into();
        let preview = tokens.issue_preview(&overrides, NOW + 60_000).unwrap();
        assert_eq!(tokens.verify_preview(&preview, NOW), Ok(overrides));
        assert_eq!(
            tokens.verify_preview(&preview, NOW + 66_000),
            Err(ApiError::Unauthorized)
        );
        assert_eq!(tokens.verify(&preview, NOW), Err(ApiError::Unauthorized));
        let guest = tokens.issue(&PersonId::new(NOW, [7; 10]), NOW).unwrap();
        assert_eq!(tokens.verify_preview(&guest, NOW), Err(ApiError::Unauthorized));
        assert_eq!(tokens.verify_ticket(&guest, NOW), Err(ApiError::Unauthorized));
        let ticket = tokens.issue_ticket(NOW + 60_000).unwrap();
        assert_eq!(tokens.issue_ticket(NOW + 60_000), Ok(ticket.clone()));
        assert_eq!(tokens.verify_ticket(&ticket, NOW), Ok(()));
        assert_eq!(tokens.verify(&ticket, NOW), Err(ApiError::Unauthorized));
        let link = tokens.issue_link("audio/a", NOW + 60_000).unwrap();
        assert_eq!(tokens.verify_link(&link, NOW), Ok("audio/a".into()));
        assert_eq!(tokens.issue_link("audio/a", NOW + 60_000), Ok(link.clone()));
        let claims = URL_SAFE_NO_PAD.decode(link.split('.').nth(1).unwrap()).unwrap();
        assert!(
            !String::from_utf8(claims).unwrap().contains("audio"),
            "it shows nothing"
        );
        assert_eq!(tokens.verify_link(&link, NOW + 66_000), Err(ApiError::Unauthorized));
        for other in [&guest, &ticket] {
            assert_eq!(tokens.verify_link(other, NOW), Err(ApiError::Unauthorized));
        }
        assert_eq!(tokens.verify_ticket(&link, NOW), Err(ApiError::Unauthorized));
    }

    #[test]
    fn an_approval_is_told_from_every_other_token_and_from_an_expired_one() {
        let tokens = Tokens::new(&[1; 32]);
        let link = tokens.issue_approval("run_1.1.7", NOW + 60_000).unwrap();
        assert_eq!(
            tokens.issue_approval("run_1.1.7", NOW + 60_000).unwrap(),
            link,
            "sent twice, it is one"
        );
        assert_eq!(tokens.verify_approval(&link, NOW), Ok("run_1.1.7".into()));
        assert_eq!(tokens.verify_approval(&link, NOW + 66_000), Err(ApiError::NotFound));
        assert_eq!(tokens.verify_link(&link, NOW), Err(ApiError::Unauthorized));
        let other = tokens.issue_link("run_1.1.7", NOW + 60_000).unwrap();
        assert_eq!(tokens.verify_approval(&other, NOW), Err(ApiError::Unauthorized));
        assert_eq!(
            Tokens::new(&[2; 32]).verify_approval(&link, NOW),
            Err(ApiError::Unauthorized)
        );
    }
}
