//! Schemas of figures and dead letters, for the OpenAPI document.

use super::openapi::{answer, body, list, schema_ref};
use serde_json::{Map, Value, json};

/// By name.
pub(super) fn schemas() -> Map<String, Value> {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer", "minimum": 0}));
    let maybe = |kind: &str| json!({"type": [kind, "null"]});
    let (day, shown, days) = (
        schema_ref("Day"),
        schema_ref("Figures"),
        list(schema_ref("DayOfVariant")),
    );
    let with = |fields: Value| json!({"allOf": [answer(fields), schema_ref("Figures")]});
    let gate = answer(
        json!({"name": text, "verdict": {"enum": ["pass", "fail", "insufficient_data"]}, "estimate": maybe("number"),
        "low": maybe("number"), "high": maybe("number"), "threshold": {"type": "number"}, "note": maybe("string")}),
    );
    let test = answer(
        json!({"metric": text, "estimate": maybe("number"), "fixed": schema_ref("Band"), "always_valid": schema_ref("Band")}),
    );
    let next = json!({"enum": ["roll_back", "investigate_sample_ratio", "collect_more", "ready_for_review"]});
    let decision =
        answer(json!({"promote": {"type": "boolean"}, "next": next, "reasons": list(json!({"type": "object"}))}));
    let arm = with(
        json!({"role": {"enum": ["control", "treatment"]}, "id": text, "analysed_sessions": number, "new_persons": number}),
    );
    let minute =
        answer(json!({"at": text, "turns": number, "errors": number, "crises": number, "cost_micros": number}));
    let today = answer(
        json!({"turns": number, "sessions": number, "errors": number, "crisis_sessions": number, "tokens_in": number,
        "tokens_out": number, "cost_micros": number}),
    );
    let levels = answer(json!({"1": number, "2": number, "3": number, "4": number}));
    let all_levels = answer(json!({"0": number, "1": number, "2": number, "3": number, "4": number}));
    let cost = answer(
        json!({"day": day, "product": text, "turns": number, "priced_turns": number, "tokens_in": number, "tokens_out": number,
        "cost_micros": number, "cost_per_turn_micros": maybe("number")}),
    );
    let budget = answer(
        json!({"name": text, "period": text, "limit_micros": number, "spent_micros": number, "reserved_micros": number,
        "state": {"enum": ["ok", "cheaper", "cheapest", "exhausted", "ended"]}}),
    );
    let breaker = answer(json!({"spared": number, "share": maybe("number"), "last_at": maybe("string")}));
    let provider = answer(
        json!({"provider": text, "model": text, "attempts": number, "failures": number, "error_rate": maybe("number"),
        "failures_by": {"type": "object", "additionalProperties": number}, "fallback_share": maybe("number"), "latency_p50_ms": maybe("number"),
        "latency_p95_ms": maybe("number"), "ttft_p50_ms": maybe("number"), "ttft_p95_ms": maybe("number"), "breaker": breaker}),
    );
    let letter = json!({"id": text, "received_at": text, "error": text, "wanted_at": maybe("string"), "replayed_at": maybe("string")});
    let all = [
        (
            "Day",
            json!({"type": "string", "format": "date", "pattern": "^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}$"}),
        ),
        ("Figures", answer(figures())),
        ("DayOfVariant", with(json!({"day": day}))),
        (
            "VariantDays",
            answer(json!({"category": text, "id": text, "status": maybe("string"), "days": days})),
        ),
        (
            "Overview",
            answer(json!({"days": list(day.clone()), "variants": list(schema_ref("VariantDays")), "total": shown})),
        ),
        (
            "Series",
            answer(json!({"category": text, "id": text, "status": maybe("string"), "days": days, "total": shown})),
        ),
        (
            "Band",
            json!({"oneOf": [{"type": "null"}, answer(json!({"low": maybe("number"), "high": maybe("number"), "p": {"type": "number"}}))]}),
        ),
        (
            "Comparison",
            answer(json!({"arms": list(arm), "tests": list(test), "gates": list(gate),
                "sample_ratio": answer(json!({"p": maybe("number"), "alarm": {"type": "boolean"}})), "decision": decision})),
        ),
        (
            "Live",
            answer(json!({"at": text, "minutes": list(minute), "today": today})),
        ),
        (
            "Safety",
            answer(json!({"days": list(answer(json!({"day": day, "levels": all_levels}))),
                "regions": list(answer(json!({"region": text, "turns": number, "levels": levels})))})),
        ),
        (
            "Costs",
            answer(json!({"days": list(cost), "budgets": json!({"oneOf": [{"type": "null"}, list(budget)]})})),
        ),
        (
            "Providers",
            answer(
                json!({"hours": number, "from": text, "at": text, "turns": number, "is_complete": {"type": "boolean"}, "oldest_at": maybe("string"),
                "providers": list(provider)}),
            ),
        ),
        ("Rebuild", body(json!({"from": day, "to": day}), &["from", "to"])),
        (
            "RebuildWanted",
            answer(json!({"from": day, "to": day, "wanted_at": text, "audit_seq": number})),
        ),
        (
            "DeadLetters",
            answer(json!({"dead_letters": list(answer(letter.clone())), "waiting": number, "next": maybe("string")})),
        ),
        (
            "DeadLetter",
            json!({"allOf": [answer(letter), answer(json!({"body": text}))]}),
        ),
        (
            "ReplayWanted",
            answer(json!({"dead_letter": maybe("string"), "wanted_at": text, "audit_seq": number})),
        ),
    ];
    all.into_iter().map(|(name, schema)| (name.into(), schema)).collect()
}

/// What people read of a day of a variant.
fn figures() -> Value {
    let (count, maybe) = (
        json!({"type": "integer", "minimum": 0}),
        json!({"type": ["number", "null"]}),
    );
    let counts = ["turns", "sessions", "ratings", "tokens_in", "tokens_out", "cost_micros"].map(|name| (name, &count));
    let others = [
        "latency_p50_ms",
        "latency_p95_ms",
        "ttft_p50_ms",
        "ttft_p95_ms",
        "cost_per_turn_micros",
        "satisfaction",
        "return_rate",
        "crisis_rate",
        "error_rate",
    ]
    .map(|name| (name, &maybe));
    let fields = counts.into_iter().chain(others);
    Value::Object(fields.map(|(name, schema)| (name.into(), schema.clone())).collect())
}
