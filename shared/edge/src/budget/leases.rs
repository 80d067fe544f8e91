//! The leases that this isolate holds on what everybody shares, by feature.

use super::{Bill, SHARED, bill};
use crate::{SystemClock, log};
use serde_json::json;
use silent_core::budget::lease::{Ended, IDLE_MS, LEASE_MS, Leases};
use silent_core::turn::Clock;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Delay, Env};

/// How long whoever gives leases back may go without a sign; after that another one does it.
const KEEPER_MS: u64 = 2 * IDLE_MS;
/// How often it looks: as long as a lease lasts, and less than `wait_until` does (30 s).
const LOOKS: u64 = LEASE_MS / IDLE_MS + 1;
/// How long one call asks for a lease while others reserve for themselves only.
const ASKING_MS: u64 = 1_000;

thread_local! {
    static HELD: RefCell<BTreeMap<String, Leases>> = const { RefCell::new(BTreeMap::new()) };
    static ASKING_UNTIL_MS: RefCell<BTreeMap<String, u64>> = const { RefCell::new(BTreeMap::new()) };
    static KEPT_UNTIL_MS: Cell<u64> = const { Cell::new(0) };
}

/// Lets a call in where a lease of the feature has room for it.
pub(super) fn take(feature: &str, call: &str, estimate_micros: u64) -> bool {
    let now_ms = SystemClock.now_ms();
    HELD.with_borrow_mut(|held| {
        held.get_mut(feature)
            .is_some_and(|leases| leases.take(call, estimate_micros, now_ms))
    })
}

/// Whether a call may ask for a lease: of those that come at once only one does, so that a burst does not take more than
/// it needs.
pub(super) fn may_ask(feature: &str) -> bool {
    let now_ms = SystemClock.now_ms();
    ASKING_UNTIL_MS.with_borrow_mut(|asking| {
        let is_free = asking.get(feature).is_none_or(|until_ms| *until_ms <= now_ms);
        if is_free {
            asking.insert(feature.into(), now_ms.saturating_add(ASKING_MS));
        }
        is_free
    })
}

/// The call that asked has its answer.
pub(super) fn asked(feature: &str) {
    ASKING_UNTIL_MS.with_borrow_mut(|asking| asking.remove(feature));
}

/// Holds what was granted to a call and to those after it.
pub(super) fn hold(feature: &str, call: &str, estimate_micros: u64, granted_micros: u64) {
    let now_ms = SystemClock.now_ms();
    HELD.with_borrow_mut(|held| {
        held.entry(feature.into())
            .or_default()
            .hold(call, estimate_micros, granted_micros, now_ms);
    });
}

/// Says to its lease what a call cost.
pub(super) fn settle(feature: &str, call: &str, cost_micros: u64) {
    let now_ms = SystemClock.now_ms();
    HELD.with_borrow_mut(|held| {
        if let Some(leases) = held.get_mut(feature) {
            leases.settle(call, cost_micros, now_ms);
        }
    });
}

fn ended(now_ms: u64) -> Vec<Ended> {
    HELD.with_borrow_mut(|held| {
        let ended = held.values_mut().flat_map(|leases| leases.ended(now_ms)).collect();
        held.retain(|_, leases| !leases.is_empty());
        ended
    })
}

/// Gives leases back when nobody uses them any more. To be spawned, or handed to `wait_until`, after a call: one of an
/// isolate's calls does it for all. Where none can, the account counts what was lent as spent after a while.
pub async fn keep(env: &Env) {
    if HELD.with_borrow(BTreeMap::is_empty) || SystemClock.now_ms() < KEPT_UNTIL_MS.get() {
        return;
    }
    for _ in 0..LOOKS {
        KEPT_UNTIL_MS.set(SystemClock.now_ms().saturating_add(KEEPER_MS));
        Delay::from(Duration::from_millis(IDLE_MS)).await;
        for Ended { id, cost_micros } in ended(SystemClock.now_ms()) {
            let told = bill(env, SHARED, &Bill { id, cost_micros }).await;
            if let Err(error) = told {
                log::line(
                    "error",
                    "lease-unsettled",
                    SHARED,
                    json!({"cause": format!("{error:?}")}),
                );
            }
        }
        if HELD.with_borrow(BTreeMap::is_empty) {
            break;
        }
    }
    KEPT_UNTIL_MS.set(0);
}
