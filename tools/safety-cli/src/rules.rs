//! Rules as they are on disk, compiled now.

use silent_core::safety::Tables;
use silent_safety_rules::emit::Flat;
use silent_safety_rules::{File, build};
use std::path::{Path, PathBuf};

/// The folder of the gate's data.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/core/safety")
}

fn keep<T>(list: Vec<T>) -> &'static [T] {
    Vec::leak(list)
}

/// Compiles a folder. The tables live as long as the process, which is short.
pub(crate) fn load(folder: &Path, only: Option<&str>) -> Result<(Vec<File>, Vec<Tables<'static>>), String> {
    let (files, flat) = build(folder, only)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok((files, flat.into_iter().map(kept).collect()))
}

fn kept(flat: Flat) -> Tables<'static> {
    let words = |list: Vec<String>| {
        keep(
            list.into_iter()
                .map(|word| &*String::leak(word))
                .collect::<Vec<&'static str>>(),
        )
    };
    Tables {
        buckets: keep(flat.buckets),
        hashes: keep(flat.hashes),
        checks: keep(flat.checks),
        symbols: keep(flat.symbols),
        set_at: keep(flat.set_at),
        sets: keep(flat.sets),
        class_at: keep(flat.class_at),
        rule_at: keep(flat.rule_at),
        ops: keep(flat.ops),
        effects: keep(flat.effects),
        flags: keep(flat.flags),
        before_least: keep(flat.before_least),
        before_most: keep(flat.before_most),
        ids: String::leak(flat.ids),
        id_at: keep(flat.id_at),
        keys: keep(flat.keys),
        trigger_at: keep(flat.trigger_at),
        triggers: keep(flat.triggers),
        disguised: words(flat.disguised),
        joined: words(flat.joined),
        longest: flat.longest,
    }
}
