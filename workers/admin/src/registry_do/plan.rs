//! From a stored registry and an order to what is written, all or nothing.

use super::order::{Order, Outcome, Wish};
use super::store;
use crate::alerts::Alert;
use crate::pipeline::{dead_letters, gold};
use crate::workflow_do;
use serde_json::{Value, json};
use silent_core::registry::{Actor, Change, Command, Draft, Entry, Pending, Sign, State, Target, Undo, apply};
use silent_core::time::rfc3339;
use silent_core::variants::{Snapshot, Status};
use silent_edge::error::ApiError;
use worker::{D1Database, D1PreparedStatement};

/// What an order comes to.
pub(crate) struct Plan {
    /// Written in one batch.
    pub(crate) statements: Vec<D1PreparedStatement>,
    /// The audit log's new end.
    pub(crate) end: (u64, String),
    /// The registry's next state, where it changes.
    pub(crate) snapshot: Option<Snapshot>,
    /// What the admin hears.
    pub(crate) outcome: Outcome,
    /// Whether somebody is to be told.
    pub(crate) alerts: bool,
}

/// What a plan is made with.
pub(crate) struct Desk<'a> {
    pub(crate) db: &'a D1Database,
    pub(crate) snapshot: &'a Snapshot,
    /// Sequence and hash of the audit log's end.
    pub(crate) end: &'a (u64, String),
    pub(crate) now_ms: u64,
    pub(crate) cool_down_ms: u64,
    /// A new change's id.
    pub(crate) change_id: String,
}

impl Desk<'_> {
    /// The plan for an order. `change` is the pending change that it names, `undo` the last change of its variant.
    pub(crate) fn plan(&self, order: &Order, change: Option<Pending>, undo: Option<&Undo>) -> Result<Plan, ApiError> {
        let mut plan = match &order.wish {
            Wish::Change { command } => self.command(order, command, undo)?,
            Wish::Sign { .. } => {
                let mut change = change.ok_or(ApiError::NotFound)?;
                change.sign(&order.actor, self.now_ms, self.cool_down_ms)?;
                if change.is_due(self.now_ms) {
                    self.take_effect(change, undo, &order.reason)?
                } else {
                    self.note(&order.actor.id, &change, "signed", &order.reason, 202)?
                }
            }
            Wish::Cancel { .. } => {
                let mut change = change.ok_or(ApiError::NotFound)?;
                change.cancel()?;
                self.note(&order.actor.id, &change, "cancelled", &order.reason, 200)?
            }
            Wish::ConfirmMiss { target, turn } => self.confirm_miss(order, target, turn)?,
            wish => self.other(order, wish)?,
        };
        plan.statements
            .push(store::remember(self.db, order, &plan.outcome, self.now_ms)?);
        Ok(plan)
    }

    /// What becomes of a change whose time has come.
    pub(crate) fn fall_due(&self, mut change: Pending, undo: Option<&Undo>) -> Result<Plan, ApiError> {
        if change.state == State::Waiting {
            change.state = State::Expired;
            return self.note(
                &Actor::system().id,
                &change,
                "expired",
                "nobody confirmed it in time",
                200,
            );
        }
        let reason = change.reason.clone();
        match self.take_effect(change.clone(), undo, &reason) {
            Err(ApiError::Conflict(why) | ApiError::Invalid(why)) => self.refused(change, &why),
            Err(ApiError::Stale { .. }) => self.refused(change, "the variant was changed since"),
            Err(ApiError::NotFound) => self.refused(change, "the variant is gone"),
            plan => plan,
        }
    }

    fn refused(&self, mut change: Pending, why: &str) -> Result<Plan, ApiError> {
        change.state = State::Refused;
        self.note(&Actor::system().id, &change, "refused", why, 200)
    }

    fn command(&self, order: &Order, command: &Command, undo: Option<&Undo>) -> Result<Plan, ApiError> {
        let needs = command.needs(self.snapshot)?;
        // What cannot take effect is refused now, not after a cool-down.
        let (next, change) = apply(
            self.snapshot,
            command,
            order.expected_version,
            undo,
            &order.actor,
            self.now_ms,
        )?;
        if needs.confirm && !order.confirm {
            return Err(ApiError::ConfirmationRequired(
                "the share changes by more than 25 points: repeat it with \"confirm\": true".into(),
            ));
        }
        if needs.sign == Sign::None {
            let status = if matches!(command, Command::Create { .. }) {
                201
            } else {
                200
            };
            return self.changed(
                &order.actor.id,
                command,
                &order.reason,
                next,
                &change,
                json!({}),
                status,
            );
        }
        let pending = Pending::new(
            self.change_id.clone(),
            command.clone(),
            order.expected_version,
            needs,
            order.actor.clone(),
            order.reason.clone(),
            self.now_ms,
        );
        self.note(&order.actor.id, &pending, "requested", &order.reason, 202)
    }

    fn confirm_miss(&self, order: &Order, target: &Target, turn: &str) -> Result<Plan, ApiError> {
        let command = Command::LiveMiss { target: target.clone() };
        let (next, change) = apply(self.snapshot, &command, None, None, &order.actor, self.now_ms)?;
        let about = json!({"turn": turn});
        let mut plan = self.changed(&order.actor.id, &command, &order.reason, next, &change, about, 200)?;
        let once = self
            .db
            .prepare("INSERT INTO crisis_misses(turn, category, variant, at_ms) VALUES (?1, ?2, ?3, ?4)")
            .bind(&[
                turn.into(),
                target.category.as_str().into(),
                target.id.as_str().into(),
                store::integer(self.now_ms),
            ])?;
        plan.statements.push(once);
        Ok(plan)
    }

    fn take_effect(&self, mut change: Pending, undo: Option<&Undo>, reason: &str) -> Result<Plan, ApiError> {
        let (next, made) = apply(
            self.snapshot,
            &change.command,
            change.expected_version,
            undo,
            &change.author,
            self.now_ms,
        )?;
        change.state = State::Applied;
        let actor = change.signed_by.clone().unwrap_or_else(|| change.author.id.clone());
        let about = json!({"change": change.id, "requested_by": change.author.id, "signed_by": change.signed_by});
        let mut plan = self.changed(&actor, &change.command, reason, next, &made, about, 200)?;
        plan.statements.push(store::put_pending(self.db, &change)?);
        if let Some(body) = plan.outcome.body.as_object_mut() {
            body.insert("change".into(), shown(&change));
        }
        Ok(plan)
    }

    #[allow(clippy::too_many_arguments, reason = "one row of the log")]
    fn changed(
        &self,
        actor: &str,
        command: &Command,
        reason: &str,
        next: Snapshot,
        change: &Change,
        about: Value,
        status: u16,
    ) -> Result<Plan, ApiError> {
        let mut detail = json!(change);
        if let (Some(detail), Value::Object(about)) = (detail.as_object_mut(), about) {
            detail.extend(about);
            detail.insert("snapshot_version".into(), next.version().into());
        }
        let entry = self.entry(actor, command.action(), &command.subject(), reason, &detail);
        let mut statements = vec![store::append(self.db, &entry)?, store::put_state(self.db, &next)?];
        for row in &change.after {
            statements.push(store::put_variant(self.db, row)?);
        }
        let alert = alert(actor, command, reason, change, entry.seq);
        if let Some(alert) = &alert {
            statements.push(alert.statement(self.db, self.now_ms)?);
        }
        let target = command.target();
        let variant = target.and_then(|target| next.variant(target.category, &target.id));
        let body = json!({
            "snapshot_version": next.version(),
            "audit_seq": entry.seq,
            "variant": variant,
            "killed": next.killed(),
        });
        Ok(Plan {
            statements,
            end: (entry.seq, entry.hash),
            snapshot: Some(next),
            alerts: alert.is_some(),
            outcome: Outcome {
                status,
                body,
                replayed: false,
            },
        })
    }

    /// A step of a change that waits.
    fn note(&self, actor: &str, change: &Pending, step: &str, reason: &str, status: u16) -> Result<Plan, ApiError> {
        let action = format!("{}.{step}", change.command.action());
        let detail = json!({"change": change.id, "command": change.command, "due_at_ms": change.due_at_ms});
        let entry = self.entry(actor, &action, &change.command.subject(), reason, &detail);
        Ok(Plan {
            statements: vec![store::append(self.db, &entry)?, store::put_pending(self.db, change)?],
            snapshot: None,
            alerts: false,
            outcome: Outcome {
                status,
                body: json!({"change": shown(change), "audit_seq": entry.seq}),
                replayed: false,
            },
            end: (entry.seq, entry.hash),
        })
    }

    fn other(&self, order: &Order, wish: &Wish) -> Result<Plan, ApiError> {
        let at = rfc3339(self.now_ms);
        let nobody = String::new();
        let (action, subject, detail, statement, status) = match wish {
            Wish::CreateKey { id, name, hash, scopes } => {
                let detail =
                    json!({"id": id, "name": name, "scopes": scopes, "created_at": at, "created_by": order.actor.id});
                let statement = self
                    .db
                    .prepare("INSERT INTO api_keys(id, name, hash, scopes, created_at_ms, created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                    .bind(&[
                        id.into(),
                        name.into(),
                        hash.into(),
                        json!(scopes).to_string().into(),
                        store::integer(self.now_ms),
                        order.actor.id.as_str().into(),
                    ])?;
                ("api-key.create", id, detail, Some(statement), 201)
            }
            Wish::RevokeKey { id } => {
                let statement = self
                    .db
                    .prepare("UPDATE api_keys SET revoked_at_ms = ?2 WHERE id = ?1 AND revoked_at_ms IS NULL")
                    .bind(&[id.into(), store::integer(self.now_ms)])?;
                (
                    "api-key.revoke",
                    id,
                    json!({"id": id, "revoked_at": at}),
                    Some(statement),
                    200,
                )
            }
            Wish::Preview {
                overrides,
                expires_at_ms,
            } => {
                let detail = json!({"overrides": overrides, "expires_at": rfc3339(*expires_at_ms), "expires_at_ms": expires_at_ms});
                ("preview-link", &nobody, detail, None, 201)
            }
            Wish::ReplayDeadLetters { id } => {
                let statement = dead_letters::want(self.db, id.as_deref(), self.now_ms)?;
                let detail = json!({"dead_letter": id, "wanted_at": at});
                let subject = id.as_ref().unwrap_or(&nobody);
                ("dead-letter.replay", subject, detail, Some(statement), 202)
            }
            Wish::RebuildGold { from, to } => {
                let statement = gold::want(self.db, *from, *to, self.now_ms)?;
                (
                    "gold.rebuild",
                    &nobody,
                    json!({"from": from, "to": to, "wanted_at": at}),
                    Some(statement),
                    202,
                )
            }
            Wish::StartPromotion { run } => {
                let subject = run.target.to_string();
                let detail = json!({"id": run.id, "kind": "promotion", "plan": run.plan});
                let statement = workflow_do::put(self.db, run)?;
                return self.noted(order, "workflow.start", &subject, detail, Some(statement), 202);
            }
            Wish::CancelWorkflow { id } => ("workflow.cancel", id, json!({"id": id}), None, 202),
            Wish::DeliverAlert { message } => {
                let statement = self
                    .db
                    .prepare("UPDATE alert_deliveries SET state = 'pending', attempts = 0, next_at_ms = ?2 WHERE message_id = ?1")
                    .bind(&[message.into(), store::integer(self.now_ms)])?;
                (
                    "alert.deliver",
                    message,
                    json!({"id": message, "wanted_at": at}),
                    Some(statement),
                    202,
                )
            }
            Wish::Change { .. } | Wish::Sign { .. } | Wish::Cancel { .. } | Wish::ConfirmMiss { .. } => {
                return Err(ApiError::internal("unplanned"));
            }
        };
        self.noted(order, action, subject, detail, statement, status)
    }

    /// What changes no variant: an entry of the log, and what else is written with it.
    fn noted(
        &self,
        order: &Order,
        action: &str,
        subject: &str,
        detail: Value,
        statement: Option<D1PreparedStatement>,
        status: u16,
    ) -> Result<Plan, ApiError> {
        let entry = self.entry(&order.actor.id, action, subject, &order.reason, &detail);
        let mut body = detail;
        if let Some(body) = body.as_object_mut() {
            body.insert("audit_seq".into(), entry.seq.into());
        }
        let mut statements = vec![store::append(self.db, &entry)?];
        statements.extend(statement);
        Ok(Plan {
            statements,
            end: (entry.seq, entry.hash),
            snapshot: None,
            alerts: false,
            outcome: Outcome {
                status,
                body,
                replayed: false,
            },
        })
    }

    fn entry(&self, actor: &str, action: &str, subject: &str, reason: &str, detail: &Value) -> Entry {
        let draft = Draft {
            at: rfc3339(self.now_ms),
            actor: actor.into(),
            action: action.into(),
            subject: subject.into(),
            reason: reason.trim().into(),
            detail: detail.to_string(),
        };
        Entry::after(self.end.0, &self.end.1, draft)
    }
}

/// Where a canary lost its traffic by what was found out about it, somebody should know.
fn alert(actor: &str, command: &Command, reason: &str, change: &Change, seq: u64) -> Option<Alert> {
    let is_found_out = match command {
        Command::LiveMiss { .. } => true,
        Command::Replay { new_misses, .. } => *new_misses > 0,
        Command::Demote { .. } => actor.starts_with("system:"),
        _ => false,
    };
    let target = command.target().filter(|_| is_found_out)?;
    let was = change.before.iter().any(|variant| variant.is_challenger());
    let is = change.after.iter().any(|variant| variant.is_challenger());
    let became = if was && !is {
        "went back to experimental"
    } else if change.after.iter().any(|variant| variant.status == Status::Production) {
        "stays in production, which has nothing else: roll back, or promote another"
    } else {
        "takes no traffic"
    };
    let subject = target.to_string();
    let text = format!("{subject} {became} ({}): {reason}", command.action());
    let figures = json!({"action": command.action(), "category": target.category, "variant": target.id, "reason": reason,
        "actor": actor, "audit_seq": seq});
    Some(Alert::new(
        format!("demotion:{subject}:{seq}"),
        "demotion",
        subject,
        text,
        figures,
    ))
}

/// A change as the API shows it.
pub(crate) fn shown(change: &Pending) -> Value {
    json!({
        "id": change.id,
        "state": change.state,
        "command": change.command,
        "expected_version": change.expected_version,
        "needs": change.needs,
        "author": change.author.id,
        "reason": change.reason,
        "signed_by": change.signed_by,
        "created_at": rfc3339(change.created_at_ms),
        "due_at": rfc3339(change.due_at_ms),
    })
}
