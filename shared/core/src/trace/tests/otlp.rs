//! Against the bytes that OpenTelemetry's compiled messages give (PyPI `opentelemetry-proto` 1.45.2, `protobuf` 7.36.2).

use crate::trace::names::Resource;
use crate::trace::otlp::Protocol;
use crate::trace::{Kind, Link, Outcome, Span, SpanEvent, SpanId, TraceId, Value};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde_json::json;

const REQUEST: &str = include_str!("request.hex");

fn resource() -> Resource {
    Resource {
        service: "chat".into(),
        version: "0.1.0".into(),
        environment: "test".into(),
    }
}

fn spans() -> Vec<Span> {
    let trace_id = TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    let call = Span {
        trace_id,
        span_id: SpanId::parse("00f067aa0ba902b7").unwrap(),
        parent: SpanId::parse("1234567890123456"),
        parent_is_remote: true,
        sampled: true,
        state: Some("foo=1".into()),
        name: "chat gpt-4o".into(),
        kind: Kind::Client,
        start_ms: 1_700_000_000_123,
        end_ms: 1_700_000_001_000,
        attributes: vec![
            ("t".into(), "héllo".into()),
            ("n".into(), Value::Int(-1)),
            ("big".into(), u64::MAX.into()),
            ("d".into(), 0.7.into()),
            ("yes".into(), true.into()),
            ("no".into(), false.into()),
            ("list".into(), Value::List(vec!["stop".into(), "length".into()])),
            ("none".into(), Value::List(Vec::new())),
            ("empty".into(), "".into()),
        ],
        events: vec![SpanEvent {
            name: "llm.ttft",
            at_ms: 1_700_000_000_500,
            attributes: vec![("a".into(), 300_u64.into())],
        }],
        links: vec![Link {
            trace_id: TraceId::parse("0af7651916cd43dd8448eb211c80319c").unwrap(),
            span_id: SpanId::parse("b7ad6b7169203331").unwrap(),
        }],
        outcome: Outcome::Error,
    };
    let turn = Span {
        trace_id,
        span_id: SpanId::parse("0000000000000001").unwrap(),
        parent: None,
        parent_is_remote: false,
        sampled: false,
        state: None,
        name: "turn".into(),
        kind: Kind::Server,
        start_ms: 1,
        end_ms: 1,
        attributes: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
        outcome: Outcome::Unset,
    };
    vec![call, turn]
}

#[test]
fn protobuf_is_written_byte_for_byte_as_the_compiled_messages_do() {
    let bytes = Protocol::Protobuf.request(&resource(), &spans());
    let hex: String = bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect();
    assert_eq!(hex, REQUEST.split_whitespace().collect::<String>());
}

#[test]
fn json_follows_the_mapping() {
    let request: serde_json::Value = serde_json::from_slice(&Protocol::Json.request(&resource(), &spans())).unwrap();
    let group = &request["resourceSpans"][0];
    assert_eq!(
        group["resource"]["attributes"][0],
        json!({"key": "service.name", "value": {"stringValue": "chat"}})
    );
    assert_eq!(
        group["scopeSpans"][0]["scope"],
        json!({"name": "silent-infinity", "version": "0.1.0"})
    );
    // OTLP 1.10, "JSON Protobuf Encoding": ids in hexadecimal, not base 64; 64-bit integers as text; enums as numbers.
    assert_eq!(
        group["scopeSpans"][0]["spans"][0],
        json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "spanId": "00f067aa0ba902b7",
            "parentSpanId": "1234567890123456",
            "traceState": "foo=1",
            "flags": 0x301,
            "name": "chat gpt-4o",
            "kind": 3,
            "startTimeUnixNano": "1700000000123000000",
            "endTimeUnixNano": "1700000001000000000",
            "attributes": [
                {"key": "t", "value": {"stringValue": "héllo"}},
                {"key": "n", "value": {"intValue": "-1"}},
                {"key": "big", "value": {"intValue": "9223372036854775807"}},
                {"key": "d", "value": {"doubleValue": 0.7}},
                {"key": "yes", "value": {"boolValue": true}},
                {"key": "no", "value": {"boolValue": false}},
                {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "stop"}, {"stringValue": "length"}]}}},
                {"key": "none", "value": {"arrayValue": {"values": []}}},
                {"key": "empty", "value": {"stringValue": ""}},
            ],
            "events": [{
                "timeUnixNano": "1700000000500000000",
                "name": "llm.ttft",
                "attributes": [{"key": "a", "value": {"intValue": "300"}}],
            }],
            "links": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"}],
            "status": {"code": 2},
        })
    );
    let root = &group["scopeSpans"][0]["spans"][1];
    assert_eq!(root.get("parentSpanId"), None);
    assert_eq!(root["status"], json!({}));
}

#[test]
fn refused_spans_are_counted_in_both_answers() {
    // `ExportTraceServiceResponse(partial_success={rejected_spans: 300, error_message: "no"})`, from the same package.
    let bytes = [0x0a, 0x07, 0x08, 0xac, 0x02, 0x12, 0x02, b'n', b'o'];
    assert_eq!(Protocol::Protobuf.rejected(&bytes), 300);
    assert_eq!(Protocol::Protobuf.rejected(&[]), 0);
    for (answer, rejected) in [
        (r#"{"partialSuccess":{"rejectedSpans":"300","errorMessage":"no"}}"#, 300),
        (r#"{"partialSuccess":{"rejectedSpans":7}}"#, 7),
        (r#"{"partialSuccess":null}"#, 0),
        ("{}", 0),
        ("", 0),
    ] {
        assert_eq!(Protocol::Json.rejected(answer.to_string().as_bytes()), rejected);
    }
}

proptest::proptest! {
    #[test]
    fn no_answer_of_a_collector_is_a_panic(bytes: Vec<u8>) {
        let _ = Protocol::Protobuf.rejected(&bytes);
        let _ = Protocol::Json.rejected(&bytes);
    }
}
