//! The admin Worker: routes and composition root.

use worker::{Context, Env, Request, Response, Result, event};

/// Entry point of the Worker.
#[event(fetch)]
async fn fetch(_request: Request, _env: Env, _context: Context) -> Result<Response> {
    Response::from_json(&serde_json::json!({"status": "ok", "worker": "admin"}))
}
