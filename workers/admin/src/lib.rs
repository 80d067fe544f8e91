//! The admin Worker: the registry and its API, flags for OpenFeature clients, and the consumer of the event queue.
#![allow(missing_docs, reason = "the durable_object macro makes public items without docs")]

mod budget_do;
mod consumer;
mod ofrep;
mod registry_do;
mod routes;

pub use budget_do::BudgetObject;
pub use registry_do::RegistryObject;

use silent_edge::error::ApiError;
use silent_edge::log;
use silent_edge::queue::QueueMessage;
use worker::{Context, Env, MessageBatch, MessageExt, Method, Request, Response, Result, event};

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
/// Entry point of the queue. Each message is acknowledged or retried by itself; an error would retry them all.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    let db = match env.d1(DB) {
        Ok(db) => db,
        Err(error) => {
            log::line(
                "error",
                "consumer-without-database",
                "queue",
                serde_json::json!({"cause": error.to_string()}),
            );
            batch.retry_all();
            return Ok(());
        }
    };
    for message in batch.messages()? {
        let stored = match serde_json::from_str::<QueueMessage>(message.body()) {
            Ok(body) => consumer::store(&db, &body).await,
            Err(_) => Err(worker::Error::RustError("message is not of the format".into())),
        };
        match stored {
            Ok(()) => message.ack(),
            Err(error) => {
                log::line(
                    "error",
                    "consumer-retries",
                    "queue",
                    serde_json::json!({"message": message.id(), "cause": error.to_string()}),
                );
                message.retry();
            }
        }
    }
    Ok(())
}
