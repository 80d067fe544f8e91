//! One completion: a turn without a session of ours, whose history the program sends along.

use super::wire::{Ask, Head, Refusal};
use super::{overrides, person, refusal, snapshot};
use crate::policy::{self, Setting};
use crate::routes::Door;
use crate::twin;
use futures::channel::{mpsc, oneshot};
use futures::future::{join, select};
use futures::{SinkExt, StreamExt, stream};
use serde_json::Value;
use silent_core::conversation::Role;
use silent_core::ids::{SessionId, TurnId};
use silent_core::router::Routing;
use silent_core::safety::SafetyState;
use silent_core::turn::{
    Clock, ConversationStore, Kind, Part, PartSink, Policy, SafetyGate, StoreError, TurnEvent, TurnInput, TurnRecord,
    process_turn,
};
use silent_core::variants::{Overrides, Subject};
use silent_edge::api_key::ApiKey;
use silent_edge::budgeted::{Budgeted, Charge, Choices};
use silent_edge::error::ApiError;
use silent_edge::gate::Gate;
use silent_edge::judge::Judge;
use silent_edge::llm::Llm;
use silent_edge::queue::QueueMessage;
use silent_edge::trace::Tracing;
use silent_edge::{SystemClock, budget, http, random};
use std::pin::pin;
use std::rc::Rc;
use worker::{Context, Env, Request, Response};

/// Largest body that is read: programs send the whole conversation every time.
const BODY_BYTES: usize = 512 * 1024;
/// Earlier messages of the person that are judged again, so that the gate knows what it would remember in a session.
const REMEMBERED: usize = 6;

/// Lines that wait for a slow reader at most.
const LINES: usize = 64;

/// What a turn says to whoever answers the program.
enum Said {
    Text(String),
    Failed(String),
}

/// Passes the parts on that this protocol has words for.
struct Sink {
    out: mpsc::UnboundedSender<Said>,
    safety: Option<Value>,
}

impl PartSink for Sink {
    fn emit(&mut self, part: Part) {
        let said = match part {
            Part::TextDelta { delta, .. } => Said::Text(delta),
            Part::Error { error_text } => Said::Failed(error_text),
            Part::DataSafety { data } => {
                self.safety = Some(data);
                return;
            }
            _ => return,
        };
        // Where nobody listens any more, the turn is stopped by its signal.
        let _ = self.out.unbounded_send(said);
    }
}

/// The event goes to the queue at once: there is no session that could keep it. The conversation's text is not kept.
struct Outbox<'a> {
    env: &'a Env,
    event: Option<TurnEvent>,
}

impl ConversationStore for Outbox<'_> {
    async fn commit(&mut self, record: &TurnRecord, _last: &[Part]) -> Result<(), StoreError> {
        let message = QueueMessage::Turn {
            event: Box::new(record.event.clone()),
            sealed_input: String::new(),
            sealed_output: String::new(),
        };
        self.event = Some(record.event.clone());
        let text = serde_json::to_string(&message).map_err(|_| StoreError)?;
        let queue = self.env.queue("EVENTS").map_err(|_| StoreError)?;
        queue.send(text).await.map_err(|_| StoreError)
    }
}

/// What is known when the turn is over.
struct Over {
    event: Option<TurnEvent>,
    safety: Option<Value>,
}

/// All that a turn needs, owned, since it may outlive the request.
struct Work {
    env: Env,
    config: silent_edge::config::ChatConfig,
    input: TurnInput,
    policy: Policy,
}

impl Work {
    async fn run(
        mut self,
        out: mpsc::UnboundedSender<Said>,
        mut over: oneshot::Sender<Over>,
        gone: impl Future<Output = ()>,
    ) {
        let mut sink = Sink { out, safety: None };
        let mut outbox = Outbox {
            env: &self.env,
            event: None,
        };
        let Ok(service) = self.env.service("SAFETY") else {
            sink.emit(Part::Error {
                error_text: "The crisis gate is not configured.".into(),
            });
            return;
        };
        let gate = Gate::new(service);
        self.input.safety_state = remembered(&self.input, &gate).await;
        let llm = Llm::new(&self.config.llm, &self.policy);
        let cheaper = Policy {
            routing: Routing::Cost,
            ..self.policy.clone()
        };
        let without = self.config.llm.offline();
        let cheap = Llm::new(&self.config.llm, &cheaper);
        let free = Llm::new(&without, &self.policy);
        let (person, turn) = (self.input.person_id.clone(), self.input.turn_id.clone());
        let budgeted = Budgeted::new(
            Choices {
                usual: &llm,
                cheap: &cheap,
                free: &free,
            },
            Charge {
                env: &self.env,
                budgets: &self.config.budgets,
                feature: "api",
                person: person.as_str(),
                id: turn.as_str(),
                targets: llm.targets(),
            },
        );
        let judge = Judge::new(&llm, self.config.safety_model.as_deref(), self.config.safety_timeout_ms);
        process_turn(
            self.input,
            &self.policy,
            &budgeted,
            &gate,
            &judge,
            &mut outbox,
            &mut sink,
            &SystemClock,
            // Either sign will do: the request's signal, or that nobody reads the answer any more.
            async {
                select(pin!(gone), over.cancellation()).await;
            },
        )
        .await;
        let cost_micros = outbox.event.as_ref().and_then(|event| event.cost_micros);
        // The program has its answer before the accounts are balanced.
        let _ = over.send(Over {
            event: outbox.event,
            safety: sink.safety,
        });
        budgeted.settle(cost_micros).await;
    }
}

/// What the gate would remember, had the conversation been a session here. A message that cannot be judged is left to
/// the turn itself, which then asks no model.
async fn remembered(input: &TurnInput, gate: &Gate) -> SafetyState {
    let mut state = SafetyState::default();
    let earlier: Vec<&str> = input
        .messages
        .iter()
        .rev()
        .skip(1)
        .filter(|message| message.role == Role::User)
        .take(REMEMBERED)
        .map(|message| message.text.as_str())
        .collect();
    for message in earlier.into_iter().rev() {
        let _ = gate.assess(message, &mut state).await;
    }
    state
}

pub(super) async fn create(
    door: &Door,
    mut request: Request,
    key: &ApiKey,
    context: &Context,
) -> Result<Response, Refusal> {
    let ours = |error: ApiError| refusal(&error);
    let caller = http::trace_context(request.headers());
    let country = crate::auth::region(&request);
    let locale = crate::auth::locale(&request);
    let body = http::body_up_to(&mut request, BODY_BYTES).await.map_err(ours)?;
    let ask = Ask::read(&body, door.now_ms)?;
    let snapshot = snapshot(door).await?;
    let person = person(key, &ask.user);
    door.limit(&request, Some(&person)).await.map_err(ours)?;
    let subject = Subject {
        id: person.as_str(),
        is_new: false,
        is_paid: true,
    };
    let twin = super::twin_of(door, &request, &ask.model)?;
    let wishes = match &twin {
        Some(_) => Overrides::new(),
        None => overrides(&snapshot, &ask.model)?,
    };
    let assignment = snapshot.assign_with(&subject, &wishes);
    let setting = Setting {
        locale: &locale,
        timezone: None,
        first_turn: ask.messages.len() == 1,
    };
    let window = door.config.window_tokens;
    let mut policy = policy::companion(&snapshot, &assignment, person.as_str(), &setting, window).map_err(ours)?;
    policy.product = "api".into();
    let mut messages = ask.messages;
    if let Some(twin) = &twin {
        let (persona, version) = twin::persona(&door.env, &person, twin, door.now_ms)
            .await
            .map_err(ours)?;
        // A program sends its conversation along, and nothing of it is remembered.
        let materials = twin::Materials {
            persona: &persona,
            version: &version,
            facts: &[],
            prior: None,
        };
        let plan = twin::shape(&mut policy, &setting, &materials, &messages).map_err(ours)?;
        messages.drain(..plan.verbatim_from.min(messages.len()));
    }
    // This protocol has no word for taking back what was said.
    policy.allows_reset = false;
    if !ask.instructions.is_empty() {
        policy
            .prompt
            .text
            .push_str("\n\n## Instructions of the application that you are part of\n");
        policy.prompt.text.push_str(&ask.instructions);
    }
    policy.max_output_tokens = ask
        .max_output_tokens
        .map_or(policy.max_output_tokens, |limit| limit.min(32_768));
    policy.temperature_milli = ask.temperature_milli.unwrap_or(policy.temperature_milli);

    let id = |random: Result<[u8; 10], ApiError>| random.map_err(|error| refusal(&error));
    let turn_id = TurnId::new(door.now_ms, id(random::bytes())?);
    let head = Head {
        id: format!("chatcmpl-{}", turn_id.as_str()),
        created_s: door.now_ms / 1_000,
        model: ask.model,
    };
    let config = silent_edge::config::ChatConfig::read(&door.env).map_err(ours)?;
    let tracing = Tracing::new(config.trace.clone());
    let trace = Rc::new(tracing.recorder(&turn_id, caller.as_ref(), door.now_ms));
    let work = Work {
        env: door.env.clone(),
        config,
        input: TurnInput {
            session_id: SessionId::new(door.now_ms, id(random::bytes())?),
            person_id: person,
            message_id: head.id.clone(),
            turn_id,
            seq: 1,
            kind: Kind::Send,
            accepted_at_ms: door.now_ms,
            messages,
            locale,
            country,
            trace: trace.clone(),
            safety_state: SafetyState::default(),
        },
        policy,
    };
    let (out, said) = mpsc::unbounded();
    let (over, ended) = oneshot::channel();
    // The turn is recorded also when the program goes away, which stops the model.
    let context_of_turn = trace.context().clone();
    let run = work.run(out, over, http::gone(&request));
    let env = door.env.clone();
    context.wait_until(async move {
        run.await;
        let spans = trace.finish(SystemClock.now_ms());
        join(tracing.export(spans), budget::keep(&env)).await;
    });
    let response = if ask.stream {
        streamed(head, said, ended, ask.include_usage).await?
    } else {
        whole(&head, said, ended).await?
    };
    http::set_trace(response.headers(), &context_of_turn).map_err(|error| refusal(&error.into()))?;
    Ok(response)
}

/// A failure before anything was said.
fn failed(message: String) -> Refusal {
    Refusal {
        status: 503,
        kind: "server_error",
        message,
        param: None,
        code: Some("provider_error"),
    }
}

async fn whole(
    head: &Head,
    mut said: mpsc::UnboundedReceiver<Said>,
    ended: oneshot::Receiver<Over>,
) -> Result<Response, Refusal> {
    let mut text = String::new();
    while let Some(said) = said.next().await {
        match said {
            Said::Text(more) => text.push_str(&more),
            // Half an answer is no answer.
            Said::Failed(message) => return Err(failed(message)),
        }
    }
    let over = ended.await.ok();
    let event = over.as_ref().and_then(|over| over.event.as_ref());
    let event = event.ok_or_else(|| failed("The answer could not be completed.".into()))?;
    let safety = over.as_ref().and_then(|over| over.safety.as_ref());
    let broken = |error: worker::Error| refusal(&error.into());
    let response = Response::from_json(&head.completion(&text, event, safety)).map_err(broken)?;
    let cost = event.cost_micros.map(|micros| micros.to_string()).unwrap_or_default();
    for (name, value) in [
        ("x-provider", event.provider.as_str()),
        ("x-model", &event.model),
        ("x-cost-micros", &cost),
    ] {
        response.headers().set(name, value).map_err(broken)?;
    }
    Ok(response)
}

async fn streamed(
    head: Head,
    mut said: mpsc::UnboundedReceiver<Said>,
    ended: oneshot::Receiver<Over>,
    include_usage: bool,
) -> Result<Response, Refusal> {
    // What fails before the first word is an HTTP status, as SDKs expect it.
    let first = match said.next().await {
        Some(Said::Failed(message)) => return Err(failed(message)),
        first => first,
    };
    let (mut lines, body) = mpsc::channel::<String>(LINES);
    wasm_bindgen_futures::spawn_local(async move {
        let line = |value: &Value| format!("data: {value}\n\n");
        let mut next = first;
        let mut is_whole = true;
        let _ = lines.send(line(&head.opening())).await;
        while let Some(item) = next {
            let text = match item {
                Said::Text(text) => line(&head.delta(&text)),
                Said::Failed(message) => {
                    is_whole = false;
                    line(&failed(message).body())
                }
            };
            if lines.send(text).await.is_err() {
                return;
            }
            next = said.next().await;
        }
        if let (
            true,
            Ok(Over {
                event: Some(event),
                safety,
            }),
        ) = (is_whole, ended.await)
        {
            let _ = lines.send(line(&head.closing(&event, safety.as_ref()))).await;
            if include_usage {
                let _ = lines.send(line(&head.usage(&event))).await;
            }
            let _ = lines.send("data: [DONE]\n\n".into()).await;
        }
    });
    // What is there goes together: each write is several calls into the runtime.
    let bytes = body
        .ready_chunks(LINES)
        .map(|lines| Ok::<_, worker::Error>(lines.concat().into_bytes()));
    let broken = |error: worker::Error| refusal(&error.into());
    let response = Response::from_stream(bytes.chain(stream::empty())).map_err(broken)?;
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("x-accel-buffering", "no"),
    ] {
        response.headers().set(name, value).map_err(broken)?;
    }
    Ok(response)
}
