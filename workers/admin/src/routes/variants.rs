//! Variants: what there is, and every way to change one.

use super::{Answer, Door, Nothing, limit, query, short};
use crate::registry_do::order::Wish;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::registry::{Command, Target};
use silent_core::variants::{Category, Cohort, Status, Variant, VariantId};
use silent_edge::error::ApiError;
use worker::{Request, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    category: Option<Category>,
    status: Option<Status>,
    cohort: Option<Cohort>,
    q: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

impl Filter {
    fn takes(&self, variant: &Variant) -> bool {
        let words = self.q.as_deref().unwrap_or_default().to_lowercase();
        let text = format!("{} {}", variant.id, variant.description).to_lowercase();
        self.category.is_none_or(|category| category == variant.category)
            && self.status.is_none_or(|status| status == variant.status)
            && self.cohort.is_none_or(|cohort| variant.cohorts.contains(&cohort))
            && words.split_whitespace().all(|word| text.contains(word))
    }
}

/// In the order of the categories, then by id: a page's end is a place in it.
fn place(variant: &Variant) -> String {
    format!("{:02}.{}", variant.category as u8, variant.id)
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    let filter: Filter = query(request)?;
    short("q", filter.q.as_ref(), 100)?;
    short("cursor", filter.cursor.as_ref(), 80)?;
    let limit = limit(filter.limit)?;
    let snapshot = door.registry().await?;
    let mut found: Vec<&Variant> = snapshot
        .variants()
        .iter()
        .filter(|variant| filter.takes(variant))
        .collect();
    found.sort_by_cached_key(|variant| place(variant));
    if let Some(cursor) = &filter.cursor {
        found.retain(|variant| place(variant) > *cursor);
    }
    let next = (found.len() > limit)
        .then(|| found.get(limit.saturating_sub(1)).map(|variant| place(variant)))
        .flatten();
    found.truncate(limit);
    Ok(Response::from_json(&json!({
        "snapshot_version": snapshot.version(),
        "variants": found,
        "next": next,
    }))?)
}

pub(super) async fn read(door: &Door, request: &Request, target: &Target) -> Answer {
    super::no_query(request)?;
    let snapshot = door.registry().await?;
    let variant = snapshot
        .variant(target.category, &target.id)
        .ok_or(ApiError::NotFound)?;
    let response = Response::from_json(variant)?;
    response.headers().set("etag", &format!("\"{}\"", variant.version))?;
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    category: Category,
    id: VariantId,
    description: String,
    config: Value,
    cohorts: Option<Vec<Cohort>>,
}

pub(super) async fn create(door: &Door, mut request: Request) -> Answer {
    let (body, mut order) = door.ask::<CreateBody>(&mut request).await?;
    let command = Command::Create {
        target: Target {
            category: body.category,
            id: body.id,
        },
        description: body.description,
        config: body.config,
        cohorts: body.cohorts.unwrap_or_else(|| vec![Cohort::All]),
    };
    order.expected_version = None;
    order.wish = Wish::Change { command };
    door.settle(&order).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    description: Option<String>,
    config: Option<Value>,
}

pub(super) async fn edit(door: &Door, mut request: Request, target: Target) -> Answer {
    let (body, order) = door.ask::<EditBody>(&mut request).await?;
    if body.description.is_none() && body.config.is_none() {
        return Err(ApiError::Invalid("give a description or a config".into()));
    }
    change(
        door,
        order,
        Command::Edit {
            target,
            description: body.description,
            config: body.config,
        },
    )
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolloutBody {
    percent: f64,
    #[serde(default)]
    confirm: bool,
}

pub(super) async fn rollout(door: &Door, mut request: Request, target: Target) -> Answer {
    let (body, mut order) = door.ask::<RolloutBody>(&mut request).await?;
    order.confirm = body.confirm;
    let percent = body.percent;
    change(door, order, Command::Rollout { target, percent }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CohortsBody {
    cohorts: Vec<Cohort>,
}

pub(super) async fn cohorts(door: &Door, mut request: Request, target: Target) -> Answer {
    let (body, order) = door.ask::<CohortsBody>(&mut request).await?;
    let cohorts = body.cohorts;
    change(door, order, Command::Cohorts { target, cohorts }).await
}

/// A change that needs nothing but a reason.
pub(super) async fn step(door: &Door, mut request: Request, command: Command) -> Answer {
    let (_, order) = door.ask::<Nothing>(&mut request).await?;
    change(door, order, command).await
}

async fn change(door: &Door, mut order: crate::registry_do::order::Order, command: Command) -> Answer {
    if command.needs_version() && order.expected_version.is_none() {
        return Err(ApiError::VersionRequired);
    }
    order.wish = Wish::Change { command };
    door.settle(&order).await
}
