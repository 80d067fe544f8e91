//! The promotion of a canary: collect, test, ask a person, promote, tell.

use super::retry::{EFFECT_ATTEMPTS, effect_in_ms};
use crate::registry::{self, Actor, ActorKind, Target};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Times that sessions are collected before a run ends without an answer.
pub const MAX_ROUNDS: u32 = 10;
/// Notes that are kept; the oldest go first.
const NOTES: usize = 200;

/// How long it takes, fixed at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Time to collect sessions, again after each test that cannot tell yet; milliseconds.
    pub collect_ms: u64,
    /// Life of a link to approve, milliseconds.
    pub approval_ms: u64,
}

/// What a person is asked to approve: the variant at this version, as the registry stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The registry's version when it was tested.
    pub snapshot_version: u64,
    /// The variant's version when it was tested.
    pub variant_version: u64,
    /// When the link expires, milliseconds since 1970.
    pub expires_at_ms: u64,
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Whose; never the author's.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Names the request, so that the same one again hears the same.
    pub fingerprint: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum Ending {
    /// The variant is in production.
    Promoted,
    /// A test says that it must not be.
    Rejected {
        /// What stands against it.
        why: String,
    },
    /// The tests could not tell in all that time.
    Undecided {
        /// What is missing.
        why: String,
    },
    /// Nobody approved in time.
    Expired,
    /// Somebody took it back.
    Cancelled {
        /// Who.
        by: String,
    },
    /// The registry refused, or something was away for too long.
    Failed {
        /// What it said.
        why: String,
    },
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Sessions are collected.
    Collecting {
        /// Until then, milliseconds since 1970.
        until_ms: u64,
    },
    /// The comparison is read.
    Testing,
    /// A link is sent.
    Asking {
        /// What it is about.
        wanted: Wanted,
    },
    /// For a person.
    Waiting {
        /// What it is about.
        wanted: Wanted,
    },
    /// The author's promotion goes to the registry.
    Requesting {
        /// Of what.
        wanted: Wanted,
        /// By whom.
        approval: Approval,
    },
    /// The approver's confirmation goes to the registry.
    Signing {
        /// By whom.
        approval: Approval,
        /// The registry's change.
        change: String,
    },
    /// The change cools down.
    Settling {
        /// By whom.
        approval: Approval,
        /// The registry's change.
        change: String,
    },
    /// Whoever should know is told.
    Telling {
        /// How it ended.
        #[serde(flatten)]
        ending: Ending,
    },
    /// It is over.
    Ended {
        /// How it ended.
        #[serde(flatten)]
        ending: Ending,
    },
}

impl State {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Collecting { .. } => "collecting",
            Self::Testing => "testing",
            Self::Asking { .. } => "asking",
            Self::Waiting { .. } => "waiting",
            Self::Requesting { .. } => "requesting",
            Self::Signing { .. } => "signing",
            Self::Settling { .. } => "settling",
            Self::Telling { .. } => "telling",
            Self::Ended { .. } => "ended",
        }
    }

    fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Requesting { approval, .. } | Self::Signing { approval, .. } | Self::Settling { approval, .. } => {
                Some(approval)
            }
            _ => None,
        }
    }
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The state that was reached, or stayed in.
    pub state: String,
    /// What happened.
    pub what: String,
}

/// What has to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the comparison.
    Test,
    /// Send a link.
    Ask(Wanted),
    /// Order the promotion, as the author.
    Request(Wanted),
    /// Confirm it, as the approver.
    Sign {
        /// The change.
        change: String,
        /// Who.
        approval: Approval,
    },
    /// Look what became of the change.
    Look {
        /// The change.
        change: String,
    },
    /// Tell how it ended.
    Tell(Ending),
}

/// What a test says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing stands against it.
    Ready {
        /// The registry's version.
        snapshot_version: u64,
        /// The variant's version.
        variant_version: u64,
    },
    /// It cannot tell yet.
    Wait(String),
    /// It must not be promoted.
    Stop(String),
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Of [`Effect::Test`].
    Tested(Verdict),
    /// Of [`Effect::Ask`] and [`Effect::Tell`].
    Sent,
    /// Of [`Effect::Request`]: the change that waits.
    Requested(String),
    /// Of [`Effect::Sign`] and [`Effect::Look`]: how far the change is.
    Change(registry::State),
    /// It will never work: the registry said why.
    Refused(String),
    /// Something is away.
    Away(String),
}

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Its alarm rings.
    Rang,
    /// The effect of this key was done.
    Done {
        /// [`Run::key`] when it was begun.
        key: String,
        /// What became of it.
        answer: Answer,
    },
    /// A person follows the link.
    Approved {
        /// The link's round.
        round: u32,
        /// The link's version of the registry.
        snapshot_version: u64,
        /// The registry's version now.
        current_version: u64,
        /// Who, and why.
        approval: Approval,
    },
    /// Somebody takes it back.
    Cancelled {
        /// Who.
        by: String,
    },
}

/// Why an event is refused; the run is as it was, except where it says that it is asked anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The author asks.
    #[error("the author of a promotion cannot approve it")]
    Author,
    /// A program asks.
    #[error("only a person can approve a promotion")]
    Program,
    /// The link belongs to another round, was used, or the run waits for nobody.
    #[error("the link was used, or the run no longer waits for it")]
    Used,
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
    /// The registry is another one than that of the link: the run tests again and sends a new link.
    #[error("the registry was changed since the link was sent: the run tests again and sends a new one")]
    Moved,
    /// It is too late to take it back here.
    #[error("it is over, or the registry has it: there, cancel the change")]
    TooLate,
}

/// One promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The canary.
    pub target: Target,
    /// Who began it; the promotion is theirs.
    pub author: Actor,
    /// Why.
    pub reason: String,
    /// Where links lead: scheme and host of whoever began it.
    pub origin: String,
    /// How long it takes.
    pub plan: Plan,
    /// When it began, milliseconds since 1970.
    pub created_at_ms: u64,
    /// Tests so far, this one included.
    pub round: u32,
    /// Counts changes of this record.
    pub seq: u64,
    /// Failures of the effect that is to be done now.
    pub failures: u32,
    /// The effect waits until then, milliseconds since 1970.
    pub retry_at_ms: u64,
    /// How far it is.
    #[serde(flatten)]
    pub state: State,
    /// What happened.
    pub notes: Vec<Note>,
    /// The request that was approved, for whoever repeats it.
    pub approved_by: Option<Approval>,
}

impl Run {
    /// A run that begins to collect.
    #[must_use]
    pub fn new(
        id: String,
        target: Target,
        author: Actor,
        reason: String,
        origin: String,
        plan: Plan,
        now_ms: u64,
    ) -> Self {
        let until_ms = now_ms.saturating_add(plan.collect_ms);
        let mut run = Self {
            id,
            target,
            author,
            reason,
            origin,
            plan,
            created_at_ms: now_ms,
            round: 1,
            seq: 0,
            failures: 0,
            retry_at_ms: 0,
            state: State::Collecting { until_ms },
            notes: Vec::new(),
            approved_by: None,
        };
        run.note("begun", now_ms);
        run
    }

    /// Whether nothing can become of it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// When it has to be looked at next, milliseconds since 1970; never once it is over.
    #[must_use]
    pub fn due_at_ms(&self) -> Option<u64> {
        match &self.state {
            State::Collecting { until_ms } => Some(*until_ms),
            State::Waiting { wanted } => Some(wanted.expires_at_ms),
            State::Ended { .. } => None,
            _ => Some(self.retry_at_ms),
        }
    }

    /// What has to be done now, if anything.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        Some(match &self.state {
            State::Testing => Effect::Test,
            State::Asking { wanted } => Effect::Ask(*wanted),
            State::Requesting { wanted, .. } => Effect::Request(*wanted),
            State::Signing { approval, change } => Effect::Sign {
                change: change.clone(),
                approval: approval.clone(),
            },
            State::Settling { change, .. } => Effect::Look { change: change.clone() },
            State::Telling { ending } => Effect::Tell(ending.clone()),
            State::Collecting { .. } | State::Waiting { .. } | State::Ended { .. } => return None,
        })
    }

    /// Names the effect: the same one again has the same key, another one has another.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}:{}", self.id, self.state.name(), self.round)
    }

    /// Takes an event on.
    ///
    /// # Errors
    /// [`Refused`], to whoever approves or cancels. After [`Refused::Moved`] the run has changed all the same.
    pub fn take(&mut self, event: &Event, now_ms: u64) -> Result<(), Refused> {
        match event {
            Event::Rang => self.ring(now_ms),
            Event::Done { key, answer } => {
                // Where nothing is to be done, nothing was.
                if *key == self.key() && self.effect().is_some() {
                    self.done(answer, now_ms);
                }
            }
            Event::Approved {
                round,
                snapshot_version,
                current_version,
                approval,
            } => return self.approve(*round, *snapshot_version, *current_version, approval, now_ms),
            Event::Cancelled { by } => return self.cancel(by, now_ms),
        }
        Ok(())
    }

    fn ring(&mut self, now_ms: u64) {
        match &self.state {
            State::Collecting { until_ms } if now_ms >= *until_ms => {
                self.go(State::Testing, "the time is over", now_ms)
            }
            State::Waiting { wanted } if now_ms >= wanted.expires_at_ms => {
                self.tell(Ending::Expired, "nobody approved in time", now_ms);
            }
            _ => {}
        }
    }

    fn approve(
        &mut self,
        round: u32,
        snapshot_version: u64,
        current_version: u64,
        approval: &Approval,
        now_ms: u64,
    ) -> Result<(), Refused> {
        if approval.by.kind != ActorKind::User {
            return Err(Refused::Program);
        }
        if approval.by.id == self.author.id {
            return Err(Refused::Author);
        }
        // The same request again hears what it heard.
        if self.approved_by.as_ref() == Some(approval) {
            return Ok(());
        }
        let State::Waiting { wanted } = self.state else {
            return Err(Refused::Used);
        };
        if round != self.round || snapshot_version != wanted.snapshot_version {
            return Err(Refused::Used);
        }
        if now_ms >= wanted.expires_at_ms {
            return Err(Refused::Expired);
        }
        if current_version != wanted.snapshot_version {
            self.round = self.round.saturating_add(1);
            self.go(
                State::Testing,
                "the registry was changed since the link was sent",
                now_ms,
            );
            return Err(Refused::Moved);
        }
        self.approved_by = Some(approval.clone());
        let what = format!("{} approved: {}", approval.by.id, approval.reason);
        let approval = approval.clone();
        self.go(State::Requesting { wanted, approval }, &what, now_ms);
        Ok(())
    }

    fn cancel(&mut self, by: &str, now_ms: u64) -> Result<(), Refused> {
        match &self.state {
            State::Collecting { .. } | State::Testing | State::Asking { .. } | State::Waiting { .. } => {
                self.tell(
                    Ending::Cancelled { by: by.into() },
                    &format!("{by} cancelled it"),
                    now_ms,
                );
                Ok(())
            }
            State::Telling { ending } | State::Ended { ending } if *ending == (Ending::Cancelled { by: by.into() }) => {
                Ok(())
            }
            _ => Err(Refused::TooLate),
        }
    }

    fn done(&mut self, answer: &Answer, now_ms: u64) {
        let approval = self.state.approval().cloned();
        match (self.state.clone(), answer, approval) {
            (_, Answer::Away(why), _) => self.again(why, now_ms),
            (State::Telling { ending }, Answer::Sent, _) => self.go(State::Ended { ending }, "told", now_ms),
            // Who cannot be told is not told: the run says it itself.
            (State::Telling { ending }, Answer::Refused(why), _) => self.go(State::Ended { ending }, why, now_ms),
            (_, Answer::Refused(why), _) => self.tell(Ending::Failed { why: why.clone() }, why, now_ms),
            (State::Testing, Answer::Tested(verdict), _) => self.tested(verdict, now_ms),
            (State::Asking { wanted }, Answer::Sent, _) => {
                self.go(State::Waiting { wanted }, "a link was sent", now_ms)
            }
            (State::Requesting { .. }, Answer::Requested(change), Some(approval)) => {
                let change = change.clone();
                self.go(State::Signing { approval, change }, "the promotion was ordered", now_ms);
            }
            (State::Signing { change, .. } | State::Settling { change, .. }, Answer::Change(state), Some(approval)) => {
                self.changed(approval, change, *state, now_ms);
            }
            // An answer of another kind says nothing.
            _ => {}
        }
    }

    fn tested(&mut self, verdict: &Verdict, now_ms: u64) {
        match verdict {
            Verdict::Ready {
                snapshot_version,
                variant_version,
            } => {
                let wanted = Wanted {
                    snapshot_version: *snapshot_version,
                    variant_version: *variant_version,
                    expires_at_ms: now_ms.saturating_add(self.plan.approval_ms),
                };
                self.go(State::Asking { wanted }, "every condition is met", now_ms);
            }
            Verdict::Wait(why) if self.round >= MAX_ROUNDS => {
                self.tell(Ending::Undecided { why: why.clone() }, why, now_ms);
            }
            Verdict::Wait(why) => {
                self.round = self.round.saturating_add(1);
                let until_ms = now_ms.saturating_add(self.plan.collect_ms);
                self.go(State::Collecting { until_ms }, why, now_ms);
            }
            Verdict::Stop(why) => self.tell(Ending::Rejected { why: why.clone() }, why, now_ms),
        }
    }

    fn changed(&mut self, approval: Approval, change: String, state: registry::State, now_ms: u64) {
        use registry::State as Change;
        match state {
            Change::Applied => self.tell(Ending::Promoted, "it is in production", now_ms),
            Change::Waiting | Change::Cooling => {
                if !matches!(self.state, State::Settling { .. }) {
                    self.go(State::Settling { approval, change }, "it cools down", now_ms);
                }
                self.retry_at_ms = now_ms.saturating_add(effect_in_ms(3));
            }
            Change::Cancelled | Change::Expired | Change::Refused => {
                let why = format!("the registry's change is over: {state:?}").to_lowercase();
                self.tell(Ending::Failed { why: why.clone() }, &why, now_ms);
            }
        }
    }

    fn again(&mut self, why: &str, now_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        if self.failures < EFFECT_ATTEMPTS {
            self.note(why, now_ms);
            self.retry_at_ms = now_ms.saturating_add(effect_in_ms(self.failures));
        } else if let State::Telling { ending } = self.state.clone() {
            self.go(State::Ended { ending }, "nobody could be told", now_ms);
        } else {
            self.tell(Ending::Failed { why: why.into() }, why, now_ms);
        }
    }

    fn tell(&mut self, ending: Ending, what: &str, now_ms: u64) {
        self.go(State::Telling { ending }, what, now_ms);
    }

    fn go(&mut self, state: State, what: &str, now_ms: u64) {
        self.state = state;
        self.failures = 0;
        self.retry_at_ms = now_ms;
        self.note(what, now_ms);
    }

    fn note(&mut self, what: &str, now_ms: u64) {
        self.seq = self.seq.saturating_add(1);
        if self.notes.len() >= NOTES {
            self.notes.remove(0);
        }
        self.notes.push(Note {
            at_ms: now_ms,
            state: self.state.name().into(),
            what: what.into(),
        });
    }
}
