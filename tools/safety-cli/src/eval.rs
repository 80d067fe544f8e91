//! `safety eval`: recall and false positives by set and language, and a comparison with the committed baseline.

use crate::cases::{self, Case, Expected};
use crate::rules::folder;
use serde_json::Value;
use silent_core::safety::{SafetyState, Tables, assess_with, rules, rules_version};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Successes of trials.
#[derive(Default, Clone, Copy)]
struct Rate {
    hits: u32,
    trials: u32,
}

impl Rate {
    fn add(&mut self, hit: bool) {
        self.trials += 1;
        self.hits += u32::from(hit);
    }

    /// Wilson's score interval at 95 % (Wilson 1927).
    fn wilson(self) -> (f64, f64) {
        let (n, z) = (f64::from(self.trials.max(1)), 1.959_963_985_f64);
        let p = f64::from(self.hits) / n;
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }

    fn line(self) -> String {
        let (low, high) = self.wilson();
        format!(
            "{:>5}/{:<5} {:.4}  [{:.4}, {:.4}]",
            self.hits,
            self.trials,
            f64::from(self.hits) / f64::from(self.trials.max(1)),
            low,
            high
        )
    }
}

/// Prints all sets; false where a case that the baseline has as caught is missed now.
pub(crate) fn run(args: &[&str]) -> Result<bool, String> {
    let (mut corpora, mut accept, mut more) = (None, false, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--corpora" => corpora = Some(*args.next().ok_or("--corpora needs a folder")?),
            "--cases" => more = Some(*args.next().ok_or("--cases needs a folder")?),
            "--accept" => accept = true,
            other => return Err(format!("no option {other}")),
        }
    }
    let tables = rules();
    println!(
        "rules {}, {} of them\n",
        rules_version(),
        tables.iter().map(Tables::len).sum::<usize>()
    );
    let cases = cases::read(&folder().join("cases"))?;
    let missed = development(tables, &cases);
    if let Some(more) = more {
        println!("\ncases of {more}");
        for line in development(tables, &cases::read(Path::new(more))?) {
            println!("missed  {line}");
        }
    }
    if let Some(corpora) = corpora {
        println!("\npublic corpora (stage 1 alone)");
        public(tables, Path::new(corpora))?;
    }
    baseline(&missed, accept)
}

/// Sets of our own cases; gives back the lines of those that are not as expected.
fn development(tables: &[Tables<'static>], cases: &[Case]) -> BTreeSet<String> {
    let mut sets: BTreeMap<(&str, &str), Rate> = BTreeMap::new();
    let mut alarms: BTreeMap<(&str, &str), Rate> = BTreeMap::new();
    let mut languages: BTreeMap<&str, (Rate, Rate)> = BTreeMap::new();
    let mut missed = BTreeSet::new();
    for case in cases {
        let judged = case.judge(tables);
        if !case.holds(&judged) {
            missed.insert(case.line());
        }
        let (recall, alarm) = languages.entry(&case.language).or_default();
        let key = (case.set.as_str(), case.language.as_str());
        if case.expected == Expected::Calm {
            let fired = !case.holds(&judged);
            alarm.add(fired);
            alarms.entry(key).or_default().add(fired);
        } else {
            recall.add(case.caught(&judged));
            sets.entry(key).or_default().add(case.caught(&judged));
        }
    }
    let table = |title: &str, rates: &BTreeMap<(&str, &str), Rate>| {
        println!("{title:<28} {:>11} {:>6}  95 % (Wilson)", "n", "rate");
        let mut by_set: BTreeMap<&str, Rate> = BTreeMap::new();
        for ((set, _), rate) in rates {
            let sum = by_set.entry(set).or_default();
            sum.hits += rate.hits;
            sum.trials += rate.trials;
        }
        for (set, rate) in by_set {
            println!("  {set:<26} {}", rate.line());
        }
        println!();
    };
    table("recall at level 2, exits", &sets);
    table("false alarms", &alarms);
    println!("{:<10} {:<44} false alarms", "language", "recall");
    for (language, (recall, alarm)) in languages {
        println!("  {language:<8} {}   {}", recall.line(), alarm.line());
    }
    missed
}

/// Sets of others, one JSON object a line; `y` says whether level 2 must be reached.
fn public(tables: &[Tables<'static>], folder: &Path) -> Result<(), String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (mut recall, mut alarms) = (Rate::default(), Rate::default());
        let mut wrong = String::new();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let value: Value = serde_json::from_str(line).map_err(|error| format!("{name}: {error}"))?;
            let said = value.get("text").and_then(Value::as_str).unwrap_or_default();
            let judged = assess_with(tables, said, &mut SafetyState::default());
            let injection = value.get("label").and_then(Value::as_str);
            let (wanted, found) = match injection {
                Some(label) => (label == "malicious", judged.injection_suspected),
                None => (
                    value.get("y").and_then(Value::as_u64) == Some(1),
                    judged.level.get() >= 2,
                ),
            };
            if wanted {
                recall.add(found);
            } else {
                alarms.add(found);
            }
            if wanted != found && injection.is_none() {
                let _ = writeln!(wrong, "      {}: {said}", if wanted { "missed" } else { "alarm" });
            }
        }
        for (what, rate) in [("recall", recall), ("false alarms", alarms)] {
            if rate.trials > 0 {
                println!("  {name:<26} {what:<13} {}", rate.line());
            }
        }
        print!("{wrong}");
    }
    Ok(())
}

fn known(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(Into::into).collect()
}

/// Compares with `baseline.tsv`, the cases that are known to be missed.
fn baseline(missed: &BTreeSet<String>, accept: bool) -> Result<bool, String> {
    let path = folder().join("baseline.tsv");
    let known = known(&path);
    if accept {
        let mut text = String::from(
            "# Cases that are not judged as expected, known and accepted (`npm run eval:safety -- --accept`).\n",
        );
        missed.iter().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        println!("\nbaseline: {} known misses written", missed.len());
        return Ok(true);
    }
    let worse: Vec<_> = missed.difference(&known).collect();
    let better = known.difference(missed).count();
    println!(
        "\nbaseline: {} known misses, {better} of them fixed, {} new",
        known.len(),
        worse.len()
    );
    for line in &worse {
        println!("  new miss: {line}");
    }
    if better > 0 && worse.is_empty() {
        println!("  write the better baseline with: npm run eval:safety -- --accept");
    }
    Ok(worse.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn no_case_that_was_caught_is_missed() {
        let missed: BTreeSet<String> = cases::read(&folder().join("cases"))
            .unwrap()
            .iter()
            .filter(|case| !case.holds(&case.judge(rules())))
            .map(Case::line)
            .collect();
        let known = known(&folder().join("baseline.tsv"));
        let worse: Vec<_> = missed.difference(&known).collect();
        assert!(worse.is_empty(), "{worse:#?}");
    }

    #[test]
    fn wilson_agrees_with_a_published_interval() {
        // 81 of 263: Newcombe (1998), table I, method 3.
        let (low, high) = Rate { hits: 81, trials: 263 }.wilson();
        assert!(
            (low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5,
            "{low} {high}"
        );
    }
}
