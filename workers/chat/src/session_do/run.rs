//! Running turns: carrying out what the order says.

use super::live::{Live, Writer};
use super::store::{Begin, Ended, TurnRow};
use super::{Inner, Memory, QUEUE_CAPACITY, twin, voice};
use crate::person_do::open_text;
use crate::policy::{self, Setting};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::channel::oneshot;
use futures::future::join;
use serde_json::json;
use silent_core::conversation::{Message, Role};
use silent_core::ids::{SessionId, TurnId};
use silent_core::memory;
use silent_core::router::Routing;
use silent_core::sealed::DataKey;
use silent_core::session::{Command, Effect, Order};
use silent_core::trace::{Recorder, names};
use silent_core::turn::{
    Clock, ConversationStore, Part, PartSink, Policy, Status, StoreError, TurnInput, TurnRecord, process_turn,
    unanswered,
};
use silent_edge::budgeted::{Budgeted, Charge, Choices};
use silent_edge::config::ChatConfig;
use silent_edge::error::ApiError;
use silent_edge::gate::Gate;
use silent_edge::judge::Judge;
use silent_edge::llm::Llm;
use silent_edge::queue::QueueMessage;
use silent_edge::{SystemClock, budget, log, random, registry};
use std::cell::Cell;
use std::rc::Rc;

/// While a turn runs, an alarm is never further away than this: it finds turns whose object was lost.
pub(super) const WATCHDOG_MS: u64 = 30_000;
/// Turns that are read at a time while the window is filled.
const PAGE: u32 = 16;

/// Where a turn's text is sealed.
pub(super) fn place(session: &SessionId, turn: &TurnId, field: &str) -> String {
    format!("{session}|{turn}|{field}")
}

/// Seals text to base 64.
pub(super) fn seal(key: &DataKey, text: &str, place: &str) -> Result<String, ApiError> {
    let sealed = key
        .seal(text.as_bytes(), place, random::bytes()?)
        .map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(STANDARD.encode(sealed))
}

/// Remakes memory from storage: begun turns are interrupted, waiting ones run.
pub(super) fn restore(inner: &Rc<Inner>) -> Result<(), ApiError> {
    if inner.memory.borrow().is_some() {
        return Ok(());
    }
    let rows = inner.store().unfinished()?;
    let mut memory = Memory {
        order: Order::new(QUEUE_CAPACITY),
        live: Default::default(),
        key: None,
    };
    let mut stops = Vec::new();
    for row in &rows {
        let (live, stopped) = Live::new(row.message_id.clone());
        memory.live.insert(row.turn_id.clone(), live);
        stops.push((row.turn_id.clone(), stopped));
    }
    let turns = rows
        .iter()
        .map(|row| (row.turn_id.clone(), row.status() == Status::Running))
        .collect();
    let effects = memory.order.handle(Command::Restore(turns));
    *inner.memory.borrow_mut() = Some(memory);
    // A queued turn keeps its stop signal until it starts.
    for (turn, stopped) in stops {
        if !effects.contains(&Effect::Interrupt(turn.clone())) {
            inner.pending_stops.borrow_mut().insert(turn, stopped);
        }
    }
    if !rows.is_empty() || !inner.store().outbox(1)?.is_empty() {
        // An alarm of the lost memory may be near, far or used up; looking at once is right in all cases.
        let inner = inner.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let _ = inner.arm(0).await;
        });
    }
    apply(inner, effects);
    Ok(())
}

/// Hands a command to the order and carries out what it says.
pub(super) fn command(inner: &Rc<Inner>, command: Command) {
    let effects = match inner.memory.borrow_mut().as_mut() {
        Some(memory) => memory.order.handle(command),
        None => return,
    };
    apply(inner, effects);
}

/// Carries effects out, in order.
pub(super) fn apply(inner: &Rc<Inner>, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::Start(turn) => {
                // Marked before any await: a crash from here on is an interruption, not a second run.
                if let Err(error) = inner.store().mark(&turn, Status::Running) {
                    report(&turn, "mark", &error);
                }
                let stopped = inner.pending_stops.borrow_mut().remove(&turn);
                let inner = inner.clone();
                wasm_bindgen_futures::spawn_local(async move { start(&inner, turn, stopped).await });
            }
            Effect::Cancel(turn) => {
                if let Some(memory) = inner.memory.borrow().as_ref()
                    && let Some(live) = memory.live.get(&turn)
                {
                    live.stop();
                }
            }
            Effect::Discard(turn) => spawn_close(inner, turn, Status::Stopped),
            Effect::Interrupt(turn) => spawn_close(inner, turn, Status::Interrupted),
            // The submitter handles these before it applies the rest.
            Effect::Accept { .. } | Effect::Refuse => {}
        }
    }
}

fn report(turn: &TurnId, what: &str, error: &ApiError) {
    log::line(
        "error",
        "turn-failed",
        turn.as_str(),
        json!({"step": what, "cause": format!("{error:?}")}),
    );
}

fn spawn_close(inner: &Rc<Inner>, turn: TurnId, status: Status) {
    // The status is durable at once; the record follows when the key is there.
    if let Err(error) = inner.store().mark(&turn, status) {
        report(&turn, "mark", &error);
    }
    let inner = inner.clone();
    wasm_bindgen_futures::spawn_local(async move {
        if let Err(error) = close(&inner, &turn, status).await {
            report(&turn, "close", &error);
        }
        forget(&inner, &turn);
    });
}

async fn start(inner: &Rc<Inner>, turn: TurnId, stopped: Option<oneshot::Receiver<()>>) {
    if let Err(error) = run(inner, &turn, stopped).await {
        report(&turn, "run", &error);
        // Nothing was recorded: close the turn as failed, so that the person can try again.
        if let Err(error) = close(inner, &turn, Status::Failed).await {
            report(&turn, "close", &error);
            let _ = inner.store().mark(&turn, Status::Failed);
        }
    }
    forget(inner, &turn);
    command(inner, Command::Finished(turn));
}

fn forget(inner: &Rc<Inner>, turn: &TurnId) {
    if let Some(memory) = inner.memory.borrow_mut().as_mut() {
        memory.live.remove(turn);
    }
}

pub(super) struct Prepared {
    pub(super) begin: Begin,
    pub(super) row: TurnRow,
    pub(super) policy: Policy,
    pub(super) key: Rc<DataKey>,
    config: ChatConfig,
    trace: Rc<Recorder>,
}

async fn prepare(inner: &Rc<Inner>, turn: &TurnId) -> Result<Prepared, ApiError> {
    let store = inner.store();
    let begin = store.begun()?.ok_or(ApiError::NotFound)?;
    let row = store.turn(turn)?.ok_or(ApiError::NotFound)?;
    let config = ChatConfig::read(&inner.env)?;
    let caller = row.caller();
    let trace = Rc::new(inner.tracing()?.recorder(turn, caller.as_ref(), row.accepted_at_ms));
    let reading = trace.start(names::DB_READ, SystemClock.now_ms());
    inner.arm(WATCHDOG_MS).await?;
    let (key, snapshot) = join(inner.key(), registry::snapshot(&inner.env, SystemClock.now_ms())).await;
    let (key, snapshot) = (
        key?,
        snapshot.ok_or_else(|| ApiError::internal("no registry snapshot"))?,
    );
    let read_at_ms = SystemClock.now_ms();
    trace.end(reading, read_at_ms);
    let assigning = trace.start(names::VARIANT_ASSIGNMENT, read_at_ms);
    let assignment = snapshot.in_force(&begin.assignment, begin.person_id.as_str());
    let setting = Setting {
        locale: &begin.locale,
        timezone: begin.timezone.as_deref(),
        first_turn: row.seq == 1,
    };
    let mut policy = policy::companion(
        &snapshot,
        &assignment,
        begin.person_id.as_str(),
        &setting,
        config.window_tokens,
    )?;
    policy.product.clone_from(&begin.product);
    let variants = policy
        .variants
        .iter()
        .map(|(category, id)| (category.as_str(), id.as_str()));
    trace.set_all(assigning, names::of_variants(variants));
    trace.end(assigning, SystemClock.now_ms());
    Ok(Prepared {
        begin,
        row,
        policy,
        key,
        config,
        trace,
    })
}

impl Prepared {
    fn input(&self, messages: Vec<Message>, safety_state: silent_core::safety::SafetyState) -> TurnInput {
        TurnInput {
            session_id: self.begin.session_id.clone(),
            person_id: self.begin.person_id.clone(),
            turn_id: self.row.turn_id.clone(),
            seq: self.row.seq,
            kind: self.row.kind(),
            message_id: self.row.message_id.clone(),
            accepted_at_ms: self.row.accepted_at_ms,
            messages,
            locale: self.begin.locale.clone(),
            country: self.row.country.clone(),
            trace: self.trace.clone(),
            safety_state,
        }
    }

    /// The conversation up to this turn, the person's message last: as far back as the window reaches, so that a long
    /// session costs no more than a short one.
    fn messages(&self, inner: &Inner) -> Result<Vec<Message>, ApiError> {
        let mut budget = self.policy.window_tokens;
        let mut newest_first = self.said_and_heard(&self.row, None)?;
        let mut before = self.row.seq;
        'pages: loop {
            let page = inner.store().page(before, false, PAGE)?;
            for row in &page {
                for message in self.said_and_heard(row, Some(inner))? {
                    let Some(rest) = budget.checked_sub(memory::cost(&message)) else {
                        break 'pages;
                    };
                    budget = rest;
                    newest_first.push(message);
                }
            }
            match page.last() {
                Some(row) if page.len() == PAGE as usize => before = row.seq,
                _ => break,
            }
        }
        newest_first.reverse();
        Ok(newest_first)
    }

    /// What was answered in a turn, if that is wanted and anything was, and what was said, in this order.
    pub(super) fn said_and_heard(&self, row: &TurnRow, heard: Option<&Inner>) -> Result<Vec<Message>, ApiError> {
        let open = |sealed: &str, field: &str| {
            open_text(&self.key, sealed, &place(&self.begin.session_id, &row.turn_id, field))
        };
        let message = |role, text| Message {
            role,
            text,
            at_ms: row.accepted_at_ms,
        };
        let said =
            open(&row.sealed_input, "input").ok_or_else(|| ApiError::internal("stored message does not open"))?;
        let heard_bytes = heard
            .map(|inner| inner.store().heard(&row.turn_id))
            .transpose()?
            .flatten();
        let answer = row.sealed_output.as_deref().filter(|_| heard.is_some());
        let answer = answer
            .and_then(|sealed| open(sealed, "output"))
            .map(|text| voice::as_heard(text, heard_bytes))
            .filter(|text| !text.is_empty());
        let answer = answer.map(|text| message(Role::Assistant, text));
        Ok(answer.into_iter().chain([message(Role::User, said)]).collect())
    }
}

/// Sends a turn's spans, when its stream has ended.
fn send(inner: &Inner, trace: &Recorder) {
    if let Ok(tracing) = inner.tracing() {
        let spans = trace.finish(SystemClock.now_ms());
        wasm_bindgen_futures::spawn_local(async move { tracing.export(spans).await });
    }
}

fn writer(inner: &Inner, turn: &TurnId) -> Result<Writer, ApiError> {
    inner
        .memory
        .borrow()
        .as_ref()
        .and_then(|memory| memory.live.get(turn).map(Live::writer))
        .ok_or_else(|| ApiError::internal("turn has no stream"))
}

async fn run(inner: &Rc<Inner>, turn: &TurnId, stopped: Option<oneshot::Receiver<()>>) -> Result<(), ApiError> {
    let mut out = writer(inner, turn)?;
    let mut prepared = prepare(inner, turn).await?;
    let messages = match prepared.begin.twin.clone() {
        Some(twin) => twin::shape(inner, &mut prepared, &twin).await?,
        None => prepared.messages(inner)?,
    };
    let input = prepared.input(messages, inner.store().safety_state()?);
    let config = &prepared.config;
    let llm = Llm::new(&config.llm, &prepared.policy);
    let cheaper = Policy {
        routing: Routing::Cost,
        ..prepared.policy.clone()
    };
    let without = config.llm.offline();
    let cheap = Llm::new(&config.llm, &cheaper);
    let free = Llm::new(&without, &prepared.policy);
    let budgeted = Budgeted::new(
        Choices {
            usual: &llm,
            cheap: &cheap,
            free: &free,
        },
        Charge {
            env: &inner.env,
            budgets: &config.budgets,
            feature: "chat",
            person: prepared.begin.person_id.as_str(),
            id: turn.as_str(),
            targets: llm.targets(),
        },
    );
    let mut store = Commit {
        inner,
        key: &prepared.key,
        row: &prepared.row,
        trace: &prepared.trace,
        begin: &prepared.begin,
        out: out.clone(),
        cost_micros: Cell::new(None),
    };
    let stopped = async move {
        let stop = match stopped {
            Some(signal) => signal.await.is_ok(),
            None => false,
        };
        // A dropped sender is no stop.
        if !stop {
            std::future::pending::<()>().await;
        }
    };
    process_turn(
        input,
        &prepared.policy,
        &budgeted,
        &Gate::new(inner.env.service("SAFETY")?),
        &Judge::new(
            &llm,
            prepared.config.safety_model.as_deref(),
            prepared.config.safety_timeout_ms,
        ),
        &mut store,
        &mut out,
        &SystemClock,
        stopped,
    )
    .await;
    budgeted.settle(store.cost_micros.get()).await;
    send(inner, &prepared.trace);
    let env = inner.env.clone();
    wasm_bindgen_futures::spawn_local(async move { budget::keep(&env).await });
    Ok(())
}

/// Records a turn that was never answered and ends its stream.
async fn close(inner: &Rc<Inner>, turn: &TurnId, status: Status) -> Result<(), ApiError> {
    let mut out = writer(inner, turn)?;
    let prepared = prepare(inner, turn).await?;
    let input = prepared.input(Vec::new(), inner.store().safety_state()?);
    let (record, parts) = unanswered(&input, &prepared.policy, status, SystemClock.now_ms());
    // Where the run had begun to speak, its start stands already.
    let parts: Vec<Part> = if out.parts().is_empty() {
        parts
    } else {
        parts.into_iter().skip(2).collect()
    };
    let mut store = Commit {
        inner,
        key: &prepared.key,
        row: &prepared.row,
        trace: &prepared.trace,
        begin: &prepared.begin,
        out: out.clone(),
        cost_micros: Cell::new(None),
    };
    let stored = store.commit(&record, &parts).await;
    for part in parts {
        out.emit(part);
    }
    send(inner, &prepared.trace);
    stored.map_err(|_| ApiError::internal("turn could not be recorded"))
}

/// The session's storage as the turn sees it.
struct Commit<'a> {
    inner: &'a Rc<Inner>,
    key: &'a DataKey,
    row: &'a TurnRow,
    trace: &'a Recorder,
    begin: &'a Begin,
    out: Writer,
    /// What the turn cost, once it is known.
    cost_micros: Cell<Option<u64>>,
}

impl Commit<'_> {
    async fn write(&self, record: &TurnRecord, last: &[Part]) -> Result<(), ApiError> {
        self.cost_micros.set(record.event.cost_micros);
        let session = &self.begin.session_id;
        let turn = &self.row.turn_id;
        let mut parts = self.out.parts();
        parts.extend_from_slice(last);
        // Transient parts say where a turn stood; `[DONE]` is added again when the stream is read.
        parts.retain(|part| !part.is_last());
        let stream = serde_json::to_string(&parts).map_err(|_| ApiError::internal("stream cannot be written"))?;
        let sealed_output = seal(self.key, &record.answer, &place(session, turn, "output"))?;
        let ended = Ended {
            turn_id: turn.clone(),
            status: record.event.status,
            sealed_stream: seal(self.key, &stream, &place(session, turn, "stream"))?,
            provider: record.event.provider.clone(),
            model: record.event.model.clone(),
            crisis_level: record.event.crisis_level,
            safety_state: record.safety_state,
            message: QueueMessage::Turn {
                event: Box::new(record.event.clone()),
                sealed_input: self.row.sealed_input.clone(),
                sealed_output: sealed_output.clone(),
            },
            sealed_output,
        };
        // No await between the rows and the alarm: storage sees them as one step.
        self.inner.store().end(&self.inner.state, &ended)?;
        self.inner.arm(0).await?;
        silent_edge::durable::sync(&self.inner.state).await?;
        Ok(())
    }
}

impl ConversationStore for Commit<'_> {
    async fn commit(&mut self, record: &TurnRecord, last: &[Part]) -> Result<(), StoreError> {
        let writing = self.trace.start(names::DB_WRITE, SystemClock.now_ms());
        let written = self.write(record, last).await.map_err(|error| {
            report(&self.row.turn_id, "commit", &error);
            self.trace.fail(writing, "store");
            StoreError
        });
        self.trace.end(writing, SystemClock.now_ms());
        written
    }
}
