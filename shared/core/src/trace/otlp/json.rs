//! OTLP in JSON: names in camel case, ids in hexadecimal, 64-bit numbers as text, enumerations as numbers.

use super::{flags, nanos};
use crate::trace::names::{Resource, SCHEMA_URL, SCOPE};
use crate::trace::span::{Attribute, Outcome, Span, Value};
use alloc::string::ToString;
use alloc::vec::Vec;
use serde_json::{Map, Value as Json, json};

pub(super) fn request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&resource.attributes())},
        "scopeSpans": [{
            "scope": {"name": SCOPE, "version": resource.version},
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
            "schemaUrl": SCHEMA_URL,
        }],
        "schemaUrl": SCHEMA_URL,
    }]});
    request.to_string().into_bytes()
}

/// One span as an object.
#[must_use]
pub fn span(span: &Span) -> Json {
    let mut out = Map::new();
    let mut put = |name: &str, value: Json| out.insert(name.into(), value);
    put("traceId", span.trace_id.hex().into());
    put("spanId", span.span_id.hex().into());
    if let Some(state) = &span.state {
        put("traceState", state.as_str().into());
    }
    if let Some(parent) = span.parent {
        put("parentSpanId", parent.hex().into());
    }
    put("flags", flags(span).into());
    put("name", span.name.as_ref().into());
    put("kind", (span.kind as u8).into());
    put("startTimeUnixNano", nanos(span.start_ms).to_string().into());
    put("endTimeUnixNano", nanos(span.end_ms).to_string().into());
    put("attributes", attributes(&span.attributes));
    let events = span.events.iter().map(|event| {
        json!({
            "timeUnixNano": nanos(event.at_ms).to_string(),
            "name": event.name,
            "attributes": attributes(&event.attributes),
        })
    });
    put("events", events.collect());
    let links = span.links.iter();
    let links = links.map(|link| json!({"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()}));
    put("links", links.collect());
    put(
        "status",
        match span.outcome {
            Outcome::Unset => json!({}),
            outcome => json!({"code": outcome as u8}),
        },
    );
    Json::Object(out)
}

fn attributes(attributes: &[Attribute]) -> Json {
    let pairs = attributes.iter();
    pairs
        .map(|(name, value)| json!({"key": name.as_ref(), "value": any(value)}))
        .collect()
}

fn any(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Int(number) => json!({"intValue": number.to_string()}),
        Value::Double(number) => json!({"doubleValue": number}),
        Value::Bool(yes) => json!({"boolValue": yes}),
        Value::List(items) => {
            let values: Vec<Json> = items.iter().map(|item| json!({"stringValue": item})).collect();
            json!({"arrayValue": {"values": values}})
        }
    }
}

pub(super) fn rejected(answer: &[u8]) -> u64 {
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    match answer.pointer("/partialSuccess/rejectedSpans") {
        Some(Json::String(number)) => number.parse().unwrap_or(0),
        Some(number) => number.as_u64().unwrap_or(0),
        None => 0,
    }
}
