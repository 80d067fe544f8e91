//! Files of an independent encoder; lengths of an independent prober (testdata/README.md).

use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

const FILES: &[(&str, &[u8], Container, u32)] = &[
    ("wav", include_bytes!("../testdata/speech.wav"), Container::Wav, 2_896),
    ("ogg", include_bytes!("../testdata/speech.ogg"), Container::Ogg, 2_902),
    (
        "webm",
        include_bytes!("../testdata/speech.webm"),
        Container::WebM,
        2_904,
    ),
    ("live", include_bytes!("../testdata/live.webm"), Container::WebM, 2_904),
    ("mp3", include_bytes!("../testdata/speech.mp3"), Container::Mp3, 2_988),
    ("vbr", include_bytes!("../testdata/vbr.mp3"), Container::Mp3, 2_988),
    ("m4a", include_bytes!("../testdata/speech.m4a"), Container::Mp4, 2_897),
    (
        "fragmented",
        include_bytes!("../testdata/fragmented.mp4"),
        Container::Mp4,
        2_960,
    ),
    (
        "flac",
        include_bytes!("../testdata/speech.flac"),
        Container::Flac,
        2_896,
    ),
];

#[test]
fn containers_and_lengths_of_real_files() {
    for (name, bytes, container, ms) in FILES {
        assert_eq!(sniff(bytes), Ok(*container), "{name}");
        let found = duration_ms(bytes, *container, 0).unwrap();
        assert!(found.abs_diff(*ms) <= 20, "{name}: {found} ms, not {ms}");
    }
    assert_eq!(duration_ms(&[0; 32_000], Container::Pcm16, 16_000), Some(1_000));
    assert_eq!(duration_ms(&[0; 32_000], Container::Pcm16, 0), None);
}

#[test]
fn wav_as_recorders_write_it() {
    let pcm = Pcm {
        samples: (0..500).map(|n| (n * 37) as i16).collect(),
        sample_rate_hz: 24_000,
    };
    let file = write_wav(&pcm);
    assert_eq!(parse_wav(&file).unwrap().to_pcm(), pcm);

    // A stream's header: no length. The samples are what is there.
    let mut streamed = write_header(24_000, None);
    streamed.extend(to_le_bytes(&pcm.samples));
    streamed.push(7);
    let wav = parse_wav(&streamed).unwrap();
    assert!(!wav.is_cut && wav.header.data_len.is_none());
    assert_eq!(wav.to_pcm(), pcm);

    let cut = parse_wav(&file[..file.len() - 101]).unwrap();
    assert!(cut.is_cut);
    assert_eq!(cut.to_pcm().samples, pcm.samples[..449]);

    for end in 0..44 {
        let expected = if end == 0 {
            AudioError::Empty
        } else {
            AudioError::TruncatedHeader
        };
        assert_eq!(parse_wav(&file[..end]), Err(expected), "{end}");
    }
    assert_eq!(parse_wav(b"ID3 whatever"), Err(AudioError::NotAudio));
    let mut mulaw = file.clone();
    mulaw[20] = 7;
    assert_eq!(parse_wav(&mulaw), Err(AudioError::Unsupported("WAV codec")));
}

/// A file with the given format and one frame of samples, chunks of text before and after it.
fn wav(tag: u16, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let mut out = b"RIFF\0\0\0\0WAVELIST\x05\0\0\0INFOx\0fmt \x10\0\0\0".to_vec();
    out.extend(tag.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(48_000_u32.to_le_bytes());
    out.extend((48_000 * u32::from(channels) * u32::from(bits / 8)).to_le_bytes());
    out.extend((channels * (bits / 8)).to_le_bytes());
    out.extend(bits.to_le_bytes());
    out.extend(b"data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.extend(b"LIST\x02\0\0\0zz");
    out
}

#[test]
fn widths_and_channels() {
    for (file, samples) in [
        (wav(1, 1, 8, &[0, 128, 255]), &[-32_768, 0, 32_512][..]),
        (wav(1, 1, 24, &[0, 0x34, 0x12]), &[0x1234]),
        (wav(1, 1, 32, &[0, 0, 0x34, 0x12]), &[0x1234]),
        (wav(3, 1, 32, &(-0.5_f32).to_le_bytes()), &[-16_384]),
        (wav(3, 1, 32, &f32::NAN.to_le_bytes()), &[0]),
        (wav(3, 1, 32, &9.0_f32.to_le_bytes()), &[32_767]),
        (wav(1, 2, 16, &[100, 0, 44, 1, 0xFF]), &[200]),
    ] {
        let wav = parse_wav(&file).unwrap();
        assert_eq!((wav.to_pcm().samples.as_slice(), wav.is_cut), (samples, false));
    }
}

fn tone(hz: f64, rate: u32, samples: usize, amplitude: f64) -> Vec<i16> {
    (0..samples)
        .map(|n| (amplitude * 32_767.0 * libm::sin(core::f64::consts::TAU * hz * n as f64 / f64::from(rate))) as i16)
        .collect()
}

#[test]
fn levels() {
    // A sine of full scale is 3.01 dB below full scale, by definition of the root mean square.
    let level = dbfs(&tone(1_000.0, 16_000, 16_000, 1.0));
    assert!((level + 3.01).abs() < 0.02, "{level}");
    assert!((dbfs(&tone(1_000.0, 16_000, 16_000, 0.1)) + 23.01).abs() < 0.05);
    assert_eq!(dbfs(&[0; 100]), -100.0);
    assert_eq!(dbfs(&[]), -100.0);
}

#[test]
fn resampling_keeps_what_fits_and_removes_what_does_not() {
    for (from, to) in [
        (48_000, 16_000),
        (44_100, 16_000),
        (22_050, 16_000),
        (24_000, 48_000),
        (8_000, 16_000),
        (16_000, 11_025),
    ] {
        let wanted = tone(1_000.0, to, to as usize, 0.5);
        let got = resample(&tone(1_000.0, from, from as usize, 0.5), from, to);
        assert_eq!(got.len(), wanted.len(), "{from} to {to}");
        // The edges know only silence outside the sound.
        let inner = 200..got.len() - 200;
        let error: Vec<i16> = inner.clone().map(|n| got[n] - wanted[n]).collect();
        let snr = dbfs(&wanted[inner]) - dbfs(&error);
        assert!(snr > 60.0, "{from} to {to}: {snr} dB");
    }
    // 11 kHz cannot be in a sound of 16 kHz: without the filter it would be heard at 5 kHz.
    let alias = resample(&tone(11_000.0, 48_000, 48_000, 0.5), 48_000, 16_000);
    assert!(dbfs(&alias[200..15_800]) < -70.0, "{}", dbfs(&alias));
}

#[test]
fn the_same_rate_is_the_same_sound() {
    let sound = tone(300.0, 16_000, 1_000, 0.9);
    assert_eq!(resample(&sound, 16_000, 16_000), sound);
    assert!(resample(&[], 48_000, 16_000).is_empty());
}

proptest! {
    #[test]
    fn splits_do_not_matter(samples in proptest::collection::vec(any::<i16>(), 0..600), cuts in proptest::collection::vec(0_usize..600, 0..8), rates in (0_usize..4, 0_usize..4)) {
        let list = [8_000, 16_000, 22_050, 48_000];
        let (from, to) = (list[rates.0], list[rates.1]);
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= samples.len()).collect();
        cuts.extend([0, samples.len()]);
        cuts.sort_unstable();
        let mut resampler = Resampler::new(from, to);
        let mut got: Vec<i16> = cuts.windows(2).flat_map(|pair| resampler.push(&samples[pair[0]..pair[1]])).collect();
        got.extend(resampler.finish());
        prop_assert_eq!(&got, &resample(&samples, from, to));
        let length = (samples.len() as u64 * u64::from(to)).div_ceil(u64::from(from));
        prop_assert_eq!(got.len() as u64, length);
    }

    #[test]
    fn broken_files_never_panic(which in 0_usize..9, keep in 0_usize..3_000, harm in proptest::collection::vec((0_usize..3_000, any::<u8>()), 0..6)) {
        let (_, bytes, container, _) = FILES[which];
        let mut bytes = bytes[..keep.min(bytes.len())].to_vec();
        for (at, byte) in harm {
            if let Some(place) = bytes.get_mut(at) { *place = byte; }
        }
        let _ = (sniff(&bytes), duration_ms(&bytes, container, 16_000), parse_wav(&bytes));
    }
}
