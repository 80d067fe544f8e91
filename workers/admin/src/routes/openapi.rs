//! The OpenAPI 3.1 document, made from the routes' table and the categories' schemas.

use super::metrics::MAX_DAYS;
use super::table::{Kind, ROUTES, Route};
use super::{durable, figures};
use serde_json::{Map, Value, json};
use silent_core::registry::REASON_CHARS;
use silent_core::variants::Category;
use silent_edge::api_key::Scope;

/// The document.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Silent Infinity admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The registry of variants: what varies, who gets what, and every change of it. Behind Cloudflare Access.",
        },
        "security": [{"access": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"access": {"type": "apiKey", "in": "header", "name": "Cf-Access-Jwt-Assertion"}},
            "schemas": all_schemas(),
            "responses": {"Problem": {
                "description": "What is wrong (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "category" => schema_ref("Category"),
                "id" => schema_ref("VariantId"),
                _ => json!({"type": "string", "pattern": "^[a-z]{3}_[0-9a-f]{1,40}$"}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect();
    for (name, kind, what) in route.query {
        let is_required = matches!(kind, Kind::Needed(_)) || *name == "person_id";
        parameters.push(
            json!({"name": name, "in": "query", "required": is_required, "description": what, "schema": kind.schema()}),
        );
    }
    let mut operation = json!({"summary": route.summary, "operationId": operation_id(route)});
    let mut responses = Map::new();
    for (status, name) in route.answers {
        let content = json!({"application/json": {"schema": schema_ref(name)}});
        responses.insert(
            status.to_string(),
            json!({"description": described(*status), "content": content}),
        );
    }
    let mut faults = vec![400, 401, 403, 404, 503];
    if let Some(body) = route.body {
        faults.extend([409, 413, 415, 422]);
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": true,
            "description": "Repeating a request with the same key has the effect of once",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}}));
        if route.versioned {
            faults.extend([412, 428]);
            parameters.push(json!({"name": "If-Match", "in": "header", "required": true,
                "description": "The ETag of the variant that you saw", "schema": {"type": "string", "pattern": "^\"[0-9]{1,15}\"$"}}));
        }
        if let Some(operation) = operation.as_object_mut() {
            let content = json!({"application/json": {"schema": schema_ref(body)}});
            operation.insert("requestBody".into(), json!({"required": true, "content": content}));
        }
    }
    if route.path.ends_with("/approvals") {
        faults.push(410);
    }
    for status in faults {
        responses.insert(status.to_string(), json!({"$ref": "#/components/responses/Problem"}));
    }
    if let Some(operation) = operation.as_object_mut() {
        operation.insert("parameters".into(), parameters.into());
        operation.insert("responses".into(), responses.into());
    }
    operation
}

fn operation_id(route: &Route) -> String {
    let name = format!("{:?}", route.handler);
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(letters)
        .collect()
}

fn described(status: u16) -> &'static str {
    match status {
        201 => "Made",
        202 => "Waits for a second word, or cools down",
        _ => "Done",
    }
}

pub(super) fn schema_ref(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Category => schema_ref("Category"),
            Self::Status => schema_ref("Status"),
            Self::Cohort => schema_ref("Cohort"),
            Self::State => schema_ref("State"),
            Self::Text(max) => json!({"type": "string", "minLength": 1, "maxLength": max}),
            Self::Cursor => json!({"type": "string", "minLength": 1, "maxLength": 80}),
            Self::Limit(max) => json!({"type": "integer", "minimum": 1, "maximum": max}),
            Self::Number => json!({"type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_u64}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Day => schema_ref("Day"),
            Self::Days => json!({"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "default": 7}),
            Self::VariantId => schema_ref("VariantId"),
            Self::Needed(kind) => kind.schema(),
        }
    }
}

fn all_schemas() -> Value {
    let mut all = schemas();
    if let Some(all) = all.as_object_mut() {
        all.extend(figures::schemas());
        all.extend(durable::schemas());
    }
    all
}

/// An object with these fields, of which `required` must be there, and no other.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

/// An answer: all fields are there.
pub(super) fn answer(properties: Value) -> Value {
    let required: Vec<String> = properties
        .as_object()
        .map(|fields| fields.keys().cloned().collect())
        .unwrap_or_default();
    json!({"type": "object", "properties": properties, "required": required})
}

pub(super) fn list(item: Value) -> Value {
    json!({"type": "array", "items": item})
}

/// The body of a change: its own fields and a reason.
pub(super) fn body(properties: Value, required: &[&str]) -> Value {
    let mut properties = properties;
    let (min, max) = REASON_CHARS;
    if let Some(fields) = properties.as_object_mut() {
        fields.insert(
            "reason".into(),
            json!({"type": "string", "minLength": min, "maxLength": max, "pattern": "^[!-~][ -~]*[!-~][ -~]*[!-~]$",
            "description": "Why: kept in the audit log"}),
        );
    }
    let required: Vec<&str> = required.iter().copied().chain(["reason"]).collect();
    object(properties, &required)
}

fn schemas() -> Value {
    let line =
        |max: u32| json!({"type": "string", "minLength": 1, "maxLength": max, "pattern": "^[!-~]([ -~]*[!-~])?$"});
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "minimum": 0});
    let cohorts = json!({"type": "array", "items": schema_ref("Cohort"), "minItems": 1});
    let overrides: Map<String, Value> = Category::ALL
        .into_iter()
        .map(|category| (category.to_string(), schema_ref("VariantId")))
        .collect();
    let create: Vec<Value> = Category::ALL
        .into_iter()
        .map(|category| {
            body(
                json!({"category": {"const": category}, "id": schema_ref("VariantId"), "description": line(200),
                    "config": category.config_schema(), "cohorts": cohorts}),
                &["category", "id", "description", "config"],
            )
        })
        .collect();
    let nullable = |kind: &str| json!({"type": [kind, "null"]});
    json!({
        "Problem": answer(json!({"type": text, "title": text, "status": number, "correlation_id": text})),
        "Category": {"type": "string", "enum": Category::ALL},
        "VariantId": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
        "Status": {"type": "string", "enum": ["experimental", "staged", "production", "retired"]},
        "Cohort": {"type": "string", "enum": ["all", "new_users", "returning", "paid", "free"]},
        "State": {"type": "string", "enum": ["waiting", "cooling", "applied", "cancelled", "expired", "refused"]},
        "Scope": {"type": "string", "enum": Scope::ALL},
        "Variant": answer(json!({"id": schema_ref("VariantId"), "category": schema_ref("Category"), "description": text,
            "status": schema_ref("Status"), "rollout_percent": {"type": "number", "minimum": 0, "maximum": 100},
            "cohorts": list(schema_ref("Cohort")), "slot": {"type": "string", "enum": ["low", "high"]}, "config": {"type": "object"},
            "metrics": {"type": "object"}, "created_at": text, "updated_at": text, "created_by": text, "version": number})),
        "Variants": answer(json!({"snapshot_version": number, "variants": list(schema_ref("Variant")), "next": nullable("string")})),
        "Snapshot": answer(json!({"version": number, "killed": list(schema_ref("Category")), "variants": list(schema_ref("Variant"))})),
        "Categories": answer(json!({"categories": list(json!({"type": "object"})), "experiments": number, "max_experiments": number})),
        "Me": answer(json!({"id": text, "kind": text, "groups": list(text.clone())})),
        "Document": {"type": "object"},
        "Changed": answer(json!({"snapshot_version": number, "audit_seq": number, "killed": list(schema_ref("Category")),
            "variant": {"oneOf": [schema_ref("Variant"), {"type": "null"}]}})),
        "Waits": answer(json!({"change": schema_ref("Change"), "audit_seq": number})),
        "Change": answer(json!({"id": text, "state": schema_ref("State"), "command": {"type": "object"}, "expected_version": nullable("integer"),
            "needs": {"type": "object"}, "author": text, "reason": text, "signed_by": nullable("string"), "created_at": text, "due_at": text})),
        "Changes": answer(json!({"changes": list(schema_ref("Change"))})),
        "Killed": answer(json!({"snapshot_version": number, "killed": list(schema_ref("Category"))})),
        "Explanations": answer(json!({"snapshot_version": number, "person_id": text, "explanations": list(json!({"type": "object"}))})),
        "Audit": answer(json!({"entries": list(answer(json!({"seq": number, "at": text, "actor": text, "action": text, "subject": text, "reason": text,
            "detail": {}, "prev_hash": text, "hash": text}))), "next": nullable("integer")})),
        "Verdict": answer(json!({"holds": {"type": "boolean"}, "entries": number, "head": text, "broken": nullable("object")})),
        "PreviewLink": answer(json!({"link": text, "token": text, "overrides": {"type": "object"}, "expires_at": text, "audit_seq": number})),
        "ApiKeys": answer(json!({"api_keys": list(answer(json!({"id": text, "name": text, "scopes": list(schema_ref("Scope")), "created_at": text,
            "created_by": text, "revoked_at": nullable("string")})))})),
        "CreatedKey": answer(json!({"id": text, "name": text, "scopes": list(schema_ref("Scope")), "secret": nullable("string"),
            "created_at": text, "created_by": text, "audit_seq": number})),
        "RevokedKey": answer(json!({"id": text, "revoked_at": text, "audit_seq": number})),
        "Reason": body(json!({}), &[]),
        "Create": {"oneOf": create},
        "Edit": {"minProperties": 2, "allOf": [body(json!({"description": line(200), "config": {"type": "object"}}), &[])]},
        "Rollout": body(json!({"percent": {"type": "number", "minimum": 0, "maximum": 100}, "confirm": {"type": "boolean"}}), &["percent"]),
        "Cohorts": body(json!({"cohorts": cohorts}), &["cohorts"]),
        "Kill": body(json!({"off": {"type": "boolean"}, "categories": {"type": "array", "items": schema_ref("Category"), "minItems": 1}}), &["off"]),
        "Preview": body(json!({"overrides": {"type": "object", "minProperties": 1, "additionalProperties": false, "properties": overrides},
            "expires_in_s": {"type": "integer", "minimum": 60, "maximum": 2_592_000}}), &["overrides"]),
        "CreateKey": body(json!({"name": line(80), "scopes": {"type": "array", "items": schema_ref("Scope"), "minItems": 1}}), &["name", "scopes"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        let operations: usize = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|path| path.as_object().unwrap().len())
            .sum();
        assert_eq!(operations, ROUTES.len());
    }
}
