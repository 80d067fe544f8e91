//! `safety bench`: microseconds for a message on this machine.

use silent_core::safety::{SafetyState, assess, rules};
use std::time::Instant;

/// Ordinary, worried and dangerous sentences: a message is a row of them.
const SENTENCES: &[&str] = &[
    "I had a long day and my boss was not happy with the report that I sent on Monday. ",
    "Honestly I feel tired and I do not know what to say to my sister about the trip. ",
    "What would you cook with two eggs, some rice and a tomato that is a bit old? ",
    "I keep thinking that nothing will ever change and that everybody would be fine without me. ",
    "My phone died on the way home, and I nearly killed myself laughing when the bus came. ",
];

/// Prints percentiles for three lengths.
pub(crate) fn run() -> Result<bool, String> {
    let (count, bytes) = rules().iter().fold((0, 0), |(count, bytes), tables| {
        (count + tables.len(), bytes + tables.bytes())
    });
    println!("{count} rules in {} tables of {bytes} bytes together", rules().len());
    println!("{:>8} {:>10} {:>10} {:>10}", "chars", "p50 µs", "p99 µs", "max µs");
    for length in [50, 500, 5_000] {
        let mut times: Vec<f64> = (0..4_000)
            .map(|n| {
                let text = message(n, length);
                let mut state = SafetyState::default();
                let began = Instant::now();
                std::hint::black_box(assess(std::hint::black_box(&text), &mut state));
                began.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get((times.len() - 1) * share / 100).copied().unwrap_or(0.0);
        println!("{length:>8} {:>10.1} {:>10.1} {:>10.1}", at(50), at(99), at(100));
    }
    Ok(true)
}

/// The n-th message of a length, in characters.
fn message(n: usize, length: usize) -> String {
    let row = (0..).flat_map(|turn| SENTENCES.get((n + turn * (1 + n % 3)) % SENTENCES.len()));
    row.flat_map(|sentence| sentence.chars()).take(length).collect()
}
