//! The silver layer: one typed row for each turn, the variants as columns, the latest rating beside it.

use super::Day;
use super::parquet::{Column, Kind, Misfit, Value, Writer};
use crate::turn::{Kind as TurnKind, TurnEvent};
use crate::variants::{Category, Reason};
use alloc::format;
use alloc::string::String;

const fn column(name: &'static str, kind: Kind, optional: bool) -> Column {
    Column { name, kind, optional }
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text, false)
}

const fn whole(name: &'static str) -> Column {
    column(name, Kind::Integer, false)
}

/// The columns. New ones come at the end; none is renamed.
pub const COLUMNS: &[Column] = &[
    text("event_id"),
    text("session_id"),
    text("person_id"),
    text("turn_id"),
    whole("seq"),
    text("kind"),
    text("product"),
    text("status"),
    column("accepted_at", Kind::Timestamp, false),
    whole("queued_ms"),
    column("ttft_ms", Kind::Integer, true),
    whole("total_ms"),
    text("provider"),
    text("model"),
    text("requested_model"),
    text("prompt_version"),
    whole("snapshot_version"),
    column("crisis_override", Kind::Boolean, false),
    whole("crisis_level"),
    text("rules_version"),
    column("injection_suspected", Kind::Boolean, false),
    whole("guardrails"),
    whole("tokens_in"),
    whole("tokens_out"),
    whole("tokens_cached"),
    whole("tokens_reasoning"),
    column("cost_micros", Kind::Integer, true),
    text("finish_reason"),
    column("error", Kind::Text, true),
    column("country", Kind::Text, true),
    column("trace_id", Kind::Text, true),
    column("satisfaction_milli", Kind::Integer, true),
    column("rated_at", Kind::Timestamp, true),
    variant("llm_model"),
    variant("system_prompt"),
    variant("chat_ui_layout"),
    variant("compose_position"),
    variant("ghost_char_style"),
    variant("rating_variant"),
    variant("voice_provider"),
    variant("voice_llm"),
    variant("starter_pool_size"),
    variant("topic_hierarchy"),
    variant("mandala_face"),
    variant("pricing_tier_structure"),
    // Why, where it is not the plain default: `split`, `override`, `withdrawn`.
    variant("llm_model_reason"),
    variant("system_prompt_reason"),
    variant("chat_ui_layout_reason"),
    variant("compose_position_reason"),
    variant("ghost_char_style_reason"),
    variant("rating_variant_reason"),
    variant("voice_provider_reason"),
    variant("voice_llm_reason"),
    variant("starter_pool_size_reason"),
    variant("topic_hierarchy_reason"),
    variant("mandala_face_reason"),
    variant("pricing_tier_structure_reason"),
];

const fn variant(name: &'static str) -> Column {
    column(name, Kind::Text, true)
}

/// The key of a day's file.
#[must_use]
pub fn key(day: Day) -> String {
    format!("silver/dt={day}/turns.parquet")
}

/// Writes a turn's row; `rating` is its latest one, value and time.
///
/// # Errors
/// [`Misfit`], which would be a fault of this table.
pub fn push(file: &mut Writer, event: &TurnEvent, rating: Option<(u16, u64)>) -> Result<(), Misfit> {
    let count = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let maybe = |value: Option<u64>| value.map_or(Value::Missing, count);
    let words = |value: &'static str| Value::Text(value);
    fn optional(value: Option<&String>) -> Value<'_> {
        value.map_or(Value::Missing, |text| Value::Text(text))
    }
    let fixed = [
        Value::Text(&event.event_id),
        Value::Text(event.session_id.as_str()),
        Value::Text(event.person_id.as_str()),
        Value::Text(event.turn_id.as_str()),
        count(event.seq),
        words(match event.kind {
            TurnKind::Send => "send",
            TurnKind::Regenerate => "regenerate",
            TurnKind::Edit => "edit",
        }),
        Value::Text(&event.product),
        words(event.status.as_str()),
        count(event.accepted_at_ms),
        count(event.queued_ms),
        maybe(event.ttft_ms),
        count(event.total_ms),
        Value::Text(&event.provider),
        Value::Text(&event.model),
        Value::Text(&event.requested_model),
        Value::Text(&event.prompt_version),
        count(event.snapshot_version),
        Value::Boolean(event.crisis_override),
        count(u64::from(event.crisis_level)),
        Value::Text(&event.rules_version),
        Value::Boolean(event.injection_suspected),
        count(event.guardrails.len() as u64),
        count(event.usage.input_tokens),
        count(event.usage.output_tokens),
        count(event.usage.cached_input_tokens),
        count(event.usage.reasoning_tokens),
        maybe(event.cost_micros),
        Value::Text(&event.finish_reason),
        optional(event.error.as_ref()),
        optional(event.country.as_ref()),
        optional(event.trace_id.as_ref()),
        maybe(rating.map(|(milli, _)| u64::from(milli))),
        maybe(rating.map(|(_, at_ms)| at_ms)),
    ];
    let variants = Category::ALL
        .into_iter()
        .map(|category| optional(event.variants.get(category.as_str())));
    let reasons = Category::ALL.into_iter().map(|category| {
        let reason = event.reasons.get(category.as_str());
        reason.map_or(Value::Missing, |reason| words(reason_name(*reason)))
    });
    file.row(fixed.into_iter().chain(variants).chain(reasons))
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Default => "default",
        Reason::Split => "split",
        Reason::Override => "override",
        Reason::CrisisDefault => "crisis_default",
        Reason::Withdrawn => "withdrawn",
        Reason::Degraded => "degraded",
    }
}
