//! The conversation in the shape that strict vendors demand.

use alloc::string::String;
use alloc::vec::Vec;
use silent_core::conversation::{Message, Role};
use silent_core::turn::LlmRequest;

/// One side's turn to speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Whether the model spoke.
    pub(crate) assistant: bool,
    pub(crate) text: String,
}

/// The system prompt, with what the product said in between.
pub(crate) fn system(ask: &LlmRequest) -> String {
    let mut system = ask.system.clone();
    for message in ask.messages.iter().filter(|message| message.role == Role::System) {
        append(&mut system, &message.text);
    }
    system
}

/// Turns that alternate, begin with the person's and have no blank text: what Anthropic, Bedrock and Gemini accept.
pub(crate) fn alternating(messages: &[Message]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for message in messages {
        let assistant = message.role == Role::Assistant;
        if message.role == Role::System || message.text.trim().is_empty() || (assistant && turns.is_empty()) {
            continue;
        }
        match turns.last_mut().filter(|turn| turn.assistant == assistant) {
            Some(turn) => append(&mut turn.text, &message.text),
            None => turns.push(Turn {
                assistant,
                text: message.text.clone(),
            }),
        }
    }
    turns
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(role: Role, text: &str) -> Message {
        Message {
            role,
            text: text.into(),
            at_ms: 0,
        }
    }

    #[test]
    fn neighbours_are_joined() {
        use Role::{Assistant, System, User};
        let turns = alternating(&[
            message(Assistant, "welcome"),
            message(User, "a"),
            message(User, " "),
            message(System, "rule"),
            message(User, "b"),
            message(Assistant, "c"),
        ]);
        let expected = [(false, "a\n\nb"), (true, "c")];
        assert_eq!(
            turns
                .iter()
                .map(|turn| (turn.assistant, turn.text.as_str()))
                .collect::<Vec<_>>(),
            expected
        );
    }

    proptest! {
        #[test]
        fn they_alternate(messages in proptest::collection::vec((0_u8..3, "[a ]{0,3}"), 0..12)) {
            let roles = [Role::System, Role::User, Role::Assistant];
            let messages: Vec<Message> = messages.iter().map(|(role, text)| message(roles[usize::from(*role)], text)).collect();
            for (at, turn) in alternating(&messages).iter().enumerate() {
                prop_assert_eq!(turn.assistant, at % 2 == 1);
                prop_assert!(!turn.text.trim().is_empty());
            }
        }
    }
}
