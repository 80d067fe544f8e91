//! Cards in images: PNG text chunks with base 64 of the card's JSON.
//!
//! Source: PNG specification (W3C, third edition), sections 5 and 11.3.3; character card V3, "PNG/APNG": keyword `ccv3`,
//! which wins over `chara`. Only what is needed of an image is read, and every checksum of it is compared.

use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// The wide-spread pair of keywords, the better one first.
const KEYWORDS: [&str; 2] = ["ccv3", "chara"];
/// One transparent pixel: what carries a card that came without an image.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
\0\0\0\nIDAT\x78\x9c\x63\0\x01\0\0\x05\0\x01\x0d\x0a\x2d\xb4\0\0\0\0IEND\xae\x42\x60\x82";
/// Writers differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why bytes are not an image with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PngError {
    /// No PNG signature.
    #[error("the file is not a PNG image")]
    Signature,
    /// A chunk that goes beyond the end, or no end.
    #[error("the image breaks off")]
    Truncated,
    /// A checksum that does not fit.
    #[error("the image is damaged: the checksum of a chunk is wrong")]
    Checksum,
    /// No chunk with a card.
    #[error("the image carries no character card (tEXt chara or ccv3)")]
    NoCard,
    /// A chunk that is not base 64 of text.
    #[error("the image's character card is not base 64 of UTF-8")]
    Encoding,
}

struct Chunk<'a> {
    kind: &'a [u8],
    body: &'a [u8],
    /// Length, kind, body and checksum.
    whole: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn take(rest: &'a [u8]) -> Result<(Self, &'a [u8]), PngError> {
        let (head, _) = rest.split_first_chunk::<4>().ok_or(PngError::Truncated)?;
        let length = usize::try_from(u32::from_be_bytes(*head)).map_err(|_| PngError::Truncated)?;
        let end = length.checked_add(12).ok_or(PngError::Truncated)?;
        let (whole, after) = rest.split_at_checked(end).ok_or(PngError::Truncated)?;
        let covered = whole.get(4..length.saturating_add(8)).ok_or(PngError::Truncated)?;
        let (_, sum) = whole.split_last_chunk::<4>().ok_or(PngError::Truncated)?;
        let (kind, body) = covered.split_at_checked(4).ok_or(PngError::Truncated)?;
        if crc32fast::hash(covered) != u32::from_be_bytes(*sum) {
            return Err(PngError::Checksum);
        }
        Ok((Self { kind, body, whole }, after))
    }

    /// The value of a text chunk with this keyword.
    fn text(&self, keyword: &str) -> Option<&'a [u8]> {
        let value = self.body.strip_prefix(keyword.as_bytes())?.strip_prefix(b"\0")?;
        (self.kind == b"tEXt").then_some(value)
    }
}

fn chunks(png: &[u8]) -> Result<Vec<Chunk<'_>>, PngError> {
    let mut rest = png.strip_prefix(SIGNATURE).ok_or(PngError::Signature)?;
    let mut out = Vec::new();
    loop {
        let (chunk, after) = Chunk::take(rest)?;
        let is_end = chunk.kind == b"IEND";
        out.push(chunk);
        if is_end {
            return Ok(out);
        }
        rest = after;
    }
}

/// The JSON of the card that an image carries.
///
/// # Errors
/// [`PngError`].
pub fn read(png: &[u8]) -> Result<String, PngError> {
    let chunks = chunks(png)?;
    let found = KEYWORDS
        .iter()
        .find_map(|keyword| chunks.iter().find_map(|chunk| chunk.text(keyword)));
    let value = found.ok_or(PngError::NoCard)?;
    let value: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let json = BASE64.decode(value).map_err(|_| PngError::Encoding)?;
    String::from_utf8(json).map_err(|_| PngError::Encoding)
}

fn push_chunk(out: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    // A card has at most a few hundred KiB.
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    let from = out.len();
    out.extend_from_slice(kind);
    out.extend_from_slice(body);
    let sum = crc32fast::hash(out.get(from..).unwrap_or_default());
    out.extend_from_slice(&sum.to_be_bytes());
}

/// An image that carries these texts, before its end, in place of any card that it had; without an image, one pixel.
///
/// # Errors
/// [`PngError`] where the image is none.
pub fn embed(image: Option<&[u8]>, texts: &[(&str, String)]) -> Result<Vec<u8>, PngError> {
    let mut out = Vec::from(*SIGNATURE);
    for chunk in chunks(image.unwrap_or(PIXEL))? {
        if KEYWORDS.iter().any(|keyword| chunk.text(keyword).is_some()) {
            continue;
        }
        if chunk.kind == b"IEND" {
            for (keyword, text) in texts {
                let mut body = Vec::from(keyword.as_bytes());
                body.push(0);
                body.extend_from_slice(BASE64.encode(text).as_bytes());
                push_chunk(&mut out, b"tEXt", &body);
            }
        }
        out.extend_from_slice(chunk.whole);
    }
    Ok(out)
}
