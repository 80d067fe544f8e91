//! Time of an assignment and of reading a snapshot: `cargo run --release -p silent-core --example assign_bench`.
//!
//! Exits with 1 where a category costs more than a microsecond, the budget of a session's start.

use silent_core::variants::{Category, Snapshot, Subject};
use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

const PEOPLE: usize = 200_000;
const PARSES: u32 = 200;
const BUDGET_NS: f64 = 1_000.0;

#[expect(clippy::disallowed_methods, reason = "a benchmark on the host has a clock")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let busy = busy()?;
    let ids: Vec<String> = (0..PEOPLE).map(|n| format!("per_01jd{n:022}")).collect();
    let mut worst_ns = 0.0_f64;
    for (name, snapshot) in [("seed", Snapshot::builtin()?), ("five experiments", busy)] {
        let start = now();
        for id in &ids {
            black_box(snapshot.assign(&Subject {
                id,
                is_new: true,
                is_paid: false,
            }));
        }
        let each_ns = start.elapsed().as_nanos() as f64 / PEOPLE as f64;
        let category_ns = each_ns / Category::ALL.len() as f64;
        worst_ns = worst_ns.max(category_ns);
        println!("{name}: {each_ns:.0} ns an assignment, {category_ns:.0} ns a category");
    }
    let json = Snapshot::builtin()?.to_json()?;
    let start = now();
    for _ in 0..PARSES {
        black_box(Snapshot::parse(black_box(&json))?);
    }
    let parse_us = (start.elapsed() / PARSES).as_micros();
    println!(
        "snapshot of {} bytes: read, checked and compiled in {parse_us} us",
        json.len()
    );
    Ok(if worst_ns <= BUDGET_NS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The seed with as many experiments as are allowed, each at one half.
fn busy() -> Result<Snapshot, Box<dyn Error>> {
    let mut variants = Snapshot::builtin()?.variants().to_vec();
    for variant in &mut variants {
        let is_tried = [
            "claude-haiku-4-5",
            "v3-sha-empathy-rewrite",
            "simplified",
            "top-fixed",
            "simple-orb",
        ];
        if is_tried.contains(&variant.id.as_str()) {
            variant.rollout_percent = 50.0;
        }
    }
    Ok(Snapshot::new(2, variants)?)
}
