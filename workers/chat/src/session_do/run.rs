//! Running turns: carrying out what the order says.

use super::live::{Live, Writer};
use super::store::{Begin, Ended, TurnRow};
use super::{Inner, Memory, QUEUE_CAPACITY, voice};
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
use silent_core::sealed::DataKey;
use silent_core::session::{Command, Effect, Order};
use silent_core::turn::{
    Clock, ConversationStore, Part, PartSink, Policy, Status, StoreError, TurnInput, TurnRecord, process_turn,
    unanswered,
};
use silent_edge::config::ChatConfig;
use silent_edge::error::ApiError;
use silent_edge::gate::Gate;
use silent_edge::judge::Judge;
use silent_edge::llm::Llm;
use silent_edge::queue::QueueMessage;
use silent_edge::{SystemClock, log, random, registry};
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

struct Prepared {
    begin: Begin,
    row: TurnRow,
    policy: Policy,
    key: Rc<DataKey>,
    config: ChatConfig,
}

async fn prepare(inner: &Rc<Inner>, turn: &TurnId) -> Result<Prepared, ApiError> {
    let store = inner.store();
    let begin = store.begun()?.ok_or(ApiError::NotFound)?;
    let row = store.turn(turn)?.ok_or(ApiError::NotFound)?;
    let config = ChatConfig::read(&inner.env)?;
    inner.arm(WATCHDOG_MS).await?;
    let (key, snapshot) = join(inner.key(), registry::snapshot(&inner.env, SystemClock.now_ms())).await;
    let (key, snapshot) = (
        key?,
        snapshot.ok_or_else(|| ApiError::internal("no registry snapshot"))?,
    );
    let assignment = snapshot.in_force(&begin.assignment, begin.person_id.as_str());
    let setting = Setting {
        locale: &begin.locale,
        timezone: begin.timezone.as_deref(),
        first_turn: row.seq == 1,
    };
    let policy = policy::companion(
        &snapshot,
        &assignment,
        begin.person_id.as_str(),
        &setting,
        config.window_tokens,
    )?;
    Ok(Prepared {
        begin,
        row,
        policy,
        key,
        config,
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
            traceparent: self.row.traceparent.clone(),
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
    fn said_and_heard(&self, row: &TurnRow, heard: Option<&Inner>) -> Result<Vec<Message>, ApiError> {
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
    let prepared = prepare(inner, turn).await?;
    let input = prepared.input(prepared.messages(inner)?, inner.store().safety_state()?);
    let llm = Llm::new(&prepared.config.llm, prepared.config.idle_timeout_ms);
    let mut store = Commit {
        inner,
        key: &prepared.key,
        row: &prepared.row,
        begin: &prepared.begin,
        out: out.clone(),
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
        &llm,
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
        begin: &prepared.begin,
        out: out.clone(),
    };
    let stored = store.commit(&record, &parts).await;
    for part in parts {
        out.emit(part);
    }
    stored.map_err(|_| ApiError::internal("turn could not be recorded"))
}

/// The session's storage as the turn sees it.
struct Commit<'a> {
    inner: &'a Rc<Inner>,
    key: &'a DataKey,
    row: &'a TurnRow,
    begin: &'a Begin,
    out: Writer,
}

impl Commit<'_> {
    async fn write(&self, record: &TurnRecord, last: &[Part]) -> Result<(), ApiError> {
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
        self.write(record, last).await.map_err(|error| {
            report(&self.row.turn_id, "commit", &error);
            StoreError
        })
    }
}
