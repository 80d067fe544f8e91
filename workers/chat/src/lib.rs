//! The chat Worker, which is the front door: routes, forwarding, and the composition root.
#![allow(missing_docs, reason = "the durable_object macro makes public items without docs")]

mod auth;
mod internal;
mod person_do;
mod policy;
mod routes;
mod session_do;
mod transport;
mod twin;
mod twin_do;

pub use person_do::PersonObject;
pub use session_do::SessionObject;

use worker::{Context, Env, Request, Response, Result, event};

/// Entry point of the Worker.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    routes::handle(request, env, &context).await
}
