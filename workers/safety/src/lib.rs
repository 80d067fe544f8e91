//! The safety Worker: the crisis gate's rules, behind a service binding, with a release cadence of their own.
//!
//! It keeps nothing: a message and a session's state come in, a judgement and the new state go out.

mod page;

use serde::Deserialize;
use serde_json::json;
use silent_core::safety::{self, SafetyState};
use silent_edge::error::ApiError;
use worker::{Context, Env, Method, Request, Response, Result, event};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    message: String,
    #[serde(default)]
    state: SafetyState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bench {
    messages: Vec<String>,
    times: u32,
}

/// Entry point of the Worker.
#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    let answer = match (request.method(), request.path().as_str()) {
        (Method::Post, "/assess") => assess(&mut request).await,
        (Method::Get, "/safety") => page::protocol(),
        (Method::Get, "/safety/health") => health(),
        (Method::Post, "/bench") if env.var("ENVIRONMENT").is_ok_and(|name| name.to_string() == "test") => {
            bench(&mut request).await
        }
        _ => Err(ApiError::NotFound),
    };
    match answer {
        Ok(response) => Ok(response),
        Err(error) => error.into_response(""),
    }
}

fn health() -> std::result::Result<Response, ApiError> {
    Ok(Response::from_json(&json!({
        "status": "ok", "worker": "safety", "version": env!("CARGO_PKG_VERSION"), "rules": safety::rules_version(),
    }))?)
}

async fn assess(request: &mut Request) -> std::result::Result<Response, ApiError> {
    let ask: Ask = request
        .json()
        .await
        .map_err(|_| ApiError::Invalid("the body is not {message, state}".into()))?;
    let mut state = ask.state;
    let assessment = safety::assess(&ask.message, &mut state);
    Ok(Response::from_json(&json!({"assessment": assessment, "state": state}))?)
}

/// Judges messages many times over; whoever asks measures, because a Worker's clock stands still while it computes.
async fn bench(request: &mut Request) -> std::result::Result<Response, ApiError> {
    let ask: Bench = request
        .json()
        .await
        .map_err(|_| ApiError::Invalid("the body is not {messages, times}".into()))?;
    let mut levels = 0_u64;
    for _ in 0..ask.times {
        for message in &ask.messages {
            levels += u64::from(safety::assess(message, &mut SafetyState::default()).level.get());
        }
    }
    let (rules, bytes) = safety::rules().iter().fold((0, 0), |(rules, bytes), tables| {
        (rules + tables.len(), bytes + tables.bytes())
    });
    Ok(Response::from_json(
        &json!({"levels": levels, "rules": rules, "bytes": bytes}),
    )?)
}
