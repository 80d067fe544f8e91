//! The registry's snapshot in this isolate: read from KV, swapped whole, the last good one kept.

use silent_core::variants::Snapshot;
use std::cell::RefCell;
use std::rc::Rc;
use worker::Env;
use worker::kv::KvStore;

/// The binding of the KV namespace.
pub const BINDING: &str = "REGISTRY";
/// Key of the pointer `{version, key}`.
pub const POINTER: &str = "registry:current";
/// How long an isolate trusts its snapshot before it looks again; with KV's own cache, changes arrive in 30-90 s.
const FRESH_MS: u64 = 10_000;

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

/// The newest snapshot that can be had: KV's, else the last good one, else the one that is compiled in.
pub async fn snapshot(env: &Env, now_ms: u64) -> Option<Rc<Snapshot>> {
    let held = HELD.with_borrow(|held| held.as_ref().map(|held| (held.snapshot.clone(), held.looked_at_ms)));
    if let Some((snapshot, looked_at_ms)) = &held
        && now_ms.saturating_sub(*looked_at_ms) < FRESH_MS
    {
        return Some(snapshot.clone());
    }
    let known = held.as_ref().map_or(0, |(snapshot, _)| snapshot.version());
    let newer = newer_than(env, known).await;
    let snapshot = match (newer, held) {
        (Some(newer), _) => Rc::new(newer),
        (None, Some((snapshot, _))) => snapshot,
        (None, None) => Rc::new(Snapshot::builtin().ok()?),
    };
    HELD.set(Some(Held {
        snapshot: snapshot.clone(),
        looked_at_ms: now_ms,
    }));
    Some(snapshot)
}

/// KV's snapshot if it is newer; a broken or older one is ignored.
async fn newer_than(env: &Env, version: u64) -> Option<Snapshot> {
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
