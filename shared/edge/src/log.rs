//! Logs: one JSON object a line, never a word that a person said.

use serde_json::{Map, Value};

/// Writes a line. `fields` hold ids, counts and slugs only.
pub fn line(level: &str, event: &str, correlation_id: &str, fields: Value) {
    let mut out = Map::new();
    out.insert("level".into(), level.into());
    out.insert("event".into(), event.into());
    out.insert("correlation_id".into(), correlation_id.into());
    if let Value::Object(fields) = fields {
        out.extend(fields);
    }
    write(level, &Value::Object(out).to_string());
}

#[cfg(target_arch = "wasm32")]
fn write(level: &str, text: &str) {
    if level == "error" {
        worker::console_error!("{text}");
    } else {
        worker::console_log!("{text}");
    }
}

// Native tests have no console.
#[cfg(not(target_arch = "wasm32"))]
fn write(_level: &str, text: &str) {
    eprintln!("{text}");
}
