//! How the front door and the Durable Objects talk to each other.

use serde::Serialize;
use serde::de::DeserializeOwned;
use silent_core::ids::{PersonId, SessionId};
use silent_edge::error::ApiError;
use worker::{Env, Headers, Method, Request, RequestInit, Response, Stub};

/// Binding of the session objects.
pub(crate) const SESSIONS: &str = "SESSIONS";
/// Binding of the person objects.
pub(crate) const PERSONS: &str = "PERSONS";
/// Who asks, as the front door verified it.
pub(crate) const PERSON_HEADER: &str = "x-person-id";
/// Id that joins a response with its log lines.
pub(crate) const CORRELATION_HEADER: &str = "x-correlation-id";
/// Country of the request.
pub(crate) const COUNTRY_HEADER: &str = "x-country";

/// The object of a session.
pub(crate) fn session_stub(env: &Env, id: &SessionId) -> Result<Stub, ApiError> {
    Ok(env.durable_object(SESSIONS)?.get_by_name(id.as_str())?)
}

/// The object of a person.
pub(crate) fn person_stub(env: &Env, id: &PersonId) -> Result<Stub, ApiError> {
    Ok(env.durable_object(PERSONS)?.get_by_name(id.as_str())?)
}

/// Calls an object. Names do not resolve anywhere: the stub decides who answers.
pub(crate) async fn call(
    stub: &Stub,
    method: Method,
    path: &str,
    headers: Headers,
    body: Option<String>,
) -> Result<Response, ApiError> {
    let mut init = RequestInit::new();
    init.with_method(method)
        .with_headers(headers)
        .with_body(body.map(Into::into));
    let request = Request::new_with_init(&format!("https://object{path}"), &init)?;
    stub.fetch_with_request(request)
        .await
        .map_err(|error| ApiError::unavailable(format!("object: {error}")))
}

/// Asks an object for JSON with headers of its own; any other status than success is an error.
pub(crate) async fn call_json_as<T: DeserializeOwned>(
    stub: &Stub,
    method: Method,
    path: &str,
    headers: Headers,
) -> Result<T, ApiError> {
    read_json(call(stub, method, path, headers, None).await?).await
}

async fn read_json<T: DeserializeOwned>(mut response: Response) -> Result<T, ApiError> {
    match response.status_code() {
        200..=299 => Ok(response.json().await?),
        404 | 410 => Err(ApiError::NotFound),
        status => Err(ApiError::unavailable(format!("object answered {status}"))),
    }
}

/// Calls an object with JSON and reads JSON; any other status than success is an error.
pub(crate) async fn call_json<T: DeserializeOwned>(
    stub: &Stub,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, ApiError> {
    let body = body
        .map(serde_json::to_string)
        .transpose()
        .map_err(|_| ApiError::internal("internal body"))?;
    read_json(call(stub, method, path, Headers::new(), body).await?).await
}
