//! A part of a budget that was reserved at once, handed out to the calls of one isolate: the object that keeps the
//! budget of everybody is far from most people, and is asked once for many calls.
//!
//! Invariant: what is spent and open together never passes what was granted when a call is let in, so that the
//! account's own invariant holds.

use alloc::collections::BTreeMap;
use alloc::string::String;

/// Calls, each at its highest cost, that a lease is asked for.
pub const LEASE_CALLS: u64 = 16;
/// How long a lease takes new calls, milliseconds: the budget's state is at most this old.
pub const LEASE_MS: u64 = 10_000;
/// How long a lease waits for another call, milliseconds, before it is given back.
pub const IDLE_MS: u64 = 2_000;
/// A call that did not come back this long after its lease took the last new one is billed as estimated, milliseconds.
const LOST_MS: u64 = 5 * 60_000;

/// What became of a lease: the account replaces what was granted by this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The lease's id, under which it was reserved.
    pub id: String,
    /// Micros.
    pub cost_micros: u64,
}

/// A lease in use.
#[derive(Debug, Clone)]
struct Lease {
    granted_micros: u64,
    spent_micros: u64,
    /// Calls under way, and what each may cost at most.
    open: BTreeMap<String, u64>,
    until_ms: u64,
    used_at_ms: u64,
}

impl Lease {
    fn committed_micros(&self) -> u64 {
        self.open
            .values()
            .fold(self.spent_micros, |sum, micros| sum.saturating_add(*micros))
    }

    fn is_over(&self, now_ms: u64) -> bool {
        let is_idle = now_ms >= self.until_ms || now_ms >= self.used_at_ms.saturating_add(IDLE_MS);
        (self.open.is_empty() && is_idle) || now_ms >= self.until_ms.saturating_add(LOST_MS)
    }
}

/// The leases of an isolate on the budgets of one feature.
#[derive(Debug, Clone, Default)]
pub struct Leases {
    /// By their ids.
    held: BTreeMap<String, Lease>,
}

impl Leases {
    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Lets a call in where a lease has room for what it may cost at most.
    pub fn take(&mut self, call: &str, estimate_micros: u64, now_ms: u64) -> bool {
        let roomy = self.held.values_mut().find(|lease| {
            let committed = lease.committed_micros().saturating_add(estimate_micros);
            now_ms < lease.until_ms && committed <= lease.granted_micros
        });
        match roomy {
            Some(lease) => {
                lease.open.insert(call.into(), estimate_micros);
                lease.used_at_ms = now_ms;
                true
            }
            None => false,
        }
    }

    /// Holds a lease that was granted to a call, which is its first.
    pub fn hold(&mut self, call: &str, estimate_micros: u64, granted_micros: u64, now_ms: u64) {
        let lease = Lease {
            granted_micros,
            spent_micros: 0,
            open: [(call.into(), estimate_micros)].into(),
            until_ms: now_ms.saturating_add(LEASE_MS),
            used_at_ms: now_ms,
        };
        self.held.insert(call.into(), lease);
    }

    /// Replaces what a call might have cost by what it did. One whose lease has ended was billed with it.
    pub fn settle(&mut self, call: &str, cost_micros: u64, now_ms: u64) {
        let leased = self
            .held
            .values_mut()
            .find_map(|lease| lease.open.remove(call).map(|_| lease));
        if let Some(lease) = leased {
            lease.spent_micros = lease.spent_micros.saturating_add(cost_micros);
            lease.used_at_ms = now_ms;
        }
    }

    /// Takes out what is to be given back: what nobody used for a moment, and what is too old for new calls.
    pub fn ended(&mut self, now_ms: u64) -> impl Iterator<Item = Ended> + use<> {
        let (over, held) = core::mem::take(&mut self.held)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(_, lease)| lease.is_over(now_ms));
        self.held = held;
        over.into_iter().map(|(id, lease)| Ended {
            id,
            cost_micros: lease.committed_micros(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Account, Degradation, Period};
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const NOW: u64 = 1_795_237_200_000;

    fn ended(leases: &mut Leases, now_ms: u64) -> Vec<(String, u64)> {
        leases
            .ended(now_ms)
            .map(|ended| (ended.id, ended.cost_micros))
            .collect()
    }

    #[test]
    fn calls_share_a_lease_until_it_is_used_up_or_old() {
        let mut leases = Leases::default();
        assert!(!leases.take("a", 10, NOW));
        leases.hold("a", 10, 30, NOW);
        assert!(leases.take("b", 20, NOW));
        assert!(!leases.take("c", 1, NOW));
        // Cheaper than feared: there is room again, but not for ever.
        leases.settle("b", 5, NOW);
        assert!(leases.take("c", 15, NOW + LEASE_MS - 1));
        assert!(!leases.take("d", 0, NOW + LEASE_MS));
        leases.settle("a", 1, NOW);
        leases.settle("c", 2, NOW + LEASE_MS - 1);
        assert!(ended(&mut leases, NOW + LEASE_MS - 1).is_empty());
        assert_eq!(ended(&mut leases, NOW + LEASE_MS), [("a".into(), 8)]);
        assert!(leases.is_empty());
    }

    #[test]
    fn a_lease_that_nobody_uses_is_given_back_at_once() {
        let mut leases = Leases::default();
        leases.hold("a", 10, 100, NOW);
        assert!(ended(&mut leases, NOW + LEASE_MS).is_empty(), "a call is under way");
        leases.settle("a", 4, NOW + 500);
        assert!(ended(&mut leases, NOW + 500 + IDLE_MS - 1).is_empty());
        assert_eq!(ended(&mut leases, NOW + 500 + IDLE_MS), [("a".into(), 4)]);
    }

    #[test]
    fn a_call_that_never_comes_back_is_billed_as_estimated_before_the_account_counts_the_whole_lease() {
        let mut leases = Leases::default();
        leases.hold("a", 10, 100, NOW);
        assert!(leases.take("b", 20, NOW));
        leases.settle("b", 1, NOW);
        let lost_ms = NOW + LEASE_MS + LOST_MS;
        assert!(lost_ms < NOW + super::super::RESERVATION_MS);
        assert!(ended(&mut leases, lost_ms - 1).is_empty());
        assert_eq!(ended(&mut leases, lost_ms), [("a".into(), 11)]);
        leases.settle("a", 7, lost_ms);
        assert!(leases.is_empty());
    }

    proptest! {
        /// However the calls of several isolates overlap: an account is overrun by no more than what was underestimated,
        /// and in the end it says what was spent.
        #[test]
        fn leases_keep_the_account_true(
            limit in 0_u64..200_000,
            calls in proptest::collection::vec((0_usize..3, 1_u64..200, 0_u64..300, any::<bool>(), 0_u64..4_000), 1..120),
        ) {
            let mut account = Account::new(Period::Day.name(NOW), limit);
            let mut isolates = [Leases::default(), Leases::default(), Leases::default()];
            let mut open: Vec<(usize, String, u64, u64, bool)> = Vec::new();
            let (mut now, mut spent, mut beyond) = (NOW, 0, 0);
            for (n, (isolate, estimate, cost, settles_now, wait)) in calls.into_iter().enumerate() {
                now += wait;
                let id = format!("{n}");
                let leased = isolates[isolate].take(&id, estimate, now) || {
                    let lease = estimate * LEASE_CALLS;
                    let grant = account.reserve(&id, if account.can_lend(lease) { lease } else { estimate }, now);
                    if grant.degradation == Degradation::Offline {
                        continue;
                    }
                    let is_lease = grant.granted_micros > estimate;
                    if is_lease {
                        isolates[isolate].hold(&id, estimate, grant.granted_micros, now);
                    }
                    is_lease
                };
                prop_assert!(account.committed_micros() <= limit + beyond);
                open.push((isolate, id, estimate, cost, leased));
                if settles_now {
                    let (isolate, id, estimate, cost, leased) = open.swap_remove(0);
                    if leased { isolates[isolate].settle(&id, cost, now); } else { account.settle(&id, cost); }
                    beyond += cost.saturating_sub(estimate);
                    spent += cost;
                }
                for ended in isolates[isolate].ended(now) {
                    account.settle(&ended.id, ended.cost_micros);
                }
            }
            for (isolate, id, estimate, cost, leased) in open {
                if leased { isolates[isolate].settle(&id, cost, now); } else { account.settle(&id, cost); }
                beyond += cost.saturating_sub(estimate);
                spent += cost;
            }
            for leases in &mut isolates {
                for ended in leases.ended(now + LEASE_MS) {
                    account.settle(&ended.id, ended.cost_micros);
                }
                prop_assert!(leases.is_empty());
            }
            prop_assert!(account.reserved.is_empty());
            prop_assert_eq!(account.spent_micros, spent);
            prop_assert!(spent <= limit + beyond);
        }
    }
}
