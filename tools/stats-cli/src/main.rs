//! The statistics by hand: tests, intervals, gates, and the simulation of experiments that are watched.
#![forbid(unsafe_code)]

mod arguments;
mod batch;
mod commands;
mod decide;
mod rows;
mod sim;

use arguments::Arguments;
use std::io::{Read, stdin};
use std::process::ExitCode;

pub(crate) const USAGE: &str = "usage: stats COMMAND …   (npm run -s stats -- COMMAND …)

Control comes first; a difference is treatment minus control. The answer is JSON.

  proportions SUCCESSES TRIALS SUCCESSES TRIALS    two rates
  means MEAN SD COUNT MEAN SD COUNT                two means (Welch)
  srm COUNT COUNT … [--expected 0.5]               sample ratio of enrolled units; the first arm's share, or a
                                                   weight for each arm, by commas
  holm P P …                                       p-values of several metrics, corrected
  ratio                                            rows: arm, numerator, denominator   one for each session
  cuped                                            rows: arm, during, before           one for each session
  quantile [--q 0.95]                              rows: arm, session, value           one for each turn
  sketch [--q 0.5,0.95]                            rows: value (whole numbers)
  gates                                            a JSON document: control, treatment, crisis, success, enrolled, policy
  batch                                            lines {\"arguments\": […], \"input\": \"…\"}, one answer a line
  sim [--experiments 2000] [--seed 1]              how often experiments without a difference promote a winner

  --alpha 0.05     of every interval and decision
  --planned 5000   sessions of both arms at which the always-valid interval is tightest; fix it before looking

Rows come on standard input as CSV, with or without a line of names, or as one JSON object a line. The arm called
`control` is control, else the first that appears.";

/// Why there is no answer.
pub(crate) type Failure = String;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words
        .iter()
        .any(|word| word == "--help" || word == "-h" || word == "help")
    {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match answer(&words) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("✗ {what}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn answer(words: &[String]) -> Result<String, Failure> {
    let arguments = Arguments::parse(words)?;
    match arguments.command.as_str() {
        "sim" => sim::run(&arguments),
        "batch" => {
            arguments.only(&[])?;
            Ok(batch::run(&input()?))
        }
        _ => {
            let input = if commands::reads_input(&arguments.command) {
                input()?
            } else {
                String::new()
            };
            let value = commands::run(&arguments, &input)?;
            serde_json::to_string_pretty(&value).map_err(|error| error.to_string())
        }
    }
}

fn input() -> Result<String, Failure> {
    let mut text = String::new();
    match stdin().read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("standard input: {error}")),
    }
}
