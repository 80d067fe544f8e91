//! The use case against fakes: what is said, stored and recorded, in which order.

use super::*;
use crate::conversation::{Message, Role};
use crate::ids::{PersonId, SessionId, TurnId};
use crate::prompt::SystemPrompt;
use crate::router::Routing;
use crate::safety::{Assessment, Level, SafetyState};
use crate::trace::{Recorder, Span, TraceContext};
use crate::variants::Reason;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use futures::executor::block_on;
use proptest::prelude::*;

mod traces;

type Script = Vec<Result<LlmEvent, ProviderError>>;

#[derive(Default)]
struct World {
    log: RefCell<Vec<String>>,
    now_ms: Cell<u64>,
}

impl World {
    fn note(&self, text: &str) {
        self.log.borrow_mut().push(text.into());
    }
}

#[derive(Clone)]
struct Fake(Rc<World>);

impl Clock for Fake {
    fn now_ms(&self) -> u64 {
        self.0.now_ms.set(self.0.now_ms.get() + 10);
        self.0.now_ms.get()
    }
}

impl PartSink for Fake {
    fn emit(&mut self, part: Part) {
        self.0.note(&match part {
            Part::TextDelta { delta, .. } => alloc::format!("say {delta}"),
            part if part.is_last() => "DONE".into(),
            part => serde_json::to_value(&part).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_string(),
        });
    }
}

struct Provider {
    world: Rc<World>,
    opening: Result<Script, ProviderError>,
    asked: RefCell<Vec<LlmRequest>>,
    is_degraded: bool,
    /// Stops the turn when so many events were read.
    stop_after: Option<usize>,
    stop: Rc<RefCell<Option<futures::channel::oneshot::Sender<()>>>>,
}

struct Stream {
    world: Rc<World>,
    script: alloc::collections::VecDeque<Result<LlmEvent, ProviderError>>,
    read: usize,
    stop_after: Option<usize>,
    stop: Rc<RefCell<Option<futures::channel::oneshot::Sender<()>>>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.world.note("upstream closed");
    }
}

impl TokenStream for Stream {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        if self.stop_after == Some(self.read) {
            if let Some(stop) = self.stop.borrow_mut().take() {
                stop.send(()).unwrap();
            }
            // A model that goes on: only the stop ends this.
            core::future::pending::<()>().await;
        }
        self.read += 1;
        self.script.pop_front()
    }
}

impl LlmProvider for Provider {
    type Stream = Stream;
    fn name(&self) -> &str {
        "fake"
    }
    fn is_degraded(&self) -> bool {
        self.is_degraded
    }
    async fn stream(&self, request: &LlmRequest) -> Result<Stream, ProviderError> {
        self.asked.borrow_mut().push(request.clone());
        Ok(Stream {
            world: self.world.clone(),
            script: self.opening.clone()?.into(),
            read: 0,
            stop_after: self.stop_after,
            stop: self.stop.clone(),
        })
    }
}

struct Store {
    world: Rc<World>,
    broken: bool,
    records: Vec<TurnRecord>,
}

impl ConversationStore for Store {
    async fn commit(&mut self, record: &TurnRecord, _last: &[Part]) -> Result<(), StoreError> {
        self.world.note("commit");
        self.records.push(record.clone());
        if self.broken { Err(StoreError) } else { Ok(()) }
    }
}

struct Outcome {
    log: Vec<String>,
    record: TurnRecord,
    asked: Vec<LlmRequest>,
    spans: Vec<Span>,
    second_stage_asked: u32,
}

struct Case {
    said: &'static str,
    opening: Result<Script, ProviderError>,
    is_degraded: bool,
    stop_after: Option<usize>,
    broken_store: bool,
    state: SafetyState,
    second_stage: Second,
    began_ms: u64,
    gate_away: bool,
}

struct Gate {
    away: bool,
}

impl SafetyGate for Gate {
    async fn assess(&self, message: &str, state: &mut SafetyState) -> Result<Assessment, GateError> {
        if self.away {
            return Err(GateError);
        }
        OwnRules.assess(message, state).await
    }
}

/// A second stage that sees this level, and counts how often it is asked.
#[derive(Default)]
struct Second {
    sees: Option<Level>,
    asked: Cell<u32>,
}

impl SafetyModel for &Second {
    async fn judge(&self, _messages: &[Message], _trace: &TraceContext) -> Option<Level> {
        self.asked.set(self.asked.get() + 1);
        self.sees
    }
}

fn case(said: &'static str, opening: Result<Script, ProviderError>) -> Case {
    Case {
        said,
        opening,
        is_degraded: false,
        stop_after: None,
        broken_store: false,
        state: SafetyState::default(),
        second_stage: Second::default(),
        began_ms: 0,
        gate_away: false,
    }
}

fn delta(text: &str) -> Result<LlmEvent, ProviderError> {
    Ok(LlmEvent::Delta(text.into()))
}

fn stop() -> Result<LlmEvent, ProviderError> {
    Ok(LlmEvent::Stop(StopReason::Stop))
}

fn policy() -> Policy {
    Policy {
        product: "companion".into(),
        prompt: SystemPrompt {
            text: "Be kind.".into(),
            version: "t@1-00000000".into(),
            confidential_bytes: None,
        },
        model: "wanted".into(),
        targets: vec![],
        routing: Routing::Quality,
        allows_reset: true,
        max_output_tokens: 100,
        temperature_milli: 700,
        window_tokens: 1_000,
        snapshot_version: 3,
        variants: BTreeMap::from([("LLM_MODEL".into(), "challenger".into())]),
        production_defaults: BTreeMap::from([("LLM_MODEL".into(), "production".into())]),
        reasons: BTreeMap::from([("LLM_MODEL".into(), Reason::Split)]),
    }
}

/// A turn of a caller whose trace is not sampled.
fn recorder() -> Rc<Recorder> {
    let caller = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", Some("foo=1"));
    let context = TraceContext::of_turn(&TurnId::new(1, [3; 10]), caller.as_ref(), |_| false);
    Rc::new(Recorder::new(context, caller.as_ref(), 0))
}

fn input(said: &str, state: SafetyState) -> TurnInput {
    TurnInput {
        session_id: SessionId::new(1, [1; 10]),
        person_id: PersonId::new(1, [2; 10]),
        turn_id: TurnId::new(1, [3; 10]),
        seq: 1,
        kind: Kind::Send,
        message_id: "msg_1".into(),
        accepted_at_ms: 0,
        messages: vec![Message {
            role: Role::User,
            text: said.into(),
            at_ms: 0,
        }],
        locale: "en".into(),
        country: Some("US".into()),
        trace: recorder(),
        safety_state: state,
    }
}

fn run(case: Case) -> Outcome {
    run_with(case, &policy())
}

fn run_with(case: Case, policy: &Policy) -> Outcome {
    let world = Rc::new(World::default());
    world.now_ms.set(case.began_ms);
    let (sender, receiver) = futures::channel::oneshot::channel();
    let provider = Provider {
        world: world.clone(),
        opening: case.opening,
        asked: RefCell::default(),
        is_degraded: case.is_degraded,
        stop_after: case.stop_after,
        stop: Rc::new(RefCell::new(Some(sender))),
    };
    let mut store = Store {
        world: world.clone(),
        broken: case.broken_store,
        records: Vec::new(),
    };
    let fake = Fake(world.clone());
    let stopped = async move {
        if receiver.await.is_err() {
            core::future::pending::<()>().await;
        }
    };
    let input = input(case.said, case.state);
    let trace = input.trace.clone();
    block_on(process_turn(
        input,
        policy,
        &provider,
        &Gate { away: case.gate_away },
        &&case.second_stage,
        &mut store,
        &mut fake.clone(),
        &fake,
        stopped,
    ));
    Outcome {
        log: world.log.borrow().clone(),
        record: store.records.remove(0),
        asked: provider.asked.take(),
        second_stage_asked: case.second_stage.asked.get(),
        spans: trace.finish(world.now_ms.get()),
    }
}

#[test]
fn a_turn_is_stored_before_finish_is_said() {
    let usage = Usage {
        input_tokens: 5,
        output_tokens: 7,
        ..Usage::default()
    };
    let outcome = run(case(
        "hello there",
        Ok(vec![
            Ok(LlmEvent::Model("gpt-4o-mini".into())),
            delta("One. T"),
            delta("wo."),
            stop(),
            Ok(LlmEvent::Usage(usage)),
        ]),
    ));
    let expected = [
        "start",
        "start-step",
        "text-start",
        "say One. ",
        "upstream closed",
        "say Two.",
        "text-end",
        "commit",
        "finish-step",
        "message-metadata",
        "finish",
        "DONE",
    ];
    assert_eq!(outcome.log, expected);
    let event = &outcome.record.event;
    assert_eq!(
        (
            event.status,
            event.usage,
            event.model.as_str(),
            event.requested_model.as_str()
        ),
        (Status::Done, usage, "gpt-4o-mini", "wanted")
    );
    assert_eq!(event.cost_micros, Some(5), "5 × 0.15 + 7 × 0.60 micros, rounded up");
    assert_eq!(event.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(event.variants["LLM_MODEL"], "challenger");
    assert_eq!(event.reasons["LLM_MODEL"], Reason::Split);
    assert!(
        event
            .ttft_ms
            .is_some_and(|ttft_ms| ttft_ms > 0 && ttft_ms < event.total_ms)
    );
    assert_eq!(outcome.record.answer, "One. Two.");
    assert_eq!(outcome.asked[0].system, "Be kind.");
}

#[test]
fn an_answer_that_a_budget_changed_is_none_of_its_model_or_prompt() {
    let outcome = run(Case {
        is_degraded: true,
        ..case("hello", Ok(vec![delta("One."), stop()]))
    });
    let reasons = &outcome.record.event.reasons;
    let degraded = [("LLM_MODEL", Reason::Degraded), ("SYSTEM_PROMPT", Reason::Degraded)];
    assert!(
        reasons
            .iter()
            .map(|(category, reason)| (category.as_str(), *reason))
            .eq(degraded)
    );
}

#[test]
fn a_crisis_asks_no_model_and_counts_as_production() {
    let outcome = run(case("I want to die", Ok(vec![delta("must not be said")])));
    assert!(outcome.asked.is_empty());
    let event = &outcome.record.event;
    assert_eq!(
        (event.crisis_level, event.crisis_override, event.provider.as_str()),
        (2, true, "safety")
    );
    assert_eq!(event.variants["LLM_MODEL"], "production");
    assert!(event.reasons.is_empty());
    assert!(outcome.log.contains(&"data-safety".into()) && outcome.record.answer.contains("911"));
}

#[test]
fn the_gates_memory_is_stored_with_the_turn() {
    let outcome = run(case("I'm going to kill myself", Ok(vec![])));
    let next = run(Case {
        state: outcome.record.safety_state,
        ..case("tell me a joke", Ok(vec![stop()]))
    });
    assert_eq!((next.record.event.crisis_level, next.asked.len()), (3, 0));
}

#[test]
fn level_one_is_answered_by_the_model_and_help_is_shown() {
    let outcome = run(case("I feel hopeless about work", Ok(vec![delta("Hm."), stop()])));
    assert_eq!(outcome.asked.len(), 1);
    assert!(outcome.log.contains(&"data-safety".into()));
}

#[test]
fn the_second_stage_is_asked_only_where_the_rules_are_uncertain_and_only_raises() {
    const UNCERTAIN: &str = "Nobody cares about me. I feel so hopeless.";
    let with = |said, sees: Option<u8>| {
        run(Case {
            second_stage: Second {
                sees: sees.map(Level::new),
                ..Second::default()
            },
            ..case(said, Ok(vec![delta("Hm."), stop()]))
        })
    };
    for (said, sees, asked, level, model_asked) in [
        (UNCERTAIN, Some(3), 1, 3, 0),
        (UNCERTAIN, Some(2), 1, 2, 0),
        (UNCERTAIN, Some(0), 1, 1, 1),
        (UNCERTAIN, None, 1, 1, 1),
        ("what shall I cook?", Some(4), 0, 0, 1),
        ("I want to die", Some(0), 0, 2, 0),
    ] {
        let outcome = with(said, sees);
        assert_eq!(
            (
                outcome.second_stage_asked,
                outcome.record.event.crisis_level,
                outcome.asked.len()
            ),
            (asked, level, model_asked),
            "{said} {sees:?}"
        );
        assert_eq!(
            outcome.log.contains(&"data-safety".into()),
            level > 0,
            "{said} {sees:?}"
        );
    }
    // What it saw is remembered.
    assert_eq!(with(UNCERTAIN, Some(3)).record.safety_state.highest, Level::new(3));
}

#[test]
fn without_the_gate_no_model_is_asked_and_help_is_shown() {
    let outcome = run(Case {
        gate_away: true,
        ..case("hello", Ok(vec![delta("Hm."), stop()]))
    });
    assert!(outcome.asked.is_empty() && outcome.log.contains(&"data-safety".into()));
    let event = &outcome.record.event;
    assert_eq!(
        (event.status, event.error.as_deref()),
        (Status::Failed, Some("gate-away"))
    );
    assert_eq!((event.rules_version.as_str(), outcome.record.answer.as_str()), ("", ""));
}

#[test]
fn a_safe_exit_asks_no_model() {
    for (said, answer) in [("close this", ""), ("a real person please", "I am an AI")] {
        let outcome = run(case(said, Ok(vec![delta("Hm."), stop()])));
        assert!(
            outcome.asked.is_empty() && outcome.log.contains(&"data-safety".into()),
            "{said}"
        );
        assert!(outcome.record.answer.starts_with(answer), "{said}");
        assert_eq!(
            (outcome.record.event.crisis_level, outcome.record.event.crisis_override),
            (0, false)
        );
    }
}

#[test]
fn the_disclosure_is_repeated_when_it_is_due() {
    let mut state = SafetyState::default();
    state.disclosed_at_ms = 1;
    let said = |state, began_ms| {
        let case = Case {
            state,
            began_ms,
            ..case("hello", Ok(vec![delta("Hm."), stop()]))
        };
        run(case).log.contains(&"data-disclosure".into())
    };
    assert!(!said(SafetyState::default(), 4 * 3_600_000));
    assert!(!said(state, 2 * 3_600_000));
    assert!(said(state, 3 * 3_600_000));
}

#[test]
fn what_a_model_must_not_say_is_replaced() {
    let outcome = run(case(
        "who are you",
        Ok(vec![delta("Hello. I am a therapist. Bye."), stop()]),
    ));
    assert_eq!(
        outcome.record.answer,
        "Hello. To be clear: I am an AI, not a person and not a therapist. Bye."
    );
    assert_eq!(outcome.record.event.guardrails, ["false-claim"]);
}

#[test]
fn a_stop_keeps_what_was_said_and_closes_the_upstream() {
    let outcome = run(Case {
        stop_after: Some(2),
        ..case("tell me", Ok(vec![delta("One. "), delta("Tw"), delta("never")]))
    });
    assert_eq!(
        (outcome.record.event.status, outcome.record.answer.as_str()),
        (Status::Stopped, "One. Tw")
    );
    let at = |entry: &str| outcome.log.iter().position(|other| other == entry).unwrap();
    assert!(at("upstream closed") < at("commit") && at("commit") < at("abort"));
}

#[test]
fn failures_are_told_and_recorded_and_never_look_whole() {
    for (opening, slug) in [
        (Err(ProviderError::Unreachable), "provider-unreachable"),
        (Err(ProviderError::Busy { retry_after_s: Some(3) }), "provider-busy"),
        (Ok(vec![delta("Half")]), "provider-truncated"),
        (
            Ok(vec![delta("Half"), Err(ProviderError::InStream)]),
            "provider-in-stream",
        ),
        (Ok(vec![Err(ProviderError::TimedOut("silence"))]), "provider-timeout"),
    ] {
        let outcome = run(case("hi", opening));
        assert_eq!(outcome.record.event.error.as_deref(), Some(slug));
        assert_eq!(outcome.record.event.status, Status::Failed);
        assert_eq!(outcome.log[outcome.log.len() - 2..], ["error", "DONE"], "{slug}");
    }
}

#[test]
fn a_store_that_refuses_makes_the_turn_fail() {
    let outcome = run(Case {
        broken_store: true,
        ..case("hi", Ok(vec![delta("Fine."), stop()]))
    });
    assert_eq!(outcome.log[outcome.log.len() - 2..], ["error", "DONE"]);
}

#[test]
fn an_unanswered_turn_is_recorded_too() {
    let (record, parts) = unanswered(&input("hi", SafetyState::default()), &policy(), Status::Interrupted, 9);
    assert_eq!(
        (record.event.status, record.event.provider.as_str()),
        (Status::Interrupted, "none")
    );
    assert!(matches!(
        parts[..],
        [
            Part::Start { .. },
            Part::StartStep,
            Part::FinishStep,
            Part::MessageMetadata { .. },
            Part::Error { .. },
            Part::Done
        ]
    ));
}

#[test]
fn the_vendors_own_cost_counts_before_the_price_list() {
    let script = |cost: Option<u64>| {
        let usage = Usage {
            input_tokens: 1_000_000,
            ..Usage::default()
        };
        let mut script = vec![Ok(LlmEvent::Model("gpt-4o-mini".into())), delta("Yes."), stop()];
        script.push(Ok(LlmEvent::Usage(usage)));
        script.extend(cost.map(|micros| Ok(LlmEvent::Cost(micros))));
        run(case("hello there", Ok(script))).record.event.cost_micros
    };
    assert_eq!((script(None), script(Some(42))), (Some(150_000), Some(42)));
}

fn attempt(provider: &str, outcome: &str, usage: Option<(u64, u64)>, cost_micros: Option<u64>) -> Attempt {
    Attempt {
        provider: provider.into(),
        model: "gpt-4o-mini".into(),
        response_model: None,
        span_id: None,
        outcome: outcome.into(),
        started_at_ms: 1,
        opened_ms: Some(2),
        ttft_ms: Some(3),
        total_ms: 4,
        usage: usage.map(|(input_tokens, output_tokens)| Usage {
            input_tokens,
            output_tokens,
            ..Usage::default()
        }),
        usage_estimated: false,
        cost_micros,
    }
}

fn failed_over() -> Script {
    let failed = attempt("first", "provider-truncated", Some((10, 3)), Some(7));
    vec![
        delta("I am a therapist. Half an ans"),
        Ok(LlmEvent::Attempt(failed)),
        Ok(LlmEvent::Reset),
        delta("All of it. Tr"),
        delta("uly."),
        stop(),
        Ok(LlmEvent::Attempt(attempt("second", "ok", Some((10, 5)), Some(9)))),
    ]
}

#[test]
fn a_reset_takes_back_all_that_was_said() {
    let outcome = run(case("hello", Ok(failed_over())));
    let expected = [
        "start",
        "start-step",
        "text-start",
        "say To be clear: I am an AI, not a person and not a therapist. ",
        "reset-step",
        "text-start",
        "say All of it. ",
        "upstream closed",
        "say Truly.",
        "text-end",
        "commit",
        "finish-step",
        "message-metadata",
        "finish",
        "DONE",
    ];
    assert_eq!(outcome.log, expected);
    let TurnRecord { event, answer, .. } = outcome.record;
    assert_eq!((answer.as_str(), event.status), ("All of it. Truly.", Status::Done));
    assert_eq!((event.provider.as_str(), event.mixed_providers), ("second", true));
    assert_eq!(
        (event.usage.input_tokens, event.usage.output_tokens),
        (20, 8),
        "what was charged, once each"
    );
    assert_eq!((event.cost_micros, event.attempts.len()), (Some(16), 2));
    assert_eq!(event.guardrails, ["false-claim"], "the person may have seen it");
}

#[test]
fn a_reset_before_the_first_sentence_is_not_seen() {
    let mut script = failed_over();
    script[0] = delta("Half a sent");
    let outcome = run(case("hello", Ok(script)));
    assert!(!outcome.log.contains(&"reset-step".into()));
    assert_eq!(outcome.record.answer, "All of it. Truly.");
}

#[test]
fn where_the_sink_takes_nothing_back_a_reset_is_the_end() {
    let policy = Policy {
        allows_reset: false,
        ..policy()
    };
    let outcome = run_with(case("hello", Ok(failed_over())), &policy);
    assert!(!outcome.log.contains(&"reset-step".into()));
    assert_eq!(outcome.log[outcome.log.len() - 2..], ["error", "DONE"]);
    assert_eq!(outcome.record.event.error.as_deref(), Some("provider-truncated"));
    let mut script = failed_over();
    script[0] = delta("Half a sent");
    assert_eq!(
        run_with(case("hello", Ok(script)), &policy).record.answer,
        "All of it. Truly."
    );
}

#[test]
fn a_repeated_disclosure_is_never_taken_back() {
    let mut state = SafetyState::default();
    state.disclosed_at_ms = 1;
    let outcome = run(Case {
        state,
        began_ms: 3 * 3_600_000,
        ..case("hello", Ok(failed_over()))
    });
    assert_eq!(outcome.log[..3], ["start", "data-disclosure", "start-step"]);
}

#[test]
fn who_answered_and_what_it_cost_is_in_the_attempts() {
    let ended = |attempts: &[Attempt]| {
        let mut script = vec![delta("Yes."), stop()];
        script.extend(attempts.iter().map(|attempt| Ok(LlmEvent::Attempt(attempt.clone()))));
        run(case("hello", Ok(script))).record.event
    };
    let refused = attempt("first", "provider-status", None, None);
    let lost = attempt("second", "hedge-lost", None, None);
    let skipped = attempt("third", "breaker-open", None, None);
    let unpriced = attempt("own", "ok", Some((5, 5)), None);
    let answered = attempt("first", "ok", Some((1, 1)), Some(2));
    for (attempts, provider, cost, mixed) in [
        (vec![refused.clone(), answered.clone()], "first", Some(2), false),
        (vec![answered.clone(), lost.clone()], "first", Some(2), true),
        (vec![skipped.clone(), unpriced.clone()], "own", None, true),
        (vec![answered, unpriced.clone()], "own", Some(2), true),
        (vec![skipped.clone()], "third", Some(0), false),
        (vec![refused, skipped], "first", Some(0), true),
    ] {
        let event = ended(&attempts);
        assert_eq!(
            (event.provider.as_str(), event.cost_micros),
            (provider, cost),
            "{attempts:?}"
        );
        assert_eq!((event.mixed_providers, event.attempts), (mixed, attempts));
    }
}

#[test]
fn attempts_of_older_events_are_none_and_plain_ones_are_short() {
    let (record, _) = unanswered(&input("hi", SafetyState::default()), &policy(), Status::Stopped, 9);
    let mut stored = serde_json::to_value(&record.event).unwrap();
    for field in ["attempts", "mixed_providers"] {
        stored.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(serde_json::from_value::<TurnEvent>(stored).unwrap(), record.event);
    let mut skipped = attempt("a", "breaker-open", None, None);
    (skipped.opened_ms, skipped.ttft_ms) = (None, None);
    assert_eq!(
        serde_json::to_value(&skipped).unwrap(),
        serde_json::json!({"provider": "a", "model": "gpt-4o-mini", "outcome": "breaker-open", "started_at_ms": 1, "total_ms": 4})
    );
}

#[test]
fn what_may_pass_is_retried() {
    for (error, retryable) in [
        (ProviderError::Busy { retry_after_s: Some(3) }, true),
        (ProviderError::Overloaded { retry_after_s: None }, true),
        (ProviderError::Status(500), true),
        (ProviderError::Status(501), false),
        (ProviderError::Status(401), false),
        (ProviderError::Truncated, true),
        (ProviderError::QuotaExhausted, false),
        (ProviderError::ContextLength, false),
        (ProviderError::Filtered, false),
        (ProviderError::Unjudged, false),
    ] {
        assert_eq!(error.is_retryable(), retryable, "{error:?}");
    }
    assert_eq!(ProviderError::Busy { retry_after_s: Some(3) }.retry_after_s(), Some(3));
}

#[test]
fn event_format_unchanged() {
    let (record, _) = unanswered(&input("hi", SafetyState::default()), &policy(), Status::Stopped, 9);
    let event = record.event;
    let keys: Vec<String> = serde_json::to_value(&event)
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        keys,
        [
            "accepted_at_ms",
            "attempts",
            "cost_micros",
            "country",
            "crisis_level",
            "crisis_override",
            "error",
            "event_id",
            "finish_reason",
            "guardrails",
            "injection_suspected",
            "kind",
            "mixed_providers",
            "model",
            "person_id",
            "product",
            "prompt_version",
            "provider",
            "queued_ms",
            "reasons",
            "requested_model",
            "rules_version",
            "safety_rules",
            "safety_tags",
            "seq",
            "session_id",
            "snapshot_version",
            "status",
            "total_ms",
            "trace_id",
            "ttft_ms",
            "turn_id",
            "usage",
            "variants",
            "version"
        ]
    );
    assert_eq!((event.version, event.status.as_str()), (1, "stopped"));
}

proptest! {
    /// However a model cuts its words, the person gets the same text, and a crisis none of it.
    #[test]
    fn splits_do_not_change_the_answer(pieces in proptest::collection::vec("[a-z .!?]{0,12}", 0..12)) {
        let mut script: Script = pieces.iter().map(|piece| delta(piece)).collect();
        script.push(stop());
        let whole = run(case("hello", Ok(vec![delta(&pieces.concat()), stop()])));
        prop_assert_eq!(run(case("hello", Ok(script.clone()))).record.answer, whole.record.answer);
        let crisis = run(case("I want to kill myself", Ok(script)));
        prop_assert!(crisis.asked.is_empty() && crisis.record.event.crisis_override);
    }

    /// Crisis is never experimented on: whatever a person is assigned to, they hear the same and count as production.
    #[test]
    fn no_assignment_changes_a_crisis(variants in proptest::collection::btree_map("[A-Z_]{3,20}", "[a-z0-9-]{1,20}", 0..14), prompt in "[a-zA-Z ]{0,60}", model in "[a-z0-9-]{1,20}", level in 0_usize..3) {
        let said = ["I want to die", "I'm going to kill myself", "I've swallowed the whole bottle of pills"][level];
        let mut policy = policy();
        let plain = run_with(case(said, Ok(vec![])), &policy);
        policy.variants = variants;
        policy.prompt.text = prompt;
        policy.model = model;
        let other = run_with(case(said, Ok(vec![])), &policy);
        prop_assert_eq!(&other.record.answer, &plain.record.answer);
        prop_assert_eq!(&other.log, &plain.log);
        prop_assert_eq!(&other.record.event.variants, &policy.production_defaults);
        prop_assert!(other.asked.is_empty() && other.record.event.crisis_override && other.record.event.crisis_level >= 2);
    }
}
