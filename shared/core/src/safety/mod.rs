//! The crisis gate: every message is judged before any model sees it.
//!
//! Rules are data (`shared/core/safety`), compiled at build time. A message is read in views that undo disguises; rules
//! match words and frames; idioms and negations act only on what they cover; the session remembers.
//! Invariant: nothing here depends on an experiment, and a session that reached 3 stays there.

mod disguise;
mod engine;
mod fold;
mod matcher;
pub mod output;
mod resources;
pub mod script;
mod tables;
mod templates;
mod text;

pub use engine::{Assessment, Evidence, Level, SafeExit, SafetyState, Tag, assess_with};
pub use resources::{Resource, all as all_resources, for_country};
pub use tables::Tables;
pub use templates::{CrisisResponse, human_wanted, languages, response, supportive_note};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rules that were compiled in: tables of several languages each.
#[must_use]
pub fn rules() -> &'static [Tables<'static>] {
    RULES
}

/// Version of the rules: a hash over their data.
#[must_use]
pub fn rules_version() -> &'static str {
    RULES_VERSION
}

/// Judges a message in the light of its session. Never panics; time is linear in the message.
#[must_use]
pub fn assess(message: &str, state: &mut SafetyState) -> Assessment {
    Assessment {
        rules_version: RULES_VERSION.into(),
        ..assess_with(RULES, message, state)
    }
}
