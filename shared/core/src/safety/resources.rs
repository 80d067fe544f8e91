//! Help by country: our own table, verified and dated. Numbers never come from a model.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

const TABLE: &str = include_str!("../../safety/resources.json");

/// One way to reach help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// ISO 3166-1 alpha-2, `*` for everywhere.
    pub country: alloc::string::String,
    /// The organisation.
    pub name: alloc::string::String,
    /// Emergency number of the country.
    pub emergency: alloc::string::String,
    /// What to dial, literally; empty for the web.
    pub dial: alloc::string::String,
    /// `call`, `text` or `web`.
    pub channel: alloc::string::String,
    /// Languages, ISO 639-1.
    pub languages: Vec<alloc::string::String>,
    /// When it answers.
    pub hours: alloc::string::String,
    /// Its page.
    pub url: alloc::string::String,
    /// Where the entry was verified.
    pub source: alloc::string::String,
    /// ISO 8601 day.
    pub verified_at: alloc::string::String,
    /// ISO 8601 day; the build fails after it.
    pub expires_at: alloc::string::String,
}

/// The whole table.
#[must_use]
pub fn all() -> Vec<Resource> {
    serde_json::from_str(TABLE).unwrap_or_default()
}

/// Help in a country, then everywhere; an unknown country gets the latter alone.
#[must_use]
pub fn for_country(country: Option<&str>) -> Vec<Resource> {
    let table = all();
    let wanted = country.unwrap_or("");
    let (local, rest): (Vec<_>, Vec<_>) = table
        .into_iter()
        .partition(|entry| entry.country.eq_ignore_ascii_case(wanted));
    local
        .into_iter()
        .chain(rest.into_iter().filter(|entry| entry.country == "*"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;

    #[test]
    fn the_table_is_whole_and_none_has_expired() {
        let table: Vec<Resource> = serde_json::from_str(TABLE).unwrap();
        assert!(table.iter().any(|entry| entry.country == "*"));
        #[allow(
            clippy::disallowed_methods,
            reason = "the date of the build is what this test is about"
        )]
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let today = crate::time::rfc3339(u64::try_from(now.as_millis()).unwrap());
        for entry in &table {
            assert!(
                entry.expires_at.as_str() > today.get(..10).unwrap(),
                "{} has expired: verify it again",
                entry.name
            );
            assert!(
                entry.channel == "web" || (!entry.dial.is_empty() && !entry.emergency.is_empty()),
                "{}",
                entry.name
            );
        }
    }

    #[test]
    fn a_known_country_comes_first_and_an_unknown_one_is_not_left_alone() {
        assert_eq!(for_country(Some("us"))[0].dial, "988");
        assert_eq!(for_country(Some("ZZ")).len(), 1);
        assert_eq!(for_country(None)[0].url, "https://findahelpline.com");
    }
}
