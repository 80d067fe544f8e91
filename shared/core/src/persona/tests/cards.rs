//! Cards as others write them, and as we hand them on.

use crate::conversation::{Message, Role};
use crate::persona::{Card, CardError, Persona, PersonaError, PngError, Spec, embed, read};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn v2() -> Value {
    json!({"spec": "chara_card_v2", "spec_version": "2.0", "data": {
        "name": "Ada", "description": "{{char}} builds engines.", "personality": "precise", "scenario": "", "first_mes": "Hello {{user}}.",
        "mes_example": "", "creator_notes": "a note", "system_prompt": "", "post_history_instructions": "", "alternate_greetings": ["Hi"],
        "tags": ["math"], "creator": "c", "character_version": "1", "extensions": {"agnai": {"voice": [1, 2.5, null]}, "x/y": true}}})
}

fn parse(value: &Value) -> Card {
    Card::parse(&value.to_string()).unwrap()
}

#[test]
fn the_three_versions_are_told_apart() {
    let v1 = json!({"name": "Ada", "description": "d", "personality": "", "scenario": "", "first_mes": "", "mes_example": "", "mine": 7});
    assert_eq!(parse(&v1).spec(), Spec::V1);
    assert_eq!(parse(&v2()).spec(), Spec::V2);
    let mut v3 = v2();
    v3["spec"] = "chara_card_v3".into();
    v3["spec_version"] = "3.1".into();
    v3["data"]["nickname"] = "Lady {{user}}".into();
    let card = parse(&v3);
    assert_eq!(card.spec(), Spec::V3);
    assert!(card.render("Bob").contains("Lady {{user}} builds engines."));
    let moved = parse(&v1).to_v2();
    assert_eq!(
        (&moved["mine"], &moved["data"]["name"], moved.get("name")),
        (&json!(7), &json!("Ada"), None)
    );
}

#[test]
fn what_is_no_card_is_refused_with_its_reason() {
    let check = |text: &str, error: CardError| assert_eq!(Card::parse(text).err(), Some(error), "{text}");
    check("{", CardError::Json { line: 1, column: 1 });
    check("[]", CardError::Json { line: 1, column: 1 });
    check(r#"{"spec": "chara_card_v9", "data": {"name": "x"}}"#, CardError::Spec);
    check(r#"{"spec": "chara_card_v2"}"#, CardError::Field("data"));
    check(r#"{"description": "x"}"#, CardError::Field("name"));
    check(r#"{"name": " \n "}"#, CardError::Field("name"));
    check(r#"{"name": "x", "description": 7}"#, CardError::Field("description"));
    check(
        r#"{"spec": "chara_card_v3", "data": {"name": "x", "extensions": []}}"#,
        CardError::Field("extensions"),
    );
}

#[test]
fn notes_tags_and_creator_never_enter_a_prompt() {
    let mut card = v2();
    for field in ["creator_notes", "creator", "character_version"] {
        card["data"][field] = "SECRET".into();
    }
    card["data"]["tags"] = json!(["SECRET"]);
    let text = parse(&card).render("Bob");
    assert!(!text.contains("SECRET"));
    assert!(
        text.contains("Name: Ada") && text.contains("Ada builds engines.") && text.contains("Personality: precise")
    );
}

#[test]
fn a_lorebook_answers_to_its_keys() {
    let mut card = v2();
    card["data"]["character_book"] = json!({"extensions": {}, "token_budget": 40, "entries": [
        {"keys": ["Engine"], "content": "{{char}} keeps the plans.", "extensions": {}, "enabled": true, "insertion_order": 2},
        {"keys": ["x"], "content": "Always.", "constant": true, "extensions": {}, "enabled": true, "insertion_order": 1},
        {"keys": ["engine"], "content": "Off.", "extensions": {}, "enabled": false, "insertion_order": 0},
        {"keys": ["engine"], "secondary_keys": ["steam"], "selective": true, "content": "Steam.", "extensions": {}, "enabled": true, "insertion_order": 3},
        {"keys": ["engine"], "content": "w".repeat(400), "extensions": {}, "enabled": true, "insertion_order": 0}]});
    let persona = Persona::card(card.to_string().as_bytes()).unwrap();
    let say = |text: &str| Message {
        role: Role::User,
        text: text.into(),
        at_ms: 0,
    };
    assert_eq!(
        persona.lore("Bob", &[say("tell me of the ENGINE")]),
        "Always.\n\nAda keeps the plans."
    );
    assert_eq!(persona.lore("Bob", &[say("hello")]), "Always.");
}

#[test]
fn a_text_becomes_a_card_and_an_image() {
    let persona = Persona::text("# Ada\nI build engines.".as_bytes(), None).unwrap();
    assert_eq!(persona.name(), "Ada");
    let png = embed(None, &persona.to_card().chunks()).unwrap();
    let again = Persona::png(&png).unwrap();
    assert_eq!(again.to_card().field("description"), "# Ada\nI build engines.");
    assert_eq!(again.to_card().spec(), Spec::V3);
}

#[test]
fn ccv3_wins_and_damage_is_seen() {
    let other = json!({"name": "Other", "description": "x"}).to_string();
    let png = embed(None, &[("chara", other.clone()), ("ccv3", v2().to_string())]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&read(&png).unwrap()).unwrap(), v2());
    let only = embed(None, &[("chara", other)]).unwrap();
    assert!(read(&only).unwrap().contains("Other"));
    assert_eq!(read(b"GIF89a"), Err(PngError::Signature));
    assert_eq!(read(&embed(None, &[]).unwrap()), Err(PngError::NoCard));
    assert_eq!(read(&png[..png.len() - 20]), Err(PngError::Truncated));
    let mut damaged = png.clone();
    let at = damaged.windows(4).position(|four| four == b"ccv3").unwrap() + 9;
    damaged[at] ^= 1;
    assert_eq!(read(&damaged), Err(PngError::Checksum));
    // An image keeps its other chunks, and has one card only.
    let again = embed(Some(&png), &parse(&v2()).chunks()).unwrap();
    assert_eq!(again.windows(5).filter(|five| five == b"chara").count(), 1);
    assert_eq!(Persona::png(&again).unwrap().name(), "Ada");
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z/_]{1,8}", inner, 0..5)
                .prop_map(|map: BTreeMap<String, Value>| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_unknown_is_lost_through_any_version_or_image(extensions in proptest::collection::btree_map("[a-z/]{1,8}", anything(), 0..5), more in anything(), outer in anything()) {
        let mut card = v2();
        card["data"]["extensions"] = json!(extensions);
        card["data"]["unheard_of"] = more.clone();
        card["outside"] = outer.clone();
        let read_card = parse(&card);
        for value in [read_card.to_v2(), read_card.to_v3(), parse(&Value::Object(read_card.to_v3())).to_v2()] {
            prop_assert_eq!(&value["data"]["extensions"], &card["data"]["extensions"]);
            prop_assert_eq!(&value["data"]["unheard_of"], &more);
            prop_assert_eq!(&value["outside"], &outer);
        }
        // In the version that it came in, byte for byte.
        prop_assert_eq!(read_card.source(), card.to_string());
        let png = embed(None, &read_card.chunks()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&read(&png).unwrap()).unwrap(), Value::Object(read_card.to_v3()));
    }

    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>, cut in 0_usize..400, flip: usize) {
        let _ = Persona::png(&bytes);
        let _ = Persona::card(&bytes);
        let mut png = embed(None, &parse(&v2()).chunks()).unwrap();
        let at = flip % png.len();
        png[at] ^= 0x41;
        // Whatever was changed is seen, or lies where nothing is read from.
        prop_assert!(Persona::png(&png).is_err());
        png.truncate(png.len().saturating_sub(cut));
        let _ = Persona::png(&png);
    }
}

#[test]
fn limits_are_told() {
    let long = "a ".repeat(300_000);
    assert!(matches!(
        Persona::text(long.as_bytes(), None),
        Err(PersonaError::TooLong { unit: "bytes", .. })
    ));
    assert_eq!(Persona::text(b" \n ", None), Err(PersonaError::Empty));
    assert_eq!(Persona::text(&[0xff, 0xfe], None), Err(PersonaError::NotText));
    assert_eq!(Persona::from_stored("{}"), Err(PersonaError::Malformed));
}
