//! Runs the operations of a rule over a text. Ends of matches are bits of a mask, so a rule costs its length, not its paths.

use super::tables::{Effect, Tables};
use super::text::Text;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

/// Operations; the numbers are the compiler's.
mod op {
    pub(super) const SET: u16 = 0xb000;
    pub(super) const CLASS: u16 = 0xf000;
    pub(super) const GAP: u16 = 0xfff0;
    pub(super) const OPTIONAL: u16 = 0xfff1;
    pub(super) const ANY: u16 = 0xfff2;
    pub(super) const START: u16 = 0xfff3;
    pub(super) const END: u16 = 0xfff4;
}

/// Nested classes and groups at most; the compiler allows fewer.
const DEEPEST: u8 = 24;

/// A rule that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) rule: u16,
    pub(super) from: usize,
    /// Behind the last word.
    pub(super) to: usize,
    /// The word that made the rule be tried.
    pub(super) key: usize,
}

/// Offsets of a mask's bits.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let bit = mask.trailing_zeros();
        (mask != 0).then(|| {
            mask &= mask - 1;
            bit as usize
        })
    })
}

fn bit(offset: usize) -> u64 {
    u32::try_from(offset)
        .ok()
        .and_then(|offset| 1_u64.checked_shl(offset))
        .unwrap_or(0)
}

/// Matches rules against one text.
pub(super) struct Matcher<'t, 'a> {
    tables: &'t Tables<'a>,
    text: &'t Text,
    /// A bit for each symbol that is somewhere in the text.
    present: Vec<u64>,
    /// What is known of each class: nothing, its words are there, or not.
    classes: Vec<Cell<Option<bool>>>,
}

impl<'t, 'a> Matcher<'t, 'a> {
    pub(super) fn new(tables: &'t Tables<'a>, text: &'t Text) -> Self {
        let mut present = vec![0_u64; usize::from(op::SET) / 64];
        for (symbol, _) in (0..text.words.len()).flat_map(|at| text.symbols(at)) {
            if let Some(bits) = present.get_mut(usize::from(*symbol) / 64) {
                *bits |= 1 << (symbol % 64);
            }
        }
        Self {
            tables,
            text,
            present,
            classes: vec![Cell::new(None); tables.class_at.len()],
        }
    }

    fn is_present(&self, symbol: u16) -> bool {
        self.present
            .get(usize::from(symbol) / 64)
            .is_some_and(|bits| bits >> (symbol % 64) & 1 == 1)
    }

    /// Whether the text has the words for a sequence, in whatever order: most rules end here, at a fraction of a match.
    fn is_possible(&self, mut ops: &[u16], depth: u8) -> bool {
        let Some(deeper) = depth.checked_sub(1) else {
            return false;
        };
        while let Some((code, mut rest)) = ops.split_first() {
            let operand = rest.first().copied().unwrap_or(0);
            let possible = match *code {
                op::GAP => {
                    rest = rest.get(1..).unwrap_or(&[]);
                    true
                }
                op::OPTIONAL | op::ANY => {
                    let length = usize::from(operand);
                    let mut body = rest.get(1..=length).unwrap_or(&[]);
                    rest = rest.get(1 + length..).unwrap_or(&[]);
                    let mut possible = *code == op::OPTIONAL;
                    while !possible && let Some((length, others)) = body.split_first() {
                        let length = usize::from(*length);
                        possible = self.is_possible(others.get(..length).unwrap_or(&[]), deeper);
                        body = others.get(length..).unwrap_or(&[]);
                    }
                    possible
                }
                op::START | op::END => true,
                class if class >= op::CLASS => self.is_class_possible(class - op::CLASS, deeper),
                set if set >= op::SET => self
                    .tables
                    .set(set - op::SET)
                    .iter()
                    .any(|symbol| self.is_present(*symbol)),
                only => self.is_present(only),
            };
            if !possible {
                return false;
            }
            ops = rest;
        }
        true
    }

    fn is_class_possible(&self, class: u16, depth: u8) -> bool {
        let known = self.classes.get(usize::from(class));
        known.and_then(Cell::get).unwrap_or_else(|| {
            let possible = self.is_possible(self.tables.class(class), depth);
            if let Some(known) = known {
                known.set(Some(possible));
            }
            possible
        })
    }

    /// Calls `found` for every match of every rule; `wanted` may refuse a rule.
    pub(super) fn run(&self, wanted: impl Fn(u16) -> bool, mut found: impl FnMut(Hit)) {
        // Two bits a rule: whether it was looked at, and whether its words are there.
        let mut known = vec![(false, false); self.tables.len()];
        for key in 0..self.text.words.len() {
            for (symbol, _) in self.text.symbols(key) {
                for rule in self.tables.triggers(*symbol) {
                    let Some(entry) = known.get_mut(usize::from(*rule)) else {
                        continue;
                    };
                    if !entry.0 {
                        *entry = (true, self.is_possible(self.tables.rule(*rule), DEEPEST));
                    }
                    if !entry.1 || !wanted(*rule) {
                        continue;
                    }
                    let (least, most) = self.tables.before(*rule);
                    let Some(last) = key.checked_sub(least) else { continue };
                    let wide = matches!(self.tables.effect(*rule), Effect::Idiom | Effect::Cap);
                    if let Some((from, to)) = self.span(*rule, key, key.saturating_sub(most)..=last, wide) {
                        found(Hit {
                            rule: *rule,
                            from,
                            to,
                            key,
                        });
                    }
                }
            }
        }
    }

    /// The match of a rule around its key: the widest for what takes away, the narrowest for what speaks, so that an
    /// idiom reaches no further than its words and a finding does not borrow others.
    fn span(
        &self,
        rule: u16,
        key: usize,
        starts: core::ops::RangeInclusive<usize>,
        wide: bool,
    ) -> Option<(usize, usize)> {
        let at = |from: usize| {
            let ends = self.ends(self.tables.rule(rule), from, DEEPEST);
            let behind_key = bits(ends).map(|end| from + end).filter(|end| *end > key);
            let end = if wide { behind_key.max() } else { behind_key.min() };
            end.map(|end| (from, end))
        };
        if wide {
            starts.into_iter().find_map(at)
        } else {
            starts.into_iter().rev().find_map(at)
        }
    }

    /// Where a sequence of operations can end that begins at a word: bit n stands for n words further.
    fn ends(&self, mut ops: &[u16], from: usize, depth: u8) -> u64 {
        let Some(deeper) = depth.checked_sub(1) else { return 0 };
        let mut mask = 1_u64;
        while let Some((code, rest)) = ops.split_first() {
            let operand = rest.first().copied().unwrap_or(0);
            let mut used = 0;
            mask = match *code {
                op::GAP => {
                    used = 1;
                    self.gap(mask, operand, from)
                }
                op::OPTIONAL | op::ANY => {
                    let length = usize::from(operand);
                    used = 1 + length;
                    let body = rest.get(1..=length).unwrap_or(&[]);
                    if *code == op::OPTIONAL {
                        mask | self.each(mask, |at| self.ends(body, from + at, deeper))
                    } else {
                        self.each(mask, |at| self.any(body, from + at, deeper))
                    }
                }
                op::START => self.keep(mask, |at| {
                    self.text.words.get(from + at).is_some_and(|word| word.opens_clause)
                }),
                op::END => self.keep(mask, |at| {
                    self.text.words.get(from + at).is_none_or(|word| word.opens_clause)
                }),
                class if class >= op::CLASS => {
                    let class = self.tables.class(class - op::CLASS);
                    self.each(mask, |at| self.ends(class, from + at, deeper))
                }
                set if set >= op::SET => {
                    let set = self.tables.set(set - op::SET);
                    self.each(mask, |at| {
                        self.one_of(|symbol| set.binary_search(&symbol).is_ok(), from + at)
                    })
                }
                only => self.each(mask, |at| self.one_of(|symbol| symbol == only, from + at)),
            };
            if mask == 0 {
                return 0;
            }
            ops = rest.get(used..).unwrap_or(&[]);
        }
        mask
    }

    fn each(&self, mask: u64, ends: impl Fn(usize) -> u64) -> u64 {
        bits(mask).fold(0, |out, at| {
            out | u32::try_from(at)
                .ok()
                .and_then(|at| ends(at as usize).checked_shl(at))
                .unwrap_or(0)
        })
    }

    fn keep(&self, mask: u64, keeps: impl Fn(usize) -> bool) -> u64 {
        bits(mask).filter(|at| keeps(*at)).fold(0, |out, at| out | bit(at))
    }

    fn one_of(&self, holds: impl Fn(u16) -> bool, at: usize) -> u64 {
        let symbols = self.text.symbols(at).iter();
        symbols
            .filter(|(symbol, _)| holds(*symbol))
            .fold(0, |out, (_, span)| out | bit(usize::from(*span)))
    }

    /// A gap stays within its sentence, and so does what follows it.
    fn gap(&self, mask: u64, most: u16, from: usize) -> u64 {
        let goes_on = |at: usize| {
            self.text
                .words
                .get(from + at)
                .is_some_and(|word| at == 0 || !word.opens_sentence)
        };
        let mut reached = mask;
        let mut all = mask;
        for _ in 0..most {
            reached = self.keep(reached, goes_on) << 1;
            all |= reached;
        }
        self.keep(all, |at| {
            self.text
                .words
                .get(from + at)
                .is_none_or(|word| at == 0 || !word.opens_sentence)
        })
    }

    fn any(&self, mut body: &[u16], at: usize, depth: u8) -> u64 {
        let mut out = 0;
        while let Some((length, rest)) = body.split_first() {
            let length = usize::from(*length);
            out |= self.ends(rest.get(..length).unwrap_or(&[]), at, depth);
            body = rest.get(length..).unwrap_or(&[]);
        }
        out
    }
}
