//! A day of the calendar, UTC: the unit that is rolled up, rebuilt and erased.

use crate::time::rfc3339;
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const DAY_MS: u64 = 86_400_000;
/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// The first day with a year of five digits.
const END: u32 = 2_932_897;

/// Days since 1970, shown as ISO 8601 (`2026-11-21`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(u32);

/// The text is not a day from 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a day is YYYY-MM-DD, from 1970-01-01 on")]
pub struct InvalidDay;

impl Day {
    /// The day of an instant, in milliseconds since 1970.
    #[must_use]
    pub fn of(at_ms: u64) -> Self {
        Self(u32::try_from(at_ms / DAY_MS).unwrap_or(END).min(END - 1))
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`InvalidDay`] on anything else, and on a date that the calendar does not have.
    pub fn parse(text: &str) -> Result<Self, InvalidDay> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<u32>().ok());
        let mut next = || parts.next().flatten().ok_or(InvalidDay);
        let (year, month, day) = (next()?, next()?, next()?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(InvalidDay);
        }
        let found = Self(days_from_civil(year, month, day));
        // The 30th of February would be another day, and `+5` another text.
        if found.iso() == text {
            Ok(found)
        } else {
            Err(InvalidDay)
        }
    }

    /// Its first instant, milliseconds since 1970.
    #[must_use]
    pub fn start_ms(self) -> u64 {
        u64::from(self.0) * DAY_MS
    }

    /// The instant after its last one.
    #[must_use]
    pub fn end_ms(self) -> u64 {
        self.start_ms() + DAY_MS
    }

    /// The day `count` days later.
    #[must_use]
    pub fn plus(self, count: u32) -> Self {
        Self(self.0.saturating_add(count).min(END - 1))
    }

    /// The day `count` days earlier, at least 1970-01-01.
    #[must_use]
    pub fn minus(self, count: u32) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// Days from `self` to `later`; 0 where that is earlier.
    #[must_use]
    pub fn until(self, later: Self) -> u32 {
        later.0.saturating_sub(self.0)
    }

    /// As text.
    #[must_use]
    pub fn iso(self) -> String {
        let mut text = rfc3339(self.start_ms());
        text.truncate("YYYY-MM-DD".len());
        text
    }
}

/// Howard Hinnant's `days_from_civil` ("chrono-Compatible Low-Level Date Algorithms"), for years from 1970 on.
fn days_from_civil(year: u32, month: u32, day: u32) -> u32 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

impl TryFrom<String> for Day {
    type Error = InvalidDay;
    fn try_from(text: String) -> Result<Self, InvalidDay> {
        Self::parse(&text)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.iso()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        for (text, start_ms) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400_000),
            ("2026-11-21", 1_795_219_200_000),
        ] {
            assert_eq!(Day::parse(text).unwrap().start_ms(), start_ms, "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-02-30",
            "2025-02-29",
            "2026-11-21T00:00:00Z",
            "2026-1-2",
            "+026-01-02",
            "1969-12-31",
            "10000-01-01",
            "2026-13-01",
            "2026-00-10",
        ] {
            assert_eq!(Day::parse(text), Err(InvalidDay), "{text}");
        }
        assert_eq!(Day::of(u64::MAX).iso(), "9999-12-31");
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(number in 0..END, within in 0..DAY_MS) {
            let day = Day(number);
            prop_assert_eq!(Day::parse(&day.iso()), Ok(day));
            prop_assert_eq!(Day::of(day.start_ms() + within), day);
            prop_assert!(day.iso() < day.plus(1).iso() || number == END - 1);
        }
    }
}
