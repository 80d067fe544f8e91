//! Language models, a folder for each protocol behind one contract.
//!
//! [`Endpoint`] says where a model is and makes requests; [`Decoder`] takes the answer's bytes and gives events. For every
//! vendor holds (`contract.rs` tests it over all of them): any split of the bytes gives the same events; the model is named
//! first and once; after an error nothing is said; an end without a stop reason is [`ProviderError::Truncated`]; no error
//! carries the vendor's text; no key shows in `Debug`.
//!
//! [`ProviderError::Truncated`]: silent_core::turn::ProviderError::Truncated

pub mod anthropic;
pub mod bedrock;
mod configure;
#[cfg(test)]
mod contract;
mod decoder;
mod endpoint;
mod events;
mod fault;
pub mod gemini;
pub mod offline;
pub mod ollama;
pub mod openai;
pub mod openrouter;
mod transcript;
mod validate;
pub mod workers_ai;

pub use configure::ConfigError;
pub use decoder::Decoder;
pub use endpoint::Endpoint;
pub use validate::validate_response;

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Piece by piece, for a [`Decoder`].
    Stream,
    /// At once, for [`Endpoint::parse_whole`].
    Whole,
}

impl Mode {
    /// The media type to accept, for those who stream server-sent events.
    fn accept(self) -> &'static str {
        match self {
            Self::Stream => "text/event-stream",
            Self::Whole => "application/json",
        }
    }
}
