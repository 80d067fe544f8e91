//! The budgets that everybody shares, as their object keeps them. Budgets of persons are not listed: nobody is looked at.

use serde::{Deserialize, Serialize};
use silent_core::budget::{Degradation, Period};
use silent_edge::budget::{OBJECT, SHARED};
use silent_edge::error::ApiError;
use worker::Env;

/// A budget in its last period; its limit is that of the last call that drew on it.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Budget {
    name: String,
    period: String,
    limit_micros: u64,
    spent_micros: u64,
    reserved_micros: u64,
    #[serde(default, skip_deserializing)]
    state: &'static str,
}

/// All of them as JSON; none where no call has drawn on one yet.
pub(crate) async fn budgets(env: &Env, now_ms: u64) -> Result<String, ApiError> {
    let stub = env.durable_object(OBJECT)?.get_by_name(SHARED)?;
    let mut response = stub.fetch_with_str("https://object/accounts").await?;
    if response.status_code() != 200 {
        return Err(ApiError::unavailable(format!("budgets: {}", response.status_code())));
    }
    let mut all: Vec<Budget> = response.json().await?;
    for budget in &mut all {
        budget.state = state(budget, now_ms);
    }
    serde_json::to_string(&all).map_err(|_| ApiError::internal("budgets cannot be written"))
}

/// What turns meet; `ended` where nobody has drawn on it in the period that runs now.
fn state(budget: &Budget, now_ms: u64) -> &'static str {
    let committed = budget.spent_micros.saturating_add(budget.reserved_micros);
    if ![Period::Day, Period::Month]
        .map(|period| period.name(now_ms))
        .contains(&budget.period)
    {
        return "ended";
    }
    if committed >= budget.limit_micros {
        return "exhausted";
    }
    match Degradation::at(committed, budget.limit_micros) {
        Degradation::None => "ok",
        Degradation::Cheaper => "cheaper",
        Degradation::Cheapest => "cheapest",
        Degradation::Offline => "exhausted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T05:00:00Z.
    const NOW_MS: u64 = 1_795_237_200_000;

    #[test]
    fn a_budget_says_what_turns_meet() {
        let of = |period: &str, spent_micros, reserved_micros| {
            let budget = Budget {
                name: "month".into(),
                period: period.into(),
                limit_micros: 1_000,
                spent_micros,
                reserved_micros,
                state: "",
            };
            state(&budget, NOW_MS)
        };
        for (spent, reserved, expected) in [
            (0, 0, "ok"),
            (799, 0, "ok"),
            (700, 100, "cheaper"),
            (949, 0, "cheaper"),
            (950, 0, "cheapest"),
            (999, 1, "exhausted"),
            (2_000, 0, "exhausted"),
        ] {
            assert_eq!(of("2026-11", spent, reserved), expected, "{spent} {reserved}");
        }
        assert_eq!(of("2026-11-21", 0, 0), "ok");
        assert_eq!(of("2026-10", 2_000, 0), "ended");
    }
}
