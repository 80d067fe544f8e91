//! Amazon Polly: neural and generative voices, signed with SigV4.
//!
//! Source: Amazon Polly, API reference, "SynthesizeSpeech", and the service model of botocore.

use super::audio::AudioStream;
use super::body::Whole;
use super::{Decode, ResponseHead, TtsWire, chars, error, speakable};
use crate::aws::sigv4::{Credentials, Paths, Payload, Request, Signer};
use crate::http::{HttpRequest, Method};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use serde_json::{Value, json};
use silent_core::voice::audio::Container;
use silent_core::voice::port::{SpeechError, SpeechEvent, SpeechRequest};

#[cfg(test)]
pub(super) mod tests;

/// Billed characters of one request.
const MAX_CHARS: usize = 3_000;

/// How a voice is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Neural.
    Neural,
    /// Generative: more natural, fewer voices and regions.
    Generative,
}

impl Engine {
    fn as_str(self) -> &'static str {
        match self {
            Self::Neural => "neural",
            Self::Generative => "generative",
        }
    }
}

/// An account in a region.
#[derive(Debug, Clone)]
pub struct Speech {
    /// Who signs.
    pub credentials: Credentials,
    /// For example `eu-central-1`.
    pub region: String,
    /// In place of `https://polly.{region}.amazonaws.com`, for a proxy.
    pub base_url: Option<String>,
    /// How voices are made. A request's model overrides it: `neural`, `generative`.
    pub engine: Engine,
}

/// The vendor's name of a format, and its rate.
fn format_of(ask: &SpeechRequest) -> Result<(&'static str, u32), SpeechError> {
    let nearest = |offered: &[u32]| {
        let above = offered.iter().copied().find(|rate| *rate >= ask.sample_rate_hz);
        above.or(offered.last().copied()).unwrap_or(16_000)
    };
    match ask.container {
        Container::Pcm16 => Ok(("pcm", nearest(&[8_000, 16_000]))),
        Container::Mp3 => Ok(("mp3", nearest(&[8_000, 16_000, 22_050, 24_000]))),
        Container::Ogg => Ok(("ogg_opus", nearest(&[8_000, 12_000, 16_000, 24_000, 48_000]))),
        _ => Err(SpeechError::Unsupported("container")),
    }
}

impl TtsWire for Speech {
    fn max_chars(&self) -> usize {
        MAX_CHARS
    }

    fn request(&self, ask: &SpeechRequest, now_ms: u64) -> Result<HttpRequest, SpeechError> {
        let (format, rate) = format_of(ask)?;
        let mut body = json!({
            "Engine": ask.model.as_deref().unwrap_or(self.engine.as_str()),
            "OutputFormat": format,
            "SampleRate": rate.to_string(),
            "Text": speakable(&ask.text, MAX_CHARS)?,
            "TextType": "text",
            "VoiceId": ask.voice,
        });
        // Only voices of two languages need it, and those take whole tags.
        if let (Some(tag), Some(fields)) = (
            ask.language.as_ref().filter(|tag| tag.contains('-')),
            body.as_object_mut(),
        ) {
            fields.insert("LanguageCode".to_string(), json!(tag));
        }
        let base = match &self.base_url {
            Some(base) => base.trim_end_matches('/').to_string(),
            None => format!("https://polly.{}.amazonaws.com", self.region),
        };
        let url = format!("{base}/v1/speech");
        let body = body.to_string().into_bytes();
        let signer = Signer {
            credentials: &self.credentials,
            region: &self.region,
            service: "polly",
            now_ms,
            paths: Paths::Normalized,
            content_sha256: false,
        };
        let mut headers = signer.sign(&Request {
            method: "POST",
            url: &url,
            headers: &[("content-type", "application/json")],
            payload: Payload::Bytes(&body),
        });
        headers.push(("content-type", "application/json".to_string()));
        Ok(HttpRequest {
            method: Method::Post,
            url,
            headers,
            body,
        })
    }

    fn decoder(&self, head: &ResponseHead, ask: &SpeechRequest) -> Box<dyn Decode<SpeechEvent>> {
        if !(200..300).contains(&head.status) {
            let head = head.clone();
            return Whole::error(move |body| refused(&head, body));
        }
        let billed = head
            .number("x-amzn-requestcharacters")
            .unwrap_or_else(|| chars(&ask.text));
        let rate = format_of(ask).map_or(0, |(_, rate)| rate);
        AudioStream::of_body(head, ask.container, rate, billed)
    }
}

/// Throttling and mistakes share the status 400: the exception's name tells them apart.
pub(super) fn refused(head: &ResponseHead, body: &Value) -> SpeechError {
    let in_body = || body.get("__type").or_else(|| body.get("code")).and_then(Value::as_str);
    let named = head.header("x-amzn-errortype").or_else(in_body).unwrap_or("");
    // `ThrottlingException:http://…` and `com.amazonaws.polly#ThrottlingException`.
    let name = named.split(':').next().unwrap_or("").rsplit('#').next().unwrap_or("");
    match name {
        "ThrottlingException" | "TooManyRequestsException" | "LimitExceededException" => error::busy(head),
        "TextLengthExceededException" | "InvalidSsmlException" => SpeechError::Text("refused by the provider"),
        "EngineNotSupportedException" => SpeechError::Unsupported("engine"),
        "LanguageNotSupportedException" => SpeechError::Unsupported("language"),
        "InvalidSampleRateException" => SpeechError::Unsupported("sample rate"),
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "AccessDeniedException" => SpeechError::Account,
        _ => error::of_status(head),
    }
}
