//! Identifiers: a type prefix and a ULID, so that they sort by creation time and never mix.

use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Crockford's base 32 in lower case (ULID specification, "Encoding").
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ULID_CHARS: usize = 26;

/// The text is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid identifier")]
pub struct InvalidId;

fn ulid(prefix: &str, at_ms: u64, random: [u8; 10]) -> String {
    let entropy = random.iter().fold(0_u128, |acc, byte| (acc << 8) | u128::from(*byte));
    let value = (u128::from(at_ms & 0xFFFF_FFFF_FFFF) << 80) | entropy;
    let mut out = String::with_capacity(prefix.len() + ULID_CHARS);
    out.push_str(prefix);
    for position in (0..ULID_CHARS).rev() {
        let digit = usize::try_from((value >> (position * 5)) & 31).unwrap_or(0);
        out.push(ALPHABET.get(digit).map_or('0', |byte| char::from(*byte)));
    }
    out
}

fn is_ulid(text: &str) -> bool {
    // 26 characters hold 130 bits: the first one of a 128-bit value is at most 7.
    text.len() == ULID_CHARS
        && text.bytes().all(|byte| ALPHABET.contains(&byte))
        && text.as_bytes().first().is_some_and(|byte| *byte <= b'7')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Makes an identifier from the time (milliseconds since 1970) and 80 random bits.
            #[must_use]
            pub fn new(at_ms: u64, random: [u8; 10]) -> Self {
                Self(ulid($prefix, at_ms, random))
            }

            /// Reads an identifier.
            ///
            /// # Errors
            /// [`InvalidId`] where the prefix, the length or a character is wrong.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                match text.strip_prefix($prefix) {
                    Some(rest) if is_ulid(rest) => Ok(Self(String::from(text))),
                    _ => Err(InvalidId),
                }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A person: a guest or an account.
    PersonId,
    "per_"
);
id!(
    /// A conversation of one person.
    SessionId,
    "ses_"
);
id!(
    /// One exchange: what the person said and the answer to it.
    TurnId,
    "trn_"
);
id!(
    /// A digital twin of one person.
    TwinId,
    "twn_"
);
id!(
    /// A twin's link for others.
    ShareId,
    "shr_"
);
id!(
    /// One thing that a twin remembers.
    FactId,
    "fct_"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn time_zero_and_its_end_encode_as_the_specification_says() {
        assert_eq!(SessionId::new(0, [0; 10]).as_str(), "ses_00000000000000000000000000");
        assert_eq!(
            SessionId::new(u64::MAX, [255; 10]).as_str(),
            "ses_7zzzzzzzzzzzzzzzzzzzzzzzzz"
        );
    }

    #[test]
    fn foreign_or_damaged_text_is_refused() {
        for text in [
            "",
            "ses_",
            "trn_00000000000000000000000000",
            "ses_0000000000000000000000000",
            "ses_0000000000000000000000000u",
            "ses_80000000000000000000000000",
            "ses_0000000000000000000000000é",
        ] {
            assert_eq!(SessionId::parse(text), Err(InvalidId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_can_be_read(at in 0_u64..1 << 48, random: [u8; 10]) {
            let id = TurnId::new(at, random);
            prop_assert_eq!(TurnId::parse(id.as_str()), Ok(id));
        }

        #[test]
        fn order_follows_time(at in 0_u64..(1 << 48) - 1, a: [u8; 10], b: [u8; 10]) {
            prop_assert!(TurnId::new(at, a) < TurnId::new(at + 1, b));
        }
    }
}
