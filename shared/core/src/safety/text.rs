//! A message as words with the symbols that rules know them by.

use super::fold::fold;
use super::script::{FNV_START, check, fnv, has_proclitics, is_char_script, is_pictograph, is_word_char};
use super::tables::{Tables, kind};
use alloc::string::String;
use alloc::vec::Vec;

/// Most words that are read; a longer message has been shortened before.
const MOST_WORDS: usize = 4_000;

/// A word, or a character of a script without spaces.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Word {
    /// Where its symbols begin.
    from: u32,
    /// Where they end.
    to: u32,
    /// Whether a clause begins here.
    pub(super) opens_clause: bool,
    /// Whether a sentence begins here.
    pub(super) opens_sentence: bool,
}

/// A word as it was written.
#[derive(Debug)]
struct Piece {
    /// Where it ends in `same` and in `plain`.
    ends: (usize, usize),
    opens_clause: bool,
    opens_sentence: bool,
    /// The character, if it is one of a run.
    run: Option<char>,
}

/// A message in words: read once, then looked up in each table.
#[derive(Debug)]
pub(super) struct Words {
    pieces: Vec<Piece>,
    /// All words in a row, as they are always read.
    same: String,
    /// All words in a row, without accents.
    plain: String,
    clause: bool,
    sentence: bool,
    /// Words before the last full stop.
    dotted: usize,
    /// Where the word that is being read begins.
    open: (usize, usize),
}

/// A message, ready to be matched with the rules of one table.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) words: Vec<Word>,
    /// Symbols with how many words each spans.
    symbols: Vec<(u16, u8)>,
}

impl Text {
    /// Symbols that begin at a word, with how many words each spans.
    pub(super) fn symbols(&self, at: usize) -> &[(u16, u8)] {
        self.words
            .get(at)
            .and_then(|word| self.symbols.get(word.from as usize..word.to as usize))
            .unwrap_or(&[])
    }

    /// Looks the words up.
    pub(super) fn new(words: &Words, tables: &Tables<'_>) -> Self {
        let mut reader = Reader {
            tables,
            out: Self {
                words: Vec::with_capacity(words.pieces.len()),
                symbols: Vec::with_capacity(2 * words.pieces.len()),
            },
        };
        let mut begins = (0, 0);
        for piece in &words.pieces {
            let from = reader.out.symbols.len();
            if piece.run.is_none() {
                let same = words.same.get(begins.0..piece.ends.0).unwrap_or("");
                let plain = words.plain.get(begins.1..piece.ends.1).unwrap_or("");
                reader.look_up(same, plain);
                reader.guess(plain, reader.out.symbols.len() == from);
            }
            begins = piece.ends;
            reader.push(from, piece);
        }
        reader.runs(words);
        reader.out
    }
}

impl Words {
    /// Reads a message.
    pub(super) fn read(text: &str) -> Self {
        let mut words = Self {
            pieces: Vec::with_capacity(text.len() / 4),
            same: String::with_capacity(text.len()),
            plain: String::with_capacity(text.len()),
            clause: true,
            sentence: true,
            dotted: 0,
            open: (0, 0),
        };
        let mut before = ' ';
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if words.pieces.len() >= MOST_WORDS {
                break;
            }
            words.character(c, before, chars.peek().copied());
            before = c;
        }
        words.end_word();
        words
    }

    fn letter(&mut self, c: char) {
        self.same.push(c);
        self.plain.push(c);
    }

    fn character(&mut self, c: char, before: char, next: Option<char>) {
        if c.is_ascii() {
            match c {
                'a'..='z' | '0'..='9' => self.letter(c),
                'A'..='Z' => self.letter(c.to_ascii_lowercase()),
                '\'' | '`' => {}
                _ => {
                    self.end_word();
                    self.punctuation(c, before, next);
                }
            }
            return;
        }
        if let Some((same, plain)) = fold(c) {
            // A half-width syllable becomes one of a run; a circled letter becomes a letter.
            match same.chars().next() {
                Some(first) if is_char_script(first) => same.chars().for_each(|c| self.run(c)),
                _ => {
                    self.same.push_str(same);
                    self.plain.push_str(plain);
                }
            }
        } else if is_char_script(c) {
            self.run(c);
        } else if is_pictograph(c) {
            self.end_word();
            self.letter(c);
            self.end_word();
        } else if is_word_char(c) {
            self.letter(c);
        } else {
            self.end_word();
            self.punctuation(c, before, next);
        }
    }

    fn punctuation(&mut self, c: char, before: char, next: Option<char>) {
        match c {
            // Three dots are a pause, and a dot inside a word is none of these.
            '.' if before == '.' || next == Some('.') => self.clause = true,
            '.' => {
                self.clause = true;
                // `I. want. this.`: one word is no sentence.
                self.sentence |= self.pieces.len() > self.dotted + 1 && next.is_none_or(char::is_whitespace);
                self.dotted = self.pieces.len();
            }
            '!' | '?' | '\n' | '。' | '！' | '？' | '؟' | '।' | '॥' => {
                self.clause = true;
                self.sentence = true;
            }
            ',' | ';' | ':' | '(' | ')' | '[' | ']' | '"' | '…' | '—' | '–' | '，' | '；' | '：' | '、' | '،' | '؛'
            | '|' | '“' | '”' | '«' | '»' | '「' | '」' | '（' | '）' => self.clause = true,
            '-' if before.is_whitespace() => self.clause = true,
            _ => {}
        }
    }

    fn push(&mut self, run: Option<char>) {
        self.open = (self.same.len(), self.plain.len());
        self.pieces.push(Piece {
            ends: self.open,
            opens_clause: self.clause,
            opens_sentence: self.sentence,
            run,
        });
        (self.clause, self.sentence) = (false, false);
    }

    fn run(&mut self, c: char) {
        self.end_word();
        self.push(Some(c));
    }

    fn end_word(&mut self) {
        if self.same.len() > self.open.0 {
            self.push(None);
        } else {
            // An invisible character alone is no word.
            self.plain.truncate(self.open.1);
        }
    }
}

struct Reader<'t, 'a> {
    tables: &'t Tables<'a>,
    out: Text,
}

impl Reader<'_, '_> {
    fn push(&mut self, from: usize, piece: &Piece) {
        let at = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        self.out.words.push(Word {
            from: at(from),
            to: at(self.out.symbols.len()),
            opens_clause: piece.opens_clause,
            opens_sentence: piece.opens_sentence,
        });
    }

    fn add(&mut self, symbol: u16) {
        self.out.symbols.push((symbol, 1));
    }

    fn look_up(&mut self, same: &str, plain: &str) {
        let bare = same == plain;
        self.beginnings(same, |length, kind, whole| match kind {
            kind::WHOLE => whole,
            kind::PREFIX | kind::INFIX => length > 0,
            kind::BARE_WHOLE => whole && bare,
            kind::BARE_PREFIX => bare,
            _ => false,
        });
        if !bare {
            // Accents where the rule has none: `súicide`.
            self.beginnings(plain, |_, kind, whole| match kind {
                kind::WHOLE => whole,
                kind::PREFIX => true,
                _ => false,
            });
        }
        if same.chars().next().is_some_and(has_proclitics) {
            for (offset, _) in same.char_indices().skip(1).take(3) {
                let rest = same.get(offset..).unwrap_or("");
                self.beginnings(rest, |_, kind, _| kind == kind::INFIX);
            }
        }
    }

    /// Adds the symbols of every rule's word that this one begins with, as far as `takes` says so.
    fn beginnings(&mut self, word: &str, takes: impl Fn(usize, u8, bool) -> bool) {
        let mut hash = FNV_START;
        for (count, (at, c)) in word.char_indices().enumerate() {
            if count >= usize::from(self.tables.longest) {
                break;
            }
            let end = at + c.len_utf8();
            hash = fnv(hash, word.as_bytes().get(at..end).unwrap_or(&[]));
            let whole = end == word.len();
            for (symbol, kind) in self
                .tables
                .found(hash, check(word.as_bytes().get(..end).unwrap_or(&[])))
            {
                if takes(count + 1, kind, whole) {
                    self.add(symbol);
                }
            }
        }
    }

    /// A word that is drawn out (`diiie`), or that no rule knows: a slip of a key word (`sucide`).
    fn guess(&mut self, word: &str, unknown: bool) {
        let (mut longest, mut length, mut last) = (1, 0, '\0');
        for c in word.chars() {
            length = if c == last { length + 1 } else { 1 };
            last = c;
            longest = longest.max(length);
        }
        if longest >= 3 {
            for keep in [2, 1] {
                let short = squeeze(word, keep);
                self.look_up(&short, &short);
            }
        } else if unknown
            && word.is_ascii()
            && (6..=14).contains(&word.len())
            && let Some(key) = self.tables.disguised.iter().find(|key| is_slip(word, key))
        {
            self.look_up(key, key);
        }
    }

    /// Symbols of runs, now that all their characters are known.
    fn runs(&mut self, words: &Words) {
        if !words.pieces.iter().any(|piece| piece.run.is_some()) {
            return;
        }
        let chars: Vec<Option<char>> = words.pieces.iter().map(|piece| piece.run).collect();
        let mut key = String::new();
        for at in 0..chars.len() {
            if chars.get(at).copied().flatten().is_none() {
                continue;
            }
            let from = self.out.symbols.len();
            let mut hash = FNV_START;
            key.clear();
            let run = chars.get(at..).unwrap_or(&[]).iter().map_while(|c| *c);
            for (count, c) in (1_u8..=self.tables.longest).zip(run) {
                let begins = key.len();
                key.push(c);
                hash = fnv(hash, key.as_bytes().get(begins..).unwrap_or(&[]));
                for (symbol, kind) in self.tables.found(hash, check(key.as_bytes())) {
                    if kind == kind::RUN {
                        self.out.symbols.push((symbol, count));
                    }
                }
            }
            let to = self.out.symbols.len();
            if let (Some(word), Ok(from), Ok(to)) = (self.out.words.get_mut(at), u32::try_from(from), u32::try_from(to))
            {
                (word.from, word.to) = (from, to);
            }
        }
    }
}

/// Shortens every row of one letter to at most `keep`, where the row is three or longer.
fn squeeze(word: &str, keep: usize) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let row = rest.chars().take_while(|other| *other == c).count();
        let kept = if row >= 3 { keep } else { row };
        out.extend(core::iter::repeat_n(c, kept));
        rest = rest.get(row * c.len_utf8()..).unwrap_or("");
    }
    out
}

/// Whether a word is one slip away from a key word of six letters or more: a letter missing, doubled, wrong, or two swapped.
/// The first letter is right.
fn is_slip(word: &str, key: &str) -> bool {
    let (a, b) = (word.as_bytes(), key.as_bytes());
    if b.len() < 6 || a.first() != b.first() || a.len().abs_diff(b.len()) > 1 || a == b {
        return false;
    }
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = |x: usize, y: usize| a.get(x..).is_some() && a.get(x..) == b.get(y..);
    match a.len().cmp(&b.len()) {
        core::cmp::Ordering::Less => tail(head, head + 1),
        core::cmp::Ordering::Greater => tail(head + 1, head),
        core::cmp::Ordering::Equal => {
            tail(head + 1, head + 1)
                || (a.get(head) == b.get(head + 1) && a.get(head + 1) == b.get(head) && tail(head + 2, head + 2))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        for (word, key, expected) in [
            ("sucide", "suicide", true),
            ("suicidde", "suicide", true),
            ("siucide", "suicide", true),
            ("suicede", "suicide", true),
            ("suicide", "suicide", false),
            ("decide", "suicide", false),
            ("sidecide", "suicide", false),
            ("mysefl", "myself", true),
        ] {
            assert_eq!(is_slip(word, key), expected, "{word}");
        }
        assert_eq!(squeeze("diiiie", 1), "die");
        assert_eq!(squeeze("killlll", 2), "kill");
        assert_eq!(squeeze("اموووت", 1), "اموت");
    }
}
