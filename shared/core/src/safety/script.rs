//! Which characters are words of their own. Shared with the rule compiler, which includes this file.

/// Whether the script is written without spaces, or with spaces that do not part words reliably: Thai, Lao, Khmer,
/// kana, Han, Hangul.
#[must_use]
pub fn is_char_script(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{2fa1f}')
}

/// Whether the character is a pictograph, which the gate reads as a word.
#[must_use]
pub fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{203c}' | '\u{2049}' | '\u{231a}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1f0ff}'
        | '\u{1f300}'..='\u{1faff}')
}

/// Whether the script puts particles before a word without a space.
#[must_use]
pub fn has_proclitics(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{5ff}' | '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}')
}

/// FNV-1a over bytes, continued from `hash`; the word table is keyed by it, mixed. (Fowler, Noll, Vo: draft-eastlake-fnv.)
#[must_use]
pub fn fnv(hash: u32, bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Spreads an FNV hash over all its bits. (Finaliser of Chris Wellons' lowbias32, shortened.)
#[must_use]
pub fn mix(hash: u32) -> u32 {
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x21f0_aaad);
    hash ^ (hash >> 15)
}

/// Eight more bits of a word, of another kind than its hash.
#[must_use]
pub fn check(bytes: &[u8]) -> u8 {
    let sum = bytes
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(3).wrapping_add(*byte));
    sum ^ (bytes.len() as u8).wrapping_mul(37)
}

/// Bits of a mixed hash that choose its bucket.
pub const BUCKET_BITS: u32 = 12;

/// The hash of nothing.
pub const FNV_START: u32 = 0x811c_9dc5;

/// Whether the character belongs to a word. Signs of Indic scripts do, though Unicode does not call all of them letters.
#[must_use]
pub fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{900}'..='\u{963}' | '\u{970}'..='\u{df4}')
}
