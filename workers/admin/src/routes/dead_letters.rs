//! Messages that could not be stored: read them, and have them stored after all.

use super::{Answer, Door, Nothing, answer, limit, no_query, query, short};
use crate::pipeline::dead_letters;
use crate::registry_do::integer;
use crate::registry_do::order::Wish;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::time::rfc3339;
use silent_edge::error::ApiError;
use silent_edge::log;
use worker::wasm_bindgen::JsValue;
use worker::{Request, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    replayed: Option<bool>,
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    received_at_ms: u64,
    error: String,
    wanted_at_ms: Option<u64>,
    replayed_at_ms: Option<u64>,
}

impl Row {
    fn shown(&self) -> Value {
        json!({"id": self.id, "received_at": rfc3339(self.received_at_ms), "error": self.error,
            "wanted_at": self.wanted_at_ms.map(rfc3339), "replayed_at": self.replayed_at_ms.map(rfc3339)})
    }
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    #[derive(Deserialize)]
    struct Waiting {
        n: u64,
    }
    let filter: Filter = query(request)?;
    let limit = limit(filter.limit)?;
    short("cursor", filter.cursor.as_ref(), 80)?;
    // A cursor is the time and the id of the last row; whatever else is sent begins anew.
    let cursor = filter.cursor.as_deref().and_then(|cursor| cursor.split_once('.'));
    let (before, id) = cursor
        .and_then(|(at_ms, id)| Some((at_ms.parse::<u32>().ok()?, id)))
        .map_or((JsValue::NULL, ""), |(at_s, id)| (integer(u64::from(at_s)), id));
    let db = door.db()?;
    let results = db
        .batch(vec![
            db.prepare(
                "SELECT id, received_at_ms, error, wanted_at_ms, replayed_at_ms FROM dead_letters
                 WHERE (?1 IS NULL OR (replayed_at_ms IS NOT NULL) = ?1)
                 AND (?2 IS NULL OR received_at_ms / 1000 < ?2 OR (received_at_ms / 1000 = ?2 AND id < ?3))
                 ORDER BY received_at_ms / 1000 DESC, id DESC LIMIT ?4",
            )
            .bind(&[
                filter
                    .replayed
                    .map_or(JsValue::NULL, |replayed| u32::from(replayed).into()),
                before,
                id.into(),
                integer(limit as u64),
            ])?,
            db.prepare("SELECT count(*) AS n FROM dead_letters WHERE replayed_at_ms IS NULL"),
        ])
        .await?;
    let mut results = results.iter();
    let mut next = || results.next().ok_or_else(|| ApiError::internal("no answer"));
    let rows = next()?.results::<Row>()?;
    let waiting = next()?.results::<Waiting>()?.first().map_or(0, |row| row.n);
    let cursor = (rows.len() == limit)
        .then(|| {
            rows.last()
                .map(|row| format!("{}.{}", row.received_at_ms / 1_000, row.id))
        })
        .flatten();
    let shown: Vec<Value> = rows.iter().map(Row::shown).collect();
    Ok(Response::from_json(
        &json!({"dead_letters": shown, "waiting": waiting, "next": cursor}),
    )?)
}

pub(super) async fn read(door: &Door, request: &Request, id: &str) -> Answer {
    #[derive(Deserialize)]
    struct Whole {
        #[serde(flatten)]
        row: Row,
        body: String,
    }
    no_query(request)?;
    let found: Option<Whole> = door
        .db()?
        .prepare("SELECT * FROM dead_letters WHERE id = ?1")
        .bind(&[id.into()])?
        .first(None)
        .await?;
    let letter = found.ok_or(ApiError::NotFound)?;
    let mut shown = letter.row.shown();
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("body".into(), letter.body.into());
    }
    Ok(Response::from_json(&shown)?)
}

pub(super) async fn replay(door: &Door, mut request: Request, id: Option<String>) -> Answer {
    let (_, mut order) = door.ask::<Nothing>(&mut request).await?;
    order.wish = Wish::ReplayDeadLetters { id };
    match door.order(&order).await {
        Err(refusal) => Ok(refusal),
        Ok(outcome) => {
            // What is not stored now is by the next run of the cron: the wish is in D1.
            if let Err(error) = dead_letters::replay(&door.env).await {
                let cause = json!({"cause": error.to_string()});
                log::line("error", "replay-waits", &door.correlation_id, cause);
            }
            answer(&outcome, &outcome.body)
        }
    }
}
