//! Synthesised sounds whose truth is known by construction, and real speech of a synthesiser.

use super::super::audio::parse_wav;
use super::*;
use proptest::prelude::*;

/// Noise of a fixed seed (Marsaglia 2003, xorshift), uniform, so that its level is known.
pub(crate) struct Noise(pub(crate) u32);

impl Noise {
    pub(crate) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }

    /// White noise of a level: uniform noise has a root mean square of its peak over the root of 3.
    pub(crate) fn white(&mut self, ms: u32, level_dbfs: f32) -> Vec<i16> {
        let peak = libm::powf(10.0, level_dbfs / 20.0) * libm::sqrtf(3.0) * 32_767.0;
        (0..ms * 16).map(|_| (self.next() * peak) as i16).collect()
    }

    /// Noise that falls by 6 dB an octave: wind, traffic, handling.
    fn brown(&mut self, ms: u32, level_dbfs: f32) -> Vec<i16> {
        let peak = libm::powf(10.0, level_dbfs / 20.0) * 32_767.0;
        let mut value = 0.0;
        (0..ms * 16)
            .map(|_| {
                value = 0.98 * value + 0.2 * 1.73 * self.next();
                (value * peak).clamp(-32_768.0, 32_767.0) as i16
            })
            .collect()
    }
}

/// Like a voice: harmonics of 120 Hz under two formants, four syllables a second with gaps between.
pub(crate) fn babble(ms: u32, level_dbfs: f32) -> Vec<i16> {
    let gain = libm::powf(10.0, level_dbfs / 20.0) * 32_767.0;
    (0..ms * 16)
        .map(|n| {
            let t = n as f32 / 16_000.0;
            let syllable = libm::sinf(core::f32::consts::PI * (t * 4.0 - libm::floorf(t * 4.0)));
            let sum: f32 = (1..30)
                .map(|k| {
                    let hz = 120.0 * k as f32;
                    let formant = |centre: f32| libm::expf(-(hz - centre) * (hz - centre) / 40_000.0);
                    (formant(600.0) + 0.5 * formant(1_700.0) + 0.02) * libm::sinf(core::f32::consts::TAU * hz * t)
                })
                .sum();
            (gain * 0.6 * sum * syllable).clamp(-32_768.0, 32_767.0) as i16
        })
        .collect()
}

fn tone(hz: f32, ms: u32, level_dbfs: f32) -> Vec<i16> {
    let peak = libm::powf(10.0, level_dbfs / 20.0) * 1.414 * 32_767.0;
    (0..ms * 16)
        .map(|n| (peak * libm::sinf(core::f32::consts::TAU * hz * n as f32 / 16_000.0)) as i16)
        .collect()
}

pub(crate) fn mix(a: &[i16], b: &[i16]) -> Vec<i16> {
    a.iter().zip(b).map(|(a, b)| a.saturating_add(*b)).collect()
}

fn judge(samples: &[i16]) -> Vec<VadFrame> {
    let mut vad = Vad::new(VadConfig::default());
    samples
        .chunks_exact(FRAME_SAMPLES)
        .map(|frame| vad.push(frame))
        .collect()
}

fn share(frames: &[VadFrame]) -> f32 {
    frames.iter().filter(|frame| frame.is_speech).count() as f32 / frames.len() as f32
}

#[test]
fn what_is_not_speech() {
    let mut noise = Noise(7);
    for (name, sound) in [
        ("silence", alloc::vec![0; 48_000]),
        ("room", noise.white(3_000, -50.0)),
        ("loud hiss", noise.white(3_000, -25.0)),
        ("rumble", noise.brown(3_000, -25.0)),
        ("hum", tone(50.0, 3_000, -30.0)),
    ] {
        let share = share(&judge(&sound));
        assert!(share < 0.03, "{name}: {share}");
    }
    // A steady tone is taken for a voice at first and for background once no gap came in two seconds.
    let frames = judge(&tone(440.0, 5_000, -20.0));
    assert_eq!(share(&frames[130..]), 0.0);
}

#[test]
fn a_click_is_not_speech_for_long() {
    let mut sound = Noise(3).white(2_000, -60.0);
    for (n, sample) in sound.iter_mut().skip(16_000).take(30).enumerate() {
        *sample = if n % 2 == 0 { 20_000 } else { -20_000 };
    }
    assert!(judge(&sound).iter().filter(|frame| frame.is_speech).count() <= 3);
}

#[test]
fn voices_in_noise() {
    for (noise_dbfs, least) in [(-70.0, 0.9), (-50.0, 0.9), (-40.0, 0.8)] {
        let mut sound = Noise(1).white(3_000, noise_dbfs);
        sound.extend(mix(&babble(2_000, -20.0), &Noise(2).white(2_000, noise_dbfs)));
        sound.extend(Noise(5).white(2_000, noise_dbfs));
        let frames = judge(&sound);
        let (before, voice, after) = (share(&frames[..150]), share(&frames[150..250]), share(&frames[260..]));
        assert!(
            before < 0.03 && voice > least && after < 0.03,
            "{noise_dbfs} dB: {before} {voice} {after}"
        );
        let level = frames[140].noise_dbfs;
        assert!((level - noise_dbfs).abs() < 4.0, "floor {level} in {noise_dbfs}");
    }
}

#[test]
fn real_speech() {
    let speech = parse_wav(include_bytes!("../testdata/speech.wav")).unwrap().to_pcm();
    let speech: Vec<i16> = speech.samples;
    for noise_dbfs in [-80.0, -50.0, -40.0] {
        let mut sound = Noise(9).white(1_000, noise_dbfs);
        sound.extend(mix(&speech, &Noise(4).white(3_000, noise_dbfs)));
        sound.extend(Noise(8).white(1_000, noise_dbfs));
        let frames = judge(&sound);
        let said = frames.iter().skip(50).take(speech.len() / FRAME_SAMPLES);
        // Frames that are loud in the file itself are the truth.
        let truth: Vec<bool> = speech
            .chunks_exact(FRAME_SAMPLES)
            .map(|frame| dbfs(frame) > -32.0)
            .collect();
        let hit = said
            .zip(&truth)
            .filter(|(frame, loud)| **loud && frame.is_speech)
            .count();
        let all = truth.iter().filter(|loud| **loud).count();
        assert!(all > 60 && hit * 100 >= all * 92, "{noise_dbfs}: {hit} of {all}");
        assert_eq!(share(&frames[..50]), 0.0, "{noise_dbfs}");
    }
}

#[test]
fn periodicity_tells_voices_from_noise() {
    let measured = |sound: &[i16]| {
        let mut voicing = voicing::Voicing::new();
        let all: Vec<(f32, f32)> = sound
            .chunks_exact(FRAME_SAMPLES)
            .map(|frame| voicing.measure(frame))
            .collect();
        all[5..].to_vec()
    };
    for (amplitude, periodicity) in measured(&tone(200.0, 1_000, -20.0)) {
        // The filters take 2 dB at 200 Hz: 40 log10 of one over the root of 1 + (100 / 200)^2.
        assert!((decibels(amplitude) + 21.9).abs() < 0.5 && periodicity > 0.98);
    }
    for sound in [Noise(11).white(4_000, -30.0), Noise(12).brown(4_000, -20.0)] {
        assert!(measured(&sound).iter().all(|(_, periodicity)| *periodicity < 0.5));
    }
}

proptest! {
    #[test]
    fn framing_keeps_every_sample(pieces in proptest::collection::vec(proptest::collection::vec(any::<i16>(), 0..900), 0..12)) {
        let mut framer = Framer::default();
        let frames: Vec<i16> = pieces.iter().flat_map(|piece| framer.push(piece)).flatten().collect();
        let all: Vec<i16> = pieces.concat();
        prop_assert_eq!(frames.len() % FRAME_SAMPLES, 0);
        prop_assert!(all.len() - frames.len() < FRAME_SAMPLES);
        prop_assert_eq!(&all[..frames.len()], &frames[..]);
    }

    #[test]
    fn any_samples_are_judged(samples in proptest::collection::vec(any::<i16>(), 0..2_000)) {
        let mut vad = Vad::new(VadConfig::default());
        for frame in samples.chunks(FRAME_SAMPLES) {
            let judged = vad.push(frame);
            prop_assert!(judged.level_dbfs.is_finite() && judged.noise_dbfs.is_finite());
        }
    }
}
