//! A turn as far as roll-ups need it: a few numbers, so that a large day fits into a small memory.

use crate::turn::{Status, TurnEvent};
use crate::variants::{Category, Reason};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// No variant: the turn counts for none of the category's.
const NONE: u16 = u16::MAX;

/// Names, each kept once.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<String, u16>,
    names: Vec<String>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        // Names beyond 65,534 share the last number: a day has some dozens.
        let number = u16::try_from(self.names.len()).unwrap_or(NONE - 1).min(NONE - 1);
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    pub(super) fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", String::as_str)
    }
}

/// A row: the category, none for a product's, and the number of the variant's or product's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) category: Option<Category>,
    pub(super) name: u16,
}

/// One turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    product: u16,
    /// Of each category, in the registry's order.
    variants: [u16; Category::ALL.len()],
    pub(super) crisis_override: bool,
    pub(super) is_error: bool,
    /// Of a full answer of a model.
    pub(super) latency_ms: Option<u64>,
    pub(super) ttft_ms: Option<u64>,
    pub(super) tokens_in: u64,
    pub(super) tokens_out: u64,
    pub(super) cost_micros: Option<u64>,
}

impl Facts {
    pub(super) fn of(event: &TurnEvent, names: &mut Names) -> Self {
        let mut variants = [NONE; Category::ALL.len()];
        for (slot, category) in variants.iter_mut().zip(Category::ALL) {
            let name = event.variants.get(category.as_str());
            let reason = event.reasons.get(category.as_str()).copied();
            if let Some(name) = name.filter(|_| !event.crisis_override && is_analysed(reason)) {
                *slot = names.number(name);
            }
        }
        Self {
            product: names.number(&event.product),
            variants,
            crisis_override: event.crisis_override,
            is_error: matches!(event.status, Status::Failed | Status::Interrupted),
            latency_ms: (event.status == Status::Done && !event.crisis_override).then_some(event.total_ms),
            ttft_ms: event.ttft_ms.filter(|_| !event.crisis_override),
            tokens_in: event.usage.input_tokens,
            tokens_out: event.usage.output_tokens,
            cost_micros: event.cost_micros,
        }
    }

    /// The rows that the turn counts in: its product's and its variants'.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let product = Place {
            category: None,
            name: self.product,
        };
        let variants = Category::ALL.into_iter().zip(self.variants);
        core::iter::once(product).chain(
            variants
                .filter(|(_, name)| *name != NONE)
                .map(|(category, name)| Place {
                    category: Some(category),
                    name,
                }),
        )
    }

    pub(super) fn counts_for(&self, place: Place) -> bool {
        self.places().any(|own| own == place)
    }
}

/// What a tester asked for, what was withdrawn, what a budget degraded and what a crisis replaced says nothing about the variant.
pub(super) fn is_analysed(reason: Option<Reason>) -> bool {
    !matches!(
        reason,
        Some(Reason::Override | Reason::Withdrawn | Reason::Degraded | Reason::CrisisDefault)
    )
}
