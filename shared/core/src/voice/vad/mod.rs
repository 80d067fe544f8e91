//! When somebody speaks: frames of 20 ms at 16 kHz in, a judgement for each out.
//!
//! A frame is speech where it stands out of the noise and repeats itself, as a voice does and noise does not. Whispering is
//! not heard as speech.
//! Invariant: the same samples give the same judgements; nothing is kept but two seconds of levels.
//! Sources: R. Martin 2001, "Noise power spectral density estimation based on optimal smoothing and minimum statistics"
//! (the floor); L. R. Rabiner 1977, "On the use of autocorrelation analysis for pitch detection".

mod voicing;

#[cfg(test)]
pub(crate) mod tests;

use super::audio::{dbfs, decibels};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use voicing::Voicing;

/// Hertz that frames are in.
pub const SAMPLE_RATE_HZ: u32 = 16_000;
/// Length of a frame.
pub const FRAME_MS: u32 = 20;
/// Samples of a frame.
pub const FRAME_SAMPLES: usize = 320;

/// Frames of one stretch whose lowest level is kept.
const STRETCH_FRAMES: u32 = 12;
/// Stretches that the floor is the lowest of: about two seconds, longer than a voice goes on without a gap.
const STRETCHES: usize = 8;
/// The lowest of many levels lies below their mean; for smoothed frames by about this much (Martin 2001, 5).
const FLOOR_BIAS_DB: f32 = 3.0;
/// How much less stands out within speech than at its beginning.
const KEEP_DB: f32 = 3.0;
const KEEP_PERIODICITY: f32 = 0.1;
/// What a microphone is taken to hear before it is known better.
const FIRST_FLOOR_DBFS: f32 = -60.0;

/// What makes a frame speech.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VadConfig {
    /// Decibels above the noise.
    pub snr_db: f32,
    /// Quietest speech.
    pub min_level_dbfs: f32,
    /// Autocorrelation from which a frame is periodic: noise stays below 0.4, a clear voice is near 1.
    pub min_periodicity: f32,
    /// Crossings of zero, per sample, from which a frame that follows speech is a consonant without voice.
    pub min_crossings: f32,
    /// Frames that stay speech after the last one that was.
    pub hangover_frames: u32,
}

impl Default for VadConfig {
    fn default() -> Self {
        Self {
            snr_db: 8.0,
            min_level_dbfs: -55.0,
            min_periodicity: 0.5,
            min_crossings: 0.25,
            hangover_frames: 8,
        }
    }
}

/// The judgement of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VadFrame {
    /// Whether somebody speaks.
    pub is_speech: bool,
    /// Level of the frame.
    pub level_dbfs: f32,
    /// Level of the noise behind it.
    pub noise_dbfs: f32,
}

/// Judges frame after frame.
#[derive(Debug, Clone)]
pub struct Vad {
    config: VadConfig,
    voicing: Voicing,
    smoothed: Option<f32>,
    stretch_min: f32,
    stretch_frames: u32,
    minima: VecDeque<f32>,
    hangover: u32,
    run: u32,
}

impl Vad {
    /// One that has heard nothing.
    #[must_use]
    pub fn new(config: VadConfig) -> Self {
        Self {
            config,
            voicing: Voicing::new(),
            smoothed: None,
            stretch_min: 0.0,
            stretch_frames: 0,
            minima: VecDeque::from([FIRST_FLOOR_DBFS]),
            hangover: 0,
            run: 0,
        }
    }

    /// Judges the next frame; one that is too short counts as followed by silence.
    pub fn push(&mut self, frame: &[i16]) -> VadFrame {
        let frame = frame.get(..FRAME_SAMPLES).unwrap_or(frame);
        let (amplitude, periodicity) = self.voicing.measure(frame);
        let heard_dbfs = decibels(amplitude);
        let noise_dbfs = self.floor(heard_dbfs);
        let above = heard_dbfs - noise_dbfs;
        // What follows speech needs less to be speech.
        let is_after = self.hangover > 0;
        let (snr_db, min_periodicity) = if is_after {
            (
                self.config.snr_db - KEEP_DB,
                self.config.min_periodicity - KEEP_PERIODICITY,
            )
        } else {
            (self.config.snr_db, self.config.min_periodicity)
        };
        let is_loud = above >= snr_db && heard_dbfs >= self.config.min_level_dbfs;
        let is_voiced = periodicity >= min_periodicity;
        let is_hiss = is_after && above >= self.config.snr_db && crossings(frame) >= self.config.min_crossings;
        let is_active = is_loud && (is_voiced || is_hiss);
        self.hangover = if is_active && is_voiced {
            self.run += 1;
            // One frame alone is a click: it lingers for as long as it lasted.
            self.config.hangover_frames.min(self.run * 2)
        } else {
            self.run = 0;
            self.hangover.saturating_sub(u32::from(!is_active))
        };
        VadFrame {
            is_speech: is_active || self.hangover > 0,
            level_dbfs: dbfs(frame),
            noise_dbfs,
        }
    }

    /// The lowest smoothed level of the last two seconds.
    fn floor(&mut self, heard_dbfs: f32) -> f32 {
        let smoothed = match self.smoothed {
            Some(before) => before + 0.4 * (heard_dbfs - before),
            None => heard_dbfs,
        };
        self.smoothed = Some(smoothed);
        if self.stretch_frames == 0 {
            self.stretch_min = smoothed;
        }
        self.stretch_min = self.stretch_min.min(smoothed);
        self.stretch_frames += 1;
        if self.stretch_frames == STRETCH_FRAMES {
            self.stretch_frames = 0;
            self.minima.push_back(self.stretch_min);
            if self.minima.len() > STRETCHES {
                self.minima.pop_front();
            }
        }
        self.minima.iter().copied().fold(self.stretch_min, f32::min) + FLOOR_BIAS_DB
    }
}

/// Sign changes per sample.
fn crossings(frame: &[i16]) -> f32 {
    let changes = frame
        .iter()
        .zip(frame.iter().skip(1))
        .filter(|(a, b)| (**a < 0) != (**b < 0))
        .count();
    changes as f32 / frame.len().max(1) as f32
}

/// Cuts a stream of samples into frames.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    rest: Vec<i16>,
}

impl Framer {
    /// Takes samples and gives the frames that are whole now.
    pub fn push(&mut self, samples: &[i16]) -> Vec<Vec<i16>> {
        self.rest.extend_from_slice(samples);
        let whole = self.rest.len() - self.rest.len() % FRAME_SAMPLES;
        let rest = self.rest.split_off(whole);
        core::mem::replace(&mut self.rest, rest)
            .chunks_exact(FRAME_SAMPLES)
            .map(<[i16]>::to_vec)
            .collect()
    }
}
