//! WebM: the length in the header, or the last block's time, since browsers record without a length (RFC 8794, RFC 9559).

use super::be;

const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1F43_B675;
const INFO: u64 = 0x1549_A966;
const BLOCK_GROUP: u64 = 0xA0;
const TIMESTAMP_SCALE: u64 = 0x2A_D7B1;
const DURATION: u64 = 0x4489;
const TIMESTAMP: u64 = 0xE7;
const SIMPLE_BLOCK: u64 = 0xA3;
const BLOCK: u64 = 0xA1;
/// Opus in WebM comes in packets of 20 ms unless it says otherwise.
const LAST_BLOCK_MS: u32 = 20;

pub(super) fn duration_ms(bytes: &[u8]) -> Option<u32> {
    let (mut at, mut scale_ns, mut cluster) = (0_usize, 1_000_000_u64, 0_i64);
    let (mut declared, mut last_block) = (None, None::<i64>);
    while let Some((id, id_len)) = number(bytes, at, true) {
        let Some((size, size_len)) = number(bytes, at + id_len, false) else {
            break;
        };
        let body = at + id_len + size_len;
        // Containers are entered rather than skipped; their own length is often unknown.
        if matches!(id, SEGMENT | CLUSTER | INFO | BLOCK_GROUP) {
            at = body;
            continue;
        }
        let size = usize::try_from(size).ok()?;
        match id {
            TIMESTAMP_SCALE => scale_ns = be(bytes, body, size.min(8))?,
            DURATION => {
                declared = match size {
                    4 => be(bytes, body, 4).map(|bits| f64::from(f32::from_bits(bits as u32))),
                    _ => be(bytes, body, 8).map(f64::from_bits),
                }
            }
            TIMESTAMP => cluster = i64::try_from(be(bytes, body, size.min(8))?).ok()?,
            SIMPLE_BLOCK | BLOCK => {
                let (_, track_len) = number(bytes, body, false)?;
                let offset = be(bytes, body + track_len, 2)? as u16;
                last_block = last_block.max(Some(cluster.saturating_add(i64::from(offset.cast_signed()))));
            }
            _ => {}
        }
        at = body.checked_add(size)?;
    }
    let to_ms = |units: f64| (units * scale_ns as f64 / 1e6) as u32;
    match (declared, last_block) {
        (Some(units), _) if units > 0.0 => Some(to_ms(units)),
        (_, Some(units)) => Some(to_ms(units as f64).saturating_add(LAST_BLOCK_MS)),
        _ => None,
    }
}

/// A number of variable length; identifiers keep the bit that tells the length.
fn number(bytes: &[u8], at: usize, keep_marker: bool) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    let len = usize::try_from(first.leading_zeros()).ok()? + 1;
    if len > 8 {
        return None;
    }
    let value = be(bytes, at, len)?;
    let marker = 1_u64 << (7 * len);
    Some((if keep_marker { value } else { value & (marker - 1) }, len))
}
