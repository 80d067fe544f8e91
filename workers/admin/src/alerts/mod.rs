//! Alerts: written down with what caused them, then delivered to whoever should know.
//!
//! Invariant: an alert's id names its occasion, so that it is raised once; what is in D1 is delivered, or shown as dead.

mod alert_do;
mod message;

pub use alert_do::AlertObject;

use crate::registry_do::integer;
use serde_json::{Value, json};
use silent_core::turn::Clock;
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, log};
use worker::{D1Database, D1PreparedStatement, Env, Result};

/// The binding of the object that delivers, and the name of the one that there is.
const OBJECT: &str = "ALERTS";

/// Something that somebody should know now.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    /// Names the occasion.
    pub(crate) id: String,
    /// A slug.
    pub(crate) kind: &'static str,
    /// What it is about.
    pub(crate) subject: String,
    /// Figures; `text` is for people.
    pub(crate) detail: Value,
}

impl Alert {
    pub(crate) fn new(
        id: String,
        kind: &'static str,
        subject: impl Into<String>,
        text: impl Into<String>,
        figures: Value,
    ) -> Self {
        let mut detail = json!({"text": text.into()});
        if let (Some(detail), Value::Object(figures)) = (detail.as_object_mut(), figures) {
            detail.extend(figures);
        }
        Self {
            id,
            kind,
            subject: subject.into(),
            detail,
        }
    }

    /// The statement that writes it down; a second one changes nothing.
    pub(crate) fn statement(&self, db: &D1Database, now_ms: u64) -> Result<D1PreparedStatement> {
        db.prepare(
            "INSERT INTO alerts(id, at_ms, kind, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )
        .bind(&[
            self.id.as_str().into(),
            integer(now_ms),
            self.kind.into(),
            self.subject.as_str().into(),
            self.detail.to_string().into(),
        ])
    }
}

/// Writes an alert down and has it delivered.
pub(crate) async fn raise(env: &Env, alert: &Alert) -> std::result::Result<(), ApiError> {
    log::line("error", "alert", &alert.id, alert.detail.clone());
    let written = alert.statement(&env.d1(crate::DB)?, SystemClock.now_ms())?.run().await;
    written.map_err(|error| ApiError::unavailable(format!("D1: {error}")))?;
    wake(env).await;
    Ok(())
}

/// Has what is written down delivered soon. What fails here the next cron does.
pub(crate) async fn wake(env: &Env) {
    crate::poke(env, OBJECT, "alerts").await;
}
