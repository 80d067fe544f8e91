//! Spans as lines of the log.

use crate::log;
use silent_core::trace::names::Resource;
use silent_core::trace::{Span, otlp};

/// One line for each span: an object as in OTLP/JSON, beside the log's own fields.
pub(super) fn print(resource: &Resource, spans: &[Span]) {
    for span in spans {
        let mut line = otlp::json_span(span);
        if let Some(fields) = line.as_object_mut() {
            fields.insert("service".into(), resource.service.as_str().into());
        }
        log::line("info", "span", &span.trace_id.hex(), line);
    }
}
