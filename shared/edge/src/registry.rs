//! The registry's snapshot in this isolate: swapped whole, the last good one kept.
//!
//! KV is the read path, near every isolate and available when the registry's object is not. The object is asked beside
//! it, for a moment only, so that a kill switch or a demotion reaches running sessions without waiting for KV.

use futures::future::{Either, join, select};
use silent_core::variants::Snapshot;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use worker::kv::KvStore;
use worker::{Delay, Env};

/// The binding of the KV namespace.
pub const BINDING: &str = "REGISTRY";
/// Key of the pointer `{version, key}`.
pub const POINTER: &str = "registry:current";
/// The binding of the registry's object.
pub const OBJECT: &str = "REGISTRY_OBJECT";
/// The name of the one object.
pub const OBJECT_NAME: &str = "registry";
/// How long an isolate trusts its snapshot before it asks the object again.
const FRESH_MS: u64 = 2_000;
/// Longest wait for the object while a person waits for a turn.
const PATIENCE: Duration = Duration::from_millis(250);

struct Held {
    snapshot: Rc<Snapshot>,
    looked_at_ms: u64,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

#[derive(serde::Deserialize)]
struct Pointer {
    version: u64,
    key: String,
}

/// [`snapshot`], asked for anew where what is held is older than a version that the caller has heard of.
pub async fn snapshot_from(env: &Env, now_ms: u64, version: u64) -> Option<Rc<Snapshot>> {
    let held = snapshot(env, now_ms).await?;
    if held.version() >= version {
        return Some(held);
    }
    HELD.with_borrow_mut(|held| {
        if let Some(held) = held.as_mut() {
            held.looked_at_ms = 0;
        }
    });
    snapshot(env, now_ms).await
}

/// The newest snapshot that can be had: the object's or KV's, else the last good one, else the one that is compiled in.
pub async fn snapshot(env: &Env, now_ms: u64) -> Option<Rc<Snapshot>> {
    let held = HELD.with_borrow_mut(|held| {
        let held = held.as_mut()?;
        let is_fresh = now_ms.saturating_sub(held.looked_at_ms) < FRESH_MS;
        // Whoever comes while this one looks takes what is there.
        held.looked_at_ms = now_ms;
        Some((held.snapshot.clone(), is_fresh))
    });
    let known = match &held {
        Some((snapshot, true)) => return Some(snapshot.clone()),
        Some((snapshot, false)) => snapshot.version(),
        None => 0,
    };
    let newest = newest(env, known, held.is_none()).await;
    HELD.with_borrow_mut(|slot| {
        // Another request may have been faster: an older version is ignored.
        let standing = slot.as_ref().map(|held| held.snapshot.clone());
        let snapshot = match (newest, standing) {
            (Some(newer), Some(standing)) if newer.version() <= standing.version() => standing,
            (Some(newer), _) => Rc::new(newer),
            (None, Some(standing)) => standing,
            (None, None) => Rc::new(Snapshot::builtin().ok()?),
        };
        *slot = Some(Held {
            snapshot: snapshot.clone(),
            looked_at_ms: now_ms,
        });
        Some(snapshot)
    })
}

/// A snapshot newer than `known`, or none. A cold isolate asks both sources, any other KV only where the object is away.
async fn newest(env: &Env, known: u64, is_cold: bool) -> Option<Snapshot> {
    if is_cold {
        let (head, kv) = join(from_object(env, known), from_kv(env, known)).await;
        return [head.ok().flatten(), kv]
            .into_iter()
            .flatten()
            .max_by_key(Snapshot::version);
    }
    match from_object(env, known).await {
        Ok(newer) => newer,
        Err(Away) => from_kv(env, known).await,
    }
}

struct Away;

async fn from_object(env: &Env, known: u64) -> Result<Option<Snapshot>, Away> {
    let asked = async {
        let stub = env.durable_object(OBJECT)?.get_by_name(OBJECT_NAME)?;
        let mut response = stub
            .fetch_with_str(&format!("https://object/head?known={known}"))
            .await?;
        match response.status_code() {
            200 => response.text().await.map(Some),
            204 => Ok(None),
            status => Err(worker::Error::RustError(format!("registry answered {status}"))),
        }
    };
    match select(pin!(asked), pin!(Delay::from(PATIENCE))).await {
        Either::Left((Ok(None), _)) => Ok(None),
        Either::Left((Ok(Some(text)), _)) => Snapshot::parse(&text).map(Some).map_err(|_| Away),
        _ => Err(Away),
    }
}

/// KV's snapshot if it is newer; a broken or older one is ignored.
async fn from_kv(env: &Env, version: u64) -> Option<Snapshot> {
    let kv: KvStore = env.kv(BINDING).ok()?;
    let pointer: Pointer = kv.get(POINTER).cache_ttl(30).json().await.ok()??;
    if pointer.version <= version {
        return None;
    }
    let text = kv.get(&pointer.key).cache_ttl(3_600).text().await.ok()??;
    Snapshot::parse(&text)
        .ok()
        .filter(|snapshot| snapshot.version() > version)
}
