//! The bronze layer: what arrived, line by line, by the hour of its turn, without a word that was said.
//!
//! Invariant: a record's place follows from the record alone, so that a rebuilt day reads that day's objects and no other.

use super::Day;
use super::day::HOUR_MS;
use crate::ids::{PersonId, SessionId};
use crate::turn::TurnEvent;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A turn ended.
    Turn {
        /// What happened.
        event: Box<TurnEvent>,
    },
    /// A person rated an answer.
    Feedback(Rating),
}

/// What a person thought of an answer; the latest counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The event of the turn.
    pub event_id: String,
    /// The session.
    pub session_id: SessionId,
    /// Its owner.
    pub person_id: PersonId,
    /// 0-1000.
    pub satisfaction_milli: u16,
    /// When it was given, milliseconds since 1970.
    pub at_ms: u64,
    /// When its turn was accepted: a rating belongs to the day of its turn.
    pub turn_at_ms: u64,
}

impl Record {
    /// When the turn was accepted, milliseconds since 1970.
    #[must_use]
    pub fn turn_at_ms(&self) -> u64 {
        match self {
            Self::Turn { event } => event.accepted_at_ms,
            Self::Feedback(rating) => rating.turn_at_ms,
        }
    }

    /// The event that it is or is about.
    #[must_use]
    pub fn event_id(&self) -> &str {
        match self {
            Self::Turn { event } => &event.event_id,
            Self::Feedback(rating) => &rating.event_id,
        }
    }

    /// Whose erasure takes it away: the session and its owner.
    #[must_use]
    pub fn subjects(&self) -> [&str; 2] {
        match self {
            Self::Turn { event } => [event.session_id.as_str(), event.person_id.as_str()],
            Self::Feedback(rating) => [rating.session_id.as_str(), rating.person_id.as_str()],
        }
    }
}

/// Hours since 1970: one folder of objects.
#[must_use]
pub fn hour_of(at_ms: u64) -> u64 {
    at_ms / HOUR_MS
}

/// Where the objects of a day are.
#[must_use]
pub fn day_prefix(day: Day) -> String {
    format!("bronze/dt={day}/")
}

/// Where the objects of an hour are.
#[must_use]
pub fn hour_prefix(hour: u64) -> String {
    let day = Day::of(hour.saturating_mul(HOUR_MS));
    format!("{}hour={:02}/", day_prefix(day), hour % 24)
}

/// The key of an object: the same records have the same key, so that what is delivered again overwrites itself.
/// `digest` is that of the uncompressed lines.
#[must_use]
pub fn key(hour: u64, first_event_id: &str, digest: &str) -> String {
    let first = first_event_id.replace([':', '/'], "-");
    format!("{}{first}-{digest}.ndjson.gz", hour_prefix(hour))
}

/// Records as lines.
///
/// # Errors
/// Where a record cannot be written as JSON.
pub fn to_lines<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for record in records {
        lines.extend(serde_json::to_vec(record)?);
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Lines as records.
///
/// # Errors
/// Where a line is no record; fields that this release does not know are passed over.
pub fn from_lines(lines: &[u8]) -> Result<Vec<Record>, serde_json::Error> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect()
}
