//! Workers AI, which is called by a binding and not by a URL: `env.AI.run(model, input, {returnRawResponse: true})`.
//!
//! Source: Cloudflare, Workers AI, "Text generation", "JSON mode" and "Errors"; workerd's `ai-api`, for the raw response.
//! Models answer either in Cloudflare's own shape (`{"response": …}`, no stop reason, `[DONE]` at the end) or in OpenAI's.

mod decode;
mod request;

pub(crate) use decode::Reader;
pub use decode::{error_of_status, parse_whole};
pub use request::{Run, decoder, health_check, request};
