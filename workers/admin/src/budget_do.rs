//! Budgets, kept: one object for what everybody shares, one for each person.
//!
//! Invariant: a wish is read, granted and written without an await in between, so that calls at once cannot both have
//! the last of a budget.

use crate::alerts::{self, Alert};
use serde::Deserialize;
use serde_json::json;
use silent_core::budget::{Account, Degradation, Grant};
use silent_core::turn::Clock;
use silent_edge::budget::{Bill, Wish};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, http, log};
use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use worker::{DurableObject, Env, Method, Request, Response, Result, SqlStorage, State, durable_object};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account(name TEXT PRIMARY KEY, account TEXT NOT NULL) STRICT";

/// The object.
#[durable_object]
pub struct BudgetObject {
    state: State,
    env: Env,
}

impl UnwindSafe for BudgetObject {}
impl RefUnwindSafe for BudgetObject {}

impl DurableObject for BudgetObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match self.route(request).await {
            Ok(response) => Ok(response),
            Err(error) => error.into_response("budget"),
        }
    }
}

/// An alert that a call set off: budget, period, per cent.
type Due = (String, String, u8);

impl BudgetObject {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    async fn route(&self, mut request: Request) -> std::result::Result<Response, ApiError> {
        let path = request.path();
        let method = request.method();
        let body = http::body(&mut request).await?;
        self.sql().exec(SCHEMA, None)?;
        match (method, path.as_str()) {
            (Method::Post, "/reserve") => {
                let wish: Wish = read(&body)?;
                let (grant, alerts) = self.reserve(&wish)?;
                self.tell(alerts).await;
                Ok(Response::from_json(&grant)?)
            }
            (Method::Post, "/settle") => {
                let bill: Bill = read(&body)?;
                let alerts = self.settle(&bill)?;
                self.tell(alerts).await;
                Ok(Response::from_json(&json!({}))?)
            }
            (Method::Get, "/accounts") => {
                let accounts: Vec<_> = self
                    .accounts()?
                    .into_iter()
                    .map(|(name, account)| {
                        json!({"name": name, "period": account.period, "limit_micros": account.limit_micros, "spent_micros": account.spent_micros,
                            "reserved_micros": account.committed_micros().saturating_sub(account.spent_micros)})
                    })
                    .collect();
                Ok(Response::from_json(&accounts)?)
            }
            // A person was erased: what they spent goes with them.
            (Method::Delete, "/") => {
                self.sql().exec("DELETE FROM account", None)?;
                Ok(Response::empty()?.with_status(204))
            }
            _ => Err(ApiError::NotFound),
        }
    }

    fn accounts(&self) -> std::result::Result<Vec<(String, Account)>, ApiError> {
        #[derive(Deserialize)]
        struct Row {
            name: String,
            account: String,
        }
        let rows: Vec<Row> = self
            .sql()
            .exec("SELECT name, account FROM account ORDER BY name", None)?
            .to_array()?;
        rows.into_iter()
            .map(|row| Ok((row.name, read(row.account.as_bytes())?)))
            .collect()
    }

    fn put(&self, name: &str, account: &Account) -> std::result::Result<(), ApiError> {
        let text = serde_json::to_string(account).map_err(|_| ApiError::internal("account"))?;
        self.sql().exec(
            "INSERT INTO account(name, account) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET account = excluded.account",
            vec![name.into(), text.into()],
        )?;
        Ok(())
    }

    /// From every budget of the wish, or from none.
    fn reserve(&self, wish: &Wish) -> std::result::Result<(Grant, Vec<Due>), ApiError> {
        let now_ms = SystemClock.now_ms();
        let mut stored: BTreeMap<String, Account> = self.accounts()?.into_iter().collect();
        let mut drawn: Vec<(&str, Account)> = Vec::new();
        for draw in &wish.draws {
            let period = draw.period.name(now_ms);
            let known = stored.remove(&draw.name);
            let mut account = known.unwrap_or_else(|| Account::new(period.clone(), draw.limit_micros));
            account.refresh(&period, draw.limit_micros, now_ms);
            drawn.push((&draw.name, account));
        }
        // A lease is of all of them, or of none.
        let can_lend = drawn.iter().all(|(_, account)| account.can_lend(wish.lease_micros));
        let micros = match can_lend {
            true => wish.lease_micros.max(wish.estimate_micros),
            false => wish.estimate_micros,
        };
        let mut worst = Grant {
            degradation: Degradation::None,
            granted_micros: u64::MAX,
            alerts: Vec::new(),
        };
        let mut alerts = Vec::new();
        for (name, account) in &mut drawn {
            let grant = account.reserve(&wish.id, micros, now_ms);
            worst.degradation = worst.degradation.max(grant.degradation);
            worst.granted_micros = worst.granted_micros.min(grant.granted_micros);
            alerts.extend(
                grant
                    .alerts
                    .into_iter()
                    .map(|share| (name.to_string(), account.period.clone(), share)),
            );
        }
        for (name, mut account) in drawn {
            if worst.degradation == Degradation::Offline {
                account.reserved.remove(&wish.id);
            }
            self.put(name, &account)?;
        }
        Ok((worst, alerts))
    }

    fn settle(&self, bill: &Bill) -> std::result::Result<Vec<Due>, ApiError> {
        let mut alerts = Vec::new();
        for (name, mut account) in self.accounts()? {
            if account.reserved.contains_key(&bill.id) {
                let due = account.settle(&bill.id, bill.cost_micros);
                alerts.extend(
                    due.into_iter()
                        .map(|share| (name.clone(), account.period.clone(), share)),
                );
                self.put(&name, &account)?;
            }
        }
        Ok(alerts)
    }

    /// Writes alerts down. Spending does not wait for that to succeed; the log has them in any case.
    async fn tell(&self, alerts: Vec<Due>) {
        let object = self.state.id().name().unwrap_or_default();
        for (budget, period, share) in alerts {
            let id = format!("budget:{object}:{budget}:{period}:{share}");
            let text = format!("Budget {budget}: {share} % of {period} is spent");
            let figures = json!({"budget": budget, "period": period, "percent": share});
            let alert = Alert::new(id, "budget", budget, text, figures);
            if let Err(error) = alerts::raise(&self.env, &alert).await {
                log::line(
                    "error",
                    "alert-unwritten",
                    &alert.id,
                    json!({"cause": format!("{error:?}")}),
                );
            }
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|_| ApiError::internal("internal body"))
}
