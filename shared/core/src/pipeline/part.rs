//! What one session gives to one row: added whole, and taken back whole when it changes.

use super::Rollup;
use serde::{Deserialize, Serialize};

/// Sums over a session's turns.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    turns: u64,
    errors: u64,
    cost_micros: u64,
    priced_turns: u64,
    rated: u64,
    rated_milli: u64,
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Part {
    pub(super) fn turn(&mut self, is_error: bool, cost_micros: Option<u64>) {
        self.turns += 1;
        self.errors += u64::from(is_error);
        if let Some(cost_micros) = cost_micros {
            self.cost_micros = self.cost_micros.saturating_add(cost_micros);
            self.priced_turns += 1;
        }
    }

    pub(super) fn rating(&mut self, milli: u16) {
        self.rated += 1;
        self.rated_milli += u64::from(milli);
    }

    /// The mean of its ratings, in millionths.
    fn mean(&self) -> Option<i64> {
        (self.rated_milli * 1_000).checked_div(self.rated).map(whole)
    }

    pub(super) fn add_to(&self, rollup: &mut Rollup) {
        rollup.turns += self.turns;
        rollup.errors += self.errors;
        rollup.cost_micros = rollup.cost_micros.saturating_add(self.cost_micros);
        rollup.priced_turns += self.priced_turns;
        rollup.ratings += self.rated;
        // One that was only rated so far has no turn yet.
        if self.turns > 0 {
            rollup.session_turns.record(whole(self.turns));
            rollup.session_errors.record(whole(self.errors), whole(self.turns));
        }
        if self.priced_turns > 0 {
            rollup
                .session_cost
                .record(whole(self.cost_micros), whole(self.priced_turns));
        }
        if let Some(mean) = self.mean() {
            rollup.session_satisfaction.record(mean);
        }
    }

    /// Undoes [`Self::add_to`].
    pub(super) fn take_from(&self, rollup: &mut Rollup) {
        rollup.turns = rollup.turns.saturating_sub(self.turns);
        rollup.errors = rollup.errors.saturating_sub(self.errors);
        rollup.cost_micros = rollup.cost_micros.saturating_sub(self.cost_micros);
        rollup.priced_turns = rollup.priced_turns.saturating_sub(self.priced_turns);
        rollup.ratings = rollup.ratings.saturating_sub(self.rated);
        if self.turns > 0 {
            rollup.session_turns.forget(whole(self.turns));
            rollup.session_errors.forget(whole(self.errors), whole(self.turns));
        }
        if self.priced_turns > 0 {
            rollup
                .session_cost
                .forget(whole(self.cost_micros), whole(self.priced_turns));
        }
        if let Some(mean) = self.mean() {
            rollup.session_satisfaction.forget(mean);
        }
    }
}
