//! What goes wrong with sound and speech, as problems.

use silent_core::voice::audio::AudioError;
use silent_core::voice::port::SpeechError;
use silent_edge::error::ApiError;

/// Largest recording, bytes.
pub(crate) const MAX_RECORDING: usize = 25 << 20;

/// Sound that cannot be used.
pub(crate) fn of_audio(error: AudioError) -> ApiError {
    let (status, title) = match error {
        AudioError::Empty => (400, "No audio was sent"),
        AudioError::TooLarge { .. } => (413, "The recording is too large"),
        AudioError::NotAudio | AudioError::Unsupported(_) => (415, "This is no audio that can be used"),
        AudioError::TruncatedHeader => (400, "The recording breaks off"),
        AudioError::Refused => (422, "The recording cannot be read"),
    };
    ApiError::Problem {
        status,
        slug: error.slug(),
        title,
        detail: error.to_string(),
    }
}

/// Speech that was not understood or not made.
pub(crate) fn of_speech(error: SpeechError) -> ApiError {
    match error {
        SpeechError::Audio(error) => of_audio(error),
        SpeechError::Text(why) => ApiError::Invalid(format!("the text cannot be spoken: {why}")),
        SpeechError::Unsupported(what) => ApiError::Invalid(format!("no configured provider offers: {what}")),
        error => ApiError::unavailable(format!("speech: {}", error.slug())),
    }
}

/// Nothing was said.
pub(crate) fn no_speech() -> ApiError {
    ApiError::Problem {
        status: 422,
        slug: "no-speech",
        title: "Nothing was heard",
        detail: "the recording holds no words".into(),
    }
}

/// A body that is too long is a recording that is too long.
pub(crate) fn of_body(error: ApiError) -> ApiError {
    match error {
        ApiError::TooLarge(_) => of_audio(AudioError::TooLarge {
            limit_bytes: MAX_RECORDING,
        }),
        error => error,
    }
}
