//! The embedded listener: a small, deterministic way to hold a conversation with no key and no network.
//!
//! It reflects one thing that was said and asks one open question. It is no model and the page says so.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use silent_core::conversation::{Message, Role};

/// The provider's name in events.
pub const NAME: &str = "offline";
/// The model's name in events.
pub const MODEL: &str = "offline-reflective-1";

/// What a person feels, by a word that shows it (English).
const FEELINGS: &[(&[&str], &str)] = &[
    (
        &["anxious", "worried", "worry", "nervous", "afraid", "scared", "panic"],
        "worry",
    ),
    (&["sad", "down", "cry", "crying", "grief", "miss", "lost"], "sadness"),
    (&["angry", "furious", "annoyed", "unfair", "hate"], "anger"),
    (&["tired", "exhausted", "sleep", "drained", "burnt"], "tiredness"),
    (&["alone", "lonely", "nobody", "ignored"], "loneliness"),
    (&["stressed", "overwhelmed", "much", "deadline", "pressure"], "pressure"),
    (
        &["happy", "proud", "glad", "good", "grateful", "calm"],
        "something good",
    ),
];

const OPENINGS: &[&str] = &[
    "I hear you.",
    "Thank you for telling me that.",
    "Let's stay with this for a moment.",
    "That is worth taking seriously.",
];

const QUESTIONS: &[&str] = &[
    "What part of it weighs the most right now?",
    "When did you first notice it?",
    "What would feel a little lighter today?",
    "Who else knows about this?",
    "What do you wish somebody would say to you?",
    "What has helped before, even a little?",
];

/// The reply to a conversation, the same one for the same conversation.
#[must_use]
pub fn reply(messages: &[Message]) -> String {
    let said = messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User)
        .map_or("", |message| message.text.as_str());
    let turns = messages.iter().filter(|message| message.role == Role::User).count();
    let words: Vec<String> = said
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let feeling = FEELINGS
        .iter()
        .find(|(marks, _)| words.iter().any(|word| marks.contains(&word.as_str())));
    // A checksum of the words varies the wording; a conversation that repeats itself should not be answered by rote.
    let sum = said
        .bytes()
        .fold(turns, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let pick = |choices: &'static [&'static str], salt: usize| {
        choices.get((sum / salt) % choices.len().max(1)).copied().unwrap_or("")
    };
    let reflection = match feeling {
        Some((_, "something good")) => {
            String::from("There is something good in what you describe, and it deserves a moment.")
        }
        Some((_, feeling)) => format!("There seems to be {feeling} in what you describe."),
        None => match echo(said) {
            Some(words) => format!("You said “{words}”, and I would like to understand it better."),
            None => String::from("You don't have to find the right words."),
        },
    };
    format!("{} {reflection} {}", pick(OPENINGS, 1), pick(QUESTIONS, 7))
}

/// The reply as a stream would give it: words with the space before them.
#[must_use]
pub fn tokens(reply: &str) -> Vec<String> {
    reply.split_inclusive(' ').map(Into::into).collect()
}

/// The last clause that the person said, short enough to be quoted; words only, so that it carries no markup.
fn echo(said: &str) -> Option<String> {
    let clause = said
        .split(['.', '!', '?', '\n', ';'])
        .map(str::trim)
        .rfind(|clause| !clause.is_empty())?;
    let words: Vec<&str> = clause.split_whitespace().take(12).collect();
    let text: String = words
        .join(" ")
        .chars()
        .filter(|c| c.is_alphanumeric() || " ,'’-".contains(*c))
        .take(80)
        .collect();
    (text.split_whitespace().count() >= 2).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn say(text: &str) -> String {
        reply(&[Message {
            role: Role::User,
            text: text.into(),
            at_ms: 0,
        }])
    }

    #[test]
    fn it_reflects_and_asks_one_question() {
        assert!(say("I'm so worried about my exam").contains("worry"));
        assert!(say("My sister moved to Norway").contains("My sister moved to Norway"));
        assert!(say("").contains("right words"));
        for text in ["hello there", "I feel alone", "why?"] {
            assert_eq!(say(text).matches('?').count(), 1, "{}", say(text));
        }
    }

    proptest! {
        #[test]
        fn deterministic_and_whole(text in "\\PC{0,200}") {
            let reply = say(&text);
            prop_assert_eq!(&reply, &say(&text));
            prop_assert_eq!(tokens(&reply).concat(), reply);
        }
    }

    #[test]
    fn markup_is_not_echoed() {
        assert!(!say("look at <b>this one</b> [x](y)").contains(['<', '[']));
        assert_eq!(tokens("a b"), vec![String::from("a "), String::from("b")]);
    }
}
