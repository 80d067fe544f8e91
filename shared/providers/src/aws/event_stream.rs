//! The binary event stream (`application/vnd.amazon.eventstream`), the reading side.
//!
//! Source: AWS, "Event stream encoding": a frame is `[total u32][headers u32][crc32] headers payload [crc32]`, big-endian.
//! Invariants: any split of the bytes gives the same frames; a frame is given only when both checksums hold; after an error
//! nothing more is read, since its place in the stream is lost.

use alloc::string::String;
use alloc::vec::Vec;
use thiserror::Error;

/// Longest frame, in bytes: a model's frames are small, and a hostile peer must not fill the memory.
const MAX_FRAME: usize = 1 << 20;
/// Total length, length of headers, checksum of both.
const PRELUDE: usize = 12;
/// Prelude and the checksum of the frame.
const OVERHEAD: usize = 16;

/// The bytes are no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Longer than [`MAX_FRAME`], or shorter than its own parts.
    #[error("length of a frame")]
    Length,
    /// A checksum does not hold.
    #[error("checksum of a frame")]
    Checksum,
    /// The headers are malformed.
    #[error("headers of a frame")]
    Headers,
}

/// One frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Headers whose value is a string; services use no others.
    pub headers: Vec<(String, String)>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A header, for example `:event-type`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Collects bytes into frames.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    broken: bool,
}

impl Decoder {
    /// Takes bytes and gives each frame that is whole now, and the error that ends the stream.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Frame, FrameError>> {
        let mut frames = Vec::new();
        if self.broken {
            return frames;
        }
        self.buffer.extend_from_slice(bytes);
        let mut rest = self.buffer.as_slice();
        loop {
            match split_frame(rest) {
                Ok(None) => break,
                Ok(Some((frame, after))) => {
                    frames.push(Ok(frame));
                    rest = after;
                }
                Err(error) => {
                    frames.push(Err(error));
                    self.broken = true;
                    rest = &[];
                    break;
                }
            }
        }
        let consumed = self.buffer.len() - rest.len();
        self.buffer.drain(..consumed);
        frames
    }
}

/// The first frame and what follows it, or none where it is not whole yet.
fn split_frame(bytes: &[u8]) -> Result<Option<(Frame, &[u8])>, FrameError> {
    let Some((prelude, _)) = bytes.split_at_checked(PRELUDE) else {
        return Ok(None);
    };
    let (lengths, checksum) = prelude.split_at_checked(8).ok_or(FrameError::Length)?;
    // Before the lengths are believed: a wrong one would make us wait for bytes that never come.
    if Some(crc32fast::hash(lengths)) != number(checksum) {
        return Err(FrameError::Checksum);
    }
    let (total, headers) = lengths.split_at_checked(4).ok_or(FrameError::Length)?;
    let total = number(total).ok_or(FrameError::Length)? as usize;
    let headers = number(headers).ok_or(FrameError::Length)? as usize;
    if !(OVERHEAD..=MAX_FRAME).contains(&total) || headers > total - OVERHEAD {
        return Err(FrameError::Length);
    }
    let Some((frame, after)) = bytes.split_at_checked(total) else {
        return Ok(None);
    };
    let (body, checksum) = frame.split_at_checked(total - 4).ok_or(FrameError::Length)?;
    if Some(crc32fast::hash(body)) != number(checksum) {
        return Err(FrameError::Checksum);
    }
    let (_, body) = body.split_at_checked(PRELUDE).ok_or(FrameError::Length)?;
    let (headers, payload) = body.split_at_checked(headers).ok_or(FrameError::Length)?;
    let frame = Frame {
        headers: read_headers(headers).ok_or(FrameError::Headers)?,
        payload: payload.into(),
    };
    Ok(Some((frame, after)))
}

/// `[length u8] name [type u8] value`, one after the other.
fn read_headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (value, rest) = match kind {
            // true, false
            0 | 1 => (None, rest),
            // u8, i16, i32, i64, timestamp, UUID
            2 => (None, rest.split_at_checked(1)?.1),
            3 => (None, rest.split_at_checked(2)?.1),
            4 => (None, rest.split_at_checked(4)?.1),
            5 | 8 => (None, rest.split_at_checked(8)?.1),
            9 => (None, rest.split_at_checked(16)?.1),
            // bytes, string: a length of two bytes comes first
            6 | 7 => {
                let (length, rest) = rest.split_at_checked(2)?;
                let (value, rest) = rest.split_at_checked(number(length)? as usize)?;
                ((*kind == 7).then_some(value), rest)
            }
            _ => return None,
        };
        if let Some(value) = value {
            let name = core::str::from_utf8(name).ok()?;
            headers.push((name.into(), core::str::from_utf8(value).ok()?.into()));
        }
        bytes = rest;
    }
    Some(headers)
}

/// Big-endian.
fn number(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [a, b] => Some(u32::from(u16::from_be_bytes([*a, *b]))),
        [a, b, c, d] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// The writing side: a frame with headers of text. Names have at most 255 bytes, values and payloads less than a frame.
#[must_use]
pub fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        block.extend_from_slice(name.as_bytes());
        block.push(7);
        block.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    let mut frame = Vec::from(length(OVERHEAD + block.len() + payload.len()).to_be_bytes());
    frame.extend_from_slice(&length(block.len()).to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&block);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    /// Made by `@smithy/eventstream-codec`, with a header of every type.
    const EVERY_TYPE: &[u8] = include_bytes!("../../testdata/aws/every-header-type.frame");

    #[test]
    fn a_frame_of_an_independent_encoder() {
        let frames = Decoder::default().push(EVERY_TYPE);
        let frame = Frame {
            headers: vec![
                (":event-type".into(), "messageStart".into()),
                ("last".into(), "é".into()),
            ],
            payload: br#"{"role":"assistant"}"#.to_vec(),
        };
        assert_eq!(frames, [Ok(frame)]);
    }

    #[test]
    fn broken_frames_end_the_stream() {
        let good = encode(&[(":event-type", "x")], b"payload");
        let check = |bytes: Vec<u8>, expected: FrameError| {
            let mut decoder = Decoder::default();
            assert_eq!(decoder.push(&bytes), [Err(expected)]);
            assert_eq!(decoder.push(&good), []);
        };
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            check(bad, FrameError::Checksum);
        }
        let mut long = Vec::from(u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes());
        long.extend_from_slice(&[0; 4]);
        long.extend_from_slice(&crc32fast::hash(&long).to_be_bytes());
        check(long, FrameError::Length);
        let mut headers = vec![0, 0, 0, 20, 0, 0, 0, 4];
        headers.extend_from_slice(&crc32fast::hash(&headers).to_be_bytes());
        headers.extend_from_slice(&[9, b'a', 7, 0]);
        headers.extend_from_slice(&crc32fast::hash(&headers).to_be_bytes());
        check(headers, FrameError::Headers);
    }

    proptest! {
        #[test]
        fn splits_do_not_matter(payloads in proptest::collection::vec("\\PC{0,40}", 0..6), cuts in proptest::collection::vec(0_usize..400, 0..12)) {
            let bytes: Vec<u8> = payloads.iter().flat_map(|payload| encode(&[(":message-type", "event"), ("n", payload)], payload.as_bytes())).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let frames: Vec<_> = cuts.windows(2).flat_map(|pair| decoder.push(&bytes[pair[0]..pair[1]])).collect();
            prop_assert_eq!(frames.len(), payloads.len());
            for (frame, payload) in frames.iter().zip(&payloads) {
                prop_assert_eq!(frame.as_ref().unwrap().header("n"), Some(payload.as_str()));
                prop_assert_eq!(&frame.as_ref().unwrap().payload, payload.as_bytes());
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Decoder::default().push(&bytes);
        }
    }
}
