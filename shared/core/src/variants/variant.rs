//! One choice of a category, as the registry stores it.

use super::Category;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest id of a variant, in bytes.
const ID_BYTES: usize = 64;

/// Id of a variant, unique within its category: 1 to 64 of `a-z 0-9 . _ -`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariantId(String);

/// The text is not an id of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a variant's id is 1 to 64 of a-z, 0-9, '.', '_', '-', and begins with a letter or digit")]
pub struct InvalidVariantId;

impl VariantId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`InvalidVariantId`] where the length or a character is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidVariantId> {
        Self::try_from(String::from(text))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariantId {
    type Error = InvalidVariantId;

    fn try_from(text: String) -> Result<Self, InvalidVariantId> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let valid = text.len() <= ID_BYTES
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(|byte| plain(byte) || b"._-".contains(&byte));
        if valid { Ok(Self(text)) } else { Err(InvalidVariantId) }
    }
}

impl From<VariantId> for String {
    fn from(id: VariantId) -> Self {
        id.0
    }
}

impl AsRef<str> for VariantId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for VariantId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for VariantId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for VariantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variant's place in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Status {
    Experimental,
    Staged,
    Production,
    Retired,
}

/// Who may be enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Cohort {
    All,
    NewUsers,
    Returning,
    Paid,
    Free,
}

/// The end of the layer from which a challenger's share grows.
///
/// Two challengers of one category grow towards each other, so raising one never moves anyone out of the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// From bucket 0 upwards.
    #[default]
    Low,
    /// From the last bucket downwards.
    High,
}

/// One choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Unique within the category.
    pub id: VariantId,
    /// The layer.
    pub category: Category,
    /// What it is, for people.
    pub description: String,
    /// Where it is in its life.
    pub status: Status,
    /// Share of the layer, 0 to 100, in steps of 0.01. Of one half of the people where the layer is
    /// [excluded](Category::exclusion) from another.
    pub rollout_percent: f64,
    /// Who may be enrolled: whoever is in any of them, nobody where there are none.
    pub cohorts: Vec<Cohort>,
    /// The end of the layer from which the share grows.
    #[serde(default)]
    pub slot: Slot,
    /// What the product reads; [`Category::validate_config`] says what it must look like.
    pub config: serde_json::Value,
    /// Latest figures, for people.
    #[serde(default)]
    pub metrics: serde_json::Value,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// Who made it.
    pub created_by: String,
    /// Counts up with every change.
    pub version: u64,
}

impl Variant {
    /// The share in basis points.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be 0..=100 when read"
    )]
    pub fn rollout_basis_points(&self) -> u32 {
        // Half a step is added before truncation: `f64::round` needs std.
        (self.rollout_percent * 100.0 + 0.5) as u32
    }

    /// Whether it takes traffic from the default.
    #[must_use]
    pub fn is_challenger(&self) -> bool {
        matches!(self.status, Status::Experimental | Status::Staged) && self.rollout_basis_points() > 0
    }
}
