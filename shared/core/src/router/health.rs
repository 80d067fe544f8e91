//! What is known of the targets: kept by the composition root for as long as it lives, shared by all turns.

use super::Target;
use super::breaker::{Breaker, Limits, Permit};
use alloc::collections::BTreeMap;

/// An observation older than this says nothing about now.
const FRESH_MS: u64 = 600_000;
/// Hundredths of a hedge that can be saved up.
const MOST_SAVED: u32 = 500;
/// Hundredths of a hedge that a new memory begins with.
const AT_FIRST: u32 = 100;

/// Breakers, times to the first token, and how many hedges are affordable.
#[derive(Debug)]
pub struct Health {
    targets: BTreeMap<Target, Vital>,
    saved: u32,
}

#[derive(Debug, Default)]
struct Vital {
    breaker: Breaker,
    ttft: Option<Observed>,
}

#[derive(Debug, Clone, Copy)]
struct Observed {
    ms: u64,
    at_ms: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            targets: BTreeMap::new(),
            saved: AT_FIRST,
        }
    }
}

impl Health {
    fn vital(&mut self, target: &Target) -> &mut Vital {
        self.targets.entry(target.clone()).or_default()
    }

    pub(crate) fn ask(&mut self, target: &Target, now_ms: u64, probe_ms: u64) -> Option<Permit> {
        self.vital(target).breaker.ask(now_ms, probe_ms)
    }

    pub(crate) fn closed_until_ms(&self, target: &Target, now_ms: u64) -> Option<u64> {
        self.targets.get(target)?.breaker.closed_until_ms(now_ms)
    }

    pub(crate) fn spoke(&mut self, target: &Target, permit: Permit, limits: &Limits) {
        self.vital(target).breaker.spoke(permit, limits);
    }

    pub(crate) fn succeeded(&mut self, target: &Target, permit: Permit) {
        self.vital(target).breaker.succeeded(permit);
    }

    pub(crate) fn failed(&mut self, target: &Target, permit: Permit, now_ms: u64, rest_ms: u64, limits: &Limits) {
        self.vital(target).breaker.failed(permit, now_ms, rest_ms, limits);
    }

    pub(crate) fn released(&mut self, target: &Target, permit: Permit) {
        self.vital(target).breaker.released(permit);
    }

    /// Takes the time to a first token, or the time that was waited for one in vain: a moving average with weight 1/5.
    pub(crate) fn observe(&mut self, target: &Target, ms: u64, now_ms: u64) {
        let ttft = &mut self.vital(target).ttft;
        let before = ttft.filter(|seen| now_ms.saturating_sub(seen.at_ms) < FRESH_MS);
        let ms = before.map_or(ms, |seen| (seen.ms * 4 + ms) / 5);
        *ttft = Some(Observed { ms, at_ms: now_ms });
    }

    /// The usual time to the first token, milliseconds, where it was seen lately.
    #[must_use]
    pub fn ttft_ms(&self, target: &Target, now_ms: u64) -> Option<u64> {
        let seen = self.targets.get(target)?.ttft?;
        (now_ms.saturating_sub(seen.at_ms) < FRESH_MS).then_some(seen.ms)
    }

    /// Another answer was asked for, of which so many in a hundred may be hedged.
    pub(crate) fn save(&mut self, percent: u32) {
        self.saved = self.saved.saturating_add(percent).min(MOST_SAVED);
    }

    /// Takes one hedge from what was saved.
    pub(crate) fn spend(&mut self) -> bool {
        match self.saved.checked_sub(100) {
            Some(rest) => {
                self.saved = rest;
                true
            }
            None => false,
        }
    }
}
