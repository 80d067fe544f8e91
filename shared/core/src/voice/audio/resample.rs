//! Another sample rate, by a windowed-sinc filter that also keeps out what the lower rate cannot carry.
//!
//! Invariant: any split of the samples gives the same result, and the result has as many samples as the length says.
//! Source: J. O. Smith, "Digital Audio Resampling" (CCRMA): a tabulated sinc, interpolated linearly.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Zero crossings of the sinc on each side: 16 give about 80 dB in the stop band with the window used here.
const CROSSINGS: usize = 16;
/// Table entries between two zero crossings.
const STEPS: usize = 256;
/// Part of the lower Nyquist frequency that passes.
const ROLL_OFF: f64 = 0.92;

/// Changes the rate of a stream.
#[derive(Debug, Clone)]
pub struct Resampler {
    from: u64,
    to: u64,
    table: Vec<f32>,
    /// Input samples per table unit of one crossing.
    scale: f64,
    /// Samples that the next outputs can still need.
    window: VecDeque<f32>,
    /// Index of the first sample in `window`, counted with the zeros before the sound.
    first: i64,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// From one rate in hertz to another; 0 counts as 1.
    #[must_use]
    pub fn new(from_hz: u32, to_hz: u32) -> Self {
        let (from, to) = (u64::from(from_hz.max(1)), u64::from(to_hz.max(1)));
        // Below the original rate the filter stretches, so that its edge follows the lower Nyquist frequency.
        let cutoff = ROLL_OFF * (to as f64 / from as f64).min(1.0);
        Self {
            from,
            to,
            table: if from == to { Vec::new() } else { kernel(cutoff) },
            scale: cutoff,
            window: VecDeque::new(),
            first: 0,
            taken: 0,
            given: 0,
        }
    }

    /// Takes samples and gives those that are certain now.
    pub fn push(&mut self, samples: &[i16]) -> Vec<i16> {
        if self.from == self.to {
            return samples.to_vec();
        }
        self.window.extend(samples.iter().map(|sample| f32::from(*sample)));
        self.taken += samples.len() as u64;
        let mut out = Vec::new();
        let reach = self.reach();
        while self.position() + reach < self.taken as f64 {
            out.push(self.next());
        }
        out
    }

    /// The rest, as if silence followed.
    pub fn finish(&mut self) -> Vec<i16> {
        let mut out = Vec::new();
        if self.from != self.to {
            while self.given * self.from < self.taken * self.to {
                out.push(self.next());
            }
        }
        out
    }

    /// Where the next output stands, in input samples.
    fn position(&self) -> f64 {
        self.given as f64 * self.from as f64 / self.to as f64
    }

    /// How far the filter looks to each side, in input samples.
    fn reach(&self) -> f64 {
        CROSSINGS as f64 / self.scale
    }

    fn next(&mut self) -> i16 {
        let position = self.position();
        let low = libm::ceil(position - self.reach()) as i64;
        let high = libm::floor(position + self.reach()) as i64;
        while self.first < low && !self.window.is_empty() {
            self.window.pop_front();
            self.first += 1;
        }
        let mut sum = 0.0_f32;
        let start = low.max(self.first);
        let skip = usize::try_from(start - self.first).unwrap_or(0);
        let count = usize::try_from(high - start + 1).unwrap_or(0);
        for (offset, sample) in self.window.iter().skip(skip).take(count).enumerate() {
            let distance = libm::fabs(position - (start + offset as i64) as f64) * self.scale * STEPS as f64;
            sum += sample * self.weight(distance);
        }
        self.given += 1;
        libm::roundf(sum).clamp(-32_768.0, 32_767.0) as i16
    }

    fn weight(&self, distance: f64) -> f32 {
        let index = distance as usize;
        let part = (distance - index as f64) as f32;
        let at = |index: usize| self.table.get(index).copied().unwrap_or(0.0);
        at(index) + (at(index + 1) - at(index)) * part
    }
}

/// One side of the filter: sinc under a Blackman window (Harris 1978), scaled to unit gain.
fn kernel(cutoff: f64) -> Vec<f32> {
    let length = CROSSINGS * STEPS;
    (0..=length)
        .map(|index| {
            let x = index as f64 / STEPS as f64;
            let angle = core::f64::consts::PI * x;
            let sinc = if index == 0 { 1.0 } else { libm::sin(angle) / angle };
            let turn = core::f64::consts::PI * index as f64 / length as f64;
            let window = 0.42 + 0.5 * libm::cos(turn) + 0.08 * libm::cos(2.0 * turn);
            (cutoff * sinc * window) as f32
        })
        .collect()
}

/// The whole sound at another rate.
#[must_use]
pub fn resample(samples: &[i16], from_hz: u32, to_hz: u32) -> Vec<i16> {
    let mut resampler = Resampler::new(from_hz, to_hz);
    let mut out = resampler.push(samples);
    out.extend(resampler.finish());
    out
}
