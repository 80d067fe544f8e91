//! Live speech to text over a provider's WebSocket.

use super::{NOBODY, Speech, Stt, breaker, fetch};
use crate::SystemClock;
use crate::llm::http::build;
use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::{Either, select};
use silent_core::turn::Clock;
use silent_core::voice::port::{ListenRequest, SpeechError, SttEvent};
use silent_providers::speech::Message;
use std::pin::pin;
use std::time::Duration;
use worker::{Delay, Fetch, WebSocket, WebsocketEvent};

/// Longest wait for the socket.
const OPEN: Duration = Duration::from_secs(5);

enum Command {
    Audio(Vec<u8>),
    Finish,
}

/// An utterance that is being written down as it is said. Dropping it closes the socket.
pub struct Listening {
    /// Who writes it down.
    pub provider: String,
    /// What a minute costs there, micros.
    pub micros_per_minute: u64,
    commands: mpsc::UnboundedSender<Command>,
}

impl Listening {
    /// Takes more sound: PCM of 16 bits.
    pub fn send(&self, pcm: Vec<u8>) {
        // A socket that is gone has said so among its events.
        let _ = self.commands.unbounded_send(Command::Audio(pcm));
    }

    /// Asks for the rest; [`SttEvent::Flushed`] follows, or an error.
    pub fn finish(&self) {
        let _ = self.commands.unbounded_send(Command::Finish);
    }
}

impl Speech {
    /// Whether the preferred provider that may be asked now listens live.
    #[must_use]
    pub fn listens(&self) -> bool {
        let now_ms = SystemClock.now_ms();
        let first = self.stt.iter().find(|stt| breaker::is_closed(&stt.name, now_ms));
        first.is_some_and(|stt| stt.live.is_some())
    }

    /// Begins to listen; `tell` hears of every event, an error last.
    ///
    /// # Errors
    /// [`SpeechError`] where no socket opens.
    pub async fn listen(
        &self,
        ask: &ListenRequest,
        tell: impl Fn(Result<SttEvent, SpeechError>) + 'static,
    ) -> Result<Listening, SpeechError> {
        let mut last = NOBODY;
        for stt in self.stt.iter().filter(|stt| stt.live.is_some()) {
            if !breaker::is_closed(&stt.name, SystemClock.now_ms()) {
                continue;
            }
            match open(stt, ask).await {
                Ok(socket) => {
                    breaker::succeeded(&stt.name);
                    let (commands, taken) = mpsc::unbounded();
                    let session = stt.live.as_ref().map(|wire| wire.session());
                    if let Some(session) = session {
                        wasm_bindgen_futures::spawn_local(carry(socket, session, taken, tell));
                    }
                    return Ok(Listening {
                        provider: stt.name.clone(),
                        micros_per_minute: stt.micros_per_minute,
                        commands,
                    });
                }
                Err(error) => {
                    breaker::failed(&stt.name, &error, SystemClock.now_ms());
                    last = error;
                }
            }
        }
        Err(last)
    }
}

async fn open(stt: &Stt, ask: &ListenRequest) -> Result<WebSocket, SpeechError> {
    let wire = stt.live.as_ref().ok_or(SpeechError::Unsupported("live"))?;
    let request = wire.request(ask, SystemClock.now_ms())?;
    let request = build(&request).map_err(|_| SpeechError::Protocol("request"))?;
    // Without a signal: the runtime takes none for sockets, which close when they are dropped.
    let fetch = Fetch::Request(request);
    let asked = pin!(fetch.send());
    let response = match select(asked, pin!(Delay::from(OPEN))).await {
        Either::Left((response, _)) => response.map_err(|_| SpeechError::Unreachable)?,
        Either::Right(_) => return Err(SpeechError::TimedOut("socket")),
    };
    let head = fetch::head(&response);
    match response.websocket() {
        Some(socket) => Ok(socket),
        None => {
            crate::log::line(
                "warn",
                "speech-socket-refused",
                &stt.name,
                serde_json::json!({"status": head.status}),
            );
            Err(wire.refused(&head))
        }
    }
}

async fn carry(
    socket: WebSocket,
    mut session: Box<dyn silent_providers::speech::LiveSttSession>,
    mut commands: mpsc::UnboundedReceiver<Command>,
    tell: impl Fn(Result<SttEvent, SpeechError>),
) {
    let (Ok(mut events), Ok(())) = (socket.events(), socket.accept()) else {
        return tell(Err(SpeechError::Unreachable));
    };
    let put = |messages: Vec<Message>| {
        messages.into_iter().all(|message| match message {
            Message::Text(text) => socket.send_with_str(text).is_ok(),
            Message::Binary(bytes) => socket.send_with_bytes(bytes).is_ok(),
        })
    };
    loop {
        match select(commands.next(), events.next()).await {
            Either::Left((Some(Command::Audio(pcm)), _)) => {
                if !put(session.audio(&pcm)) {
                    return tell(Err(SpeechError::Truncated));
                }
            }
            Either::Left((Some(Command::Finish), _)) => {
                if !put(session.close()) {
                    return tell(Err(SpeechError::Truncated));
                }
            }
            // Nobody wants it any more.
            Either::Left((None, _)) => break,
            Either::Right((event, _)) => {
                let (heard, is_over) = match event {
                    Some(Ok(WebsocketEvent::Message(message))) => {
                        let message = message
                            .text()
                            .map(Message::Text)
                            .or_else(|| message.bytes().map(Message::Binary));
                        (
                            message.map(|message| session.receive(&message)).unwrap_or_default(),
                            false,
                        )
                    }
                    Some(Ok(WebsocketEvent::Close(close))) => (session.closed(close.code()), true),
                    Some(Err(_)) | None => (session.closed(1006), true),
                };
                let mut ends = is_over;
                for event in heard {
                    ends |= matches!(event, Err(_) | Ok(SttEvent::Flushed));
                    tell(event);
                }
                if ends {
                    break;
                }
            }
        }
    }
    let _ = socket.close(Some(1000), Some("done"));
}
