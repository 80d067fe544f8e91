//! Figures for the dashboard, from gold; what is live, from the events.

use super::{Answer, Door, no_query, query};
use crate::metrics::winner::PLANNED;
use crate::metrics::{self, Range, budgets, days, experiment, live};
use crate::registry_do::order::Wish;
use serde::Deserialize;
use silent_core::pipeline::Day;
use silent_core::variants::{Category, VariantId};
use silent_edge::error::ApiError;
use silent_edge::log;
use worker::{Request, Response};

/// Most days that are asked for at a time.
pub(super) const MAX_DAYS: u32 = 366;

fn range(door: &Door, count: Option<u32>) -> std::result::Result<Range, ApiError> {
    match count.unwrap_or(7) {
        count @ 1..=MAX_DAYS => {
            let today = Day::of(door.now_ms);
            Ok(Range {
                from: today.minus(count - 1),
                to: today,
                today,
            })
        }
        _ => Err(ApiError::Invalid(format!("days must be from 1 to {MAX_DAYS}"))),
    }
}

pub(super) fn json(text: String) -> Answer {
    let response = Response::from_bytes(text.into_bytes())?;
    response.headers().set("content-type", "application/json")?;
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCategory {
    category: Option<Category>,
    days: Option<u32>,
}

pub(super) async fn overview(door: &Door, request: &Request) -> Answer {
    let asked: OfCategory = query(request)?;
    let range = range(door, asked.days)?;
    json(days::overview(&door.db()?, range, asked.category).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfVariant {
    category: Category,
    id: VariantId,
    days: Option<u32>,
}

pub(super) async fn series(door: &Door, request: &Request) -> Answer {
    let asked: OfVariant = query(request)?;
    let range = range(door, asked.days)?;
    json(days::series(&door.db()?, range, asked.category, &asked.id).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfExperiment {
    category: Category,
    control: VariantId,
    treatment: VariantId,
    from: Day,
    to: Day,
    planned: Option<u64>,
}

pub(super) async fn compare(door: &Door, request: &Request) -> Answer {
    let asked: OfExperiment = query(request)?;
    checked(asked.from, asked.to)?;
    if asked.planned == Some(0) {
        return Err(ApiError::Invalid("planned must be at least 1".into()));
    }
    if asked.control == asked.treatment {
        return Err(ApiError::Invalid("control and treatment must be two variants".into()));
    }
    let experiment = experiment::Experiment {
        category: asked.category,
        control: asked.control,
        treatment: asked.treatment,
        from: asked.from,
        to: asked.to,
        planned: asked.planned.unwrap_or(PLANNED),
    };
    let snapshot = door.registry().await?;
    let comparison = experiment::compare(&door.db()?, &snapshot, &experiment).await?;
    Ok(Response::from_json(&comparison)?)
}

fn checked(from: Day, to: Day) -> std::result::Result<(), ApiError> {
    if from > to || from.until(to) >= MAX_DAYS {
        return Err(ApiError::Invalid(format!(
            "from must be before to, by at most {MAX_DAYS} days"
        )));
    }
    Ok(())
}

pub(super) async fn live(door: &Door, request: &Request) -> Answer {
    no_query(request)?;
    Ok(Response::from_json(&live::live(&door.db()?, door.now_ms).await?)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfDays {
    days: Option<u32>,
}

pub(super) async fn safety(door: &Door, request: &Request) -> Answer {
    let asked: OfDays = query(request)?;
    let range = range(door, asked.days)?;
    json(metrics::safety(&door.db()?, range).await?)
}

pub(super) async fn costs(door: &Door, request: &Request) -> Answer {
    let asked: OfDays = query(request)?;
    let range = range(door, asked.days)?;
    // Figures of days do not wait for the object of budgets, should it be away.
    let budgets = budgets::budgets(&door.env, door.now_ms).await;
    let budgets = budgets.unwrap_or_else(|error| {
        log::line(
            "error",
            "budgets-away",
            &door.correlation_id,
            serde_json::json!({"cause": format!("{error:?}")}),
        );
        "null".into()
    });
    json(days::costs(&door.db()?, range, &budgets).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rebuild {
    from: Day,
    to: Day,
}

pub(super) async fn rebuild(door: &Door, mut request: Request) -> Answer {
    let (asked, mut order) = door.ask::<Rebuild>(&mut request).await?;
    checked(asked.from, asked.to)?;
    order.wish = Wish::RebuildGold {
        from: asked.from,
        to: asked.to,
    };
    door.settle(&order).await
}
