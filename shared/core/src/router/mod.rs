//! The model router: who answers, and what happens when they do not. Pure: upstreams, time and chance are ports.
//!
//! Invariants: a stream ends by its total time-out in a whole answer or an error; what is said after the last
//! [`LlmEvent::Reset`](crate::turn::LlmEvent::Reset) is one target's; an upstream that is not wanted any more is dropped at
//! once; every attempt is told.

mod backoff;
mod breaker;
mod health;
mod order;
mod run;
mod stream;
#[cfg(test)]
mod tests;

pub use backoff::Jitter;
pub use breaker::{Breaker, Limits, Permit};
pub use health::Health;
pub use stream::{Router, RouterStream};

use crate::turn::{LlmRequest, ProviderError, TokenStream};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A model at a provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The provider's name.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
}

/// Which of a plan's targets is asked first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Routing {
    /// As configured: the best first.
    #[default]
    Quality,
    /// By the time to the first token, as observed; those without an observation first, so that there is one.
    Fast,
    /// By the price table; those without a price last.
    Cost,
}

/// How long to wait, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the answer's headers.
    pub connect_ms: u64,
    /// From the beginning of an attempt to its first token.
    pub first_token_ms: u64,
    /// For the next bytes after that.
    pub idle_ms: u64,
    /// For the whole answer, with all attempts.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 5_000,
            first_token_ms: 20_000,
            idle_ms: 20_000,
            total_ms: 120_000,
        }
    }
}

/// What may be tried for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// As configured: the primary, then the fall-backs.
    pub targets: Vec<Target>,
    /// Their order.
    pub routing: Routing,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Attempts at each target, at least one. A target that fails after its first token is not asked again.
    pub attempts: u8,
    /// Asks a second target where the first has said nothing for so long.
    pub hedge_after_ms: Option<u64>,
    /// Of a hundred answers, as many may be hedged in the long run.
    pub hedge_percent: u32,
    /// When a target is left alone.
    pub breaker: Limits,
    /// Whether what was said can be taken back. Where it cannot, a failure after the first token is the end.
    pub allows_reset: bool,
}

impl Plan {
    /// With the defaults.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self {
            targets,
            routing: Routing::Quality,
            timeouts: Timeouts::default(),
            attempts: 2,
            hedge_after_ms: None,
            hedge_percent: 10,
            breaker: Limits::default(),
            allows_reset: true,
        }
    }
}

/// Where streams are opened. Dropping a stream, or the future that opens it, ends the generation there.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait Upstream {
    /// Its streams.
    type Stream: TokenStream;
    /// Asks a target; the request names the target's model.
    ///
    /// # Errors
    /// [`ProviderError`] where no stream begins.
    async fn open(&self, target: &Target, request: &LlmRequest) -> Result<Self::Stream, ProviderError>;
}

/// Time, as it passes while waiting.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait Timer {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// Waits, milliseconds.
    async fn sleep(&self, ms: u64);
}
