//! What is remembered, and what is not.

use crate::persona::extract;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn check(message: &str, expected: &[(&str, &str)]) {
    let found: Vec<(String, String)> = extract(message)
        .into_iter()
        .map(|fact| (fact.kind, fact.value))
        .collect();
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(kind, value)| ((*kind).into(), (*value).into()))
        .collect();
    assert_eq!(found, expected, "{message}");
}

#[test]
fn plain_words_are_remembered() {
    check("My name is Alice.", &[("name", "Alice")]);
    check(
        "Hi! I’m called Jean-Luc and I live in New York, you know",
        &[("name", "Jean-Luc"), ("home", "New York")],
    );
    check("i work as an electrical engineer", &[("work", "electrical engineer")]);
    check(
        "My favourite colour is dark blue!",
        &[("favourite colour", "dark blue")],
    );
    check(
        "Ich heiße Zoë. Ich wohne in Bad Münster",
        &[("name", "Zoë"), ("home", "Bad Münster")],
    );
    check("My name is Bob. No: my name is Rob", &[("name", "Rob")]);
    check(
        "I'm from São Paulo but I live in Porto",
        &[("origin", "São Paulo"), ("home", "Porto")],
    );
}

#[test]
fn questions_denials_and_half_sentences_are_not() {
    for message in [
        "",
        "What is my name?",
        "my name is",
        "My name is not Alice",
        "Is it true that I live in Paris?",
        "my name is what?",
        "My name. Is Alice?",
        "My favourite is blue",
        "dummy name is Alice",
    ] {
        check(message, &[]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_fact_is_a_quote_and_nothing_breaks_the_reader(noise in "\\PC{0,80}", name in "Q[a-zé]{1,12}", after in "\\PC{0,40}") {
        let message = alloc::format!("{noise}\nMy name is {name}.\n{after}");
        for fact in extract(&message) {
            prop_assert!(message.contains(&fact.value));
            prop_assert!(!fact.value.is_empty() && fact.value.chars().count() <= 60);
        }
        let simple = alloc::format!("My name is {name}.");
        prop_assert_eq!(&extract(&simple)[0].value, &name);
    }
}
