//! Languages as vendors write them: Whisper's servers give English names.

use alloc::string::String;

/// Names of Whisper's tokenizer for the languages that the crisis gate knows.
const NAMES: &[(&str, &str)] = &[
    ("arabic", "ar"),
    ("bengali", "bn"),
    ("chinese", "zh"),
    ("dutch", "nl"),
    ("english", "en"),
    ("french", "fr"),
    ("german", "de"),
    ("hebrew", "he"),
    ("hindi", "hi"),
    ("indonesian", "id"),
    ("italian", "it"),
    ("japanese", "ja"),
    ("korean", "ko"),
    ("persian", "fa"),
    ("polish", "pl"),
    ("portuguese", "pt"),
    ("russian", "ru"),
    ("spanish", "es"),
    ("swahili", "sw"),
    ("thai", "th"),
    ("turkish", "tr"),
    ("ukrainian", "uk"),
    ("vietnamese", "vi"),
];

/// A tag for a tag or a name; none for a name that is not known.
pub(super) fn tag(name: &str) -> Option<String> {
    let lower = name.trim().to_ascii_lowercase();
    if let Some((_, tag)) = NAMES.iter().find(|(known, _)| *known == lower) {
        return Some((*tag).into());
    }
    let primary = lower.split(['-', '_']).next().unwrap_or("");
    let is_tag = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
    is_tag.then(|| name.trim().replace('_', "-"))
}

/// ISO 639-1, which Whisper's servers want, of a longer tag.
pub(super) fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}
