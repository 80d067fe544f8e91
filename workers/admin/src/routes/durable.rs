//! Schemas of alerts, workflows and approvals, for the OpenAPI document.

use super::openapi::{answer, body, list, schema_ref};
use serde_json::{Map, Value, json};

/// By name.
pub(super) fn schemas() -> Map<String, Value> {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer", "minimum": 0}));
    let count = json!({"type": "integer", "minimum": 0, "maximum": 1_000_000_000});
    let maybe = |kind: &str| json!({"type": [kind, "null"]});
    let id = |prefix: &str| json!({"type": ["string", "null"], "pattern": format!("^{prefix}_[0-9a-f]+$")});
    let delivery = answer(
        json!({"channel": {"enum": ["slack", "webhook"]}, "state": {"enum": ["pending", "delivered", "dead"]},
        "attempts": number, "next_at": maybe("string"), "delivered_at": maybe("string"), "error": maybe("string")}),
    );
    let alert = answer(
        json!({"id": id("alr"), "at": text, "kind": text, "subject": text, "detail": {"type": "object"}, "deliveries": list(delivery)}),
    );
    let states = [
        "collecting",
        "testing",
        "asking",
        "waiting",
        "requesting",
        "signing",
        "settling",
        "telling",
        "ended",
    ];
    let all = [
        (
            "Alerts",
            answer(json!({"alerts": list(alert), "next": maybe("integer")})),
        ),
        (
            "DeliveryWanted",
            answer(json!({"id": id("alr"), "wanted_at": text, "audit_seq": number})),
        ),
        (
            "Replay",
            body(
                json!({"cases": {"type": "integer", "minimum": 1, "maximum": 1_000_000_000}, "new_misses": count}),
                &["cases", "new_misses"],
            ),
        ),
        (
            "LiveMiss",
            body(
                json!({"event_id": {"type": "string", "minLength": 1, "maxLength": 100}}),
                &["event_id"],
            ),
        ),
        (
            "StartPromotion",
            body(
                json!({"category": schema_ref("Category"), "id": schema_ref("VariantId")}),
                &["category", "id"],
            ),
        ),
        (
            "WorkflowStarted",
            answer(json!({"id": text, "kind": text, "plan": {"type": "object"}, "audit_seq": number})),
        ),
        (
            "Workflow",
            answer(
                json!({"id": id("run"), "kind": {"const": "promotion"}, "category": schema_ref("Category"),
            "variant": schema_ref("VariantId"), "state": {"enum": states}, "ending": maybe("object"), "author": text, "reason": text,
            "approved_by": maybe("string"), "round": number, "created_at": text, "due_at": maybe("string"),
            "steps": list(answer(json!({"at": text, "state": text, "what": text})))}),
            ),
        ),
        ("Workflows", answer(json!({"workflows": list(schema_ref("Workflow"))}))),
        (
            "ApprovalAsked",
            answer(json!({"run": schema_ref("Workflow"), "snapshot_version": number, "open": {"type": "boolean"}})),
        ),
        (
            "Approve",
            body(
                json!({"token": {"type": "string", "minLength": 1, "maxLength": 2_000}}),
                &["token"],
            ),
        ),
    ];
    all.into_iter().map(|(name, schema)| (name.into(), schema)).collect()
}
