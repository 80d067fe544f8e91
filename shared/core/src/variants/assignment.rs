//! Who gets what: once, at the session's start, and then pinned.

use super::{Category, Cohort, HASH_VERSION, Slot, Snapshot, TOTAL_WEIGHT, Variant, bucket};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};

/// Whom a session belongs to, as far as assignment may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Stable id of the person.
    pub id: &'a str,
    /// Whether this is their first session.
    pub is_new: bool,
    /// Whether they pay.
    pub is_paid: bool,
}

/// Why a variant was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The production default, or a draw from its pool.
    Default,
    /// Enrolled in a challenger.
    Split,
    /// Crisis: production only.
    CrisisDefault,
}

/// One category's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The variant.
    pub variant: String,
    /// Why.
    pub reason: Reason,
}

/// What a session is made of, frozen at its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The snapshot it was made from.
    pub snapshot_version: u64,
    /// The bucketing it was made with.
    pub hash_version: u16,
    /// One choice for each category.
    pub choices: BTreeMap<Category, Choice>,
}

impl Assignment {
    /// The variant of a category.
    #[must_use]
    pub fn variant(&self, category: Category) -> Option<&str> {
        self.choices.get(&category).map(|choice| choice.variant.as_str())
    }

    /// Variant by category name, as events and clients carry it.
    #[must_use]
    pub fn variants(&self) -> BTreeMap<String, String> {
        self.choices
            .iter()
            .map(|(category, choice)| (category.to_string(), choice.variant.clone()))
            .collect()
    }
}

impl Snapshot {
    /// Chooses a variant in every category.
    ///
    /// Each category is its own layer with its own salt, so that experiments do not disturb one another. LLM_MODEL and
    /// SYSTEM_PROMPT share one exclusion layer: half of the people can be in a model experiment, the other half in a
    /// prompt experiment, never one person in both, since an answer's quality could not be traced to either.
    #[must_use]
    pub fn assign(&self, subject: &Subject<'_>) -> Assignment {
        self.choose(|category| match self.enrolled(category, subject) {
            Some(variant) => Some((variant, Reason::Split)),
            None => Some((self.default_for(category, subject.id)?, Reason::Default)),
        })
    }

    /// Production in every category: what holds in a crisis, whatever is being tried.
    #[must_use]
    pub fn production_defaults(&self, subject_id: &str) -> Assignment {
        self.choose(|category| Some((self.default_for(category, subject_id)?, Reason::CrisisDefault)))
    }

    fn choose<'a>(&'a self, pick: impl Fn(Category) -> Option<(&'a Variant, Reason)>) -> Assignment {
        let choices = Category::ALL
            .into_iter()
            .filter_map(|category| {
                let (variant, reason) = pick(category)?;
                Some((category, Choice { variant: variant.id.clone(), reason }))
            })
            .collect();
        Assignment { snapshot_version: self.version(), hash_version: HASH_VERSION, choices }
    }

    fn enrolled(&self, category: Category, subject: &Subject<'_>) -> Option<&Variant> {
        if let Some(side) = exclusion_side(category)
            && side != bucket(&format!("MODEL_PROMPT.exclusion.v1:{}", subject.id), 2)
        {
            return None;
        }
        let position = bucket(&format!("{category}.v1:{}", subject.id), TOTAL_WEIGHT);
        self.challengers(category)
            .filter(|variant| variant.cohorts.iter().any(|cohort| admits(*cohort, subject)))
            .find(|variant| {
                let share = variant.rollout_basis_points();
                match variant.slot {
                    Slot::Low => position < share,
                    Slot::High => position >= TOTAL_WEIGHT.saturating_sub(share),
                }
            })
    }

    fn default_for(&self, category: Category, subject_id: &str) -> Option<&Variant> {
        let size = u32::try_from(self.defaults(category).count()).unwrap_or(1);
        let at = bucket(&format!("{category}.pool.v1:{subject_id}"), size.max(1));
        self.defaults(category).nth(usize::try_from(at).unwrap_or(0))
    }
}

fn exclusion_side(category: Category) -> Option<u32> {
    match category {
        Category::LlmModel => Some(0),
        Category::SystemPrompt => Some(1),
        _ => None,
    }
}

fn admits(cohort: Cohort, subject: &Subject<'_>) -> bool {
    match cohort {
        Cohort::All => true,
        Cohort::NewUsers => subject.is_new,
        Cohort::Returning => !subject.is_new,
        Cohort::Paid => subject.is_paid,
        Cohort::Free => !subject.is_paid,
    }
}
