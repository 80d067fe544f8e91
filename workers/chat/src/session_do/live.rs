//! A turn's stream while it is produced: every reader gets every event, from wherever they come in.

use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::{Stream, StreamExt, stream};
use silent_core::trace::TraceContext;
use silent_core::turn::Part;
use silent_edge::http;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use worker::{Delay, Response};

/// Silence after which a comment keeps proxies from closing the connection.
const PING: Duration = Duration::from_secs(15);

/// Events that are written in one go at most.
const TOGETHER: usize = 64;

/// One turn's stream.
pub(super) struct Live {
    pub(super) message_id: String,
    events: Rc<RefCell<Events>>,
    stop: RefCell<Option<oneshot::Sender<()>>>,
}

#[derive(Default)]
struct Events {
    parts: Vec<Part>,
    readers: Vec<mpsc::UnboundedSender<String>>,
}

/// The writing side, held by the run.
#[derive(Clone)]
pub(super) struct Writer(Rc<RefCell<Events>>);

impl Writer {
    /// The parts so far.
    pub(super) fn parts(&self) -> Vec<Part> {
        self.0.borrow().parts.clone()
    }
}

impl silent_core::turn::PartSink for Writer {
    fn emit(&mut self, part: Part) {
        let mut events = self.0.borrow_mut();
        let text = part.to_event(events.parts.len());
        // A reader that went away is forgotten; the turn goes on.
        events
            .readers
            .retain(|reader| reader.unbounded_send(text.clone()).is_ok());
        if part.is_last() {
            events.readers.clear();
        }
        events.parts.push(part);
    }
}

impl Live {
    /// A stream nobody has written to yet, and the signal that stops its turn.
    pub(super) fn new(message_id: String) -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        let live = Self {
            message_id,
            events: Rc::default(),
            stop: RefCell::new(Some(sender)),
        };
        (live, receiver)
    }

    pub(super) fn writer(&self) -> Writer {
        Writer(self.events.clone())
    }

    /// Stops the turn; a second time does nothing.
    pub(super) fn stop(&self) {
        if let Some(stop) = self.stop.borrow_mut().take() {
            // The run may be over already.
            let _ = stop.send(());
        }
    }

    /// Everything from event `from` on, as it comes.
    pub(super) fn read(&self, from: usize) -> impl Stream<Item = String> + 'static {
        let (sender, receiver) = mpsc::unbounded();
        let mut events = self.events.borrow_mut();
        for (id, part) in events.parts.iter().enumerate().skip(from) {
            let _ = sender.unbounded_send(part.to_event(id));
        }
        if !events.parts.last().is_some_and(Part::is_last) {
            events.readers.push(sender);
        }
        receiver
    }
}

/// The response of a turn's stream.
pub(super) fn response(
    events: impl Stream<Item = String> + 'static,
    turn: &str,
    message: &str,
    trace: &TraceContext,
) -> worker::Result<Response> {
    // What is there goes together: each write is several calls into the runtime.
    let body = stream::unfold(Box::pin(events.ready_chunks(TOGETHER)), |mut events| async move {
        let text = match select(events.next(), Delay::from(PING)).await {
            Either::Left((next, _)) => next?.concat(),
            Either::Right(_) => String::from(": ping\n\n"),
        };
        Some((Ok::<_, worker::Error>(text.into_bytes()), events))
    });
    let response = Response::from_stream(body)?;
    let headers = response.headers();
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
        ("x-vercel-ai-ui-message-stream", "v1"),
        ("x-turn-id", turn),
        ("x-message-id", message),
    ] {
        headers.set(name, value)?;
    }
    http::set_trace(headers, trace)?;
    Ok(response)
}
