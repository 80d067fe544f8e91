//! One object for each session: the shell around the pure order and the turn use case.
//!
//! Invariant: nothing is decided here. Order is `session::Order`'s, content is `process_turn`'s; this loads, calls
//! and applies. What happens between two awaits is one step that storage sees whole.

mod live;
mod outbox;
mod run;
mod store;
mod turns;
mod twin;
mod views;
mod voice;

pub(crate) use store::Begin;

use crate::internal::{CORRELATION_HEADER, PERSON_HEADER, person_stub};
use crate::person_do::unwrap_key;
use futures::channel::oneshot;
use live::Live;
use silent_core::ids::{SessionId, TurnId};
use silent_core::sealed::{DataKey, KeyRing};
use silent_core::session::Order;
use silent_core::turn::Clock;
use silent_edge::SystemClock;
use silent_edge::config::ChatConfig;
use silent_edge::error::ApiError;
use silent_edge::http;
use silent_edge::trace::Tracing;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use store::Store;
use worker::{DurableObject, Env, Headers, Method, Request, Response, Result, State, durable_object};

/// How many turns may wait beside the one that runs.
const QUEUE_CAPACITY: usize = 8;

/// What is lost with the object's memory, and remade from its storage.
struct Memory {
    order: Order,
    live: BTreeMap<TurnId, Live>,
    key: Option<Rc<DataKey>>,
}

/// What requests, runs and alarms share.
pub(crate) struct Inner {
    state: State,
    env: Env,
    memory: RefCell<Option<Memory>>,
    /// Stop signals of turns that have not started.
    pending_stops: RefCell<BTreeMap<TurnId, oneshot::Receiver<()>>>,
    /// When the next alarm is due, as far as this memory knows, milliseconds since 1970.
    alarm_at_ms: std::cell::Cell<Option<u64>>,
    /// Failures of the outbox in a row, for its back-off.
    outbox_failures: std::cell::Cell<u32>,
    /// What turns are traced with, once it was asked for.
    tracing: RefCell<Option<Rc<Tracing>>>,
}

/// The object.
#[durable_object]
pub struct SessionObject {
    inner: Rc<Inner>,
}

impl UnwindSafe for SessionObject {}
impl RefUnwindSafe for SessionObject {}

impl DurableObject for SessionObject {
    fn new(state: State, env: Env) -> Self {
        let inner = Inner {
            state,
            env,
            memory: RefCell::new(None),
            pending_stops: RefCell::default(),
            alarm_at_ms: std::cell::Cell::new(None),
            outbox_failures: std::cell::Cell::new(0),
            tracing: RefCell::default(),
        };
        Self { inner: Rc::new(inner) }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let correlation_id = http::header(request.headers(), CORRELATION_HEADER).unwrap_or_default();
        match route(&self.inner, request).await {
            Ok(response) => Ok(response),
            Err(error) => error.into_response(&correlation_id),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.inner.alarm_at_ms.set(None);
        // An alarm that fails is dropped after six tries: errors are handled inside, but for that of the next alarm itself.
        match outbox::drain(&self.inner).await {
            Ok(()) => Response::empty(),
            Err(_) => Err(worker::Error::RustError("the next alarm could not be set".into())),
        }
    }
}

async fn route(inner: &Rc<Inner>, mut request: Request) -> std::result::Result<Response, ApiError> {
    let path = request.path();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let method = request.method();
    if let (Method::Post, ["begin"]) = (&method, segments.as_slice()) {
        let body = http::body(&mut request).await?;
        let begin: Begin = serde_json::from_slice(&body).map_err(|_| ApiError::internal("internal body"))?;
        return inner.begin(&begin).await;
    }
    inner.admit(&request)?;
    match (method, segments.as_slice()) {
        (Method::Get, []) => views::history(inner, &request).await,
        (Method::Get, ["twin"]) => twin::check(inner).await,
        (Method::Get, ["export"]) => views::export(inner).await,
        (Method::Delete, []) => inner.erase(request.url()?.query() == Some("by=person")).await,
        (Method::Post, ["turns"]) => turns::submit(inner, request).await,
        (Method::Get, ["voice"]) => voice::settings(inner).await,
        (Method::Get, ["stream"]) => views::active_stream(inner, &request).await,
        (_, ["turns", turn, action]) => {
            let turn = TurnId::parse(turn).map_err(|_| ApiError::NotFound)?;
            match *action {
                "stream" => views::turn_stream(inner, &turn, &request).await,
                "stop" => turns::stop(inner, &turn).await,
                "heard" => voice::heard(inner, &turn, request).await,
                "feedback" => turns::feedback(inner, &turn, request).await,
                _ => Err(ApiError::NotFound),
            }
        }
        _ => Err(ApiError::NotFound),
    }
}

impl Inner {
    fn store(&self) -> Store {
        Store::new(&self.state)
    }

    /// Lets the owner in; for anyone else there is no such session.
    fn admit(self: &Rc<Self>, request: &Request) -> std::result::Result<(), ApiError> {
        let store = self.store();
        let begin = store.begun()?.ok_or(ApiError::NotFound)?;
        let asks = http::header(request.headers(), PERSON_HEADER);
        if asks.as_deref() != Some(begin.person_id.as_str()) || store.is_deleted()? {
            return Err(ApiError::NotFound);
        }
        run::restore(self)
    }

    async fn begin(&self, begin: &Begin) -> std::result::Result<Response, ApiError> {
        let store = self.store();
        store.create_schema()?;
        store.begin(begin)?;
        self.arm(0).await?;
        Ok(Response::from_json(&serde_json::json!({"ok": true}))?)
    }

    /// What turns are traced with.
    fn tracing(&self) -> std::result::Result<Rc<Tracing>, ApiError> {
        if let Some(tracing) = self.tracing.borrow().as_ref() {
            return Ok(tracing.clone());
        }
        let tracing = Rc::new(Tracing::new(ChatConfig::read(&self.env)?.trace));
        *self.tracing.borrow_mut() = Some(tracing.clone());
        Ok(tracing)
    }

    /// The person's data key, fetched once for as long as the object lives.
    async fn key(&self) -> std::result::Result<Rc<DataKey>, ApiError> {
        if let Some(key) = self.memory.borrow().as_ref().and_then(|memory| memory.key.clone()) {
            return Ok(key);
        }
        let begin = self.store().begun()?.ok_or(ApiError::NotFound)?;
        let mut response = crate::internal::call(
            &person_stub(&self.env, &begin.person_id)?,
            Method::Get,
            "/key",
            Headers::new(),
            None,
        )
        .await?;
        match response.status_code() {
            200 => {}
            404 => return Err(ApiError::NotFound),
            status => return Err(ApiError::unavailable(format!("person answered {status}"))),
        }
        let secret = self.env.secret("KEK")?.to_string();
        let ring = KeyRing::parse(&secret).map_err(|error| ApiError::internal(error.to_string()))?;
        let key = Rc::new(unwrap_key(&ring, &response.text().await?, &begin.person_id)?);
        if let Some(memory) = self.memory.borrow_mut().as_mut() {
            memory.key = Some(key.clone());
        }
        Ok(key)
    }

    /// Deletes what was said, at once; the alarm tells the store of events and then empties the object.
    async fn erase(&self, by_person: bool) -> std::result::Result<Response, ApiError> {
        let store = self.store();
        let begin = store.begun()?.ok_or(ApiError::NotFound)?;
        store.delete(&self.state, &begin.session_id)?;
        if let Some(memory) = self.memory.borrow_mut().take() {
            for live in memory.live.into_values() {
                live.stop();
            }
        }
        self.arm(0).await?;
        silent_edge::durable::sync(&self.state).await?;
        if !by_person {
            let path = format!("/sessions/{}", begin.session_id);
            crate::internal::call(
                &person_stub(&self.env, &begin.person_id)?,
                Method::Delete,
                &path,
                Headers::new(),
                None,
            )
            .await?;
        }
        Ok(Response::empty()?.with_status(204))
    }

    /// Sees to it that the alarm comes within `delay_ms`; an earlier one stays.
    ///
    /// There is one alarm for all purposes: a turn that arms its watchdog must not put off what waits to be sent.
    async fn arm(&self, delay_ms: u64) -> std::result::Result<(), ApiError> {
        let due_ms = SystemClock.now_ms().saturating_add(delay_ms);
        if self.alarm_at_ms.get().is_none_or(|at_ms| due_ms < at_ms) {
            self.alarm_at_ms.set(Some(due_ms));
            let delay_ms = i64::try_from(delay_ms).unwrap_or(i64::MAX);
            let set = self.state.storage().set_alarm(delay_ms).await;
            if set.is_err() {
                // So that the next one is not taken for superfluous.
                self.alarm_at_ms.set(None);
            }
            set?;
        }
        Ok(())
    }

    fn session_id(&self) -> std::result::Result<SessionId, ApiError> {
        Ok(self.store().begun()?.ok_or(ApiError::NotFound)?.session_id)
    }
}
