//! Who gets what: once, at the session's start, and then pinned.

use super::{Category, Cohort, HASH_VERSION, Snapshot, Status, VariantId};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
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

/// What a tester asks to see, by category.
pub type Overrides = BTreeMap<Category, VariantId>;

/// Why a variant was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The production default, or a draw from its pool.
    Default,
    /// Enrolled in a challenger.
    Split,
    /// A tester asked for it; the session belongs in no analysis of this category.
    Override,
    /// Crisis: production only.
    CrisisDefault,
    /// What was pinned was withdrawn since: production instead.
    Withdrawn,
    /// A budget ran low: something cheaper answered for the variant.
    Degraded,
}

/// One category's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The variant.
    pub variant: VariantId,
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
    /// The cohorts that the person was in at enrolment; none in a crisis, where they play no part.
    // Sessions that were stored before cohorts were kept have none.
    #[serde(default)]
    pub cohorts: Vec<Cohort>,
    /// One choice for each category.
    pub choices: BTreeMap<Category, Choice>,
}

impl Assignment {
    /// The id of a category's variant.
    #[must_use]
    pub fn get(&self, category: Category) -> Option<&VariantId> {
        self.choices.get(&category).map(|choice| &choice.variant)
    }

    /// The id of a category's variant, as text.
    #[must_use]
    pub fn variant(&self, category: Category) -> Option<&str> {
        self.get(category).map(VariantId::as_str)
    }

    /// Variant by category name, as events and clients carry it.
    #[must_use]
    pub fn variants(&self) -> BTreeMap<String, String> {
        self.choices
            .iter()
            .map(|(category, choice)| (category.to_string(), choice.variant.to_string()))
            .collect()
    }

    /// Why, by category name, where it is not the plain default.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<String, Reason> {
        self.choices
            .iter()
            .filter(|(_, choice)| choice.reason != Reason::Default)
            .map(|(category, choice)| (category.to_string(), choice.reason))
            .collect()
    }
}

impl Snapshot {
    /// Chooses a variant in every category.
    ///
    /// Each category is its own layer with its own salt, so that experiments do not disturb one another. LLM_MODEL and
    /// SYSTEM_PROMPT share one [exclusion](Category::exclusion): half of the people can be in a model experiment, the
    /// other half in a prompt experiment, never one person in both.
    #[must_use]
    pub fn assign(&self, subject: &Subject<'_>) -> Assignment {
        self.assign_with(subject, &Overrides::new())
    }

    /// [`Snapshot::assign`], with a tester's wishes first.
    ///
    /// A wish for a variant that is unknown or retired is ignored: nothing retired runs again by an old link. Wishes
    /// never reach [`Snapshot::production_defaults`].
    #[must_use]
    pub fn assign_with(&self, subject: &Subject<'_>, overrides: &Overrides) -> Assignment {
        self.choose(Cohort::of(subject), |category| {
            self.overridden(category, overrides)
                .map(|id| (id, Reason::Override))
                .or_else(|| self.chosen(category, subject))
        })
    }

    /// Production in every category: what holds in a crisis, whatever is being tried and whoever asks.
    ///
    /// The id only draws from the pool, so that the person keeps the form that they know.
    #[must_use]
    pub fn production_defaults(&self, subject_id: &str) -> Assignment {
        self.choose(Vec::new(), |category| {
            Some((self.layer(category)?.default_for(subject_id)?, Reason::CrisisDefault))
        })
    }

    /// What holds now of an assignment that was pinned earlier.
    ///
    /// A choice stays for the session's life, so that nobody's companion changes in mid-talk, except where it was
    /// withdrawn: a challenger that takes no traffic any more or whose category is switched off, and anything that was
    /// retired or sent back to experimental. Production that was superseded in good order stays: it does no harm.
    #[must_use]
    pub fn in_force(&self, pinned: &Assignment, subject_id: &str) -> Assignment {
        let choices = Category::ALL
            .into_iter()
            .filter_map(|category| {
                let held = pinned
                    .choices
                    .get(&category)
                    .filter(|choice| self.holds(category, choice));
                let choice = held.cloned().or_else(|| {
                    let variant = self.layer(category)?.default_for(subject_id)?.clone();
                    Some(Choice {
                        variant,
                        reason: Reason::Withdrawn,
                    })
                })?;
                Some((category, choice))
            })
            .collect();
        Assignment {
            snapshot_version: self.version(),
            choices,
            ..pinned.clone()
        }
    }

    fn holds(&self, category: Category, choice: &Choice) -> bool {
        let Some(variant) = self.variant(category, &choice.variant) else {
            return false;
        };
        let is_on = !self.killed().contains(&category);
        match (variant.status, choice.reason) {
            (Status::Retired, _) => false,
            (_, Reason::Override) | (Status::Production, _) => true,
            (_, Reason::Split) => is_on && variant.is_challenger(),
            (status, _) => status == Status::Staged,
        }
    }

    /// The choice of one category, without overrides.
    pub(super) fn chosen(&self, category: Category, subject: &Subject<'_>) -> Option<(&VariantId, Reason)> {
        let layer = self.layer(category)?;
        match layer.enrolled(subject) {
            Some(id) => Some((id, Reason::Split)),
            None => Some((layer.default_for(subject.id)?, Reason::Default)),
        }
    }

    fn overridden(&self, category: Category, overrides: &Overrides) -> Option<&VariantId> {
        let variant = self.variant(category, overrides.get(&category)?)?;
        (variant.status != Status::Retired).then_some(&variant.id)
    }

    fn choose<'a>(
        &'a self,
        cohorts: Vec<Cohort>,
        pick: impl Fn(Category) -> Option<(&'a VariantId, Reason)>,
    ) -> Assignment {
        let choices = Category::ALL
            .into_iter()
            .filter_map(|category| {
                let (id, reason) = pick(category)?;
                let variant = id.clone();
                Some((category, Choice { variant, reason }))
            })
            .collect();
        Assignment {
            snapshot_version: self.version(),
            hash_version: HASH_VERSION,
            cohorts,
            choices,
        }
    }
}
