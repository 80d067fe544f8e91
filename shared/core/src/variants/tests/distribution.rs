//! Shares and independence, counted over many people.

use super::*;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

const PEOPLE: u32 = 100_000;

fn people() -> impl Iterator<Item = String> {
    (0..PEOPLE).map(|n| format!("user-{n}"))
}

fn is_split(snapshot: &Snapshot, category: Category, person: &str) -> bool {
    snapshot.chosen(category, &subject(person)).unwrap().1 == Reason::Split
}

#[test]
fn a_share_is_what_it_says() {
    for (category, id, percent, of_all) in [
        (Category::ChatUiLayout, "simplified", 1.0, 0.01),
        (Category::ComposePosition, "top-fixed", 10.0, 0.10),
        (Category::VoiceProvider, "kokoro", 50.0, 0.50),
        (Category::StarterPoolSize, "5", 99.0, 0.99),
        // One half of the people is kept for prompt experiments.
        (Category::LlmModel, "claude-haiku-4-5", 10.0, 0.05),
        (Category::SystemPrompt, "v3-sha-empathy-rewrite", 100.0, 0.50),
    ] {
        let snapshot = with_shares(&[(category, id, percent)]);
        let enrolled = people().filter(|person| is_split(&snapshot, category, person)).count();
        let (n, enrolled) = (f64::from(PEOPLE), enrolled as f64);
        // Four standard deviations of a binomial.
        let bound = 4.0 * (n * of_all * (1.0 - of_all)).sqrt();
        assert!((enrolled - n * of_all).abs() < bound, "{category}: {enrolled}");
    }
}

#[test]
fn the_pool_is_drawn_evenly() {
    let snapshot = Snapshot::builtin().unwrap();
    let mut counts = BTreeMap::<VariantId, u32>::new();
    for person in people() {
        let (drawn, _) = snapshot.chosen(Category::RatingVariant, &subject(&person)).unwrap();
        *counts.entry(drawn.clone()).or_default() += 1;
    }
    let expected = f64::from(PEOPLE) / 40.0;
    let chi: f64 = counts
        .values()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    // Chi-square with 39 degrees of freedom: 80 has p < 0.0002.
    assert!(counts.len() == 40 && chi < 80.0, "{chi}");
}

/// Every pair of five layers at one half, with and without the layers that exclude one another.
#[test]
fn layers_are_independent() {
    use Category as C;
    let free = [
        (C::ChatUiLayout, "simplified"),
        (C::ComposePosition, "top-fixed"),
        (C::GhostCharStyle, "dots"),
        (C::TopicHierarchy, "tabs"),
        (C::MandalaFace, "simple-orb"),
    ];
    let mixed = [
        (C::LlmModel, "claude-haiku-4-5"),
        (C::VoiceProvider, "kokoro"),
        (C::VoiceLlm, "haiku"),
        (C::StarterPoolSize, "5"),
        (C::PricingTierStructure, "v2-claude-aligned"),
    ];
    for layers in [free, mixed] {
        let snapshot = with_shares(&layers.map(|(category, id)| (category, id, 50.0)));
        let mut both = [[0_u32; 5]; 5];
        for person in people() {
            let split = layers.map(|(category, _)| is_split(&snapshot, category, &person));
            for (a, row) in both.iter_mut().enumerate() {
                for (b, cell) in row.iter_mut().enumerate() {
                    *cell += u32::from(split[a] && split[b]);
                }
            }
        }
        for a in 0..5 {
            for b in 0..a {
                let chi = chi_square(both[a][b], both[a][a], both[b][b]);
                // One degree of freedom: 15.1 has p = 0.0001, for 20 pairs.
                assert!(chi < 15.1, "{:?} and {:?}: {chi}", layers[a].0, layers[b].0);
            }
        }
    }
}

/// Pearson's statistic of the 2 × 2 table with these margins.
fn chi_square(both: u32, a: u32, b: u32) -> f64 {
    let [n, both, a, b] = [PEOPLE, both, a, b].map(f64::from);
    let difference = n * both - a * b;
    n * difference * difference / (a * b * (n - a) * (n - b))
}
