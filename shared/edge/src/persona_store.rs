//! Personas in R2: sealed ones of people, each version an object of its own, and the deployment's own in plain text.
//!
//! Invariant: what is kept in the isolate's memory is what R2 holds: sealed bytes stay sealed.

use crate::config::text;
use crate::error::ApiError;
use silent_core::persona::Persona;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;
use worker::{Bucket, Conditional, Delay, Env};

/// The binding.
pub const BUCKET: &str = "BUCKET";
/// Where a deployment keeps its own persona; the first one found is it.
pub const SITE: [&str; 3] = ["twin/me.txt", "twin/me.md", "twin/me.json"];
/// The persona of a fresh checkout, so that a twin answers before anything is set up.
const BUNDLED: &str = include_str!("persona_store/me.md");
/// Waits between the tries of a storage operation, milliseconds.
const BACK_OFF_MS: [u64; 3] = [50, 200, 800];
/// How long the deployment's persona is used without asking whether it changed, milliseconds.
const FRESH_MS: u64 = 2_000;
/// Objects that an isolate keeps.
const KEPT: usize = 32;

/// The persona is not where it should be.
#[must_use]
pub fn missing() -> ApiError {
    ApiError::Fault {
        slug: "persona-missing",
        title: "The twin's persona is missing",
        cause: "no persona in storage".into(),
    }
}

/// The persona is there and cannot be used.
#[must_use]
pub fn malformed(cause: impl ToString) -> ApiError {
    ApiError::Fault {
        slug: "persona-malformed",
        title: "The twin's persona cannot be read",
        cause: cause.to_string(),
    }
}

fn bucket(env: &Env) -> Result<Bucket, ApiError> {
    Ok(env.bucket(BUCKET)?)
}

/// Tries an operation again, later and later; what fails four times is away.
async fn retried<T>(what: &str, mut operation: impl AsyncFnMut() -> worker::Result<T>) -> Result<T, ApiError> {
    for wait_ms in BACK_OFF_MS {
        if let Ok(value) = operation().await {
            return Ok(value);
        }
        Delay::from(Duration::from_millis(wait_ms)).await;
    }
    operation()
        .await
        .map_err(|_| ApiError::unavailable(format!("R2 {what} failed {} times", BACK_OFF_MS.len() + 1)))
}

thread_local! {
    /// Sealed objects by key. A key never changes what it names, so that nothing here grows old.
    static SEALED: RefCell<VecDeque<(String, Vec<u8>)>> = const { RefCell::new(VecDeque::new()) };
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// Writes an object.
///
/// # Errors
/// [`ApiError::Unavailable`] after several tries.
pub async fn put(env: &Env, key: &str, bytes: &[u8]) -> Result<(), ApiError> {
    let bucket = bucket(env)?;
    retried("put", async || bucket.put(key, bytes.to_vec()).execute().await).await?;
    Ok(())
}

/// Reads an object; none where there is none.
///
/// # Errors
/// [`ApiError::Unavailable`] after several tries.
pub async fn get(env: &Env, key: &str) -> Result<Option<Vec<u8>>, ApiError> {
    let kept = SEALED.with_borrow(|kept| {
        kept.iter()
            .find(|(name, _)| name == key)
            .map(|(_, bytes)| bytes.clone())
    });
    if kept.is_some() {
        return Ok(kept);
    }
    let bucket = bucket(env)?;
    let bytes = retried("get", async || match bucket.get(key).execute().await? {
        Some(object) => match object.body() {
            Some(body) => Ok(Some(body.bytes().await?)),
            None => Ok(None),
        },
        None => Ok(None),
    })
    .await?;
    if let Some(bytes) = &bytes {
        SEALED.with_borrow_mut(|kept| {
            kept.truncate(KEPT - 1);
            kept.push_front((key.into(), bytes.clone()));
        });
    }
    Ok(bytes)
}

/// Deletes everything below a prefix.
///
/// # Errors
/// [`ApiError::Unavailable`] after several tries.
pub async fn delete_all(env: &Env, prefix: &str) -> Result<(), ApiError> {
    SEALED.with_borrow_mut(|kept| kept.retain(|(key, _)| !key.starts_with(prefix)));
    let bucket = bucket(env)?;
    loop {
        let page = retried("list", async || {
            bucket.list().prefix(prefix).limit(1_000).execute().await
        })
        .await?;
        let keys: Vec<String> = page.objects().iter().map(worker::Object::key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        retried("delete", async || bucket.delete_multiple(keys.clone()).await).await?;
    }
}

/// The deployment's persona, as it was last seen.
#[derive(Clone)]
struct Own {
    key: &'static str,
    etag: String,
    persona: Persona,
    seen_at_ms: u64,
}

fn parsed(key: &str, bytes: &[u8]) -> Result<Persona, ApiError> {
    let persona = if key.ends_with(".json") {
        Persona::card(bytes)
    } else {
        Persona::text(bytes, None)
    };
    persona.map_err(malformed)
}

/// The deployment's own persona and its version, read again where it changed. Without one, production has none and
/// everything else the bundled one.
///
/// # Errors
/// `persona-missing`, `persona-malformed`, or [`ApiError::Unavailable`] after several tries.
pub async fn own(env: &Env, now_ms: u64) -> Result<(Persona, String), ApiError> {
    let version = |own: &Own| own.etag.chars().take(8).collect::<String>();
    let known = OWN.with_borrow(Clone::clone);
    if let Some(own) = known
        .as_ref()
        .filter(|own| now_ms.saturating_sub(own.seen_at_ms) < FRESH_MS)
    {
        return Ok((own.persona.clone(), version(own)));
    }
    let bucket = bucket(env)?;
    for key in SITE {
        let etag = known.as_ref().filter(|own| own.key == key).map(|own| own.etag.clone());
        let found = retried("get", async || {
            let changed = Conditional {
                etag_matches: None,
                etag_does_not_match: etag.clone(),
                uploaded_before: None,
                uploaded_after: None,
            };
            let asked = match &etag {
                Some(_) => bucket.get(key).only_if(changed),
                None => bucket.get(key),
            };
            let Some(object) = asked.execute().await? else {
                return Ok(None);
            };
            let bytes = match object.body() {
                Some(body) => Some(body.bytes().await?),
                None => None,
            };
            Ok(Some((object.etag(), bytes)))
        })
        .await?;
        let own = match (found, &known) {
            (None, _) => continue,
            // Not changed: R2 sent no body.
            (Some((_, None)), Some(own)) => Own {
                seen_at_ms: now_ms,
                ..own.clone()
            },
            (Some((_, None)), None) => return Err(missing()),
            (Some((etag, Some(bytes))), _) => Own {
                key,
                etag,
                persona: parsed(key, &bytes)?,
                seen_at_ms: now_ms,
            },
        };
        OWN.set(Some(own.clone()));
        return Ok((own.persona.clone(), version(&own)));
    }
    OWN.set(None);
    if text(env, "ENVIRONMENT").as_deref() == Some("production") {
        return Err(missing());
    }
    Ok((parsed("me.md", BUNDLED.as_bytes())?, "bundled".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_persona_is_one() {
        let persona = parsed("me.md", BUNDLED.as_bytes()).unwrap();
        assert_eq!((persona.name(), persona.source()), ("Sol", BUNDLED));
    }
}
