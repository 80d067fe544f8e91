//! Google's Gemini API.
//!
//! Source: Google, Gemini API reference, "Generating content", "Troubleshooting", "Structured output"; the types of the
//! official SDK. A stream has no mark of its end: the last chunk has a finish reason.

mod decode;
mod request;

pub(crate) use decode::{Reader, fault, whole};
pub use request::Endpoint;
pub(crate) use request::{health_check, request};
