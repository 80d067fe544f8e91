//! The one object that delivers alerts: from D1 to every channel that is configured, again and again until it is heard.

use super::message::{Stored, message_id, signature};
use crate::registry_do::integer;
use futures::future::{Either, join_all, select};
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::turn::Clock;
use silent_core::workflow::delivery_in_ms;
use silent_edge::{SystemClock, log};
use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{
    AbortController, AbortSignal, D1Database, Delay, DurableObject, Env, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Response, Result, State, durable_object,
};

/// Deliveries at a time.
const AT_ONCE: u64 = 20;
/// Longest wait for a receiver.
const PATIENCE: Duration = Duration::from_secs(10);
/// When the object looks again after D1 was away, milliseconds.
const LOOK_AGAIN_MS: i64 = 5_000;
/// Longest error that is kept, in characters.
const ERROR_CHARS: usize = 200;

/// The object; there is one.
#[durable_object]
pub struct AlertObject {
    state: State,
    env: Env,
    /// Somebody called while the alarm was at work.
    poked: Cell<bool>,
}

impl UnwindSafe for AlertObject {}
impl RefUnwindSafe for AlertObject {}

impl DurableObject for AlertObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            poked: Cell::new(false),
        }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        self.poked.set(true);
        self.state.storage().set_alarm(0).await?;
        Response::empty()
    }

    async fn alarm(&self) -> Result<Response> {
        self.poked.set(false);
        let wait_ms = self.deliver().await.unwrap_or_else(|error| {
            log::line("error", "alerts-wait", "alerts", json!({"cause": error.to_string()}));
            Some(LOOK_AGAIN_MS)
        });
        let wait_ms = if self.poked.get() { Some(0) } else { wait_ms };
        if let Some(wait_ms) = wait_ms {
            self.state.storage().set_alarm(wait_ms).await?;
        }
        Response::empty()
    }
}

/// Where alerts go.
#[derive(Clone)]
struct Channel {
    name: &'static str,
    url: String,
}

#[derive(Deserialize)]
struct Row {
    message_id: String,
    channel: String,
    attempts: u32,
    at_ms: u64,
    kind: String,
    subject: String,
    detail: String,
}

impl AlertObject {
    fn secret(&self, name: &str) -> Option<String> {
        let value = self.env.secret(name).ok()?.to_string();
        Some(value).filter(|value| !value.is_empty())
    }

    fn channels(&self) -> Vec<Channel> {
        [("slack", "ALERT_SLACK_URL"), ("webhook", "ALERT_WEBHOOK_URL")]
            .into_iter()
            .filter_map(|(name, secret)| {
                Some(Channel {
                    name,
                    url: self.secret(secret)?,
                })
            })
            .collect()
    }

    /// Delivers what is due; says when the next one is, in milliseconds from now.
    async fn deliver(&self) -> Result<Option<i64>> {
        let db = self.env.d1(crate::DB)?;
        let channels = self.channels();
        queue(&db, &channels).await?;
        loop {
            let due = due(&db).await?;
            let is_all = (due.len() as u64) < AT_ONCE;
            let tries = due.into_iter().map(|row| self.attempt(row, &channels));
            let mut statements = Vec::new();
            for (row, heard) in join_all(tries).await {
                statements.push(outcome(&db, &row, heard)?);
            }
            if !statements.is_empty() {
                db.batch(statements).await?;
            }
            if is_all {
                break;
            }
        }
        next(&db).await
    }

    async fn attempt(&self, row: Row, channels: &[Channel]) -> (Row, std::result::Result<(), String>) {
        let Some(channel) = channels.iter().find(|channel| channel.name == row.channel) else {
            return (row, Err("the channel is not configured".into()));
        };
        let abort = AbortController::default();
        let heard = {
            let sent = pin!(self.send(&row, channel, abort.signal()));
            match select(sent, pin!(Delay::from(PATIENCE))).await {
                Either::Left((heard, _)) => heard,
                Either::Right(_) => Err("no answer in time".into()),
            }
        };
        if heard.is_err() {
            abort.abort();
        }
        (row, heard)
    }

    async fn send(&self, row: &Row, channel: &Channel, signal: AbortSignal) -> std::result::Result<(), String> {
        let stored = Stored {
            message_id: row.message_id.clone(),
            at_ms: row.at_ms,
            kind: row.kind.clone(),
            subject: row.subject.clone(),
            detail: serde_json::from_str(&row.detail).unwrap_or(Value::Null),
        };
        let mut headers = vec![("content-type", String::from("application/json"))];
        let body = if channel.name == "slack" {
            stored.slack().to_string()
        } else {
            let body = stored.webhook().to_string();
            let timestamp_s = SystemClock.now_ms() / 1_000;
            let secret = self.secret("ALERT_WEBHOOK_SECRET").unwrap_or_default();
            let signed = signature(&secret, &stored.message_id, timestamp_s, &body)
                .ok_or("ALERT_WEBHOOK_SECRET is not whsec_ and base 64")?;
            headers.push(("webhook-id", stored.message_id.clone()));
            headers.push(("webhook-timestamp", timestamp_s.to_string()));
            headers.push(("webhook-signature", signed));
            body
        };
        let request = request(&channel.url, &headers, body).map_err(|error| error.to_string())?;
        let mut response = Fetch::Request(request)
            .send_with_signal(&signal)
            .await
            .map_err(|_| "cannot be reached")?;
        let status = response.status_code();
        // Read in any case: a body that nobody reads holds one of the few connections.
        let _ = response.bytes().await;
        if (200..300).contains(&status) {
            Ok(())
        } else {
            Err(format!("answered {status}"))
        }
    }
}

fn request(url: &str, headers: &[(&str, String)], body: String) -> Result<Request> {
    let sent = Headers::new();
    for (name, value) in headers {
        sent.set(name, value)?;
    }
    let mut init = RequestInit::new();
    // A redirect would carry the message where nobody configured it.
    init.with_method(Method::Post)
        .with_headers(sent)
        .with_redirect(RequestRedirect::Manual)
        .with_body(Some(body.into()));
    Request::new_with_init(url, &init)
}

/// Names alerts that nobody queued yet, and writes a delivery for each channel.
async fn queue(db: &D1Database, channels: &[Channel]) -> Result<()> {
    #[derive(Deserialize)]
    struct Fresh {
        id: String,
    }
    let found = db
        .prepare("SELECT id FROM alerts WHERE message_id IS NULL ORDER BY at_ms LIMIT 200")
        .all()
        .await?;
    let now_ms = SystemClock.now_ms();
    let mut statements = Vec::new();
    for Fresh { id } in found.results::<Fresh>()? {
        let message = message_id(&id);
        for channel in channels {
            statements.push(
                db.prepare(
                    "INSERT INTO alert_deliveries(message_id, channel, state, attempts, next_at_ms) VALUES (?1, ?2, 'pending', 0, ?3)
                     ON CONFLICT DO NOTHING",
                )
                .bind(&[message.as_str().into(), channel.name.into(), integer(now_ms)])?,
            );
        }
        statements.push(
            db.prepare("UPDATE alerts SET message_id = ?2 WHERE id = ?1")
                .bind(&[id.into(), message.into()])?,
        );
    }
    if !statements.is_empty() {
        db.batch(statements).await?;
    }
    Ok(())
}

async fn due(db: &D1Database) -> Result<Vec<Row>> {
    let found = db
        .prepare(
            "SELECT d.message_id, d.channel, d.attempts, a.at_ms, a.kind, a.subject, a.detail FROM alert_deliveries d
             JOIN alerts a ON a.message_id = d.message_id WHERE d.state = 'pending' AND d.next_at_ms <= ?1
             ORDER BY d.next_at_ms LIMIT ?2",
        )
        .bind(&[integer(SystemClock.now_ms()), integer(AT_ONCE)])?
        .all()
        .await?;
    found.results()
}

fn outcome(db: &D1Database, row: &Row, heard: std::result::Result<(), String>) -> Result<worker::D1PreparedStatement> {
    let now_ms = SystemClock.now_ms();
    let attempts = row.attempts.saturating_add(1);
    let (state, next_at_ms, delivered, error) = match heard {
        Ok(()) => ("delivered", now_ms, integer(now_ms), JsValue::NULL),
        Err(error) => {
            let wait_ms = delivery_in_ms(attempts);
            let state = if wait_ms.is_some() { "pending" } else { "dead" };
            log::line(
                "error",
                "alert-undelivered",
                &row.message_id,
                json!({"channel": row.channel, "attempts": attempts, "state": state, "cause": error}),
            );
            let error: String = error.chars().take(ERROR_CHARS).collect();
            let next_at_ms = now_ms.saturating_add(wait_ms.unwrap_or(0));
            (state, next_at_ms, JsValue::NULL, error.into())
        }
    };
    db.prepare(
        "UPDATE alert_deliveries SET state = ?3, attempts = ?4, next_at_ms = ?5, delivered_at_ms = ?6, error = ?7
         WHERE message_id = ?1 AND channel = ?2",
    )
    .bind(&[
        row.message_id.as_str().into(),
        row.channel.as_str().into(),
        state.into(),
        attempts.into(),
        integer(next_at_ms),
        delivered,
        error,
    ])
}

async fn next(db: &D1Database) -> Result<Option<i64>> {
    #[derive(Deserialize)]
    struct Next {
        at: Option<u64>,
    }
    let row: Option<Next> = db
        .prepare("SELECT min(next_at_ms) AS at FROM alert_deliveries WHERE state = 'pending'")
        .first(None)
        .await?;
    let wait_ms = row
        .and_then(|row| row.at)
        .map(|at_ms| at_ms.saturating_sub(SystemClock.now_ms()));
    Ok(wait_ms.map(|wait_ms| i64::try_from(wait_ms).unwrap_or(LOOK_AGAIN_MS)))
}
