//! Chat completions as OpenAI defined them and many others speak them: vLLM, Groq, llama.cpp, Ollama's `/v1`.
//!
//! Source: OpenAI, API reference, "Chat completions" and "Error codes"; the servers' own documents for their [`Quirks`]. A
//! compatible server is an [`Endpoint`] value, not code.

mod decode;
mod request;

pub(crate) use decode::{Reader, fault, whole};
pub use request::{Endpoint, Quirks};
pub(crate) use request::{authorize, body, health_check, post, request};
