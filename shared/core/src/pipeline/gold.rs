//! The gold layer: a day's events become one roll-up for each variant, and one for each product.
//!
//! Rules:
//! - A day is UTC, by the time a turn was accepted. A session that goes on past midnight is a session of both days, so that
//!   an event touches its own day only.
//! - A turn counts for its variant of each category, except where a tester asked for it (`override`) or it replaced what was
//!   withdrawn (`withdrawn`), and except in a crisis, where production answers.
//! - A session with a crisis override on the day leaves: it counts in `sessions`, `crisis_sessions` and the persons.
//! - A product's row counts every turn; nothing leaves it.
//! - A person returned who has a turn on one of the seven days after.

use super::bronze::{Rating, Record};
use super::facts::{Facts, Names, Place};
use super::part::Part;
use super::{Day, Rollup};
use crate::turn::TurnEvent;
use crate::variants::Category;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The category of a product's row.
pub const PRODUCT: &str = "PRODUCT";
/// Days after a day within which a person has returned.
pub const RETURN_DAYS: u32 = 7;
/// Crockford's base 32, as ids have it.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Category and variant; of a product, [`PRODUCT`] and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The category.
    pub category: String,
    /// The variant's id.
    pub variant: String,
}

/// A day's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gold {
    /// By category and variant.
    pub rows: BTreeMap<RowKey, Rollup>,
}

impl Gold {
    /// Adds another part of the same day; parts share no person.
    pub fn merge(&mut self, other: Self) {
        for (key, rollup) in other.rows {
            self.rows.entry(key).or_default().merge(&rollup);
        }
    }
}

#[derive(Debug, Default)]
struct Session {
    person: String,
    turns: BTreeMap<u64, Facts>,
}

/// Collects the events of a day, or of all persons of a slice of it, in any order and however often each comes.
#[derive(Debug)]
pub struct DayBuilder {
    day: Day,
    names: Names,
    sessions: BTreeMap<String, Session>,
    /// Time and value of the latest rating, by event.
    ratings: BTreeMap<String, (u64, u16)>,
}

impl DayBuilder {
    /// An empty day.
    #[must_use]
    pub fn new(day: Day) -> Self {
        Self {
            day,
            names: Names::default(),
            sessions: BTreeMap::new(),
            ratings: BTreeMap::new(),
        }
    }

    /// Adds a record; one of another day is passed over.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Turn { event } => self.turn(event),
            Record::Feedback(rating) => self.rating(rating),
        }
    }

    /// Adds a turn.
    pub fn turn(&mut self, event: &TurnEvent) {
        if Day::of(event.accepted_at_ms) != self.day {
            return;
        }
        let facts = Facts::of(event, &mut self.names);
        let session = self.sessions.entry(event.session_id.as_str().into()).or_default();
        if session.person.is_empty() {
            session.person = event.person_id.as_str().into();
        }
        session.turns.entry(event.seq).or_insert(facts);
    }

    /// Adds a rating; the latest of an event counts, of two at one instant the higher one.
    pub fn rating(&mut self, rating: &Rating) {
        self.rated(&rating.event_id, rating.at_ms, rating.satisfaction_milli);
    }

    /// [`Self::rating`], from a store's columns.
    pub fn rated(&mut self, event_id: &str, at_ms: u64, satisfaction_milli: u16) {
        let latest = (at_ms, satisfaction_milli);
        match self.ratings.get_mut(event_id) {
            Some(known) => *known = latest.max(*known),
            None => {
                self.ratings.insert(event_id.into(), latest);
            }
        }
    }

    /// Turns so far.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.sessions.values().map(|session| session.turns.len()).sum()
    }

    /// The persons, each once.
    #[must_use]
    pub fn persons(&self) -> Vec<&str> {
        let persons: BTreeSet<&str> = self.sessions.values().map(|session| session.person.as_str()).collect();
        persons.into_iter().collect()
    }

    /// The rows; `has_returned` says of a person whether they have a turn on one of the [`RETURN_DAYS`] after.
    #[must_use]
    pub fn finish(&self, has_returned: impl Fn(&str) -> bool) -> Gold {
        let mut rollups: BTreeMap<Place, Rollup> = BTreeMap::new();
        let mut persons: BTreeMap<Place, BTreeSet<&str>> = BTreeMap::new();
        for (session_id, session) in &self.sessions {
            let in_crisis = session.turns.values().any(|facts| facts.crisis_override);
            for (place, part) in self.parts(session_id, session) {
                persons.entry(place).or_default().insert(&session.person);
                let rollup = rollups.entry(place).or_default();
                rollup.sessions += 1;
                rollup.crisis_sessions += u64::from(in_crisis);
                if in_crisis && place.category.is_some() {
                    continue;
                }
                part.add_to(rollup);
                for facts in session.turns.values().filter(|facts| facts.counts_for(place)) {
                    rollup.tokens_in = rollup.tokens_in.saturating_add(facts.tokens_in);
                    rollup.tokens_out = rollup.tokens_out.saturating_add(facts.tokens_out);
                    rollup.latency_ms.extend(facts.latency_ms);
                    rollup.ttft_ms.extend(facts.ttft_ms);
                }
            }
        }
        for (place, persons) in persons {
            let rollup = rollups.entry(place).or_default();
            rollup.persons = persons.len() as u64;
            rollup.new_persons = persons.iter().filter(|person| is_made_on(person, self.day)).count() as u64;
            rollup.returned = persons.iter().filter(|person| has_returned(person)).count() as u64;
        }
        let named = rollups.into_iter().map(|(place, rollup)| (self.key(place), rollup));
        Gold { rows: named.collect() }
    }

    fn key(&self, place: Place) -> RowKey {
        RowKey {
            category: place.category.map_or(PRODUCT, Category::as_str).into(),
            variant: self.names.name(place.name).into(),
        }
    }

    fn parts(&self, session_id: &str, session: &Session) -> BTreeMap<Place, Part> {
        let mut parts: BTreeMap<Place, Part> = BTreeMap::new();
        for (seq, facts) in &session.turns {
            let rated = self.ratings.get(&format!("{session_id}:{seq}"));
            for place in facts.places() {
                let part = parts.entry(place).or_default();
                part.turn(facts.is_error, facts.cost_micros);
                if let Some((_, milli)) = rated {
                    part.rating(*milli);
                }
            }
        }
        parts
    }
}

/// Whether a person's id, which begins with its time (ULID), was made on the day.
fn is_made_on(person: &str, day: Day) -> bool {
    let digits = person.strip_prefix("per_").and_then(|ulid| ulid.get(..10));
    let at_ms = digits.and_then(|digits| {
        digits.bytes().try_fold(0_u64, |at_ms, digit| {
            let value = ALPHABET.iter().position(|letter| *letter == digit)?;
            Some(at_ms << 5 | value as u64)
        })
    });
    at_ms.is_some_and(|at_ms| Day::of(at_ms) == day)
}
