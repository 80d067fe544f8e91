//! Parquet files with flat columns, as little of the format as a table of rows needs.
//!
//! Invariant: a file's bytes follow from its columns and rows, and no more than one row group is held at a time.
//!
//! Own code because the `parquet` crate is 200 KiB of gzipped wasm and this is 8: pages of version 1, values PLAIN or from a
//! dictionary, levels in bit-packed runs, no compression (github.com/apache/parquet-format: Encodings.md, parquet.thrift).
//! DuckDB reads its files in the tests.

mod column;
mod thrift;

use alloc::vec::Vec;
use column::{Buffer, Chunk};
use thiserror::Error;
use thrift::Struct;

const MAGIC: &[u8; 4] = b"PAR1";
/// Rows of a group: some megabytes.
const GROUP_ROWS: usize = 16_384;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits, signed.
    Integer,
    /// Milliseconds since 1970, UTC.
    Timestamp,
    /// True or false.
    Boolean,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether a value may be missing.
    pub optional: bool,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Missing,
    /// For [`Kind::Text`].
    Text(&'a str),
    /// For [`Kind::Integer`] and [`Kind::Timestamp`].
    Integer(i64),
    /// For [`Kind::Boolean`].
    Boolean(bool),
}

/// The row does not fit the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the row does not fit the columns")]
pub struct Misfit;

struct Group {
    chunks: Vec<Chunk>,
    rows: usize,
}

/// Writes a file.
pub struct Writer {
    columns: Vec<Column>,
    buffers: Vec<Buffer>,
    rows: usize,
    groups: Vec<Group>,
    /// Bytes that were handed out, all groups together.
    written: u64,
    out: Vec<u8>,
}

impl Writer {
    /// A file with these columns and no row.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            buffers: columns.iter().map(|column| Buffer::new(*column)).collect(),
            rows: 0,
            groups: Vec::new(),
            written: 0,
            out: MAGIC.to_vec(),
        }
    }

    /// Adds a row: one value for each column.
    ///
    /// # Errors
    /// [`Misfit`] where the number of values, a type or a missing value is wrong; the file is of no use then.
    pub fn row<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) -> Result<(), Misfit> {
        let mut values = values.into_iter();
        for buffer in &mut self.buffers {
            buffer.push(values.next().ok_or(Misfit)?)?;
        }
        if values.next().is_some() {
            return Err(Misfit);
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS {
            self.end_group();
        }
        Ok(())
    }

    /// The bytes that are finished and were not taken yet.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.written += self.out.len() as u64;
        core::mem::take(&mut self.out)
    }

    /// Bytes that [`Self::take`] would give.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.out.len()
    }

    /// The rest of the file.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.rows > 0 {
            self.end_group();
        }
        let footer = self.footer();
        self.out.extend_from_slice(&footer);
        self.out
            .extend(u32::try_from(footer.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.out.extend_from_slice(MAGIC);
        self.out
    }

    fn end_group(&mut self) {
        let mut chunks = Vec::with_capacity(self.buffers.len());
        for buffer in &mut self.buffers {
            chunks.push(buffer.write(self.written, &mut self.out));
        }
        self.groups.push(Group {
            chunks,
            rows: core::mem::take(&mut self.rows),
        });
    }

    /// `FileMetaData` of parquet.thrift.
    fn footer(&self) -> Vec<u8> {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut file = Struct::default();
        file.i32(1, 1);
        let mut schema = Vec::with_capacity(self.columns.len() + 1);
        let mut root = Struct::default();
        root.text(4, "turns");
        root.i32(5, i32::try_from(self.columns.len()).unwrap_or(i32::MAX));
        schema.push(root);
        schema.extend(self.columns.iter().map(column::schema));
        file.structs(2, schema);
        file.i64(3, whole(self.groups.iter().map(|group| group.rows).sum()));
        let groups = self.groups.iter().map(|group| {
            let mut row_group = Struct::default();
            let bytes = group.chunks.iter().map(|chunk| chunk.bytes).sum();
            let chunks = group.chunks.iter().zip(&self.columns);
            row_group.structs(
                1,
                chunks
                    .map(|(chunk, column)| chunk.described(column, group.rows))
                    .collect(),
            );
            row_group.i64(2, bytes);
            row_group.i64(3, whole(group.rows));
            row_group
        });
        file.structs(4, groups.collect());
        file.text(6, concat!("silent-infinity version ", env!("CARGO_PKG_VERSION")));
        file.end()
    }
}
