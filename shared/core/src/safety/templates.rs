//! What is said in a crisis: fixed texts by level and language, never a model's.

use super::{Level, Resource, for_country};
use alloc::string::String;
use alloc::vec::Vec;

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// A fixed answer with the resources of the person's region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrisisResponse {
    /// Plain text; names the emergency number and leaves the rest to the resources beside it.
    pub text: String,
    /// Help, nearest first.
    pub resources: Vec<Resource>,
}

/// The texts of a language (`safety/templates`).
struct Texts {
    language: &'static str,
    emergency: &'static str,
    danger: &'static str,
    distress: &'static str,
    note: &'static str,
}

/// Said to somebody who asks for a human being.
const HUMAN: &str = "I am an AI, and it is good to want a person. These people are there to talk:";

fn texts(locale: &str) -> &'static Texts {
    let language = locale.split(['-', '_']).next().unwrap_or("");
    let of = |name: &str| TEMPLATES.iter().find(|texts| texts.language.eq_ignore_ascii_case(name));
    of(language).or_else(|| of("en")).unwrap_or(&FALLBACK)
}

/// Only if the data had no English, which the build refuses.
const FALLBACK: Texts = Texts {
    language: "",
    emergency: "{number}",
    danger: "{number}",
    distress: "{number}",
    note: "",
};

/// Languages that have texts of their own.
#[must_use]
pub fn languages() -> Vec<&'static str> {
    TEMPLATES.iter().map(|texts| texts.language).collect()
}

/// The answer at level 2 and above.
#[must_use]
pub fn response(level: Level, locale: &str, country: Option<&str>) -> CrisisResponse {
    let texts = texts(locale);
    let resources = for_country(country);
    let number = resources
        .iter()
        .map(|entry| entry.emergency.as_str())
        .find(|number| !number.is_empty())
        // 112 works on every GSM phone (3GPP TS 22.101), 911 where it does not lead on.
        .unwrap_or("112 / 911");
    let body = match level.get() {
        4 => texts.emergency,
        3 => texts.danger,
        _ => texts.distress,
    };
    CrisisResponse {
        text: body.replace("{number}", number),
        resources,
    }
}

/// What stands beside a model's answer at level 1.
#[must_use]
pub fn supportive_note(locale: &str, country: Option<&str>) -> CrisisResponse {
    CrisisResponse {
        text: texts(locale).note.into(),
        resources: for_country(country),
    }
}

/// The answer to somebody who asks for a human being.
#[must_use]
pub fn human_wanted(country: Option<&str>) -> CrisisResponse {
    CrisisResponse {
        text: HUMAN.into(),
        resources: for_country(country),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_and_language_names_a_number_and_a_way_to_help() {
        assert!(languages().len() >= 23, "{:?}", languages());
        for language in languages().into_iter().chain(["es-MX", "xx", ""]) {
            for level in 2..=4 {
                for country in [None, Some("US"), Some("ZZ")] {
                    let response = response(Level::new(level), language, country);
                    let number = if country == Some("US") { "911" } else { "112" };
                    assert!(response.text.contains(number), "{language}: {}", response.text);
                    assert!(!response.text.contains(['{', '*']), "{language}");
                    assert!(!response.resources.is_empty());
                }
            }
            assert!(!supportive_note(language, None).text.is_empty(), "{language}");
        }
    }

    #[test]
    fn an_emergency_begins_with_the_number() {
        for language in languages() {
            let text = response(Level::new(4), language, Some("GB")).text;
            let at = text.find("999").unwrap();
            assert!(text.get(..at).unwrap().chars().count() < 80, "{language}: {text}");
        }
    }
}
