//! A day's turns from D1, page by page, in the order of their time.

use crate::registry_do::integer;
use serde::Deserialize;
use silent_core::pipeline::Day;
use silent_core::turn::TurnEvent;
use worker::{D1Database, Error, Result};

/// Turns of a page: about a megabyte of events.
const PAGE: u64 = 500;

/// The alphabet of ids, in the order of bytes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Parts that a day can be cut into: the last two characters of a person's id are random.
const PARTS: u64 = 1_024;

/// The persons whose ids end between two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) from: String,
    pub(super) to: String,
}

impl Slice {
    /// Slices of equal size, so many that each has about `most` of `turns`.
    pub(super) fn cut(turns: u64, most: u64) -> Vec<Self> {
        let count = turns.div_ceil(most.max(1)).clamp(1, PARTS);
        let ending = |part: u64| {
            let digit = |at: u64| {
                let found = usize::try_from(at % 32).ok().and_then(|at| ALPHABET.get(at));
                found.map_or('0', |byte| char::from(*byte))
            };
            String::from_iter([digit(part / 32), digit(part)])
        };
        (0..count)
            .map(|n| Self {
                from: ending(PARTS * n / count),
                to: ending(PARTS * (n + 1) / count - 1),
            })
            .collect()
    }

    pub(super) fn holds(&self, person_id: &str) -> bool {
        let ending = person_id.get(person_id.len().saturating_sub(2)..).unwrap_or_default();
        (self.from.as_str()..=self.to.as_str()).contains(&ending)
    }
}

/// A turn and its latest rating: value and time.
pub(super) struct Turn {
    pub(super) event: TurnEvent,
    pub(super) rating: Option<(u16, u64)>,
}

#[derive(Deserialize)]
struct Row {
    row: u64,
    accepted_at_ms: u64,
    event: String,
    satisfaction_milli: Option<u16>,
    at_ms: Option<u64>,
}

/// Turns of a day: what the index alone tells.
pub(super) async fn count(db: &D1Database, day: Day) -> Result<u64> {
    #[derive(Deserialize)]
    struct Count {
        n: u64,
    }
    let row: Option<Count> = db
        .prepare("SELECT count(*) AS n FROM turn_events WHERE accepted_at_ms >= ?1 AND accepted_at_ms < ?2")
        .bind(&[integer(day.start_ms()), integer(day.end_ms())])?
        .first(None)
        .await?;
    Ok(row.map_or(0, |row| row.n))
}

/// Reads on behind the last turn that it gave.
pub(super) struct Pages<'a> {
    db: &'a D1Database,
    day: Day,
    slice: Option<&'a Slice>,
    /// Time and row of the last turn.
    last: (u64, u64),
    is_over: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(db: &'a D1Database, day: Day, slice: Option<&'a Slice>) -> Self {
        Self {
            db,
            day,
            slice,
            last: (day.start_ms(), 0),
            is_over: false,
        }
    }

    /// The next page; none after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Turn>>> {
        if self.is_over {
            return Ok(None);
        }
        let within = if self.slice.is_some() {
            "AND substr(t.person_id, -2) BETWEEN ?5 AND ?6"
        } else {
            ""
        };
        let mut bindings = vec![
            integer(self.last.0),
            integer(self.last.1),
            integer(self.day.end_ms()),
            integer(PAGE),
        ];
        if let Some(slice) = self.slice {
            bindings.extend([slice.from.as_str().into(), slice.to.as_str().into()]);
        }
        let found = self
            .db
            .prepare(format!(
                "SELECT t.rowid AS row, t.accepted_at_ms, t.event, f.satisfaction_milli, f.at_ms
                 FROM turn_events t INDEXED BY turn_events_by_time LEFT JOIN feedback f ON f.event_id = t.event_id
                 WHERE t.accepted_at_ms >= ?1 AND (t.accepted_at_ms > ?1 OR t.rowid > ?2) AND t.accepted_at_ms < ?3 {within}
                 ORDER BY t.accepted_at_ms, t.rowid LIMIT ?4"
            ))
            .bind(&bindings)?
            .all()
            .await?;
        let rows = found.results::<Row>()?;
        self.is_over = (rows.len() as u64) < PAGE;
        if let Some(last) = rows.last() {
            self.last = (last.accepted_at_ms, last.row);
        }
        let turns: Result<Vec<Turn>> = rows
            .into_iter()
            .map(|row| {
                Ok(Turn {
                    event: serde_json::from_str(&row.event)
                        .map_err(|error| Error::RustError(format!("an event of D1: {error}")))?,
                    rating: row.satisfaction_milli.zip(row.at_ms),
                })
            })
            .collect();
        turns.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_hold_every_person_once() {
        for count in [1, 2, 3, 7, 32, 1_024] {
            let slices = Slice::cut(count * 10, 10);
            assert_eq!(slices.len() as u64, count);
            for a in ALPHABET {
                for b in ALPHABET {
                    let person = format!("per_00000000000000000000000{}{}", char::from(*a), char::from(*b));
                    assert_eq!(
                        slices.iter().filter(|slice| slice.holds(&person)).count(),
                        1,
                        "{person} of {count}"
                    );
                }
            }
        }
        assert_eq!(Slice::cut(0, 10).len(), 1);
        assert_eq!(Slice::cut(u64::MAX, 10).len(), 1_024);
    }
}
