//! A digital twin's persona: what it is, how it is read and written, and the context that is made of it.
//!
//! Invariant: a persona that was accepted stands in the prompt whole. One that is too long is refused, never cut.

mod card;
mod context;
mod facts;
mod lorebook;
mod macros;
mod png;
#[cfg(test)]
mod tests;

pub use card::{Card, CardError, Spec};
pub use context::{Context, Plan, Remembered, SUMMARY_TOKENS, SpanKind, build, plan};
pub use facts::{Fact, extract};
pub use macros::replace;
pub use png::{PngError, embed, read};

use crate::memory::estimate_tokens;
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest persona in a prompt, in estimated tokens ([`estimate_tokens`]).
pub const PERSONA_TOKENS: u32 = 6_000;
/// Largest source, in bytes: a card may carry a lorebook that enters the prompt only in parts.
pub const SOURCE_BYTES: usize = 256 * 1024;
/// Longest name, in characters.
pub const NAME_CHARS: usize = 80;
/// Who a person is to a twin that does not know their name.
pub const SOMEBODY: &str = "User";

/// Why a persona is refused. Says nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PersonaError {
    /// Nothing but white space.
    #[error("the persona is empty")]
    Empty,
    /// No UTF-8, or a NUL byte.
    #[error("the persona is not text")]
    NotText,
    /// Over [`PERSONA_TOKENS`] or [`SOURCE_BYTES`].
    #[error("the persona is too long: {is} of at most {limit} {unit}")]
    TooLong {
        /// What it has.
        is: usize,
        /// What it may have.
        limit: usize,
        /// Of what.
        unit: &'static str,
    },
    /// Not a character card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Not an image with a card.
    #[error(transparent)]
    Png(#[from] PngError),
    /// A stored persona that cannot be read.
    #[error("the stored persona is malformed")]
    Malformed,
}

/// How a persona was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Plain text or Markdown: `me.txt`.
    Text,
    /// A character card's JSON.
    Card,
}

/// A persona as it is stored: the source as it came, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    format: Format,
    name: String,
    source: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Text(String),
    Card(Card),
}

/// A persona that may be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Persona {
    name: String,
    source: Source,
}

/// One line, bounded: a name stays a name and cannot open a paragraph of rules.
fn one_line(text: &str, limit: usize) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(limit).collect::<String>().trim().to_string()
}

impl Persona {
    /// A persona of plain text or Markdown; its name is given, else its first heading, else `Twin`.
    ///
    /// # Errors
    /// [`PersonaError`] where it is empty, no text, or too long.
    pub fn text(bytes: &[u8], name: Option<&str>) -> Result<Self, PersonaError> {
        bounded(bytes)?;
        let text = core::str::from_utf8(bytes).map_err(|_| PersonaError::NotText)?;
        if text.contains('\0') {
            return Err(PersonaError::NotText);
        }
        let heading = || text.lines().find_map(|line| line.strip_prefix("# "));
        let name = name.or_else(heading).map(|name| one_line(name, NAME_CHARS));
        Self {
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Twin".into()),
            source: Source::Text(text.into()),
        }
        .checked()
    }

    /// A character card's persona, from its JSON.
    ///
    /// # Errors
    /// [`PersonaError`] where it is no card, says nothing, or is too long.
    pub fn card(json: &[u8]) -> Result<Self, PersonaError> {
        bounded(json)?;
        let text = core::str::from_utf8(json).map_err(|_| PersonaError::NotText)?;
        let card = Card::parse(text)?;
        Self {
            name: one_line(card.name(), NAME_CHARS),
            source: Source::Card(card),
        }
        .checked()
    }

    /// A character card's persona, from the image that carries it.
    ///
    /// # Errors
    /// [`PersonaError`], as [`Persona::card`].
    pub fn png(bytes: &[u8]) -> Result<Self, PersonaError> {
        Self::card(read(bytes)?.as_bytes())
    }

    fn checked(self) -> Result<Self, PersonaError> {
        // With the longest name that somebody may have: what fits today fits with everyone.
        let text = self.render(&"w".repeat(NAME_CHARS));
        if text.trim().is_empty() {
            return Err(PersonaError::Empty);
        }
        let is = estimate_tokens(&text);
        if is > PERSONA_TOKENS {
            return Err(PersonaError::TooLong {
                is: is as usize,
                limit: PERSONA_TOKENS as usize,
                unit: "tokens",
            });
        }
        Ok(self)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it was written down.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.source {
            Source::Text(_) => Format::Text,
            Source::Card(_) => Format::Card,
        }
    }

    /// Its source, byte for byte as it came.
    #[must_use]
    pub fn source(&self) -> &str {
        match &self.source {
            Source::Text(text) => text,
            Source::Card(card) => card.source(),
        }
    }

    /// As a card, whatever it was written as.
    #[must_use]
    pub fn to_card(&self) -> Card {
        match &self.source {
            Source::Text(text) => Card::of_text(&self.name, text),
            Source::Card(card) => card.clone(),
        }
    }

    /// What the prompt holds of it: text as it is, a card's fields with its names filled in.
    #[must_use]
    pub fn render(&self, user: &str) -> String {
        match &self.source {
            Source::Text(text) => text.clone(),
            Source::Card(card) => card.render(user),
        }
    }

    /// What it says first, if its card has a greeting.
    #[must_use]
    pub fn greeting(&self, user: &str) -> Option<String> {
        match &self.source {
            Source::Text(_) => None,
            Source::Card(card) => card.greeting(user),
        }
    }

    /// What its lorebook adds to a conversation, most important first; empty without one.
    #[must_use]
    pub fn lore(&self, user: &str, messages: &[crate::conversation::Message]) -> String {
        match &self.source {
            Source::Text(_) => String::new(),
            Source::Card(card) => lorebook::matching(card, user, messages),
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let stored = Stored {
            format: self.format(),
            name: self.name.clone(),
            source: self.source().into(),
        };
        // Strings and a name: cannot fail.
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Reads the stored form, as strictly as an upload.
    ///
    /// # Errors
    /// [`PersonaError::Malformed`], or what an upload would be refused for.
    pub fn from_stored(text: &str) -> Result<Self, PersonaError> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| PersonaError::Malformed)?;
        match stored.format {
            Format::Text => Self::text(stored.source.as_bytes(), Some(&stored.name)),
            Format::Card => Self::card(stored.source.as_bytes()),
        }
    }
}

fn bounded(bytes: &[u8]) -> Result<(), PersonaError> {
    if bytes.len() > SOURCE_BYTES {
        return Err(PersonaError::TooLong {
            is: bytes.len(),
            limit: SOURCE_BYTES,
            unit: "bytes",
        });
    }
    Ok(())
}
