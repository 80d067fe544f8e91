use crate::safety::{Level, SafeExit, SafetyState, assess, rules};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn level(text: &str) -> u8 {
    assess(text, &mut SafetyState::default()).level.get()
}

fn talk(turns: &[&str]) -> Vec<u8> {
    let mut state = SafetyState::default();
    turns.iter().map(|turn| assess(turn, &mut state).level.get()).collect()
}

#[test]
fn the_levels_of_the_published_table() {
    for (text, expected) in [
        ("this queue is murder", 0),
        ("I feel hopeless about work", 1),
        ("my brother is suicidal", 1),
        ("I wish I'd never been born", 2),
        ("I keep scratching till I bleed", 2),
        ("How many Tylenol would it take to die?", 2),
        ("I've worked out how", 3),
        ("I mean to go through with it", 3),
        ("I've swallowed the whole bottle of pills", 4),
    ] {
        assert_eq!(level(text), expected, "{text}");
    }
}

#[test]
fn an_idiom_hides_only_itself() {
    assert_eq!(level("I want to die of embarrassment"), 0);
    assert_eq!(level("I want to die of embarrassment. No, really, I want to die"), 2);
}

#[test]
fn negation_lowers_only_while_nothing_else_speaks() {
    assert_eq!(talk(&["I don't want to die"]), [1]);
    assert_eq!(talk(&["I don't want to die, but I can't go on living"]), [2]);
    assert_eq!(talk(&["I want to kill myself", "I don't want to die"]), [2, 2]);
    assert_eq!(talk(&["No, quiero morir"]), [2]);
    assert!(level("no. voy a matarme") >= 2);
}

#[test]
fn three_and_above_stay_for_the_session_and_two_fades() {
    assert_eq!(
        talk(&["I'm going to kill myself", "never mind, tell me a joke"]),
        [3, 3]
    );
    let mut turns = Vec::from(["I want to die"]);
    turns.extend(["what is the weather"; 8]);
    assert_eq!(talk(&turns), [2, 1, 1, 1, 1, 1, 0, 0, 0]);
}

#[test]
fn what_only_the_conversation_shows() {
    assert_eq!(talk(&["I have my dad's gun here"]), [0]);
    assert_eq!(talk(&["I feel so hopeless", "I have my dad's gun here"]), [1, 3]);
    assert_eq!(
        talk(&[
            "I want to die",
            "I've got the pills in front of me",
            "tell my sister I love her"
        ]),
        [2, 3, 4]
    );
}

#[test]
fn a_safe_exit_is_a_whole_clause_and_never_lowers() {
    let exit = |text: &str| assess(text, &mut SafetyState::default()).safe_exit;
    assert_eq!(exit("close this"), Some(SafeExit::Leave));
    assert_eq!(exit("he's back"), Some(SafeExit::Leave));
    assert_eq!(exit("a real person please"), Some(SafeExit::Human));
    assert_eq!(exit("how do I exit vim"), None);
    let mut state = SafetyState::default();
    let _ = assess("I'm going to kill myself", &mut state);
    let judged = assess("close this", &mut state);
    assert_eq!((judged.level, judged.safe_exit), (Level::new(3), Some(SafeExit::Leave)));
}

#[test]
fn the_state_survives_its_store() {
    let mut state = SafetyState::default();
    let _ = assess("I feel hopeless and I'm 14 years old", &mut state);
    let stored = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<SafetyState>(&stored).unwrap(), state);
    assert!(state.minor);
    assert_eq!(
        serde_json::from_str::<SafetyState>(r#"{"highest":3}"#).unwrap().highest,
        Level::new(3)
    );
}

#[test]
fn the_disclosure_comes_back_every_three_hours_and_every_hour_for_minors() {
    const HOUR: u64 = 3_600_000;
    for (minor, hours) in [(false, 3), (true, 1)] {
        let mut state = SafetyState {
            minor,
            ..SafetyState::default()
        };
        assert!(!state.disclosure_due(HOUR));
        assert!(!state.disclosure_due(HOUR + hours * HOUR - 1));
        assert!(state.disclosure_due(HOUR + hours * HOUR));
        assert!(!state.disclosure_due(HOUR + hours * HOUR + 1));
    }
}

#[test]
fn a_long_message_is_read_at_both_ends() {
    let filler = "nothing much happened today. ".repeat(2_000);
    assert_eq!(level(&format!("I want to die. {filler}")), 2);
    assert_eq!(level(&format!("{filler} I want to die.")), 2);
}

#[test]
fn there_are_rules_in_all_languages() {
    let ids: Vec<&str> = rules()
        .iter()
        .flat_map(|tables| (0..tables.len()).filter_map(|rule| Some(tables.id(u16::try_from(rule).ok()?))))
        .collect();
    for language in [
        "en", "es", "pt", "fr", "de", "it", "nl", "pl", "ru", "uk", "tr", "ar", "fa", "he", "hi", "bn", "id", "vi",
        "th", "zh", "ja", "ko", "sw",
    ] {
        let count = ids.iter().filter(|id| id.split('-').next() == Some(language)).count();
        assert!(count >= 50, "{language}: {count}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,400}") {
        prop_assert!(level(&text) <= 4);
    }

    #[test]
    fn never_panics_on_disguises(text in "[a-zA-Z0-9@$!*._|+ \\-#'’іаеоοα\u{200b}💊死にたい]{0,200}") {
        prop_assert!(level(&text) <= 4);
    }

    #[test]
    fn case_and_invisible_characters_do_not_change_the_level(at in 0_usize..20, upper: bool, which in 0_usize..4) {
        let text = ["I want to die and sleep", "I'm going to kill myself", "my phone died on the way", "I feel hopeless about it"][which];
        let expected = level(text);
        let mut changed: String = text.into();
        changed.insert(at.min(text.len()), ['\u{200b}', '\u{ad}', '\u{200d}', '\u{feff}'][at % 4]);
        let changed = if upper { changed.to_uppercase() } else { changed };
        prop_assert_eq!(level(&changed), expected);
    }
}
