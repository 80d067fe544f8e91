//! The registry as a whole: categories, snapshot, switches, and why a person has what they have.

use super::{Answer, Door, no_query, query, short};
use crate::registry_do::order::Wish;
use serde::Deserialize;
use serde_json::json;
use silent_core::registry::Command;
use silent_core::variants::{Category, MAX_EXPERIMENTS, Subject};
use silent_edge::error::ApiError;
use std::collections::BTreeSet;
use worker::{Request, Response};

pub(super) fn me(door: &Door, request: &Request) -> Answer {
    no_query(request)?;
    let actor = &door.identity.actor;
    Ok(Response::from_json(
        &json!({"id": actor.id, "kind": actor.kind, "groups": door.identity.groups}),
    )?)
}

pub(super) async fn categories(door: &Door, request: &Request) -> Answer {
    no_query(request)?;
    let snapshot = door.registry().await?;
    let experiments: Vec<Category> = snapshot.experiments().collect();
    let categories: Vec<_> = Category::ALL
        .into_iter()
        .map(|category| {
            let defaults: Vec<_> = snapshot.defaults(category).map(|variant| &variant.id).collect();
            json!({
                "category": category,
                "defaults": defaults,
                "is_pool": category.is_pool(),
                "is_critical": category.is_critical(),
                "is_experiment": experiments.contains(&category),
                "is_switched_off": snapshot.killed().contains(&category),
                "config_schema": category.config_schema(),
            })
        })
        .collect();
    Ok(Response::from_json(&json!({
        "categories": categories,
        "experiments": experiments.len(),
        "max_experiments": MAX_EXPERIMENTS,
    }))?)
}

pub(super) async fn snapshot(door: &Door, request: &Request) -> Answer {
    no_query(request)?;
    let snapshot = door.registry().await?;
    let text = snapshot
        .to_json()
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let response = Response::ok(text)?;
    response.headers().set("content-type", "application/json")?;
    response.headers().set("etag", &format!("\"{}\"", snapshot.version()))?;
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    person_id: String,
    category: Option<Category>,
    new_user: Option<bool>,
    paid: Option<bool>,
}

pub(super) async fn explain(door: &Door, request: &Request) -> Answer {
    let whom: Whom = query(request)?;
    short("person_id", Some(&whom.person_id), 128)?;
    let subject = Subject {
        id: &whom.person_id,
        is_new: whom.new_user.unwrap_or(false),
        is_paid: whom.paid.unwrap_or(false),
    };
    let snapshot = door.registry().await?;
    let explanations: Vec<_> = Category::ALL
        .into_iter()
        .filter(|category| whom.category.is_none_or(|wanted| wanted == *category))
        .filter_map(|category| snapshot.explain(&subject, category))
        .map(|explain| json!({"in_words": explain.to_string(), "explanation": explain}))
        .collect();
    Ok(Response::from_json(&json!({
        "snapshot_version": snapshot.version(),
        "person_id": whom.person_id,
        "explanations": explanations,
    }))?)
}

pub(super) async fn killed(door: &Door, request: &Request) -> Answer {
    no_query(request)?;
    let snapshot = door.registry().await?;
    Ok(Response::from_json(
        &json!({"snapshot_version": snapshot.version(), "killed": snapshot.killed()}),
    )?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KillBody {
    off: bool,
    categories: Option<BTreeSet<Category>>,
}

pub(super) async fn kill(door: &Door, mut request: Request) -> Answer {
    let (body, mut order) = door.ask::<KillBody>(&mut request).await?;
    let command = Command::Kill {
        categories: body.categories.unwrap_or_else(|| Category::ALL.into()),
        off: body.off,
    };
    order.wish = Wish::Change { command };
    door.settle(&order).await
}
