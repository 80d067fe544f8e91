//! How long a recording is, from its container alone: nothing is decoded.
//!
//! Invariant: time linear in the bytes, none for a file whose length cannot be told.

mod ebml;
mod mp3;
mod mp4;

use super::{Container, parse_wav};

/// Milliseconds of a recording, or none where its container does not tell.
#[must_use]
pub fn duration_ms(bytes: &[u8], container: Container, sample_rate_hz: u32) -> Option<u32> {
    match container {
        Container::Wav => parse_wav(bytes).ok().map(|wav| wav.duration_ms()),
        Container::Pcm16 if sample_rate_hz > 0 => Some(super::pcm::millis(bytes.len() / 2, sample_rate_hz)),
        Container::Pcm16 => None,
        Container::Ogg => ogg(bytes),
        Container::Flac => flac(bytes),
        Container::Mp3 => mp3::duration_ms(bytes),
        Container::Mp4 => mp4::duration_ms(bytes),
        Container::WebM => ebml::duration_ms(bytes),
    }
}

fn ratio_ms(units: u64, units_per_second: u64) -> Option<u32> {
    if units_per_second == 0 {
        return None;
    }
    u32::try_from(units.checked_mul(1_000)? / units_per_second).ok()
}

fn be(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(len)?)?;
    Some(part.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte)))
}

/// The last page's position (RFC 3533); Opus counts it at 48 kHz with the pre-skip (RFC 7845).
fn ogg(bytes: &[u8]) -> Option<u32> {
    let (mut at, mut last, mut rate, mut skip) = (0_usize, None, None, 0_u64);
    while bytes.get(at..at + 4) == Some(b"OggS") {
        let position = be(bytes, at + 6, 8)?.swap_bytes();
        let segments = usize::from(*bytes.get(at + 26)?);
        let lacing = bytes.get(at + 27..at + 27 + segments)?;
        let body = at + 27 + segments;
        if rate.is_none() {
            if bytes.get(body..body + 8) == Some(b"OpusHead") {
                rate = Some(48_000);
                skip = u64::from(u16::from_le_bytes([*bytes.get(body + 10)?, *bytes.get(body + 11)?]));
            } else if bytes.get(body..body + 7) == Some(b"\x01vorbis") {
                rate = Some(be(bytes, body + 12, 4)?.swap_bytes() >> 32);
            }
        }
        // A page on which no packet ends has the position -1.
        if position != u64::MAX {
            last = Some(position);
        }
        at = body + lacing.iter().map(|len| usize::from(*len)).sum::<usize>();
    }
    ratio_ms(last?.saturating_sub(skip), rate?)
}

/// Samples and rate of STREAMINFO (RFC 9639, 8.2).
fn flac(bytes: &[u8]) -> Option<u32> {
    let packed = be(bytes, 18, 8)?;
    let samples = packed & 0xF_FFFF_FFFF;
    if samples == 0 {
        return None;
    }
    ratio_ms(samples, packed >> 44)
}
