//! Markdown as a voice reads it, and as a title shows it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

const TITLE_CHARS: usize = 60;

/// Plain text for a voice: no markup, links by their words, code left out, a pause after each list item.
#[must_use]
pub fn to_speech(markdown: &str) -> String {
    SpeechText::default().push(markdown)
}

/// Reads an answer out piece by piece, and remembers whether a block of code goes on.
#[derive(Debug, Clone, Default)]
pub struct SpeechText {
    in_code: bool,
}

impl SpeechText {
    /// What a voice says for the next piece. A fence that opens or ends code must be a line of its own within a piece.
    pub fn push(&mut self, markdown: &str) -> String {
        let mut out = String::new();
        for line in markdown.lines() {
            let line = line.trim();
            if line.starts_with("```") || line.starts_with("~~~") {
                self.in_code = !self.in_code;
                continue;
            }
            if self.in_code || line.is_empty() || is_rule(line) {
                continue;
            }
            let row = table_row(line);
            let (item, text) = match &row {
                Some(row) => (true, row.as_str()),
                None => block_text(line),
            };
            let text = inline_text(text);
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(text);
            // A voice runs list items and headings together unless something ends them.
            if item && !text.ends_with(['.', '!', '?', ':', ';', ',', '…', '。', '！', '？']) {
                out.push('.');
            }
        }
        out
    }
}

/// A short plain title: the first sentence, at most 60 characters, cut at a word.
#[must_use]
pub fn to_title(markdown: &str) -> String {
    let plain = to_speech(markdown);
    let sentence = plain
        .split_inclusive(['.', '!', '?', '。', '！', '？'])
        .next()
        .unwrap_or("")
        .trim();
    if sentence.chars().count() <= TITLE_CHARS {
        return sentence.trim_end_matches('.').to_string();
    }
    let cut: String = sentence.chars().take(TITLE_CHARS - 1).collect();
    let at_word = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    let mut title = at_word.trim_end_matches([',', ';', ':', ' ']).to_string();
    title.push('…');
    title
}

/// The cells of a table's row, with pauses between; empty for the line that parts the head.
fn table_row(line: &str) -> Option<String> {
    let cells = line.strip_prefix('|')?;
    let cells = cells.strip_suffix('|').unwrap_or(cells);
    if cells.chars().all(|c| matches!(c, '-' | ':' | '|' | ' ')) {
        return Some(String::new());
    }
    let spoken: Vec<&str> = cells
        .split('|')
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect();
    Some(spoken.join(", "))
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && ["-", "*", "_", "="]
            .iter()
            .any(|mark| line.chars().all(|c| mark.starts_with(c)))
}

/// Strips what marks a line as heading, quote or list item; says whether it needs an end of its own.
fn block_text(line: &str) -> (bool, &str) {
    let unquoted = line.trim_start_matches(['>', ' ']);
    let heading = unquoted.trim_start_matches('#');
    if heading.len() < unquoted.len() && heading.starts_with(' ') {
        return (true, heading);
    }
    if let Some(rest) = ["- ", "* ", "+ "].iter().find_map(|mark| unquoted.strip_prefix(mark)) {
        return (true, rest);
    }
    let digits = unquoted.trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() < unquoted.len()
        && let Some(rest) = digits.strip_prefix(". ")
    {
        return (true, rest);
    }
    (false, unquoted)
}

fn inline_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or("");
        rest = match c {
            '[' => match link(after) {
                Some((label, after)) => {
                    out.push_str(&inline_text(label));
                    after
                }
                None => after,
            },
            '!' if after.starts_with('[') => match link(after.get(1..).unwrap_or("")) {
                Some((_, after)) => after,
                None => after,
            },
            // `snake_case` and `2*3` keep their marks; emphasis stands at a word's edge.
            '*' | '_' if inside_word(&out, after) => {
                out.push(c);
                after
            }
            '*' | '_' | '`' | '~' => after,
            '\\' => match after.chars().next().filter(char::is_ascii_punctuation) {
                Some(escaped) => {
                    out.push(escaped);
                    after.get(1..).unwrap_or("")
                }
                None => after,
            },
            c if is_pictograph(c) => after,
            'h' if !ends_in_word(&out)
                && let Some((host, after)) = bare_link(rest) =>
            {
                out.push_str(host);
                after
            }
            c => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// A link without words: its host is said, the rest would be spelt.
fn bare_link(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, ')' | '>' | '"'))
        .unwrap_or(rest.len());
    let (link, after) = rest.split_at_checked(end)?;
    let trimmed = link.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    let host = trimmed.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.strip_prefix("www.").unwrap_or(host);
    let after = rest.get(rest.len() - after.len() - (link.len() - trimmed.len())..)?;
    (!host.is_empty()).then_some((host, after))
}

fn ends_in_word(text: &str) -> bool {
    text.chars().last().is_some_and(char::is_alphanumeric)
}

fn inside_word(before: &str, after: &str) -> bool {
    ends_in_word(before) && after.chars().next().is_some_and(char::is_alphanumeric)
}

fn link(after_bracket: &str) -> Option<(&str, &str)> {
    let (label, rest) = after_bracket.split_once("](")?;
    let (_, rest) = rest.split_once(')')?;
    Some((label, rest))
}

/// Emoji and dingbats: a voice would spell them out.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}' | '\u{fe0f}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn speech() {
        for (markdown, spoken) in [
            ("**Bold** and _soft_ and `code`", "Bold and soft and code"),
            ("# Head\n\ntext", "Head. text"),
            ("- one\n- two!\n1. three", "one. two! three."),
            ("see [the page](https://x.y/z) now", "see the page now"),
            ("![picture](a.png)before\n```\nlet x;\n```\nafter", "before after"),
            ("snake_case, 2*3 and 3.5 %", "snake_case, 2*3 and 3.5 %"),
            ("> quoted\n\n---\n", "quoted"),
            ("well 🌙 done ✨", "well  done"),
            (r"1\. not a list", "1. not a list"),
            ("| Day | Sleep |\n|---|:-:|\n| Mon | 7 h |", "Day, Sleep. Mon, 7 h."),
            ("See https://www.who.int/health?x=1, or ask.", "See who.int, or ask."),
            ("(http://a.b/c)", "(a.b)"),
            ("<https://a.b>", "<a.b>"),
            ("http://", "http://"),
        ] {
            assert_eq!(to_speech(markdown), spoken, "{markdown}");
        }
    }

    #[test]
    fn code_goes_on_from_piece_to_piece() {
        let mut speech = SpeechText::default();
        let spoken =
            ["Before.\n", "```rust\n", "let x = 1. ", "let y;\n", "```\n", "After."].map(|piece| speech.push(piece));
        assert_eq!(spoken, ["Before.", "", "", "", "", "After."]);
    }

    #[test]
    fn titles() {
        assert_eq!(to_title("I can't sleep. It is late."), "I can't sleep");
        assert_eq!(to_title(""), "");
        let long = to_title(&"wonderful ".repeat(20));
        assert!(long.chars().count() <= 60 && long.ends_with("l…"), "{long}");
    }

    proptest! {
        #[test]
        fn never_panics_and_titles_are_short(text in "\\PC{0,300}") {
            let _ = to_speech(&text);
            prop_assert!(to_title(&text).chars().count() <= 60);
        }
    }
}
