//! The level of a frame without hum, and how periodic it is: a voice repeats itself 70 to 400 times a second.

use super::FRAME_SAMPLES;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Samples at 8 kHz: half a frame's, since the pitch of a voice lies far below.
const HALF: usize = FRAME_SAMPLES / 2;
/// Two frames: the lowest pitch fits in almost three times.
const WINDOW: usize = 2 * HALF;
/// 400 Hz to 70 Hz, in samples at 8 kHz.
const LAGS: core::ops::RangeInclusive<usize> = 20..=114;
/// Pole of the filter that takes hum out: -3 dB at 100 Hz at 16 kHz.
const POLE: f32 = 0.961;
/// Evens out the fall of natural sounds towards high frequencies, so that rumble does not look periodic.
const PRE_EMPHASIS: f32 = 0.8;

#[derive(Debug, Clone, Copy, Default)]
struct HighPass {
    input: f32,
    output: f32,
}

impl HighPass {
    fn next(&mut self, input: f32) -> f32 {
        self.output = input - self.input + POLE * self.output;
        self.input = input;
        self.output
    }
}

/// The filters' memory and the last two frames.
#[derive(Debug, Clone)]
pub(super) struct Voicing {
    filters: [HighPass; 2],
    before: f32,
    window: VecDeque<f32>,
}

impl Voicing {
    pub(super) fn new() -> Self {
        Self {
            filters: [HighPass::default(); 2],
            before: 0.0,
            window: VecDeque::from(alloc::vec![0.0; WINDOW]),
        }
    }

    /// Root mean square without hum, where 1 is full scale, and the highest peak of the normalised autocorrelation.
    pub(super) fn measure(&mut self, frame: &[i16]) -> (f32, f32) {
        let mut power = 0.0;
        for pair in frame.chunks_exact(2) {
            let mut sum = 0.0;
            for sample in pair {
                let mut value = f32::from(*sample) / 32_768.0;
                for filter in &mut self.filters {
                    value = filter.next(value);
                }
                power += value * value;
                sum += value;
            }
            let half = sum / 2.0;
            self.window.push_back(half - PRE_EMPHASIS * self.before);
            self.before = half;
            self.window.pop_front();
        }
        (libm::sqrtf(power / frame.len().max(1) as f32), self.periodicity())
    }

    fn periodicity(&self) -> f32 {
        let window: Vec<f32> = self.window.iter().copied().collect();
        let correlation = |lag: usize| {
            let (mut dot, mut now, mut then) = (0.0_f32, 1e-9_f32, 1e-9_f32);
            for (a, b) in window.iter().skip(lag).zip(&window) {
                dot += a * b;
                now += a * a;
                then += b * b;
            }
            dot / libm::sqrtf(now * then)
        };
        let all: Vec<f32> = LAGS.map(correlation).collect();
        // Only a peak is a period: low frequencies correlate at short lags anyway.
        all.iter()
            .zip(all.iter().skip(1))
            .zip(all.iter().skip(2))
            .filter(|((left, peak), right)| peak >= left && peak > right)
            .map(|((_, peak), _)| *peak)
            .fold(0.0, f32::max)
    }
}
