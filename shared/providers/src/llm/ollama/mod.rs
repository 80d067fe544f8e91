//! Ollama's own protocol.
//!
//! Source: Ollama, API reference, "Generate a chat message". A stream is lines of JSON; an error under way is a line too.

mod decode;
mod request;

pub(crate) use decode::{Reader, fault, whole};
pub use request::Endpoint;
pub(crate) use request::{health_check, request};
