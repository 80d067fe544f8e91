//! Who asks.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person.
    User,
    /// A program with a service token. It may ask, and never sign for another.
    Service,
    /// The platform itself: a change that fell due, a demotion.
    System,
}

/// Somebody whose identity was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A person's address, a service token's name, or `system`.
    pub id: String,
    /// The kind.
    pub kind: ActorKind,
}

impl Actor {
    /// The platform itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            id: "system".into(),
            kind: ActorKind::System,
        }
    }
}
