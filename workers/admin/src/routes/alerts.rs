//! Alerts and their deliveries.

use super::audit::GREATEST;
use super::{Answer, Door, Nothing, answer, limit, query, short};
use crate::alerts;
use crate::registry_do::integer;
use crate::registry_do::order::Wish;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::time::rfc3339;
use silent_edge::error::ApiError;
use worker::wasm_bindgen::JsValue;
use worker::{Request, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    kind: Option<String>,
    before: Option<u64>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
struct Row {
    message_id: Option<String>,
    at_ms: u64,
    kind: String,
    subject: String,
    detail: String,
    deliveries: String,
}

#[derive(Deserialize)]
struct Delivery {
    channel: String,
    state: String,
    attempts: u64,
    next_at_ms: u64,
    delivered_at_ms: Option<u64>,
    error: Option<String>,
}

impl Row {
    fn shown(&self) -> Value {
        let detail: Value = serde_json::from_str(&self.detail).unwrap_or_default();
        let deliveries: Vec<Delivery> = serde_json::from_str(&self.deliveries).unwrap_or_default();
        let deliveries: Vec<Value> = deliveries
            .iter()
            .map(|one| {
                let next = (one.state == "pending").then(|| rfc3339(one.next_at_ms));
                json!({"channel": one.channel, "state": one.state, "attempts": one.attempts, "next_at": next,
                    "delivered_at": one.delivered_at_ms.map(rfc3339), "error": one.error})
            })
            .collect();
        json!({"id": self.message_id, "at": rfc3339(self.at_ms), "kind": self.kind, "subject": self.subject,
            "detail": detail, "deliveries": deliveries})
    }
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    let filter: Filter = query(request)?;
    let limit = limit(filter.limit)?;
    short("kind", filter.kind.as_ref(), 40)?;
    if filter.before.is_some_and(|before| before > GREATEST) {
        return Err(ApiError::Invalid(format!("before must be at most {GREATEST}")));
    }
    let found = door
        .db()?
        .prepare(
            "SELECT message_id, at_ms, kind, subject, detail,
               (SELECT json_group_array(json_object('channel', d.channel, 'state', d.state, 'attempts', d.attempts,
                  'next_at_ms', d.next_at_ms, 'delivered_at_ms', d.delivered_at_ms, 'error', d.error))
                FROM alert_deliveries d WHERE d.message_id = a.message_id) AS deliveries
             FROM alerts a WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR at_ms < ?2) ORDER BY at_ms DESC, id LIMIT ?3",
        )
        .bind(&[
            filter.kind.as_deref().map_or(JsValue::NULL, JsValue::from_str),
            filter.before.map_or(JsValue::NULL, integer),
            integer(limit as u64),
        ])?
        .all()
        .await?;
    let rows = found.results::<Row>()?;
    let next = (rows.len() == limit)
        .then(|| rows.last().map(|row| row.at_ms))
        .flatten();
    let shown: Vec<Value> = rows.iter().map(Row::shown).collect();
    Ok(Response::from_json(&json!({"alerts": shown, "next": next}))?)
}

pub(super) async fn deliver(door: &Door, mut request: Request, message: String) -> Answer {
    let (_, mut order) = door.ask::<Nothing>(&mut request).await?;
    order.wish = Wish::DeliverAlert { message };
    match door.order(&order).await {
        Err(refusal) => Ok(refusal),
        Ok(outcome) => {
            alerts::wake(&door.env).await;
            answer(&outcome, &outcome.body)
        }
    }
}
