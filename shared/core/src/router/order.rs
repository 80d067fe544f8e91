//! The order of a plan's targets, by its routing policy.

use super::{Health, Plan, Routing, Target};
use crate::memory::estimate_tokens;
use crate::pricing;
use crate::turn::{LlmRequest, Usage};
use alloc::vec::Vec;

/// What a request is expected to use: all that it says, and half of what it allows.
fn expected(request: &LlmRequest) -> Usage {
    Usage {
        input_tokens: input_tokens(request),
        output_tokens: u64::from(request.max_output_tokens / 2),
        ..Usage::default()
    }
}

/// Estimate of the tokens that a request has a model read.
pub(crate) fn input_tokens(request: &LlmRequest) -> u64 {
    let messages = request.messages.iter().map(|message| message.text.as_str());
    messages
        .chain([request.system.as_str()])
        .map(|text| u64::from(estimate_tokens(text)))
        .sum()
}

/// The targets, best first. Equals keep the configured order.
pub(crate) fn ordered(plan: &Plan, request: &LlmRequest, health: &Health, now_ms: u64) -> Vec<Target> {
    let mut targets = plan.targets.clone();
    match plan.routing {
        Routing::Quality => {}
        Routing::Fast => targets.sort_by_key(|target| health.ttft_ms(target, now_ms).unwrap_or(0)),
        Routing::Cost => {
            let usage = expected(request);
            targets.sort_by_cached_key(|target| pricing::cost_micros(&target.model, usage, now_ms).unwrap_or(u64::MAX));
        }
    }
    targets
}
