//! The router's stream: attempts until one speaks, then its words, and another attempt where it breaks off.

use super::backoff::{Jitter, retry_in_ms};
use super::order::ordered;
use super::run::{self, Run};
use super::{Health, Plan, Target, Timer, Upstream};
use crate::turn::{Attempt, LlmEvent, LlmProvider, LlmRequest, ProviderError, StopReason, TokenStream};
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::pin::pin;
use futures::future::{Either, select};

/// After the stop reason only the count of tokens is missing: not worth more than this, milliseconds.
const TRAILER_MS: u64 = 2_000;

struct Inner<U, T> {
    upstream: U,
    timer: T,
    health: Rc<RefCell<Health>>,
    plan: Plan,
    seed: u64,
}

/// A provider made of others.
pub struct Router<U, T> {
    inner: Rc<Inner<U, T>>,
}

impl<U: Upstream, T: Timer> Router<U, T> {
    /// Routes by a plan. `seed` is any number that differs from turn to turn.
    pub fn new(upstream: U, timer: T, health: Rc<RefCell<Health>>, plan: Plan, seed: u64) -> Self {
        let inner = Inner {
            upstream,
            timer,
            health,
            plan,
            seed,
        };
        Self { inner: Rc::new(inner) }
    }

    /// Where it asks.
    pub fn upstream(&self) -> &U {
        &self.inner.upstream
    }
}

impl<U: Upstream, T: Timer> LlmProvider for Router<U, T> {
    type Stream = RouterStream<U, T>;

    /// The primary's name; who really answered is in the attempts.
    fn name(&self) -> &str {
        self.inner
            .plan
            .targets
            .first()
            .map_or("none", |target| &target.provider)
    }

    async fn stream(&self, request: &LlmRequest) -> Result<Self::Stream, ProviderError> {
        let now_ms = self.inner.timer.now_ms();
        let mut health = self.inner.health.borrow_mut();
        health.save(self.inner.plan.hedge_percent);
        let candidates = ordered(&self.inner.plan, request, &health, now_ms);
        drop(health);
        Ok(RouterStream {
            candidates: candidates.into_iter().map(Candidate::new).collect(),
            deadline_ms: now_ms.saturating_add(self.inner.plan.timeouts.total_ms),
            jitter: Jitter::new(self.inner.seed),
            inner: self.inner.clone(),
            request: request.clone(),
            ready: VecDeque::new(),
            current: None,
            running: Vec::new(),
            started: 0,
            void: false,
            over: false,
        })
    }
}

struct Candidate {
    target: Target,
    asked: u8,
    /// Not to be asked again for this answer.
    spent: bool,
    /// Nor before this time, milliseconds.
    not_before_ms: u64,
}

impl Candidate {
    fn new(target: Target) -> Self {
        Self {
            target,
            asked: 0,
            spent: false,
            not_before_ms: 0,
        }
    }
}

struct Current<S> {
    at: usize,
    run: Rc<Run>,
    stream: S,
}

/// An answer as the router gives it.
pub struct RouterStream<U: Upstream, T> {
    inner: Rc<Inner<U, T>>,
    request: LlmRequest,
    candidates: Vec<Candidate>,
    deadline_ms: u64,
    jitter: Jitter,
    ready: VecDeque<Result<LlmEvent, ProviderError>>,
    current: Option<Current<U::Stream>>,
    /// Attempts under way, for whoever gives them up.
    running: Vec<Rc<Run>>,
    /// Attempts so far, which numbers their spans.
    started: u32,
    /// Whether words were passed on whose answer broke off.
    void: bool,
    over: bool,
}

/// A stream that has spoken, with its events so far; or why there is none.
type Begun<S> = Result<(S, Vec<LlmEvent>), ProviderError>;
/// Who answers, with the events so far.
type Won<S> = (Current<S>, Vec<LlmEvent>);

impl<U: Upstream, T: Timer> TokenStream for RouterStream<U, T> {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            match self.current.take() {
                Some(current) => self.go_on(current).await,
                None => self.begin().await,
            }
        }
    }

    fn abandon(&mut self) -> Vec<LlmEvent> {
        self.current = None;
        self.over = true;
        let now_ms = self.now_ms();
        let attempts = self.running.drain(..).map(|run| {
            let mut health = self.inner.health.borrow_mut();
            // Who has spoken is healthy; of the others nothing is known.
            match run.ttft_ms.get() {
                Some(_) => health.succeeded(&run.target, run.permit),
                None => health.released(&run.target, run.permit),
            }
            LlmEvent::Attempt(run.attempt(run::STOPPED, &self.request, now_ms))
        });
        let earlier = self.ready.drain(..).filter_map(Result::ok);
        let earlier = earlier.filter(|event| matches!(event, LlmEvent::Attempt(_)));
        earlier.chain(attempts).collect()
    }
}

impl<U: Upstream, T> Drop for RouterStream<U, T> {
    fn drop(&mut self) {
        // A probe that nobody waits for must not keep its place.
        for run in self.running.drain(..) {
            self.inner.health.borrow_mut().released(&run.target, run.permit);
        }
    }
}

impl<U: Upstream, T: Timer> RouterStream<U, T> {
    fn now_ms(&self) -> u64 {
        self.inner.timer.now_ms()
    }

    fn left_ms(&self) -> u64 {
        self.deadline_ms.saturating_sub(self.now_ms())
    }

    fn fail(&mut self, error: ProviderError) {
        self.over = true;
        self.ready.push_back(Err(error));
    }

    fn tell(&mut self, attempt: Attempt) {
        self.ready.push_back(Ok(LlmEvent::Attempt(attempt)));
    }

    /// Asks until a target speaks or none is left.
    async fn begin(&mut self) {
        let mut last = None;
        while let Some(at) = self.pick() {
            match self.race(at).await {
                Ok(Some((current, events))) => {
                    if core::mem::take(&mut self.void) {
                        self.ready.push_back(Ok(LlmEvent::Reset));
                    }
                    self.ready.extend(events.into_iter().map(Ok));
                    self.current = Some(current);
                    return;
                }
                Ok(None) => {}
                Err(error) if self.left_ms() == 0 || !another_may_do(&error) => return self.fail(error),
                Err(error) => last = Some(error),
            }
            self.wait().await;
        }
        let error = last.unwrap_or_else(|| self.all_closed());
        self.fail(error);
    }

    /// Waits until the next target may be asked again.
    async fn wait(&mut self) {
        let next = self.candidates.iter().find(|candidate| !candidate.spent);
        let wait_ms = next.map_or(0, |candidate| candidate.not_before_ms.saturating_sub(self.now_ms()));
        if wait_ms > 0 {
            self.inner.timer.sleep(wait_ms).await;
        }
    }

    /// Decides whether a target that failed is asked again, and when.
    fn after(&mut self, at: usize, error: &ProviderError) {
        let others = self.candidates.iter().enumerate();
        let others = others
            .filter(|(n, _)| *n != at)
            .any(|(_, other)| self.is_open_to(other));
        let (now_ms, left_ms) = (self.now_ms(), self.left_ms());
        let attempts = self.inner.plan.attempts;
        if let Some(candidate) = self.candidates.get_mut(at) {
            let wait_ms = (candidate.asked < attempts)
                .then(|| retry_in_ms(error, candidate.asked, left_ms, others, &mut self.jitter))
                .flatten();
            candidate.spent = wait_ms.is_none();
            candidate.not_before_ms = now_ms.saturating_add(wait_ms.unwrap_or(0));
        }
    }

    fn is_open_to(&self, candidate: &Candidate) -> bool {
        let now_ms = self.now_ms();
        let closed = self.inner.health.borrow().closed_until_ms(&candidate.target, now_ms);
        !candidate.spent && candidate.not_before_ms <= now_ms && closed.is_none()
    }

    /// The first target that may be asked, with its breaker's leave; those whose breaker says no are told.
    fn pick(&mut self) -> Option<usize> {
        let now_ms = self.now_ms();
        for at in 0..self.candidates.len() {
            let candidate = self.candidates.get_mut(at)?;
            if candidate.spent {
                continue;
            }
            if self
                .inner
                .health
                .borrow()
                .closed_until_ms(&candidate.target, now_ms)
                .is_none()
            {
                return Some(at);
            }
            candidate.spent = true;
            // Who was asked already has its records.
            if candidate.asked > 0 {
                continue;
            }
            let skipped = run::skipped(&candidate.target, now_ms);
            self.tell(skipped);
        }
        None
    }

    /// Every breaker is open: when the first of them lets a request through again.
    fn all_closed(&self) -> ProviderError {
        let now_ms = self.now_ms();
        let health = self.inner.health.borrow();
        let closed = self.candidates.iter();
        let until_ms = closed.filter_map(|candidate| health.closed_until_ms(&candidate.target, now_ms));
        let wait_ms = until_ms.min().map(|until_ms| until_ms.saturating_sub(now_ms));
        ProviderError::Overloaded {
            retry_after_s: wait_ms.and_then(|ms| u32::try_from(ms.div_ceil(1_000)).ok()),
        }
    }

    fn start(&mut self, at: usize) -> Option<Rc<Run>> {
        let now_ms = self.now_ms();
        let timeouts = &self.inner.plan.timeouts;
        let probe_ms = timeouts.connect_ms.max(timeouts.first_token_ms).min(timeouts.total_ms);
        let candidate = self.candidates.get_mut(at)?;
        let permit = self
            .inner
            .health
            .borrow_mut()
            .ask(&candidate.target, now_ms, probe_ms)?;
        candidate.asked = candidate.asked.saturating_add(1);
        let trace = self.request.trace.as_ref().map(|trace| trace.attempt(self.started));
        let run = Rc::new(Run::new(candidate.target.clone(), trace, permit, now_ms));
        self.started = self.started.saturating_add(1);
        self.running.push(run.clone());
        Some(run)
    }

    /// Asks a target, and another one beside it where the first is late. Who speaks first wins; the other is dropped.
    async fn race(&mut self, first: usize) -> Result<Option<Won<U::Stream>>, ProviderError> {
        let Some(run) = self.start(first) else {
            return Ok(None);
        };
        let inner = self.inner.clone();
        let asked = self.asked(&run);
        let deadline_ms = self.deadline_ms;
        let mut attempt = pin!(first_token(&inner, &run, &asked, deadline_ms));
        let late = match inner.plan.hedge_after_ms {
            Some(ms) => match select(attempt.as_mut(), pin!(inner.timer.sleep(ms))).await {
                Either::Left((begun, _)) => return self.settle(first, &run, begun),
                Either::Right(_) => true,
            },
            None => false,
        };
        let hedge = if late { self.hedge(first) } else { None };
        let Some((second, hedge)) = hedge else {
            let begun = attempt.await;
            return self.settle(first, &run, begun);
        };
        let asked = self.asked(&hedge);
        let mut other = pin!(first_token(&inner, &hedge, &asked, deadline_ms));
        match select(attempt.as_mut(), other.as_mut()).await {
            Either::Left((Ok(won), _)) => {
                self.lose(&hedge);
                self.settle(first, &run, Ok(won))
            }
            Either::Right((Ok(won), _)) => {
                self.lose(&run);
                self.settle(second, &hedge, Ok(won))
            }
            Either::Left((Err(error), _)) => {
                self.ended(first, &run, &error);
                let begun = other.await;
                self.settle(second, &hedge, begun)
            }
            Either::Right((Err(error), _)) => {
                self.ended(second, &hedge, &error);
                let begun = attempt.await;
                self.settle(first, &run, begun)
            }
        }
    }

    /// The target to ask beside the first one, where one may be asked.
    fn hedge(&mut self, first: usize) -> Option<(usize, Rc<Run>)> {
        let at = (0..self.candidates.len())
            .find(|at| *at != first && self.candidates.get(*at).is_some_and(|other| self.is_open_to(other)))?;
        if !self.inner.health.borrow_mut().spend() {
            return None;
        }
        Some((at, self.start(at)?))
    }

    fn asked(&self, run: &Run) -> LlmRequest {
        LlmRequest {
            model: run.target.model.clone(),
            trace: run.trace.clone(),
            ..self.request.clone()
        }
    }

    /// Takes what came of an attempt.
    fn settle(
        &mut self,
        at: usize,
        run: &Rc<Run>,
        begun: Begun<U::Stream>,
    ) -> Result<Option<Won<U::Stream>>, ProviderError> {
        let (stream, events) = begun.inspect_err(|error| self.ended(at, run, error))?;
        let now_ms = self.now_ms();
        let mut health = self.inner.health.borrow_mut();
        health.spoke(&run.target, run.permit, &self.inner.plan.breaker);
        health.observe(&run.target, run.age_ms(now_ms), now_ms);
        let run = run.clone();
        Ok(Some((Current { at, run, stream }, events)))
    }

    /// The loser of a race: its stream is dropped by the caller.
    fn lose(&mut self, run: &Rc<Run>) {
        let now_ms = self.now_ms();
        self.inner.health.borrow_mut().released(&run.target, run.permit);
        self.running.retain(|other| !Rc::ptr_eq(other, run));
        let attempt = run.attempt(run::HEDGE_LOST, &self.request, now_ms);
        self.tell(attempt);
    }

    /// Records an attempt that failed.
    fn ended(&mut self, at: usize, run: &Rc<Run>, error: &ProviderError) {
        let now_ms = self.now_ms();
        let spoke = run.ttft_ms.get().is_some();
        let mut health = self.inner.health.borrow_mut();
        if is_the_targets(error) {
            let rest_ms = error.retry_after_s().map_or(0, |seconds| u64::from(seconds) * 1_000);
            health.failed(&run.target, run.permit, now_ms, rest_ms, &self.inner.plan.breaker);
        } else {
            health.released(&run.target, run.permit);
        }
        if !spoke && matches!(error, ProviderError::TimedOut(_)) {
            health.observe(&run.target, run.age_ms(now_ms), now_ms);
        }
        drop(health);
        self.running.retain(|other| !Rc::ptr_eq(other, run));
        let attempt = run.attempt(error.slug(), &self.request, now_ms);
        self.tell(attempt);
        self.after(at, error);
        // Who broke off in the middle of an answer is not asked again for it.
        if let Some(candidate) = self.candidates.get_mut(at) {
            candidate.spent |= spoke;
        }
    }

    /// Passes the next event on.
    async fn go_on(&mut self, mut current: Current<U::Stream>) {
        let timeouts = self.inner.plan.timeouts;
        let stopped = current.run.stopped.get();
        let wait_ms = if stopped {
            timeouts.idle_ms.min(TRAILER_MS)
        } else {
            timeouts.idle_ms
        };
        let left_ms = self.left_ms();
        let next = within(&self.inner.timer, wait_ms.min(left_ms), current.stream.next()).await;
        let failure = match next {
            // Words after the stop reason belong to no answer.
            Some(Some(Ok(LlmEvent::Delta(_)))) if stopped => {
                self.current = Some(current);
                return;
            }
            Some(Some(Ok(event))) => {
                current.run.note(&event, self.now_ms());
                // Tokens and cost are told once, with the attempt.
                if !matches!(event, LlmEvent::Usage(_) | LlmEvent::Cost(_)) {
                    self.ready.push_back(Ok(event));
                }
                self.current = Some(current);
                return;
            }
            Some(Some(Err(error))) => error,
            Some(None) => ProviderError::Truncated,
            None if left_ms <= wait_ms => ProviderError::TimedOut("total"),
            None => ProviderError::TimedOut("silence"),
        };
        let Current { at, run, stream } = current;
        drop(stream);
        if stopped {
            // It said why it stopped: whatever happens afterwards, the answer is whole.
            self.inner.health.borrow_mut().succeeded(&run.target, run.permit);
            self.running.clear();
            let attempt = run.attempt(run::OK, &self.request, self.now_ms());
            self.tell(attempt);
            self.over = true;
            return;
        }
        self.ended(at, &run, &failure);
        let left = self.candidates.iter().any(|candidate| self.is_open_to(candidate));
        if !self.inner.plan.allows_reset || !left || self.left_ms() == 0 || !another_may_do(&failure) {
            return self.fail(failure);
        }
        self.void = true;
    }
}

/// Whether another target may succeed where this one failed. A filter's refusal is an answer: nobody is asked around it.
fn another_may_do(error: &ProviderError) -> bool {
    !matches!(error, ProviderError::Filtered | ProviderError::Unjudged)
}

/// Whether a failure says something about the target, rather than about the request.
fn is_the_targets(error: &ProviderError) -> bool {
    match error {
        ProviderError::ContextLength | ProviderError::Filtered | ProviderError::Unjudged => false,
        ProviderError::Status(status) => !matches!(status, 400 | 413 | 422),
        _ => true,
    }
}

/// Waits for a future, but not for longer.
async fn within<F: Future>(timer: &impl Timer, ms: u64, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(timer.sleep(ms))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Opens a stream and reads to its first token, or to a refusal without one.
async fn first_token<U: Upstream, T: Timer>(
    inner: &Inner<U, T>,
    run: &Run,
    request: &LlmRequest,
    deadline_ms: u64,
) -> Begun<U::Stream> {
    let Inner {
        upstream, timer, plan, ..
    } = inner;
    let until_ms = |ms: u64| run.started_at_ms.saturating_add(ms).min(deadline_ms);
    let in_time = |until_ms: u64, what| {
        let is_total = until_ms == deadline_ms;
        (
            until_ms.saturating_sub(timer.now_ms()),
            ProviderError::TimedOut(if is_total { "total" } else { what }),
        )
    };
    let (wait_ms, late) = in_time(until_ms(plan.timeouts.connect_ms), "connect");
    let mut stream = within(timer, wait_ms, upstream.open(&run.target, request))
        .await
        .ok_or(late)??;
    run.opened_ms.set(Some(run.age_ms(timer.now_ms())));
    let mut events = vec![];
    loop {
        let (wait_ms, late) = in_time(until_ms(plan.timeouts.first_token_ms), "first token");
        let event = within(timer, wait_ms, stream.next()).await.ok_or(late)?;
        let event = event.ok_or(ProviderError::Truncated)??;
        run.note(&event, timer.now_ms());
        match event {
            LlmEvent::Usage(_) | LlmEvent::Cost(_) => {}
            LlmEvent::Stop(StopReason::Refusal | StopReason::ContentFilter) | LlmEvent::Delta(_) => {
                events.push(event);
                return Ok((stream, events));
            }
            // Who says nothing and does not refuse has not answered. Its count of tokens may follow.
            LlmEvent::Stop(_) => {
                let wait_ms = TRAILER_MS.min(deadline_ms.saturating_sub(timer.now_ms()));
                let _ = within(timer, wait_ms, rest(&mut stream, run)).await;
                return Err(ProviderError::Protocol("empty answer"));
            }
            other => events.push(other),
        }
    }
}

/// Reads the counts at the end of a stream.
async fn rest(stream: &mut impl TokenStream, run: &Run) {
    while let Some(Ok(event)) = stream.next().await {
        if matches!(event, LlmEvent::Usage(_) | LlmEvent::Cost(_)) {
            run.note(&event, 0);
        }
    }
}
