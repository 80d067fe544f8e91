//! A published state of the registry: immutable, checked whole when it is read.

use super::Category;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// At most so many categories may be experimented on at a time.
pub const MAX_EXPERIMENTS: usize = 5;

const BUILTIN: &str = include_str!("../../seed/registry.json");

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    pub id: String,
    /// The layer.
    pub category: Category,
    /// What it is, for people.
    pub description: String,
    /// Where it is in its life.
    pub status: Status,
    /// Share of the layer, 0 to 100, in steps of 0.01.
    pub rollout_percent: f64,
    /// Who may be enrolled.
    pub cohorts: Vec<Cohort>,
    /// The end of the layer from which the share grows.
    #[serde(default)]
    pub slot: Slot,
    /// What the product reads.
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
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 0..=100 when read")]
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

/// Why a snapshot cannot be used; the last good one stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// Not the format.
    #[error("snapshot is malformed: {0}")]
    Malformed(String),
    /// Two variants of one category have one id.
    #[error("{0} has two variants {1}")]
    Duplicate(Category, String),
    /// Not exactly one production default.
    #[error("{0} needs exactly one production default")]
    Default(Category),
    /// A share outside 0-100, or challengers that overlap.
    #[error("{0} has rollouts that do not fit")]
    Rollout(Category),
    /// Over [`MAX_EXPERIMENTS`].
    #[error("more than {MAX_EXPERIMENTS} experiments in progress")]
    TooManyExperiments,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u64,
    variants: Vec<Variant>,
}

/// A checked state of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    version: u64,
    variants: Vec<Variant>,
}

impl Snapshot {
    /// Reads and checks a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`] where a rule of the registry is broken.
    pub fn parse(json: &str) -> Result<Self, SnapshotError> {
        let wire: Wire = serde_json::from_str(json).map_err(|error| {
            // Line and column, never the content.
            SnapshotError::Malformed(alloc::format!("line {}, column {}", error.line(), error.column()))
        })?;
        Self::new(wire.version, wire.variants)
    }

    /// Checks variants.
    ///
    /// # Errors
    /// [`SnapshotError`] where a rule of the registry is broken.
    pub fn new(version: u64, variants: Vec<Variant>) -> Result<Self, SnapshotError> {
        let mut seen = BTreeSet::new();
        for variant in &variants {
            if !seen.insert((variant.category, variant.id.as_str())) {
                return Err(SnapshotError::Duplicate(variant.category, variant.id.clone()));
            }
            if !(0.0..=100.0).contains(&variant.rollout_percent) {
                return Err(SnapshotError::Rollout(variant.category));
            }
        }
        let snapshot = Self { version, variants };
        let mut experiments = 0;
        for category in Category::ALL {
            let defaults = snapshot.defaults(category).count();
            if defaults == 0 || (defaults > 1 && !category.is_pool()) {
                return Err(SnapshotError::Default(category));
            }
            let mut challengers = snapshot.challengers(category).peekable();
            experiments += usize::from(challengers.peek().is_some());
            let (mut low, mut high) = (0, 0);
            for variant in challengers {
                let side = match variant.slot {
                    Slot::Low => &mut low,
                    Slot::High => &mut high,
                };
                if *side > 0 {
                    return Err(SnapshotError::Rollout(category));
                }
                *side = variant.rollout_basis_points();
            }
            if low + high > super::TOTAL_WEIGHT {
                return Err(SnapshotError::Rollout(category));
            }
        }
        if experiments > MAX_EXPERIMENTS {
            return Err(SnapshotError::TooManyExperiments);
        }
        Ok(snapshot)
    }

    /// The snapshot that is compiled in: what holds until the registry answers.
    ///
    /// # Errors
    /// None in a released build: a test reads it.
    pub fn builtin() -> Result<Self, SnapshotError> {
        Self::parse(BUILTIN)
    }

    /// Counts up with every publication.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All variants.
    #[must_use]
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// A variant by its id.
    #[must_use]
    pub fn variant(&self, category: Category, id: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.category == category && variant.id == id)
    }

    /// The production variants of a category: one, or the pool.
    pub fn defaults(&self, category: Category) -> impl Iterator<Item = &Variant> {
        self.variants
            .iter()
            .filter(move |variant| variant.category == category && variant.status == Status::Production)
    }

    /// The variants that take traffic from the default.
    pub fn challengers(&self, category: Category) -> impl Iterator<Item = &Variant> {
        self.variants
            .iter()
            .filter(move |variant| variant.category == category && variant.is_challenger())
    }
}
