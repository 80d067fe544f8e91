//! Many commands in one process: the tests against other libraries run thousands.

use crate::arguments::Arguments;
use crate::{Failure, commands};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    arguments: Vec<String>,
    #[serde(default)]
    input: String,
}

/// A line `{"ok": …}` or `{"error": …}` for each line.
pub(crate) fn run(input: &str) -> String {
    let answers: Vec<String> = input
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match answer(line) {
            Ok(value) => json!({ "ok": value }).to_string(),
            Err(what) => json!({ "error": what }).to_string(),
        })
        .collect();
    answers.join("\n")
}

fn answer(line: &str) -> Result<Value, Failure> {
    let case: Case = serde_json::from_str(line).map_err(|error| error.to_string())?;
    commands::run(&Arguments::parse(&case.arguments)?, &case.input)
}
