//! A provider behind budgets: it reserves when a model is really asked, so that a crisis never waits for an account.

use crate::budget::{Budgets, Reservation};
use silent_core::budget::Degradation;
use silent_core::memory::estimate_tokens;
use silent_core::pricing;
use silent_core::router::Target;
use silent_core::turn::{LlmProvider, LlmRequest, ProviderError, Usage};
use silent_providers::llm::offline;
use std::cell::RefCell;
use worker::{Date, Env};

/// What a call is charged to.
pub struct Charge<'a> {
    /// The bindings.
    pub env: &'a Env,
    /// What is configured.
    pub budgets: &'a Budgets,
    /// `chat`, `api` or `voice`.
    pub feature: &'a str,
    /// Whose day it is.
    pub person: &'a str,
    /// The turn.
    pub id: &'a str,
    /// Who may answer: the dearest of them is what is reserved.
    pub targets: &'a [Target],
}

/// Who answers, by what is left.
pub struct Choices<'a, P> {
    /// While there is enough.
    pub usual: &'a P,
    /// The cheapest first.
    pub cheap: &'a P,
    /// Where nothing is left.
    pub free: &'a P,
}

/// Providers, and what they are charged to.
pub struct Budgeted<'a, P> {
    choices: Choices<'a, P>,
    charge: Charge<'a>,
    reservation: RefCell<Option<Reservation>>,
}

impl<'a, P: LlmProvider> Budgeted<'a, P> {
    /// Puts budgets before providers.
    #[must_use]
    pub fn new(choices: Choices<'a, P>, charge: Charge<'a>) -> Self {
        Self {
            choices,
            charge,
            reservation: RefCell::new(None),
        }
    }

    fn chosen(&self) -> &'a P {
        let reservation = self.reservation.borrow();
        match reservation.as_ref().map(|reservation| reservation.degradation) {
            None | Some(Degradation::None) => self.choices.usual,
            Some(Degradation::Cheaper | Degradation::Cheapest) => self.choices.cheap,
            Some(Degradation::Offline) => self.choices.free,
        }
    }

    /// Settles what was reserved with what the turn cost, micros; none where the price is unknown.
    pub async fn settle(&self, cost_micros: Option<u64>) {
        let reservation = self.reservation.borrow_mut().take();
        if let Some(mut reservation) = reservation {
            reservation.settle(self.charge.env, cost_micros.unwrap_or(0)).await;
        }
    }
}

/// What a request may cost at most, micros: all of what is read, and an answer as long as allowed, by the dearest target.
fn estimate_micros(request: &LlmRequest, targets: &[Target], now_ms: u64) -> u64 {
    let texts = request.messages.iter().map(|message| message.text.as_str());
    let read = texts
        .chain([request.system.as_str()])
        .map(|text| u64::from(estimate_tokens(text)));
    let usage = Usage {
        input_tokens: read.sum(),
        output_tokens: u64::from(request.max_output_tokens),
        ..Usage::default()
    };
    targets
        .iter()
        .filter_map(|target| pricing::cost_micros(&target.model, usage, now_ms))
        .max()
        .unwrap_or(0)
}

impl<P: LlmProvider> LlmProvider for Budgeted<'_, P> {
    type Stream = P::Stream;

    fn name(&self) -> &str {
        self.chosen().name()
    }

    async fn stream(&self, request: &LlmRequest) -> Result<Self::Stream, ProviderError> {
        // The embedded listener costs nothing.
        if self.choices.usual.name() == offline::NAME {
            return self.choices.usual.stream(request).await;
        }
        let Charge {
            env,
            budgets,
            feature,
            person,
            id,
            targets,
        } = &self.charge;
        let estimate = estimate_micros(request, targets, Date::now().as_millis());
        let reservation = budgets.reserve(env, feature, person, id, estimate).await;
        let is_short = reservation.degradation == Degradation::Cheapest;
        *self.reservation.borrow_mut() = Some(reservation);
        if is_short {
            let short = LlmRequest {
                max_output_tokens: (request.max_output_tokens / 2).max(1),
                ..request.clone()
            };
            return self.chosen().stream(&short).await;
        }
        self.chosen().stream(request).await
    }

    fn is_degraded(&self) -> bool {
        let reservation = self.reservation.borrow();
        reservation
            .as_ref()
            .is_some_and(|reservation| reservation.degradation != Degradation::None)
    }
}
