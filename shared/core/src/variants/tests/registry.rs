//! The seed, the rules of a snapshot, configurations, names.

use super::*;
use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn published_vectors() {
    let fox = "The quick brown fox jumps over the lazy dog";
    for (data, seed, hash) in [
        ("", 0, 0),
        ("", 1, 0x514e_28b7),
        ("", 0xffff_ffff, 0x81f1_6f39),
        ("test", 0, 0xba6b_d213),
        ("test", 0x9747_b28c, 0x704b_81dc),
        ("hello", 0, 0x248b_fa47),
        ("hello, world", 0, 0x149b_bb7f),
        (fox, 0, 0x2e4f_f723),
        (fox, 0x9747_b28c, 0x2fa8_26cd),
    ] {
        assert_eq!(murmur3_x86_32(data.as_bytes(), seed), hash, "{data}");
    }
    for (text, hash, place) in [
        ("LLM_MODEL.v1:user-1", 1_290_712_912, 3_005),
        ("LLM_MODEL.v1:ユーザー1", 1_364_937_456, 3_177),
    ] {
        let (salt, id) = text.split_once(':').unwrap();
        assert_eq!(murmur3_x86_32(text.as_bytes(), 0), hash, "{text}");
        assert_eq!(bucket(text, TOTAL_WEIGHT), place, "{text}");
        assert_eq!(hash::salted_bucket(salt, id, TOTAL_WEIGHT), place, "{text}");
    }
}

#[test]
fn names_and_salts() {
    let mut salts = BTreeSet::new();
    for category in Category::ALL {
        let name = category.as_str();
        assert_eq!(serde_json::to_value(category).unwrap(), name);
        assert_eq!(name.parse(), Ok(category));
        assert_eq!(category.salt(), alloc::format!("{name}.v1"));
        salts.insert(category.salt());
        salts.extend(category.pool_salt());
        salts.extend(category.exclusion().map(|exclusion| exclusion.salt));
    }
    assert_eq!(salts.len(), 12 + 1 + 1, "a salt is used twice");
    assert_eq!("llm_model".parse::<Category>(), Err(UnknownCategory));
    let critical: Vec<_> = Category::ALL
        .into_iter()
        .filter(|category| category.is_critical())
        .collect();
    assert_eq!(critical, [Category::SystemPrompt]);
}

#[test]
fn variant_ids() {
    for good in ["7", "v2-sha-current", "claude-sonnet-4-6", "a_b.c"] {
        assert_eq!(id(good), good);
    }
    let long = "a".repeat(65);
    for bad in ["", "-a", ".a", "A", "a b", "a/b", "é", long.as_str()] {
        assert_eq!(VariantId::parse(bad), Err(InvalidVariantId), "{bad}");
        assert!(serde_json::from_value::<VariantId>(json!(bad)).is_err());
    }
}

#[test]
fn the_seed_is_what_the_product_starts_with() {
    let snapshot = Snapshot::builtin().unwrap();
    let listed = |category: Category| -> Vec<(&str, Status)> {
        let variants = snapshot.variants().iter();
        variants
            .filter(|variant| variant.category == category)
            .map(|variant| (variant.id.as_str(), variant.status))
            .collect()
    };
    use Status::{Experimental, Production, Retired, Staged};
    let prompts = [
        ("v1-sha-baseline", Retired),
        ("v2-sha-current", Production),
        ("v3-sha-empathy-rewrite", Staged),
    ];
    assert_eq!(listed(Category::SystemPrompt), prompts);
    let in_order: [(Category, &[&str]); 10] = [
        (
            Category::LlmModel,
            &[
                "claude-sonnet-4-6",
                "claude-haiku-4-5",
                "claude-opus-4-7",
                "llama-3-70b",
                "mistral-large",
            ],
        ),
        (
            Category::ChatUiLayout,
            &["current", "simplified", "sidebar", "mobile-only"],
        ),
        (Category::ComposePosition, &["bottom-pill", "top-fixed", "inline"]),
        (Category::GhostCharStyle, &["scramble", "dots", "shimmer", "none"]),
        (
            Category::VoiceProvider,
            &["polly-generative-ruth", "polly-neural-ruth", "elevenlabs", "kokoro"],
        ),
        (Category::VoiceLlm, &["sonnet", "haiku", "opus"]),
        (Category::StarterPoolSize, &["7", "5", "10"]),
        (Category::TopicHierarchy, &["flat", "drill-down", "tabs"]),
        (Category::MandalaFace, &["on", "simple-orb", "none"]),
        (Category::PricingTierStructure, &["v1", "v2-claude-aligned"]),
    ];
    for (category, names) in in_order {
        let stages = [Production, Staged].into_iter();
        let stages = stages.chain(core::iter::repeat(Experimental));
        let expected: Vec<_> = names.iter().copied().zip(stages).collect();
        assert_eq!(listed(category), expected);
    }
    let ratings = listed(Category::RatingVariant);
    assert_eq!(ratings.len(), 40);
    assert!(ratings.iter().all(|(_, status)| *status == Production));
}

#[test]
fn the_seed_is_well_formed() {
    let snapshot = Snapshot::builtin().unwrap();
    let mut questions = BTreeSet::new();
    for variant in snapshot.variants() {
        let checked = variant.category.validate_config(&variant.config);
        assert_eq!(checked, Ok(()), "{} {}", variant.category, variant.id);
        if let Some(question) = variant.config["question"].as_str() {
            assert!(questions.insert(question), "{question} is asked twice");
        }
        if variant.status == Status::Experimental {
            assert_eq!(variant.rollout_basis_points(), 0, "{}", variant.id);
        }
    }
    assert_eq!(questions.len(), 40);
}

#[test]
fn the_seed_leaves_room_for_experiments() {
    let snapshot = Snapshot::builtin().unwrap();
    let running: Vec<_> = Category::ALL
        .into_iter()
        .flat_map(|category| snapshot.challengers(category))
        .map(|variant| (variant.id.as_str(), variant.rollout_basis_points()))
        .collect();
    let expected = [("claude-haiku-4-5", 1_000), ("v3-sha-empathy-rewrite", 1_000)];
    assert_eq!(running, expected);
}

#[test]
fn configurations_are_checked_strictly() {
    let model = json!({"provider": "p", "model": "m/1", "max_output_tokens": 800, "temperature": 0.7});
    let rating = json!({"question": "How?", "low": "so", "high": "well", "scale": "stars5"});
    let changed = |base: &Value, field: &str, value: Value| {
        let mut config = base.clone();
        config[field] = value;
        config
    };
    let is_invalid = |category: Category, config: Value, wrong: &str| {
        let result = category.validate_config(&config);
        let found = matches!(result, Err(ConfigError::Invalid { field, .. }) if field == wrong);
        assert!(found, "{category} {config}: {result:?}");
    };
    assert_eq!(Category::LlmModel.validate_config(&model), Ok(()));
    for (field, value) in [
        ("provider", json!("")),
        ("provider", json!(1)),
        ("model", json!("two words")),
        ("model", json!("m".repeat(129))),
        ("max_output_tokens", json!(0)),
        ("max_output_tokens", json!(32_769)),
        ("max_output_tokens", json!(1.5)),
        ("max_output_tokens", json!(-1)),
        ("max_output_tokens", json!("800")),
        ("temperature", json!(-0.1)),
        ("temperature", json!(2.1)),
        ("temperature", json!(null)),
    ] {
        is_invalid(Category::LlmModel, changed(&model, field, value), field);
    }
    let fallback = json!({"provider": "openai", "model": "gpt-4.1"});
    for good in [
        json!([]),
        json!([fallback]),
        json!([fallback, fallback, fallback, fallback]),
    ] {
        let config = changed(&changed(&model, "fallbacks", good), "routing", json!("fast"));
        assert_eq!(Category::LlmModel.validate_config(&config), Ok(()));
    }
    for bad in [
        json!(null),
        fallback.clone(),
        json!(["openai"]),
        json!([{"provider": "openai"}]),
        json!([{"provider": "openai", "model": ""}]),
        json!([{"provider": "openai", "model": "m", "weight": 1}]),
        json!([fallback, fallback, fallback, fallback, fallback]),
    ] {
        is_invalid(Category::LlmModel, changed(&model, "fallbacks", bad), "fallbacks");
    }
    is_invalid(Category::LlmModel, changed(&model, "routing", json!("best")), "routing");
    for (field, value) in [
        ("question", json!("  ")),
        ("question", json!("é".repeat(81))),
        ("low", json!("two\nlines")),
        ("scale", json!("stars6")),
    ] {
        is_invalid(Category::RatingVariant, changed(&rating, field, value), field);
    }
    let longest = changed(&rating, "question", json!("é".repeat(80)));
    assert_eq!(Category::RatingVariant.validate_config(&longest), Ok(()));
    is_invalid(Category::SystemPrompt, json!({"prompt": "companion-v99"}), "prompt");
    is_invalid(Category::StarterPoolSize, json!({"size": 0}), "size");
    is_invalid(Category::StarterPoolSize, json!({"size": 13}), "size");
    let extra = changed(&model, "extra", json!(1));
    let unknown = ConfigError::Unknown("extra".into());
    assert_eq!(Category::LlmModel.validate_config(&extra), Err(unknown));
}

#[test]
fn every_category_refuses_what_is_not_its_object() {
    for category in Category::ALL {
        for value in [json!(null), json!([]), json!("x"), json!(1)] {
            let refused = Err(ConfigError::NotAnObject);
            assert_eq!(category.validate_config(&value), refused);
        }
        let empty = category.validate_config(&json!({}));
        assert!(matches!(empty, Err(ConfigError::Missing(_))), "{category}");
        let schema = category.config_schema();
        assert_eq!(schema["additionalProperties"], json!(false));
        let names: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
        let required = schema["required"].as_array().unwrap();
        let optional = if category == Category::LlmModel { 2 } else { 0 };
        assert_eq!(names.len(), required.len() + optional, "{category}");
        for name in required {
            assert!(names.contains(&name.as_str().unwrap().to_string()));
        }
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
    let model = Category::LlmModel;
    let twice = SnapshotError::Duplicate(model, id("claude-sonnet-4-6"));
    check(|v| v.push(v[0].clone()), twice);
    check(
        |v| v.retain(|x| x.id != "claude-sonnet-4-6"),
        SnapshotError::Default(model),
    );
    check(|v| v[1].status = Status::Production, SnapshotError::Default(model));
    check(
        |v| v.retain(|x| x.category != Category::RatingVariant),
        SnapshotError::Default(Category::RatingVariant),
    );
    for percent in [-0.01, 100.01, f64::NAN, f64::INFINITY] {
        let mut variants = base.clone();
        variants[1].rollout_percent = percent;
        let refused = Some(SnapshotError::Rollout(model));
        assert_eq!(Snapshot::new(1, variants).err(), refused, "{percent}");
    }
    // Two challengers at one end, and two that meet in the middle.
    check(
        |v| {
            v[1].rollout_percent = 10.0;
            v[2].rollout_percent = 10.0;
        },
        SnapshotError::Rollout(model),
    );
    check(
        |v| {
            v[1].rollout_percent = 60.0;
            v[2].rollout_percent = 40.01;
            v[2].slot = Slot::High;
        },
        SnapshotError::Rollout(model),
    );
    for text in ["", "{", "[]", r#"{"version":1}"#, r#"{"version":-1,"variants":[]}"#] {
        let refused = Snapshot::parse(text);
        assert!(matches!(refused, Err(SnapshotError::Malformed(_))), "{text}");
    }
}

#[test]
fn malformed_says_where_and_never_what() {
    let json = Snapshot::builtin().unwrap().to_json().unwrap();
    let secret = json.replacen("LLM_MODEL", "SECRET_WORD", 1);
    let error = Snapshot::parse(&secret).err().unwrap().to_string();
    assert!(!error.contains("SECRET_WORD"), "{error}");
}

#[test]
fn a_variant_may_share_its_id_with_another_category() {
    let snapshot = Snapshot::builtin().unwrap();
    for category in [Category::GhostCharStyle, Category::MandalaFace] {
        let found = snapshot.variant(category, id("none")).unwrap();
        assert_eq!(found.category, category);
    }
    assert!(snapshot.variant(Category::VoiceLlm, "none").is_none());
}

#[test]
fn every_share_survives_a_round_trip() {
    let mut variant = Snapshot::builtin().unwrap().variants()[0].clone();
    for points in 0..=10_000_u32 {
        let percent = f64::from(points) / 100.0;
        let text = serde_json::to_string(&percent).unwrap();
        variant.rollout_percent = serde_json::from_str(&text).unwrap();
        assert_eq!(variant.rollout_basis_points(), points, "{text}");
    }
}

proptest! {
    #[test]
    fn the_sixth_experiment_is_refused(picked in proptest::sample::subsequence(Category::ALL.to_vec(), 0..=11)) {
        let mut shares = vec![];
        let seed = Snapshot::builtin().unwrap();
        for category in picked.into_iter().filter(|category| !category.is_pool()) {
            let staged = seed.variants().iter()
                .find(|variant| variant.category == category && variant.status == Status::Staged).unwrap();
            shares.push((category, staged.id.as_str(), 1.0));
        }
        let result = Snapshot::new(1, variants_with(&shares));
        let expected = (shares.len() > MAX_EXPERIMENTS).then_some(SnapshotError::TooManyExperiments);
        prop_assert_eq!(result.err(), expected);
    }

    #[test]
    fn a_snapshot_reads_back_as_it_was(version in 0..=u64::MAX, points in 0..=10_000_u32, high: bool, note in ".*") {
        let mut variants = variants_with(&[(Category::VoiceLlm, "haiku", f64::from(points) / 100.0)]);
        for variant in variants.iter_mut().filter(|variant| variant.id == "haiku") {
            variant.slot = if high { Slot::High } else { Slot::Low };
            variant.description.clone_from(&note);
            variant.cohorts = vec![Cohort::Paid, Cohort::Returning];
        }
        let snapshot = Snapshot::new(version, variants).unwrap();
        prop_assert_eq!(Snapshot::parse(&snapshot.to_json().unwrap()), Ok(snapshot));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".*") {
        prop_assert!(Snapshot::parse(&text).is_err());
    }
}
