//! The voice Worker: routes and composition root. Speech itself comes with its own issue.

use silent_edge::error::ApiError;
use worker::{Context, Env, Method, Request, Response, Result, event};

/// Entry point of the Worker.
#[event(fetch)]
async fn fetch(request: Request, _env: Env, _context: Context) -> Result<Response> {
    match (request.method(), request.path().as_str()) {
        (Method::Get, "/voice/health") => Response::from_json(
            &serde_json::json!({"status": "ok", "worker": "voice", "version": env!("CARGO_PKG_VERSION")}),
        ),
        _ => ApiError::NotFound.into_response(""),
    }
}
