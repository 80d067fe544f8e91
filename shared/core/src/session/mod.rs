//! Order within a session, as a pure state machine.
//!
//! Invariant: at most one turn runs, and turns start in the order in which they were accepted. The Durable Object
//! feeds commands in and carries effects out; it decides nothing about order itself.

use crate::ids::TurnId;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

#[cfg(test)]
mod tests;

/// What happened to the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The person sent something; its turn is not stored yet.
    Submit(TurnId),
    /// The running turn is over and stored.
    Finished(TurnId),
    /// The person stops a turn.
    Stop(TurnId),
    /// The object woke after it lost its memory: the unfinished turns in order of arrival, and whether each had begun.
    Restore(Vec<(TurnId, bool)>),
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Store the turn as waiting; `ahead` turns come before it.
    Accept {
        /// The new turn.
        turn: TurnId,
        /// How many turns it waits for.
        ahead: usize,
    },
    /// Refuse the turn that was submitted: too many wait.
    Refuse,
    /// Begin work on the turn.
    Start(TurnId),
    /// Stop the running turn, upstream too; `Finished` follows.
    Cancel(TurnId),
    /// Store a waiting turn as stopped: it never ran.
    Discard(TurnId),
    /// Store a turn as interrupted: it had begun and its memory is gone.
    Interrupt(TurnId),
}

/// The order of one session's turns.
#[derive(Debug)]
pub struct Order {
    running: Option<TurnId>,
    waiting: VecDeque<TurnId>,
    capacity: usize,
}

impl Order {
    /// An empty order in which at most `capacity` turns wait.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            running: None,
            waiting: VecDeque::new(),
            capacity,
        }
    }

    /// The turn that runs.
    #[must_use]
    pub fn running(&self) -> Option<&TurnId> {
        self.running.as_ref()
    }

    /// The turn whose stream a returning client wants: the running one, else the first that waits.
    #[must_use]
    pub fn active(&self) -> Option<&TurnId> {
        self.running.as_ref().or_else(|| self.waiting.front())
    }

    /// Whether no turn runs or waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }

    /// Takes one command and says what to do.
    pub fn handle(&mut self, command: Command) -> Vec<Effect> {
        let mut effects = Vec::new();
        match command {
            Command::Submit(turn) => {
                if self.waiting.len() >= self.capacity {
                    effects.push(Effect::Refuse);
                    return effects;
                }
                let ahead = self.waiting.len() + usize::from(self.running.is_some());
                self.waiting.push_back(turn.clone());
                effects.push(Effect::Accept { turn, ahead });
            }
            Command::Finished(turn) => {
                if self.running.as_ref() == Some(&turn) {
                    self.running = None;
                }
            }
            Command::Stop(turn) => {
                if self.running.as_ref() == Some(&turn) {
                    effects.push(Effect::Cancel(turn));
                } else if let Some(position) = self.waiting.iter().position(|other| *other == turn) {
                    self.waiting.remove(position);
                    effects.push(Effect::Discard(turn));
                }
            }
            Command::Restore(turns) => {
                for (turn, begun) in turns {
                    if begun {
                        effects.push(Effect::Interrupt(turn));
                    } else {
                        self.waiting.push_back(turn);
                    }
                }
            }
        }
        if self.running.is_none()
            && let Some(next) = self.waiting.pop_front()
        {
            self.running = Some(next.clone());
            effects.push(Effect::Start(next));
        }
        effects
    }
}
