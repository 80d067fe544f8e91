//! `POST /v1/audio/speech`. Source: OpenAI API reference, "Create speech".

use super::{Refusal, model};
use crate::door::Door;
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use silent_core::voice::audio::{Container, Resampler, from_le_bytes, to_le_bytes, write_header};
use silent_core::voice::port::SpeechEvent;
use silent_edge::api_key::ApiKey;
use silent_edge::speech::Saying;
use silent_edge::{http, log};
use worker::{Request, Response};

const MODELS: [&str; 4] = ["companion", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"];
const MAX_CHARS: usize = 4_096;
/// The rate of OpenAI's PCM, which programs rely on.
const RATE_HZ: u32 = 24_000;
/// Names that stand for the configured voice.
const ANY: [&str; 14] = [
    "companion",
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "onyx",
    "nova",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
];

#[derive(Deserialize)]
struct Ask {
    model: Option<String>,
    input: Option<String>,
    voice: Option<String>,
    response_format: Option<String>,
    speed: Option<f64>,
    stream_format: Option<String>,
    /// Ours: BCP 47; English without it.
    language: Option<String>,
}

pub(super) async fn create(door: &Door, mut request: Request, key: &ApiKey) -> Result<Response, Refusal> {
    let body = http::body(&mut request).await?;
    let ask: Ask = serde_json::from_slice(&body)
        .map_err(|_| Refusal::invalid(None, None, "We could not parse the JSON body of your request."))?;
    let name = ask
        .model
        .ok_or_else(|| Refusal::invalid(Some("model"), None, "you must provide a model parameter"))?;
    model(&name, &MODELS)?;
    let input = ask.input.unwrap_or_default();
    if input.trim().is_empty() {
        return Err(Refusal::invalid(Some("input"), None, "Invalid 'input': empty string."));
    }
    if input.chars().count() > MAX_CHARS {
        return Err(Refusal::invalid(
            Some("input"),
            Some("string_above_max_length"),
            format!("String should have at most {MAX_CHARS} characters"),
        ));
    }
    let voice = ask
        .voice
        .ok_or_else(|| Refusal::invalid(Some("voice"), None, "you must provide a voice parameter"))?;
    let is_own = door.speech.tts.iter().any(|tts| tts.has_voice(&voice));
    if !is_own && !ANY.contains(&voice.as_str()) {
        return Err(Refusal::invalid(
            Some("voice"),
            Some("unsupported_value"),
            "There is no such voice.",
        ));
    }
    if ask.speed.is_some_and(|speed| (speed - 1.0).abs() > f64::EPSILON) {
        return Err(Refusal::invalid(
            Some("speed"),
            Some("unsupported_parameter"),
            "speed is not supported; leave it out.",
        ));
    }
    if ask.stream_format.as_deref().is_some_and(|format| format != "audio") {
        return Err(Refusal::invalid(
            Some("stream_format"),
            Some("unsupported_value"),
            "stream_format must be audio",
        ));
    }
    let format = ask.response_format.as_deref().unwrap_or("mp3");
    let (container, media_type) = match format {
        "pcm" => (Container::Pcm16, "audio/pcm"),
        "wav" => (Container::Pcm16, "audio/wav"),
        "mp3" => (Container::Mp3, "audio/mpeg"),
        "opus" => (Container::Ogg, "audio/ogg"),
        "flac" => (Container::Flac, "audio/flac"),
        _ => {
            return Err(Refusal::invalid(
                Some("response_format"),
                Some("unsupported_value"),
                "response_format must be mp3, opus, flac, wav or pcm",
            ));
        }
    };
    let saying = Saying {
        text: input,
        language: ask.language.unwrap_or_else(|| "en".into()),
        container,
        sample_rate_hz: RATE_HZ,
        voice: is_own.then_some(voice),
        traceparent: http::header(request.headers(), "traceparent"),
    };
    let spoken = door.speech.speak(None, &saying).await?;
    let fields = json!({"key": key.id, "provider": spoken.provider, "chars": saying.text.chars().count()});
    log::line("info", "audio-spoken", &door.correlation_id, fields);
    let head = (format == "wav").then(|| write_header(RATE_HZ, None));
    let resampler = (container == Container::Pcm16 && spoken.sample_rate_hz != RATE_HZ)
        .then(|| Resampler::new(spoken.sample_rate_hz, RATE_HZ));
    let body = stream::unfold(
        (spoken, head, resampler),
        |(mut spoken, mut head, mut resampler)| async move {
            if let Some(head) = head.take() {
                return Some((Ok(head), (spoken, None, resampler)));
            }
            loop {
                match spoken.next().await {
                    Some(Ok(SpeechEvent::Audio(bytes))) => {
                        let bytes = match &mut resampler {
                            Some(resampler) => to_le_bytes(&resampler.push(&from_le_bytes(&bytes))),
                            None => bytes,
                        };
                        return Some((Ok(bytes), (spoken, None, resampler)));
                    }
                    Some(Ok(_)) => {}
                    // A stream that breaks off tells the client that the file is not whole.
                    Some(Err(error)) => {
                        let error = worker::Error::RustError(error.slug().into());
                        return Some((Err(error), (spoken, None, resampler)));
                    }
                    None => {
                        let rest = to_le_bytes(&resampler.take()?.finish());
                        return Some((Ok(rest), (spoken, None, None)));
                    }
                }
            }
        },
    );
    let response = Response::from_stream(Box::pin(body))?;
    response.headers().set("content-type", media_type)?;
    Ok(response)
}
