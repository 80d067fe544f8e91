//! Budgets: what may still be spent in a period. Reserved before a model is asked, settled with what it cost.
//!
//! Invariant: spent and reserved together never pass the limit when a reservation is granted, so that an overrun is at
//! most what calls cost beyond their own estimate.

pub mod lease;

use crate::time::rfc3339;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A reservation that nobody settled counts as spent after this, milliseconds: its call may have been charged.
pub const RESERVATION_MS: u64 = 15 * 60_000;
/// Shares of the limit, in per cent, at which somebody is told.
pub const ALERTS: [u8; 3] = [50, 80, 95];

/// From this share on, in per cent, models are chosen by their price.
const CHEAPER_PERCENT: u64 = 80;
/// From this share on, in per cent, only the cheapest one answers.
const CHEAPEST_PERCENT: u64 = 95;
/// A lease is less than this share of the limit, in per cent.
const MOST_LENT_PERCENT: u64 = 1;

/// How long a budget lasts; it ends at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
}

impl Period {
    /// The period's name at a moment: `2026-11-21`, or `2026-11`.
    #[must_use]
    pub fn name(self, now_ms: u64) -> String {
        let characters = match self {
            Self::Day => 10,
            Self::Month => 7,
        };
        rfc3339(now_ms).chars().take(characters).collect()
    }
}

/// What is left to a turn, the mildest first. A crisis is answered without a model, whatever is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degradation {
    /// Everything.
    None,
    /// From 80 % on: of a variant's models, the cheapest first.
    Cheaper,
    /// From 95 % on: the cheapest one only, and answers half as long.
    Cheapest,
    /// Nothing is left: the embedded listener answers, and says so.
    Offline,
}

impl Degradation {
    /// What is left where so much of a limit is spent or spoken for, and not all of it.
    #[must_use]
    pub fn at(committed_micros: u64, limit_micros: u64) -> Self {
        match percent(committed_micros, limit_micros) {
            0..CHEAPER_PERCENT => Self::None,
            CHEAPER_PERCENT..CHEAPEST_PERCENT => Self::Cheaper,
            _ => Self::Cheapest,
        }
    }
}

/// One budget in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The period that the figures are of.
    pub period: String,
    /// What may be spent, micros (millionths of a US dollar).
    pub limit_micros: u64,
    /// What was spent.
    pub spent_micros: u64,
    /// What calls under way may cost, by their id: micros, and when it was reserved, milliseconds since 1970.
    pub reserved: BTreeMap<String, (u64, u64)>,
    /// The alerts that were given in this period, in per cent.
    pub alerted: Vec<u8>,
}

/// What became of a wish to spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What is left; [`Degradation::Offline`] where nothing was reserved.
    pub degradation: Degradation,
    /// What was reserved, micros: what the call may cost, or a lease; 0 where nothing was.
    #[serde(default)]
    pub granted_micros: u64,
    /// Alerts that this call set off, in per cent.
    pub alerts: Vec<u8>,
}

impl Account {
    /// An untouched budget.
    #[must_use]
    pub fn new(period: String, limit_micros: u64) -> Self {
        Self {
            period,
            limit_micros,
            spent_micros: 0,
            reserved: BTreeMap::new(),
            alerted: Vec::new(),
        }
    }

    /// Begins a new period where it is time, takes a new limit, and counts what nobody settled as spent.
    ///
    /// What is under way stays reserved: a call that began yesterday is paid for by whoever settles it.
    pub fn refresh(&mut self, period: &str, limit_micros: u64, now_ms: u64) {
        self.limit_micros = limit_micros;
        if self.period != period {
            self.period = period.into();
            self.spent_micros = 0;
            self.alerted.clear();
        }
        let mut lost = 0_u64;
        self.reserved.retain(|_, (micros, at_ms)| {
            let is_open = now_ms.saturating_sub(*at_ms) < RESERVATION_MS;
            if !is_open {
                lost = lost.saturating_add(*micros);
            }
            is_open
        });
        self.spent_micros = self.spent_micros.saturating_add(lost);
    }

    /// What is spent or spoken for.
    #[must_use]
    pub fn committed_micros(&self) -> u64 {
        let reserved = self.reserved.values().map(|(micros, _)| *micros);
        reserved.fold(self.spent_micros, u64::saturating_add)
    }

    /// Whether so much may be lent for calls to come: a small part, and only while there is enough for everybody.
    #[must_use]
    pub fn can_lend(&self, micros: u64) -> bool {
        percent(micros, self.limit_micros) < MOST_LENT_PERCENT
            && percent(self.committed_micros().saturating_add(micros), self.limit_micros) < CHEAPER_PERCENT
    }

    /// Reserves what a call may cost at most, or what can be lent for it and those after it. The same id reserves once.
    pub fn reserve(&mut self, id: &str, micros: u64, now_ms: u64) -> Grant {
        let committed = self.committed_micros();
        let granted_micros = match self.reserved.get(id) {
            Some((granted_micros, _)) => *granted_micros,
            None if committed.saturating_add(micros) > self.limit_micros => {
                return Grant {
                    degradation: Degradation::Offline,
                    granted_micros: 0,
                    alerts: self.alerts(),
                };
            }
            None => {
                self.reserved.insert(id.into(), (micros, now_ms));
                micros
            }
        };
        Grant {
            degradation: Degradation::at(committed, self.limit_micros),
            granted_micros,
            alerts: self.alerts(),
        }
    }

    /// Replaces a reservation by what the call cost. A reservation that is not there any more was counted as spent.
    pub fn settle(&mut self, id: &str, cost_micros: u64) -> Vec<u8> {
        if self.reserved.remove(id).is_some() {
            self.spent_micros = self.spent_micros.saturating_add(cost_micros);
        }
        self.alerts()
    }

    /// The alerts that are due and were not given.
    fn alerts(&mut self) -> Vec<u8> {
        let reached = percent(self.committed_micros(), self.limit_micros);
        let due: Vec<u8> = ALERTS
            .into_iter()
            .filter(|share| reached >= u64::from(*share) && !self.alerted.contains(share))
            .collect();
        self.alerted.extend(&due);
        due
    }
}

/// The share of the whole, in per cent, rounded down; a whole of nothing is used up.
fn percent(part: u64, whole: u64) -> u64 {
    u128::from(part)
        .saturating_mul(100)
        .checked_div(u128::from(whole))
        .map_or(100, |percent| u64::try_from(percent).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    const NOW: u64 = 1_795_237_200_000;

    fn account(limit: u64) -> Account {
        Account::new(Period::Day.name(NOW), limit)
    }

    #[test]
    fn periods_end_at_midnight() {
        assert_eq!(Period::Day.name(NOW), "2026-11-21");
        assert_eq!(Period::Month.name(NOW), "2026-11");
        let mut account = account(100);
        account.reserve("a", 60, NOW);
        account.settle("a", 60);
        account.refresh("2026-11-22", 100, NOW);
        assert_eq!((account.spent_micros, account.alerted.len()), (0, 0));
    }

    #[test]
    fn less_is_left_step_by_step() {
        let mut account = account(1_000);
        for (id, estimate, expected, alerts) in [
            ("a", 500, Degradation::None, &[50][..]),
            ("b", 300, Degradation::None, &[80]),
            ("c", 150, Degradation::Cheaper, &[95]),
            ("d", 50, Degradation::Cheapest, &[]),
            ("e", 1, Degradation::Offline, &[]),
        ] {
            let grant = account.reserve(id, estimate, NOW);
            assert_eq!((grant.degradation, grant.alerts.as_slice()), (expected, alerts), "{id}");
        }
        // Cheaper than feared: there is room again, and no alert is given twice.
        assert!(account.settle("a", 100).is_empty());
        assert_eq!(account.reserve("f", 10, NOW).degradation, Degradation::None);
        assert_eq!(account.reserve("f", 10, NOW).degradation, Degradation::None);
        assert_eq!(account.committed_micros(), 100 + 300 + 150 + 50 + 10);
    }

    #[test]
    fn what_nobody_settles_counts_as_spent() {
        let mut account = account(100);
        account.reserve("lost", 40, NOW);
        account.refresh("2026-11-21", 100, NOW + RESERVATION_MS);
        assert_eq!((account.spent_micros, account.reserved.len()), (40, 0));
        account.settle("lost", 1);
        assert_eq!(account.spent_micros, 40);
    }

    #[test]
    fn account_format_unchanged() {
        let stored =
            r#"{"period":"2026-11-21","limit_micros":100,"spent_micros":5,"reserved":{"t":[7,9]},"alerted":[50]}"#;
        let account: Account = serde_json::from_str(stored).unwrap();
        assert_eq!(account.committed_micros(), 12);
        assert_eq!(serde_json::to_string(&account).unwrap(), stored);
    }

    proptest! {
        /// However calls overlap: the limit is passed by no more than what they cost beyond their estimates.
        #[test]
        fn an_overrun_is_at_most_what_was_underestimated(
            limit in 0_u64..2_000,
            calls in proptest::collection::vec((1_u64..200, 0_u64..300, any::<bool>()), 1..120),
        ) {
            let mut account = account(limit);
            let mut beyond = 0;
            let mut open = Vec::new();
            for (n, (estimate, cost, settles_now)) in calls.into_iter().enumerate() {
                let id = format!("{n}");
                if account.reserve(&id, estimate, NOW).degradation == Degradation::Offline {
                    continue;
                }
                prop_assert!(account.committed_micros() <= limit + beyond);
                open.push((id, estimate, cost));
                if settles_now {
                    let (id, estimate, cost) = open.swap_remove(0);
                    account.settle(&id, cost);
                    beyond += cost.saturating_sub(estimate);
                }
            }
            for (id, estimate, cost) in open {
                account.settle(&id, cost);
                beyond += cost.saturating_sub(estimate);
            }
            prop_assert!(account.spent_micros <= limit + beyond);
            prop_assert!(account.reserved.is_empty());
        }
    }
}
