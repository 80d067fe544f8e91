//! A provider behind budgets: it reserves when a model is really asked, so that a crisis never waits for an account.

use crate::budget::{Budgets, Reservation};
use silent_core::budget::Degradation;
use silent_core::memory::estimate_tokens;
use silent_core::pricing;
use silent_core::turn::{LlmEvent, LlmProvider, LlmRequest, ProviderError, TokenStream, Usage};
use std::cell::RefCell;
use worker::Env;

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
}

/// A provider, what it is charged to, and who answers when nothing is left.
pub struct Budgeted<'a, P, Q> {
    provider: &'a P,
    without_money: &'a Q,
    charge: Charge<'a>,
    reservation: RefCell<Option<Reservation>>,
}

impl<'a, P: LlmProvider, Q: LlmProvider> Budgeted<'a, P, Q> {
    /// Puts budgets before a provider; `without_money` answers where nothing is left.
    #[must_use]
    pub fn new(provider: &'a P, without_money: &'a Q, charge: Charge<'a>) -> Self {
        Self {
            provider,
            without_money,
            charge,
            reservation: RefCell::new(None),
        }
    }

    fn degradation(&self) -> Degradation {
        let reservation = self.reservation.borrow();
        reservation
            .as_ref()
            .map_or(Degradation::None, |reservation| reservation.degradation)
    }

    /// Settles what was reserved with what the turn cost, micros; none where the price is unknown.
    pub async fn settle(&self, cost_micros: Option<u64>) {
        let reservation = self.reservation.borrow_mut().take();
        if let Some(mut reservation) = reservation {
            reservation.settle(self.charge.env, cost_micros.unwrap_or(0)).await;
        }
    }
}

/// What a request may cost at most, micros: all of what is read, and an answer as long as allowed.
fn estimate_micros(request: &LlmRequest) -> u64 {
    let texts = request.messages.iter().map(|message| message.text.as_str());
    let read = texts
        .chain([request.system.as_str()])
        .map(|text| u64::from(estimate_tokens(text)));
    let usage = Usage {
        input_tokens: read.sum(),
        output_tokens: u64::from(request.max_output_tokens),
        ..Usage::default()
    };
    pricing::cost_micros(&request.model, usage).unwrap_or(0)
}

impl<P: LlmProvider, Q: LlmProvider> LlmProvider for Budgeted<'_, P, Q> {
    type Stream = BudgetedStream<P::Stream, Q::Stream>;

    fn name(&self) -> &str {
        match self.degradation() {
            Degradation::Offline => self.without_money.name(),
            _ => self.provider.name(),
        }
    }

    async fn stream(&self, request: &LlmRequest) -> Result<Self::Stream, ProviderError> {
        let Charge {
            env,
            budgets,
            feature,
            person,
            id,
        } = &self.charge;
        let reservation = budgets
            .reserve(env, feature, person, id, estimate_micros(request))
            .await;
        let degradation = reservation.degradation;
        *self.reservation.borrow_mut() = Some(reservation);
        match degradation {
            Degradation::None | Degradation::Cheaper => Ok(BudgetedStream::Paid(self.provider.stream(request).await?)),
            Degradation::Cheapest => {
                let short = LlmRequest {
                    max_output_tokens: (request.max_output_tokens / 2).max(1),
                    ..request.clone()
                };
                Ok(BudgetedStream::Paid(self.provider.stream(&short).await?))
            }
            Degradation::Offline => Ok(BudgetedStream::Free(self.without_money.stream(request).await?)),
        }
    }
}

/// Whose answer comes.
pub enum BudgetedStream<P, Q> {
    /// The provider's.
    Paid(P),
    /// Of who answers when nothing is left.
    Free(Q),
}

impl<P: TokenStream, Q: TokenStream> TokenStream for BudgetedStream<P, Q> {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        match self {
            Self::Paid(stream) => stream.next().await,
            Self::Free(stream) => stream.next().await,
        }
    }
}
