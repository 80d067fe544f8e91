//! What a turn costs and what a person pays: integer micros (millionths of a US dollar), dated tables.

use crate::time::rfc3339;
use crate::turn::Usage;
use serde::Serialize;

const MILLION: u128 = 1_000_000;

/// A model's list price, from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The model's name begins with this.
    pub model: &'static str,
    /// Micros for a million tokens read.
    pub input_micros: u64,
    /// Micros for a million tokens read from the vendor's cache.
    pub cached_input_micros: u64,
    /// Micros for a million tokens written.
    pub output_micros: u64,
    /// First day of the price, ISO 8601.
    pub effective_from: &'static str,
    /// Where the price was published.
    pub source: &'static str,
}

/// Prices in US dollars for a thousand million tokens, which are whole numbers: input, cached input, output.
const fn rate(
    model: &'static str,
    [input, cached_input, output]: [u64; 3],
    effective_from: &'static str,
    source: &'static str,
) -> Rate {
    Rate {
        model,
        input_micros: input * 1_000,
        cached_input_micros: cached_input * 1_000,
        output_micros: output * 1_000,
        effective_from,
        source,
    }
}

const ANTHROPIC: &str = "Anthropic, pricing page";
const OPENAI: &str = "OpenAI, pricing page";
const GOOGLE: &str = "Google, Gemini API pricing (prompts of up to 200,000 tokens)";

/// List prices. Those of a model follow each other by date; a price is never changed, a new one is added. Prices of open
/// models depend on who serves them: OpenRouter says what a call cost, and of others nothing is known.
pub const RATES: &[Rate] = &[
    rate("claude-opus-4", [5_000, 500, 25_000], "2025-11-24", ANTHROPIC),
    rate("claude-sonnet-4", [3_000, 300, 15_000], "2025-05-22", ANTHROPIC),
    rate("claude-haiku-4", [1_000, 100, 5_000], "2025-10-15", ANTHROPIC),
    rate("gpt-4o", [5_000, 5_000, 15_000], "2024-05-13", OPENAI),
    rate("gpt-4o", [2_500, 1_250, 10_000], "2024-10-02", OPENAI),
    rate("gpt-4o-mini", [150, 75, 600], "2024-07-18", OPENAI),
    rate("gpt-4.1", [2_000, 500, 8_000], "2025-04-14", OPENAI),
    rate("gpt-4.1-mini", [400, 100, 1_600], "2025-04-14", OPENAI),
    rate("gpt-4.1-nano", [100, 25, 400], "2025-04-14", OPENAI),
    rate("gemini-2.5-pro", [1_250, 125, 10_000], "2025-06-17", GOOGLE),
    rate("gemini-2.5-flash", [300, 30, 2_500], "2025-06-17", GOOGLE),
];

/// The price of a model on a day: by the longest known prefix of its name (vendors append dates and versions), and of its
/// prices the latest that holds. Before the first one, the first one.
#[must_use]
pub fn rate_of(model: &str, at_ms: u64) -> Option<&'static Rate> {
    let name = model.rsplit('/').next().unwrap_or(model);
    // Bedrock: `eu.anthropic.claude-…`
    let name = name.rsplit_once("anthropic.").map_or(name, |(_, name)| name);
    let longest = RATES
        .iter()
        .filter(|rate| name.starts_with(rate.model))
        .map(|rate| rate.model)
        .max_by_key(|prefix| prefix.len())?;
    let day = rfc3339(at_ms);
    let mut all = RATES.iter().filter(|rate| rate.model == longest);
    let first = all.next();
    all.take_while(|rate| rate.effective_from <= day.as_str())
        .last()
        .or(first)
}

/// Cost of a call in micros at the price of its day, rounded up; none where the model's price is unknown.
#[must_use]
pub fn cost_micros(model: &str, usage: Usage, at_ms: u64) -> Option<u64> {
    let rate = rate_of(model, at_ms)?;
    let cached = usage.cached_input_tokens.min(usage.input_tokens);
    let total = u128::from(usage.input_tokens - cached) * u128::from(rate.input_micros)
        + u128::from(cached) * u128::from(rate.cached_input_micros)
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

    /// 2026-11-21T05:00:00Z.
    const NOW_MS: u64 = 1_795_237_200_000;
    /// 2024-10-02T00:00:00Z.
    const CHEAPER_MS: u64 = 1_727_827_200_000;

    #[test]
    fn known_costs() {
        for (model, input, output, micros) in [
            ("claude-sonnet-4-6", 1_000_000, 0, Some(3_000_000)),
            ("anthropic/claude-haiku-4-5-20251001", 0, 1_000_000, Some(5_000_000)),
            (
                "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
                0,
                1_000_000,
                Some(5_000_000),
            ),
            ("gpt-4o-mini-2024-07-18", 1, 0, Some(1)),
            ("gpt-4o-2024-11-20", 1_000, 100, Some(3_500)),
            ("claude-sonnet-4-6", 0, 0, Some(0)),
            ("smollm2", 10, 10, None),
        ] {
            assert_eq!(cost_micros(model, usage(input, output), NOW_MS), micros, "{model}");
        }
    }

    #[test]
    fn a_price_holds_from_its_day_on() {
        for (at_ms, micros) in [
            (0, 5_000),
            (CHEAPER_MS - 1, 5_000),
            (CHEAPER_MS, 2_500),
            (NOW_MS, 2_500),
        ] {
            assert_eq!(cost_micros("gpt-4o", usage(1_000, 0), at_ms), Some(micros), "{at_ms}");
        }
        for (before, after) in RATES
            .iter()
            .zip(RATES.iter().skip(1))
            .filter(|(a, b)| a.model == b.model)
        {
            assert!(before.effective_from < after.effective_from, "{}", after.model);
        }
    }

    #[test]
    fn what_comes_from_the_cache_is_cheaper() {
        let cached = |cached_input_tokens| Usage {
            cached_input_tokens,
            ..usage(1_000, 0)
        };
        for (model, whole, half) in [
            ("claude-sonnet-4-6", 3_000, 1_650),
            ("gpt-4o-mini", 150, 113),
            ("gpt-4.1", 2_000, 1_250),
        ] {
            assert_eq!(cost_micros(model, cached(0), NOW_MS), Some(whole), "{model}");
            assert_eq!(cost_micros(model, cached(500), NOW_MS), Some(half), "{model}");
        }
        // A count that cannot be counts as all.
        assert_eq!(cost_micros("gpt-4.1", cached(9_000), NOW_MS), Some(500));
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
            let cost = cost_micros("claude-sonnet-4-6", usage(input, output), NOW_MS).unwrap() as f64;
            prop_assert!(cost - exact > -1e-3 * exact.max(1.0) && cost - exact < 1.0 + 1e-9 * exact.max(1.0));
        }
    }
}
