//! Conversation memory: what of the past fits into a prompt.
//!
//! Invariant: the window is a contiguous end of the conversation that begins with the person and ends with their
//! newest message.

use crate::conversation::{Message, Role};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Tokens that a message costs beside its text: role and separators in the common chat templates.
const PER_MESSAGE: u32 = 4;

/// Upper estimate of the tokens of a text, without a tokenizer.
///
/// A BPE vocabulary has about four Latin letters a token and about one for a Chinese, Japanese or Korean character;
/// three bytes a token for the rest errs on the high side.
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    let quarters: u64 = text
        .chars()
        .map(|c| match c {
            '\0'..='\u{7f}' => 1,
            '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' => 5,
            _ => 3,
        })
        .sum();
    u32::try_from(quarters.div_ceil(4)).unwrap_or(u32::MAX)
}

/// The part of a conversation that goes into the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<'a> {
    /// Oldest first, the person's newest message last.
    pub messages: &'a [Message],
    /// How many older messages were left out.
    pub dropped: usize,
}

/// Tokens that a message takes of the window.
#[must_use]
pub fn cost(message: &Message) -> u32 {
    estimate_tokens(&message.text).saturating_add(PER_MESSAGE)
}

/// The longest end of the conversation within the budget.
///
/// The newest message is always kept whole, also where it alone is over the budget: the model then refuses it with an
/// error that the person sees, which is better than half of what they said.
#[must_use]
pub fn window(messages: &[Message], budget_tokens: u32) -> Window<'_> {
    let mut used = 0_u32;
    let mut keep = 0_usize;
    for (back, message) in messages.iter().rev().enumerate() {
        used = used.saturating_add(cost(message));
        if used > budget_tokens && back > 0 {
            break;
        }
        // Only a message of the person's may open the window: models require it.
        if message.role == Role::User || back == 0 {
            keep = back + 1;
        }
    }
    let dropped = messages.len() - keep;
    Window {
        messages: messages.get(dropped..).unwrap_or(&[]),
        dropped,
    }
}

/// What older messages said, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The summary's text.
    pub text: String,
    /// How many of the conversation's first messages it covers.
    pub covers: usize,
}

/// A conversation as a prompt sees it: `summary(0..k)`, then `verbatim(k..n)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans<'a> {
    /// The summary, if anything is left to it.
    pub summary: Option<&'a Summary>,
    /// What is said word for word.
    pub verbatim: &'a [Message],
}

/// Lays summary and verbatim messages side by side: contiguous, in order, without overlap.
///
/// Everything is verbatim while it fits, and the summary is then left out.
#[must_use]
pub fn spans<'a>(messages: &'a [Message], summary: Option<&'a Summary>, budget_tokens: u32) -> Spans<'a> {
    let whole = window(messages, budget_tokens);
    match summary {
        Some(summary) if whole.dropped > 0 && summary.covers <= messages.len() => {
            let rest = messages.get(summary.covers..).unwrap_or(&[]);
            Spans {
                summary: Some(summary),
                verbatim: rest,
            }
        }
        _ => Spans {
            summary: None,
            verbatim: whole.messages,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn talk(lengths: &[usize]) -> Vec<Message> {
        lengths
            .iter()
            .enumerate()
            .map(|(at, length)| Message {
                role: if at % 2 == 0 { Role::User } else { Role::Assistant },
                text: "a".repeat(*length),
                at_ms: at as u64,
            })
            .collect()
    }

    fn cost(messages: &[Message]) -> u32 {
        messages
            .iter()
            .map(|message| estimate_tokens(&message.text) + PER_MESSAGE)
            .sum()
    }

    #[test]
    fn estimates() {
        for (text, tokens) in [("", 0), ("four", 1), ("fives", 2), ("安全", 3), ("привет", 5)] {
            assert_eq!(estimate_tokens(text), tokens, "{text}");
        }
    }

    #[test]
    fn the_newest_message_is_kept_even_when_it_is_too_long() {
        let messages = talk(&[4, 4, 4000]);
        let window = window(&messages, 100);
        assert_eq!((window.messages.len(), window.dropped), (1, 2));
    }

    #[test]
    fn a_summary_takes_the_place_of_what_does_not_fit() {
        let messages = talk(&[400, 400, 40]);
        let summary = Summary {
            text: "s".into(),
            covers: 2,
        };
        assert_eq!(spans(&messages, Some(&summary), 10_000).summary, None);
        let tight = spans(&messages, Some(&summary), 60);
        assert_eq!((tight.summary, tight.verbatim.len()), (Some(&summary), 1));
    }

    proptest! {
        #[test]
        fn contiguous_within_budget_and_maximal(lengths in proptest::collection::vec(0_usize..200, 0..20), budget in 0_u32..2_000) {
            let mut messages = talk(&lengths);
            if messages.len().is_multiple_of(2) { messages.pop(); }
            let window = window(&messages, budget);
            prop_assert_eq!(window.messages, &messages[window.dropped..]);
            if let Some(first) = window.messages.first() {
                prop_assert_eq!(first.role, Role::User);
                prop_assert!(cost(window.messages) <= budget || window.messages.len() == 1);
                // Two more, the next exchange, would not fit.
                if window.dropped >= 2 {
                    prop_assert!(cost(&messages[window.dropped - 2..]) > budget);
                }
            } else {
                prop_assert!(messages.is_empty());
            }
        }
    }
}
