use super::*;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn subject(id: &str) -> Subject<'_> {
    Subject { id, is_new: true, is_paid: false }
}

fn with_rollout(category: Category, id: &str, percent: f64) -> Snapshot {
    let mut variants = Snapshot::builtin().unwrap().variants().to_vec();
    for variant in &mut variants {
        if variant.is_challenger() {
            variant.rollout_percent = 0.0;
        }
        if variant.category == category && variant.id == id {
            variant.status = Status::Staged;
            variant.rollout_percent = percent;
        }
    }
    Snapshot::new(2, variants).unwrap()
}

#[test]
fn published_vectors() {
    for (data, hash) in [("", 0), ("hello", 0x248b_fa47), ("hello, world", 0x149b_bb7f), ("The quick brown fox jumps over the lazy dog", 0x2e4f_f723)] {
        assert_eq!(murmur3_x86_32(data.as_bytes(), 0), hash, "{data}");
    }
    assert_eq!(murmur3_x86_32(b"", 1), 0x514e_28b7);
    for (id, hash, place) in [("LLM_MODEL.v1:user-1", 1_290_712_912, 3_005), ("LLM_MODEL.v1:ユーザー1", 1_364_937_456, 3_177)] {
        assert_eq!((murmur3_x86_32(id.as_bytes(), 0), bucket(id, TOTAL_WEIGHT)), (hash, place), "{id}");
    }
}

#[test]
fn the_seed_is_what_the_product_starts_with() {
    let snapshot = Snapshot::builtin().unwrap();
    let production: Vec<&str> = Category::ALL
        .into_iter()
        .filter(|category| !category.is_pool())
        .flat_map(|category| snapshot.defaults(category).map(|variant| variant.id.as_str()))
        .collect();
    assert_eq!(
        production,
        ["claude-sonnet-4-6", "v2-sha-current", "current", "bottom-pill", "scramble", "polly-generative-ruth", "sonnet", "7", "flat", "on", "v1"]
    );
    assert_eq!(snapshot.defaults(Category::RatingVariant).count(), 40);
    for variant in snapshot.variants().iter().filter(|variant| variant.category == Category::SystemPrompt) {
        let name = variant.config["prompt"].as_str().unwrap();
        assert!(crate::prompt::source(name).is_some(), "{name}");
    }
}

#[test]
fn broken_snapshots_are_refused() {
    let base = Snapshot::builtin().unwrap().variants().to_vec();
    let check = |change: fn(&mut Vec<Variant>), expected: SnapshotError| {
        let mut variants = base.clone();
        change(&mut variants);
        assert_eq!(Snapshot::new(1, variants).err(), Some(expected));
    };
    check(|v| v.push(v[0].clone()), SnapshotError::Duplicate(Category::LlmModel, "claude-sonnet-4-6".into()));
    check(|v| v.retain(|x| x.id != "claude-sonnet-4-6"), SnapshotError::Default(Category::LlmModel));
    check(|v| v[1].status = Status::Production, SnapshotError::Default(Category::LlmModel));
    check(|v| v[1].rollout_percent = 100.5, SnapshotError::Rollout(Category::LlmModel));
    check(|v| { v[1].rollout_percent = 10.0; v[2].rollout_percent = 10.0 }, SnapshotError::Rollout(Category::LlmModel));
    check(
        |v| {
            let mut categories = vec![];
            for x in v.iter_mut().filter(|x| matches!(x.status, Status::Staged | Status::Experimental)) {
                x.rollout_percent = if categories.contains(&x.category) { 0.0 } else { 1.0 };
                categories.push(x.category);
            }
        },
        SnapshotError::TooManyExperiments,
    );
    assert!(matches!(Snapshot::parse("{"), Err(SnapshotError::Malformed(_))));
}

#[test]
fn a_share_is_what_it_says_over_100_000_people() {
    let snapshot = with_rollout(Category::ChatUiLayout, "simplified", 25.0);
    let enrolled = (0..100_000)
        .filter(|n| snapshot.assign(&subject(&format!("user-{n}"))).variant(Category::ChatUiLayout) == Some("simplified"))
        .count();
    // Five standard deviations of a binomial(100,000, 0.25).
    assert!((24_315..=25_685).contains(&enrolled), "{enrolled}");
}

#[test]
fn the_pool_is_drawn_evenly() {
    let snapshot = Snapshot::builtin().unwrap();
    let mut counts = alloc::collections::BTreeMap::<String, u32>::new();
    for n in 0..40_000 {
        let assignment = snapshot.assign(&subject(&format!("user-{n}")));
        *counts.entry(assignment.variant(Category::RatingVariant).unwrap().into()).or_default() += 1;
    }
    // Chi-square with 39 degrees of freedom: 80 has p < 0.0002.
    let chi: f64 = counts.values().map(|count| (f64::from(*count) - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(counts.len() == 40 && chi < 80.0, "{chi}");
}

#[test]
fn layers_are_independent() {
    let mut variants = Snapshot::builtin().unwrap().variants().to_vec();
    for variant in &mut variants {
        variant.rollout_percent = match variant.id.as_str() {
            "simplified" | "top-fixed" => 50.0,
            _ => 0.0,
        };
    }
    let snapshot = Snapshot::new(1, variants).unwrap();
    let mut cells = [0_f64; 4];
    for n in 0..40_000 {
        let assignment = snapshot.assign(&subject(&format!("user-{n}")));
        let a = usize::from(assignment.variant(Category::ChatUiLayout) == Some("simplified"));
        let b = usize::from(assignment.variant(Category::ComposePosition) == Some("top-fixed"));
        cells[a * 2 + b] += 1.0;
    }
    let chi: f64 = cells.iter().map(|cell| (cell - 10_000.0).powi(2) / 10_000.0).sum();
    // Three degrees of freedom: 16.3 has p = 0.001.
    assert!(chi < 16.3, "{cells:?}");
}

#[test]
fn assignment_format_unchanged() {
    let assignment = Snapshot::builtin().unwrap().assign(&subject("user-1"));
    let json = serde_json::to_string(&assignment).unwrap();
    assert!(json.starts_with(r#"{"snapshot_version":1,"hash_version":1,"choices":{"LLM_MODEL":{"variant":""#), "{json}");
    assert_eq!(serde_json::from_str::<Assignment>(&json).unwrap(), assignment);
}

proptest! {
    #[test]
    fn deterministic_and_complete(id in "\\PC{0,40}") {
        let snapshot = Snapshot::builtin().unwrap();
        let assignment = snapshot.assign(&subject(&id));
        prop_assert_eq!(&assignment, &snapshot.assign(&subject(&id)));
        prop_assert_eq!(assignment.choices.len(), 12);
    }

    #[test]
    fn raising_a_share_moves_nobody_out(id in "[a-z0-9]{1,20}", a in 0.0_f64..100.0, b in 0.0_f64..100.0) {
        let (low, high) = (a.min(b), a.max(b));
        let has = |percent| with_rollout(Category::GhostCharStyle, "dots", percent)
            .assign(&subject(&id)).variant(Category::GhostCharStyle) == Some("dots");
        prop_assert!(!has(low) || has(high));
    }

    #[test]
    fn a_cohort_keeps_others_out(id in "[a-z0-9]{1,20}", is_new: bool, is_paid: bool) {
        let mut variants = with_rollout(Category::MandalaFace, "none", 100.0).variants().to_vec();
        for variant in &mut variants {
            if variant.id == "none" && variant.category == Category::MandalaFace {
                variant.cohorts = vec![Cohort::Paid];
            }
        }
        let assignment = Snapshot::new(1, variants).unwrap().assign(&Subject { id: &id, is_new, is_paid });
        prop_assert_eq!(assignment.variant(Category::MandalaFace) == Some("none"), is_paid);
    }

    #[test]
    fn model_and_prompt_are_never_tried_on_one_person(id in "[a-z0-9]{1,20}") {
        let mut variants = Snapshot::builtin().unwrap().variants().to_vec();
        for variant in &mut variants {
            variant.rollout_percent = if matches!(variant.id.as_str(), "claude-haiku-4-5" | "v3-sha-empathy-rewrite") { 100.0 } else { 0.0 };
        }
        let assignment = Snapshot::new(1, variants).unwrap().assign(&subject(&id));
        let split = |category| assignment.choices[&category].reason == Reason::Split;
        prop_assert!(split(Category::LlmModel) != split(Category::SystemPrompt));
    }

    #[test]
    fn a_crisis_sees_production_only(id in "\\PC{0,20}", percent in 0.0_f64..100.0) {
        let snapshot = with_rollout(Category::SystemPrompt, "v3-sha-empathy-rewrite", percent);
        for (category, choice) in snapshot.production_defaults(&id).choices {
            prop_assert_eq!(snapshot.variant(category, &choice.variant).unwrap().status, Status::Production);
        }
    }
}
