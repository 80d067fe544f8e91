//! Tables as Rust source.

use crate::compile::Compiled;
use crate::fold::fold;
use crate::script::{BUCKET_BITS, FNV_START, check, fnv, mix};
use std::fmt::Write as _;

/// Flat tables, as the matcher reads them.
#[derive(Debug, Default)]
pub struct Flat {
    /// Where the hashes of each bucket begin; one more than buckets.
    pub buckets: Vec<u16>,
    /// Hashes of the words, sorted; the lowest three bits are how the word is found.
    pub hashes: Vec<u32>,
    /// Eight more bits of each word.
    pub checks: Vec<u8>,
    /// The symbol of each hash.
    pub symbols: Vec<u16>,
    /// Where each set begins; one more than sets.
    pub set_at: Vec<u32>,
    /// Symbols of the sets.
    pub sets: Vec<u16>,
    /// Where the operations of each class begin; one more than classes.
    pub class_at: Vec<u32>,
    /// Where the operations of each rule begin; one more than rules.
    pub rule_at: Vec<u32>,
    /// Operations: those of the classes, then those of the rules.
    pub ops: Vec<u16>,
    /// Effect of each rule.
    pub effects: Vec<u8>,
    /// Tags and signals of each rule.
    pub flags: Vec<u16>,
    /// Least words before the key.
    pub before_least: Vec<u8>,
    /// Most words before the key.
    pub before_most: Vec<u8>,
    /// All ids in a row.
    pub ids: String,
    /// Where each id begins; one more than rules.
    pub id_at: Vec<u32>,
    /// Symbols at which rules are tried, sorted.
    pub keys: Vec<u16>,
    /// Where the rules of each of them begin; one more than keys.
    pub trigger_at: Vec<u16>,
    /// Rules to try.
    pub triggers: Vec<u16>,
    /// Words that people disguise.
    pub disguised: Vec<String>,
    /// Words that texts without spaces are parted into, sorted.
    pub joined: Vec<String>,
    /// The longest word, in characters.
    pub longest: u8,
}

fn at(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Lays the tables out.
///
/// # Errors
/// Where there is more than the tables can number.
pub fn flatten(compiled: &Compiled, disguised: Vec<String>, joined: Vec<String>) -> Result<Flat, String> {
    let mut flat = Flat {
        disguised,
        joined,
        ..Flat::default()
    };
    let mut entries: Vec<(u32, u16, u8)> = Vec::new();
    for (word, found) in &compiled.words {
        let hash = mix(fnv(FNV_START, word.as_bytes()));
        flat.longest = flat.longest.max(u8::try_from(word.chars().count()).unwrap_or(u8::MAX));
        entries.extend(
            found
                .iter()
                .map(|(symbol, kind)| (hash & !7 | u32::from(*kind), *symbol, check(word.as_bytes()))),
        );
    }
    entries.sort_unstable();
    let short = |length: usize| u16::try_from(length).map_err(|_| "the tables are full".to_string());
    for bucket in 0..=1_u32 << BUCKET_BITS {
        let begins = entries.partition_point(|(hash, ..)| hash >> (32 - BUCKET_BITS) < bucket);
        flat.buckets.push(short(begins)?);
    }
    for (hash, symbol, check) in entries {
        flat.hashes.push(hash);
        flat.symbols.push(symbol);
        flat.checks.push(check);
    }
    for set in &compiled.sets {
        flat.set_at.push(at(flat.sets.len()));
        flat.sets.extend(set);
    }
    flat.set_at.push(at(flat.sets.len()));
    for ops in &compiled.classes {
        flat.class_at.push(at(flat.ops.len()));
        flat.ops.extend(ops);
    }
    flat.class_at.push(at(flat.ops.len()));
    for row in &compiled.rows {
        flat.rule_at.push(at(flat.ops.len()));
        flat.ops.extend(&row.ops);
        flat.effects.push(row.effect);
        flat.flags.push(row.flags);
        flat.before_least.push(row.before.0);
        flat.before_most.push(row.before.1);
        flat.id_at.push(at(flat.ids.len()));
        flat.ids.push_str(&row.id);
    }
    flat.rule_at.push(at(flat.ops.len()));
    flat.id_at.push(at(flat.ids.len()));
    for (symbol, rules) in compiled
        .triggers
        .iter()
        .enumerate()
        .filter(|(_, rules)| !rules.is_empty())
    {
        flat.keys.push(short(symbol)?);
        flat.trigger_at.push(short(flat.triggers.len())?);
        flat.triggers.extend(rules);
    }
    flat.trigger_at.push(short(flat.triggers.len())?);
    Ok(flat)
}

impl Flat {
    /// The tables as a Rust expression of type `Tables<'static>`.
    #[must_use]
    pub fn source(&self) -> String {
        format!(
            "Tables {{\nbuckets: &{:?},\nhashes: &{:?},\nchecks: &{:?},\nsymbols: &{:?},\nset_at: &{:?},\nsets: &{:?},\nclass_at: &{:?},\nrule_at: &{:?},\n\
             ops: &{:?},\neffects: &{:?},\nflags: &{:?},\nbefore_least: &{:?},\nbefore_most: &{:?},\nids: {:?},\nid_at: &{:?},\nkeys: &{:?},\n\
             trigger_at: &{:?},\ntriggers: &{:?},\ndisguised: &{:?},\njoined: &{:?},\nlongest: {},\n}}",
            self.buckets,
            self.hashes,
            self.checks,
            self.symbols,
            self.set_at,
            self.sets,
            self.class_at,
            self.rule_at,
            self.ops,
            self.effects,
            self.flags,
            self.before_least,
            self.before_most,
            self.ids,
            self.id_at,
            self.keys,
            self.trigger_at,
            self.triggers,
            self.disguised,
            self.joined,
            self.longest,
        )
    }
}

/// The table of letters, as three Rust statics: characters in order, where their readings begin, and the readings
/// (`same`, a zero byte where `plain` differs, `plain`).
#[must_use]
pub fn folds_source() -> String {
    let (mut chars, mut starts, mut text): (Vec<u32>, _, _) = (Vec::new(), vec![0_u32], String::new());
    // Above the last plane with letters there are only private ones and variation selectors.
    for c in ('\u{80}'..='\u{1fbff}').chain('\u{e0000}'..='\u{e01ef}') {
        if matches!(c, '\u{3300}'..='\u{33ff}' | '\u{f900}'..='\u{faff}') {
            continue;
        }
        let Some(fold) = fold(c) else { continue };
        if !fold.plain.chars().all(char::is_alphanumeric) {
            continue;
        }
        chars.push(u32::from(c));
        text.push_str(&fold.same);
        if fold.plain != fold.same {
            text.push('\0');
            text.push_str(&fold.plain);
        }
        starts.push(at(text.len()));
    }
    let pages: Vec<usize> = (0..=0xe02)
        .map(|page| chars.partition_point(|c| (c >> 8) < page))
        .collect();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "static FOLD_PAGES: &[u16] = &{pages:?};\nstatic FOLD_CHARS: &[u32] = &{chars:?};\nstatic FOLD_AT: &[u32] = &{starts:?};\nstatic FOLD_TEXT: &str = {text:?};"
    );
    out
}
