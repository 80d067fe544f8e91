//! A spoken conversation: one object for each session, with sockets that may hibernate.
//!
//! Invariant: nothing is decided here. The pure kernel (`voice::live`) says what to do; this carries sound, text and effects.
//! The object sleeps only while nobody speaks and nothing runs, so that what it forgets is a kernel without a turn.

mod answering;
mod effects;
mod hearing;
mod messages;
mod talk;

use crate::chat::Settings;
use crate::door::{Door, Fail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::ids::SessionId;
use silent_core::turn::Clock;
use silent_core::voice::live::{Event, State as Talking};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, http, random};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::time::Duration;
use talk::Talk;
use worker::{
    Delay, DurableObject, Env, Headers, Request, RequestInit, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, durable_object,
};

const OBJECT: &str = "LIVE";
const ATTACHMENT_HEADER: &str = "x-live";
/// Deadlines that are further away are left to the alarm, which lets the object sleep.
const TIMER_MS: u64 = 20_000;
/// A socket was replaced by a newer one of the same session.
const REPLACED: u16 = 4_001;

/// What a socket carries through sleep.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Attachment {
    connection: String,
    session: SessionId,
    settings: Settings,
    /// Hertz of the person's sound.
    rate_hz: u32,
    address: Option<String>,
}

#[derive(Deserialize)]
struct Query {
    rate: Option<u32>,
    turn: Option<u32>,
    received: Option<u32>,
}

/// Lets a person into their session's live conversation.
pub(crate) async fn enter(door: &Door, request: Request, session: SessionId) -> std::result::Result<Response, Fail> {
    let wants = http::header(request.headers(), "upgrade").unwrap_or_default();
    if !wants.eq_ignore_ascii_case("websocket") {
        return Err(Fail::Api(ApiError::Problem {
            status: 426,
            slug: "upgrade-required",
            title: "Open a WebSocket",
            detail: "this route takes sockets only".into(),
        }));
    }
    let query: Query = request
        .query()
        .map_err(|_| ApiError::Invalid("rate, turn and received are numbers".into()))?;
    let rate_hz = query.rate.unwrap_or(16_000);
    if !(8_000..=96_000).contains(&rate_hz) {
        return Err(ApiError::Invalid("rate must be 8000 to 96000".into()).into());
    }
    let (_, settings) = door.enter(&request, &session).await?;
    let connection: [u8; 8] = random::bytes()?;
    let attachment = Attachment {
        connection: connection.iter().map(|byte| format!("{byte:02x}")).collect(),
        session: session.clone(),
        settings,
        rate_hz,
        address: http::header(request.headers(), "cf-connecting-ip"),
    };
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    // Header values are Latin-1; JSON with everything else escaped is.
    let attachment = json!(attachment).to_string();
    headers.set(ATTACHMENT_HEADER, &ascii(&attachment))?;
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let (turn, received) = (query.turn.unwrap_or(u32::MAX), query.received.unwrap_or(0));
    let url = format!("https://object/?turn={turn}&received={received}");
    let stub = door.env.durable_object(OBJECT)?.get_by_name(session.as_str())?;
    Ok(stub.fetch_with_request(Request::new_with_init(&url, &init)?).await?)
}

fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// What messages, tasks and timers share.
struct Inner {
    state: State,
    env: Env,
    talk: RefCell<Option<Talk>>,
    events: RefCell<VecDeque<Event>>,
    is_busy: Cell<bool>,
    /// When the nearest timer fires.
    timer_at_ms: Cell<Option<u64>>,
    alarm_at_ms: Cell<Option<u64>>,
}

/// The object.
#[durable_object]
pub struct LiveObject {
    inner: Rc<Inner>,
}

impl UnwindSafe for LiveObject {}
impl RefUnwindSafe for LiveObject {}

impl DurableObject for LiveObject {
    fn new(state: State, env: Env) -> Self {
        let inner = Inner {
            state,
            env,
            talk: RefCell::new(None),
            events: RefCell::default(),
            is_busy: Cell::new(false),
            timer_at_ms: Cell::new(None),
            alarm_at_ms: Cell::new(None),
        };
        Self { inner: Rc::new(inner) }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match self.inner.connect(&request) {
            Ok(response) => Ok(response),
            Err(error) => error.into_response(""),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.inner.alarm_at_ms.set(None);
        if self.inner.talk.borrow().is_some() {
            self.inner.dispatch(Event::Tick);
        } else {
            // It slept since the last word: nobody is there.
            for socket in self.inner.state.get_websockets() {
                let _ = socket.send_with_str(json!({"type": "closed", "reason": "idle"}).to_string());
                let _ = socket.close(Some(1_000), Some("idle"));
            }
        }
        Response::empty()
    }

    async fn websocket_message(&self, socket: WebSocket, message: WebSocketIncomingMessage) -> Result<()> {
        if !self.inner.wake(&socket) {
            return Ok(());
        }
        let told = match message {
            WebSocketIncomingMessage::Binary(bytes) => messages::sound(&self.inner, &bytes),
            WebSocketIncomingMessage::String(text) => messages::text(&self.inner, &text),
        };
        if let Err(refused) = told {
            let _ = socket.send_with_str(json!({"type": "error", "error": refused}).to_string());
            if refused == messages::TOO_FAST {
                let _ = socket.close(Some(1_008), Some(refused));
                self.inner.dispatch(Event::HangUp);
            }
        }
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, _code: usize, _reason: String, _was_clean: bool) -> Result<()> {
        let _ = socket.close::<&str>(None, None);
        self.inner.gone(&socket);
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, _error: worker::Error) -> Result<()> {
        self.inner.gone(&socket);
        Ok(())
    }
}

impl Inner {
    fn connect(self: &Rc<Self>, request: &Request) -> std::result::Result<Response, ApiError> {
        let query: Query = request.query().map_err(|_| ApiError::internal("internal query"))?;
        let attachment = http::header(request.headers(), ATTACHMENT_HEADER).unwrap_or_default();
        let attachment: Attachment =
            serde_json::from_str(&attachment).map_err(|_| ApiError::internal("internal header"))?;
        let pair = WebSocketPair::new()?;
        let socket = pair.server;
        for old in self.state.get_websockets() {
            let _ = old.close(Some(REPLACED), Some("replaced"));
        }
        self.state
            .accept_websocket_with_tags(&socket, &[attachment.connection.as_str()]);
        socket.serialize_attachment(&attachment)?;
        let resumed = {
            let mut talk = self.talk.borrow_mut();
            match talk.as_mut().filter(|talk| talk.live.state() != Talking::Closed) {
                Some(talk) => {
                    talk.resume(attachment, socket);
                    Some(talk.received(query.turn, query.received))
                }
                None => {
                    *talk = Some(Talk::new(&self.env, attachment, socket)?);
                    None
                }
            }
        };
        if let Some(talk) = self.talk.borrow().as_ref() {
            talk.greet(resumed.is_some());
        }
        match resumed {
            Some(received) => self.dispatch(Event::Reconnected { received }),
            None => self.schedule(),
        }
        Ok(Response::from_websocket(pair.client)?)
    }

    /// Remakes what sleep has lost; whether the socket is the one that counts.
    fn wake(self: &Rc<Self>, socket: &WebSocket) -> bool {
        let tags = self.state.get_tags(socket);
        if let Some(talk) = self.talk.borrow().as_ref() {
            return tags.contains(&talk.attachment.connection);
        }
        let Ok(Some(attachment)) = socket.deserialize_attachment::<Attachment>() else {
            return false;
        };
        match Talk::new(&self.env, attachment, socket.clone()) {
            Ok(talk) => {
                talk.greet(false);
                *self.talk.borrow_mut() = Some(talk);
                true
            }
            Err(_) => false,
        }
    }

    fn gone(self: &Rc<Self>, socket: &WebSocket) {
        let tags = self.state.get_tags(socket);
        let is_current = self
            .talk
            .borrow()
            .as_ref()
            .is_some_and(|talk| tags.contains(&talk.attachment.connection));
        if is_current {
            self.dispatch(Event::Disconnected);
        }
    }

    /// Gives an event to the kernel and does what it says; events that this causes follow in order.
    fn dispatch(self: &Rc<Self>, event: Event) {
        self.events.borrow_mut().push_back(event);
        if self.is_busy.replace(true) {
            return;
        }
        loop {
            let Some(event) = self.events.borrow_mut().pop_front() else {
                break;
            };
            let effects = match self.talk.borrow_mut().as_mut() {
                Some(talk) => talk.live.handle(event, SystemClock.now_ms()),
                None => Vec::new(),
            };
            effects::apply(self, effects);
        }
        self.is_busy.set(false);
        let is_closed = self
            .talk
            .borrow()
            .as_ref()
            .is_some_and(|talk| talk.live.state() == Talking::Closed);
        if is_closed {
            *self.talk.borrow_mut() = None;
        } else {
            self.schedule();
        }
    }

    /// Sees to it that a tick comes when the kernel wants one.
    fn schedule(self: &Rc<Self>) {
        let Some(deadline_ms) = self.talk.borrow().as_ref().and_then(|talk| talk.live.deadline_ms()) else {
            return;
        };
        let now_ms = SystemClock.now_ms();
        let wait_ms = deadline_ms.saturating_sub(now_ms);
        if wait_ms > TIMER_MS {
            if self
                .alarm_at_ms
                .get()
                .is_none_or(|at_ms| deadline_ms.abs_diff(at_ms) > 1_000)
            {
                self.alarm_at_ms.set(Some(deadline_ms));
                let inner = self.clone();
                wasm_bindgen_futures::spawn_local(async move {
                    let delay = i64::try_from(wait_ms).unwrap_or(i64::MAX);
                    let _ = inner.state.storage().set_alarm(delay).await;
                });
            }
        } else if self.timer_at_ms.get().is_none_or(|at_ms| deadline_ms < at_ms) {
            self.timer_at_ms.set(Some(deadline_ms));
            let inner = self.clone();
            wasm_bindgen_futures::spawn_local(async move {
                Delay::from(Duration::from_millis(wait_ms)).await;
                if inner.timer_at_ms.get() == Some(deadline_ms) {
                    inner.timer_at_ms.set(None);
                }
                inner.dispatch(Event::Tick);
            });
        }
    }
}
