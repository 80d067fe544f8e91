//! What a person does with turns: send, regenerate, edit, stop, rate.

use super::live::{self, Live};
use super::run::{WATCHDOG_MS, apply, command, place, seal};
use super::store::{NewTurn, TurnRow};
use super::{Inner, views};
use crate::internal::COUNTRY_HEADER;
use crate::person_do::open_text;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use silent_core::feedback::Feedback;
use silent_core::ids::TurnId;
use silent_core::session::{Command, Effect};
use silent_core::trace::TraceContext;
use silent_core::turn::{Clock, Kind, Part, PartSink};
use silent_edge::error::ApiError;
use silent_edge::queue::QueueMessage;
use silent_edge::{SystemClock, http, random};
use std::rc::Rc;
use worker::{Request, Response};

/// Longest message, in characters.
const MESSAGE_CHARS: usize = 8_000;
/// What a client is told to wait when the queue is full, seconds.
const QUEUE_RETRY_S: u32 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TurnBody {
    message: Option<String>,
    regenerate: Option<String>,
    replaces: Option<String>,
}

enum Ask {
    Send(String),
    Edit(String, TurnId),
    Regenerate(TurnId),
}

fn ask(body: TurnBody) -> Result<Ask, ApiError> {
    let turn = |text: &str| TurnId::parse(text).map_err(|_| ApiError::Invalid("no such turn".into()));
    let message = match body.message {
        Some(message) if message.chars().count() > MESSAGE_CHARS => {
            return Err(ApiError::TooLarge(format!(
                "a message has at most {MESSAGE_CHARS} characters"
            )));
        }
        Some(message) if message.trim().is_empty() => return Err(ApiError::Invalid("message is empty".into())),
        message => message,
    };
    match (message, body.regenerate, body.replaces) {
        (Some(message), None, None) => Ok(Ask::Send(message)),
        (Some(message), None, Some(replaces)) => Ok(Ask::Edit(message, turn(&replaces)?)),
        (None, Some(regenerate), None) => Ok(Ask::Regenerate(turn(&regenerate)?)),
        _ => Err(ApiError::Invalid(
            "give message, or message and replaces, or regenerate".into(),
        )),
    }
}

fn idempotency_key(request: &Request) -> Result<Option<String>, ApiError> {
    match http::header(request.headers(), "idempotency-key") {
        Some(key) if key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) => Err(ApiError::Invalid(
            "Idempotency-Key has 1 to 255 visible ASCII characters".into(),
        )),
        key => Ok(key),
    }
}

/// Accepts a turn and streams it; a known idempotency key gives the first turn again.
pub(super) async fn submit(inner: &Rc<Inner>, mut request: Request) -> Result<Response, ApiError> {
    let key_header = idempotency_key(&request)?;
    let country = http::header(request.headers(), COUNTRY_HEADER);
    let caller = http::trace_context(request.headers());
    let (body, bytes): (TurnBody, _) = http::json(&mut request).await?;
    let ask = ask(body)?;
    let fingerprint: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let data_key = inner.key().await?;
    let session = inner.session_id()?;
    let store = inner.store();

    // From here to the response there is no await: what is read stays true until it is written.
    if let Some(known) = key_header
        .as_deref()
        .map(|key| store.turn_by_key(key))
        .transpose()?
        .flatten()
    {
        if known.fingerprint != fingerprint {
            return Err(ApiError::IdempotencyKeyReused);
        }
        return views::stream_of(inner, &data_key, &known, 0);
    }
    let last = store.last_turn()?;
    let replaceable = |wanted: &TurnId| -> Result<TurnRow, ApiError> {
        last.clone()
            .filter(|last| last.turn_id == *wanted)
            .ok_or(ApiError::NotLastTurn)
    };
    let (kind, text, replaces) = match ask {
        Ask::Send(text) => (Kind::Send, text, None),
        Ask::Edit(text, wanted) => (Kind::Edit, text, Some(replaceable(&wanted)?.turn_id)),
        Ask::Regenerate(wanted) => {
            let row = replaceable(&wanted)?;
            let text = open_text(&data_key, &row.sealed_input, &place(&session, &row.turn_id, "input"))
                .ok_or_else(|| ApiError::internal("stored message does not open"))?;
            (Kind::Regenerate, text, Some(row.turn_id))
        }
    };
    let now_ms = SystemClock.now_ms();
    let turn_id = TurnId::new(now_ms, random::bytes()?);
    let message_id = turn_id.as_str().replacen("trn_", "msg_", 1);
    let sealed_input = seal(&data_key, &text, &place(&session, &turn_id, "input"))?;

    let (effects, ahead) = {
        let mut memory = inner.memory.borrow_mut();
        let memory = memory.as_mut().ok_or(ApiError::NotFound)?;
        let mut effects = memory.order.handle(Command::Submit(turn_id.clone())).into_iter();
        match effects.next() {
            Some(Effect::Accept { ahead, .. }) => (effects.collect::<Vec<_>>(), ahead),
            _ => {
                return Err(ApiError::QueueFull {
                    retry_after_s: QUEUE_RETRY_S,
                });
            }
        }
    };
    let turn = NewTurn {
        seq: store.next_seq()?,
        turn_id: turn_id.clone(),
        message_id: message_id.clone(),
        kind,
        replaces,
        idempotency_key: key_header,
        fingerprint,
        accepted_at_ms: now_ms,
        country,
        traceparent: caller.as_ref().map(TraceContext::to_line),
        sealed_input,
    };
    if let Err(error) = store.accept(&inner.state, &turn) {
        // Nothing was stored: the order must not wait for a turn that does not exist.
        if let Some(memory) = inner.memory.borrow_mut().as_mut() {
            memory.order.handle(Command::Stop(turn_id.clone()));
            memory.order.handle(Command::Finished(turn_id));
        }
        return Err(error);
    }
    let (live, stopped) = Live::new(message_id.clone());
    if ahead > 0 {
        let data = json!({"turn_id": turn_id, "status": "queued", "position": ahead});
        live.writer().emit(Part::DataTurn { data, transient: true });
    }
    let events = live.read(0);
    inner.pending_stops.borrow_mut().insert(turn_id.clone(), stopped);
    if let Some(memory) = inner.memory.borrow_mut().as_mut() {
        memory.live.insert(turn_id.clone(), live);
    }
    apply(inner, effects);
    // In the same step as the rows: whatever happens next, somebody comes back to this turn.
    inner.arm(WATCHDOG_MS).await?;
    let trace = inner.tracing()?.context(&turn_id, caller.as_ref());
    Ok(live::response(events, turn_id.as_str(), &message_id, &trace)?)
}

/// Stops a turn, upstream too; a stop that comes too late changes nothing.
pub(super) async fn stop(inner: &Rc<Inner>, turn: &TurnId) -> Result<Response, ApiError> {
    let row = inner.store().turn(turn)?.ok_or(ApiError::NotFound)?;
    let status = if row.status().is_over() {
        row.status().as_str()
    } else {
        command(inner, Command::Stop(turn.clone()));
        "stopped"
    };
    Ok(Response::from_json(&json!({"turn_id": turn, "status": status}))?)
}

/// Keeps what the person thinks of an answer.
pub(super) async fn feedback(inner: &Rc<Inner>, turn: &TurnId, mut request: Request) -> Result<Response, ApiError> {
    let (feedback, _): (Feedback, _) = http::json(&mut request).await?;
    let satisfaction_milli = feedback
        .satisfaction_milli()
        .map_err(|error| ApiError::Invalid(error.to_string()))?;
    let store = inner.store();
    let row = store.turn(turn)?.ok_or(ApiError::NotFound)?;
    let begin = store.begun()?.ok_or(ApiError::NotFound)?;
    let comment = feedback
        .comment
        .as_deref()
        .map(str::trim)
        .filter(|comment| !comment.is_empty());
    if let Some(comment) = comment {
        let key = inner.key().await?;
        let sealed = seal(&key, comment, &place(&begin.session_id, turn, "comment"))?;
        store.put_comment(turn, sealed)?;
    }
    store.rate(turn, satisfaction_milli)?;
    store.put_message(&QueueMessage::Feedback {
        event_id: format!("{}:{}", begin.session_id, row.seq),
        session_id: begin.session_id,
        person_id: begin.person_id,
        satisfaction_milli,
        at_ms: SystemClock.now_ms(),
    })?;
    inner.arm(0).await?;
    Ok(Response::empty()?.with_status(204))
}
