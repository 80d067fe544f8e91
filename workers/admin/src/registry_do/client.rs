//! How the rest of the Worker speaks with the registry's object.

use super::order::{Order, Outcome};
use serde_json::Value;
use silent_core::variants::Snapshot;
use silent_edge::error::ApiError;
use silent_edge::registry::{OBJECT, OBJECT_NAME};
use worker::{Env, Headers, Method, Request, RequestInit, Response};

/// The registry as it stands: read from the object, never from a cache.
pub(crate) async fn head(env: &Env) -> Result<Snapshot, ApiError> {
    let stub = env.durable_object(OBJECT)?.get_by_name(OBJECT_NAME)?;
    let away = |error: worker::Error| ApiError::unavailable(format!("registry: {error}"));
    let mut response = stub.fetch_with_str("https://object/head?known=0").await.map_err(away)?;
    if response.status_code() != 200 {
        return Err(ApiError::unavailable(format!(
            "the registry said {}",
            response.status_code()
        )));
    }
    Snapshot::parse(&response.text().await.map_err(away)?).map_err(|error| ApiError::internal(error.to_string()))
}

/// Hands an order in.
pub(crate) async fn hand_in(env: &Env, order: &Order, correlation_id: &str) -> Result<Response, ApiError> {
    let body = serde_json::to_string(order).map_err(|_| ApiError::internal("internal body"))?;
    let headers = Headers::new();
    headers.set("x-correlation-id", correlation_id)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(body.into()));
    let request = Request::new_with_init("https://object/orders", &init)?;
    let stub = env.durable_object(OBJECT)?.get_by_name(OBJECT_NAME)?;
    stub.fetch_with_request(request)
        .await
        .map_err(|error| ApiError::unavailable(format!("registry: {error}")))
}

/// Has an order carried out for the platform itself: what became of it, or status and reason of a refusal.
///
/// # Errors
/// Where the registry is away, or at fault: it may work later.
pub(crate) async fn send(
    env: &Env,
    order: &Order,
    correlation_id: &str,
) -> Result<Result<Outcome, (u16, String)>, ApiError> {
    let mut response = hand_in(env, order, correlation_id).await?;
    let status = response.status_code();
    let text = response.text().await?;
    if status == 200 {
        return serde_json::from_str(&text)
            .map(Ok)
            .map_err(|_| ApiError::internal("internal answer"));
    }
    if status >= 500 {
        return Err(ApiError::unavailable(format!("the registry said {status}")));
    }
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    let why = ["detail", "title"].iter().find_map(|name| problem.get(*name)?.as_str());
    Ok(Err((status, why.unwrap_or("refused").into())))
}
