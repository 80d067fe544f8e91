//! The system prompt: Markdown with a front matter, filled with the session's context.
//!
//! Invariant: what is inserted is never expanded again, so a name cannot smuggle in a placeholder.

use alloc::format;
use alloc::string::{String, ToString};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Longest value that may be inserted, in characters.
const VALUE_CHARS: usize = 80;

/// What the prompt may know of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionContext<'a> {
    /// The person's language, BCP 47.
    pub locale: &'a str,
    /// The hour where the person is, 0-23, if known.
    pub local_hour: Option<u8>,
    /// Whether this is the first turn.
    pub first_turn: bool,
    /// What the person would like to be called.
    pub display_name: Option<&'a str>,
}

/// A built prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemPrompt {
    /// What the model reads.
    pub text: String,
    /// `name@version-hash`: the hash is over the template, so the same template has the same version for everyone.
    pub version: String,
    /// How many of its first bytes may not be quoted; none means all of them.
    pub confidential_bytes: Option<usize>,
}

impl SystemPrompt {
    /// What no answer may give away.
    #[must_use]
    pub fn confidential(&self) -> &str {
        let end = self.confidential_bytes.unwrap_or(self.text.len());
        self.text.get(..end).unwrap_or(&self.text)
    }
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PromptError {
    /// No `---` block with `name:` and `version:` at the top.
    #[error("front matter is missing or incomplete")]
    FrontMatter,
    /// A placeholder or section that no context fills.
    #[error("unknown placeholder {0:?}")]
    Unknown(String),
    /// A `{{` without its end.
    #[error("unclosed placeholder or section")]
    Unclosed,
}

/// A bundled template by the name that SYSTEM_PROMPT variants use.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    match name {
        "companion-v1" => Some(include_str!("../prompts/companion-v1.md")),
        "companion-v2" => Some(include_str!("../prompts/companion-v2.md")),
        "companion-v3" => Some(include_str!("../prompts/companion-v3.md")),
        _ => None,
    }
}

/// Builds the prompt.
///
/// Known placeholders: `locale`, `part_of_day`, `display_name`; known sections: `first_turn`, `display_name`.
///
/// # Errors
/// [`PromptError`]; a template is checked whole, also in sections that are left out.
pub fn build(markdown: &str, context: &SessionContext<'_>) -> Result<SystemPrompt, PromptError> {
    let (name, version, body) = front_matter(markdown)?;
    let mut text = String::with_capacity(body.len());
    fill(body, context, &mut text)?;
    let hash = Sha256::digest(markdown.as_bytes());
    let short = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    Ok(SystemPrompt {
        text: text.trim().to_string(),
        version: format!("{name}@{version}-{short}"),
        confidential_bytes: None,
    })
}

fn front_matter(markdown: &str) -> Result<(&str, &str, &str), PromptError> {
    let (head, body) = markdown
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .ok_or(PromptError::FrontMatter)?;
    let field = |wanted: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == wanted)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
            .ok_or(PromptError::FrontMatter)
    };
    Ok((field("name")?, field("version")?, body))
}

fn fill(template: &str, context: &SessionContext<'_>, out: &mut String) -> Result<(), PromptError> {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (tag, after) = after.split_once("}}").ok_or(PromptError::Unclosed)?;
        rest = match tag.strip_prefix('#') {
            Some(section) => {
                let end = format!("{{{{/{section}}}}}");
                let (inner, after) = after.split_once(end.as_str()).ok_or(PromptError::Unclosed)?;
                let wanted = match section {
                    "first_turn" => context.first_turn,
                    "display_name" => context.display_name.is_some(),
                    _ => return Err(PromptError::Unknown(section.into())),
                };
                let mut filled = String::new();
                fill(inner.strip_prefix('\n').unwrap_or(inner), context, &mut filled)?;
                if wanted {
                    out.push_str(&filled);
                }
                after.strip_prefix('\n').unwrap_or(after)
            }
            None => {
                out.push_str(&value(tag, context)?);
                after
            }
        };
    }
    out.push_str(rest);
    Ok(())
}

fn value(name: &str, context: &SessionContext<'_>) -> Result<String, PromptError> {
    let raw = match name {
        "locale" => context.locale,
        "part_of_day" => part_of_day(context.local_hour),
        "display_name" => context.display_name.unwrap_or_default(),
        _ => return Err(PromptError::Unknown(name.into())),
    };
    // One line, bounded: an inserted value stays a value and cannot open a new paragraph of rules.
    Ok(raw
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(VALUE_CHARS)
        .collect())
}

fn part_of_day(hour: Option<u8>) -> &'static str {
    match hour {
        Some(5..=11) => "morning",
        Some(12..=17) => "afternoon",
        Some(18..=22) => "evening",
        Some(_) => "night",
        None => "an unknown time of day",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn context() -> SessionContext<'static> {
        SessionContext {
            locale: "en-GB",
            local_hour: Some(23),
            first_turn: true,
            display_name: None,
        }
    }

    #[test]
    fn every_bundled_prompt_builds_and_says_what_it_must() {
        for name in ["companion-v1", "companion-v2", "companion-v3"] {
            let prompt = build(source(name).unwrap(), &context()).unwrap();
            assert!(prompt.text.contains("en-GB") && prompt.text.contains("night"), "{name}");
            assert!(
                prompt.text.contains("AI") && prompt.text.contains("therapist"),
                "{name}"
            );
            assert!(!prompt.text.contains("{{"), "{name}");
            assert_eq!(prompt.version.split('-').count(), 2, "{}", prompt.version);
        }
        assert_eq!(source("companion-v9"), None);
    }

    #[test]
    fn sections_follow_the_context() {
        let template = "---\nname: t\nversion: 7\n---\nA\n{{#first_turn}}\nfirst\n{{/first_turn}}\n{{#display_name}}\nHi {{display_name}}\n{{/display_name}}\nZ";
        let text = |context: &SessionContext<'_>| build(template, context).unwrap().text;
        assert_eq!(text(&context()), "A\nfirst\nZ");
        let named = SessionContext {
            first_turn: false,
            display_name: Some("Ada"),
            ..context()
        };
        assert_eq!(text(&named), "A\nHi Ada\nZ");
        assert!(build(template, &context()).unwrap().version.starts_with("t@7-"));
    }

    #[test]
    fn bad_templates_are_refused() {
        let check = |body: &str, error: PromptError| {
            let template = format!("---\nname: t\nversion: 1\n---\n{body}");
            assert_eq!(build(&template, &context()).err(), Some(error), "{body}");
        };
        check("{{secret}}", PromptError::Unknown("secret".into()));
        check(
            "{{#display_name}}{{x}}{{/display_name}}",
            PromptError::Unknown("x".into()),
        );
        check("{{locale", PromptError::Unclosed);
        check("{{#first_turn}}a", PromptError::Unclosed);
        assert_eq!(
            build("no front matter", &context()).err(),
            Some(PromptError::FrontMatter)
        );
    }

    proptest! {
        #[test]
        fn inserted_text_is_never_expanded(name in "[a-z{}#/ ]{0,60}") {
            let template = "---\nname: t\nversion: 1\n---\n<{{display_name}}>";
            let named = SessionContext { display_name: Some(&name), ..context() };
            let expected = alloc::format!("<{name}>");
            prop_assert_eq!(build(template, &named).unwrap().text, expected);
        }
    }
}
