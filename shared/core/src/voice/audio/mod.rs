//! Sound as bytes: which container it is, how long, how loud, and as PCM of 16 bits.

mod duration;
mod pcm;
mod resample;
mod sniff;
mod wav;

pub use duration::duration_ms;
pub(crate) use pcm::decibels;
pub use pcm::{Pcm, dbfs, from_le_bytes, rms, to_le_bytes};
pub use resample::{Resampler, resample};
pub use sniff::{Container, check, sniff};
pub use wav::{Wav, WavHeader, parse_wav, read_header, write_header, write_wav};

#[cfg(test)]
mod tests;

use thiserror::Error;

/// Why bytes cannot be used as sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AudioError {
    /// Nothing was sent.
    #[error("0 bytes")]
    Empty,
    /// More than is taken.
    #[error("too large: more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// No container that is known.
    #[error("not audio")]
    NotAudio,
    /// The beginning of a container and not more.
    #[error("truncated header")]
    TruncatedHeader,
    /// Audio, but of a kind that cannot be read here.
    #[error("unsupported audio: {0}")]
    Unsupported(&'static str),
    /// The provider could not read it.
    #[error("the provider cannot read the audio")]
    Refused,
}

impl AudioError {
    /// A stable slug for problem documents and metrics.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Empty => "audio-empty",
            Self::TooLarge { .. } => "audio-too-large",
            Self::NotAudio => "audio-unknown",
            Self::TruncatedHeader => "audio-truncated",
            Self::Unsupported(_) => "audio-unsupported",
            Self::Refused => "audio-refused",
        }
    }
}
