//! Keeps a provider that fails from being asked again and again. One memory for each isolate.

use crate::log;
use serde_json::json;
use silent_core::voice::port::SpeechError;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Failures in a row that open a breaker.
const FAILURES: u32 = 3;
/// How long it stays open, milliseconds.
const OPEN_MS: u64 = 30_000;
/// The same where the account is refused: that is repaired by people.
const ACCOUNT_MS: u64 = 300_000;

/// One provider's record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Breaker {
    failures: u32,
    open_until_ms: u64,
}

impl Breaker {
    fn fail(&mut self, error: &SpeechError, now_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        match error {
            SpeechError::Account => self.open_until_ms = now_ms + ACCOUNT_MS,
            SpeechError::Busy {
                retry_after_s: Some(seconds),
            } => self.open_until_ms = now_ms + u64::from(*seconds).saturating_mul(1_000).min(ACCOUNT_MS),
            // After the time one call is let through: its failure opens again at once, since the count stays.
            _ if self.failures >= FAILURES => self.open_until_ms = now_ms + OPEN_MS,
            _ => {}
        }
    }
}

thread_local! {
    static BREAKERS: RefCell<BTreeMap<String, Breaker>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether a provider may be asked.
pub(super) fn is_closed(name: &str, now_ms: u64) -> bool {
    BREAKERS.with_borrow(|all| all.get(name).is_none_or(|breaker| breaker.open_until_ms <= now_ms))
}

/// It answered.
pub(super) fn succeeded(name: &str) {
    BREAKERS.with_borrow_mut(|all| {
        all.remove(name);
    });
}

/// It failed. What is wrong with the sound or the text says nothing about it.
pub(super) fn failed(name: &str, error: &SpeechError, now_ms: u64) {
    if !is_fault_of_request(error) {
        log::line("warn", "speech-failed", name, json!({"error": error.slug()}));
        BREAKERS.with_borrow_mut(|all| all.entry(name.into()).or_default().fail(error, now_ms));
    }
}

/// Whether another provider would refuse as well.
pub(super) fn is_fault_of_request(error: &SpeechError) -> bool {
    matches!(error, SpeechError::Audio(_) | SpeechError::Text(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_three_failures_and_lets_one_call_through_after_a_while() {
        let name = "breaker-test";
        let error = SpeechError::Unreachable;
        for _ in 0..2 {
            failed(name, &error, 0);
        }
        failed(name, &SpeechError::Text("empty"), 0);
        assert!(is_closed(name, 0));
        failed(name, &error, 0);
        assert!(!is_closed(name, OPEN_MS - 1));
        assert!(is_closed(name, OPEN_MS));
        failed(name, &error, OPEN_MS);
        assert!(!is_closed(name, OPEN_MS + 1), "the call that was let through failed");
        succeeded(name);
        assert!(is_closed(name, 0));
    }

    #[test]
    fn an_account_opens_at_once_and_a_busy_one_for_as_long_as_it_says() {
        failed("account-test", &SpeechError::Account, 0);
        assert!(!is_closed("account-test", ACCOUNT_MS - 1));
        let busy = SpeechError::Busy { retry_after_s: Some(2) };
        failed("busy-test", &busy, 0);
        assert!(!is_closed("busy-test", 1_999));
        assert!(is_closed("busy-test", 2_000));
    }
}
