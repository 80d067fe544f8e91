//! The names that a card leaves open: `{{char}}`, `{{user}}` and their older spellings.
//!
//! Invariant: what is filled in is never read again, so a name cannot smuggle in a placeholder.

use alloc::string::String;

/// Placeholders by what they stand for. Sources: character card V1 (`<BOT>`, `<USER>`), V3 ("nickname": `<char>`, `<bot>`).
const TAGS: [(&str, bool); 5] = [
    ("{{char}}", true),
    ("{{user}}", false),
    ("<char>", true),
    ("<bot>", true),
    ("<user>", false),
];

/// `text` with the names of the character and of the person filled in; upper and lower case count as the same.
#[must_use]
pub fn replace(text: &str, char: &str, user: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '<']) {
        let (before, tagged) = rest.split_at(at);
        out.push_str(before);
        let tag = TAGS.iter().find(|(tag, _)| {
            tagged
                .get(..tag.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(tag))
        });
        rest = match tag {
            Some((tag, is_char)) => {
                out.push_str(if *is_char { char } else { user });
                tagged.get(tag.len()..).unwrap_or_default()
            }
            None => {
                let mut chars = tagged.chars();
                out.extend(chars.next());
                chars.as_str()
            }
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_once() {
        let check = |text: &str, expected: &str| assert_eq!(replace(text, "Ada", "{{char}}"), expected, "{text}");
        check("{{char}} greets {{USER}}.", "Ada greets {{char}}.");
        check("<BOT> and <user>, <Char>", "Ada and {{char}}, Ada");
        check("{{random}} <b> {{ char }} {", "{{random}} <b> {{ char }} {");
        check("{{{char}}}", "{Ada}");
        check("é<", "é<");
    }
}
