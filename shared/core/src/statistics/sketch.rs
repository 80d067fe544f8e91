//! Quantiles of many values in a few hundred bytes.
//!
//! Invariant: a value's bucket follows from its bits alone and counts add, so that any order of values, any grouping and any
//! machine give the same sketch, byte for byte.
//!
//! A log-linear histogram, as HdrHistogram has it: 64 buckets to an octave. Below 128 every whole number has its own; above,
//! a bucket's middle is within 1/128 (0.8 %) of each value in it.

use super::error::probability;
use super::{Interval, StatisticsError};
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Buckets to an octave, as a power of two.
const PRECISION: u32 = 6;
const PER_OCTAVE: u64 = 1 << PRECISION;
/// The bucket of `u64::MAX`.
const LAST: u16 = 3_775;
/// First byte of the encoded form.
const VERSION: u8 = 1;

/// Counts of values by size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    buckets: BTreeMap<u16, u64>,
}

/// Not what [`Sketch::encode`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the sketch cannot be read")]
pub struct CorruptSketch;

impl Sketch {
    /// Adds a value, in the metric's whole unit (milliseconds for latency).
    pub fn record(&mut self, value: u64) {
        self.add(bucket(value), 1);
    }

    /// Takes a value back that was recorded.
    pub fn forget(&mut self, value: u64) {
        let bucket = bucket(value);
        match self.buckets.get_mut(&bucket) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.buckets.remove(&bucket);
            }
        }
    }

    /// Adds all that `other` saw.
    pub fn merge(&mut self, other: &Self) {
        for (&bucket, &count) in &other.buckets {
            self.add(bucket, count);
        }
    }

    /// Values seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The q-quantile (the value at rank ⌈q·n⌉) within 0.8 %; none of nothing.
    ///
    /// # Errors
    /// Where `q` is not between 0 and 1.
    pub fn quantile(&self, q: f64) -> Result<Option<f64>, StatisticsError> {
        let rank = rank(probability("the quantile", q)?, self.count());
        Ok(self.around(rank).map(|range| 0.5 * (range.lower + range.upper)))
    }

    /// Least and largest value that the one at `rank`, from 1, can have had.
    pub(super) fn around(&self, rank: u64) -> Option<Interval> {
        let mut seen = 0_u64;
        for (&bucket, &count) in &self.buckets {
            seen = seen.saturating_add(count);
            if seen >= rank {
                let (lower, upper) = bounds(bucket);
                return Some(Interval {
                    lower: lower as f64,
                    upper: upper as f64,
                });
            }
        }
        None
    }

    /// As short text: base64 (no padding) of a version byte, then for each bucket its distance from the last one and its
    /// count, both LEB128. Equal sketches have equal texts.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(1 + 3 * self.buckets.len());
        bytes.push(VERSION);
        let mut previous = 0;
        for (&bucket, &count) in &self.buckets {
            push(&mut bytes, u64::from(bucket - previous));
            push(&mut bytes, count);
            previous = bucket;
        }
        STANDARD_NO_PAD.encode(bytes)
    }

    /// What [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`CorruptSketch`] on anything else.
    pub fn decode(text: &str) -> Result<Self, CorruptSketch> {
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| CorruptSketch)?;
        let (&VERSION, mut rest) = bytes.split_first().ok_or(CorruptSketch)? else {
            return Err(CorruptSketch);
        };
        let mut sketch = Self::default();
        let mut bucket = 0;
        while !rest.is_empty() {
            let distance = pull(&mut rest)?;
            let count = pull(&mut rest)?;
            bucket = u16::try_from(distance)
                .ok()
                .and_then(|distance| distance.checked_add(bucket))
                .filter(|bucket| *bucket <= LAST && (distance > 0 || sketch.buckets.is_empty()))
                .ok_or(CorruptSketch)?;
            if count == 0 {
                return Err(CorruptSketch);
            }
            sketch.buckets.insert(bucket, count);
        }
        Ok(sketch)
    }

    fn add(&mut self, bucket: u16, count: u64) {
        let slot = self.buckets.entry(bucket).or_default();
        *slot = slot.saturating_add(count);
    }
}

impl Extend<u64> for Sketch {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.record(value));
    }
}

impl Serialize for Sketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encode())
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::decode(&text).map_err(serde::de::Error::custom)
    }
}

/// ⌈q·n⌉, at least 1. What rounding adds to a whole product does not count.
pub(super) fn rank(q: f64, n: u64) -> u64 {
    (libm::ceil(q * n as f64 - 1e-9) as u64).clamp(1, n.max(1))
}

fn bucket(value: u64) -> u16 {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(PRECISION + 1);
    u16::try_from(u64::from(shift) * PER_OCTAVE + (value >> shift)).unwrap_or(LAST)
}

/// Least and largest whole number of a bucket.
fn bounds(bucket: u16) -> (u64, u64) {
    let bucket = u64::from(bucket.min(LAST));
    let shift = (bucket / PER_OCTAVE).saturating_sub(1);
    let lower = (bucket - shift * PER_OCTAVE) << shift;
    (lower, lower + ((1 << shift) - 1))
}

fn push(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn pull(bytes: &mut &[u8]) -> Result<u64, CorruptSketch> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(CorruptSketch)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit, and only the first may be 0.
        if part << shift >> shift != part || (byte == 0 && shift > 0) {
            return Err(CorruptSketch);
        }
        value |= part << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(CorruptSketch)
}
