//! From a snapshot and a command to the next snapshot.

use super::command::{Command, Target, find};
use super::{Actor, ActorKind, Refusal};
use crate::pipeline::evidence;
use crate::statistics::{CrisisEvidence, Replay};
use crate::time::rfc3339;
use crate::variants::{Category, Cohort, Slot, Snapshot, Status, Variant};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Longest description, in characters.
const DESCRIPTION_CHARS: usize = 200;

/// What changed, as the audit log keeps it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The rows as they were; a new variant has none.
    pub before: Vec<Variant>,
    /// The rows as they are.
    pub after: Vec<Variant>,
    /// The switched-off categories before, where they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed_before: Option<BTreeSet<Category>>,
    /// The switched-off categories after, where they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed_after: Option<BTreeSet<Category>>,
}

/// The last change of a variant, for [`Command::Rollback`].
pub type Undo = Change;

/// Makes the change. The next snapshot obeys every rule of the registry, or there is none.
///
/// `undo` is the last change that touched the target; only a rollback reads it.
///
/// # Errors
/// [`Refusal`]: nothing changes then.
pub fn apply(
    snapshot: &Snapshot,
    command: &Command,
    expected_version: Option<u64>,
    undo: Option<&Undo>,
    actor: &Actor,
    now_ms: u64,
) -> Result<(Snapshot, Change), Refusal> {
    if let (Some(expected), Some(target)) = (expected_version, command.target()) {
        let current = find(snapshot, target)?.version;
        if current != expected {
            return Err(Refusal::Stale { current });
        }
    }
    let now = rfc3339(now_ms);
    if let Command::Kill { categories, off } = command {
        return kill(snapshot, categories, *off);
    }
    let rows = match command {
        Command::Create {
            target,
            description,
            config,
            cohorts,
        } => alloc::vec![create(snapshot, target, description, config, cohorts, actor, &now)?],
        Command::Rollback { target } => rollback(snapshot, target, undo)?,
        command => changed(snapshot, command, actor)?,
    };
    finish(snapshot, rows, &now)
}

/// Puts the rows into the registry, counts versions up and checks the whole.
fn finish(snapshot: &Snapshot, rows: Vec<Variant>, now: &str) -> Result<(Snapshot, Change), Refusal> {
    let mut variants = snapshot.variants().to_vec();
    let mut change = Change::default();
    for mut row in rows {
        let place = variants
            .iter_mut()
            .find(|variant| variant.category == row.category && variant.id == row.id);
        match place {
            Some(place) => {
                // Evidence alone is no change of the variant: nobody's version is stale by it, and a rollback still works.
                let metrics = place.metrics.clone();
                if (Variant { metrics, ..row.clone() }) != *place {
                    row.version = place.version.saturating_add(1);
                    row.updated_at = now.into();
                }
                change.before.push(place.clone());
                *place = row.clone();
            }
            None => {
                row.updated_at = now.into();
                variants.push(row.clone());
            }
        }
        change.after.push(row);
    }
    let next = Snapshot::new(snapshot.version().saturating_add(1), variants)?;
    Ok((next.with_killed(snapshot.killed().clone()), change))
}

fn kill(snapshot: &Snapshot, categories: &BTreeSet<Category>, off: bool) -> Result<(Snapshot, Change), Refusal> {
    if categories.is_empty() {
        return Err(Refusal::Invalid("name at least one category"));
    }
    let before = snapshot.killed().clone();
    let after: BTreeSet<Category> = if off {
        before.union(categories).copied().collect()
    } else {
        before.difference(categories).copied().collect()
    };
    if after == before {
        return Err(Refusal::NotAllowed("nothing would change"));
    }
    let next = Snapshot::new(snapshot.version().saturating_add(1), snapshot.variants().to_vec())?;
    let change = Change {
        killed_before: Some(before),
        killed_after: Some(after.clone()),
        ..Change::default()
    };
    Ok((next.with_killed(after), change))
}

fn check_description(description: &str) -> Result<(), Refusal> {
    let chars = description.trim().chars().count();
    if (1..=DESCRIPTION_CHARS).contains(&chars) && !description.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::Invalid("description must be 1 to 200 characters on one line"))
    }
}

/// Each once, in a fixed order: a list that says the same is the same.
fn check_cohorts(cohorts: &[Cohort]) -> Result<Vec<Cohort>, Refusal> {
    let set: BTreeSet<Cohort> = cohorts.iter().copied().collect();
    if set.is_empty() {
        return Err(Refusal::Invalid("name at least one cohort; to stop enrolment, pause"));
    }
    Ok(set.into_iter().collect())
}

fn create(
    snapshot: &Snapshot,
    target: &Target,
    description: &str,
    config: &Value,
    cohorts: &[Cohort],
    actor: &Actor,
    now: &str,
) -> Result<Variant, Refusal> {
    if snapshot.variant(target.category, &target.id).is_some() {
        return Err(Refusal::Exists);
    }
    check_description(description)?;
    target.category.validate_config(config)?;
    Ok(Variant {
        id: target.id.clone(),
        category: target.category,
        description: description.trim().into(),
        status: Status::Experimental,
        rollout_percent: 0.0,
        cohorts: check_cohorts(cohorts)?,
        slot: Slot::Low,
        config: config.clone(),
        metrics: json!({}),
        created_at: now.into(),
        updated_at: String::new(),
        created_by: actor.id.clone(),
        version: 1,
    })
}

/// The rows that a command on an existing variant changes.
fn changed(snapshot: &Snapshot, command: &Command, actor: &Actor) -> Result<Vec<Variant>, Refusal> {
    let Some(target) = command.target() else {
        return Ok(Vec::new());
    };
    let old = find(snapshot, target)?;
    if old.status == Status::Retired && !command.is_evidence() {
        return Err(Refusal::NotAllowed("the variant is retired"));
    }
    let mut new = old.clone();
    let mut others = Vec::new();
    match command {
        Command::Edit {
            description, config, ..
        } => {
            if let Some(description) = description {
                check_description(description)?;
                new.description = description.trim().into();
            }
            if let Some(config) = config {
                target.category.validate_config(config)?;
                if new.config != *config {
                    // What was found out is about another configuration.
                    forget_evidence(&mut new);
                }
                new.config = config.clone();
            }
        }
        Command::Rollout { percent, .. } => roll_out(snapshot, &mut new, *percent)?,
        Command::Cohorts { cohorts, .. } => new.cohorts = check_cohorts(cohorts)?,
        Command::Promote { .. } => others = promote(snapshot, &mut new)?,
        Command::Demote { .. } => {
            leave_production(snapshot, old)?;
            new.status = Status::Experimental;
            new.rollout_percent = 0.0;
        }
        Command::Pause { .. } => {
            if !old.is_challenger() {
                return Err(Refusal::NotAllowed("it takes no traffic from production"));
            }
            new.rollout_percent = 0.0;
        }
        Command::Retire { .. } => {
            leave_production(snapshot, old)?;
            new.status = Status::Retired;
            new.rollout_percent = 0.0;
        }
        Command::Replay { cases, new_misses, .. } => {
            if *cases == 0 || new_misses > cases {
                return Err(Refusal::Invalid("a replay has cases, and at most so many misses"));
            }
            let replay = Some(Replay {
                cases: *cases,
                new_misses: *new_misses,
            });
            put_evidence(
                &mut new,
                CrisisEvidence {
                    replay,
                    ..evidence(old)
                },
            );
            if *new_misses > 0 && old.is_challenger() {
                new.status = Status::Experimental;
                new.rollout_percent = 0.0;
            }
        }
        Command::LiveMiss { .. } => {
            if actor.kind != ActorKind::User {
                return Err(Refusal::Forbidden("only a person can confirm a missed crisis"));
            }
            let known = evidence(old);
            let confirmed_live_misses = known.confirmed_live_misses.saturating_add(1);
            put_evidence(
                &mut new,
                CrisisEvidence {
                    confirmed_live_misses,
                    ..known
                },
            );
            // Where it is all that production has, a person has to promote another or roll back.
            if matches!(old.status, Status::Experimental | Status::Staged)
                || (old.status == Status::Production && leave_production(snapshot, old).is_ok())
            {
                new.status = Status::Experimental;
                new.rollout_percent = 0.0;
            }
        }
        Command::Create { .. } | Command::Rollback { .. } | Command::Kill { .. } => {}
    }
    if new == *old {
        return Err(Refusal::NotAllowed("nothing would change"));
    }
    others.push(new);
    Ok(others)
}

/// The key of a variant's metrics under which [`evidence`] is.
const CRISIS: &str = "crisis";

fn put_evidence(variant: &mut Variant, evidence: CrisisEvidence) {
    if !variant.metrics.is_object() {
        variant.metrics = json!({});
    }
    if let Some(metrics) = variant.metrics.as_object_mut() {
        metrics.insert(CRISIS.into(), json!(evidence));
    }
}

fn forget_evidence(variant: &mut Variant) {
    if let Some(metrics) = variant.metrics.as_object_mut() {
        metrics.remove(CRISIS);
    }
}

fn roll_out(snapshot: &Snapshot, variant: &mut Variant, percent: f64) -> Result<(), Refusal> {
    if !(0.0..=100.0).contains(&percent) {
        return Err(Refusal::Invalid("percent must be from 0 to 100"));
    }
    if variant.status == Status::Production {
        return Err(Refusal::NotAllowed("production has what its challengers leave"));
    }
    // Two challengers grow towards each other from the layer's ends.
    if !variant.is_challenger() {
        let is_taken = snapshot
            .challengers(variant.category)
            .any(|other| other.id != variant.id && other.slot == Slot::Low);
        variant.slot = if is_taken { Slot::High } else { Slot::Low };
    }
    variant.rollout_percent = percent;
    // Steps of 0.01, which is what the hash can tell apart.
    variant.rollout_percent = f64::from(variant.rollout_basis_points()) / 100.0;
    Ok(())
}

/// One step up; gives the production variant that makes room.
fn promote(snapshot: &Snapshot, variant: &mut Variant) -> Result<Vec<Variant>, Refusal> {
    match variant.status {
        Status::Experimental => {
            variant.status = Status::Staged;
            Ok(Vec::new())
        }
        Status::Staged => {
            variant.status = Status::Production;
            variant.rollout_percent = 100.0;
            if variant.category.is_pool() {
                return Ok(Vec::new());
            }
            let displaced = snapshot.defaults(variant.category).map(|old| Variant {
                status: Status::Staged,
                rollout_percent: 0.0,
                ..old.clone()
            });
            Ok(displaced.collect())
        }
        Status::Production => Err(Refusal::NotAllowed("it is in production")),
        Status::Retired => Err(Refusal::NotAllowed("the variant is retired")),
    }
}

/// Refuses to leave a category without production.
fn leave_production(snapshot: &Snapshot, variant: &Variant) -> Result<(), Refusal> {
    if variant.status == Status::Production && snapshot.defaults(variant.category).count() < 2 {
        return Err(Refusal::NotAllowed(
            "it is the category's only production variant: roll back, or promote another",
        ));
    }
    Ok(())
}

/// The rows of the last change as they were before it; what does not return to production takes no traffic, and what
/// was promoted by it goes back to experimental, so that running sessions leave it too.
fn rollback(snapshot: &Snapshot, target: &Target, undo: Option<&Undo>) -> Result<Vec<Variant>, Refusal> {
    find(snapshot, target)?;
    let undo = undo.ok_or(Refusal::NotAllowed("there is no change to undo"))?;
    for after in &undo.after {
        let current = find(
            snapshot,
            &Target {
                category: after.category,
                id: after.id.clone(),
            },
        )?;
        if current.version != after.version {
            return Err(Refusal::NotAllowed("another variant of that change was changed since"));
        }
    }
    let rows = undo.after.iter().map(|after| {
        let before = undo
            .before
            .iter()
            .find(|before| before.id == after.id && before.category == after.category);
        // What was found out meanwhile about this configuration stays known.
        let known = |row: Variant| {
            let current = snapshot.variant(row.category, &row.id);
            match current.filter(|current| current.config == row.config) {
                Some(current) => Variant {
                    metrics: current.metrics.clone(),
                    ..row
                },
                None => row,
            }
        };
        let row = match before {
            None => Variant {
                status: Status::Retired,
                rollout_percent: 0.0,
                ..after.clone()
            },
            Some(before) if before.status == Status::Production => before.clone(),
            Some(before) => Variant {
                status: if after.status == Status::Production {
                    Status::Experimental
                } else {
                    before.status
                },
                rollout_percent: 0.0,
                ..before.clone()
            },
        };
        known(row)
    });
    Ok(rows.collect())
}
