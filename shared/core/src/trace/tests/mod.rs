//! Against the W3C's test suite, OpenTelemetry's SDK for Python and its compiled protocol buffers.

mod context;
mod otlp;
mod recorder;
mod sampler;
mod spoken;
