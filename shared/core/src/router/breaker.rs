//! The circuit breaker of one target: leaves alone what fails, and looks again by one request.
//!
//! Source: Nygard, "Release It!", 2nd edition, chapter 5. Invariant: while it is not closed, at most one probe is out.

/// Outcomes that the ratio is counted over.
const WINDOW: u32 = 20;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many failures in a row open it.
    pub consecutive: u32,
    /// So many failures among the last 20 outcomes open it.
    pub of_twenty: u32,
    /// How long it is open the first time, milliseconds; doubles with each probe that fails.
    pub open_ms: u64,
    /// It is never open for longer than this, milliseconds.
    pub max_open_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            consecutive: 5,
            of_twenty: 12,
            open_ms: 10_000,
            max_open_ms: 120_000,
        }
    }
}

/// Leave to ask. Its holder says how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// The target counts as healthy.
    Normal,
    /// To find out whether it is healthy again; ends by itself at this time, milliseconds.
    Probe(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until_ms: u64,
    },
    /// A probe may be out, until its time.
    HalfOpen {
        probe_until_ms: u64,
    },
}

/// A target's breaker. Time is an argument.
#[derive(Debug, Clone)]
pub struct Breaker {
    state: State,
    in_a_row: u32,
    /// The last outcomes, one bit each; set where it failed.
    last: u32,
    next_open_ms: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed,
            in_a_row: 0,
            last: 0,
            next_open_ms: 0,
        }
    }
}

impl Breaker {
    /// Asks for leave. A probe that says nothing for `probe_ms` counts as lost, and another one may go.
    pub fn ask(&mut self, now_ms: u64, probe_ms: u64) -> Option<Permit> {
        match self.state {
            State::Closed => Some(Permit::Normal),
            State::Open { until_ms: until } | State::HalfOpen { probe_until_ms: until } if now_ms < until => None,
            State::Open { .. } | State::HalfOpen { .. } => {
                let probe_until_ms = now_ms.saturating_add(probe_ms.max(1));
                self.state = State::HalfOpen { probe_until_ms };
                Some(Permit::Probe(probe_until_ms))
            }
        }
    }

    /// When it may be asked again, where it may not now; milliseconds.
    #[must_use]
    pub fn closed_until_ms(&self, now_ms: u64) -> Option<u64> {
        match self.state {
            State::Open { until_ms: until } | State::HalfOpen { probe_until_ms: until } if now_ms < until => {
                Some(until)
            }
            _ => None,
        }
    }

    /// The first token is there: a probe's target is let in again, on trial. One more failure opens it again.
    pub fn spoke(&mut self, permit: Permit, limits: &Limits) {
        if self.holds(permit) && permit != Permit::Normal {
            self.state = State::Closed;
            self.last = 0;
            self.in_a_row = limits.consecutive.saturating_sub(1);
        }
    }

    /// A whole answer.
    pub fn succeeded(&mut self, permit: Permit) {
        if self.state == State::Closed || self.holds(permit) {
            self.state = State::Closed;
            self.in_a_row = 0;
            self.next_open_ms = 0;
            self.last <<= 1;
        }
    }

    /// No whole answer. `rest_ms` is what the target asked for, if it did.
    pub fn failed(&mut self, permit: Permit, now_ms: u64, rest_ms: u64, limits: &Limits) {
        // Late news from before it opened says nothing about now.
        if !self.holds(permit) && self.state != State::Closed {
            return;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.last = ((self.last << 1) | 1) & ((1 << WINDOW) - 1);
        let too_many = self.in_a_row >= limits.consecutive || self.last.count_ones() >= limits.of_twenty;
        if too_many || self.state != State::Closed {
            let open_ms = self
                .next_open_ms
                .max(limits.open_ms)
                .max(rest_ms)
                .min(limits.max_open_ms);
            self.next_open_ms = open_ms.saturating_mul(2);
            self.state = State::Open {
                until_ms: now_ms.saturating_add(open_ms),
            };
        }
    }

    /// Nothing was learned: the request was given up. A probe's place is free again.
    pub fn released(&mut self, permit: Permit) {
        if self.holds(permit) && permit != Permit::Normal {
            self.state = State::Open { until_ms: 0 };
        }
    }

    fn holds(&self, permit: Permit) -> bool {
        match (self.state, permit) {
            (State::Closed, Permit::Normal) => true,
            (State::HalfOpen { probe_until_ms }, Permit::Probe(until_ms)) => probe_until_ms == until_ms,
            _ => false,
        }
    }
}
