//! What is said in a conversation, as models and stores see it.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The product: rules that the person does not see.
    System,
    /// The person.
    User,
    /// The model, or a fixed text in its place.
    Assistant,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What was said, as Markdown.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_unchanged() {
        let message = Message {
            role: Role::Assistant,
            text: "hi".into(),
            at_ms: 7,
        };
        let wire = r#"{"role":"assistant","text":"hi","at_ms":7}"#;
        assert_eq!(serde_json::to_string(&message).unwrap(), wire);
        assert_eq!(serde_json::from_str::<Message>(wire).unwrap(), message);
    }
}
