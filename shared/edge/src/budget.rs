//! Budgets as a turn meets them: reserved in the objects that keep them, before a model is asked.

mod leases;

pub use leases::keep;

use crate::config::text;
use crate::error::ApiError;
use crate::{http, log};
use futures::future::join_all;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::budget::lease::LEASE_CALLS;
use silent_core::budget::{Degradation, Grant, Period};
use std::collections::BTreeMap;
use worker::{Env, Method, Request, RequestInit, Response};

/// The binding of the objects that keep budgets.
pub const OBJECT: &str = "BUDGETS";
/// The object of what everybody shares: the month's budget, and those of features.
pub const SHARED: &str = "shared";

/// What may be spent, as configured; nothing configured costs nothing to ask.
#[derive(Debug, Clone, Default)]
pub struct Budgets {
    person_day_micros: Option<u64>,
    month_micros: Option<u64>,
    features_month_micros: BTreeMap<String, u64>,
}

/// One budget that a call draws on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The budget's name within its object.
    pub name: String,
    /// Its period.
    pub period: Period,
    /// Its limit, micros.
    pub limit_micros: u64,
}

/// A wish to spend, from all these budgets or from none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The call's id: asked twice, it reserves once.
    pub id: String,
    /// What it may cost at most, micros.
    pub estimate_micros: u64,
    /// What would be taken for it and for calls to come, micros, where that can be lent; 0 for this call alone.
    #[serde(default)]
    pub lease_micros: u64,
    /// The budgets.
    pub draws: Vec<Draw>,
}

/// What a call cost in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The call's id.
    pub id: String,
    /// Micros; 0 gives the reservation back.
    pub cost_micros: u64,
}

/// A reservation, to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    id: String,
    objects: Vec<String>,
    /// The feature whose lease paid for what everybody shares.
    leased: Option<String>,
    /// What is left to the call.
    pub degradation: Degradation,
}

/// US dollars as micros.
fn micros(name: &str, dollars: &str) -> Result<u64, ApiError> {
    let value: f64 = dollars.trim().parse().unwrap_or(f64::NAN);
    if (0.0..=1e9).contains(&value) {
        Ok((value * 1e6).round() as u64)
    } else {
        Err(ApiError::internal(format!("{name} is not an amount of US dollars")))
    }
}

impl Budgets {
    /// Reads `BUDGET_PERSON_DAY_USD`, `BUDGET_MONTH_USD` and `BUDGET_FEATURES_MONTH_USD` (`chat=100,api=50`).
    ///
    /// # Errors
    /// [`ApiError::Internal`] naming what is malformed.
    pub fn read(env: &Env) -> Result<Self, ApiError> {
        let amount = |name: &str| text(env, name).map(|value| micros(name, &value)).transpose();
        let name = "BUDGET_FEATURES_MONTH_USD";
        let features = text(env, name).unwrap_or_default();
        let features = features.split(',').filter(|part| !part.trim().is_empty()).map(|part| {
            let (feature, dollars) = part
                .split_once('=')
                .ok_or_else(|| ApiError::internal(format!("{name} is not of the form chat=100,api=50")))?;
            Ok((feature.trim().to_string(), micros(name, dollars)?))
        });
        Ok(Self {
            person_day_micros: amount("BUDGET_PERSON_DAY_USD")?,
            month_micros: amount("BUDGET_MONTH_USD")?,
            features_month_micros: features.collect::<Result<_, ApiError>>()?,
        })
    }

    /// The objects that a call asks, and the budgets in each.
    fn draws(&self, feature: &str, person: &str) -> Vec<(String, Vec<Draw>)> {
        let draw = |name: String, period, limit_micros: Option<u64>| {
            limit_micros.map(|limit_micros| Draw {
                name,
                period,
                limit_micros,
            })
        };
        let shared: Vec<Draw> = [
            draw("month".into(), Period::Month, self.month_micros),
            draw(
                format!("feature:{feature}"),
                Period::Month,
                self.features_month_micros.get(feature).copied(),
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        let own: Vec<Draw> = draw("person".into(), Period::Day, self.person_day_micros)
            .into_iter()
            .collect();
        [(SHARED.to_string(), shared), (self::own(person), own)]
            .into_iter()
            .filter(|(_, draws)| !draws.is_empty())
            .collect()
    }

    /// Reserves what a call may cost at most, in every budget that it draws on.
    ///
    /// A budget that cannot be asked grants nothing: without an account there is no spending.
    pub async fn reserve(&self, env: &Env, feature: &str, person: &str, id: &str, estimate_micros: u64) -> Reservation {
        let mut draws = self.draws(feature, person);
        let is_shared = |object: &str| object == SHARED;
        let mut leased = false;
        if draws.iter().any(|(object, _)| is_shared(object)) && leases::take(feature, id, estimate_micros) {
            draws.retain(|(object, _)| !is_shared(object));
            leased = true;
        }
        let mut reservation = Reservation {
            id: id.into(),
            objects: Vec::new(),
            leased: leased.then(|| feature.into()),
            degradation: Degradation::None,
        };
        // All at once: the call waits for the slowest of them.
        let asked = draws.into_iter().map(|(object, draws)| async move {
            let asks = is_shared(&object) && leases::may_ask(feature);
            let lease_micros = if asks {
                estimate_micros.saturating_mul(LEASE_CALLS)
            } else {
                0
            };
            let wish = Wish {
                id: id.into(),
                estimate_micros,
                lease_micros,
                draws,
            };
            let granted: Result<Grant, ApiError> = call(env, &object, "/reserve", &wish).await;
            if asks {
                leases::asked(feature);
            }
            let grant = granted.unwrap_or_else(|error| {
                log::line("error", "budget-away", id, json!({"cause": format!("{error:?}")}));
                Grant {
                    degradation: Degradation::Offline,
                    granted_micros: 0,
                    alerts: Vec::new(),
                }
            });
            (object, grant)
        });
        for (object, grant) in join_all(asked).await {
            reservation.degradation = reservation.degradation.max(grant.degradation);
            if is_shared(&object) && grant.granted_micros > estimate_micros {
                leases::hold(feature, id, estimate_micros, grant.granted_micros);
                reservation.leased = Some(feature.into());
            } else {
                reservation.objects.push(object);
            }
        }
        if reservation.degradation == Degradation::Offline {
            // What was reserved elsewhere is given back.
            reservation.settle(env, 0).await;
        }
        reservation
    }
}

impl Reservation {
    /// Says what the call cost. A bill that does not arrive is replaced by the estimate after a while.
    pub async fn settle(&mut self, env: &Env, cost_micros: u64) {
        if let Some(feature) = self.leased.take() {
            leases::settle(&feature, &self.id, cost_micros);
        }
        let due = Bill {
            id: self.id.clone(),
            cost_micros,
        };
        let told = std::mem::take(&mut self.objects);
        let told = told.iter().map(|object| bill(env, object, &due));
        for error in join_all(told).await.into_iter().filter_map(Result::err) {
            log::line(
                "error",
                "budget-unsettled",
                &due.id,
                json!({"cause": format!("{error:?}")}),
            );
        }
    }
}

/// Deletes what a person spent.
///
/// # Errors
/// [`ApiError::Unavailable`] where the account is away; to be tried again.
pub async fn forget(env: &Env, person: &str) -> Result<(), ApiError> {
    let mut init = RequestInit::new();
    init.with_method(Method::Delete);
    ask(env, &own(person), "/", &init).await.map(|_| ())
}

/// The object of a person's budget.
fn own(person: &str) -> String {
    format!("person:{person}")
}

async fn bill(env: &Env, object: &str, bill: &Bill) -> Result<(), ApiError> {
    call::<serde_json::Value>(env, object, "/settle", bill)
        .await
        .map(|_| ())
}

async fn call<T: DeserializeOwned>(env: &Env, object: &str, path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    let body = serde_json::to_string(body).map_err(|_| ApiError::internal("internal body"))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let text = http::text_of(ask(env, object, path, &init).await?).await?;
    serde_json::from_str(&text).map_err(|_| ApiError::internal("a budget's answer is malformed"))
}

async fn ask(env: &Env, object: &str, path: &str, init: &RequestInit) -> Result<Response, ApiError> {
    let request = Request::new_with_init(&format!("https://object{path}"), init)?;
    let stub = env.durable_object(OBJECT)?.get_by_name(object)?;
    let response = stub.fetch_with_request(request).await?;
    match response.status_code() {
        200 | 204 => Ok(response),
        status => Err(ApiError::unavailable(format!("budget answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_draws_on_what_is_configured_and_nothing_else() {
        let budgets = Budgets {
            person_day_micros: Some(1),
            month_micros: None,
            features_month_micros: [("api".to_string(), 5)].into(),
        };
        let names = |feature: &str| -> Vec<(String, Vec<String>)> {
            let draws = budgets.draws(feature, "p");
            let names = |draws: Vec<Draw>| draws.into_iter().map(|draw| draw.name).collect();
            draws
                .into_iter()
                .map(|(object, draws)| (object, names(draws)))
                .collect()
        };
        assert_eq!(names("chat"), [("person:p".into(), vec!["person".into()])]);
        assert_eq!(
            names("api"),
            [
                ("shared".into(), vec!["feature:api".into()]),
                ("person:p".into(), vec!["person".into()])
            ]
        );
        assert!(Budgets::default().draws("chat", "p").is_empty());
        assert_eq!(micros("X", "1.5"), Ok(1_500_000));
        for wrong in ["", "x", "-1", "NaN", "inf"] {
            assert!(micros("X", wrong).is_err(), "{wrong}");
        }
    }
}
