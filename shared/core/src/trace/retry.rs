//! How long an exporter goes on trying. Traces may be lost; what waits for them must not.

/// Tries in all.
pub const TRIES: u32 = 4;
/// The longest wait in milliseconds: a session's object is billed for as long as it waits.
const LONGEST_MS: u64 = 10_000;

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// No answer: the collector is away, or took too long.
    NoAnswer,
    /// An answer with this status and, where it has one, `Retry-After` in seconds.
    Status(u16, Option<u64>),
}

/// Milliseconds to wait before the next try; none where there is none. `tries` counts those that were made, and
/// `jitter` is any number.
///
/// The statuses are those of the OTLP specification 1.10, "Failures": 429, 502, 503, 504, and no other. The wait doubles
/// from one second, and up to a quarter of it is added; `Retry-After` replaces it, unless it is longer than anybody waits.
#[must_use]
pub fn wait_ms(tried: Tried, tries: u32, jitter: u64) -> Option<u64> {
    if tries >= TRIES {
        return None;
    }
    let backoff = 1_000_u64 << tries.saturating_sub(1).min(8);
    let backoff = (backoff + jitter % (backoff / 4)).min(LONGEST_MS);
    match tried {
        // 520 to 527 and 530 are said by Cloudflare's own edge, for a collector that it cannot reach.
        Tried::NoAnswer | Tried::Status(429 | 502 | 503 | 504 | 520..=527 | 530, None) => Some(backoff),
        Tried::Status(429 | 502 | 503 | 504, Some(seconds)) => {
            Some(seconds.saturating_mul(1_000)).filter(|wait| *wait <= LONGEST_MS)
        }
        Tried::Status(..) => None,
    }
}
