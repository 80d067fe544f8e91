//! Identifiers of traces and spans: never all zero, which W3C Trace Context calls invalid.

use crate::ids::InvalidId;
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Writes bytes in lower-case hexadecimal.
fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads lower-case hexadecimal; W3C Trace Context has no upper case.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != N * 2 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| match pair.get(at)? {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(out)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Takes random bytes; all zero ones, which are no identifier, become a one.
            #[must_use]
            pub fn new(mut bytes: [u8; $bytes]) -> Self {
                if bytes == [0; $bytes] {
                    bytes = [1; $bytes];
                }
                Self(bytes)
            }

            /// Reads lower-case hexadecimal; none where it is anything else, or all zero.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                unhex(text).filter(|bytes| *bytes != [0; $bytes]).map(Self)
            }

            /// The bytes.
            #[must_use]
            pub fn bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// In hexadecimal.
            #[must_use]
            pub fn hex(&self) -> String {
                alloc::format!("{self}")
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text).ok_or(InvalidId)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.hex()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex(&self.0, f)
            }
        }
    };
}

id!(
    /// A trace: everything that one request caused.
    TraceId,
    16
);
id!(
    /// One operation of a trace.
    SpanId,
    8
);

impl SpanId {
    /// The id of this span's child number `n`: the same one for whoever asks, so that a request can carry the id of a
    /// span that is recorded later.
    ///
    /// SplitMix64 (Steele, Lea, Flood 2014): a bijection for each parent, so its children never share an id.
    #[must_use]
    pub fn child(self, n: u32) -> Self {
        let step = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(n) + 1);
        let mut z = u64::from_be_bytes(self.0).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self::new((z ^ (z >> 31)).to_be_bytes())
    }

    /// The span of attempt number `n`, from 0, where this is the first one's: who tries once need not know of it.
    #[must_use]
    pub fn attempt(self, n: u32) -> Self {
        if n == 0 { self } else { self.child(n) }
    }
}
