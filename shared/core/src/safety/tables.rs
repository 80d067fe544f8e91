//! The compiled rules (tools/safety-rules makes them from `shared/core/safety/rules`).

use super::script::{BUCKET_BITS, FNV_START, check, fnv, mix};

/// How a key of the word table finds a symbol; the numbers are the compiler's.
pub(super) mod kind {
    pub(crate) const WHOLE: u8 = 0;
    pub(crate) const PREFIX: u8 = 1;
    pub(crate) const INFIX: u8 = 2;
    pub(crate) const BARE_WHOLE: u8 = 3;
    pub(crate) const BARE_PREFIX: u8 = 4;
    pub(crate) const RUN: u8 = 5;
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Idiom,
    Level(u8),
    Cap,
    Note,
    Leave,
    Human,
    Injection,
}

/// Flat tables. Every field is read with bounds checks: a wrong table finds nothing, it does not panic.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are the compiler's, which documents them")]
pub struct Tables<'a> {
    pub buckets: &'a [u16],
    pub hashes: &'a [u32],
    pub checks: &'a [u8],
    pub symbols: &'a [u16],
    pub set_at: &'a [u32],
    pub sets: &'a [u16],
    pub class_at: &'a [u32],
    pub rule_at: &'a [u32],
    pub ops: &'a [u16],
    pub effects: &'a [u8],
    pub flags: &'a [u16],
    pub before_least: &'a [u8],
    pub before_most: &'a [u8],
    pub ids: &'a str,
    pub id_at: &'a [u32],
    pub keys: &'a [u16],
    pub trigger_at: &'a [u16],
    pub triggers: &'a [u16],
    pub disguised: &'a [&'a str],
    pub joined: &'a [&'a str],
    pub longest: u8,
}

/// The part of `all` between two entries of `at`.
fn part<'a, T>(all: &'a [T], at: &[u32], index: usize) -> &'a [T] {
    match (at.get(index), at.get(index + 1)) {
        (Some(from), Some(to)) => all.get(*from as usize..*to as usize).unwrap_or(&[]),
        _ => &[],
    }
}

fn text_part<'a>(all: &'a str, at: &[u32], index: usize) -> &'a str {
    match (at.get(index), at.get(index + 1)) {
        (Some(from), Some(to)) => all.get(*from as usize..*to as usize).unwrap_or(""),
        _ => "",
    }
}

impl<'a> Tables<'a> {
    /// Symbols of a word by its hash, with how each is found. Words are known by their hashes alone: at 37 bits another
    /// word is taken for one of ours once in millions of look-ups, and still has to stand in a whole pattern.
    pub(super) fn found(&self, hash: u32, check: u8) -> impl Iterator<Item = (u16, u8)> + 'a {
        let hash = mix(hash);
        let bucket = (hash >> (32 - BUCKET_BITS)) as usize;
        let (from, to) = match (self.buckets.get(bucket), self.buckets.get(bucket + 1)) {
            (Some(from), Some(to)) => (usize::from(*from), usize::from(*to)),
            _ => (0, 0),
        };
        let hashes = self.hashes.get(from..to).unwrap_or(&[]);
        let symbols = self.symbols.get(from..to).unwrap_or(&[]);
        let checks = self.checks.get(from..to).unwrap_or(&[]);
        hashes
            .iter()
            .zip(symbols.iter().zip(checks))
            .filter(move |(other, (_, own))| (**other ^ hash) < 8 && **own == check)
            .map(|(other, (symbol, _))| (*symbol, (*other & 7) as u8))
    }

    /// Whether a word stands in some rule as it is.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.found(fnv(FNV_START, word.as_bytes()), check(word.as_bytes()))
            .any(|(_, kind)| matches!(kind, kind::WHOLE | kind::BARE_WHOLE))
    }

    /// Symbols of a set, sorted.
    pub(super) fn set(&self, number: u16) -> &'a [u16] {
        part(self.sets, self.set_at, usize::from(number))
    }

    /// Operations of a class.
    pub(super) fn class(&self, number: u16) -> &'a [u16] {
        part(self.ops, self.class_at, usize::from(number))
    }

    /// Operations of a rule.
    pub(super) fn rule(&self, number: u16) -> &'a [u16] {
        part(self.ops, self.rule_at, usize::from(number))
    }

    /// How many words may stand before the key of a rule.
    pub(super) fn before(&self, number: u16) -> (usize, usize) {
        let of = |list: &[u8]| list.get(usize::from(number)).copied().unwrap_or(0).into();
        (of(self.before_least), of(self.before_most))
    }

    /// What a rule does.
    pub(super) fn effect(&self, number: u16) -> Effect {
        match self.effects.get(usize::from(number)).copied().unwrap_or(6) {
            0 => Effect::Idiom,
            level @ 1..=4 => Effect::Level(level),
            5 => Effect::Cap,
            7 => Effect::Leave,
            8 => Effect::Human,
            9 => Effect::Injection,
            _ => Effect::Note,
        }
    }

    /// Tags and signals of a rule.
    pub(super) fn flags(&self, number: u16) -> u16 {
        self.flags.get(usize::from(number)).copied().unwrap_or(0)
    }

    /// Rules to try at a symbol.
    pub(super) fn triggers(&self, symbol: u16) -> &'a [u16] {
        let Ok(key) = self.keys.binary_search(&symbol) else {
            return &[];
        };
        match (self.trigger_at.get(key), self.trigger_at.get(key + 1)) {
            (Some(from), Some(to)) => self.triggers.get(usize::from(*from)..usize::from(*to)).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// A rule's id.
    #[must_use]
    pub fn id(&self, number: u16) -> &'a str {
        text_part(self.ids, self.id_at, usize::from(number))
    }

    /// Bytes that the tables take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let halves = [
            self.buckets,
            self.symbols,
            self.sets,
            self.ops,
            self.flags,
            self.keys,
            self.trigger_at,
            self.triggers,
        ];
        let words = [self.hashes, self.set_at, self.class_at, self.rule_at, self.id_at];
        let bytes = [self.checks, self.effects, self.before_least, self.before_most];
        self.ids.len()
            + halves.iter().map(|list| 2 * list.len()).sum::<usize>()
            + words.iter().map(|list| 4 * list.len()).sum::<usize>()
            + bytes.iter().map(|list| list.len()).sum::<usize>()
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.effects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }
}
