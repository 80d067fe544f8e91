//! Bodies that are read whole: JSON answers and errors.

use super::{Decode, Events};
use alloc::boxed::Box;
use alloc::vec::Vec;
use silent_core::voice::port::SpeechError;

/// Longest JSON answer: an hour of words is about a megabyte.
const MAX_JSON: usize = 8 << 20;
/// Longest error that is looked at.
const MAX_ERROR: usize = 64 << 10;

type Reader<E> = Box<dyn Fn(&[u8]) -> Events<E>>;

/// Collects a body and reads it at its end.
pub(super) struct Whole<E> {
    bytes: Vec<u8>,
    limit: usize,
    is_over: bool,
    read: Reader<E>,
}

impl<E: 'static> Whole<E> {
    pub(super) fn json(read: impl Fn(&[u8]) -> Events<E> + 'static) -> Box<dyn Decode<E>> {
        Box::new(Self {
            bytes: Vec::new(),
            limit: MAX_JSON,
            is_over: false,
            read: Box::new(read),
        })
    }

    /// An error's body is cut where it is long, and never passed on.
    pub(super) fn error(read: impl Fn(&serde_json::Value) -> SpeechError + 'static) -> Box<dyn Decode<E>> {
        Box::new(Self {
            bytes: Vec::new(),
            limit: MAX_ERROR,
            is_over: false,
            read: Box::new(move |bytes| alloc::vec![Err(read(&serde_json::from_slice(bytes).unwrap_or_default()))]),
        })
    }
}

impl<E> Decode<E> for Whole<E> {
    fn push(&mut self, bytes: &[u8]) -> Events<E> {
        let room = self.limit.saturating_sub(self.bytes.len());
        self.is_over |= bytes.len() > room;
        self.bytes
            .extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        Vec::new()
    }

    fn finish(&mut self) -> Events<E> {
        if self.is_over && self.limit == MAX_JSON {
            return alloc::vec![Err(SpeechError::Protocol("answer is too long"))];
        }
        (self.read)(&self.bytes)
    }
}
