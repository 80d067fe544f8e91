//! The admin Worker: the registry and its API, flags for OpenFeature clients, the consumer of the event queue, and its pipeline.
#![allow(missing_docs, reason = "the durable_object macro makes public items without docs")]

mod budget_do;
mod consumer;
mod metrics;
mod ofrep;
mod pipeline;
mod registry_do;
mod routes;

pub use budget_do::BudgetObject;
pub use registry_do::RegistryObject;

use silent_edge::error::ApiError;
use worker::{Context, Env, MessageBatch, Method, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

/// Binding of the database.
const DB: &str = "DB";

/// Entry point of the Worker.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let path = request.path();
    match path.split('/').nth(1) {
        _ if path == "/admin/health" && request.method() == Method::Get => Response::from_json(
            &serde_json::json!({"status": "ok", "worker": "admin", "version": env!("CARGO_PKG_VERSION")}),
        ),
        Some("admin") => routes::handle(request, env).await,
        Some("ofrep") => ofrep::handle(request, env).await,
        _ => ApiError::NotFound.into_response(""),
    }
}

/// Entry point of the queues: turn events, and messages that were given up.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    consumer::receive(&batch, &env).await
}

/// Entry point of the cron.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    pipeline::scheduled(&event, &env).await;
}
