//! One column of a row group: collected as values, written as a dictionary page where that is shorter, and a data page.

use super::thrift::{Struct, varint};
use super::{Column, Kind, Misfit, Value};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

// Numbers of parquet.thrift.
const BOOLEAN: i32 = 0;
const INT64: i32 = 2;
const BYTE_ARRAY: i32 = 6;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const RLE_DICTIONARY: i32 = 8;
const DATA_PAGE: i32 = 0;
const DICTIONARY_PAGE: i32 = 2;
const UTF8: i32 = 0;
const TIMESTAMP_MILLIS: i32 = 9;
const UNCOMPRESSED: i32 = 0;

/// More different texts than this are written as they are.
const DICTIONARY: usize = 4_096;

/// Where a column's pages are.
pub(super) struct Chunk {
    dictionary_at: Option<u64>,
    data_at: u64,
    /// Of all pages.
    pub(super) bytes: i64,
}

/// A column's values of the row group at hand.
pub(super) struct Buffer {
    column: Column,
    rows: usize,
    /// One for each row of an optional column.
    present: Vec<bool>,
    values: Values,
}

enum Values {
    Integers(Vec<i64>),
    Booleans(Vec<bool>),
    /// Numbers of texts, and the texts in the order in which they came.
    Words(BTreeMap<String, u32>, Vec<u32>),
    /// Texts one after the other, PLAIN.
    Texts(Vec<u8>),
}

impl Values {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Words(BTreeMap::new(), Vec::new()),
            Kind::Integer | Kind::Timestamp => Self::Integers(Vec::new()),
            Kind::Boolean => Self::Booleans(Vec::new()),
        }
    }
}

fn plain_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

impl Buffer {
    pub(super) fn new(column: Column) -> Self {
        Self {
            column,
            rows: 0,
            present: Vec::new(),
            values: Values::of(column.kind),
        }
    }

    pub(super) fn push(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        self.rows += 1;
        if self.column.optional {
            self.present.push(value != Value::Missing);
        }
        match (&mut self.values, value) {
            (_, Value::Missing) if self.column.optional => {}
            (Values::Integers(integers), Value::Integer(value)) => integers.push(value),
            (Values::Booleans(booleans), Value::Boolean(value)) => booleans.push(value),
            (Values::Texts(bytes), Value::Text(text)) => plain_text(bytes, text),
            (Values::Words(numbers, words), Value::Text(text)) => match numbers.get(text) {
                Some(number) => words.push(*number),
                None if numbers.len() < DICTIONARY => {
                    let number = u32::try_from(numbers.len()).map_err(|_| Misfit)?;
                    numbers.insert(text.into(), number);
                    words.push(number);
                }
                None => self.unfold(text),
            },
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// Gives the dictionary up: there are too many different texts.
    fn unfold(&mut self, text: &str) {
        let mut bytes = Vec::new();
        if let Values::Words(numbers, words) = &self.values {
            let known = in_order(numbers);
            for word in words {
                plain_text(&mut bytes, known.get(*word as usize).copied().unwrap_or_default());
            }
        }
        plain_text(&mut bytes, text);
        self.values = Values::Texts(bytes);
    }

    /// Writes the pages behind `out`, whose first byte is the file's byte number `before`, and begins anew.
    pub(super) fn write(&mut self, before: u64, out: &mut Vec<u8>) -> Chunk {
        let values = core::mem::replace(&mut self.values, Values::of(self.column.kind));
        let present = core::mem::take(&mut self.present);
        let start = out.len();
        let mut dictionary_at = None;
        let mut page = Vec::new();
        if self.column.optional {
            let levels = bit_packed(present.iter().map(|is_present| u32::from(*is_present)), 1);
            page.extend(u32::try_from(levels.len()).unwrap_or(u32::MAX).to_le_bytes());
            page.extend(levels);
        }
        let mut encoding = PLAIN;
        match values {
            Values::Integers(integers) => integers.iter().for_each(|value| page.extend(value.to_le_bytes())),
            Values::Booleans(booleans) => page.extend(packed(booleans.iter().map(|value| u32::from(*value)), 1)),
            Values::Texts(bytes) => page.extend(bytes),
            Values::Words(_, words) if words.is_empty() => {}
            Values::Words(numbers, words) => {
                let mut dictionary = Vec::new();
                for text in in_order(&numbers) {
                    plain_text(&mut dictionary, text);
                }
                dictionary_at = Some(before + out.len() as u64);
                out.extend(header(DICTIONARY_PAGE, dictionary.len(), numbers.len(), PLAIN));
                out.extend(dictionary);
                let largest = u32::try_from(numbers.len().saturating_sub(1)).unwrap_or(u32::MAX);
                let bits = (u32::BITS - largest.leading_zeros()).max(1);
                page.push(bits as u8);
                page.extend(bit_packed(words.iter().copied(), bits));
                encoding = RLE_DICTIONARY;
            }
        }
        let rows = core::mem::take(&mut self.rows);
        let data_at = before + out.len() as u64;
        out.extend(header(DATA_PAGE, page.len(), rows, encoding));
        out.extend(page);
        Chunk {
            dictionary_at,
            data_at,
            bytes: i64::try_from(out.len() - start).unwrap_or(i64::MAX),
        }
    }
}

fn in_order(numbers: &BTreeMap<String, u32>) -> Vec<&str> {
    let mut texts: Vec<(u32, &str)> = numbers.iter().map(|(text, number)| (*number, text.as_str())).collect();
    texts.sort_unstable();
    texts.into_iter().map(|(_, text)| text).collect()
}

/// `PageHeader` of parquet.thrift.
fn header(kind: i32, bytes: usize, values: usize, encoding: i32) -> Vec<u8> {
    let whole = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let mut page = Struct::default();
    page.i32(1, kind);
    page.i32(2, whole(bytes));
    page.i32(3, whole(bytes));
    let mut of_kind = Struct::default();
    of_kind.i32(1, whole(values));
    of_kind.i32(2, encoding);
    if kind == DATA_PAGE {
        of_kind.i32(3, RLE);
        of_kind.i32(4, RLE);
        page.within(5, of_kind);
    } else {
        page.within(7, of_kind);
    }
    page.end()
}

/// One bit-packed run of the hybrid encoding: its header is the number of groups of eight, and a 1.
fn bit_packed(values: impl ExactSizeIterator<Item = u32>, bits: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let groups = values.len().div_ceil(8);
    varint(&mut out, (groups as u64) << 1 | 1);
    let mut packed = packed(values, bits);
    packed.resize(groups * bits as usize, 0);
    out.extend(packed);
    out
}

/// From the least significant bit of each byte on.
fn packed(values: impl Iterator<Item = u32>, bits: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut held, mut width) = (0_u64, 0);
    for value in values {
        held |= u64::from(value) << width;
        width += bits;
        while width >= 8 {
            out.push(held as u8);
            held >>= 8;
            width -= 8;
        }
    }
    if width > 0 {
        out.push(held as u8);
    }
    out
}

fn physical(kind: Kind) -> i32 {
    match kind {
        Kind::Text => BYTE_ARRAY,
        Kind::Integer | Kind::Timestamp => INT64,
        Kind::Boolean => BOOLEAN,
    }
}

/// `SchemaElement` of parquet.thrift.
pub(super) fn schema(column: &Column) -> Struct {
    let mut element = Struct::default();
    element.i32(1, physical(column.kind));
    element.i32(3, i32::from(column.optional));
    element.text(4, column.name);
    match column.kind {
        Kind::Text => {
            element.i32(6, UTF8);
            let mut string = Struct::default();
            string.within(1, Struct::default());
            element.within(10, string);
        }
        Kind::Timestamp => {
            element.i32(6, TIMESTAMP_MILLIS);
            // TimestampType: adjusted to UTC, in milliseconds.
            let (mut unit, mut timestamp, mut logical) = (Struct::default(), Struct::default(), Struct::default());
            unit.within(1, Struct::default());
            timestamp.boolean(1, true);
            timestamp.within(2, unit);
            logical.within(8, timestamp);
            element.within(10, logical);
        }
        Kind::Integer | Kind::Boolean => {}
    }
    element
}

impl Chunk {
    /// `ColumnChunk` of parquet.thrift.
    pub(super) fn described(&self, column: &Column, rows: usize) -> Struct {
        let place = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let mut data = Struct::default();
        data.i32(1, physical(column.kind));
        data.i32s(
            2,
            if self.dictionary_at.is_some() {
                &[PLAIN, RLE, RLE_DICTIONARY]
            } else {
                &[PLAIN, RLE]
            },
        );
        data.texts(3, &[column.name]);
        data.i32(4, UNCOMPRESSED);
        data.i64(5, i64::try_from(rows).unwrap_or(i64::MAX));
        data.i64(6, self.bytes);
        data.i64(7, self.bytes);
        data.i64(9, place(self.data_at));
        if let Some(at) = self.dictionary_at {
            data.i64(11, place(at));
        }
        let mut chunk = Struct::default();
        chunk.i64(2, place(self.dictionary_at.unwrap_or(self.data_at)));
        chunk.within(3, data);
        chunk
    }
}
