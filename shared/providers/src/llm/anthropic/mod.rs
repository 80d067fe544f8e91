//! Anthropic's Messages API.
//!
//! Source: Anthropic, API reference, "Messages", "Streaming messages", "Errors", "Versions", "Structured outputs".

mod decode;
mod request;

pub(crate) use decode::{Reader, fault, whole};
pub use request::{Endpoint, Version};
pub(crate) use request::{health_check, request};
