//! What a person says about themselves in plain words, to be remembered: by fixed patterns, so that each fact is a quote.
//!
//! Invariant: a fact's value is a part of the message that it comes from; nothing is inferred.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Longest value, in words.
const VALUE_WORDS: usize = 6;
/// Longest value, in characters.
const VALUE_CHARS: usize = 60;
/// Facts of one message at most.
const PER_MESSAGE: usize = 8;

/// One thing that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about: `name`, `home`, `favourite colour` … A newer fact of a kind replaces the older one.
    pub kind: String,
    /// What was said.
    pub value: String,
}

/// Kind, words before the value, and the most words that the value may have.
const PATTERNS: &[(&str, &str, usize)] = &[
    ("name", "my name is", 3),
    ("name", "my name's", 3),
    ("name", "i am called", 3),
    ("name", "i'm called", 3),
    ("name", "please call me", 3),
    ("name", "you can call me", 3),
    ("name", "ich heiße", 3),
    ("name", "mein name ist", 3),
    ("name", "me llamo", 3),
    ("name", "mi nombre es", 3),
    ("name", "je m'appelle", 3),
    ("home", "i live in", 5),
    ("home", "i moved to", 5),
    ("home", "ich wohne in", 5),
    ("home", "vivo en", 5),
    ("home", "j'habite à", 5),
    ("origin", "i am from", 4),
    ("origin", "i'm from", 4),
    ("origin", "i come from", 4),
    ("origin", "ich komme aus", 4),
    ("work", "i work as a", 5),
    ("work", "i work as an", 5),
    ("work", "i work as", 5),
    ("work", "i work at", 5),
    ("work", "ich arbeite als", 5),
    ("birthday", "my birthday is", 5),
    ("birthday", "mein geburtstag ist", 5),
];
/// `my favourite X is Y`.
const FAVOURITES: [&str; 2] = ["my favourite", "my favorite"];
/// Words that end a value.
const ENDS: [&str; 14] = [
    "and", "but", "because", "so", "or", "which", "who", "where", "und", "aber", "weil", "y", "pero", "et",
];
/// Words that a value does not begin with: a question, a denial, or somebody else's words.
const NOT_A_VALUE: [&str; 12] = [
    "not", "what", "who", "where", "a", "the", "nicht", "no", "none", "unknown", "your", "is",
];

/// A word, where it begins and ends in the message, and whether a clause ends behind it.
struct Word {
    text: String,
    raw: Raw,
    is_last: bool,
}

#[derive(Clone, Copy)]
struct Raw {
    from: usize,
    to: usize,
}

fn words(message: &str) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut at = 0;
    for piece in message.split_inclusive(char::is_whitespace) {
        let start = at;
        at += piece.len();
        let core = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if core.is_empty() {
            if piece.contains(['\n', '.', ',', ';', '!', '?', '-', '–', '—', '(', ')'])
                && let Some(last) = out.last_mut()
            {
                last.is_last = true;
            }
            continue;
        }
        let from = start + piece.find(core).unwrap_or(0);
        let to = from + core.len();
        let behind = message.get(to..at).unwrap_or_default();
        // A bracket or quotation mark before a word ends the clause before it.
        if message.get(start..from).is_some_and(|before| !before.is_empty())
            && let Some(last) = out.last_mut()
        {
            last.is_last = true;
        }
        out.push(Word {
            text: core.to_lowercase().replace('’', "'"),
            raw: Raw { from, to },
            is_last: behind.chars().any(|c| !c.is_whitespace()) || behind.contains('\n'),
        });
    }
    out
}

/// The words of a phrase at the head of `words`; what follows them.
fn after<'a>(words: &'a [Word], phrase: &str) -> Option<&'a [Word]> {
    let mut rest = words;
    for (position, wanted) in phrase.split(' ').enumerate() {
        let (first, others) = rest.split_first()?;
        // A phrase does not reach over the end of a clause.
        let crosses = position + 1 < phrase.split(' ').count() && first.is_last;
        if first.text != wanted || crosses {
            return None;
        }
        rest = others;
        if first.is_last {
            return None;
        }
    }
    Some(rest)
}

/// The value at the head of `words`, as it stands in the message.
fn value(message: &str, words: &[Word], limit: usize) -> Option<String> {
    let first = words.first()?;
    if NOT_A_VALUE.contains(&first.text.as_str()) {
        return None;
    }
    let mut end = first.raw.to;
    let mut is_question = false;
    for word in words.iter().take(limit.min(VALUE_WORDS)) {
        if ENDS.contains(&word.text.as_str()) {
            break;
        }
        end = word.raw.to;
        if word.is_last {
            is_question = message.get(word.raw.to..).is_some_and(|rest| rest.starts_with('?'));
            break;
        }
    }
    let value = message.get(first.raw.from..end)?;
    let fits = value.chars().count() <= VALUE_CHARS && !value.contains(char::is_control);
    (fits && !is_question).then(|| value.to_string())
}

/// Everything that a message says plainly about the person; one fact of a kind, the last one said.
#[must_use]
pub fn extract(message: &str) -> Vec<Fact> {
    let words = words(message);
    let mut facts: Vec<Fact> = Vec::new();
    let mut put = |kind: String, value: String| {
        facts.retain(|fact| fact.kind != kind);
        if facts.len() < PER_MESSAGE {
            facts.push(Fact { kind, value });
        }
    };
    for at in 0..words.len() {
        let rest = words.get(at..).unwrap_or(&[]);
        // The longest phrase that fits says where the value begins.
        let best = PATTERNS
            .iter()
            .filter_map(|(kind, phrase, limit)| Some((kind, phrase.len(), after(rest, phrase)?, *limit)))
            .max_by_key(|(_, length, _, _)| *length);
        if let Some((kind, _, tail, limit)) = best
            && let Some(value) = value(message, tail, limit)
        {
            put((*kind).to_string(), value);
        }
        for phrase in FAVOURITES {
            let Some(tail) = after(rest, phrase) else { continue };
            let is = tail.iter().take(3).position(|word| word.text == "is");
            let Some(is) = is.filter(|is| *is > 0) else { continue };
            let (thing, said) = tail.split_at(is);
            if thing.iter().any(|word| word.is_last) {
                continue;
            }
            let thing = thing
                .iter()
                .map(|word| word.text.as_str())
                .collect::<Vec<_>>()
                .join(" ");
            if let Some(value) = said.split_first().and_then(|(_, said)| value(message, said, 4)) {
                put(format!("favourite {thing}"), value);
            }
        }
    }
    facts
}
