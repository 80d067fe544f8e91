//! The crisis gate: every message is judged before any model sees it.
//!
//! Invariant: levels only rise within a session once they reach 3, and nothing here depends on an experiment.
//! This is the first gate: direct expressions as data, in many languages. It misses indirect and disguised ones.

mod engine;
pub mod output;
mod resources;
mod templates;

pub use engine::{Assessment, Evidence, Level, SafeExit, SafetyState, Tag, assess, rules_version};
pub use resources::{Resource, all as all_resources, for_country};
pub use templates::{CrisisResponse, response, supportive_note};
