//! Signed links for testers: they show chosen variants, whatever the assignment says.

use super::{Answer, Door, answer};
use crate::registry_do::order::Wish;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::variants::{Overrides, Status};
use silent_edge::error::ApiError;
use silent_edge::token::Tokens;
use worker::Request;

/// Shortest, usual and longest life of a link, seconds.
const LIFE_S: (u64, u64, u64) = (60, 7 * 86_400, 30 * 86_400);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreviewBody {
    overrides: Overrides,
    expires_in_s: Option<u64>,
}

pub(super) async fn create(door: &Door, mut request: Request) -> Answer {
    let origin = request.url()?.origin().ascii_serialization();
    let (body, mut order) = door.ask::<PreviewBody>(&mut request).await?;
    let (shortest, usual, longest) = LIFE_S;
    let life_s = body.expires_in_s.unwrap_or(usual);
    if !(shortest..=longest).contains(&life_s) {
        return Err(ApiError::Invalid(format!(
            "expires_in_s must be from {shortest} to {longest}"
        )));
    }
    if body.overrides.is_empty() {
        return Err(ApiError::Invalid("name at least one variant".into()));
    }
    let snapshot = door.registry().await?;
    for (category, id) in &body.overrides {
        let variant = snapshot.variant(*category, id);
        if variant.is_none_or(|variant| variant.status == Status::Retired) {
            return Err(ApiError::Invalid(format!(
                "{category} has no variant {id} that can be shown"
            )));
        }
    }
    let expires_at_ms = door.now_ms.saturating_add(life_s.saturating_mul(1_000));
    order.wish = Wish::Preview {
        overrides: json!(body.overrides),
        expires_at_ms,
    };
    match door.order(&order).await {
        Err(refusal) => Ok(refusal),
        Ok(outcome) => {
            // Repeated, the request gives the link that it gave the first time.
            let first = outcome.body.get("expires_at_ms").and_then(Value::as_u64);
            let token = Tokens::read(&door.env)?.issue_preview(&body.overrides, first.unwrap_or(expires_at_ms))?;
            let mut shown = outcome.body.clone();
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("link".into(), json!(format!("{origin}/?preview={token}")));
                shown.insert("token".into(), json!(token));
            }
            answer(&outcome, &shown)
        }
    }
}
