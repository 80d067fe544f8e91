//! What statuses mean, unless a vendor means something else by them.

use super::ResponseHead;
use crate::http::retry_after_s;
use silent_core::voice::audio::AudioError;
use silent_core::voice::port::SpeechError;

pub(super) fn of_status(head: &ResponseHead) -> SpeechError {
    match head.status {
        401..=403 => SpeechError::Account,
        408 | 504 => SpeechError::TimedOut("upstream"),
        413 | 415 => SpeechError::Audio(AudioError::Refused),
        429 | 503 | 529 => busy(head),
        status => SpeechError::Status(status),
    }
}

pub(super) fn busy(head: &ResponseHead) -> SpeechError {
    SpeechError::Busy {
        retry_after_s: retry_after_s(&|name| head.header(name).map(Into::into)),
    }
}
