//! Reading requests: bounded bodies, headers, cookies.

use crate::error::ApiError;
use futures::StreamExt;
use js_sys::{Function, Promise, Reflect};
use serde::de::DeserializeOwned;
use silent_core::trace::TraceContext;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::{Headers, Request};

/// Largest body that is read.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A header's value, empty values counting as absent.
#[must_use]
pub fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten().filter(|value| !value.is_empty())
}

/// The caller's trace context, where it is valid.
#[must_use]
pub fn trace_context(headers: &Headers) -> Option<TraceContext> {
    TraceContext::parse(
        &header(headers, "traceparent")?,
        header(headers, "tracestate").as_deref(),
    )
}

/// Tells the caller which trace and which span of it the answer is.
///
/// # Errors
/// The runtime's, where the headers cannot be changed.
pub fn set_trace(headers: &Headers, trace: &TraceContext) -> worker::Result<()> {
    headers.set("traceparent", &trace.traceparent())?;
    headers.set("x-trace-id", &trace.trace_id.hex())
}

/// The method as it was sent: the runtime's binding reads every unknown one as GET.
#[must_use]
pub fn method(request: &Request) -> String {
    request.inner().method()
}

/// Whether the method is one that any route could have.
#[must_use]
pub fn is_known_method(request: &Request) -> bool {
    matches!(
        method(request).as_str(),
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS"
    )
}

/// A cookie's value.
#[must_use]
pub fn cookie(headers: &Headers, name: &str) -> Option<String> {
    let all = header(headers, "cookie")?;
    all.split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_string())
}

/// The body, at most [`MAX_BODY_BYTES`], without trusting `Content-Length`.
///
/// # Errors
/// [`ApiError::TooLarge`], or [`ApiError::Invalid`] where the body breaks off.
pub async fn body(request: &mut Request) -> Result<Vec<u8>, ApiError> {
    body_up_to(request, MAX_BODY_BYTES).await
}

/// Resolves when whoever asked went away. The request's signal is the only sign of it that can be relied on.
pub fn gone(request: &Request) -> impl Future<Output = ()> + 'static {
    let signal = Reflect::get(request.inner(), &"signal".into()).unwrap_or_default();
    let went = Promise::new(&mut |resolve, _| {
        let listen = Reflect::get(&signal, &"addEventListener".into()).and_then(|listen| listen.dyn_into::<Function>());
        if let Ok(listen) = listen {
            let _ = listen.call2(&signal, &"abort".into(), &resolve);
        }
    });
    async move {
        let _ = JsFuture::from(went).await;
        // Held until now: a signal that nobody holds may be collected together with its listeners.
        drop(signal);
    }
}

/// [`body`] with another limit, in bytes.
///
/// # Errors
/// [`ApiError::TooLarge`], or [`ApiError::Invalid`] where the body breaks off.
pub async fn body_up_to(request: &mut Request, limit: usize) -> Result<Vec<u8>, ApiError> {
    if request.inner().body().is_none() {
        return Ok(Vec::new());
    }
    let mut stream = request.stream()?;
    let mut out = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::Invalid("the body broke off".into()))?;
        if out.len() + chunk.len() > limit {
            return Err(ApiError::TooLarge(format!("a body has at most {limit} bytes")));
        }
        out.extend_from_slice(&chunk);
    }
    Ok(out)
}

/// A JSON body; an empty one reads as `{}`.
///
/// # Errors
/// [`ApiError::MediaType`], [`ApiError::TooLarge`], or [`ApiError::Invalid`] with the place of the fault.
pub async fn json<T: DeserializeOwned>(request: &mut Request) -> Result<(T, Vec<u8>), ApiError> {
    let content_type = header(request.headers(), "content-type");
    let bytes = body(request).await?;
    if !bytes.is_empty()
        && !content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"))
    {
        return Err(ApiError::MediaType);
    }
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    let value = serde_json::from_slice(text).map_err(|error| ApiError::Invalid(describe(&error)))?;
    Ok((value, bytes))
}

/// What is wrong with JSON, without quoting what a person wrote.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "has a field of the wrong type, an unknown one, or lacks one",
        _ => "is not valid JSON",
    };
    format!("the body {what} (line {}, column {})", error.line(), error.column())
}

/// A country code, ISO 3166-1 alpha-2, in capitals.
#[must_use]
pub fn country(code: &str) -> Option<String> {
    (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then(|| code.to_ascii_uppercase())
}

/// What an internal answer says, read by the runtime in one go: chunk by chunk each one is several calls into it.
///
/// # Errors
/// Where it breaks off, or is not UTF-8.
pub async fn text_of(response: worker::Response) -> worker::Result<String> {
    let response: worker::web_sys::Response = response.into();
    let text = JsFuture::from(response.text()?).await?;
    text.as_string()
        .ok_or_else(|| worker::Error::RustError("not text".into()))
}
