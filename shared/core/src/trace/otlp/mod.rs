//! OTLP, version 1.10: an `ExportTraceServiceRequest`, and what a collector answers. Two encodings of the same message.
//!
//! Source: `opentelemetry/proto/{collector/trace,trace,common,resource}/v1` of opentelemetry-proto 1.10.

mod json;
mod protobuf;

pub use json::span as json_span;

use super::names::Resource;
use super::span::Span;
use alloc::vec::Vec;

/// Bits of `Span.flags` beside the eight of the W3C: whether it is known that the parent is remote, and whether it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// How a request is written; `OTEL_EXPORTER_OTLP_PROTOCOL`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`.
    #[default]
    Protobuf,
    /// `http/json`.
    Json,
}

impl Protocol {
    /// Reads OpenTelemetry's name; gRPC is not spoken here.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "http/protobuf" => Some(Self::Protobuf),
            "http/json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The request's media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// Writes a request.
    #[must_use]
    pub fn request(self, resource: &Resource, spans: &[Span]) -> Vec<u8> {
        match self {
            Self::Protobuf => protobuf::request(resource, spans),
            Self::Json => json::request(resource, spans),
        }
    }

    /// Reads from a successful answer how many spans the collector refused all the same (`partial_success`).
    #[must_use]
    pub fn rejected(self, answer: &[u8]) -> u64 {
        match self {
            Self::Protobuf => protobuf::rejected(answer),
            Self::Json => json::rejected(answer),
        }
    }
}

fn flags(span: &Span) -> u32 {
    let remote = if span.parent_is_remote { IS_REMOTE } else { 0 };
    u32::from(span.sampled) | HAS_IS_REMOTE | remote
}

/// Nanoseconds since 1970.
fn nanos(at_ms: u64) -> u64 {
    at_ms.saturating_mul(1_000_000)
}
