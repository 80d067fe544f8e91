//! Chat completions as OpenAI defined them and many others speak them (vLLM, llama.cpp, Ollama's `/v1`, Groq).
//!
//! Source: OpenAI API reference, "Chat completions, streaming". An end without `finish_reason` is a failure.

mod decode;
mod request;

pub use decode::{Decoder, error_of_status};
pub use request::{Endpoint, request};
