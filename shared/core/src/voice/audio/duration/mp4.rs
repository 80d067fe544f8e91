//! MP4: the movie header's length, or the sum of the fragments that Safari records (ISO 14496-12).

use super::be;

/// Boxes in boxes: moov/trak/mdia and moof/traf are three deep.
const MAX_DEPTH: u8 = 4;

#[derive(Default)]
struct Found {
    movie: Option<u32>,
    timescale: u64,
    default_duration: u64,
    fragments: u64,
}

pub(super) fn duration_ms(bytes: &[u8]) -> Option<u32> {
    let mut found = Found::default();
    walk(bytes, &mut found, MAX_DEPTH);
    match found.movie {
        Some(ms) if ms > 0 => Some(ms),
        _ if found.fragments > 0 => super::ratio_ms(found.fragments, found.timescale),
        _ => None,
    }
}

fn walk(mut bytes: &[u8], found: &mut Found, depth: u8) {
    while let (Some(size), Some(name)) = (be(bytes, 0, 4), bytes.get(4..8)) {
        let (header, size) = match size {
            0 => (8, bytes.len()),
            1 => (
                16,
                be(bytes, 8, 8).and_then(|size| usize::try_from(size).ok()).unwrap_or(0),
            ),
            size => (8, usize::try_from(size).unwrap_or(0)),
        };
        if size < header {
            return;
        }
        let body = bytes.get(header..size.min(bytes.len())).unwrap_or_default();
        match name {
            b"moov" | b"trak" | b"mdia" | b"moof" | b"traf" | b"mvex" if depth > 0 => walk(body, found, depth - 1),
            b"mvhd" => found.movie = times(body).and_then(|(scale, length)| super::ratio_ms(length, scale)),
            b"mdhd" => found.timescale = times(body).map_or(0, |(scale, _)| scale),
            b"trex" => found.default_duration = be(body, 12, 4).unwrap_or(0),
            b"tfhd" => {
                if let Some(duration) = fragment_default(body) {
                    found.default_duration = duration;
                }
            }
            b"trun" => found.fragments += run(body, found.default_duration).unwrap_or(0),
            _ => {}
        }
        bytes = bytes.get(size..).unwrap_or_default();
    }
}

/// Timescale and length of `mvhd` and `mdhd`: version 1 has times of 64 bits.
fn times(body: &[u8]) -> Option<(u64, u64)> {
    if body.first() == Some(&1) {
        Some((be(body, 20, 4)?, be(body, 24, 8)?))
    } else {
        Some((be(body, 12, 4)?, be(body, 16, 4)?))
    }
}

fn fragment_default(body: &[u8]) -> Option<u64> {
    let flags = be(body, 1, 3)?;
    let mut at = 8;
    at += if flags & 1 != 0 { 8 } else { 0 };
    at += if flags & 2 != 0 { 4 } else { 0 };
    if flags & 8 == 0 { None } else { be(body, at, 4) }
}

fn run(body: &[u8], default_duration: u64) -> Option<u64> {
    let flags = be(body, 1, 3)?;
    let count = be(body, 4, 4)?;
    if flags & 0x100 == 0 {
        return count.checked_mul(default_duration);
    }
    let start = 8 + if flags & 1 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let width = [0x100, 0x200, 0x400, 0x800]
        .iter()
        .filter(|flag| flags & **flag != 0)
        .count()
        * 4;
    let entries = body.get(start..)?.chunks_exact(width);
    Some(
        entries
            .take(usize::try_from(count).ok()?)
            .filter_map(|entry| be(entry, 0, 4))
            .sum(),
    )
}
