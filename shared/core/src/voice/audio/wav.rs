//! RIFF WAVE: reading what recorders and providers write, writing 16 bits.

use super::{AudioError, Pcm};
use alloc::vec::Vec;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xFFFE;
/// Longest header that is looked through for the samples: chunks of text before them are small.
const MAX_HEADER: usize = 64 * 1024;
const MAX_CHANNELS: u16 = 8;

/// What stands before the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WavHeader {
    /// Whether samples are floating point.
    pub is_float: bool,
    /// Channels, interleaved.
    pub channels: u16,
    /// Hertz.
    pub sample_rate_hz: u32,
    /// Bits of a sample.
    pub bits: u16,
    /// Where the samples begin.
    pub data_start: usize,
    /// Bytes of samples as the header says; none where it was written before the length was known.
    pub data_len: Option<usize>,
}

/// A whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wav<'a> {
    /// The header.
    pub header: WavHeader,
    /// The samples that are there: whole frames.
    pub data: &'a [u8],
    /// Whether the header promises more samples.
    pub is_cut: bool,
}

/// Reads the header, or tells that more bytes are needed.
///
/// # Errors
/// [`AudioError::TruncatedHeader`] where the bytes end before the samples; others where it is no WAV that can be read.
pub fn read_header(bytes: &[u8]) -> Result<WavHeader, AudioError> {
    if bytes.is_empty() {
        return Err(AudioError::Empty);
    }
    let begins = |from: usize, magic: &[u8]| {
        bytes
            .get(from..)
            .is_none_or(|rest| rest.is_empty() || rest.starts_with(magic) || magic.starts_with(rest))
    };
    if !begins(0, b"RIFF") || !begins(8, b"WAVE") {
        return Err(AudioError::NotAudio);
    }
    let mut at = 12_usize;
    let mut format = None;
    while at < MAX_HEADER {
        let (Some(name), Some(size)) = (bytes.get(at..at + 4), u32_at(bytes, at + 4)) else {
            return Err(AudioError::TruncatedHeader);
        };
        let start = at + 8;
        if name == b"data" {
            let (is_float, channels, sample_rate_hz, bits) =
                format.ok_or(AudioError::Unsupported("WAV without a format"))?;
            // Streaming writers leave the length at 0 or at its highest value.
            let known = size != 0 && size < 0x7FFF_0000;
            return Ok(WavHeader {
                is_float,
                channels,
                sample_rate_hz,
                bits,
                data_start: start,
                data_len: if known { usize::try_from(size).ok() } else { None },
            });
        }
        if name == b"fmt " {
            format = Some(read_format(bytes, start, size)?);
        }
        let size = usize::try_from(size).unwrap_or(MAX_HEADER).min(MAX_HEADER);
        at = start + size + (size & 1);
    }
    Err(AudioError::Unsupported("WAV without samples"))
}

fn read_format(bytes: &[u8], start: usize, size: u32) -> Result<(bool, u16, u32, u16), AudioError> {
    let short = |offset: usize| u16_at(bytes, start + offset).ok_or(AudioError::TruncatedHeader);
    let mut tag = short(0)?;
    let channels = short(2)?;
    let sample_rate_hz = u32_at(bytes, start + 4).ok_or(AudioError::TruncatedHeader)?;
    let bits = short(14)?;
    if tag == EXTENSIBLE && size >= 26 {
        tag = short(24)?;
    }
    let is_float = match (tag, bits) {
        (PCM, 8 | 16 | 24 | 32) => false,
        (FLOAT, 32) => true,
        _ => return Err(AudioError::Unsupported("WAV codec")),
    };
    if channels == 0 || channels > MAX_CHANNELS || !(1_000..=384_000).contains(&sample_rate_hz) {
        return Err(AudioError::Unsupported("WAV channels or rate"));
    }
    Ok((is_float, channels, sample_rate_hz, bits))
}

/// Reads a file. One whose samples are cut short is read as far as it goes.
///
/// # Errors
/// As [`read_header`].
pub fn parse_wav(bytes: &[u8]) -> Result<Wav<'_>, AudioError> {
    let header = read_header(bytes)?;
    let there = bytes.get(header.data_start..).unwrap_or_default();
    let is_cut = header.data_len.is_some_and(|len| len > there.len());
    let wanted = header.data_len.unwrap_or(there.len()).min(there.len());
    let frame = header.frame_bytes();
    let data = there.get(..wanted - wanted % frame).unwrap_or_default();
    Ok(Wav { header, data, is_cut })
}

impl WavHeader {
    /// Bytes of one sample of each channel.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        usize::from(self.channels) * usize::from(self.bits / 8)
    }
}

impl Wav<'_> {
    /// The sound as one channel of 16 bits: the mean of the channels.
    #[must_use]
    pub fn to_pcm(&self) -> Pcm {
        let WavHeader {
            is_float,
            bits,
            channels,
            sample_rate_hz,
            ..
        } = self.header;
        let width = usize::from(bits / 8);
        let samples = self
            .data
            .chunks_exact(self.header.frame_bytes())
            .map(|frame| {
                let sum: i32 = frame.chunks_exact(width).map(|sample| sample16(sample, is_float)).sum();
                saturate(sum / i32::from(channels))
            })
            .collect();
        Pcm {
            samples,
            sample_rate_hz,
        }
    }

    /// Length in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u32 {
        let frames = self.data.len() / self.header.frame_bytes().max(1);
        super::pcm::millis(frames, self.header.sample_rate_hz)
    }
}

/// A sample of any width as 16 bits, in `i32`.
fn sample16(sample: &[u8], is_float: bool) -> i32 {
    match *sample {
        // Eight bits are unsigned in WAV.
        [a] => (i32::from(a) - 128) << 8,
        [a, b] => i32::from(i16::from_le_bytes([a, b])),
        [_, b, c] => i32::from(i16::from_le_bytes([b, c])),
        [a, b, c, d] if is_float => {
            let value = f32::from_le_bytes([a, b, c, d]);
            // NaN becomes silence; casts saturate.
            (value * 32_768.0) as i32
        }
        [_, _, c, d] => i32::from(i16::from_le_bytes([c, d])),
        _ => 0,
    }
    .clamp(-32_768, 32_767)
}

fn saturate(value: i32) -> i16 {
    i16::try_from(value.clamp(-32_768, 32_767)).unwrap_or(0)
}

/// The 44 bytes before 16-bit samples of one channel. No length means a stream whose end is not known.
#[must_use]
pub fn write_header(sample_rate_hz: u32, data_len: Option<u32>) -> Vec<u8> {
    let mut out = Vec::with_capacity(44);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&data_len.map_or(u32::MAX, |len| len.saturating_add(36)).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    out.extend_from_slice(&PCM.to_le_bytes());
    out.extend_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&sample_rate_hz.to_le_bytes());
    out.extend_from_slice(&sample_rate_hz.saturating_mul(2).to_le_bytes());
    out.extend_from_slice(&2_u16.to_le_bytes());
    out.extend_from_slice(&16_u16.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data_len.unwrap_or(u32::MAX).to_le_bytes());
    out
}

/// A whole file of 16-bit samples of one channel.
#[must_use]
pub fn write_wav(pcm: &Pcm) -> Vec<u8> {
    let data = super::to_le_bytes(&pcm.samples);
    let mut out = write_header(pcm.sample_rate_hz, u32::try_from(data.len()).ok());
    out.extend_from_slice(&data);
    out
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    match bytes.get(at..at.checked_add(2)?)? {
        [a, b] => Some(u16::from_le_bytes([*a, *b])),
        _ => None,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at.checked_add(4)?)? {
        [a, b, c, d] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}
