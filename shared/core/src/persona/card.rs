//! Character cards, versions 1 to 3, as JSON.
//!
//! Sources: malfoyslastname/character-card-spec-v2 (`spec_v1.md`, `spec_v2.md`), kwaroran/character-card-spec-v3
//! (`SPEC_V3.md`). Invariant: what a card carries beside what is known here is never lost.

use super::{NAME_CHARS, one_line, replace};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// The fields of version 1, which all later ones have.
const V1_FIELDS: [&str; 6] = [
    "name",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
];
/// Further text fields of version 2.
const V2_TEXTS: [&str; 5] = [
    "creator_notes",
    "system_prompt",
    "post_history_instructions",
    "creator",
    "character_version",
];
/// Lists of version 2.
const V2_LISTS: [&str; 2] = ["alternate_greetings", "tags"];
/// What the specification asks to say in a V2 copy of a V3 card.
const BACKFILLED: &str = "This character card is Character Card V3, but it is loaded as a Character Card V2. Please use a Character Card V3 compatible application to use this character card properly.";

/// Why text is not a card.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CardError {
    /// Not a JSON object.
    #[error("the card is not a JSON object (line {line}, column {column})")]
    Json {
        /// Where it breaks, from 1.
        line: usize,
        /// Where it breaks, from 1.
        column: usize,
    },
    /// A `spec` that is neither version 2 nor 3.
    #[error("the card's spec is unknown: chara_card_v2 and chara_card_v3 are read, and V1 without a spec")]
    Spec,
    /// A field that is missing or of the wrong type.
    #[error("the card's field {0} is missing or of the wrong type")]
    Field(&'static str),
}

/// A card's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spec {
    /// Six texts, flat.
    V1,
    /// `chara_card_v2`.
    V2,
    /// `chara_card_v3`.
    V3,
}

/// A card that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    spec: Spec,
    source: String,
    value: Map<String, Value>,
}

impl Card {
    /// Reads a card.
    ///
    /// # Errors
    /// [`CardError`]; fields that are not known are kept, not judged.
    pub fn parse(source: &str) -> Result<Self, CardError> {
        let source = source.trim_start_matches('\u{feff}');
        let value: Value = serde_json::from_str(source).map_err(|error| CardError::Json {
            line: error.line(),
            column: error.column(),
        })?;
        let Value::Object(value) = value else {
            return Err(CardError::Json { line: 1, column: 1 });
        };
        let spec = match value.get("spec") {
            None | Some(Value::Null) => Spec::V1,
            Some(Value::String(spec)) if spec == "chara_card_v2" => Spec::V2,
            Some(Value::String(spec)) if spec == "chara_card_v3" => Spec::V3,
            Some(_) => return Err(CardError::Spec),
        };
        let card = Self {
            spec,
            source: source.into(),
            value,
        };
        card.check()?;
        Ok(card)
    }

    /// A V3 card of a persona that is plain text.
    #[must_use]
    pub fn of_text(name: &str, text: &str) -> Self {
        let mut value = Map::new();
        value.insert("name".into(), name.into());
        value.insert("description".into(), text.into());
        let card = Self {
            spec: Spec::V1,
            source: String::new(),
            value,
        };
        let value = card.to_v3();
        Self {
            spec: Spec::V3,
            source: Value::Object(value.clone()).to_string(),
            value,
        }
    }

    fn check(&self) -> Result<(), CardError> {
        if self.spec > Spec::V1 && !self.value.get("data").is_some_and(Value::is_object) {
            return Err(CardError::Field("data"));
        }
        let data = self.data();
        let absent = |value: Option<&Value>| value.is_none_or(Value::is_null);
        for field in V1_FIELDS.into_iter().chain(V2_TEXTS).chain(["nickname"]) {
            let value = data.get(field);
            if !absent(value) && !value.is_some_and(Value::is_string) {
                return Err(CardError::Field(field));
            }
        }
        for field in V2_LISTS {
            let value = data.get(field);
            if self.spec > Spec::V1 && !absent(value) && !value.is_some_and(Value::is_array) {
                return Err(CardError::Field(field));
            }
        }
        for field in ["extensions", "character_book"] {
            let value = data.get(field);
            if self.spec > Spec::V1 && !absent(value) && !value.is_some_and(Value::is_object) {
                return Err(CardError::Field(field));
            }
        }
        if one_line(self.name(), NAME_CHARS).is_empty() {
            return Err(CardError::Field("name"));
        }
        Ok(())
    }

    fn data(&self) -> &Map<String, Value> {
        self.value
            .get("data")
            .and_then(Value::as_object)
            .filter(|_| self.spec > Spec::V1)
            .unwrap_or(&self.value)
    }

    /// Its version.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// Its JSON, byte for byte as it came.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// A text field; absent ones are empty.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.data().get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The character's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.field("name")
    }

    /// The lorebook, if it has one.
    pub(super) fn book(&self) -> Option<&Map<String, Value>> {
        self.data().get("character_book").and_then(Value::as_object)
    }

    /// What `{{char}}` stands for: V3 lets a nickname take the name's place.
    pub(super) fn char(&self) -> String {
        let nickname = one_line(self.field("nickname"), NAME_CHARS);
        if self.spec == Spec::V3 && !nickname.is_empty() {
            return nickname;
        }
        one_line(self.name(), NAME_CHARS)
    }

    fn filled(&self, field: &str, user: &str) -> Option<String> {
        let text = replace(self.field(field).trim(), &self.char(), user);
        (!text.is_empty()).then_some(text)
    }

    /// What the prompt holds of it. Notes, tags and the creator are for people and never enter a prompt.
    #[must_use]
    pub fn render(&self, user: &str) -> String {
        let mut parts: Vec<String> = Vec::new();
        // The place of the prompt that a card replaces is before it here: ours stays, since it holds the rules of safety.
        let system = self.field("system_prompt").trim().replace("{{original}}", "");
        let system = replace(system.trim(), &self.char(), user);
        if !system.is_empty() {
            parts.push(system);
        }
        parts.push(alloc::format!("Name: {}", self.char()));
        for (field, label) in [
            ("description", ""),
            ("personality", "Personality: "),
            ("scenario", "Scenario: "),
            ("mes_example", "Examples of how they talk:\n"),
            ("post_history_instructions", ""),
        ] {
            if let Some(text) = self.filled(field, user) {
                parts.push(alloc::format!("{label}{text}"));
            }
        }
        parts.join("\n\n")
    }

    /// What it says first.
    #[must_use]
    pub fn greeting(&self, user: &str) -> Option<String> {
        self.filled("first_mes", user)
    }

    /// The fields of version 2 with their defaults; whatever else there is stays where it is.
    fn completed(&self) -> (Map<String, Value>, Map<String, Value>) {
        let mut outer = self.value.clone();
        let mut data = match (self.spec, outer.remove("data")) {
            (Spec::V2 | Spec::V3, Some(Value::Object(data))) => data,
            // A V1 card is flat: its six fields move, what else it has stays outside.
            (_, other) => {
                if let Some(other) = other {
                    outer.insert("data".into(), other);
                }
                let moved = V1_FIELDS.iter().filter_map(|field| outer.remove_entry(*field));
                moved.collect()
            }
        };
        let texts = V1_FIELDS.into_iter().chain(V2_TEXTS).map(|field| (field, json!("")));
        let lists = V2_LISTS.into_iter().map(|field| (field, json!([])));
        for (field, default) in texts.chain(lists).chain([("extensions", json!({}))]) {
            let value = data.entry(field.to_string()).or_insert(Value::Null);
            if value.is_null() {
                *value = default;
            }
        }
        (outer, data)
    }

    /// As version 3.
    #[must_use]
    pub fn to_v3(&self) -> Map<String, Value> {
        if self.spec == Spec::V3 {
            return self.value.clone();
        }
        let (mut outer, mut data) = self.completed();
        data.entry("group_only_greetings").or_insert_with(|| json!([]));
        outer.insert("spec".into(), "chara_card_v3".into());
        outer.insert("spec_version".into(), "3.0".into());
        outer.insert("data".into(), Value::Object(data));
        outer
    }

    /// As version 2; a V3 card says in its notes that it is one.
    #[must_use]
    pub fn to_v2(&self) -> Map<String, Value> {
        if self.spec == Spec::V2 {
            return self.value.clone();
        }
        let (mut outer, mut data) = self.completed();
        if self.spec == Spec::V3 {
            let notes = data.get("creator_notes").and_then(Value::as_str).unwrap_or_default();
            let notes = alloc::format!("{BACKFILLED}\n\n{notes}");
            data.insert("creator_notes".into(), notes.trim().into());
        }
        outer.insert("spec".into(), "chara_card_v2".into());
        outer.insert("spec_version".into(), "2.0".into());
        outer.insert("data".into(), Value::Object(data));
        outer
    }

    /// The text chunks that carry it in an image: V3, and V2 for readers that know no other.
    #[must_use]
    pub fn chunks(&self) -> [(&'static str, String); 2] {
        let v3 = match self.spec {
            Spec::V3 => self.source.clone(),
            _ => Value::Object(self.to_v3()).to_string(),
        };
        let v2 = match self.spec {
            Spec::V2 => self.source.clone(),
            _ => Value::Object(self.to_v2()).to_string(),
        };
        [("chara", v2), ("ccv3", v3)]
    }
}
