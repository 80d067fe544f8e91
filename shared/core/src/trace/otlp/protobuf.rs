//! OTLP in protocol buffers: written by hand, since one message does not pay for a library in every Worker.

use super::{flags, nanos};
use crate::trace::names::{Resource, SCHEMA_URL, SCOPE};
use crate::trace::span::{Attribute, Link, Outcome, Span, SpanEvent, Value};
use alloc::vec::Vec;

/// Wire types (protobuf's encoding guide, "Message Structure").
const VARINT: u64 = 0;
const I64: u64 = 1;
const LEN: u64 = 2;
const I32: u64 = 5;

/// A message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, wire: u64) {
        self.raw_varint(field << 3 | wire);
    }

    fn varint(&mut self, field: u64, value: u64) {
        self.tag(field, VARINT);
        self.raw_varint(value);
    }

    fn fixed64(&mut self, field: u64, value: u64) {
        self.tag(field, I64);
        self.0.extend(value.to_le_bytes());
    }

    fn fixed32(&mut self, field: u64, value: u32) {
        self.tag(field, I32);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, LEN);
        self.raw_varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn attributes(&mut self, field: u64, attributes: &[Attribute]) {
        for (name, value) in attributes {
            self.message(field, |pair| {
                pair.text(1, name);
                pair.message(2, |any| any.any(value));
            });
        }
    }

    /// `AnyValue`.
    fn any(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.text(1, text),
            Value::Bool(yes) => self.varint(2, u64::from(*yes)),
            Value::Int(number) => self.varint(3, number.cast_unsigned()),
            Value::Double(number) => self.fixed64(4, number.to_bits()),
            Value::List(items) => self.message(5, |array| {
                for item in items {
                    array.message(1, |any| any.text(1, item));
                }
            }),
        }
    }

    fn span(&mut self, span: &Span) {
        self.bytes(1, span.trace_id.bytes());
        self.bytes(2, span.span_id.bytes());
        if let Some(state) = &span.state {
            self.text(3, state);
        }
        if let Some(parent) = span.parent {
            self.bytes(4, parent.bytes());
        }
        self.text(5, &span.name);
        self.varint(6, span.kind as u64);
        self.fixed64(7, nanos(span.start_ms));
        self.fixed64(8, nanos(span.end_ms));
        self.attributes(9, &span.attributes);
        for event in &span.events {
            self.message(11, |message| message.event(event));
        }
        for link in &span.links {
            self.message(13, |message| message.link(link));
        }
        self.message(15, |status| {
            if span.outcome != Outcome::Unset {
                status.varint(3, span.outcome as u64);
            }
        });
        self.fixed32(16, flags(span));
    }

    fn event(&mut self, event: &SpanEvent) {
        self.fixed64(1, nanos(event.at_ms));
        self.text(2, event.name);
        self.attributes(3, &event.attributes);
    }

    fn link(&mut self, link: &Link) {
        self.bytes(1, link.trace_id.bytes());
        self.bytes(2, link.span_id.bytes());
    }
}

pub(super) fn request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |resource_spans| {
        resource_spans.message(1, |message| message.attributes(1, &resource.attributes()));
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |scope| {
                scope.text(1, SCOPE);
                scope.text(2, &resource.version);
            });
            for span in spans {
                scope_spans.message(2, |message| message.span(span));
            }
            scope_spans.text(3, SCHEMA_URL);
        });
        resource_spans.text(3, SCHEMA_URL);
    });
    request.0
}

/// `partial_success.rejected_spans`: field 1 in field 1.
pub(super) fn rejected(answer: &[u8]) -> u64 {
    match find(answer, 1) {
        Some(Field::Bytes(partial)) => match find(partial, 1) {
            Some(Field::Number(rejected)) => rejected,
            _ => 0,
        },
        _ => 0,
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The first field with a number; none where the bytes are no message.
fn find(mut message: &[u8], wanted: u64) -> Option<Field<'_>> {
    loop {
        let tag = varint(&mut message)?;
        let field = match tag & 7 {
            VARINT => Field::Number(varint(&mut message)?),
            LEN => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                Field::Bytes(message.split_off(..length)?)
            }
            I64 => Field::Bytes(message.split_off(..8)?),
            I32 => Field::Bytes(message.split_off(..4)?),
            _ => return None,
        };
        if tag >> 3 == wanted {
            return Some(field);
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.split_off_first()?;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
