//! Properties 1 to 3 of a twin, each over at least 100 random cases.

use crate::conversation::{Message, Role};
use crate::memory::{Summary, cost};
use crate::persona::{Fact, PERSONA_TOKENS, Persona, PersonaError, Remembered, SUMMARY_TOKENS, SpanKind, build, plan};
use crate::prompt::SessionContext;
use crate::sealed::DataKey;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;
use serde_json::json;

const CASES: u32 = 256;

fn context(name: Option<&str>) -> SessionContext<'_> {
    SessionContext {
        locale: "en",
        local_hour: Some(9),
        first_turn: true,
        display_name: name,
    }
}

fn talk(texts: &[String]) -> Vec<Message> {
    let message = |(at, text): (usize, &String)| Message {
        role: if at % 2 == 0 { Role::User } else { Role::Assistant },
        text: text.clone(),
        at_ms: at as u64,
    };
    texts.iter().enumerate().map(message).collect()
}

fn total(messages: &[Message]) -> u32 {
    messages.iter().map(cost).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Property 1: what is stored is read byte for byte, in the order of `seq`, wherever the rows lie.
    /// (The same over the real tables: tests/e2e/twin-properties.test.mjs.)
    #[test]
    fn property_1_store_then_read_is_byte_equal_and_ordered(texts in proptest::collection::vec(any::<String>(), 1..12), seed: [u8; 12], shuffle: u64) {
        let key = DataKey::new([9; 32]);
        let place = |seq: usize| format!("ses_x|trn_{seq}|input");
        let mut rows: Vec<(usize, Vec<u8>)> = texts.iter().enumerate()
            .map(|(seq, text)| {
                let mut nonce = seed;
                nonce[0] ^= seq as u8;
                (seq, key.seal(text.as_bytes(), &place(seq), nonce).unwrap())
            })
            .collect();
        let by = (shuffle % rows.len() as u64) as usize;
        rows.rotate_left(by);
        rows.sort_by_key(|(seq, _)| *seq);
        let read: Vec<String> = rows.iter()
            .map(|(seq, sealed)| String::from_utf8(key.open(sealed, &place(*seq)).unwrap()).unwrap())
            .collect();
        prop_assert_eq!(read, texts);
    }

    /// Property 1, for personas: the source that is stored is the source that is read, and so is what is made of it.
    #[test]
    fn property_1_a_stored_persona_is_read_byte_for_byte(text in "\\PC{1,400}", name in proptest::option::of("\\PC{0,100}")) {
        prop_assume!(!text.trim().is_empty());
        let persona = Persona::text(text.as_bytes(), name.as_deref()).unwrap();
        let read = Persona::from_stored(&persona.to_stored()).unwrap();
        prop_assert_eq!(read.source(), text.as_str());
        prop_assert_eq!(read, persona);
    }

    /// Property 2: an accepted persona is an exact substring of the prompt, in its own span.
    #[test]
    fn property_2_the_persona_is_an_exact_substring_of_the_prompt(
        text in "[\\PC\n{}]{1,600}", user in proptest::option::of("[a-zA-Z{}<>]{0,20}"), summary in "\\PC{0,80}", value in "\\PC{0,80}",
    ) {
        prop_assume!(!text.trim().is_empty());
        let persona = Persona::text(text.as_bytes(), None).unwrap();
        let facts = [Fact { kind: "name".into(), value }];
        let summary = Summary { text: summary, covers: 2 };
        let remembered = Remembered { facts: &facts, summary: Some(&summary) };
        let built = build(&persona, &context(user.as_deref()), &remembered, &[]).unwrap();
        prop_assert!(built.prompt.text.contains(&text));
        let (_, span) = built.spans.iter().find(|(kind, _)| *kind == SpanKind::Persona).unwrap().clone();
        prop_assert_eq!(built.prompt.text.get(span), Some(text.as_str()));
        // Spans are in order and never overlap.
        prop_assert!(built.spans.windows(2).all(|pair| pair[0].1.end <= pair[1].1.start));
        prop_assert!(!built.prompt.confidential().contains("## Who you are"));
    }

    /// Property 2, for cards: with its names filled in, whoever talks with it.
    #[test]
    fn property_2_a_rendered_card_is_an_exact_substring_of_the_prompt(description in "[\\PC{}]{1,300}", user in "[a-zA-Z]{1,20}") {
        let card = json!({"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": "Ada", "description": format!("{{{{char}}}} knows {{{{user}}}}. {description}")}});
        let persona = Persona::card(card.to_string().as_bytes()).unwrap();
        let built = build(&persona, &context(Some(&user)), &Remembered::default(), &[]).unwrap();
        prop_assert!(built.prompt.text.contains(&persona.render(&user)));
        let expected = format!("Ada knows {user}.");
        prop_assert!(built.prompt.text.contains(&expected));
    }

    /// Property 2: one that is too long is refused when it is given, and never cut.
    #[test]
    fn property_2_a_persona_that_is_too_long_is_refused(extra in 0_usize..3_000, letter in "[a-z安]") {
        let text = letter.repeat((PERSONA_TOKENS as usize - 1_500) * 4 + extra * 4);
        match Persona::text(text.as_bytes(), Some("x")) {
            Ok(persona) => {
                let built = build(&persona, &context(None), &Remembered::default(), &[]).unwrap();
                prop_assert!(built.prompt.text.contains(&text));
            }
            Err(error) => {
                let over = crate::memory::estimate_tokens(&text) > PERSONA_TOKENS;
                prop_assert!(over, "refused though it fits");
                prop_assert!(matches!(error, PersonaError::TooLong { .. }), "{error}");
            }
        }
    }

    /// Property 3: the conversation is summary(0..k) and verbatim(k..n), contiguous, in order, without overlap; all of
    /// it is verbatim while it fits; folding again and again gives the same cover.
    #[test]
    fn property_3_spans_are_contiguous_ordered_and_disjoint(texts in proptest::collection::vec("\\PC{0,200}", 1..40), budget in 20_u32..2_000) {
        let mut conversation = talk(&texts);
        if conversation.len().is_multiple_of(2) { conversation.pop(); }
        let n = conversation.len();
        let mut summary: Option<Summary> = None;
        // As a session does it: turn by turn, only what is not yet covered is read.
        for end in (1..=n).step_by(2) {
            let covered = summary.as_ref().map_or(0, |summary| summary.covers);
            let given = &conversation[covered..end];
            let laid = plan(summary.as_ref(), given, budget);
            let k = laid.summary.as_ref().map_or(0, |summary| summary.covers);
            prop_assert_eq!(k, covered + laid.verbatim_from, "contiguous");
            prop_assert!(k < end, "the newest message is always verbatim");
            let verbatim = &conversation[k..end];
            prop_assert_eq!(verbatim, &given[laid.verbatim_from..], "in order, word for word");
            prop_assert_eq!(verbatim[0].role, Role::User);
            prop_assert!(total(verbatim) <= budget || verbatim.len() == 1, "within the budget");
            if total(given) <= budget { prop_assert_eq!(laid.verbatim_from, 0, "nothing is folded while it fits"); }
            if let Some(summary) = &laid.summary {
                prop_assert!(crate::memory::estimate_tokens(&summary.text) <= SUMMARY_TOKENS);
            }
            summary = laid.summary;
        }
        if total(&conversation) <= budget { prop_assert_eq!(summary, None, "all verbatim while it fits"); }
    }
}
