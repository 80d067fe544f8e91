//! The crisis gate by hand: `assess`, `check`, `eval`, `bench`.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "a tool of the host, with its clock and files")]

mod assess;
mod bench;
mod cases;
mod check;
mod eval;
mod rules;

use std::process::ExitCode;

const USAGE: &str = "usage:
  safety assess                      JSON lines {\"text\": …} or {\"turns\": […]} on standard input, one judgement a line on standard output
  safety check [language] [text]     reads the rules as they are on disk; runs their examples and cases, or explains a text
  safety eval [--corpora FOLDER] [--accept]
                                     recall and false positives by set and language; fails on a case that was caught before;
                                     --accept writes the present misses as the baseline
  safety bench                       microseconds for a message, and the size of the tables";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["assess"] => assess::run(),
        ["check", rest @ ..] => check::run(rest),
        ["eval", rest @ ..] => eval::run(rest),
        ["bench"] => bench::run(),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::from(2)
        }
    }
}
