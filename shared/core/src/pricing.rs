//! What a turn costs and what a person pays: integer micros (millionths of a US dollar), dated tables.

use crate::turn::Usage;
use serde::Serialize;

const MILLION: u128 = 1_000_000;

/// A model's list price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The model's name begins with this.
    pub model: &'static str,
    /// Micros for a million tokens read.
    pub input_micros: u64,
    /// Micros for a million tokens written.
    pub output_micros: u64,
    /// First day of the price, ISO 8601.
    pub effective_from: &'static str,
    /// Where the price was published.
    pub source: &'static str,
}

const fn rate(
    model: &'static str,
    input_usd_cents: u64,
    output_usd_cents: u64,
    effective_from: &'static str,
    source: &'static str,
) -> Rate {
    Rate {
        model,
        input_micros: input_usd_cents * 10_000,
        output_micros: output_usd_cents * 10_000,
        effective_from,
        source,
    }
}

/// List prices, the longest prefix wins. Prices of open models depend on who serves them and are set with the route.
pub const RATES: &[Rate] = &[
    rate("claude-opus-4", 500, 2_500, "2025-11-24", "Anthropic, pricing page"),
    rate("claude-sonnet-4", 300, 1_500, "2025-05-22", "Anthropic, pricing page"),
    rate("claude-haiku-4", 100, 500, "2025-10-15", "Anthropic, pricing page"),
    rate("gpt-4o", 250, 1_000, "2024-10-02", "OpenAI, pricing page"),
    rate("gpt-4o-mini", 15, 60, "2024-07-18", "OpenAI, pricing page"),
    rate("gpt-4.1", 200, 800, "2025-04-14", "OpenAI, pricing page"),
    rate("gpt-4.1-mini", 40, 160, "2025-04-14", "OpenAI, pricing page"),
];

/// The price of a model, by the longest known prefix of its name (vendors append dates and versions).
#[must_use]
pub fn rate_of(model: &str) -> Option<&'static Rate> {
    let name = model.rsplit('/').next().unwrap_or(model);
    RATES
        .iter()
        .filter(|rate| name.starts_with(rate.model))
        .max_by_key(|rate| rate.model.len())
}

/// Cost of a call in micros, rounded up; none where the model's price is unknown.
#[must_use]
pub fn cost_micros(model: &str, usage: Usage) -> Option<u64> {
    let rate = rate_of(model)?;
    let total = u128::from(usage.input_tokens) * u128::from(rate.input_micros)
        + u128::from(usage.output_tokens) * u128::from(rate.output_micros);
    Some(u64::try_from(total.div_ceil(MILLION)).unwrap_or(u64::MAX))
}

/// What a session has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SessionCost {
    /// Turns that were counted.
    pub turns: u64,
    /// Turns whose model has no known price.
    pub unpriced: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Known cost in micros.
    pub cost_micros: u64,
}

impl SessionCost {
    /// Adds a turn.
    pub fn add(&mut self, usage: Usage, cost_micros: Option<u64>) {
        self.turns = self.turns.saturating_add(1);
        self.input_tokens = self.input_tokens.saturating_add(usage.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(usage.output_tokens);
        match cost_micros {
            Some(cost) => self.cost_micros = self.cost_micros.saturating_add(cost),
            None => self.unpriced = self.unpriced.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage {
            input_tokens,
            output_tokens,
            ..Usage::default()
        }
    }

    #[test]
    fn known_costs() {
        for (model, input, output, micros) in [
            ("claude-sonnet-4-6", 1_000_000, 0, Some(3_000_000)),
            ("anthropic/claude-haiku-4-5-20251001", 0, 1_000_000, Some(5_000_000)),
            ("gpt-4o-mini-2024-07-18", 1, 0, Some(1)),
            ("gpt-4o-2024-11-20", 1_000, 100, Some(3_500)),
            ("claude-sonnet-4-6", 0, 0, Some(0)),
            ("smollm2", 10, 10, None),
        ] {
            assert_eq!(cost_micros(model, usage(input, output)), micros, "{model}");
        }
    }

    #[test]
    fn a_session_counts_what_has_no_price() {
        let mut cost = SessionCost::default();
        cost.add(usage(10, 5), Some(7));
        cost.add(usage(1, 1), None);
        assert_eq!(
            cost,
            SessionCost {
                turns: 2,
                unpriced: 1,
                input_tokens: 11,
                output_tokens: 6,
                cost_micros: 7
            }
        );
    }

    proptest! {
        #[test]
        fn never_below_the_exact_cost_and_never_a_micro_above(input in 0_u64..1 << 40, output in 0_u64..1 << 40) {
            let exact = (u128::from(input) * 3_000_000 + u128::from(output) * 15_000_000) as f64 / 1e6;
            let cost = cost_micros("claude-sonnet-4-6", usage(input, output)).unwrap() as f64;
            prop_assert!(cost - exact > -1e-3 * exact.max(1.0) && cost - exact < 1.0 + 1e-9 * exact.max(1.0));
        }
    }
}
