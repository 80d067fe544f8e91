//! Cuts a stream of text into sentences, so that each can be checked before it is seen.
//!
//! Invariant: the outputs, joined, are the input byte for byte, however the input was split.

use alloc::string::String;
use alloc::vec::Vec;

/// Longest wait for an end, in bytes: text without punctuation still streams.
const MAX_BYTES: usize = 320;

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "st", "e.g", "i.e", "etc", "vs", "approx", "z.b", "d.h", "p.ej", "ca", "nr",
];

/// Text that waits for the end of its sentence.
#[derive(Debug, Default)]
pub struct SentenceBuffer {
    text: String,
}

impl SentenceBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more text and gives the sentences that are whole now, each with the white space after it.
    pub fn push(&mut self, more: &str) -> Vec<String> {
        self.text.push_str(more);
        let mut out = Vec::new();
        while let Some(end) = boundary(&self.text) {
            let rest = self.text.split_off(end);
            out.push(core::mem::replace(&mut self.text, rest));
        }
        out
    }

    /// What is left at the end of the stream.
    pub fn finish(&mut self) -> Option<String> {
        let rest = core::mem::take(&mut self.text);
        (!rest.is_empty()).then_some(rest)
    }
}

/// Where the first sentence ends with the white space after it, if that is certain whatever comes next.
fn boundary(text: &str) -> Option<usize> {
    certain_end(text, sentence_end(text)?)
}

/// Where the first sentence ends, without the white space after it: known as soon as the first of that is there.
pub(crate) fn sentence_end(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let after = at + c.len_utf8();
        if after > MAX_BYTES && c.is_whitespace() || after > 2 * MAX_BYTES {
            return Some(after);
        }
        match c {
            '\n' | '。' | '！' | '？' | '।' | '؟' => return Some(after),
            '.' | '!' | '?' | '…' => {
                // A closing quote or bracket, or more punctuation, belongs to the sentence.
                let mut end = after;
                while let Some((next_at, next)) = characters.peek().copied() {
                    if !matches!(
                        next,
                        '.' | '!' | '?' | '…' | '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '*' | '_'
                    ) {
                        break;
                    }
                    end = next_at + next.len_utf8();
                    characters.next();
                }
                let followed = characters.peek().is_some_and(|(_, next)| next.is_whitespace());
                if followed && !(c == '.' && abbreviated(text, at)) {
                    return Some(end);
                }
            }
            _ => {}
        }
    }
    None
}

/// The end with its white space, once something that is not white space shows that it is complete.
fn certain_end(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let space = rest.len() - rest.trim_start().len();
    (space < rest.len()).then_some(end + space)
}

/// Whether the full stop at `at` follows an abbreviation, a single letter or a list number.
fn abbreviated(text: &str, at: usize) -> bool {
    let word = text
        .get(..at)
        .and_then(|before| {
            before
                .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '"' | '*'))
                .next()
        })
        .unwrap_or("");
    let lower = word.to_lowercase();
    let letter = word.chars().count() == 1 && word.chars().all(|c| c.is_uppercase() && c != 'I');
    let number = !word.is_empty() && word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    letter || number || ABBREVIATIONS.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        let mut buffer = SentenceBuffer::new();
        let mut got = buffer.push(text);
        got.extend(buffer.finish());
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn sentences() {
        check("One. Two! Three?", &["One. ", "Two! ", "Three?"]);
        check(
            "Dr. Ada said 3.14 is e.g. fine. Yes.",
            &["Dr. Ada said 3.14 is e.g. fine. ", "Yes."],
        );
        check(
            "So am I. Really?!\" he said. Ok",
            &["So am I. ", "Really?!\" ", "he said. ", "Ok"],
        );
        check("安全。好吗？", &["安全。", "好吗？"]);
        check("- one\n- two\n\n1. three", &["- one\n", "- two\n\n", "1. three"]);
        check("Wait… what?", &["Wait… ", "what?"]);
    }

    #[test]
    fn text_without_an_end_still_comes_out() {
        let mut buffer = SentenceBuffer::new();
        let words = "word ".repeat(100);
        assert!(!buffer.push(&words).is_empty());
        assert!(!SentenceBuffer::new().push(&"x".repeat(1_000)).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_splits_do_not_matter(text in "([a-zé。.!? \n\"]|Dr\\. ){0,900}", cuts in proptest::collection::vec(0_usize..900, 0..20)) {
            let mut whole = SentenceBuffer::new();
            let mut expected = whole.push(&text);
            expected.extend(whole.finish());
            prop_assert_eq!(expected.concat(), text.clone());

            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= text.len() && text.is_char_boundary(*at)).collect();
            cuts.extend(vec![0, text.len()]);
            cuts.sort_unstable();
            let mut pieces = SentenceBuffer::new();
            let mut got: Vec<String> = cuts.windows(2).flat_map(|pair| pieces.push(text.get(pair[0]..pair[1]).unwrap())).collect();
            got.extend(pieces.finish());
            prop_assert_eq!(got, expected);
        }
    }
}
