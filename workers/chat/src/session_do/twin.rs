//! A twin's session: which messages its model sees, and what is remembered after a turn.
//!
//! Invariant: a session's summary covers whole turns from the first on, and every later turn that was not replaced is said
//! word for word.

use super::Inner;
use super::run::{Prepared, seal};
use super::store::Begin;
use crate::internal::{call_json, person_stub};
use crate::person_do::open_text;
use crate::policy::Setting;
use crate::twin::{self, Materials, TwinRef};
use crate::twin_do::{Remember, Sourced};
use futures::future::join;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use silent_core::conversation::Message;
use silent_core::ids::SessionId;
use silent_core::memory::Summary;
use silent_core::persona::extract;
use silent_core::sealed::DataKey;
use silent_core::turn::{Clock, Status};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, log};
use worker::{Method, Response};

/// The note that holds the summary, sealed.
pub(super) const SUMMARY: &str = "summary";
/// The note that says up to which turn facts were taken.
pub(super) const LEARNT: &str = "learnt";
/// Turns that are read at a time.
const PAGE: u32 = 16;
/// Turns that are looked at for facts: as many as a session can have had since it was heard of last.
const LEARN: u32 = 100;
/// From this level on nothing of a turn is remembered.
const CRISIS: u8 = 2;

#[derive(Serialize, Deserialize)]
struct Folded {
    summary: Summary,
    /// The last turn that it covers.
    through_seq: u64,
}

fn summary_place(session: &SessionId) -> String {
    format!("{session}|summary")
}

/// Makes the twin's policy of a prepared turn's, and gives the messages that its model sees.
pub(super) async fn shape(inner: &Inner, prepared: &mut Prepared, twin: &TwinRef) -> Result<Vec<Message>, ApiError> {
    let person = prepared.begin.person_id.clone();
    let (persona, facts) = join(
        twin::persona(&inner.env, &person, twin, SystemClock.now_ms()),
        twin::facts(&inner.env, &person, twin),
    )
    .await;
    let (persona, version) = persona?;
    // A twin that cannot remember still answers.
    let facts = facts.unwrap_or_else(|error| {
        let cause = serde_json::json!({"cause": format!("{error:?}")});
        log::line("error", "twin-memory-away", prepared.row.turn_id.as_str(), cause);
        Vec::new()
    });
    let place = summary_place(&prepared.begin.session_id);
    let folded: Option<Folded> = inner
        .store()
        .note(SUMMARY)?
        .and_then(|sealed| open_text(&prepared.key, &sealed, &place))
        .and_then(|text| serde_json::from_str(&text).ok());
    let messages = since(inner, prepared, folded.as_ref().map_or(0, |folded| folded.through_seq))?;
    let only: Vec<Message> = messages.iter().map(|(_, message)| message.clone()).collect();
    let setting = Setting {
        locale: &prepared.begin.locale,
        timezone: prepared.begin.timezone.as_deref(),
        first_turn: prepared.row.seq == 1,
    };
    let materials = Materials {
        persona: &persona,
        version: &version,
        facts: &facts,
        prior: folded.as_ref().map(|folded| &folded.summary),
    };
    let plan = twin::shape(&mut prepared.policy, &setting, &materials, &only)?;
    let last_folded = plan.verbatim_from.checked_sub(1).and_then(|at| messages.get(at));
    if let (Some(summary), Some((seq, _))) = (plan.summary, last_folded) {
        let folded = Folded {
            summary,
            through_seq: *seq,
        };
        let text = serde_json::to_string(&folded).map_err(|_| ApiError::internal("summary cannot be written"))?;
        inner.store().set_note(SUMMARY, &seal(&prepared.key, &text, &place)?)?;
    }
    Ok(only.into_iter().skip(plan.verbatim_from).collect())
}

/// Whether the session's twin could answer now: what a failed turn is explained with.
pub(super) async fn check(inner: &Inner) -> Result<Response, ApiError> {
    let begin = inner.store().begun()?.ok_or(ApiError::NotFound)?;
    let twin = begin.twin.ok_or(ApiError::NotFound)?;
    let state = match twin::persona(&inner.env, &begin.person_id, &twin, SystemClock.now_ms()).await {
        Ok(_) => "ok",
        Err(ApiError::Fault { slug, .. }) => slug,
        Err(ApiError::NotFound) => "gone",
        Err(_) => "away",
    };
    Ok(Response::ok(state)?)
}

/// Every message after a turn, oldest first, the person's newest last; each with its turn's position.
fn since(inner: &Inner, prepared: &Prepared, through_seq: u64) -> Result<Vec<(u64, Message)>, ApiError> {
    let with = |seq: u64, messages: Vec<Message>| messages.into_iter().map(move |message| (seq, message));
    let mut newest_first: Vec<(u64, Message)> =
        with(prepared.row.seq, prepared.said_and_heard(&prepared.row, None)?).collect();
    let mut before = prepared.row.seq;
    loop {
        let page = inner.store().page(before, false, PAGE)?;
        let wanted = page.iter().take_while(|row| row.seq > through_seq);
        let mut read = 0;
        for row in wanted {
            newest_first.extend(with(row.seq, prepared.said_and_heard(row, Some(inner))?));
            before = row.seq;
            read += 1;
        }
        if read < PAGE as usize {
            break;
        }
    }
    newest_first.reverse();
    Ok(newest_first)
}

/// Takes the facts out of the turns since the last time, and gives them to the person's object. Run again after a
/// failure, it has the effect of once.
pub(super) async fn learn(inner: &Inner, key: &DataKey, begin: &Begin, twin: &TwinRef) -> Result<(), ApiError> {
    let store = inner.store();
    let learnt: u64 = store.note(LEARNT)?.and_then(|seq| seq.parse().ok()).unwrap_or(0);
    let rows = store.page(u64::MAX >> 11, true, LEARN)?;
    let over = |status: Status| status.is_over();
    // Turns end in order, so that the newest one that is over says how far this goes.
    let Some(newest) = rows.iter().find(|row| over(row.status())).map(|row| row.seq) else {
        return Ok(());
    };
    let event_id = |seq: u64| format!("{}:{seq}", begin.session_id);
    let forget: Vec<String> = rows
        .iter()
        .filter(|row| row.replaced_by.is_some())
        .map(|row| event_id(row.seq))
        .collect();
    let fresh = rows.iter().rev().filter(|row| {
        row.seq > learnt
            && row.replaced_by.is_none()
            && row.status() == Status::Done
            && row.crisis_level.is_none_or(|level| level < CRISIS)
    });
    let mut facts = Vec::new();
    for row in fresh {
        let place = super::run::place(&begin.session_id, &row.turn_id, "input");
        let said = open_text(key, &row.sealed_input, &place).unwrap_or_default();
        facts.extend(extract(&said).into_iter().map(|fact| Sourced {
            fact,
            event_id: event_id(row.seq),
            session_id: begin.session_id.clone(),
            turn_id: row.turn_id.clone(),
            at_ms: row.accepted_at_ms,
        }));
    }
    if !facts.is_empty() || !forget.is_empty() {
        let remember = Remember {
            twin: twin.name().into(),
            facts,
            forget,
        };
        let stub = person_stub(&inner.env, &begin.person_id)?;
        let _: Value = call_json(&stub, Method::Post, "/facts", Some(&remember)).await?;
    }
    store.set_note(LEARNT, &newest.to_string())
}
