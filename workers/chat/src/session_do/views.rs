//! What a person sees of a session: history, streams, export.

use super::Inner;
use super::live::{self, Live};
use super::run::place;
use super::store::TurnRow;
use crate::person_do::open_text;
use crate::policy;
use futures::future::join;
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::ids::{SessionId, TurnId};
use silent_core::sealed::DataKey;
use silent_core::time::rfc3339;
use silent_core::turn::{Clock, DISCLOSURE, Metadata, Part};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, http, registry};
use std::rc::Rc;
use worker::{Request, Response};

/// The answer's message, and the person's, as the page's chat library keeps them.
fn messages(row: &TurnRow, session: &SessionId, key: &DataKey) -> Vec<Value> {
    let metadata = Metadata {
        turn_id: row.turn_id.clone(),
        status: row.status(),
        created_at: rfc3339(row.accepted_at_ms),
        provider: row.provider.clone(),
        model: row.model.clone(),
        crisis_level: row.crisis_level,
        replaced_by: row.replaced_by.clone(),
    };
    let open = |sealed: &str, field: &str| open_text(key, sealed, &place(session, &row.turn_id, field));
    let text = |text: String| json!([{"type": "text", "text": text}]);
    let mut out = vec![json!({
        "id": format!("{}_in", row.message_id),
        "role": "user",
        "parts": text(open(&row.sealed_input, "input").unwrap_or_default()),
        "metadata": metadata,
    })];
    if row.status().is_over() {
        let answer = row
            .sealed_output
            .as_deref()
            .and_then(|sealed| open(sealed, "output"))
            .unwrap_or_default();
        let mut parts = if answer.is_empty() { json!([]) } else { text(answer) };
        // Resources stay with the message that they were shown with.
        let stored = row.sealed_stream.as_deref().and_then(|sealed| open(sealed, "stream"));
        let stream: Vec<Part> = stored
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        if let Some(list) = parts.as_array_mut() {
            list.extend(
                stream
                    .iter()
                    .filter(|part| matches!(part, Part::DataSafety { .. }))
                    .filter_map(|part| serde_json::to_value(part).ok()),
            );
        }
        out.push(json!({"id": row.message_id, "role": "assistant", "parts": parts, "metadata": metadata}));
    }
    out
}

/// The conversation, a page at a time, the newest page first and each page in order.
pub(super) async fn history(inner: &Rc<Inner>, request: &Request) -> Result<Response, ApiError> {
    #[derive(Deserialize)]
    struct Query {
        limit: Option<u32>,
        cursor: Option<u64>,
        replaced: Option<String>,
    }
    let query: Query = request
        .query()
        .map_err(|_| ApiError::Invalid("limit and cursor must be numbers".into()))?;
    let limit = query.limit.unwrap_or(50).clamp(1, 100);
    let (key, snapshot) = join(inner.key(), registry::snapshot(&inner.env, SystemClock.now_ms())).await;
    let (key, snapshot) = (
        key?,
        snapshot.ok_or_else(|| ApiError::internal("no registry snapshot"))?,
    );
    let store = inner.store();
    let begin = store.begun()?.ok_or(ApiError::NotFound)?;
    let in_force = snapshot.in_force(&begin.assignment, begin.person_id.as_str());
    let mut rows = store.page(
        query.cursor.unwrap_or(u64::MAX >> 11),
        query.replaced.as_deref() == Some("include"),
        limit,
    )?;
    let next = (rows.len() == limit as usize)
        .then(|| rows.last().map(|row| row.seq.to_string()))
        .flatten();
    rows.reverse();
    let active = inner
        .memory
        .borrow()
        .as_ref()
        .and_then(|memory| memory.order.active().cloned());
    Ok(Response::from_json(&json!({
        "session_id": begin.session_id,
        "created_at": rfc3339(begin.created_at_ms),
        "assignment": policy::shown(&snapshot, &in_force),
        "disclosure": {"text": DISCLOSURE},
        "starters": begin.starters,
        "active_turn": active,
        "messages": rows.iter().flat_map(|row| messages(row, &begin.session_id, &key)).collect::<Vec<_>>(),
        "next": next,
    }))?)
}

/// All of it, what was replaced included.
pub(super) async fn export(inner: &Rc<Inner>) -> Result<Response, ApiError> {
    let key = inner.key().await?;
    let store = inner.store();
    let begin = store.begun()?.ok_or(ApiError::NotFound)?;
    let mut rows = store.page(u64::MAX >> 11, true, u32::MAX >> 1)?;
    rows.reverse();
    let mut comments = serde_json::Map::new();
    for row in &rows {
        let sealed = store.comment(&row.turn_id)?;
        let place = place(&begin.session_id, &row.turn_id, "comment");
        if let Some(comment) = sealed.and_then(|sealed| open_text(&key, &sealed, &place)) {
            comments.insert(row.turn_id.to_string(), comment.into());
        }
    }
    Ok(Response::from_json(&json!({
        "session_id": begin.session_id,
        "created_at": rfc3339(begin.created_at_ms),
        "product": begin.product,
        "locale": begin.locale,
        "assignment": begin.assignment.variants(),
        "comments": comments,
        "messages": rows.iter().flat_map(|row| messages(row, &begin.session_id, &key)).collect::<Vec<_>>(),
    }))?)
}

fn last_event_id(request: &Request) -> Result<usize, ApiError> {
    match http::header(request.headers(), "last-event-id") {
        None => Ok(0),
        Some(id) => id
            .parse::<usize>()
            .ok()
            .and_then(|id| id.checked_add(1))
            .ok_or_else(|| ApiError::Invalid("Last-Event-ID must be the id of an event of this turn".into())),
    }
}

/// A turn's stream from an event on: from memory while it runs, from storage afterwards.
pub(super) fn stream_of(inner: &Rc<Inner>, key: &DataKey, row: &TurnRow, from: usize) -> Result<Response, ApiError> {
    let turn = row.turn_id.as_str();
    let trace = inner.tracing()?.context(&row.turn_id, row.caller().as_ref());
    if let Some(memory) = inner.memory.borrow().as_ref()
        && let Some(live) = memory.live.get(&row.turn_id)
    {
        return Ok(live::response(Live::read(live, from), turn, &live.message_id, &trace)?);
    }
    let session = inner.session_id()?;
    let stored = row
        .sealed_stream
        .as_deref()
        .and_then(|sealed| open_text(key, sealed, &place(&session, &row.turn_id, "stream")))
        .ok_or_else(|| ApiError::unavailable("stream is not stored yet"))?;
    let mut parts: Vec<Part> =
        serde_json::from_str(&stored).map_err(|_| ApiError::internal("stored stream is malformed"))?;
    parts.push(Part::Done);
    let events: Vec<String> = parts
        .iter()
        .enumerate()
        .skip(from)
        .map(|(id, part)| part.to_event(id))
        .collect();
    Ok(live::response(stream::iter(events), turn, &row.message_id, &trace)?)
}

pub(super) async fn turn_stream(inner: &Rc<Inner>, turn: &TurnId, request: &Request) -> Result<Response, ApiError> {
    let from = last_event_id(request)?;
    let key = inner.key().await?;
    let row = inner.store().turn(turn)?.ok_or(ApiError::NotFound)?;
    stream_of(inner, &key, &row, from)
}

/// The stream of the turn that runs, else of the first that waits; 204 where there is none.
pub(super) async fn active_stream(inner: &Rc<Inner>, request: &Request) -> Result<Response, ApiError> {
    let active = inner
        .memory
        .borrow()
        .as_ref()
        .and_then(|memory| memory.order.active().cloned());
    match active {
        None => Ok(Response::empty()?.with_status(204)),
        Some(turn) => turn_stream(inner, &turn, request).await,
    }
}
