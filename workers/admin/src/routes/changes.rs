//! Changes that wait: for a second word, or for the end of their cool-down.

use super::{Answer, Door, Nothing, limit, no_query, query};
use crate::registry_do::order::Wish;
use crate::registry_do::{integer, pending, shown};
use serde::Deserialize;
use serde_json::json;
use silent_core::registry::{Pending, State};
use silent_edge::error::ApiError;
use worker::wasm_bindgen::JsValue;
use worker::{Request, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    state: Option<State>,
    limit: Option<u32>,
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    #[derive(Deserialize)]
    struct Row {
        change: String,
    }
    let filter: Filter = query(request)?;
    let limit = limit(filter.limit)?;
    let state = filter.state.and_then(|state| serde_json::to_value(state).ok());
    let state = state.as_ref().and_then(|state| state.as_str());
    let found = door
        .db()?
        .prepare("SELECT change FROM pending_changes WHERE ?1 IS NULL OR state = ?1 ORDER BY created_at_ms DESC, id DESC LIMIT ?2")
        .bind(&[state.map_or(JsValue::NULL, JsValue::from_str), integer(limit as u64)])?
        .all()
        .await?;
    let changes: Vec<_> = found
        .results::<Row>()?
        .iter()
        .filter_map(|row| serde_json::from_str::<Pending>(&row.change).ok())
        .map(|change| shown(&change))
        .collect();
    Ok(Response::from_json(&json!({"changes": changes}))?)
}

pub(super) async fn read(door: &Door, request: &Request, id: &str) -> Answer {
    no_query(request)?;
    let change = pending(&door.db()?, id).await?.ok_or(ApiError::NotFound)?;
    Ok(Response::from_json(&shown(&change))?)
}

pub(super) async fn step(door: &Door, mut request: Request, wish: Wish) -> Answer {
    let (_, mut order) = door.ask::<Nothing>(&mut request).await?;
    order.wish = wish;
    door.settle(&order).await
}
