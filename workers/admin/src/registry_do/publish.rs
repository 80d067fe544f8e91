//! What readers get: the newest snapshot from memory, from KV, and word of every change.

use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::{StreamExt, stream};
use serde_json::json;
use silent_core::time::rfc3339;
use silent_core::turn::Clock;
use silent_core::variants::Snapshot;
use silent_edge::error::ApiError;
use silent_edge::registry::{BINDING, POINTER};
use silent_edge::{SystemClock, log};
use std::cell::RefCell;
use std::time::Duration;
use worker::{Delay, Env, Response, State};

/// Silence after which a comment keeps proxies from closing the connection.
const PING: Duration = Duration::from_secs(15);
/// Where the object remembers which version KV has.
const IN_KV: &str = "version-in-kv";

/// The newest snapshot, and who listens for the next one.
#[derive(Default)]
pub(crate) struct Published {
    current: RefCell<Option<Current>>,
    listeners: RefCell<Vec<mpsc::UnboundedSender<String>>>,
}

struct Current {
    version: u64,
    text: String,
    is_in_kv: bool,
}

impl Published {
    pub(crate) fn is_some(&self) -> bool {
        self.current.borrow().is_some()
    }

    pub(crate) fn is_in_kv(&self) -> bool {
        self.current.borrow().as_ref().is_some_and(|current| current.is_in_kv)
    }

    /// Takes the newest snapshot and tells the listeners.
    pub(crate) fn set(&self, snapshot: &Snapshot) -> Result<(), ApiError> {
        let version = snapshot.version();
        if self
            .current
            .borrow()
            .as_ref()
            .is_some_and(|current| current.version == version)
        {
            return Ok(());
        }
        let text = snapshot
            .to_json()
            .map_err(|error| ApiError::internal(error.to_string()))?;
        *self.current.borrow_mut() = Some(Current {
            version,
            text,
            is_in_kv: false,
        });
        let word = word_of(version);
        self.listeners
            .borrow_mut()
            .retain(|listener| listener.unbounded_send(word.clone()).is_ok());
        Ok(())
    }

    /// 200 with the snapshot where it is newer, else 204.
    pub(crate) fn newer_than(&self, known: u64) -> Result<Response, ApiError> {
        let current = self.current.borrow();
        match current.as_ref().filter(|current| current.version > known) {
            Some(current) => Ok(Response::ok(current.text.clone())?),
            None => Ok(Response::empty()?.with_status(204)),
        }
    }

    /// An event stream: where the registry stands, then every change.
    pub(crate) fn events(&self) -> Result<Response, ApiError> {
        let (sender, receiver) = mpsc::unbounded();
        if let Some(current) = self.current.borrow().as_ref() {
            // A comment: whoever connects has just read the flags, and need not do it again.
            let _ = sender.unbounded_send(format!(": version {}\n\n", current.version));
        }
        self.listeners.borrow_mut().push(sender);
        let body = stream::unfold(receiver, |mut receiver| async move {
            let text = match select(receiver.next(), Delay::from(PING)).await {
                Either::Left((next, _)) => next?,
                Either::Right(_) => String::from(": ping\n\n"),
            };
            Some((Ok::<_, worker::Error>(text.into_bytes()), receiver))
        });
        let response = Response::from_stream(body)?;
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-cache"),
            ("x-accel-buffering", "no"),
        ] {
            response.headers().set(name, value)?;
        }
        Ok(response)
    }

    /// Writes the snapshot, then the pointer to it. A failure is left to the alarm: readers of the object have it already.
    pub(crate) async fn put_into_kv(&self, env: &Env, state: &State) -> Result<(), ApiError> {
        let (version, text) = match self.current.borrow().as_ref() {
            Some(current) if !current.is_in_kv => (current.version, current.text.clone()),
            _ => return Ok(()),
        };
        let known: Option<u64> = state.storage().get(IN_KV).await.unwrap_or_default();
        if known != Some(version) {
            if let Err(error) = write(env, version, &text).await {
                log::line(
                    "error",
                    "registry-kv",
                    "registry",
                    json!({"version": version, "cause": error.to_string()}),
                );
                return Ok(());
            }
            state.storage().put(IN_KV, version).await?;
        }
        if let Some(current) = self
            .current
            .borrow_mut()
            .as_mut()
            .filter(|current| current.version == version)
        {
            current.is_in_kv = true;
        }
        Ok(())
    }
}

async fn write(env: &Env, version: u64, text: &str) -> worker::Result<()> {
    let kv = env.kv(BINDING)?;
    let key = format!("snapshot:{version}");
    kv.put(&key, text)?.execute().await?;
    // The snapshot first: a pointer must never name a key that is not there.
    kv.put(POINTER, json!({"version": version, "key": key}).to_string())?
        .execute()
        .await?;
    Ok(())
}

/// The change event of OFREP 0.3.0.
fn word_of(version: u64) -> String {
    let word = json!({"type": "refetchEvaluation", "etag": format!("\"{version}\""), "lastModified": rfc3339(SystemClock.now_ms())});
    format!("data: {word}\n\n")
}
