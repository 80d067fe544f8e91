//! One category, precompiled: whoever asks pays for at most two hashes and no search.

use super::hash::salted_bucket;
use super::{Category, Cohort, Slot, Subject, TOTAL_WEIGHT, Variant, VariantId};
use alloc::vec::Vec;
use core::ops::Range;

/// A challenger and the buckets that are its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arm {
    pub(super) id: VariantId,
    pub(super) cohorts: Vec<Cohort>,
    pub(super) share: Range<u32>,
}

impl Arm {
    fn new(variant: &Variant) -> Self {
        let size = variant.rollout_basis_points();
        Self {
            id: variant.id.clone(),
            cohorts: variant.cohorts.clone(),
            share: match variant.slot {
                Slot::Low => 0..size,
                Slot::High => TOTAL_WEIGHT.saturating_sub(size)..TOTAL_WEIGHT,
            },
        }
    }

    pub(super) fn admits(&self, subject: &Subject<'_>) -> bool {
        self.cohorts.iter().any(|cohort| cohort.admits(subject))
    }
}

impl Cohort {
    /// Whether the subject belongs to it.
    #[must_use]
    pub fn admits(self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All => true,
            Self::NewUsers => subject.is_new,
            Self::Returning => !subject.is_new,
            Self::Paid => subject.is_paid,
            Self::Free => !subject.is_paid,
        }
    }

    /// Every cohort that the subject belongs to.
    #[must_use]
    pub fn of(subject: &Subject<'_>) -> Vec<Self> {
        [Self::All, Self::NewUsers, Self::Returning, Self::Paid, Self::Free]
            .into_iter()
            .filter(|cohort| cohort.admits(subject))
            .collect()
    }
}

/// The defaults and challengers of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) category: Category,
    defaults: Vec<VariantId>,
    pub(super) arms: Vec<Arm>,
    /// Nobody is enrolled while the category is switched off.
    pub(super) killed: bool,
}

impl Layer {
    pub(super) fn new<'a>(
        category: Category,
        defaults: impl Iterator<Item = &'a Variant>,
        challengers: impl Iterator<Item = &'a Variant>,
    ) -> Self {
        let mut defaults: Vec<VariantId> = defaults.map(|variant| variant.id.clone()).collect();
        // The draw from a pool must not depend on the order in which a store lists its rows.
        defaults.sort_unstable();
        Self {
            category,
            defaults,
            arms: challengers.map(Arm::new).collect(),
            killed: false,
        }
    }

    /// The production variant: the only one, or the subject's draw from the pool.
    pub(super) fn default_for(&self, subject_id: &str) -> Option<&VariantId> {
        let Some(salt) = self.category.pool_salt() else {
            return self.defaults.first();
        };
        let size = u32::try_from(self.defaults.len()).unwrap_or(u32::MAX);
        let drawn = salted_bucket(salt, subject_id, size);
        self.defaults.get(usize::try_from(drawn).unwrap_or(0))
    }

    /// The challenger that the subject is enrolled in.
    pub(super) fn enrolled(&self, subject: &Subject<'_>) -> Option<&VariantId> {
        if self.arms.is_empty() || self.killed || !self.is_open_to(subject.id) {
            return None;
        }
        let position = self.position(subject.id);
        self.arms
            .iter()
            .find(|arm| arm.share.contains(&position) && arm.admits(subject))
            .map(|arm| &arm.id)
    }

    /// Where the subject stands in the split, 0 to [`TOTAL_WEIGHT`] - 1.
    pub(super) fn position(&self, subject_id: &str) -> u32 {
        salted_bucket(self.category.salt(), subject_id, TOTAL_WEIGHT)
    }

    /// Whether this category, and not one that excludes it, may experiment on the subject.
    pub(super) fn is_open_to(&self, subject_id: &str) -> bool {
        self.category
            .exclusion()
            .is_none_or(|exclusion| salted_bucket(exclusion.salt, subject_id, exclusion.sides) == exclusion.side)
    }
}
