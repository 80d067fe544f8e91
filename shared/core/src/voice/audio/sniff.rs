//! Which container bytes are in, by their first ones: a client's word for it is not believed.

use super::AudioError;

/// Fewest bytes that tell every container apart.
const ENOUGH: usize = 12;
/// How far into a WebM file the document type stands (it is in the first element, of less than 64 bytes).
const WEBM_HEADER: usize = 64;

/// What audio comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// RIFF WAVE.
    Wav,
    /// Ogg with Opus or Vorbis.
    Ogg,
    /// WebM, as browsers record it.
    WebM,
    /// MPEG audio, layer III.
    Mp3,
    /// MP4 or M4A, as Safari records it.
    Mp4,
    /// FLAC.
    Flac,
    /// No container: 16 bits, little endian, one channel. Never found by sniffing, only declared.
    Pcm16,
}

impl Container {
    /// Media type for `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Ogg => "audio/ogg",
            Self::WebM => "audio/webm",
            Self::Mp3 => "audio/mpeg",
            Self::Mp4 => "audio/mp4",
            Self::Flac => "audio/flac",
            Self::Pcm16 => "audio/L16",
        }
    }

    /// File name ending, without the dot: OpenAI's API tells formats by it.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Ogg => "ogg",
            Self::WebM => "webm",
            Self::Mp3 => "mp3",
            Self::Mp4 => "m4a",
            Self::Flac => "flac",
            Self::Pcm16 => "pcm",
        }
    }

    /// The container that a media type or a file name ending names, parameters left aside.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let name = name
            .strip_prefix("audio/")
            .or_else(|| name.strip_prefix("video/"))
            .unwrap_or(&name);
        Some(match name.strip_prefix("x-").unwrap_or(name) {
            "wav" | "wave" | "vnd.wave" => Self::Wav,
            "ogg" | "opus" | "oga" => Self::Ogg,
            "webm" => Self::WebM,
            "mpeg" | "mp3" | "mpga" => Self::Mp3,
            "mp4" | "m4a" | "aac" => Self::Mp4,
            "flac" => Self::Flac,
            "pcm" | "l16" | "pcm16" | "s16le" => Self::Pcm16,
            _ => return None,
        })
    }
}

/// The container of a file that begins with `bytes`.
///
/// # Errors
/// [`AudioError::Empty`], [`AudioError::TruncatedHeader`] where more bytes could decide, [`AudioError::NotAudio`].
pub fn sniff(bytes: &[u8]) -> Result<Container, AudioError> {
    if bytes.is_empty() {
        return Err(AudioError::Empty);
    }
    let at = |start: usize, magic: &[u8]| bytes.get(start..).is_some_and(|rest| rest.starts_with(magic));
    if at(0, b"RIFF") && at(8, b"WAVE") {
        Ok(Container::Wav)
    } else if at(0, b"OggS") {
        Ok(Container::Ogg)
    } else if at(0, b"fLaC") {
        Ok(Container::Flac)
    } else if at(4, b"ftyp") {
        Ok(Container::Mp4)
    } else if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        webm(bytes)
    } else if at(0, b"ID3") || is_mp3_frame(bytes) {
        Ok(Container::Mp3)
    } else if bytes.len() < ENOUGH && begins_like_audio(bytes) {
        Err(AudioError::TruncatedHeader)
    } else {
        Err(AudioError::NotAudio)
    }
}

/// Checks a recording against a limit and tells its container.
///
/// # Errors
/// As [`sniff`], and [`AudioError::TooLarge`].
pub fn check(bytes: &[u8], limit_bytes: usize) -> Result<Container, AudioError> {
    if bytes.len() > limit_bytes {
        return Err(AudioError::TooLarge { limit_bytes });
    }
    sniff(bytes)
}

/// Matroska is WebM only if its document type says so (RFC 8794, element 0x4282).
fn webm(bytes: &[u8]) -> Result<Container, AudioError> {
    let head = bytes.get(..WEBM_HEADER.min(bytes.len())).unwrap_or(bytes);
    if head.windows(4).any(|four| four == b"webm") {
        Ok(Container::WebM)
    } else if bytes.len() < WEBM_HEADER {
        Err(AudioError::TruncatedHeader)
    } else {
        Err(AudioError::Unsupported("Matroska"))
    }
}

/// A frame header of layer III with values that exist (ISO 11172-3, 2.4.1.3): text rarely looks like one.
fn is_mp3_frame(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, second, third, ..] => {
            second & 0xE0 == 0xE0
                && second & 0x18 != 0x08
                && second & 0x06 == 0x02
                && third & 0xF0 != 0xF0
                && third & 0x0C != 0x0C
        }
        _ => false,
    }
}

fn begins_like_audio(bytes: &[u8]) -> bool {
    let magics: [&[u8]; 6] = [
        b"RIFF",
        b"OggS",
        b"fLaC",
        b"ID3",
        &[0x1A, 0x45, 0xDF, 0xA3],
        &[0xFF, 0xFB],
    ];
    magics
        .iter()
        .any(|magic| magic.starts_with(bytes) || bytes.starts_with(magic))
        || bytes.starts_with(&[0, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cases_that_no_file_shows() {
        assert_eq!(sniff(b""), Err(AudioError::Empty));
        for start in [
            &b"RI"[..],
            b"RIFF\x24\0\0\0",
            b"Ogg",
            b"fL",
            &[0x1A, 0x45],
            &[0x1A, 0x45, 0xDF, 0xA3, 0x9F],
            &[0xFF],
        ] {
            assert_eq!(sniff(start), Err(AudioError::TruncatedHeader), "{start:?}");
        }
        for other in [
            &b"<!doctype html><html>"[..],
            b"{\"error\":1}",
            b"RIFF\x24\0\0\0AVI LIST",
            b"\x89PNG\r\n\x1a\n\0\0\0\r",
            b"hello",
            &[0; 64],
        ] {
            assert_eq!(sniff(other), Err(AudioError::NotAudio), "{other:?}");
        }
        let mut matroska = [0_u8; 80];
        matroska[..4].copy_from_slice(&[0x1A, 0x45, 0xDF, 0xA3]);
        matroska[8..16].copy_from_slice(b"matroska");
        assert_eq!(sniff(&matroska), Err(AudioError::Unsupported("Matroska")));
        assert_eq!(check(&[0; 9], 8), Err(AudioError::TooLarge { limit_bytes: 8 }));
    }

    #[test]
    fn names() {
        for (name, container) in [
            ("audio/webm;codecs=opus", Some(Container::WebM)),
            ("video/mp4", Some(Container::Mp4)),
            ("AUDIO/X-WAV", Some(Container::Wav)),
            ("mp3", Some(Container::Mp3)),
            ("text/html", None),
        ] {
            assert_eq!(Container::from_name(name), container, "{name}");
        }
        for container in [
            Container::Wav,
            Container::Ogg,
            Container::WebM,
            Container::Mp3,
            Container::Mp4,
            Container::Flac,
            Container::Pcm16,
        ] {
            assert_eq!(Container::from_name(container.media_type()), Some(container));
            assert_eq!(Container::from_name(container.extension()), Some(container));
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = sniff(&bytes);
        }
    }
}
