//! The voice Worker: speech in, a turn of the chat Worker, speech out.
#![allow(missing_docs, reason = "the durable_object macro makes public items without docs")]

mod chat;
mod door;
mod live_do;
mod openai;
mod problem;
mod recordings;
mod say;
mod turn;

pub use live_do::LiveObject;

use door::{Door, Fail};
use silent_core::ids::SessionId;
use silent_edge::error::ApiError;
use silent_edge::log;
use silent_edge::speech::Speech;
use worker::{Context, Env, Method, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

/// Entry point of the Worker.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    if request.path() == "/voice/health" {
        // What is misconfigured neither hears nor speaks; requests say what is wrong.
        let (hears, speaks) = Speech::read(&env).map_or((false, false), |speech| {
            (!speech.stt.is_empty(), !speech.tts.is_empty())
        });
        return Response::from_json(&serde_json::json!({
            "status": "ok", "worker": "voice", "version": env!("CARGO_PKG_VERSION"), "hears": hears, "speaks": speaks,
        }));
    }
    let door = match Door::open(env) {
        Ok(door) => door,
        Err(error) => return error.into_response(""),
    };
    match route(&door, request, &context).await {
        Ok(response) => Ok(response),
        Err(Fail::Said(response)) => Ok(response),
        Err(Fail::Api(error)) => error.into_response(&door.correlation_id),
    }
}

/// Once a day: recordings that are old enough go.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let (level, fields) = match recordings::expire(&env).await {
        Ok(count) => ("info", serde_json::json!({ "deleted": count })),
        Err(error) => ("error", serde_json::json!({"cause": format!("{error:?}")})),
    };
    log::line(level, "recordings-expired", "cron", fields);
}

async fn route(door: &Door, request: Request, context: &Context) -> std::result::Result<Response, Fail> {
    let path = request.path();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (request.method(), segments.as_slice()) {
        (Method::Get, ["v1", "audio", "recordings", link]) => recordings::read(door, &request, link).await,
        (_, ["v1", "audio", rest @ ..]) => Ok(openai::handle(door, request, rest).await?),
        (method, ["v1", "sessions", id, what]) => {
            let id = SessionId::parse(id).map_err(|_| ApiError::NotFound)?;
            match (*what, method) {
                ("voice-turns", Method::Post) => turn::create(door, request, id, context).await,
                ("live", Method::Get) => live_do::enter(door, request, id).await,
                ("recordings", Method::Get) => recordings::list(door, &request, &id).await,
                ("voice-turns" | "live" | "recordings", _) => Err(ApiError::MethodNotAllowed.into()),
                _ => Err(ApiError::NotFound.into()),
            }
        }
        _ => Err(ApiError::NotFound.into()),
    }
}
