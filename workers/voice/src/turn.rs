//! A turn with a recording: its words, the answer's parts as the chat Worker sends them, and the answer's sound.
//!
//! Invariant: the text never waits for the voice, and a voice that fails takes nothing from the text.

use crate::chat::{self, Chat, Kind, Settings, TurnStream};
use crate::door::{Door, Fail};
use crate::problem::{self, MAX_RECORDING};
use crate::recordings::Keeper;
use crate::say::{Took, Voice, is_fixed, pcm_ms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::ids::SessionId;
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, check, dbfs, duration_ms, parse_wav, write_header};
use silent_core::voice::chunker::{Chunker, ChunkerConfig, SpeechChunk};
use silent_core::voice::port::{SpeechError, TranscriptionRequest};
use silent_edge::audio_store::Side;
use silent_edge::error::ApiError;
use silent_edge::queue::VoiceFigures;
use silent_edge::speech::Heard;
use silent_edge::{SystemClock, http};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use worker::{Context, Request, Response};

/// Chunks that are spoken at the same time.
const AHEAD: usize = 2;
/// Hertz of PCM where nothing else is asked for.
const RATE_HZ: u32 = 24_000;
/// A recording that never gets louder is silence.
const SILENCE_DBFS: f32 = -60.0;
/// Longest answer that is kept, bytes.
const MAX_KEPT: usize = 32 << 20;

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

/// What a chunk's task tells.
enum Said {
    Audio(Vec<u8>),
    Ended(Result<Took, SpeechError>),
}

struct Running {
    index: u32,
    text: String,
    said: mpsc::UnboundedReceiver<Said>,
    blocks: u32,
}

/// The stream's state.
struct Talk {
    chat: Chat,
    settings: Settings,
    turn: TurnStream,
    voice: Rc<Voice>,
    as_wav: bool,
    chunker: Chunker,
    waiting: VecDeque<SpeechChunk>,
    running: VecDeque<Running>,
    out: VecDeque<String>,
    /// `finish`, which is sent when the voice is done too.
    held: Option<String>,
    is_text_over: bool,
    is_fixed: Option<bool>,
    is_mute: bool,
    is_over: bool,
    events: usize,
    figures: VoiceFigures,
    ended_ms: u64,
    keeper: Option<Keeper>,
    answered: Vec<u8>,
}

fn data(kind: &str, data: &Value) -> String {
    json!({"type": format!("data-{kind}"), "data": data, "transient": true}).to_string()
}

impl Talk {
    #[allow(clippy::too_many_arguments, reason = "all that a talk begins with")]
    fn new(
        chat: Chat,
        settings: Settings,
        turn: TurnStream,
        voice: Voice,
        as_wav: bool,
        heard: &Heard,
        said_ms: u32,
        ended_ms: u64,
        keeper: Option<Keeper>,
    ) -> Self {
        let transcript = &heard.transcript;
        let first = data(
            "transcript",
            &json!({"text": transcript.text, "language": transcript.language, "duration_ms": said_ms}),
        );
        Self {
            chat,
            settings,
            turn,
            voice: Rc::new(voice),
            as_wav,
            chunker: Chunker::new(ChunkerConfig::default()),
            waiting: VecDeque::new(),
            running: VecDeque::new(),
            out: [first].into(),
            held: None,
            is_text_over: false,
            is_fixed: None,
            is_mute: false,
            is_over: false,
            events: 0,
            figures: VoiceFigures {
                channel: "http".into(),
                said_ms,
                stt_provider: heard.provider.clone(),
                stt_ms: heard.took_ms,
                stt_failovers: heard.failovers,
                cost_micros: heard.micros_per_minute.saturating_mul(u64::from(said_ms)) / 60_000,
                ..VoiceFigures::default()
            },
            ended_ms,
            keeper,
            answered: Vec::new(),
        }
    }

    /// The next bytes of the stream; none at its end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(data) = self.out.pop_front() {
                let id = self.events;
                self.events += 1;
                return Some(format!("id: {id}\ndata: {data}\n\n").into_bytes());
            }
            if self.is_over {
                return None;
            }
            self.start_chunks();
            if self.is_text_over && self.running.is_empty() {
                self.end().await;
                continue;
            }
            self.step().await;
        }
    }

    fn start_chunks(&mut self) {
        while self.running.len() < AHEAD {
            let Some(chunk) = self.waiting.pop_front() else { return };
            let (tell, said) = mpsc::unbounded();
            let (voice, is_fixed) = (self.voice.clone(), self.is_fixed == Some(true));
            let text = chunk.spoken.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let saying = voice.say(text, is_fixed, |bytes| tell.unbounded_send(Said::Audio(bytes)).is_ok());
                let took = saying.await;
                let _ = tell.unbounded_send(Said::Ended(took));
            });
            self.running.push_back(Running {
                index: chunk.index,
                text: chunk.spoken,
                said,
                blocks: 0,
            });
        }
    }

    /// Waits for the text or the voice, whichever is first.
    async fn step(&mut self) {
        enum Next {
            Part(Option<String>),
            Said(Option<Said>),
        }
        let next = match (self.is_text_over, self.running.front_mut()) {
            (true, Some(running)) => Next::Said(running.said.next().await),
            (_, None) => Next::Part(self.turn.next().await),
            (false, Some(running)) => match select(pin!(self.turn.next()), running.said.next()).await {
                Either::Left((part, _)) => Next::Part(part),
                Either::Right((said, _)) => Next::Said(said),
            },
        };
        match next {
            Next::Part(part) => self.part(part),
            Next::Said(said) => self.said(said),
        }
    }

    fn part(&mut self, part: Option<String>) {
        let Some(part) = part else {
            // The stream broke off: the turn goes on there, and can be read again by its id.
            self.out
                .push_back(json!({"type": "error", "errorText": "The stream broke off."}).to_string());
            return self.text_over();
        };
        match chat::kind(&part) {
            Kind::Text(delta) => {
                let settings = &self.settings;
                self.is_fixed.get_or_insert_with(|| is_fixed(&delta, settings));
                self.out.push_back(part);
                let chunks = self.chunker.push(&delta);
                self.speak(chunks);
            }
            Kind::Ended => {
                self.held = Some(part);
                self.text_over();
            }
            Kind::Done => self.text_over(),
            Kind::Failed | Kind::Other => self.out.push_back(part),
        }
    }

    fn text_over(&mut self) {
        if !self.is_text_over {
            self.is_text_over = true;
            let chunks = self.chunker.finish();
            self.speak(chunks);
        }
    }

    fn speak(&mut self, chunks: Vec<SpeechChunk>) {
        if !self.is_mute {
            self.waiting.extend(chunks);
        }
    }

    fn said(&mut self, said: Option<Said>) {
        let Some(running) = self.running.front_mut() else {
            return;
        };
        match said {
            Some(Said::Audio(bytes)) => {
                let rate = self.voice.sample_rate_hz;
                let is_pcm = self.voice.container == Container::Pcm16;
                if self.figures.first_audio_ms.is_none() {
                    self.figures.first_audio_ms = Some(SystemClock.now_ms().saturating_sub(self.ended_ms));
                }
                if is_pcm {
                    self.figures.answered_ms = self.figures.answered_ms.saturating_add(pcm_ms(bytes.len(), rate));
                }
                if self.keeper.is_some() && self.answered.len() + bytes.len() <= MAX_KEPT {
                    self.answered.extend_from_slice(&bytes);
                }
                let is_first = running.blocks == 0;
                let bytes = if self.as_wav && is_first {
                    let mut file = write_header(rate, None);
                    file.extend_from_slice(&bytes);
                    file
                } else {
                    bytes
                };
                let format = if self.as_wav {
                    "wav"
                } else {
                    self.voice.container.extension()
                };
                let mut about = json!({
                    "chunk": running.index,
                    "block": running.blocks,
                    "format": format,
                    "sample_rate_hz": is_pcm.then_some(rate),
                    "base64": STANDARD.encode(&bytes),
                });
                if is_first && let Some(about) = about.as_object_mut() {
                    about.insert("text".into(), running.text.as_str().into());
                }
                running.blocks += 1;
                self.out.push_back(data("audio", &about));
            }
            Some(Said::Ended(Ok(took))) => {
                self.running.pop_front();
                note(&mut self.figures, &took);
            }
            Some(Said::Ended(Err(error))) => self.mute(&error),
            None => self.mute(&SpeechError::Truncated),
        }
    }

    /// The voice is silent from here on; the text goes on.
    fn mute(&mut self, error: &SpeechError) {
        self.is_mute = true;
        self.running.clear();
        self.waiting.clear();
        self.figures.error = Some(error.slug().into());
        self.out
            .push_back(data("speech", &json!({"status": "failed", "error": error.slug()})));
    }

    async fn end(&mut self) {
        self.is_over = true;
        self.chat.heard(&self.turn.turn_id, None, &self.figures).await;
        if let Some(keeper) = &self.keeper {
            let (media_type, bytes) = finished(&self.answered, &self.voice);
            keeper
                .keep(&self.turn.turn_id, Side::Answered, media_type, &bytes)
                .await;
        }
        self.out.push_back(data("voice", &json!(self.figures)));
        self.out.extend(self.held.take());
        self.out.push_back("[DONE]".into());
    }
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
}

fn respond(talk: Talk) -> worker::Result<Response> {
    let (turn, message) = (talk.turn.turn_id.to_string(), talk.turn.message_id.clone());
    let body = stream::unfold(talk, |mut talk| async move {
        let bytes = talk.next().await?;
        Some((Ok::<_, worker::Error>(bytes), talk))
    });
    let response = Response::from_stream(Box::pin(body))?;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
        ("x-vercel-ai-ui-message-stream", "v1"),
        ("x-turn-id", turn.as_str()),
        ("x-message-id", message.as_str()),
    ] {
        response.headers().set(name, value)?;
    }
    Ok(response)
}
