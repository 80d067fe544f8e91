//! Why a change is not made. Nothing has happened then.

use crate::variants::{ConfigError, SnapshotError};
use alloc::string::String;
use thiserror::Error;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such variant or change.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The id is taken.
    #[error("the category has a variant of this id")]
    Exists,
    /// Somebody was faster: the version that the caller saw is not the current one.
    #[error("it was changed since: the version is now {current}")]
    Stale {
        /// The current version.
        current: u64,
    },
    /// The configuration is not what the category takes.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A value is out of range.
    #[error("{0}")]
    Invalid(&'static str),
    /// The state forbids it.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// A rule of the registry as a whole forbids it.
    #[error("{0}")]
    Registry(#[from] SnapshotError),
    /// It has to be said twice.
    #[error("{0}")]
    Unconfirmed(&'static str),
    /// This actor may not.
    #[error("{0}")]
    Forbidden(&'static str),
}

impl Refusal {
    /// The reason for people.
    #[must_use]
    pub fn detail(&self) -> String {
        alloc::format!("{self}")
    }
}
