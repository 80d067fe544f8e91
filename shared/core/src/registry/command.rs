//! What an admin may ask, and what each wish needs before it takes effect.

use super::Refusal;
use crate::variants::{Category, Cohort, Snapshot, Status, Variant, VariantId};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Shortest and longest reason, in characters.
pub const REASON_CHARS: (usize, usize) = (3, 500);
/// A change of a share by more than this has to be confirmed, in basis points.
const LARGE_STEP: u32 = 2_500;

/// A variant's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The category.
    pub category: Category,
    /// The id within it.
    pub id: VariantId,
}

impl core::fmt::Display for Target {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.category, self.id)
    }
}

/// One change of the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Command {
    /// A new variant: experimental, without traffic.
    Create {
        /// Its name.
        target: Target,
        /// For people.
        description: String,
        /// What the product reads.
        config: Value,
        /// Who may be enrolled later.
        cohorts: Vec<Cohort>,
    },
    /// Another description or configuration.
    Edit {
        /// Which.
        target: Target,
        /// The new one, if it changes.
        description: Option<String>,
        /// The new one, whole, if it changes.
        config: Option<Value>,
    },
    /// Another share of the traffic.
    Rollout {
        /// Which.
        target: Target,
        /// 0 to 100.
        percent: f64,
    },
    /// Other cohorts.
    Cohorts {
        /// Which.
        target: Target,
        /// At least one.
        cohorts: Vec<Cohort>,
    },
    /// One step up: experimental, staged, production.
    Promote {
        /// Which.
        target: Target,
    },
    /// Back to experimental, without traffic.
    Demote {
        /// Which.
        target: Target,
    },
    /// No traffic for now; the status stays.
    Pause {
        /// Which.
        target: Target,
    },
    /// Undoes the last change of the variant.
    Rollback {
        /// Which.
        target: Target,
    },
    /// The end of its life.
    Retire {
        /// Which.
        target: Target,
    },
    /// What the labelled corpus showed, played through the variant's configuration.
    Replay {
        /// Which.
        target: Target,
        /// Cases played.
        cases: u64,
        /// Cases that production catches and the variant does not.
        new_misses: u64,
    },
    /// A crisis of a live session that the variant did not catch, as a person confirms. A canary goes back at once.
    LiveMiss {
        /// Which.
        target: Target,
    },
    /// Switches the experiments of categories off or on again, for everybody, in running sessions too.
    Kill {
        /// Which.
        categories: BTreeSet<Category>,
        /// Off, or on again.
        off: bool,
    },
}

/// Whose second word a change needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Nobody's: it takes effect at once.
    None,
    /// Anybody's, the author's included: a second, deliberate step.
    Again,
    /// Another person's: the author cannot approve it.
    Another,
}

/// What a change needs before it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// `confirm` in the request itself.
    pub confirm: bool,
    /// A second step.
    pub sign: Sign,
    /// The cool-down after it, during which it can be cancelled.
    pub cool_down: bool,
}

impl Command {
    /// The action's name, as the audit log has it.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Edit { .. } => "edit",
            Self::Rollout { .. } => "rollout",
            Self::Cohorts { .. } => "cohorts",
            Self::Promote { .. } => "promote",
            Self::Demote { .. } => "demote",
            Self::Pause { .. } => "pause",
            Self::Rollback { .. } => "rollback",
            Self::Retire { .. } => "retire",
            Self::Replay { .. } => "replay",
            Self::LiveMiss { .. } => "live-miss",
            Self::Kill { off: true, .. } => "kill",
            Self::Kill { off: false, .. } => "revive",
        }
    }

    /// The variant that it is about, if it is about one.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Create { target, .. }
            | Self::Edit { target, .. }
            | Self::Rollout { target, .. }
            | Self::Cohorts { target, .. }
            | Self::Promote { target }
            | Self::Demote { target }
            | Self::Pause { target }
            | Self::Rollback { target }
            | Self::Replay { target, .. }
            | Self::LiveMiss { target }
            | Self::Retire { target } => Some(target),
            Self::Kill { .. } => None,
        }
    }

    /// What it is about, as the audit log has it.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Kill { categories, .. } => {
                let names: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
                names.join(",")
            }
            command => command
                .target()
                .map(|target| alloc::format!("{target}"))
                .unwrap_or_default(),
        }
    }

    /// Whether it only adds to what is known of a variant: the version that others saw stays.
    pub(super) fn is_evidence(&self) -> bool {
        matches!(self, Self::Replay { .. } | Self::LiveMiss { .. })
    }

    /// Whether it must carry the version that its author saw. What takes traffic away never waits for that.
    #[must_use]
    pub fn needs_version(&self) -> bool {
        matches!(
            self,
            Self::Edit { .. } | Self::Rollout { .. } | Self::Cohorts { .. } | Self::Promote { .. }
        )
    }

    /// What it needs before it takes effect.
    ///
    /// A step above 25 points is confirmed in the request. What goes to production is approved by another person.
    /// A change of what a [critical](Category::is_critical) variant that people may meet says, or of how many meet it,
    /// is signed a second time and cools down. What only takes traffic away is immediate.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn needs(&self, snapshot: &Snapshot) -> Result<Needs, Refusal> {
        let at_once = Needs {
            confirm: false,
            sign: Sign::None,
            cool_down: false,
        };
        let Some(target) = self.target() else {
            return Ok(at_once);
        };
        if matches!(self, Self::Create { .. }) {
            return Ok(at_once);
        }
        let variant = find(snapshot, target)?;
        let is_critical = target.category.is_critical();
        let again = Needs {
            sign: if is_critical { Sign::Again } else { Sign::None },
            cool_down: is_critical,
            ..at_once
        };
        Ok(match self {
            Self::Edit { config: Some(_), .. } | Self::Cohorts { .. } => again,
            Self::Rollout { percent, .. } => {
                let now = variant.rollout_basis_points();
                let wished = basis_points(*percent);
                let confirm = wished.abs_diff(now) > LARGE_STEP;
                let rest = if wished > now { again } else { at_once };
                Needs { confirm, ..rest }
            }
            Self::Promote { .. } if variant.status == Status::Staged => Needs {
                sign: Sign::Another,
                ..again
            },
            Self::Promote { .. } => again,
            _ => at_once,
        })
    }
}

/// The share in basis points; out of range where it is no share.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates, and apply checks the range"
)]
fn basis_points(percent: f64) -> u32 {
    (percent * 100.0 + 0.5) as u32
}

pub(super) fn find<'a>(snapshot: &'a Snapshot, target: &Target) -> Result<&'a Variant, Refusal> {
    snapshot
        .variant(target.category, &target.id)
        .ok_or(Refusal::NotFound("variant"))
}

/// Checks a reason: every change has one, on one line, for whoever reads the log later.
///
/// # Errors
/// [`Refusal::Invalid`].
pub fn check_reason(reason: &str) -> Result<(), Refusal> {
    let (min, max) = REASON_CHARS;
    let chars = reason.trim().chars().count();
    if (min..=max).contains(&chars) && !reason.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::Invalid("reason must be 3 to 500 characters on one line"))
    }
}
