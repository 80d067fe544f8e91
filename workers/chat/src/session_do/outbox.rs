//! The alarm: sends what waits, tells the person's index, empties deleted sessions, finds lost turns.

use super::Inner;
use super::run::{self, WATCHDOG_MS, place, seal};
use crate::internal::{call_json, person_stub};
use crate::person_do::{Touch, open_text, title_place};
use serde_json::{Value, json};
use silent_core::response::to_title;
use silent_core::turn::Clock;
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, audio_store, log};
use std::rc::Rc;
use worker::Method;

/// Messages that are sent at a time: a queue's batch is bounded in bytes as well.
const BATCH: u32 = 20;

/// Runs once; arranges the next alarm itself, whatever happens.
///
/// # Errors
/// Where the next alarm cannot be arranged: then the runtime has to call again.
pub(super) async fn drain(inner: &Rc<Inner>) -> Result<(), ApiError> {
    let next_ms = match step(inner).await {
        Ok(next_ms) => {
            inner.outbox_failures.set(0);
            next_ms
        }
        Err(error) => {
            let failures = inner.outbox_failures.get().saturating_add(1);
            inner.outbox_failures.set(failures);
            log::line(
                "error",
                "outbox-waits",
                "alarm",
                json!({"failures": failures, "cause": format!("{error:?}")}),
            );
            // 1, 2, 4 … 64 s.
            Some(1_000_u64 << failures.saturating_sub(1).min(6))
        }
    };
    match next_ms {
        Some(delay_ms) => inner.arm(delay_ms).await,
        None => Ok(()),
    }
}

/// Sends everything that waits; says when to look again.
async fn step(inner: &Rc<Inner>) -> Result<Option<u64>, ApiError> {
    let store = inner.store();
    let Some(begin) = store.begun()? else {
        return Ok(None);
    };
    let deleted = store.is_deleted()?;
    if !deleted {
        run::restore(inner)?;
    }
    loop {
        let rows = store.outbox(BATCH)?;
        let Some(last) = rows.last() else { break };
        let up_to = last.id;
        let queue = inner.env.queue("EVENTS")?;
        for row in rows {
            // As text: the queue's own encoding turns maps into something that no JSON reader knows.
            queue.send(row.body).await?;
        }
        // A crash before this line sends them again: the consumer knows each event once.
        store.sent(up_to)?;
    }
    if deleted {
        let prefix = audio_store::session_prefix(&begin.person_id, &begin.session_id);
        audio_store::delete(&inner.env.bucket("BUCKET")?, &prefix, u64::MAX).await?;
        inner.state.storage().delete_all().await?;
        return Ok(None);
    }
    if store.wants_touch()? {
        touch(inner, &begin.session_id, &begin.person_id).await?;
    }
    let idle = inner
        .memory
        .borrow()
        .as_ref()
        .is_none_or(|memory| memory.order.is_idle());
    Ok((!idle).then_some(WATCHDOG_MS))
}

/// Tells the person's index how the session stands; its title is sealed like everything else.
async fn touch(
    inner: &Rc<Inner>,
    session: &silent_core::ids::SessionId,
    person: &silent_core::ids::PersonId,
) -> Result<(), ApiError> {
    let store = inner.store();
    let key = inner.key().await?;
    let first = store.page(u64::MAX >> 11, false, 1_000)?.pop();
    let title = first
        .as_ref()
        .and_then(|row| open_text(&key, &row.sealed_input, &place(session, &row.turn_id, "input")))
        .map(|text| to_title(&text));
    let touch = Touch {
        session_id: session.clone(),
        last_active_at_ms: store
            .last_turn()?
            .map_or_else(|| SystemClock.now_ms(), |row| row.accepted_at_ms),
        turns: store.count()?,
        sealed_title: title
            .map(|title| seal(&key, &title, &title_place(session)))
            .transpose()?,
    };
    if let Some(begin) = store.begun()?
        && let Some(twin) = &begin.twin
    {
        super::twin::learn(inner, &key, &begin, twin).await?;
    }
    // The flag goes first: a turn that ends meanwhile sets it again.
    store.touched()?;
    let told: Result<Value, ApiError> =
        call_json(&person_stub(&inner.env, person)?, Method::Post, "/touch", Some(&touch)).await;
    if let Err(error) = told {
        store.want_touch()?;
        return Err(error);
    }
    Ok(())
}
