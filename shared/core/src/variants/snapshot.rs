//! A published state of the registry: immutable, checked whole and compiled when it is read.

use super::layer::Layer;
use super::{Category, Slot, Status, TOTAL_WEIGHT, Variant, VariantId};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// At most so many categories may be experimented on at a time.
pub const MAX_EXPERIMENTS: usize = 5;

const BUILTIN: &str = include_str!("../../seed/registry.json");

/// Why a snapshot cannot be used; the last good one stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// Not the format.
    #[error("snapshot is malformed: {0}")]
    Malformed(String),
    /// Two variants of one category have one id.
    #[error("{0} has two variants {1}")]
    Duplicate(Category, VariantId),
    /// Not exactly one production default, or an empty pool.
    #[error("{0} needs exactly one production default, or a pool of at least one")]
    Default(Category),
    /// A share outside 0-100, or challengers that overlap.
    #[error("{0} has rollouts that do not fit")]
    Rollout(Category),
    /// Over [`MAX_EXPERIMENTS`].
    #[error("more than {MAX_EXPERIMENTS} experiments in progress")]
    TooManyExperiments,
}

#[derive(Deserialize)]
struct Wire {
    version: u64,
    variants: Vec<Variant>,
    // Snapshots from before the kill switch have none.
    #[serde(default)]
    killed: BTreeSet<Category>,
}

#[derive(Serialize)]
struct WireRef<'a> {
    version: u64,
    killed: &'a BTreeSet<Category>,
    variants: &'a [Variant],
}

/// A checked state of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    version: u64,
    variants: Vec<Variant>,
    killed: BTreeSet<Category>,
    // In the order of `Category::ALL`.
    layers: Vec<Layer>,
}

impl Snapshot {
    /// Reads and checks a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`] where a rule of the registry is broken.
    pub fn parse(json: &str) -> Result<Self, SnapshotError> {
        let wire: Wire = serde_json::from_str(json).map_err(|error| malformed(&error))?;
        Ok(Self::new(wire.version, wire.variants)?.with_killed(wire.killed))
    }

    /// Checks variants.
    ///
    /// # Errors
    /// [`SnapshotError`] where a rule of the registry is broken.
    pub fn new(version: u64, variants: Vec<Variant>) -> Result<Self, SnapshotError> {
        let mut seen = BTreeSet::new();
        for variant in &variants {
            if !seen.insert((variant.category, &variant.id)) {
                let (category, id) = (variant.category, variant.id.clone());
                return Err(SnapshotError::Duplicate(category, id));
            }
            if !(0.0..=100.0).contains(&variant.rollout_percent) {
                return Err(SnapshotError::Rollout(variant.category));
            }
        }
        let mut layers = Vec::with_capacity(Category::ALL.len());
        for category in Category::ALL {
            check_default(category, defaults(&variants, category).count())?;
            check_shares(category, challengers(&variants, category))?;
            layers.push(Layer::new(
                category,
                defaults(&variants, category),
                challengers(&variants, category),
            ));
        }
        if layers.iter().filter(|layer| !layer.arms.is_empty()).count() > MAX_EXPERIMENTS {
            return Err(SnapshotError::TooManyExperiments);
        }
        Ok(Self {
            version,
            variants,
            killed: BTreeSet::new(),
            layers,
        })
    }

    /// The same state with the experiments of these categories switched off.
    #[must_use]
    pub fn with_killed(mut self, killed: BTreeSet<Category>) -> Self {
        for layer in &mut self.layers {
            layer.killed = killed.contains(&layer.category);
        }
        self.killed = killed;
        self
    }

    /// The snapshot that is compiled in: what holds until the registry answers.
    ///
    /// # Errors
    /// None in a released build: a test reads it.
    pub fn builtin() -> Result<Self, SnapshotError> {
        Self::parse(BUILTIN)
    }

    /// The snapshot as it is published; [`Snapshot::parse`] reads it back unchanged.
    ///
    /// # Errors
    /// [`SnapshotError::Malformed`] where it cannot be written, which no checked snapshot is.
    pub fn to_json(&self) -> Result<String, SnapshotError> {
        let wire = WireRef {
            version: self.version,
            killed: &self.killed,
            variants: &self.variants,
        };
        serde_json::to_string(&wire).map_err(|error| malformed(&error))
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

    /// The categories whose experiments are switched off: everybody has production there.
    #[must_use]
    pub fn killed(&self) -> &BTreeSet<Category> {
        &self.killed
    }

    /// The categories that are experimented on, switched off or not.
    pub fn experiments(&self) -> impl Iterator<Item = Category> {
        self.layers
            .iter()
            .filter(|layer| !layer.arms.is_empty())
            .map(|layer| layer.category)
    }

    /// A variant by its id.
    #[must_use]
    pub fn variant(&self, category: Category, id: impl AsRef<str>) -> Option<&Variant> {
        let id = id.as_ref();
        self.variants
            .iter()
            .find(|variant| variant.category == category && variant.id == *id)
    }

    /// The production variants of a category: one, or the pool.
    pub fn defaults(&self, category: Category) -> impl Iterator<Item = &Variant> {
        defaults(&self.variants, category)
    }

    /// The variants that take traffic from the default.
    pub fn challengers(&self, category: Category) -> impl Iterator<Item = &Variant> {
        challengers(&self.variants, category)
    }

    pub(super) fn layer(&self, category: Category) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.category == category)
    }
}

fn malformed(error: &serde_json::Error) -> SnapshotError {
    // Line and column, never the content.
    let (line, column) = (error.line(), error.column());
    SnapshotError::Malformed(alloc::format!("line {line}, column {column}"))
}

fn defaults(variants: &[Variant], category: Category) -> impl Iterator<Item = &Variant> {
    variants
        .iter()
        .filter(move |variant| variant.category == category && variant.status == Status::Production)
}

fn challengers(variants: &[Variant], category: Category) -> impl Iterator<Item = &Variant> {
    variants
        .iter()
        .filter(move |variant| variant.category == category && variant.is_challenger())
}

fn check_default(category: Category, count: usize) -> Result<(), SnapshotError> {
    match count {
        1 => Ok(()),
        2.. if category.is_pool() => Ok(()),
        _ => Err(SnapshotError::Default(category)),
    }
}

/// At most one challenger grows from each end, and they do not meet.
fn check_shares<'a>(category: Category, challengers: impl Iterator<Item = &'a Variant>) -> Result<(), SnapshotError> {
    let (mut low, mut high) = (0, 0);
    for variant in challengers {
        let end = match variant.slot {
            Slot::Low => &mut low,
            Slot::High => &mut high,
        };
        if *end > 0 {
            return Err(SnapshotError::Rollout(category));
        }
        *end = variant.rollout_basis_points();
    }
    if low + high > TOTAL_WEIGHT {
        return Err(SnapshotError::Rollout(category));
    }
    Ok(())
}
