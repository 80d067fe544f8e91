//! Help by country: our own table, verified and dated. Numbers never come from a model.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

const TABLE: &str = include_str!("../../safety/resources.json");

/// One way to reach help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// ISO 3166-1 alpha-2, `*` for everywhere.
    pub country: String,
    /// The organisation, as it calls itself; with the key to press where the number is shared.
    pub name: String,
    /// Emergency number of the country, the same in each of its entries; empty for `*`.
    pub emergency: String,
    /// What to dial, literally: digits, `*`, `#` and `+`. Empty for a chat or a page.
    pub dial: String,
    /// `call`, `text`, `chat` or `web`.
    pub channel: String,
    /// The word to text, where the line wants one.
    pub keyword: String,
    /// Languages, ISO 639-1.
    pub languages: Vec<String>,
    /// When it answers: `24/7`, or local hours such as `11:00-05:00`.
    pub hours: String,
    /// IANA zone of the hours; empty when they are `24/7`.
    pub timezone: String,
    /// Whom it is for: `everyone`, `youth`, `lgbtq`, `veterans` or `indigenous`.
    pub audience: String,
    /// Its page; a chat or a page is opened here.
    pub url: String,
    /// The page where the entry was checked. `unopened: ` comes before a page that nobody could read yet: the entry
    /// then rests on second-hand lists and expires sooner.
    pub source: String,
    /// ISO 8601 day.
    pub verified_at: String,
    /// ISO 8601 day; the build fails after it.
    pub expires_at: String,
}

/// The whole table. It is parsed at each call: a turn that needs help is rare.
#[must_use]
pub fn all() -> Vec<Resource> {
    serde_json::from_str(TABLE).unwrap_or_default()
}

/// Help in a country, then everywhere; an unknown country gets the latter alone.
#[must_use]
pub fn for_country(country: Option<&str>) -> Vec<Resource> {
    let wanted = country.unwrap_or("");
    // The table ends with `*`.
    all()
        .into_iter()
        .filter(|entry| entry.country == "*" || entry.country.eq_ignore_ascii_case(wanted))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};
    extern crate std;

    /// Lines that answer a text whatever it says.
    const WITHOUT_KEYWORD: [&str; 8] = [
        "988",
        "838255",
        "+4915735998143",
        "1190",
        "31393",
        "109",
        "0477131114",
        "1737",
    ];

    fn table() -> Vec<Resource> {
        serde_json::from_str(TABLE).unwrap()
    }

    fn is_day(text: &str) -> bool {
        let parts: Vec<&str> = text.split('-').collect();
        text.len() == 10 && parts.len() == 3 && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    }

    #[test]
    fn none_has_expired() {
        #[allow(
            clippy::disallowed_methods,
            reason = "the date of the build is what this test is about"
        )]
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let today = crate::time::rfc3339(u64::try_from(now.as_millis()).unwrap());
        for entry in table() {
            assert!(
                entry.expires_at.as_str() > today.get(..10).unwrap(),
                "{} in {} has expired: verify it again",
                entry.name,
                entry.country
            );
        }
    }

    #[test]
    fn many_countries_are_covered_and_the_rest_of_the_world() {
        let table = table();
        let countries: BTreeSet<&str> = table.iter().map(|entry| entry.country.as_str()).collect();
        assert!(countries.len() > 42, "{}", countries.len());
        assert!(
            countries
                .iter()
                .all(|code| *code == "*" || (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())))
        );
        assert_eq!(table.last().unwrap().country, "*");
    }

    #[test]
    fn each_entry_can_be_used_as_it_stands() {
        for entry in table() {
            let at = alloc::format!("{} {} {}", entry.country, entry.name, entry.channel);
            assert!(!entry.name.is_empty() && !entry.languages.is_empty(), "{at}");
            assert!(
                entry
                    .languages
                    .iter()
                    .all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase())),
                "{at}"
            );
            assert!(
                entry.url.starts_with("https://") || entry.url.starts_with("http://"),
                "{at}"
            );
            match entry.channel.as_str() {
                "call" | "text" => assert!(!entry.dial.is_empty(), "{at}"),
                "chat" | "web" => assert!(entry.dial.is_empty() && entry.url.starts_with("https://"), "{at}"),
                other => panic!("{at}: channel {other}"),
            }
            assert!(
                entry
                    .dial
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || b"*#+".contains(&byte)),
                "{at}: {}",
                entry.dial
            );
            assert_eq!(
                entry.channel == "text" && !WITHOUT_KEYWORD.contains(&entry.dial.as_str()),
                !entry.keyword.is_empty(),
                "{at}: a keyword, or a line that needs none"
            );
            assert_eq!(
                entry.hours == "24/7",
                entry.timezone.is_empty(),
                "{at}: hours without a zone, or the reverse"
            );
            assert!(entry.timezone.is_empty() || entry.timezone.contains('/'), "{at}");
            assert!(
                ["everyone", "youth", "lgbtq", "veterans", "indigenous"].contains(&entry.audience.as_str()),
                "{at}: {}",
                entry.audience
            );
            assert!(!entry.source.trim_start_matches("unopened:").trim().is_empty(), "{at}");
            assert!(is_day(&entry.verified_at) && is_day(&entry.expires_at), "{at}");
            assert!(entry.verified_at < entry.expires_at, "{at}");
        }
    }

    #[test]
    fn a_country_has_one_emergency_number_and_leads_with_a_line_to_call_for_everyone() {
        let mut first: BTreeMap<String, Resource> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for entry in table() {
            let at = alloc::format!("{} {}", entry.country, entry.name);
            assert!(
                seen.insert((
                    entry.country.clone(),
                    entry.channel.clone(),
                    entry.dial.clone(),
                    entry.url.clone()
                )),
                "{at} twice"
            );
            assert_eq!(entry.country == "*", entry.emergency.is_empty(), "{at}");
            let leader = first.entry(entry.country.clone()).or_insert_with(|| entry.clone());
            assert_eq!(leader.emergency, entry.emergency, "{at}");
            assert_eq!(leader.audience, "everyone", "{at}");
            assert!(leader.channel == "call" || leader.country == "*", "{at}");
        }
    }

    #[test]
    fn a_known_country_comes_first_and_an_unknown_one_is_not_left_alone() {
        let known = for_country(Some("us"));
        assert_eq!(known[0].dial, "988");
        assert_eq!(known.last().unwrap().country, "*");
        for unknown in [Some("ZZ"), None] {
            let rest = for_country(unknown);
            assert_eq!(rest.len(), 1);
            assert_eq!(rest[0].url, "https://findahelpline.com");
            assert_eq!(rest[0].emergency, "");
        }
    }
}
