//! The key of spoken text in a cache: what is said often is synthesised once.
//!
//! Invariant: two requests have one key only if they ask for the same sound.

use super::port::SpeechRequest;
use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;
use sha2::{Digest, Sha256};

/// Of the key's form: raised when the sound of a request changes although its fields do not.
const VERSION: &str = "1";

/// An object's name: `tts/`, the hash of all that changes the sound, and the ending of its container.
///
/// The text before is left out: vendors use it for intonation only, and with it nothing would be found again.
#[must_use]
pub fn cache_key(provider: &str, request: &SpeechRequest) -> String {
    let rate = format!("{}", request.sample_rate_hz);
    let mut hash = Sha256::new();
    for field in [
        VERSION,
        provider,
        request.model.as_deref().unwrap_or(""),
        &request.voice,
        request.language.as_deref().unwrap_or(""),
        request.container.extension(),
        &rate,
        request.text.trim(),
    ] {
        // Lengths part the fields, whatever they contain.
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    let mut out = String::from("tts/");
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out.push('.');
    out.push_str(request.container.extension());
    out
}

#[cfg(test)]
mod tests {
    use super::super::audio::Container;
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec;

    fn request(text: &str, voice: &str) -> SpeechRequest {
        SpeechRequest {
            text: text.into(),
            voice: voice.into(),
            model: None,
            language: None,
            container: Container::Mp3,
            sample_rate_hz: 24_000,
            previous_text: None,
            words: false,
            traceparent: None,
        }
    }

    #[test]
    fn all_that_changes_the_sound_changes_the_key() {
        let plain = request("I am listening.", "alloy");
        let others = vec![
            ("openai", plain.clone()),
            ("polly", plain.clone()),
            ("openai", request("I am listening!", "alloy")),
            ("openai", request("I am listening.", "nova")),
            ("openai", request("alloy", "I am listening.")),
            (
                "openai",
                SpeechRequest {
                    model: Some("tts-1".into()),
                    ..plain.clone()
                },
            ),
            (
                "openai",
                SpeechRequest {
                    language: Some("tts-1".into()),
                    ..plain.clone()
                },
            ),
            (
                "openai",
                SpeechRequest {
                    container: Container::Wav,
                    ..plain.clone()
                },
            ),
            (
                "openai",
                SpeechRequest {
                    sample_rate_hz: 16_000,
                    ..plain.clone()
                },
            ),
        ];
        let keys: BTreeSet<String> = others
            .iter()
            .map(|(provider, request)| cache_key(provider, request))
            .collect();
        assert_eq!(keys.len(), others.len());
        for same in [
            SpeechRequest {
                previous_text: Some("Hello.".into()),
                ..plain.clone()
            },
            SpeechRequest {
                traceparent: Some("00-a-b-01".into()),
                ..plain.clone()
            },
            request(" I am listening.\n", "alloy"),
        ] {
            assert_eq!(cache_key("openai", &same), cache_key("openai", &plain));
        }
    }

    #[test]
    fn format_unchanged() {
        assert_eq!(
            cache_key("openai", &request("I am listening.", "alloy")),
            "tts/e31b11482041c62932faa5261f7df7a404607e2850ba325c7919a58bb3283b93.mp3"
        );
    }
}
