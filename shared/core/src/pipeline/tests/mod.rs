//! What holds of the layers together.

mod comparing;
mod layers;
mod rules;
mod watching;

use super::bronze::{Rating, Record};
use super::{Day, DayBuilder, Gold};
use crate::ids::{PersonId, SessionId, TurnId};
use crate::turn::{Kind, Status, TurnEvent, Usage};
use crate::variants::Reason;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

pub(super) fn day() -> Day {
    Day::parse("2026-11-21").unwrap()
}

/// A plain turn: `person` and `session` are numbers, `seq` its place, `minute` of the day.
pub(super) fn turn(person: u8, session: u8, seq: u64, minute: u64) -> TurnEvent {
    let start = day().start_ms();
    let session_id = SessionId::new(start, [session; 10]);
    TurnEvent {
        event_id: format!("{session_id}:{seq}"),
        version: 1,
        person_id: PersonId::new(start + u64::from(person), [person; 10]),
        turn_id: TurnId::new(start, [session, seq as u8, 0, 0, 0, 0, 0, 0, 0, 0]),
        session_id,
        seq,
        kind: Kind::Send,
        product: "companion".into(),
        status: Status::Done,
        accepted_at_ms: start + minute * 60_000,
        queued_ms: 0,
        ttft_ms: Some(300),
        total_ms: 1_000,
        provider: "anthropic".into(),
        model: "claude-sonnet-4-6".into(),
        requested_model: "claude-sonnet-4-6".into(),
        prompt_version: "v2@1".into(),
        snapshot_version: 3,
        variants: [
            ("LLM_MODEL".into(), "claude-sonnet-4-6".into()),
            ("MANDALA_FACE".into(), "on".into()),
        ]
        .into(),
        reasons: [].into(),
        crisis_override: false,
        crisis_level: 0,
        safety_rules: Vec::new(),
        safety_tags: Vec::new(),
        rules_version: "r1".into(),
        injection_suspected: false,
        guardrails: Vec::new(),
        usage: Usage {
            input_tokens: 100,
            output_tokens: 20,
            ..Usage::default()
        },
        cost_micros: Some(600),
        finish_reason: "stop".into(),
        error: None,
        country: Some("DE".into()),
        attempts: alloc::vec::Vec::new(),
        mixed_providers: false,
        trace_id: None,
    }
}

pub(super) fn rating(of: &TurnEvent, satisfaction_milli: u16, at_ms: u64) -> Record {
    Record::Feedback(Rating {
        event_id: of.event_id.clone(),
        session_id: of.session_id.clone(),
        person_id: of.person_id.clone(),
        satisfaction_milli,
        at_ms,
        turn_at_ms: of.accepted_at_ms,
    })
}

pub(super) fn recorded(event: TurnEvent) -> Record {
    Record::Turn { event: Box::new(event) }
}

pub(super) fn gold(records: &[Record]) -> Gold {
    let mut builder = DayBuilder::new(day());
    records.iter().for_each(|record| builder.record(record));
    builder.finish(|_| false)
}

pub(super) fn withdrawn(mut event: TurnEvent, category: &str, reason: Reason) -> TurnEvent {
    event.reasons.insert(category.into(), reason);
    event
}
