//! The audit log: every change and its reason, chained by hashes, so that no entry can be altered, dropped or slipped in
//! without the chain telling.

use alloc::format;
use alloc::string::String;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What the first entry follows.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// RFC 3339.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// Before and after, JSON.
    pub detail: String,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up from 1 without gaps.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// Before and after: JSON, kept as the text that was hashed.
    pub detail: String,
    /// Hash of the entry before.
    pub prev_hash: String,
    /// SHA-256 over `prev_hash` and the canonical form of this entry, hexadecimal.
    pub hash: String,
}

/// Where a chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Broken {
    /// An entry is missing, or one too many.
    #[error("entry {0} is not where it should be")]
    Gap(u64),
    /// It does not follow the entry before it.
    #[error("entry {0} does not follow the one before it")]
    Link(u64),
    /// Its content is not what was hashed.
    #[error("entry {0} was altered")]
    Altered(u64),
}

impl Entry {
    /// The next entry after one of sequence `seq` and hash `prev_hash` (0 and [`GENESIS`] at the start).
    #[must_use]
    pub fn after(seq: u64, prev_hash: &str, draft: Draft) -> Self {
        let mut entry = Self {
            seq: seq.saturating_add(1),
            at: draft.at,
            actor: draft.actor,
            action: draft.action,
            subject: draft.subject,
            reason: draft.reason,
            detail: draft.detail,
            prev_hash: prev_hash.into(),
            hash: String::new(),
        };
        entry.hash = entry.digest();
        entry
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let seq = format!("{}", self.seq);
        // Each part with its length: no two entries have one canonical form.
        for part in [
            &self.prev_hash,
            &seq,
            &self.at,
            &self.actor,
            &self.action,
            &self.subject,
            &self.reason,
            &self.detail,
        ] {
            hash.update(format!("{}:", part.len()));
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Walks a chain, entry by entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    /// The last sequence that held.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: GENESIS.into(),
        }
    }
}

impl Verifier {
    /// Checks the next entry.
    ///
    /// # Errors
    /// [`Broken`] where the chain does not hold.
    pub fn push(&mut self, entry: &Entry) -> Result<(), Broken> {
        if entry.seq != self.seq.saturating_add(1) {
            return Err(Broken::Gap(entry.seq));
        }
        if entry.prev_hash != self.hash {
            return Err(Broken::Link(entry.seq));
        }
        if entry.hash != entry.digest() {
            return Err(Broken::Altered(entry.seq));
        }
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }
}
