//! API keys of programs: looked up by hash, with what they open.

use crate::error::ApiError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::BTreeMap;
use worker::D1Database;

/// How long a key that was found is used without asking again: a revocation arrives within this.
const FRESH_MS: u64 = 5_000;
/// Keys that an isolate holds at most.
const HELD: usize = 256;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Evaluating flags (OFREP).
    #[serde(rename = "flags:read")]
    FlagsRead,
    /// Talking with models.
    #[serde(rename = "chat")]
    Chat,
    /// Writing down and speaking.
    #[serde(rename = "audio")]
    Audio,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FlagsRead, Self::Chat, Self::Audio];

    /// The scope's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FlagsRead => "flags:read",
            Self::Chat => "chat",
            Self::Audio => "audio",
        }
    }
}

/// A key that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it opens.
    pub scopes: Vec<Scope>,
}

/// How a secret is stored: SHA-256, hexadecimal. It has 256 random bits, so that nothing slower is needed.
#[must_use]
pub fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

thread_local! {
    static KNOWN: RefCell<BTreeMap<String, (ApiKey, u64)>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Deserialize)]
struct Row {
    id: String,
    scopes: String,
}

/// The key of a secret, with the scope that is wanted.
///
/// # Errors
/// [`ApiError::Unauthorized`] where there is no such key or it was revoked, [`ApiError::Forbidden`] where it does not
/// open this, [`ApiError::Unavailable`] where D1 is away.
pub async fn verify(db: &D1Database, secret: &str, wanted: Scope, now_ms: u64) -> Result<ApiKey, ApiError> {
    let hash = hash(secret);
    let known = KNOWN.with_borrow(|known| {
        let (key, read_at_ms) = known.get(&hash)?;
        (now_ms.saturating_sub(*read_at_ms) < FRESH_MS).then(|| key.clone())
    });
    let key = match known {
        Some(key) => key,
        None => {
            let row: Option<Row> = db
                .prepare("SELECT id, scopes FROM api_keys WHERE hash = ?1 AND revoked_at_ms IS NULL")
                .bind(&[hash.as_str().into()])?
                .first(None)
                .await
                .map_err(|error| ApiError::unavailable(format!("D1: {error}")))?;
            let row = row.ok_or(ApiError::Unauthorized)?;
            let key = ApiKey {
                id: row.id,
                scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
            };
            KNOWN.with_borrow_mut(|known| {
                known.retain(|_, (_, read_at_ms)| now_ms.saturating_sub(*read_at_ms) < FRESH_MS);
                if known.len() < HELD {
                    known.insert(hash, (key.clone(), now_ms));
                }
            });
            key
        }
    };
    if key.scopes.contains(&wanted) {
        Ok(key)
    } else {
        Err(ApiError::Forbidden(format!(
            "the key lacks the scope {}",
            wanted.as_str()
        )))
    }
}
