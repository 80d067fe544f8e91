//! A turn with a recording: its words, the answer's parts as the chat Worker sends them, and the answer's sound.
//!
//! Invariant: the text never waits for the voice, and a voice that fails takes nothing from the text.

mod talk;

use crate::door::{Door, Fail};
use crate::problem::{self, MAX_RECORDING};
use crate::recordings::Keeper;
use crate::say::{Took, Voice};
use serde::Deserialize;
use silent_core::ids::SessionId;
use silent_core::trace::{Direction, SpokenPart};
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, check, dbfs, duration_ms, parse_wav, write_header};
use silent_core::voice::port::{SpeechError, TranscriptionRequest};
use silent_edge::audio_store::Side;
use silent_edge::error::ApiError;
use silent_edge::queue::VoiceFigures;
use silent_edge::{SystemClock, http};
use talk::{Talk, respond};
use worker::{Context, Request, Response};

/// Hertz of PCM where nothing else is asked for.
const RATE_HZ: u32 = 24_000;
/// A recording that never gets louder is silence.
const SILENCE_DBFS: f32 = -60.0;

#[derive(Deserialize)]
struct Query {
    /// `pcm` (default), `wav`, `mp3`, `opus` or `flac`.
    format: Option<String>,
    /// BCP 47, of the recording; without it the session's.
    language: Option<String>,
}

/// Accepts a recording and streams the turn.
pub(crate) async fn create(
    door: &Door,
    mut request: Request,
    session: SessionId,
    context: &Context,
) -> Result<Response, Fail> {
    let query: Query = request
        .query()
        .map_err(|_| ApiError::Invalid("format and language must be text".into()))?;
    let format = query.format.as_deref().unwrap_or("pcm");
    let container = match format {
        "pcm" | "wav" => Container::Pcm16,
        "mp3" => Container::Mp3,
        "opus" => Container::Ogg,
        "flac" => Container::Flac,
        _ => return Err(ApiError::Invalid("format must be pcm, wav, mp3, opus or flac".into()).into()),
    };
    let (chat, settings) = door.enter(&request, &session).await?;
    let content_type = http::header(request.headers(), "content-type").unwrap_or_default();
    let key = http::header(request.headers(), "idempotency-key");
    let body = http::body_up_to(&mut request, MAX_RECORDING)
        .await
        .map_err(problem::of_body)?;
    let ended_ms = SystemClock.now_ms();
    let recording = recording(
        body,
        &content_type,
        query.language.or_else(|| Some(settings.locale.clone())),
    )?;
    let heard = door.speech.transcribe(&recording).await.map_err(problem::of_speech)?;
    if heard.transcript.text.trim().is_empty() {
        return Err(problem::no_speech().into());
    }
    let turn = chat.say(&heard.transcript.text, key.as_deref()).await?;
    let keeper = Keeper::new(&door.env, &settings, &session);
    let said_ms = heard
        .transcript
        .duration_ms
        .or_else(|| duration_ms(&recording.audio, recording.container, recording.sample_rate_hz))
        .unwrap_or(0);
    if let Some(keeper) = keeper.clone() {
        let (turn_id, media_type) = (turn.turn_id.clone(), recording.container.media_type());
        let audio = recording.audio;
        context.wait_until(async move { keeper.keep(&turn_id, Side::Said, media_type, &audio).await });
    }
    let voice = Voice {
        speech: door.speech.clone(),
        phrases: door.env.bucket("BUCKET").ok(),
        preferred: settings.voice.clone(),
        language: settings.locale.clone(),
        container,
        sample_rate_hz: RATE_HZ,
        traceparent: chat.traceparent.clone(),
    };
    Ok(respond(Talk::new(
        chat,
        settings,
        turn,
        voice,
        format == "wav",
        &heard,
        said_ms,
        ended_ms,
        keeper,
    ))?)
}

/// The body as a recording: raw PCM where it says so, else what its first bytes tell.
fn recording(body: Vec<u8>, content_type: &str, language: Option<String>) -> Result<TranscriptionRequest, ApiError> {
    let declared = Container::from_name(content_type);
    let (container, sample_rate_hz) = if declared == Some(Container::Pcm16) {
        if body.is_empty() {
            return Err(problem::of_audio(silent_core::voice::audio::AudioError::Empty));
        }
        let rate = content_type
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("rate"))
            .map_or(Some(16_000), |(_, rate)| rate.trim().parse().ok())
            .filter(|rate| (8_000..=96_000).contains(rate))
            .ok_or_else(|| ApiError::Invalid("rate must be 8000 to 96000".into()))?;
        (Container::Pcm16, rate)
    } else {
        (check(&body, MAX_RECORDING).map_err(problem::of_audio)?, 0)
    };
    if is_silent(&body, container) {
        return Err(problem::no_speech());
    }
    Ok(TranscriptionRequest {
        audio: body,
        container,
        sample_rate_hz,
        language,
        prompt: None,
        words: false,
        traceparent: None,
    })
}

/// Whether a recording is silence, where that can be told without decoding: providers invent words for it.
pub(crate) fn is_silent(bytes: &[u8], container: Container) -> bool {
    let samples = match container {
        Container::Pcm16 => silent_core::voice::audio::from_le_bytes(bytes),
        Container::Wav => match parse_wav(bytes) {
            Ok(wav) => wav.to_pcm().samples,
            Err(_) => return false,
        },
        _ => return false,
    };
    // In pieces of 20 ms at 16 kHz: a word is louder than the silence around it.
    samples.chunks(320).all(|piece| dbfs(piece) < SILENCE_DBFS)
}

/// An answer's sound as a file.
pub(crate) fn finished(audio: &[u8], voice: &Voice) -> (&'static str, Vec<u8>) {
    if voice.container != Container::Pcm16 || audio.is_empty() {
        return (voice.container.media_type(), audio.to_vec());
    }
    let mut file = write_header(voice.sample_rate_hz, u32::try_from(audio.len()).ok());
    file.extend_from_slice(audio);
    (Container::Wav.media_type(), file)
}

/// Adds what a chunk took.
pub(crate) fn note(figures: &mut VoiceFigures, took: &Took) {
    if figures.tts_provider.is_none() {
        figures.tts_provider = Some(took.provider.clone());
        figures.tts_first_ms = Some(took.first_ms);
    }
    figures.tts_chars = figures.tts_chars.saturating_add(took.characters);
    figures.tts_failovers = figures.tts_failovers.saturating_add(took.failovers);
    figures.cached_chunks += u32::from(took.is_cached);
    figures.cost_micros = figures.cost_micros.saturating_add(took.cost_micros);
    figures.parts.push(SpokenPart {
        direction: Direction::Tts,
        start_ms: took.began_ms,
        end_ms: took.ended_ms,
        provider: Some(took.provider.clone()),
        amount: took.characters.into(),
        is_cached: took.is_cached,
        error: None,
    });
}

/// Adds that nobody spoke a chunk.
pub(crate) fn note_failure(figures: &mut VoiceFigures, error: &SpeechError, began_ms: u64) {
    figures.error = Some(error.slug().into());
    figures.parts.push(SpokenPart {
        direction: Direction::Tts,
        start_ms: began_ms,
        end_ms: SystemClock.now_ms(),
        provider: None,
        amount: 0,
        is_cached: false,
        error: Some(error.slug().into()),
    });
}

/// What was heard from the end of speech to its words, as a part of the trace.
pub(crate) fn hearing(figures: &VoiceFigures, ended_ms: u64) -> SpokenPart {
    SpokenPart {
        direction: Direction::Stt,
        start_ms: ended_ms,
        end_ms: ended_ms.saturating_add(figures.stt_ms),
        provider: Some(figures.stt_provider.clone()),
        amount: figures.said_ms.into(),
        is_cached: false,
        error: None,
    }
}
