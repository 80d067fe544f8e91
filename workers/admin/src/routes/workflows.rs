//! Promotions that take days: begin one, look, take one back.

use super::{Answer, Door, Nothing, answer, hex, limit, no_query, query};
use crate::registry_do::order::Wish;
use crate::registry_do::{integer, is_answered};
use crate::workflow_do::{Ask, ask};
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::registry::Target;
use silent_core::time::rfc3339;
use silent_core::variants::{Category, Status, VariantId};
use silent_core::workflow::{Plan, Run, State};
use silent_edge::error::ApiError;
use silent_edge::random;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, Request, Response};

/// Time to collect sessions: three days, so that it has seen more than one kind of day.
const COLLECT_S: u64 = 72 * 3_600;
/// Life of a link to approve.
const APPROVAL_S: u64 = 48 * 3_600;

/// The times of `WORKFLOW_COLLECT_S` and `WORKFLOW_APPROVAL_S`. A deployed Worker may take longer to collect, never shorter.
fn plan(var: impl Fn(&str) -> String) -> Result<Plan, ApiError> {
    let seconds = |name: &str, usual: u64| match var(name).as_str() {
        "" => Ok(usual),
        text => text
            .parse::<u64>()
            .map_err(|_| ApiError::internal(format!("{name} is not a number"))),
    };
    let collect_s = seconds("WORKFLOW_COLLECT_S", COLLECT_S)?;
    let approval_s = seconds("WORKFLOW_APPROVAL_S", APPROVAL_S)?;
    let is_here = matches!(var("ENVIRONMENT").as_str(), "local" | "test");
    if !is_here && collect_s < COLLECT_S {
        return Err(ApiError::Fault {
            slug: "misconfigured",
            title: "Promotions are not configured",
            cause: format!("WORKFLOW_COLLECT_S is below {COLLECT_S} in a deployed environment"),
        });
    }
    Ok(Plan {
        collect_ms: collect_s.saturating_mul(1_000),
        approval_ms: approval_s.saturating_mul(1_000),
    })
}

/// A run as the API shows it.
pub(super) fn shown(run: &Run) -> Value {
    let ending = match &run.state {
        State::Telling { ending } | State::Ended { ending } => json!(ending),
        _ => Value::Null,
    };
    let notes: Vec<Value> = run
        .notes
        .iter()
        .map(|note| json!({"at": rfc3339(note.at_ms), "state": note.state, "what": note.what}))
        .collect();
    json!({
        "id": run.id, "kind": "promotion", "category": run.target.category, "variant": run.target.id,
        "state": run.state.name(), "ending": ending, "author": run.author.id, "reason": run.reason,
        "approved_by": run.approved_by.as_ref().map(|approval| &approval.by.id), "round": run.round,
        "created_at": rfc3339(run.created_at_ms), "due_at": run.due_at_ms().map(rfc3339), "steps": notes,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartBody {
    category: Category,
    id: VariantId,
}

pub(super) async fn start(door: &Door, mut request: Request) -> Answer {
    let origin = request.url()?.origin().ascii_serialization();
    let (body, mut order) = door.ask::<StartBody>(&mut request).await?;
    let plan = plan(|name| door.env.var(name).map(|value| value.to_string()).unwrap_or_default())?;
    let db = door.db()?;
    let target = Target {
        category: body.category,
        id: body.id,
    };
    if !is_answered(&db, &order.actor.id, &order.key).await? {
        let snapshot = door.registry().await?;
        let variant = snapshot
            .variant(target.category, &target.id)
            .ok_or(ApiError::NotFound)?;
        if variant.status != Status::Staged || !variant.is_challenger() {
            return Err(ApiError::Conflict("only a staged variant with traffic can win".into()));
        }
        if target.category.is_pool() {
            return Err(ApiError::Conflict(
                "the category is a pool: it has no one default to win against".into(),
            ));
        }
    }
    let run = Run::new(
        format!("run_{}", hex(&random::bytes::<10>()?)),
        target,
        order.actor.clone(),
        order.reason.trim().into(),
        origin,
        plan,
        door.now_ms,
    );
    order.wish = Wish::StartPromotion { run: Box::new(run) };
    match door.order(&order).await {
        Err(refusal) => Ok(refusal),
        Ok(outcome) => {
            // Repeated, the request names the run that it began the first time.
            let id = outcome.body.get("id").and_then(Value::as_str).unwrap_or_default();
            let run = Box::new(listed(&db, id).await?);
            ask(&door.env, id, &Ask::Begin { run }).await?;
            answer(&outcome, &outcome.body)
        }
    }
}

#[derive(Deserialize)]
struct Row {
    run: String,
}

impl Row {
    fn run(&self) -> Result<Run, ApiError> {
        serde_json::from_str(&self.run).map_err(|_| ApiError::internal("a run of D1 cannot be read"))
    }
}

async fn listed(db: &D1Database, id: &str) -> Result<Run, ApiError> {
    let found: Option<Row> = db
        .prepare("SELECT run FROM workflows WHERE id = ?1")
        .bind(&[id.into()])?
        .first(None)
        .await?;
    found.ok_or(ApiError::NotFound)?.run()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    open: Option<bool>,
    limit: Option<u32>,
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    let filter: Filter = query(request)?;
    let limit = limit(filter.limit)?;
    let found = door
        .db()?
        .prepare(
            "SELECT run FROM workflows WHERE (?1 IS NULL OR (ended_at_ms IS NULL) = ?1) ORDER BY created_at_ms DESC, id LIMIT ?2",
        )
        .bind(&[
            filter.open.map_or(JsValue::NULL, |open| u32::from(open).into()),
            integer(limit as u64),
        ])?
        .all()
        .await?;
    let runs: Vec<Value> = found
        .results::<Row>()?
        .iter()
        .filter_map(|row| row.run().ok())
        .map(|run| shown(&run))
        .collect();
    Ok(Response::from_json(&json!({"workflows": runs}))?)
}

pub(super) async fn read(door: &Door, request: &Request, id: &str) -> Answer {
    no_query(request)?;
    listed(&door.db()?, id).await?;
    Ok(Response::from_json(&shown(&ask(&door.env, id, &Ask::Show).await?))?)
}

pub(super) async fn cancel(door: &Door, mut request: Request, id: String) -> Answer {
    let (_, mut order) = door.ask::<Nothing>(&mut request).await?;
    let db = door.db()?;
    listed(&db, &id).await?;
    // What the run would refuse is not written down as done.
    let run = ask(&door.env, &id, &Ask::Show).await?;
    let by = order.actor.id.clone();
    let mut tried = run.clone();
    let cancelled = silent_core::workflow::Event::Cancelled { by: by.clone() };
    if let Err(why) = tried.take(&cancelled, door.now_ms) {
        return Err(ApiError::Conflict(why.to_string()));
    }
    order.wish = Wish::CancelWorkflow { id: id.clone() };
    match door.order(&order).await {
        Err(refusal) => Ok(refusal),
        Ok(outcome) => {
            let run = ask(&door.env, &id, &Ask::Cancel { by }).await?;
            answer(&outcome, &shown(&run))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(environment: &str, collect: &str, approval: &str) -> Result<(u64, u64), ApiError> {
        let set = |name: &str| {
            let value = match name {
                "ENVIRONMENT" => environment,
                "WORKFLOW_COLLECT_S" => collect,
                _ => approval,
            };
            value.to_string()
        };
        plan(set).map(|plan| (plan.collect_ms / 1_000, plan.approval_ms / 1_000))
    }

    #[test]
    fn a_deployed_worker_collects_for_three_days_at_least() {
        assert_eq!(planned("production", "", ""), Ok((259_200, 172_800)));
        assert_eq!(planned("production", "604800", "3600"), Ok((604_800, 3_600)));
        assert_eq!(planned("test", "5", "2"), Ok((5, 2)));
        for environment in ["production", "staging", ""] {
            assert!(matches!(
                planned(environment, "259199", ""),
                Err(ApiError::Fault {
                    slug: "misconfigured",
                    ..
                })
            ));
        }
        assert!(planned("local", "three days", "").is_err());
    }
}
