//! Cuts an answer that is still being written into pieces to be spoken: the first early, none in the middle of a sentence.
//!
//! Invariants: the sources, joined, are the answer as far as it is spoken; any split of the text gives the same chunks; no
//! chunk is longer than the limit.

use crate::response::{SpeechText, sentence_end};
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(test)]
mod tests;

/// Sizes of chunks, in characters as they are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkerConfig {
    /// Shorter sentences wait for the next: a voice has no intonation for a single word.
    pub min_chars: usize,
    /// The first chunk may end at a comma from this length on, so that the voice begins sooner.
    pub first_clause_chars: usize,
    /// The provider's limit for one request.
    pub max_chars: usize,
}

impl Default for ChunkerConfig {
    fn default() -> Self {
        Self {
            min_chars: 10,
            first_clause_chars: 40,
            max_chars: 4_096,
        }
    }
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechChunk {
    /// From 0.
    pub index: u32,
    /// The part of the answer, as it was written.
    pub source: String,
    /// What is said: without markup.
    pub spoken: String,
}

/// Text that waits to be spoken.
#[derive(Debug, Clone)]
pub struct Chunker {
    config: ChunkerConfig,
    speech: SpeechText,
    text: String,
    source: String,
    spoken: String,
    next: u32,
}

impl Chunker {
    /// An empty one.
    #[must_use]
    pub fn new(config: ChunkerConfig) -> Self {
        Self {
            config,
            speech: SpeechText::default(),
            text: String::new(),
            source: String::new(),
            spoken: String::new(),
            next: 0,
        }
    }

    /// Takes more of the answer and gives the chunks that can be spoken now.
    pub fn push(&mut self, more: &str) -> Vec<SpeechChunk> {
        self.text.push_str(more);
        let mut out = Vec::new();
        loop {
            let sentence = sentence_end(&self.text);
            let within = sentence.and_then(|end| self.text.get(..end)).unwrap_or(&self.text);
            let is_first = self.next == 0 && self.spoken.is_empty();
            let clause = is_first
                .then(|| clause_end(within, self.config.first_clause_chars))
                .flatten();
            let Some(end) = clause.or(sentence) else {
                return out;
            };
            let rest = self.text.split_off(end);
            let piece = core::mem::replace(&mut self.text, rest);
            self.add(&piece, &mut out);
        }
    }

    /// The rest, at the end of the answer.
    pub fn finish(&mut self) -> Vec<SpeechChunk> {
        let mut out = Vec::new();
        let piece = core::mem::take(&mut self.text);
        self.add(&piece, &mut out);
        self.emit(&mut out);
        out
    }

    fn add(&mut self, piece: &str, out: &mut Vec<SpeechChunk>) {
        // Speaking adds at most a full stop to a line.
        for part in split_long(piece, self.config.max_chars.saturating_sub(2).max(1)) {
            let spoken = self.speech.push(part);
            let together = self.spoken.chars().count() + spoken.chars().count() + 1;
            if together > self.config.max_chars {
                self.emit(out);
                // Punctuation that is left has no place any more.
                self.spoken.clear();
            }
            let is_apart = self.source.ends_with(char::is_whitespace) || part.starts_with(char::is_whitespace);
            if is_apart && !self.spoken.is_empty() && !spoken.is_empty() {
                self.spoken.push(' ');
            }
            self.source.push_str(part);
            self.spoken.push_str(&spoken);
            if self.spoken.chars().count() >= self.config.min_chars {
                self.emit(out);
            }
        }
    }

    fn emit(&mut self, out: &mut Vec<SpeechChunk>) {
        // Punctuation alone says nothing, and some vendors answer it with an error.
        if !self.spoken.chars().any(char::is_alphanumeric) {
            return;
        }
        out.push(SpeechChunk {
            index: self.next,
            source: core::mem::take(&mut self.source),
            spoken: core::mem::take(&mut self.spoken),
        });
        self.next += 1;
    }
}

/// Where the first clause of at least `min_chars` ends, if it ends within the text.
fn clause_end(text: &str, min_chars: usize) -> Option<usize> {
    let mut characters = text.char_indices().enumerate().peekable();
    while let Some((count, (at, c))) = characters.next() {
        let is_far = count + 1 >= min_chars;
        let is_followed = characters.peek().is_some_and(|(_, (_, next))| next.is_whitespace());
        let ends = match c {
            ',' | ';' | ':' | '،' | '؛' | '—' | '–' => is_followed,
            '，' | '、' | '；' | '：' => true,
            _ => false,
        };
        if is_far && ends {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// Pieces of at most `max_chars` characters, cut after white space where there is some.
fn split_long(text: &str, max_chars: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((limit, _)) = rest.char_indices().nth(max_chars) {
        let head = rest.get(..limit).unwrap_or(rest);
        let cut = head
            .char_indices()
            .rfind(|(at, c)| c.is_whitespace() && *at > 0)
            .map_or(limit, |(at, c)| at + c.len_utf8());
        let (part, after) = rest.split_at(cut);
        out.push(part);
        rest = after;
    }
    out.push(rest);
    out
}
