//! Flags out of a snapshot, in OFREP's words (OpenFeature Remote Evaluation Protocol 0.3.0). Pure.
//!
//! A category is a flag whose value is its configuration; `CATEGORY.field` is a flag of one field of it.

use serde_json::{Map, Value, json};
use silent_core::variants::{Assignment, Category, Choice, Reason, Snapshot, Subject};

/// Longest targeting key, in bytes.
const KEY_BYTES: usize = 256;
/// From this crisis level on everybody has production.
const CRISIS: u64 = 2;

/// Why a request cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) details: &'static str,
}

/// Whom flags are evaluated for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) targeting_key: String,
    is_new: bool,
    is_paid: bool,
    in_crisis: bool,
}

impl Context {
    /// Reads `{"context": {"targetingKey": …, "newUser"?, "paid"?, "crisisLevel"?}}`; other attributes are ignored.
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let fault = |code, details| Err(Fault { code, details });
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return fault("PARSE_ERROR", "the body is not JSON");
        };
        let Some(context) = body.get("context").and_then(Value::as_object) else {
            return fault("INVALID_CONTEXT", "context must be an object");
        };
        let targeting_key = match context.get("targetingKey") {
            None | Some(Value::Null) => return fault("TARGETING_KEY_MISSING", "context lacks targetingKey"),
            Some(Value::String(key)) if key.is_empty() => {
                return fault("TARGETING_KEY_MISSING", "targetingKey is empty");
            }
            Some(Value::String(key)) if key.len() <= KEY_BYTES => key.clone(),
            Some(_) => return fault("INVALID_CONTEXT", "targetingKey must be text of at most 256 bytes"),
        };
        let flag = |name: &str| match context.get(name) {
            None | Some(Value::Null) => Some(false),
            Some(value) => value.as_bool(),
        };
        let (Some(is_new), Some(is_paid)) = (flag("newUser"), flag("paid")) else {
            return fault("INVALID_CONTEXT", "newUser and paid must be true or false");
        };
        let in_crisis = match context.get("crisisLevel") {
            None | Some(Value::Null) => false,
            Some(level) => match level.as_f64() {
                // SDKs send numbers as floats.
                Some(level) if (0.0..=4.0).contains(&level) => level >= CRISIS as f64,
                _ => return fault("INVALID_CONTEXT", "crisisLevel must be from 0 to 4"),
            },
        };
        Ok(Self {
            targeting_key,
            is_new,
            is_paid,
            in_crisis,
        })
    }

    fn assignment(&self, snapshot: &Snapshot) -> Assignment {
        if self.in_crisis {
            return snapshot.production_defaults(&self.targeting_key);
        }
        snapshot.assign(&Subject {
            id: &self.targeting_key,
            is_new: self.is_new,
            is_paid: self.is_paid,
        })
    }
}

/// One flag, or none where there is no such key.
pub(super) fn one(snapshot: &Snapshot, context: &Context, key: &str) -> Option<Value> {
    let (name, field) = match key.split_once('.') {
        Some((name, field)) => (name, Some(field)),
        None => (key, None),
    };
    let category: Category = name.parse().ok()?;
    let assignment = context.assignment(snapshot);
    let (config, metadata) = evaluated(snapshot, category, assignment.choices.get(&category)?)?;
    let value = match field {
        Some(field) => config.get(field)?.clone(),
        None => config.clone(),
    };
    Some(flag(key, value, metadata))
}

/// All flags, categories and fields.
pub(super) fn all(snapshot: &Snapshot, context: &Context) -> Vec<Value> {
    let assignment = context.assignment(snapshot);
    let mut flags = Vec::new();
    for (category, choice) in &assignment.choices {
        if let Some((config, metadata)) = evaluated(snapshot, *category, choice) {
            flags.push(flag(category.as_str(), config.clone(), metadata.clone()));
            for (field, value) in config.as_object().into_iter().flatten() {
                flags.push(flag(&format!("{category}.{field}"), value.clone(), metadata.clone()));
            }
        }
    }
    flags
}

/// The configuration of a choice, and what goes with every flag of its category.
fn evaluated<'a>(
    snapshot: &'a Snapshot,
    category: Category,
    choice: &Choice,
) -> Option<(&'a Value, Map<String, Value>)> {
    let variant = snapshot.variant(category, &choice.variant)?;
    let is_crisis = choice.reason == Reason::CrisisDefault;
    let reason = match choice.reason {
        Reason::CrisisDefault => "STATIC",
        _ if snapshot.killed().contains(&category) => "DISABLED",
        Reason::Split => "SPLIT",
        Reason::Override => "TARGETING_MATCH",
        _ if category.is_pool() => "SPLIT",
        _ if snapshot.challengers(category).next().is_none() => "STATIC",
        _ => "DEFAULT",
    };
    let fields = json!({
        "reason": reason,
        "variant": variant.id,
        "metadata": {"category": category, "snapshotVersion": snapshot.version(), "crisisOverride": is_crisis},
    });
    match fields {
        Value::Object(fields) => Some((&variant.config, fields)),
        _ => None,
    }
}

fn flag(key: &str, value: Value, mut fields: Map<String, Value>) -> Value {
    fields.insert("key".into(), key.into());
    fields.insert("value".into(), value);
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(fields: &str) -> Context {
        Context::read(format!(r#"{{"context": {{{fields}}}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn contexts() {
        let check =
            |body: &str, code: &str| assert_eq!(Context::read(body.as_bytes()).unwrap_err().code, code, "{body}");
        check("{", "PARSE_ERROR");
        check("", "PARSE_ERROR");
        check("[]", "INVALID_CONTEXT");
        check(r#"{"context": 5}"#, "INVALID_CONTEXT");
        check(r#"{"context": {}}"#, "TARGETING_KEY_MISSING");
        check(r#"{"context": {"targetingKey": ""}}"#, "TARGETING_KEY_MISSING");
        check(r#"{"context": {"targetingKey": 5}}"#, "INVALID_CONTEXT");
        check(
            r#"{"context": {"targetingKey": "u", "paid": "yes"}}"#,
            "INVALID_CONTEXT",
        );
        check(
            r#"{"context": {"targetingKey": "u", "crisisLevel": 9}}"#,
            "INVALID_CONTEXT",
        );
        let read = context(r#""targetingKey": "u", "newUser": true, "crisisLevel": 2.0, "email": "x""#);
        assert!(read.is_new && read.in_crisis && !read.is_paid);
    }

    #[test]
    fn flags_agree_with_the_assignment() {
        let snapshot = Snapshot::builtin().unwrap();
        for n in 0..300 {
            let context = context(&format!(r#""targetingKey": "user-{n}""#));
            let assigned = context.assignment(&snapshot);
            let flags = all(&snapshot, &context);
            for (category, choice) in &assigned.choices {
                let flag = one(&snapshot, &context, category.as_str()).unwrap();
                assert!(flags.contains(&flag));
                assert_eq!(flag["variant"], choice.variant.as_str());
                assert_eq!(
                    flag["value"],
                    snapshot.variant(*category, &choice.variant).unwrap().config
                );
                assert_eq!(
                    flag["reason"] == "SPLIT",
                    choice.reason == Reason::Split || category.is_pool()
                );
            }
        }
        let size = one(&snapshot, &context(r#""targetingKey": "u""#), "STARTER_POOL_SIZE.size").unwrap();
        assert_eq!(size["value"], 7);
        assert_eq!(size["reason"], "STATIC");
        for key in ["NOTHING", "STARTER_POOL_SIZE.nothing", "", "."] {
            assert_eq!(one(&snapshot, &context(r#""targetingKey": "u""#), key), None);
        }
    }

    #[test]
    fn a_crisis_has_production() {
        let snapshot = Snapshot::builtin().unwrap();
        for n in 0..300 {
            let context = context(&format!(r#""targetingKey": "user-{n}", "crisisLevel": 3"#));
            for flag in all(&snapshot, &context) {
                assert_eq!(flag["reason"], "STATIC");
                assert_eq!(flag["metadata"]["crisisOverride"], true);
            }
            assert_eq!(
                one(&snapshot, &context, "LLM_MODEL").unwrap()["variant"],
                "claude-sonnet-4-6"
            );
        }
    }
}
