//! Audio as it arrives: checked against what was asked for, in blocks of one size.
//!
//! Blocks make the events independent of how the network cut the bytes.

use super::{Decode, Events, ResponseHead};
use alloc::boxed::Box;
use alloc::vec::Vec;
use silent_core::voice::audio::{AudioError, Container, read_header, sniff};
use silent_core::voice::port::{SpeechError, SpeechEvent};

/// Length of a block of PCM.
pub const BLOCK_MS: u32 = 100;
/// Bytes of a block of a compressed container: about a quarter of a second.
const BLOCK_BYTES: usize = 4_096;
/// Bytes that tell containers apart.
const ENOUGH: usize = 64;
const OTHER: SpeechError = SpeechError::Protocol("audio of another format than was asked for");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first bytes are being looked at.
    Head,
    Body {
        block: usize,
    },
    /// An error was given, or the end.
    Over,
}

/// A stream of audio with what is billed for it.
#[derive(Debug)]
pub(super) struct AudioStream {
    wanted: Container,
    rate_hz: u32,
    billed: u32,
    length: Option<u64>,
    bytes: Vec<u8>,
    received: u64,
    /// Samples that a WAV header promised, in bytes.
    left: Option<usize>,
    stage: Stage,
}

impl AudioStream {
    pub(super) fn new(wanted: Container, rate_hz: u32, billed: u32) -> Self {
        Self {
            wanted,
            rate_hz,
            billed,
            length: None,
            bytes: Vec::new(),
            received: 0,
            left: None,
            stage: Stage::Head,
        }
    }

    /// The reader of an answer whose body is the audio.
    pub(super) fn of_body(
        head: &ResponseHead,
        wanted: Container,
        rate_hz: u32,
        billed: u32,
    ) -> Box<dyn Decode<SpeechEvent>> {
        let mut stream = Self::new(wanted, rate_hz, billed);
        stream.length = head
            .header("content-length")
            .and_then(|value| value.trim().parse().ok());
        // A proxy that answers with a page, or a vendor with a JSON error under 200.
        let is_text = head
            .media_type()
            .is_some_and(|media| media.starts_with("text/") || media.ends_with("json") || media.ends_with("xml"));
        Box::new(Checked { stream, is_text })
    }

    fn fail(&mut self, error: SpeechError) -> Events<SpeechEvent> {
        self.stage = Stage::Over;
        self.bytes = Vec::new();
        alloc::vec![Err(error)]
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Events<SpeechEvent> {
        self.received += bytes.len() as u64;
        if self.stage == Stage::Over {
            return Vec::new();
        }
        self.bytes.extend_from_slice(bytes);
        let mut out = Vec::new();
        if self.stage == Stage::Head {
            if self.bytes.len() < ENOUGH {
                return out;
            }
            match self.begin() {
                Ok(Some(event)) => out.push(Ok(event)),
                Ok(None) => return out,
                Err(error) => return self.fail(error),
            }
        }
        self.blocks(&mut out);
        out
    }

    pub(super) fn finish(&mut self) -> Events<SpeechEvent> {
        let mut out = Vec::new();
        if self.stage == Stage::Over {
            return out;
        }
        if self.length.is_some_and(|length| length > self.received) {
            return self.fail(SpeechError::Truncated);
        }
        if self.stage == Stage::Head {
            match self.begin() {
                Ok(Some(event)) => out.push(Ok(event)),
                Ok(None) => return self.fail(SpeechError::Audio(AudioError::TruncatedHeader)),
                Err(error) => return self.fail(error),
            }
        }
        self.blocks(&mut out);
        let mut rest = core::mem::take(&mut self.bytes);
        if let Some(left) = self.left {
            rest.truncate(left);
            if rest.len() < left {
                out.extend(self.fail(SpeechError::Truncated));
                return out;
            }
        }
        if self.wanted == Container::Pcm16 {
            rest.truncate(rest.len() & !1);
        }
        if !rest.is_empty() {
            out.push(Ok(SpeechEvent::Audio(rest)));
        }
        self.stage = Stage::Over;
        out.push(Ok(SpeechEvent::Billed {
            characters: self.billed,
        }));
        out.push(Ok(SpeechEvent::Done));
        out
    }

    /// Looks at the first bytes. None means that more are needed.
    fn begin(&mut self) -> Result<Option<SpeechEvent>, SpeechError> {
        if self.bytes.is_empty() {
            return Err(SpeechError::Audio(AudioError::Empty));
        }
        let found = sniff(&self.bytes).ok();
        if self.wanted == Container::Pcm16 {
            match found {
                Some(Container::Wav) => return self.unwrap_wav(),
                // A sample can look like the header of a frame of MP3, but not like these.
                Some(Container::Ogg | Container::Flac | Container::Mp4 | Container::WebM) => return Err(OTHER),
                Some(Container::Mp3) if self.bytes.starts_with(b"ID3") => return Err(OTHER),
                _ => {}
            }
        } else if found != Some(self.wanted) {
            return Err(OTHER);
        }
        Ok(Some(self.started(self.rate_hz)))
    }

    /// Servers that only know WAV are served by leaving out its header, which tells the true rate.
    fn unwrap_wav(&mut self) -> Result<Option<SpeechEvent>, SpeechError> {
        match read_header(&self.bytes) {
            Ok(header) if header.bits == 16 && header.channels == 1 => {
                self.bytes.drain(..header.data_start);
                self.left = header.data_len;
                Ok(Some(self.started(header.sample_rate_hz)))
            }
            Ok(_) => Err(OTHER),
            Err(AudioError::TruncatedHeader) => Ok(None),
            Err(error) => Err(SpeechError::Audio(error)),
        }
    }

    fn started(&mut self, rate_hz: u32) -> SpeechEvent {
        let is_pcm = self.wanted == Container::Pcm16;
        let pcm_block = usize::try_from(rate_hz / (1_000 / BLOCK_MS)).unwrap_or(BLOCK_BYTES) * 2;
        self.stage = Stage::Body {
            block: if is_pcm { pcm_block.max(2) } else { BLOCK_BYTES },
        };
        SpeechEvent::Started {
            container: self.wanted,
            sample_rate_hz: if is_pcm { rate_hz } else { 0 },
        }
    }

    fn blocks(&mut self, out: &mut Events<SpeechEvent>) {
        let Stage::Body { block } = self.stage else {
            return;
        };
        while self.bytes.len() >= block && self.left.is_none_or(|left| left >= block) {
            let rest = self.bytes.split_off(block);
            out.push(Ok(SpeechEvent::Audio(core::mem::replace(&mut self.bytes, rest))));
            self.left = self.left.map(|left| left - block);
        }
    }
}

struct Checked {
    stream: AudioStream,
    is_text: bool,
}

impl Decode<SpeechEvent> for Checked {
    fn push(&mut self, bytes: &[u8]) -> Events<SpeechEvent> {
        if self.is_text {
            Vec::new()
        } else {
            self.stream.push(bytes)
        }
    }

    fn finish(&mut self) -> Events<SpeechEvent> {
        if self.is_text {
            return alloc::vec![Err(SpeechError::Protocol("text in place of audio"))];
        }
        self.stream.finish()
    }
}
