//! What a variant's configuration must look like, by category: checked when it is written.
//!
//! Invariant: the check and the published JSON Schema come from one table. Readers do not check again, so that an
//! older deployment still reads a snapshot with a newer field.

use super::Category;
use crate::prompt;
use alloc::string::String;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// Longest identifier of a vendor's, in bytes.
const NAME_BYTES: usize = 128;

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Not a JSON object.
    #[error("config is not an object")]
    NotAnObject,
    /// A field that the category does not have.
    #[error("config has an unknown field {0:?}")]
    Unknown(String),
    /// A field is not there.
    #[error("config lacks {0}")]
    Missing(&'static str),
    /// A field has the wrong type or is out of range.
    #[error("config's {field} must be {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Its type and range, for people.
        expected: String,
    },
}

enum Kind {
    /// 1 to 128 visible ASCII characters: a vendor, a model, a voice.
    Name,
    /// A bundled system prompt.
    Prompt,
    /// Words for people, at most so many characters, not blank.
    Text(usize),
    OneOf(&'static [&'static str]),
    Integer(u64, u64),
    Number(f64, f64),
    /// At most so many models, each `{provider, model}`.
    Targets(usize),
    /// May be left out.
    Optional(&'static Kind),
}

type Field = (&'static str, Kind);

const SCALES: &[&str] = &["stars5", "words5", "thumbs", "slider10", "emoji5"];

/// Every field of the category.
fn fields(category: Category) -> &'static [Field] {
    use Kind::{Integer, Name, Number, OneOf, Optional, Prompt, Targets, Text};
    match category {
        Category::LlmModel => &[
            ("provider", Name),
            ("model", Name),
            ("max_output_tokens", Integer(1, 32_768)),
            ("temperature", Number(0.0, 2.0)),
            ("fallbacks", Optional(&Targets(4))),
            ("routing", Optional(&OneOf(&["quality", "fast", "cost"]))),
        ],
        Category::SystemPrompt => &[("prompt", Prompt)],
        Category::ChatUiLayout => &[("layout", OneOf(&["current", "simplified", "sidebar", "mobile-only"]))],
        Category::ComposePosition => &[("position", OneOf(&["bottom-pill", "top-fixed", "inline"]))],
        Category::GhostCharStyle => &[("style", OneOf(&["scramble", "dots", "shimmer", "none"]))],
        Category::RatingVariant => &[
            ("question", Text(80)),
            ("low", Text(24)),
            ("high", Text(24)),
            ("scale", OneOf(SCALES)),
        ],
        Category::VoiceProvider => &[("voice", Name)],
        Category::VoiceLlm => &[("model", Name)],
        Category::StarterPoolSize => &[("size", Integer(1, 12))],
        Category::TopicHierarchy => &[("form", OneOf(&["flat", "drill-down", "tabs"]))],
        Category::MandalaFace => &[("face", OneOf(&["on", "simple-orb", "none"]))],
        Category::PricingTierStructure => &[("structure", OneOf(&["v1", "v2-claude-aligned"]))],
    }
}

impl Kind {
    fn accepts(&self, value: &Value) -> bool {
        match *self {
            Self::Name => value.as_str().is_some_and(|text| {
                (1..=NAME_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
            }),
            Self::Prompt => value.as_str().is_some_and(|name| prompt::source(name).is_some()),
            Self::Text(max) => value.as_str().is_some_and(|text| {
                !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
            }),
            Self::OneOf(names) => value.as_str().is_some_and(|text| names.contains(&text)),
            Self::Integer(min, max) => value.as_u64().is_some_and(|n| (min..=max).contains(&n)),
            Self::Number(min, max) => value.as_f64().is_some_and(|n| (min..=max).contains(&n)),
            Self::Targets(max) => value
                .as_array()
                .is_some_and(|targets| targets.len() <= max && targets.iter().all(is_target)),
            Self::Optional(kind) => kind.accepts(value),
        }
    }

    fn expected(&self) -> String {
        match *self {
            Self::Name => alloc::format!("1 to {NAME_BYTES} visible ASCII characters"),
            Self::Prompt => "the name of a bundled prompt".into(),
            Self::Text(max) => alloc::format!("text of 1 to {max} characters on one line"),
            Self::OneOf(names) => alloc::format!("one of {}", names.join(", ")),
            Self::Integer(min, max) => alloc::format!("an integer from {min} to {max}"),
            Self::Number(min, max) => alloc::format!("a number from {min} to {max}"),
            Self::Targets(max) => alloc::format!("at most {max} of {{provider, model}}"),
            Self::Optional(kind) => kind.expected(),
        }
    }

    fn schema(&self) -> Value {
        match *self {
            Self::Name => json!({"type": "string", "pattern": "^[!-~]{1,128}$"}),
            Self::Prompt => json!({"type": "string", "minLength": 1}),
            Self::Text(max) => {
                json!({"type": "string", "minLength": 1, "maxLength": max, "pattern": "\\S"})
            }
            Self::OneOf(names) => json!({"type": "string", "enum": names}),
            Self::Integer(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
            Self::Number(min, max) => json!({"type": "number", "minimum": min, "maximum": max}),
            Self::Targets(max) => json!({"type": "array", "maxItems": max, "items": {
                "type": "object", "additionalProperties": false, "required": TARGET,
                "properties": {"provider": Self::Name.schema(), "model": Self::Name.schema()},
            }}),
            Self::Optional(kind) => kind.schema(),
        }
    }

    fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_))
    }
}

/// The fields of a model among the fall-backs; all are required.
const TARGET: [&str; 2] = ["provider", "model"];

fn is_target(value: &Value) -> bool {
    let has = |fields: &Map<String, Value>, name: &str| fields.get(name).is_some_and(|value| Kind::Name.accepts(value));
    value
        .as_object()
        .is_some_and(|fields| fields.len() == TARGET.len() && TARGET.iter().all(|name| has(fields, name)))
}

impl Category {
    /// Checks a variant's configuration: every field that is required, each within its range, and no others.
    ///
    /// # Errors
    /// [`ConfigError`] for the first field that is wrong.
    pub fn validate_config(self, config: &Value) -> Result<(), ConfigError> {
        let object = config.as_object().ok_or(ConfigError::NotAnObject)?;
        let fields = fields(self);
        let is_known = |name: &String| fields.iter().any(|(field, _)| field == name);
        if let Some(name) = object.keys().find(|name| !is_known(name)) {
            return Err(ConfigError::Unknown(name.clone()));
        }
        for (field, kind) in fields {
            let Some(value) = object.get(*field) else {
                if kind.is_optional() {
                    continue;
                }
                return Err(ConfigError::Missing(field));
            };
            if !kind.accepts(value) {
                let expected = kind.expected();
                return Err(ConfigError::Invalid { field, expected });
            }
        }
        Ok(())
    }

    /// The configuration's JSON Schema (draft 2020-12), for forms and the API's document.
    ///
    /// [`Category::validate_config`] is stricter where a schema cannot say it: a prompt has to exist.
    #[must_use]
    pub fn config_schema(self) -> Value {
        let fields = fields(self);
        let properties: Map<String, Value> = fields
            .iter()
            .map(|(field, kind)| ((*field).into(), kind.schema()))
            .collect();
        let required = fields.iter().filter(|(_, kind)| !kind.is_optional());
        let required: Value = required.map(|(field, _)| *field).collect();
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": properties,
        })
    }
}
