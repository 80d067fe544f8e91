//! What experiments come to: a winner, what a replay showed, a crisis that was missed.

use super::{Answer, Door, Nothing, hex};
use crate::metrics::winner::{examine, in_words};
use crate::registry_do::is_answered;
use crate::registry_do::order::Wish;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use silent_core::registry::{Command, Target};
use silent_core::turn::TurnEvent;
use silent_edge::error::ApiError;
use worker::Request;

/// Promotes as any promotion, where every condition is met by the server's own figures.
pub(super) async fn promote_winner(door: &Door, mut request: Request, target: Target) -> Answer {
    let (_, mut order) = door.ask::<Nothing>(&mut request).await?;
    if order.expected_version.is_none() {
        return Err(ApiError::VersionRequired);
    }
    let db = door.db()?;
    // Repeated, the request hears what it heard, though the promotion itself has changed the figures' ground.
    if !is_answered(&db, &order.actor.id, &order.key).await? {
        let snapshot = door.registry().await?;
        let examined = examine(&db, &snapshot, &target, door.now_ms).await?;
        if !examined.unmet.is_empty() {
            return Err(ApiError::Unmet {
                detail: in_words(&examined.unmet),
                unmet: examined.unmet,
            });
        }
    }
    order.wish = Wish::Change {
        command: Command::Promote { target },
    };
    door.settle(&order).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplayBody {
    cases: u64,
    new_misses: u64,
}

pub(super) async fn replay(door: &Door, mut request: Request, target: Target) -> Answer {
    let (body, mut order) = door.ask::<ReplayBody>(&mut request).await?;
    order.expected_version = None;
    order.wish = Wish::Change {
        command: Command::Replay {
            target,
            cases: body.cases,
            new_misses: body.new_misses,
        },
    };
    door.settle(&order).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MissBody {
    event_id: String,
}

pub(super) async fn live_miss(door: &Door, mut request: Request, target: Target) -> Answer {
    #[derive(Deserialize)]
    struct Row {
        event: String,
    }
    let (body, mut order) = door.ask::<MissBody>(&mut request).await?;
    let db = door.db()?;
    let found: Option<Row> = db
        .prepare("SELECT event FROM turn_events WHERE event_id = ?1")
        .bind(&[body.event_id.as_str().into()])?
        .first(None)
        .await?;
    let event: TurnEvent = serde_json::from_str(&found.ok_or(ApiError::NotFound)?.event)
        .map_err(|_| ApiError::internal("an event of D1 cannot be read"))?;
    let had = event.variants.get(target.category.as_str());
    if had.is_none_or(|had| target.id != *had.as_str()) {
        return Err(ApiError::Conflict("the turn had another variant".into()));
    }
    order.wish = Wish::ConfirmMiss {
        target,
        turn: hex(&Sha256::digest(&body.event_id)),
    };
    door.settle(&order).await
}
