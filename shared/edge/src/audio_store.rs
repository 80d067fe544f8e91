//! Recordings and spoken phrases in R2.
//!
//! Invariants: a recording is sealed under its person's key, in segments that a range can be read from, each bound to its
//! place; names begin with the person, so that one prefix is all that there is of them. Phrases are nobody's.

use crate::error::ApiError;
use crate::random;
use silent_core::ids::{PersonId, SessionId, TurnId};
use silent_core::sealed::DataKey;
use std::collections::HashMap;
use worker::{Bucket, Range};

/// Bytes of a segment before it is sealed.
const SEGMENT: usize = 64 * 1024;
/// What sealing adds to it: format, nonce and tag.
const SEAL: usize = 29;
/// Objects that are deleted at a time: R2's limit of one call.
const BATCH: u32 = 1_000;
const TOTAL: &str = "total";
const MEDIA: &str = "media";

/// Whose voice a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The person's.
    Said,
    /// The answer's.
    Answered,
}

impl Side {
    /// Its name in paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Answered => "answered",
        }
    }
}

/// All names of a person's recordings begin with this.
#[must_use]
pub fn person_prefix(person: &PersonId) -> String {
    format!("audio/{person}/")
}

/// All names of a session's recordings begin with this.
#[must_use]
pub fn session_prefix(person: &PersonId, session: &SessionId) -> String {
    format!("audio/{person}/{session}/")
}

/// The name of a recording.
#[must_use]
pub fn name(person: &PersonId, session: &SessionId, turn: &TurnId, side: Side) -> String {
    format!("{}{turn}/{}", session_prefix(person, session), side.as_str())
}

/// A part of a recording.
pub struct Part {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where they begin.
    pub start: usize,
    /// Length of the whole recording.
    pub total: usize,
    /// Media type of the whole recording.
    pub media_type: String,
}

fn place(name: &str, segment: usize, total: usize) -> String {
    format!("{name}|{segment}|{total}")
}

/// Seals a recording in segments.
fn seal(key: &DataKey, name: &str, plain: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::with_capacity(plain.len() + (plain.len() / SEGMENT + 1) * SEAL);
    for (number, segment) in plain.chunks(SEGMENT).enumerate() {
        let sealed = key
            .seal(segment, &place(name, number, plain.len()), random::bytes()?)
            .map_err(|error| ApiError::internal(error.to_string()))?;
        out.extend_from_slice(&sealed);
    }
    Ok(out)
}

/// Opens whole segments, the first of which has the number `first`.
fn open(key: &DataKey, name: &str, first: usize, total: usize, sealed: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::with_capacity(sealed.len());
    for (offset, segment) in sealed.chunks(SEGMENT + SEAL).enumerate() {
        let plain = key
            .open(segment, &place(name, first + offset, total))
            .map_err(|error| ApiError::internal(error.to_string()))?;
        out.extend_from_slice(&plain);
    }
    Ok(out)
}

/// Keeps a recording.
///
/// # Errors
/// [`ApiError::Internal`] where it cannot be sealed or R2 is away.
pub async fn put(bucket: &Bucket, key: &DataKey, name: &str, media_type: &str, plain: &[u8]) -> Result<(), ApiError> {
    if plain.is_empty() {
        return Ok(());
    }
    let metadata: HashMap<String, String> = [
        (TOTAL.to_string(), plain.len().to_string()),
        (MEDIA.to_string(), media_type.to_string()),
    ]
    .into();
    let sealed = seal(key, name, plain)?;
    bucket
        .put(name, sealed)
        .custom_metadata(metadata)
        .execute()
        .await
        .map(|_| ())
        .map_err(ApiError::from)
}

/// Reads a recording from `start` up to and with `end`; without an end, to its own.
///
/// None where there is none, or where `not_before_ms` says that it should be gone.
///
/// # Errors
/// [`ApiError::Problem`] for a range outside of it, [`ApiError::Internal`] where it does not open.
pub async fn get(
    bucket: &Bucket,
    key: &DataKey,
    name: &str,
    range: Option<Wanted>,
    not_before_ms: u64,
) -> Result<Option<Part>, ApiError> {
    let Some(head) = bucket.head(name).await? else {
        return Ok(None);
    };
    if head.uploaded().as_millis() < not_before_ms {
        return Ok(None);
    }
    let metadata = head.custom_metadata()?;
    let total: usize = metadata
        .get(TOTAL)
        .and_then(|total| total.parse().ok())
        .ok_or_else(|| ApiError::internal("recording without a length"))?;
    let media_type = metadata.get(MEDIA).cloned().unwrap_or_default();
    let (start, end) = range
        .unwrap_or(Wanted::From(0, None))
        .within(total)
        .ok_or(ApiError::Problem {
            status: 416,
            slug: "range-not-satisfiable",
            title: "There is no such part",
            detail: format!("the recording has {total} bytes"),
        })?;
    let (first, last) = (start / SEGMENT, end / SEGMENT);
    let offset = first * (SEGMENT + SEAL);
    let length = ((last - first + 1) * (SEGMENT + SEAL)).min(usize::try_from(head.size()).unwrap_or(0) - offset);
    let object = bucket
        .get(name)
        .range(Range::OffsetWithLength {
            offset: offset as u64,
            length: length as u64,
        })
        .execute()
        .await?;
    let Some(object) = object else {
        return Ok(None);
    };
    let body = object
        .body()
        .ok_or_else(|| ApiError::internal("recording without a body"))?;
    let plain = open(key, name, first, total, &body.bytes().await?)?;
    let from = start - first * SEGMENT;
    let bytes = plain.get(from..from + (end - start + 1)).unwrap_or_default().to_vec();
    Ok(Some(Part {
        bytes,
        start,
        total,
        media_type,
    }))
}

/// A part that a client asks for (RFC 9110, 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// From a byte on, to another one and with it.
    From(usize, Option<usize>),
    /// The last bytes.
    Last(usize),
}

impl Wanted {
    /// Reads a `Range` header. What is not one range of bytes is ignored, as the RFC allows.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (from, to) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
        match (from.trim(), to.trim()) {
            ("", last) => Some(Self::Last(last.parse().ok()?)),
            (from, "") => Some(Self::From(from.parse().ok()?, None)),
            (from, to) => {
                let (from, to) = (from.parse().ok()?, to.parse().ok()?);
                (from <= to).then_some(Self::From(from, Some(to)))
            }
        }
    }

    /// First and last byte, if there are any.
    fn within(self, total: usize) -> Option<(usize, usize)> {
        let last = total.checked_sub(1)?;
        match self {
            Self::From(from, to) => (from <= last).then(|| (from, to.unwrap_or(last).min(last))),
            Self::Last(0) => None,
            Self::Last(count) => Some((total.saturating_sub(count), last)),
        }
    }
}

/// The names below a prefix, with the time at which each was stored, milliseconds since 1970.
///
/// # Errors
/// The bucket's.
pub async fn list(bucket: &Bucket, prefix: &str) -> Result<Vec<(String, u64)>, ApiError> {
    let mut out = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut page = bucket.list().prefix(prefix).limit(BATCH);
        if let Some(cursor) = cursor.take() {
            page = page.cursor(cursor);
        }
        let page = page.execute().await?;
        let names = page.objects();
        out.extend(
            names
                .into_iter()
                .map(|object| (object.key(), object.uploaded().as_millis())),
        );
        match page.cursor() {
            Some(next) if page.truncated() => cursor = Some(next),
            _ => return Ok(out),
        }
    }
}

/// Deletes all below a prefix that was stored before `before_ms`; says how many.
///
/// # Errors
/// The bucket's; what was deleted until then stays deleted.
pub async fn delete(bucket: &Bucket, prefix: &str, before_ms: u64) -> Result<usize, ApiError> {
    let names = list(bucket, prefix).await?.into_iter();
    let names: Vec<String> = names
        .filter(|(_, stored_ms)| *stored_ms < before_ms)
        .map(|(name, _)| name)
        .collect();
    for batch in names.chunks(BATCH as usize) {
        bucket.delete_multiple(batch.to_vec()).await?;
    }
    Ok(names.len())
}

/// A phrase that was spoken before, by its key.
pub async fn phrase(bucket: &Bucket, key: &str) -> Option<Vec<u8>> {
    let object = bucket.get(key).execute().await.ok()??;
    object.body()?.bytes().await.ok()
}

/// Keeps a phrase. Where that fails it is spoken anew the next time.
pub async fn keep_phrase(bucket: &Bucket, key: &str, bytes: Vec<u8>) {
    let _ = bucket.put(key, bytes).execute().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (header, total, expected) in [
            ("bytes=0-0", 10, Some((0, 0))),
            ("bytes=2-", 10, Some((2, 9))),
            ("bytes=2-100", 10, Some((2, 9))),
            ("bytes=-3", 10, Some((7, 9))),
            ("bytes=-30", 10, Some((0, 9))),
            ("bytes=10-", 10, None),
            ("bytes=-0", 10, None),
        ] {
            assert_eq!(Wanted::parse(header).unwrap().within(total), expected, "{header}");
        }
        for ignored in ["items=0-1", "bytes=3-2", "bytes=0-1,3-4", "bytes=a-", "bytes"] {
            assert_eq!(Wanted::parse(ignored), None, "{ignored}");
        }
    }
}
