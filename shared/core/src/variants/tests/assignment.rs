//! Who gets what: the rules that hold for every person and every share.

use super::*;
use alloc::string::ToString;
use alloc::vec;
use proptest::prelude::*;

const LAYERS: [(Category, &str); 5] = [
    (Category::LlmModel, "claude-haiku-4-5"),
    (Category::SystemPrompt, "v3-sha-empathy-rewrite"),
    (Category::ChatUiLayout, "simplified"),
    (Category::MandalaFace, "none"),
    (Category::PricingTierStructure, "v2-claude-aligned"),
];

fn five(shares: [f64; 5]) -> Snapshot {
    let shares: Vec<_> = LAYERS
        .into_iter()
        .zip(shares)
        .map(|((category, id), percent)| (category, id, percent))
        .collect();
    with_shares(&shares)
}

#[test]
fn assignment_format_unchanged() {
    let overrides = Overrides::from([(Category::VoiceLlm, id("opus"))]);
    let assignment = Snapshot::builtin()
        .unwrap()
        .assign_with(&subject("user-13"), &overrides);
    let expected = concat!(
        r#"{"snapshot_version":1,"hash_version":1,"cohorts":["all","new_users","free"],"choices":{"#,
        r#""LLM_MODEL":{"variant":"claude-haiku-4-5","reason":"split"},"#,
        r#""SYSTEM_PROMPT":{"variant":"v2-sha-current","reason":"default"},"#,
        r#""CHAT_UI_LAYOUT":{"variant":"current","reason":"default"},"#,
        r#""COMPOSE_POSITION":{"variant":"bottom-pill","reason":"default"},"#,
        r#""GHOST_CHAR_STYLE":{"variant":"scramble","reason":"default"},"#,
        r#""RATING_VARIANT":{"variant":"rating-36","reason":"default"},"#,
        r#""VOICE_PROVIDER":{"variant":"polly-generative-ruth","reason":"default"},"#,
        r#""VOICE_LLM":{"variant":"opus","reason":"override"},"#,
        r#""STARTER_POOL_SIZE":{"variant":"7","reason":"default"},"#,
        r#""TOPIC_HIERARCHY":{"variant":"flat","reason":"default"},"#,
        r#""MANDALA_FACE":{"variant":"on","reason":"default"},"#,
        r#""PRICING_TIER_STRUCTURE":{"variant":"v1","reason":"default"}}}"#,
    );
    assert_eq!(serde_json::to_string(&assignment).unwrap(), expected);
}

#[test]
fn a_session_stored_before_cohorts_were_kept_is_read() {
    let stored = r#"{"snapshot_version":1,"hash_version":1,"choices":{"LLM_MODEL":{"variant":"claude-sonnet-4-6","reason":"split"}}}"#;
    let assignment: Assignment = serde_json::from_str(stored).unwrap();
    assert_eq!(assignment.cohorts, []);
    assert_eq!(assignment.get(Category::LlmModel), Some(&id("claude-sonnet-4-6")));
    assert_eq!(assignment.get(Category::VoiceLlm), None);
}

/// From an independent implementation of the hash; a change here moves people and needs a new hash version.
#[test]
fn places_unchanged() {
    let snapshot = five([100.0; 5]);
    let placed: Vec<_> = ["user-1", "user-2", "user-3", "ユーザー1"]
        .into_iter()
        .map(|person| {
            let model = snapshot.explain(&subject(person), Category::LlmModel).unwrap();
            let rating = snapshot.assign(&subject(person));
            let rating = rating.variant(Category::RatingVariant).unwrap().to_string();
            (model.bucket, model.reason, rating)
        })
        .collect();
    let expected = [
        (3_005, Reason::Default, "rating-10"),
        (7_629, Reason::Split, "rating-24"),
        (8_474, Reason::Default, "rating-39"),
        (3_177, Reason::Default, "rating-32"),
    ]
    .map(|(bucket, reason, rating)| (bucket, reason, rating.to_string()));
    assert_eq!(placed, expected);
}

#[test]
fn overrides_come_first_and_never_revive_the_retired() {
    let snapshot = five([100.0; 5]);
    let overrides = Overrides::from([
        (Category::LlmModel, id("mistral-large")),
        (Category::SystemPrompt, id("v1-sha-baseline")),
        (Category::VoiceLlm, id("no-such-model")),
    ]);
    let plain = snapshot.assign(&subject("user-1"));
    let assignment = snapshot.assign_with(&subject("user-1"), &overrides);
    let model = &assignment.choices[&Category::LlmModel];
    assert_eq!(
        (model.variant.as_str(), model.reason),
        ("mistral-large", Reason::Override)
    );
    for category in Category::ALL.into_iter().skip(1) {
        assert_eq!(assignment.choices[&category], plain.choices[&category]);
    }
}

#[test]
fn an_explanation_in_words() {
    let snapshot = five([100.0; 5]);
    let said = |category| snapshot.explain(&subject("user-1"), category).unwrap().to_string();
    let idle = said(Category::VoiceLlm);
    assert!(idle.ends_with("nothing is being tried"), "{idle}");
    let layout = said(Category::ChatUiLayout);
    assert!(layout.ends_with("; simplified has 0..10000: enrolled"), "{layout}");
    let (model, prompt) = (said(Category::LlmModel), said(Category::SystemPrompt));
    let kept = |text: &str| text.ends_with("kept for another category's experiments");
    assert!(kept(&model) != kept(&prompt), "{model} / {prompt}");
}

proptest! {
    #[test]
    fn deterministic_complete_and_read_back(person in "\\PC{0,40}", shares: [u8; 5], is_new: bool, is_paid: bool) {
        let snapshot = five(shares.map(|share| f64::from(share % 101)));
        let subject = Subject { id: &person, is_new, is_paid };
        let assignment = snapshot.assign(&subject);
        prop_assert_eq!(&assignment, &snapshot.clone().assign(&subject));
        prop_assert_eq!(assignment.choices.len(), 12);
        let text = serde_json::to_string(&assignment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Assignment>(&text).unwrap(), assignment);
    }

    /// Both ends at once: raising either share moves nobody out of either challenger, and nobody from one to the other.
    #[test]
    fn raising_a_share_moves_nobody_out(
        person in "[a-z0-9]{1,20}",
        low in 0..=10_000_u32, high in 0..=10_000_u32, more_low in 0..=10_000_u32, more_high in 0..=10_000_u32,
    ) {
        let category = Category::GhostCharStyle;
        let got = |low: u32, high: u32| {
            let percent = |points: u32| f64::from(points) / 100.0;
            let mut variants = variants_with(&[(category, "dots", percent(low)), (category, "shimmer", percent(high))]);
            for variant in variants.iter_mut().filter(|variant| variant.id == "shimmer") {
                variant.slot = Slot::High;
            }
            Snapshot::new(1, variants).unwrap().assign(&subject(&person)).get(category).unwrap().clone()
        };
        let high = high.min(10_000 - low);
        let room = 10_000 - low - high;
        let more_low = more_low % (room + 1);
        let more_high = more_high % (room - more_low + 1);
        let before = got(low, high);
        if before != "scramble" {
            prop_assert_eq!(got(low + more_low, high + more_high), before);
        }
    }

    #[test]
    fn a_cohort_keeps_others_out(person in "[a-z0-9]{1,20}", is_new: bool, is_paid: bool, which in 0..32_u8) {
        let all = [Cohort::All, Cohort::NewUsers, Cohort::Returning, Cohort::Paid, Cohort::Free];
        let belongs = [true, is_new, !is_new, is_paid, !is_paid];
        let listed = |n: usize| which & (1 << n) != 0;
        let mut variants = variants_with(&[(Category::MandalaFace, "none", 100.0)]);
        for variant in variants.iter_mut().filter(|variant| variant.id == "none") {
            variant.cohorts = (0..5).filter(|n| listed(*n)).map(|n| all[n]).collect();
        }
        let assignment = Snapshot::new(1, variants).unwrap().assign(&Subject { id: &person, is_new, is_paid });
        let expected = (0..5).any(|n| listed(n) && belongs[n]);
        prop_assert_eq!(assignment.variant(Category::MandalaFace) == Some("none"), expected);
        let frozen: Vec<_> = (0..5).filter(|n| belongs[*n]).map(|n| all[n]).collect();
        prop_assert_eq!(assignment.cohorts, frozen);
    }

    #[test]
    fn model_and_prompt_are_never_tried_on_one_person(person in "\\PC{1,20}", shares: [u8; 5]) {
        let split = |snapshot: &Snapshot| {
            let assignment = snapshot.assign(&subject(&person));
            [Category::LlmModel, Category::SystemPrompt].map(|category| assignment.choices[&category].reason == Reason::Split)
        };
        let some = split(&five(shares.map(|share| f64::from(share % 101))));
        prop_assert!(!(some[0] && some[1]));
        // At full share everybody is in exactly one of them.
        let full = split(&five([100.0; 5]));
        prop_assert!(full[0] != full[1]);
    }

    #[test]
    fn a_crisis_sees_production_only(person in "\\PC{0,20}", shares: [u8; 5]) {
        let snapshot = five(shares.map(|share| f64::from(share % 101)));
        let crisis = snapshot.production_defaults(&person);
        prop_assert_eq!(crisis.choices.len(), 12);
        for (category, choice) in &crisis.choices {
            prop_assert_eq!(choice.reason, Reason::CrisisDefault);
            prop_assert_eq!(snapshot.variant(*category, &choice.variant).unwrap().status, Status::Production);
        }
        // Nothing that is tried shows through.
        prop_assert_eq!(crisis.choices, five([0.0; 5]).production_defaults(&person).choices);
    }

    #[test]
    fn an_explanation_agrees_with_the_assignment(person in "\\PC{0,20}", shares: [u8; 5], is_new: bool, is_paid: bool) {
        let mut variants = five(shares.map(|share| f64::from(share % 101))).variants().to_vec();
        for variant in variants.iter_mut().filter(|variant| variant.category == Category::ChatUiLayout) {
            variant.cohorts = vec![Cohort::Paid];
        }
        let snapshot = Snapshot::new(1, variants).unwrap();
        let subject = Subject { id: &person, is_new, is_paid };
        let assignment = snapshot.assign(&subject);
        for category in Category::ALL {
            let explain = snapshot.explain(&subject, category).unwrap();
            let choice = &assignment.choices[&category];
            prop_assert_eq!((&explain.variant, explain.reason), (&choice.variant, choice.reason));
            let enrolled: Vec<_> = explain.candidates.iter().filter(|candidate| candidate.outcome == Outcome::Enrolled).collect();
            prop_assert_eq!(enrolled.len(), usize::from(choice.reason == Reason::Split));
            prop_assert!(enrolled.iter().all(|candidate| candidate.variant == choice.variant));
        }
    }
}
