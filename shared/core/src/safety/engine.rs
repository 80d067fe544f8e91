//! Phrases over a normalised message, and the session's memory of them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const PHRASES: &str = include_str!("../../safety/phrases.tsv");

/// Most characters that are read: the head and the tail of a longer message, half each.
const MAX_CHARS: usize = 16_384;

/// Severity, 0-4, mapped on the Columbia scale (C-SSRS).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Level(u8);

impl Level {
    /// A level; above 4 counts as 4.
    #[must_use]
    pub fn new(level: u8) -> Self {
        Self(level.min(4))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

/// What else was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// Somebody else is in danger.
    ThirdParty,
}

/// The person wants to leave, or wants a human.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeExit {
    /// Neither.
    #[default]
    None,
    /// Leave or hide.
    Leave,
    /// A human being.
    Human,
}

/// A rule that spoke: its id, never the person's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// `language-hash` of the phrase.
    pub rule_id: String,
    /// The rule's level.
    pub level: Level,
}

/// The gate's memory of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyState {
    /// Highest level so far.
    pub highest: Level,
}

/// The judgement of one message; by default, that nothing was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// Severity, the session's memory included.
    pub level: Level,
    /// What else was noticed.
    pub tags: Vec<Tag>,
    /// The rules that spoke.
    pub evidence: Vec<Evidence>,
    /// Leave, hide or a human.
    pub safe_exit: SafeExit,
    /// Whether the input looks like prompt injection: a flag for analysis.
    pub injection_suspected: bool,
}

/// Version of the rules: a hash over their data.
#[must_use]
pub fn rules_version() -> String {
    let hash = Sha256::digest(PHRASES.as_bytes());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Judges a message in the light of its session. Never panics; time is linear in the message for fixed rules.
#[must_use]
pub fn assess(message: &str, state: &mut SafetyState) -> Assessment {
    let text = normalise(message);
    let mut remaining = text.clone();
    let mut evidence = Vec::new();
    // Idioms first: they delete only themselves, so a real expression beside one still counts.
    for (_, _, phrase) in rules().filter(|(level, _, _)| *level == 0) {
        remaining = remaining.replace(phrase, " ");
    }
    for (level, language, phrase) in rules().filter(|(level, _, _)| *level > 0) {
        if contains(&remaining, phrase) {
            let hash = Sha256::digest(phrase.as_bytes());
            let id: String = hash.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
            evidence.push(Evidence {
                rule_id: format!("{language}-{id}"),
                level: Level::new(level),
            });
        }
    }
    let found = evidence.iter().map(|item| item.level).max().unwrap_or_default();
    // From 3 on, a session stays where it was: a person in danger who changes the subject is still in danger.
    let level = if state.highest >= Level::new(3) {
        found.max(state.highest)
    } else {
        found
    };
    state.highest = state.highest.max(found);
    Assessment {
        level,
        tags: Vec::new(),
        evidence,
        safe_exit: safe_exit(&text),
        injection_suspected: [
            "ignore previous instructions",
            "ignore all previous",
            "reveal your system prompt",
            "you are now dan",
        ]
        .iter()
        .any(|phrase| text.contains(phrase)),
    }
}

fn rules() -> impl Iterator<Item = (u8, &'static str, &'static str)> {
    PHRASES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            Some((fields.next()?.parse().ok()?, fields.next()?, fields.next()?))
        })
}

fn normalise(message: &str) -> String {
    let count = message.chars().count();
    let head = message
        .chars()
        .take(if count > MAX_CHARS { MAX_CHARS / 2 } else { count });
    let tail = message
        .chars()
        .skip(count.saturating_sub(MAX_CHARS / 2))
        .take(if count > MAX_CHARS { MAX_CHARS / 2 } else { 0 });
    let mut out = String::with_capacity(message.len().min(4 * MAX_CHARS));
    for c in head.chain(tail) {
        match c {
            '\'' | '’' | '‘' | '`' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
            c if c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace() && !is_mark(c) => {
                out.extend(c.to_lowercase())
            }
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '。' | '，' | '！' | '？' | '、' | '…' | '—' | '–' | '“' | '”' | '¡' | '¿' | '،' | '؟' | '।'
    )
}

/// Whether the phrase stands in the text at word boundaries; scripts without spaces match anywhere.
fn contains(text: &str, phrase: &str) -> bool {
    let spaced = !phrase
        .chars()
        .any(|c| matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'));
    text.match_indices(phrase).any(|(at, found)| {
        !spaced || {
            let before = text.get(..at).and_then(|head| head.chars().next_back());
            let after = text.get(at + found.len()..).and_then(|rest| rest.chars().next());
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        }
    })
}

fn safe_exit(text: &str) -> SafeExit {
    match text.trim() {
        "close this" | "hide this" | "delete this chat" | "hes back" | "shes back" | "get me out of here" => {
            SafeExit::Leave
        }
        "i want to talk to a human" | "a real person please" | "can i talk to a person" | "talk to a human" => {
            SafeExit::Human
        }
        _ => SafeExit::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn level(text: &str) -> u8 {
        assess(text, &mut SafetyState::default()).level.get()
    }

    #[test]
    fn every_phrase_is_found_in_a_sentence_at_its_level() {
        for (expected, _, phrase) in rules() {
            let text = alloc::format!("well, {phrase}.");
            if expected == 0 {
                assert_eq!(level(&text), 0, "{phrase}");
            } else {
                assert!(level(&text) >= expected, "{phrase}");
            }
        }
        assert!(rules().count() > 100);
    }

    #[test]
    fn ordinary_talk_is_left_alone() {
        for text in [
            "this queue is murder",
            "I could kill for a coffee",
            "my phone died",
            "the plants want to diet",
            "I want to die of embarrassment",
            "deadline tonight",
        ] {
            assert_eq!(level(text), 0, "{text}");
        }
    }

    #[test]
    fn an_idiom_hides_only_itself() {
        assert_eq!(level("I want to die of embarrassment. No, really, I want to die"), 2);
    }

    #[test]
    fn three_and_above_stay_for_the_session_and_two_does_not() {
        let mut state = SafetyState::default();
        assert_eq!(assess("I want to die", &mut state).level.get(), 2);
        assert_eq!(assess("what is the weather", &mut state).level.get(), 0);
        assert_eq!(assess("I'm going to kill myself", &mut state).level.get(), 3);
        assert_eq!(assess("never mind, tell me a joke", &mut state).level.get(), 3);
        assert_eq!(serde_json::to_string(&state).unwrap(), r#"{"highest":3}"#);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,400}") {
            prop_assert!(level(&text) <= 4);
        }

        #[test]
        fn case_and_zero_width_do_not_change_the_level(at in 0_usize..22, upper: bool) {
            let mut text = String::from("i want to die and sleep");
            text.insert(at, '\u{200b}');
            let text = if upper { text.to_uppercase() } else { text };
            prop_assert_eq!(level(&text), 2);
        }
    }
}
