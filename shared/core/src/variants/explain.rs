//! Why a person has a variant, in figures and in words.
//!
//! Invariant: the answer comes from the same layer as the assignment, never from a second opinion.

use super::{Category, Cohort, Exclusion, Reason, Snapshot, Subject, VariantId};
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// What became of a challenger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person is in it.
    Enrolled,
    /// The person's bucket is not in its share.
    OutsideShare,
    /// The bucket is in its share, and the person is in none of its cohorts.
    OutsideCohorts,
    /// The person is kept for experiments of a category that excludes this one.
    Excluded,
    /// The category's experiments are switched off.
    SwitchedOff,
}

/// A challenger, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The challenger.
    pub variant: VariantId,
    /// First bucket of its share.
    pub from_bucket: u32,
    /// First bucket after its share.
    pub to_bucket: u32,
    /// Who may be enrolled.
    pub cohorts: Vec<Cohort>,
    /// What became of it.
    pub outcome: Outcome,
}

/// The choice of one category and all that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explain {
    /// The category.
    pub category: Category,
    /// The variant that the person gets.
    pub variant: VariantId,
    /// Why.
    pub reason: Reason,
    /// Salt of the split.
    pub salt: &'static str,
    /// The person's bucket in the split, 0 to 9,999.
    pub bucket: u32,
    /// The cohorts that the person is in.
    pub cohorts: Vec<Cohort>,
    /// The enrolment that this category shares with another.
    pub exclusion: Option<Exclusion>,
    /// Every challenger that takes traffic.
    pub candidates: Vec<Candidate>,
}

impl Snapshot {
    /// Why a person has a variant, overrides aside; a snapshot that was parsed answers for every category.
    #[must_use]
    pub fn explain(&self, subject: &Subject<'_>, category: Category) -> Option<Explain> {
        let layer = self.layer(category)?;
        let (variant, reason) = self.chosen(category, subject)?;
        let bucket = layer.position(subject.id);
        let is_open = layer.is_open_to(subject.id);
        let candidates = layer
            .arms
            .iter()
            .map(|arm| Candidate {
                variant: arm.id.clone(),
                from_bucket: arm.share.start,
                to_bucket: arm.share.end,
                cohorts: arm.cohorts.clone(),
                outcome: match (is_open, arm.share.contains(&bucket), arm.admits(subject)) {
                    _ if layer.killed => Outcome::SwitchedOff,
                    (false, _, _) => Outcome::Excluded,
                    (true, false, _) => Outcome::OutsideShare,
                    (true, true, false) => Outcome::OutsideCohorts,
                    (true, true, true) => Outcome::Enrolled,
                },
            })
            .collect();
        Some(Explain {
            category,
            variant: variant.clone(),
            reason,
            salt: category.salt(),
            bucket,
            cohorts: Cohort::of(subject),
            exclusion: category.exclusion(),
            candidates,
        })
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: bucket {}", self.category, self.variant, self.bucket)?;
        if self.candidates.is_empty() {
            f.write_str(", nothing is being tried")?;
        }
        for candidate in &self.candidates {
            let outcome = match candidate.outcome {
                Outcome::Enrolled => "enrolled",
                Outcome::OutsideShare => "outside its share",
                Outcome::OutsideCohorts => "outside its cohorts",
                Outcome::Excluded => "kept for another category's experiments",
                Outcome::SwitchedOff => "switched off",
            };
            let (from, to) = (candidate.from_bucket, candidate.to_bucket);
            write!(f, "; {} has {from}..{to}: {outcome}", candidate.variant)?;
        }
        Ok(())
    }
}
