//! Structs in Thrift's compact protocol (thrift-compact-protocol.md), as far as Parquet's headers need it.

use alloc::vec::Vec;

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
const TRUE: u8 = 1;
const FALSE: u8 = 2;

/// A struct that is being written; its fields come in rising order.
#[derive(Default)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

pub(super) fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

impl Struct {
    fn field(&mut self, id: u8, kind: u8) {
        // Ids rise by less than 16 everywhere here, which is the short form.
        let distance = id.saturating_sub(self.last);
        self.bytes.push(distance << 4 | kind);
        self.last = id;
    }

    fn list(&mut self, id: u8, kind: u8, len: usize) {
        self.field(id, LIST);
        match u8::try_from(len) {
            Ok(short) if short < 15 => self.bytes.push(short << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                varint(&mut self.bytes, len as u64);
            }
        }
    }

    pub(super) fn i32(&mut self, id: u8, value: i32) {
        self.field(id, I32);
        varint(&mut self.bytes, zigzag(i64::from(value)));
    }

    pub(super) fn i64(&mut self, id: u8, value: i64) {
        self.field(id, I64);
        varint(&mut self.bytes, zigzag(value));
    }

    pub(super) fn boolean(&mut self, id: u8, value: bool) {
        self.field(id, if value { TRUE } else { FALSE });
    }

    pub(super) fn text(&mut self, id: u8, value: &str) {
        self.field(id, BINARY);
        varint(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub(super) fn within(&mut self, id: u8, value: Self) {
        self.field(id, STRUCT);
        self.bytes.extend(value.end());
    }

    pub(super) fn structs(&mut self, id: u8, values: Vec<Self>) {
        self.list(id, STRUCT, values.len());
        for value in values {
            self.bytes.extend(value.end());
        }
    }

    pub(super) fn i32s(&mut self, id: u8, values: &[i32]) {
        self.list(id, I32, values.len());
        for value in values {
            varint(&mut self.bytes, zigzag(i64::from(*value)));
        }
    }

    pub(super) fn texts(&mut self, id: u8, values: &[&str]) {
        self.list(id, BINARY, values.len());
        for value in values {
            varint(&mut self.bytes, value.len() as u64);
            self.bytes.extend_from_slice(value.as_bytes());
        }
    }

    /// The bytes, with the stop field.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}
