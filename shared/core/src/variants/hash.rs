//! Bucketing with integers only, as flagd's fractional evaluation (v2) does it.

/// Version of the bucketing, stored with every assignment: salts, hash and layout of the shares together.
pub const HASH_VERSION: u16 = 1;

/// Buckets of a layer: basis points.
pub const TOTAL_WEIGHT: u32 = 10_000;

/// MurmurHash3, x86, 32 bit (Austin Appleby's reference implementation).
#[must_use]
pub fn murmur3_x86_32(data: &[u8], seed: u32) -> u32 {
    murmur3(data.iter().copied(), seed)
}

/// The bucket of a salted id, 0 to `weight` - 1: `(murmur3(salted_id) * weight) >> 32`.
#[must_use]
pub fn bucket(salted_id: &str, weight: u32) -> u32 {
    scale(murmur3(salted_id.bytes(), 0), weight)
}

/// [`bucket`] of `salt:id`, without building that text.
pub(super) fn salted_bucket(salt: &str, id: &str, weight: u32) -> u32 {
    let bytes = salt.bytes().chain([b':']).chain(id.bytes());
    scale(murmur3(bytes, 0), weight)
}

fn scale(hash: u32, weight: u32) -> u32 {
    let wide = u64::from(hash) * u64::from(weight);
    u32::try_from(wide >> 32).unwrap_or(0)
}

fn murmur3(bytes: impl Iterator<Item = u8>, seed: u32) -> u32 {
    let (mut hash, mut word, mut length) = (seed, 0_u32, 0_u32);
    for byte in bytes {
        word |= u32::from(byte) << (8 * (length % 4));
        // The reference folds the length modulo 2^32.
        length = length.wrapping_add(1);
        if length.is_multiple_of(4) {
            hash = (hash ^ scramble(word))
                .rotate_left(13)
                .wrapping_mul(5)
                .wrapping_add(0xe654_6b64);
            word = 0;
        }
    }
    // Without a tail the word is 0, and so is its scramble.
    hash ^= scramble(word);
    hash ^= length;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn scramble(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}
