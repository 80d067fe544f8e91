//! MPEG audio, layer III: frames are counted (ISO 11172-3, 2.4.1.3; ISO 13818-3).

use super::be;

const BITRATES_1: [u32; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
const BITRATES_2: [u32; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];

struct Frame {
    bytes: usize,
    samples: u64,
    rate: u64,
}

pub(super) fn duration_ms(bytes: &[u8]) -> Option<u32> {
    let mut at = 0_usize;
    if bytes.starts_with(b"ID3") {
        // Sizes of ID3 have seven bits a byte.
        let size = bytes
            .get(6..10)?
            .iter()
            .fold(0_usize, |size, byte| (size << 7) | usize::from(byte & 0x7F));
        at = 10 + size;
    }
    let (mut samples, mut rate, mut is_first) = (0_u64, None, true);
    while let Some(frame) = frame(bytes, at) {
        // The first frame may hold a table of contents in place of sound.
        let end = (at + frame.bytes).min(bytes.len());
        let head = bytes.get(at..end.min(at + 64)).unwrap_or_default();
        let is_table = is_first && head.windows(4).any(|four| four == b"Xing" || four == b"Info");
        if !is_table {
            samples += frame.samples;
        }
        is_first = false;
        rate = Some(frame.rate);
        at += frame.bytes;
    }
    super::ratio_ms(samples, rate?)
}

fn frame(bytes: &[u8], at: usize) -> Option<Frame> {
    let header = u32::try_from(be(bytes, at, 4)?).ok()?;
    let is_layer_3 = header & 0xFFE6_0000 == 0xFFE2_0000;
    let version = (header >> 19) & 3;
    if !is_layer_3 || version == 1 {
        return None;
    }
    let is_1 = version == 3;
    let table = if is_1 { &BITRATES_1 } else { &BITRATES_2 };
    let bitrate = *table.get(usize::try_from((header >> 12) & 15).ok()?)? * 1_000;
    let base: u32 = *[44_100, 48_000, 32_000].get(usize::try_from((header >> 10) & 3).ok()?)?;
    let rate = match version {
        3 => base,
        2 => base / 2,
        _ => base / 4,
    };
    if bitrate == 0 {
        return None;
    }
    let samples = if is_1 { 1_152 } else { 576 };
    let padding = (header >> 9) & 1;
    Some(Frame {
        bytes: usize::try_from(samples / 8 * bitrate / rate + padding).ok()?,
        samples: u64::from(samples),
        rate: u64::from(rate),
    })
}
