//! The admin Worker: the registry and its API, flags for OpenFeature clients, the consumer of the event queue, and its pipeline.
#![allow(missing_docs, reason = "the durable_object macro makes public items without docs")]

mod alerts;
mod budget_do;
mod consumer;
mod guard_do;
mod metrics;
mod ofrep;
mod pipeline;
mod registry_do;
mod routes;
mod workflow_do;

pub use alerts::AlertObject;
pub use budget_do::BudgetObject;
pub use guard_do::GuardObject;
pub use registry_do::RegistryObject;
pub use workflow_do::WorkflowObject;

use serde_json::json;
use silent_edge::error::ApiError;
use silent_edge::log;
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

/// Calls an object that has something to do. Whoever calls does not wait for it to be done, and a call that is lost is made
/// up for by the next one.
async fn poke(env: &Env, binding: &str, name: &str) {
    let called = async {
        let stub = env.durable_object(binding)?.get_by_name(name)?;
        stub.fetch_with_str("https://object/poke").await
    };
    if let Err(error) = called.await {
        log::line("error", "not-called", name, json!({"cause": error.to_string()}));
    }
}
