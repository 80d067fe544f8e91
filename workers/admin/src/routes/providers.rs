//! Vendors' health, for the dashboard.

use super::metrics::json;
use super::{Answer, Door, query};
use crate::metrics::providers;
use serde::Deserialize;
use silent_edge::error::ApiError;
use worker::Request;

/// A week.
pub(super) const MAX_HOURS: u32 = 168;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfHours {
    hours: Option<u32>,
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    let asked: OfHours = query(request)?;
    let hours = asked.hours.unwrap_or(24);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(ApiError::Invalid(format!("hours must be from 1 to {MAX_HOURS}")));
    }
    json(providers::providers(&door.db()?, hours, door.now_ms).await?)
}
