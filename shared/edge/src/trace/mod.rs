//! Traces on their way out: nobody waits for them, and none of what happens to them costs a turn.

mod config;
mod otlp;
mod stdout;

pub use config::TraceConfig;

use crate::log;
use config::Target;
use otlp::Otlp;
use serde_json::json;
use silent_core::ids::TurnId;
use silent_core::trace::{ExportError, Recorder, Span, TraceContext, TraceExporter};
use std::cell::{Cell, RefCell};

/// Spans that wait for a slow collector at most; some fifty turns of one object.
const MOST_WAITING: usize = 512;

/// The exporter that the configuration asks for.
struct Exporter<'a>(&'a TraceConfig);

impl TraceExporter for Exporter<'_> {
    async fn export(&self, spans: &[Span]) -> Result<(), ExportError> {
        match &self.0.target {
            Target::None => Ok(()),
            Target::Stdout => {
                stdout::print(&self.0.resource, spans);
                Ok(())
            }
            Target::Otlp(endpoint) => {
                Otlp {
                    endpoint,
                    resource: &self.0.resource,
                }
                .export(spans)
                .await
            }
        }
    }
}

/// What a Worker or an object traces with. Belongs to one of them: what waits here is sent in its own time.
pub struct Tracing {
    config: TraceConfig,
    waiting: RefCell<Vec<Span>>,
    busy: Cell<bool>,
    lost: Cell<usize>,
}

impl Tracing {
    /// With nothing waiting.
    #[must_use]
    pub fn new(config: TraceConfig) -> Self {
        Self {
            config,
            waiting: RefCell::default(),
            busy: Cell::new(false),
            lost: Cell::new(0),
        }
    }

    /// A turn's context; the same one whenever it is asked for.
    #[must_use]
    pub fn context(&self, turn: &TurnId, caller: Option<&TraceContext>) -> TraceContext {
        TraceContext::of_turn(turn, caller, |trace| self.config.sampler.takes(trace))
    }

    /// Begins to record a turn.
    #[must_use]
    pub fn recorder(&self, turn: &TurnId, caller: Option<&TraceContext>, start_ms: u64) -> Recorder {
        Recorder::new(self.context(turn, caller), caller, start_ms)
    }

    /// Sends spans, and those that others leave meanwhile. To be spawned, or handed to `wait_until`: it tries for as long
    /// as half a minute, and never fails. What cannot be sent is counted in the log.
    pub async fn export(&self, spans: Vec<Span>) {
        if matches!(self.config.target, Target::None) {
            return;
        }
        self.add(spans);
        if self.busy.replace(true) {
            return;
        }
        let _free = Free(&self.busy);
        loop {
            let batch = std::mem::take(&mut *self.waiting.borrow_mut());
            if batch.is_empty() {
                return;
            }
            if let Err(error) = Exporter(&self.config).export(&batch).await {
                self.lose(batch.len(), error);
            }
        }
    }

    fn add(&self, mut spans: Vec<Span>) {
        let mut waiting = self.waiting.borrow_mut();
        let room = MOST_WAITING.saturating_sub(waiting.len());
        if spans.len() > room {
            self.lose(spans.len() - room, ExportError("full"));
            spans.truncate(room);
        }
        waiting.append(&mut spans);
    }

    fn lose(&self, spans: usize, error: ExportError) {
        self.lost.set(self.lost.get().saturating_add(spans));
        log::line(
            "warn",
            "traces-lost",
            "trace-export",
            json!({"cause": error.0, "spans": spans, "spans_in_all": self.lost.get()}),
        );
    }
}

/// Lets the next export begin, also where this one is dropped half-way.
struct Free<'a>(&'a Cell<bool>);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
