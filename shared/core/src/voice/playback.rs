//! What a person heard of an answer that they interrupted, so that the conversation remembers no more than that.
//!
//! Invariant: what was heard is a prefix of the answer, ends with a whole word, and never shrinks as more is played.

use super::port::Word;
use crate::response::to_speech;
use crate::safety::script::is_char_script;
use alloc::vec::Vec;

#[cfg(test)]
mod tests;

/// A chunk that was sent to be played.
#[derive(Debug, Clone, Copy)]
pub struct Played<'a> {
    /// Its part of the answer.
    pub source: &'a str,
    /// What is said.
    pub spoken: &'a str,
    /// Length of its audio, as far as it was sent.
    pub duration_ms: u32,
    /// When its words are said, where the provider tells; else they are guessed by their length.
    pub words: &'a [Word],
}

/// How much of an answer was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Bytes of the answer, at a word's end.
    pub bytes: usize,
    /// Whether all chunks were heard to their end.
    pub is_whole: bool,
}

/// What was heard when `played_ms` of the chunks' audio, one after the other, had been played.
#[must_use]
pub fn heard(chunks: &[Played<'_>], played_ms: u32) -> Heard {
    let (mut bytes, mut left) = (0_usize, played_ms);
    for chunk in chunks {
        if left < chunk.duration_ms {
            return Heard {
                bytes: bytes + heard_of(chunk, left),
                is_whole: false,
            };
        }
        left -= chunk.duration_ms;
        bytes += chunk.source.len();
    }
    Heard { bytes, is_whole: true }
}

/// Bytes of one chunk's source.
fn heard_of(chunk: &Played<'_>, played_ms: u32) -> usize {
    let said = if chunk.words.is_empty() {
        by_length(chunk.spoken, chunk.duration_ms, played_ms)
    } else {
        let whole = chunk.words.iter().take_while(|word| word.end_ms <= played_ms);
        whole.map(|word| letters(&word.text)).sum()
    };
    if said == 0 {
        return 0;
    }
    // The shortest part of the source, to a word's end, in which as much is said.
    word_ends(chunk.source)
        .into_iter()
        .find(|end| {
            chunk
                .source
                .get(..*end)
                .is_some_and(|source| letters(&to_speech(source)) >= said)
        })
        .unwrap_or(chunk.source.len())
}

/// Letters of the words that fit into the time, where each takes as long as its letters and the pause after it.
fn by_length(spoken: &str, duration_ms: u32, played_ms: u32) -> usize {
    let total: u64 = spoken.chars().map(weight).sum();
    let (mut start, mut time, mut said) = (0_usize, 0_u64, 0_usize);
    for end in word_ends(spoken) {
        let word = spoken.get(start..end).unwrap_or("");
        time += word.chars().map(weight).sum::<u64>();
        if time * u64::from(duration_ms) > u64::from(played_ms) * total {
            break;
        }
        said += letters(word);
        start = end;
    }
    said
}

/// How long a character takes to say, against a Latin letter: an ideograph is a syllable, a full stop a pause.
fn weight(c: char) -> u64 {
    match c {
        '.' | '!' | '?' | '…' | '。' | '！' | '？' => 6,
        ',' | ';' | ':' | '，' | '、' | '—' => 3,
        c if is_char_script(c) => 3,
        _ => 1,
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Where words end: before white space, and after each character of scripts without spaces.
fn word_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let after = at + c.len_utf8();
        let Some((_, next)) = characters.peek().copied() else {
            ends.push(after);
            break;
        };
        if c.is_whitespace() {
            continue;
        }
        let parts = next.is_whitespace() || parts_here(c, next);
        if parts {
            ends.push(after);
        }
    }
    ends
}

/// Whether a word can end between two characters of which one is of a script without spaces.
fn parts_here(c: char, next: char) -> bool {
    let is_unspaced = |c: char| is_char_script(c) && !matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}');
    // Thai and Lao vowels that are written before their consonant.
    let leads = matches!(c, '\u{e40}'..='\u{e44}' | '\u{ec0}'..='\u{ec4}');
    (is_unspaced(c) || is_unspaced(next)) && !leads && !hangs_on(next)
}

/// Marks that belong to the character before: Thai, Lao and Khmer vowels and tones, kana marks, and closing punctuation.
fn hangs_on(c: char) -> bool {
    matches!(c, '\u{e30}'..='\u{e3a}' | '\u{e45}'..='\u{e4e}' | '\u{eb0}'..='\u{ebc}' | '\u{ec6}'..='\u{ece}'
        | '\u{17b4}'..='\u{17d3}' | '\u{3099}'..='\u{309c}' | '\u{30fc}' | '。' | '，' | '、' | '！' | '？' | '」' | '』' | '）'
        | '.' | ',' | '!' | '?' | ')' | '"' | '”')
}
