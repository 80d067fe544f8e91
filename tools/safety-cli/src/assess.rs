//! `safety assess`: JSON lines in, judgements out.

use serde_json::{Value, json};
use silent_core::safety::{Assessment, SafetyState, assess};
use std::io::{BufRead, BufWriter, Write};

/// Reads all lines; a line that is not of the form is answered with an error in its place, and fails the run.
pub(crate) fn run() -> Result<bool, String> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut fine = true;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match turns(&line) {
            Ok(turns) => judgement(&talk(&turns)),
            Err(what) => {
                fine = false;
                json!({"error": what})
            }
        };
        writeln!(out, "{answer}").map_err(|error| error.to_string())?;
    }
    out.flush().map_err(|error| error.to_string())?;
    Ok(fine)
}

/// The judgement of the last turn of a talk.
pub(crate) fn talk(turns: &[String]) -> Assessment {
    let mut state = SafetyState::default();
    turns
        .iter()
        .fold(Assessment::default(), |_, turn| assess(turn, &mut state))
}

fn judgement(assessment: &Assessment) -> Value {
    json!({
        "level": assessment.level,
        "safe_exit": assessment.safe_exit,
        "tags": assessment.tags,
        "evidence": assessment.evidence,
        "injection_suspected": assessment.injection_suspected,
        "uncertain": assessment.uncertain,
    })
}

fn turns(line: &str) -> Result<Vec<String>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
    if let Some(text) = value.get("text").and_then(Value::as_str) {
        return Ok(vec![text.into()]);
    }
    let turns = value
        .get("turns")
        .and_then(Value::as_array)
        .ok_or(r#"neither {"text": "…"} nor {"turns": ["…"]}"#)?;
    turns
        .iter()
        // What the assistant said is context for people; the gate judges the person.
        .filter(|turn| turn.get("role").and_then(Value::as_str) != Some("assistant"))
        .map(|turn| {
            let text = turn
                .as_str()
                .or_else(|| turn.get("text")?.as_str())
                .or_else(|| turn.get("content")?.as_str());
            text.map(Into::into)
                .ok_or_else(|| "a turn is neither text nor {\"text\": …}".to_string())
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_every_form() {
        assert_eq!(turns(r#"{"text":"a"}"#).unwrap(), ["a"]);
        assert_eq!(turns(r#"{"turns":["a","b"]}"#).unwrap(), ["a", "b"]);
        assert_eq!(
            turns(r#"{"turns":[{"role":"user","content":"a"},{"role":"assistant","content":"x"},{"text":"b"}]}"#)
                .unwrap(),
            ["a", "b"]
        );
        for bad in ["", "{", "{}", "[]", r#"{"turns":[1]}"#] {
            assert!(turns(bad).is_err(), "{bad}");
        }
    }
}
