//! Traces: what a turn did and how long it took, in OpenTelemetry's form, without a word of what was said.
//!
//! Everything here is pure. [`Recorder`] collects the spans of one turn, [`otlp`] writes them as collectors read them, and
//! a [`TraceExporter`] takes them there.

mod context;
mod ids;
pub mod names;
pub mod otlp;
mod recorder;
pub mod retry;
mod sampler;
mod span;
mod spoken;

pub use context::TraceContext;
pub use ids::{SpanId, TraceId};
pub use recorder::Recorder;
pub use sampler::Sampler;
pub use span::{Attribute, Kind, Link, Outcome, Span, SpanEvent, Value};
pub use spoken::{Direction, SpokenPart, spoken};

use thiserror::Error;

/// The spans could not be handed over and are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("spans were lost: {0}")]
pub struct ExportError(
    /// Why, a stable slug.
    pub &'static str,
);

/// Where finished spans go. Called when nobody waits any more: it may take its time, and what it loses costs no turn.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait TraceExporter {
    /// Hands spans over.
    ///
    /// # Errors
    /// [`ExportError`] where they are lost.
    async fn export(&self, spans: &[Span]) -> Result<(), ExportError>;
}

#[cfg(test)]
mod tests;
