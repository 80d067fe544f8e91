//! Bucketing with integers only, as flagd's fractional evaluation (v2) does it.

/// Version of the bucketing, stored with every assignment.
pub const HASH_VERSION: u16 = 1;

/// Buckets of a layer: basis points.
pub const TOTAL_WEIGHT: u32 = 10_000;

/// MurmurHash3, x86, 32 bit (Austin Appleby's reference implementation).
#[must_use]
pub fn murmur3_x86_32(data: &[u8], seed: u32) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let scramble = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let mut hash = seed;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0_u32, |acc, byte| (acc << 8) | u32::from(*byte));
        hash = (hash ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = chunks.remainder();
    if !tail.is_empty() {
        hash ^= scramble(tail.iter().rev().fold(0_u32, |acc, byte| (acc << 8) | u32::from(*byte)));
    }
    // The reference folds the length modulo 2^32.
    hash ^= u32::try_from(data.len() & 0xffff_ffff).unwrap_or(u32::MAX);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The bucket of `salt:id`, 0 to `weight` - 1: `(murmur3(salt:id) * weight) >> 32`.
#[must_use]
pub fn bucket(salted_id: &str, weight: u32) -> u32 {
    let wide = u64::from(murmur3_x86_32(salted_id.as_bytes(), 0)) * u64::from(weight);
    u32::try_from(wide >> 32).unwrap_or(0)
}
