//! Samples of 16 bits, one channel.

use alloc::vec::Vec;

/// Sound as samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    /// One channel.
    pub samples: Vec<i16>,
    /// Hertz.
    pub sample_rate_hz: u32,
}

impl Pcm {
    /// Length in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u32 {
        millis(self.samples.len(), self.sample_rate_hz)
    }

    /// The same sound at another rate.
    #[must_use]
    pub fn at_rate(&self, sample_rate_hz: u32) -> Self {
        Self {
            samples: super::resample(&self.samples, self.sample_rate_hz, sample_rate_hz),
            sample_rate_hz,
        }
    }
}

/// Milliseconds of `frames` at a rate, rounded down.
pub(super) fn millis(frames: usize, sample_rate_hz: u32) -> u32 {
    let frames = u64::try_from(frames).unwrap_or(u64::MAX);
    u32::try_from(frames.saturating_mul(1_000) / u64::from(sample_rate_hz.max(1))).unwrap_or(u32::MAX)
}

/// Samples of little-endian bytes; an odd byte at the end is left out.
#[must_use]
pub fn from_le_bytes(bytes: &[u8]) -> Vec<i16> {
    bytes
        .chunks_exact(2)
        .map(|pair| match pair {
            [low, high] => i16::from_le_bytes([*low, *high]),
            _ => 0,
        })
        .collect()
}

/// Little-endian bytes of samples.
#[must_use]
pub fn to_le_bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Root mean square of samples, where 1 is full scale; 0 for none.
#[must_use]
pub fn rms(samples: &[i16]) -> f32 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f32 = samples
        .iter()
        .map(|sample| {
            let value = f32::from(*sample) / 32_768.0;
            value * value
        })
        .sum();
    libm::sqrtf(sum / samples.len() as f32)
}

/// Level in decibels below full scale; silence is -100.
#[must_use]
pub fn dbfs(samples: &[i16]) -> f32 {
    decibels(rms(samples)).max(-100.0)
}

/// Decibels of an amplitude, -100 for none.
pub(crate) fn decibels(amplitude: f32) -> f32 {
    if amplitude <= 1e-5 {
        return -100.0;
    }
    20.0 * libm::log10f(amplitude)
}
