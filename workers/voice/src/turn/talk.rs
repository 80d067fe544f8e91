//! The stream of a spoken turn: the chat Worker's parts, and the sound of its sentences in order.

use super::{finished, hearing, note, note_failure};
use crate::chat::{self, Chat, Kind, Settings, TurnStream};
use crate::recordings::Keeper;
use crate::say::{Took, Voice, is_fixed, pcm_ms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use silent_core::turn::Clock;
use silent_core::voice::audio::{Container, write_header};
use silent_core::voice::chunker::{Chunker, ChunkerConfig, SpeechChunk};
use silent_core::voice::port::SpeechError;
use silent_edge::SystemClock;
use silent_edge::audio_store::Side;
use silent_edge::queue::VoiceFigures;
use silent_edge::speech::Heard;
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use worker::Response;

/// Chunks that are spoken at the same time.
const AHEAD: usize = 2;
/// Longest answer that is kept, bytes.
const MAX_KEPT: usize = 32 << 20;

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
    began_ms: u64,
}

/// The stream's state.
pub(super) struct Talk {
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
    pub(super) fn new(
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
        let mut figures = VoiceFigures {
            channel: "http".into(),
            said_ms,
            stt_provider: heard.provider.clone(),
            stt_ms: heard.took_ms,
            stt_failovers: heard.failovers,
            cost_micros: heard.micros_per_minute.saturating_mul(u64::from(said_ms)) / 60_000,
            ..VoiceFigures::default()
        };
        figures.parts.push(hearing(&figures, ended_ms));
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
            figures,
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
                began_ms: SystemClock.now_ms(),
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
        let began_ms = self.running.front().map_or(self.ended_ms, |running| running.began_ms);
        note_failure(&mut self.figures, error, began_ms);
        self.is_mute = true;
        self.running.clear();
        self.waiting.clear();
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

/// The response of a spoken turn.
pub(super) fn respond(talk: Talk) -> worker::Result<Response> {
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
