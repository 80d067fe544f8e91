//! API keys for programs: hashed, scoped, revocable. A secret is shown once and stored nowhere.

use super::{Answer, Door, Nothing, answer, base64url, hex, no_query};
use crate::registry_do::order::Wish;
use serde::Deserialize;
use serde_json::json;
use silent_core::time::rfc3339;
use silent_edge::api_key::{Scope, hash};
use silent_edge::error::ApiError;
use silent_edge::random;
use worker::{Request, Response};

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        name: String,
        scopes: String,
        created_at_ms: u64,
        created_by: String,
        revoked_at_ms: Option<u64>,
    }
    no_query(request)?;
    let found = door
        .db()?
        .prepare("SELECT id, name, scopes, created_at_ms, created_by, revoked_at_ms FROM api_keys ORDER BY created_at_ms DESC, id LIMIT 1000")
        .all()
        .await?;
    let keys: Vec<_> = found
        .results::<Row>()?
        .into_iter()
        .map(|row| {
            let scopes: Vec<Scope> = serde_json::from_str(&row.scopes).unwrap_or_default();
            json!({"id": row.id, "name": row.name, "scopes": scopes, "created_at": rfc3339(row.created_at_ms),
                "created_by": row.created_by, "revoked_at": row.revoked_at_ms.map(rfc3339)})
        })
        .collect();
    Ok(Response::from_json(&json!({"api_keys": keys}))?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    scopes: Vec<Scope>,
}

pub(super) async fn create(door: &Door, mut request: Request) -> Answer {
    let (body, mut order) = door.ask::<CreateBody>(&mut request).await?;
    let chars = body.name.trim().chars().count();
    if !(1..=80).contains(&chars) || body.name.chars().any(char::is_control) {
        return Err(ApiError::Invalid("name must be 1 to 80 characters on one line".into()));
    }
    if body.scopes.is_empty() {
        return Err(ApiError::Invalid("name at least one scope".into()));
    }
    let mut scopes = body.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let id = format!("key_{}", hex(&random::bytes::<8>()?));
    let secret = format!("si_{}", base64url(&random::bytes::<32>()?));
    order.wish = Wish::CreateKey {
        id,
        name: body.name.trim().into(),
        hash: hash(&secret),
        scopes: scopes.into_iter().map(|scope| scope.as_str().into()).collect(),
    };
    match door.order(&order).await {
        Err(refusal) => Ok(refusal),
        Ok(outcome) => {
            let mut shown = outcome.body.clone();
            if let Some(shown) = shown.as_object_mut() {
                // Repeated, the request made no key: the secret of the first one is not known any more.
                let secret = if outcome.replayed { None } else { Some(secret) };
                shown.insert("secret".into(), json!(secret));
            }
            answer(&outcome, &shown)
        }
    }
}

pub(super) async fn revoke(door: &Door, mut request: Request, id: &str) -> Answer {
    let (_, mut order) = door.ask::<Nothing>(&mut request).await?;
    order.wish = Wish::RevokeKey { id: id.into() };
    door.settle(&order).await
}
