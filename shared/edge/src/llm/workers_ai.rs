//! Workers AI by its binding: `env.AI.run(model, input, {returnRawResponse, signal})`.
//!
//! Source: Cloudflare, Workers AI, "Bindings"; workerd's `ai-api`, for the raw response and the signal.

use super::http::{AbortOnDrop, HttpStream};
use js_sys::{Function, JSON, Object, Promise, Reflect};
use silent_core::turn::{LlmRequest, ProviderError};
use silent_providers::llm::{Mode, workers_ai};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{Env, Response, web_sys};

/// The binding, where the Worker has it.
pub(super) fn binding(env: &Env) -> Option<JsValue> {
    Reflect::get(env, &JsValue::from_str("AI"))
        .ok()
        .filter(JsValue::is_object)
}

/// Asks, up to the answer's headers.
pub(super) async fn open(binding: &JsValue, request: &LlmRequest) -> Result<HttpStream, ProviderError> {
    let abort = AbortOnDrop::default();
    let asked = workers_ai::request(None, request, Mode::Stream);
    let promise = run(binding, &asked, &abort).map_err(|_| ProviderError::Protocol("binding AI"))?;
    let response = JsFuture::from(promise).await.map_err(|_| ProviderError::Unreachable)?;
    let response: web_sys::Response = response
        .dyn_into()
        .map_err(|_| ProviderError::Protocol("no raw response"))?;
    let decoder = workers_ai::decoder(None, request);
    HttpStream::of_response(Response::from(response), decoder, abort, workers_ai::error_of_status).await
}

fn run(binding: &JsValue, asked: &workers_ai::Run, abort: &AbortOnDrop) -> Result<Promise, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"returnRawResponse".into(), &JsValue::TRUE)?;
    let signal: &web_sys::AbortSignal = &abort.signal();
    Reflect::set(&options, &"signal".into(), signal)?;
    let run: Function = Reflect::get(binding, &"run".into())?.dyn_into()?;
    let input = JSON::parse(&asked.input.to_string())?;
    run.call3(binding, &JsValue::from_str(&asked.model), &input, &options)?
        .dyn_into()
}
