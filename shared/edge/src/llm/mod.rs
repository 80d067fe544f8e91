//! Models over the runtime's `fetch`, the binding of Workers AI, and the embedded one, behind the core's router.

pub(crate) mod http;
mod offline;
mod settings;
mod vendors;
mod workers_ai;

pub use settings::{LlmConfig, VENDORS};
pub use vendors::{LlmStream, Vendors};

use crate::random;
use silent_core::router::{Health, Router, RouterStream, Target, Timer};
use silent_core::turn::{LlmProvider, LlmRequest, Policy, ProviderError};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use worker::{Date, Delay};

thread_local! {
    /// One for the isolate: all its sessions learn from each other. Borrowed inside the router only, never over an await.
    static HEALTH: Rc<RefCell<Health>> = Rc::default();
}

/// The runtime's time.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeTimer;

impl Timer for RuntimeTimer {
    fn now_ms(&self) -> u64 {
        Date::now().as_millis()
    }
    async fn sleep(&self, ms: u64) {
        Delay::from(Duration::from_millis(ms)).await;
    }
}

/// Whoever answers a turn.
pub struct Llm<'a> {
    config: &'a LlmConfig,
    targets: Vec<Target>,
    router: Router<Vendors, RuntimeTimer>,
}

impl<'a> Llm<'a> {
    /// By the configuration and the turn's policy.
    #[must_use]
    pub fn new(config: &'a LlmConfig, policy: &Policy) -> Self {
        let plan = config.plan(policy);
        let vendors = Vendors::of(config, &plan.targets);
        // Chance only spreads retries: without it they come at once.
        let seed = random::bytes().map_or(0, u64::from_le_bytes);
        let health = HEALTH.with(Rc::clone);
        Self {
            config,
            targets: plan.targets.clone(),
            router: Router::new(vendors, RuntimeTimer, health, plan, seed),
        }
    }

    /// Who may answer, as configured here.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Where a model of the gate's second stage is, by the provider's name for it; none without a provider.
    pub(crate) fn judge(&self, model: &str) -> Option<(Vendors, Target)> {
        let target = self.config.judge(model)?;
        Some((Vendors::of(self.config, std::slice::from_ref(&target)), target))
    }
}

impl LlmProvider for Llm<'_> {
    type Stream = RouterStream<Vendors, RuntimeTimer>;

    fn name(&self) -> &str {
        self.router.name()
    }

    async fn stream(&self, request: &LlmRequest) -> Result<Self::Stream, ProviderError> {
        self.router.stream(request).await
    }
}
