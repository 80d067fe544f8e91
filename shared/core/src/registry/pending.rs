//! Changes that wait: for a second word, then for the cool-down.

use super::{Actor, ActorKind, Command, Needs, Refusal, Sign};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// A critical change takes effect this long after its confirmation, milliseconds.
pub const COOL_DOWN_MS: u64 = 5 * 60_000;
/// A change that nobody signs is forgotten after this, milliseconds.
pub const WAITING_MS: u64 = 7 * 86_400_000;

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// For a second word.
    Waiting,
    /// It takes effect at `due_at_ms`, unless it is cancelled.
    Cooling,
    /// It took effect.
    Applied,
    /// Somebody took it back.
    Cancelled,
    /// Nobody signed it in time.
    Expired,
    /// When it fell due, the registry had moved on.
    Refused,
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its id.
    pub id: String,
    /// What is to change.
    pub command: Command,
    /// The version of the variant that the author saw.
    pub expected_version: Option<u64>,
    /// What it waits for.
    pub needs: Needs,
    /// Who asked.
    pub author: Actor,
    /// Why.
    pub reason: String,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
    /// How far it is.
    pub state: State,
    /// Who signed.
    pub signed_by: Option<String>,
    /// When it takes effect or, while it waits, is forgotten; milliseconds since 1970.
    pub due_at_ms: u64,
}

impl Pending {
    /// A change that waits for its second word.
    #[must_use]
    pub fn new(
        id: String,
        command: Command,
        expected_version: Option<u64>,
        needs: Needs,
        author: Actor,
        reason: String,
        now_ms: u64,
    ) -> Self {
        Self {
            id,
            command,
            expected_version,
            needs,
            author,
            reason,
            created_at_ms: now_ms,
            state: State::Waiting,
            signed_by: None,
            due_at_ms: now_ms.saturating_add(WAITING_MS),
        }
    }

    /// Whether anything can still become of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Cooling)
    }

    /// The second word. The change then cools down, or is due at once.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a program, and for the author where another person is needed;
    /// [`Refusal::NotAllowed`] where it waits for no word.
    pub fn sign(&mut self, actor: &Actor, now_ms: u64, cool_down_ms: u64) -> Result<(), Refusal> {
        if self.state != State::Waiting || now_ms >= self.due_at_ms {
            return Err(Refusal::NotAllowed("it does not wait for a confirmation"));
        }
        if actor.kind != ActorKind::User {
            return Err(Refusal::Forbidden("only a person can confirm a change"));
        }
        if self.needs.sign == Sign::Another && actor.id == self.author.id {
            return Err(Refusal::Forbidden("the author of a promotion cannot approve it"));
        }
        self.signed_by = Some(actor.id.clone());
        self.state = State::Cooling;
        let wait_ms = if self.needs.cool_down { cool_down_ms } else { 0 };
        self.due_at_ms = now_ms.saturating_add(wait_ms);
        Ok(())
    }

    /// Takes it back: anybody may, at any time before it takes effect.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] where it is over.
    pub fn cancel(&mut self) -> Result<(), Refusal> {
        if !self.is_open() {
            return Err(Refusal::NotAllowed("it is over"));
        }
        self.state = State::Cancelled;
        Ok(())
    }

    /// Whether its time has come: to take effect where it cools down, to be forgotten where it waits.
    #[must_use]
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.is_open() && now_ms >= self.due_at_ms
    }
}
