//! Simulated time and scripted upstreams.

use crate::conversation::{Message, Role};
use crate::router::{Health, Plan, Router, Target, Timer, Upstream};
use crate::trace::{SpanId, TraceContext};
use crate::turn::{Attempt, LlmEvent, LlmProvider, LlmRequest, ProviderError, StopReason, TokenStream, Usage};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use futures::task::noop_waker;

/// Time that passes only while everybody waits.
#[derive(Default)]
pub(super) struct Clock {
    now_ms: Cell<u64>,
    sleepers: RefCell<BTreeSet<(u64, u64)>>,
    next: Cell<u64>,
}

struct Sleep {
    clock: Rc<Clock>,
    until_ms: u64,
    id: u64,
}

impl Future for Sleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.clock.now_ms.get() >= self.until_ms {
            return Poll::Ready(());
        }
        self.clock.sleepers.borrow_mut().insert((self.until_ms, self.id));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.sleepers.borrow_mut().remove(&(self.until_ms, self.id));
    }
}

/// Runs to the end; fails where everybody waits and nobody sleeps.
pub(super) fn run<F: Future>(clock: &Clock, future: F) -> F::Output {
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        let next = clock.sleepers.borrow().first().copied();
        let (until_ms, _) = next.expect("everybody waits, and nothing will ever happen");
        clock.now_ms.set(clock.now_ms.get().max(until_ms));
    }
}

#[derive(Clone)]
pub(super) struct SimTimer(pub(super) Rc<Clock>);

impl Timer for SimTimer {
    fn now_ms(&self) -> u64 {
        self.0.now_ms.get()
    }
    async fn sleep(&self, ms: u64) {
        let id = self.0.next.replace(self.0.next.get() + 1);
        let clock = self.0.clone();
        let until_ms = self.now_ms() + ms;
        Sleep { clock, until_ms, id }.await;
    }
}

/// What an upstream does next.
#[allow(clippy::large_enum_variant, reason = "a script is short")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Wait(u64),
    Tell(LlmEvent),
    Fail(ProviderError),
    /// Never anything more.
    Hang,
    /// The stream is over. A script that is at its end does this as well.
    End,
}

/// One answer of an upstream: before its headers, and after.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) open: Vec<Step>,
    pub(super) steps: Vec<Step>,
}

pub(super) fn say(text: &str) -> Step {
    Step::Tell(LlmEvent::Delta(text.into()))
}

pub(super) fn stop() -> Step {
    Step::Tell(LlmEvent::Stop(StopReason::Stop))
}

pub(super) fn used(input_tokens: u64, output_tokens: u64) -> Step {
    Step::Tell(LlmEvent::Usage(Usage {
        input_tokens,
        output_tokens,
        ..Usage::default()
    }))
}

pub(super) fn script(steps: Vec<Step>) -> Script {
    Script { open: vec![], steps }
}

pub(super) fn refuse(error: ProviderError) -> Script {
    Script {
        open: vec![Step::Fail(error)],
        steps: vec![],
    }
}

/// A whole answer of these words, with its count of tokens.
pub(super) fn whole(words: &str) -> Script {
    let mut steps: Vec<Step> = words.split_inclusive(' ').map(say).collect();
    steps.extend([stop(), used(11, words.split(' ').count() as u64)]);
    script(steps)
}

#[derive(Default)]
pub(super) struct World {
    pub(super) clock: Rc<Clock>,
    /// By target, answer after answer; the last one again and again.
    pub(super) scripts: RefCell<BTreeMap<Target, VecDeque<Script>>>,
    /// Who was asked, and when.
    pub(super) asked: RefCell<Vec<(String, u64)>>,
    /// The span that each of them was asked with.
    pub(super) spans: RefCell<Vec<SpanId>>,
    /// Upstreams that somebody holds.
    pub(super) alive: Cell<i32>,
}

struct Alive(Rc<World>);

impl Alive {
    fn new(world: &Rc<World>) -> Self {
        world.alive.set(world.alive.get() + 1);
        Self(world.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

#[derive(Clone)]
pub(super) struct Fakes(pub(super) Rc<World>);

pub(super) struct FakeStream {
    steps: VecDeque<Step>,
    timer: SimTimer,
    _alive: Alive,
}

async fn play(steps: &mut VecDeque<Step>, timer: &SimTimer) -> Option<Result<LlmEvent, ProviderError>> {
    loop {
        match steps.pop_front() {
            Some(Step::Wait(ms)) => timer.sleep(ms).await,
            Some(Step::Tell(event)) => return Some(Ok(event)),
            Some(Step::Fail(error)) => {
                steps.clear();
                return Some(Err(error));
            }
            Some(Step::Hang) => core::future::pending().await,
            Some(Step::End) | None => {
                steps.clear();
                return None;
            }
        }
    }
}

impl Upstream for Fakes {
    type Stream = FakeStream;
    async fn open(&self, target: &Target, request: &LlmRequest) -> Result<FakeStream, ProviderError> {
        assert_eq!(target.model, request.model);
        let alive = Alive::new(&self.0);
        self.0
            .spans
            .borrow_mut()
            .extend(request.trace.as_ref().map(|trace| trace.span_id));
        let timer = SimTimer(self.0.clock.clone());
        self.0
            .asked
            .borrow_mut()
            .push((target.provider.clone(), timer.now_ms()));
        let script = {
            let mut scripts = self.0.scripts.borrow_mut();
            let mine = scripts.get_mut(target).expect("a script for the target");
            if mine.len() > 1 {
                mine.pop_front()
            } else {
                mine.front().cloned()
            }
        };
        let Script { open, steps } = script.unwrap_or_default();
        if let Some(Err(error)) = play(&mut open.into(), &timer).await {
            return Err(error);
        }
        Ok(FakeStream {
            steps: steps.into(),
            timer,
            _alive: alive,
        })
    }
}

impl TokenStream for FakeStream {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        play(&mut self.steps, &self.timer).await
    }
}

pub(super) fn target(provider: &str) -> Target {
    Target {
        provider: provider.into(),
        model: "gpt-4o-mini".into(),
    }
}

pub(super) fn ask() -> LlmRequest {
    LlmRequest {
        model: "wanted".into(),
        system: "be kind".into(),
        messages: vec![Message {
            role: Role::User,
            text: "hello".into(),
            at_ms: 0,
        }],
        max_output_tokens: 100,
        temperature_milli: 700,
        response_schema: None,
        trace: TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
    }
}

/// What a turn heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The text since the last reset.
    pub(super) text: String,
    pub(super) resets: usize,
    pub(super) stop: Option<StopReason>,
    pub(super) error: Option<ProviderError>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) began_ms: u64,
    pub(super) took_ms: u64,
}

impl Heard {
    pub(super) fn outcomes(&self) -> Vec<(&str, &str)> {
        let attempts = self.attempts.iter();
        attempts
            .map(|attempt| (attempt.provider.as_str(), attempt.outcome.as_str()))
            .collect()
    }
}

/// Scripts for targets, and a health that lasts from turn to turn.
pub(super) struct Bench {
    pub(super) world: Rc<World>,
    pub(super) health: Rc<RefCell<Health>>,
    pub(super) plan: Plan,
    seed: Cell<u64>,
}

impl Bench {
    pub(super) fn new(scripts: &[(&str, Vec<Script>)]) -> Self {
        let world = Rc::new(World::default());
        for (provider, script) in scripts {
            let script = script.iter().cloned().collect();
            world.scripts.borrow_mut().insert(target(provider), script);
        }
        Self {
            world,
            health: Rc::default(),
            plan: Plan::new(scripts.iter().map(|(provider, _)| target(provider)).collect()),
            seed: Cell::new(7),
        }
    }

    pub(super) fn router(&self) -> Router<Fakes, SimTimer> {
        let seed = self.seed.replace(self.seed.get() + 1);
        let timer = SimTimer(self.world.clock.clone());
        Router::new(
            Fakes(self.world.clone()),
            timer,
            self.health.clone(),
            self.plan.clone(),
            seed,
        )
    }

    pub(super) fn rescript(&self, provider: &str, script: Script) {
        self.world
            .scripts
            .borrow_mut()
            .insert(target(provider), [script].into());
    }

    pub(super) fn pass(&self, ms: u64) {
        run(&self.world.clock, SimTimer(self.world.clock.clone()).sleep(ms));
    }

    /// One turn to its end; nothing of it may live on.
    pub(super) fn turn(&self) -> Heard {
        self.turn_until(None)
    }

    /// One turn, given up at a time.
    pub(super) fn turn_until(&self, stop_after_ms: Option<u64>) -> Heard {
        let clock = self.world.clock.clone();
        let began_ms = clock.now_ms.get();
        let timer = SimTimer(clock.clone());
        let mut heard = Heard {
            began_ms,
            ..Heard::default()
        };
        run(&clock, async {
            let mut stream = self.router().stream(&ask()).await.unwrap();
            let mut stopped = pin!(async {
                match stop_after_ms {
                    Some(ms) => timer.sleep(ms).await,
                    None => core::future::pending().await,
                }
            });
            loop {
                use futures::future::{Either, select};
                let event = match select(pin!(stream.next()), stopped.as_mut()).await {
                    Either::Left((event, _)) => event,
                    Either::Right(_) => break,
                };
                match event {
                    Some(Ok(LlmEvent::Delta(text))) => heard.text.push_str(&text),
                    Some(Ok(LlmEvent::Reset)) => {
                        heard.resets += 1;
                        heard.text.clear();
                        assert_eq!(heard.stop, None, "a whole answer is not taken back");
                    }
                    Some(Ok(LlmEvent::Stop(reason))) => heard.stop = Some(reason),
                    Some(Ok(LlmEvent::Attempt(attempt))) => heard.attempts.push(attempt),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        assert_eq!(heard.error.replace(error), None, "two errors");
                    }
                    None => break,
                }
            }
            for event in stream.abandon() {
                if let LlmEvent::Attempt(attempt) = event {
                    heard.attempts.push(attempt);
                }
            }
            assert_eq!(self.world.alive.get(), 0, "an upstream lives on");
            let mut sent = self.world.spans.take();
            let named = heard.attempts.iter().filter_map(|attempt| attempt.span_id);
            let mut named: Vec<SpanId> = named.collect();
            sent.sort();
            named.sort();
            assert_eq!(sent, named, "every request carries the span of one attempt");
            named.dedup();
            assert_eq!(sent.len(), named.len(), "no two attempts share a span");
        });
        heard.took_ms = clock.now_ms.get() - began_ms;
        heard
    }
}
