//! A card's lorebook: entries that enter the prompt when the conversation touches their keys.
//!
//! Source: character card V2, "character_book". Patterns (`use_regex`, V3) are not run: an entry that has them never
//! matches, since what a stranger's card may compute here is bounded.

use super::{Card, replace};
use crate::conversation::Message;
use crate::memory::estimate_tokens;
use alloc::string::String;
use alloc::vec::Vec;
use serde_json::{Map, Value};

/// Messages that are looked at where the book does not say.
const SCAN_DEPTH: u64 = 4;
/// Tokens of entries at most, whatever the book asks for.
const TOKENS: u64 = 1_000;

fn keys<'a>(entry: &'a Map<String, Value>, field: &str) -> impl Iterator<Item = &'a str> {
    let list = entry.get(field).and_then(Value::as_array);
    let keys = list.into_iter().flatten().filter_map(Value::as_str);
    keys.filter(|key| !key.trim().is_empty())
}

fn flag(entry: &Map<String, Value>, field: &str) -> bool {
    entry.get(field).and_then(Value::as_bool).unwrap_or(false)
}

fn touches(entry: &Map<String, Value>, said: &str, folded: &str) -> bool {
    if flag(entry, "constant") {
        return true;
    }
    if flag(entry, "use_regex") {
        return false;
    }
    let has = |key: &str| {
        if flag(entry, "case_sensitive") {
            said.contains(key)
        } else {
            folded.contains(&key.to_lowercase())
        }
    };
    let second = !flag(entry, "selective") || keys(entry, "secondary_keys").any(has);
    second && keys(entry, "keys").any(has)
}

/// The entries that the newest messages touch, in their order, within the book's budget.
pub(super) fn matching(card: &Card, user: &str, messages: &[Message]) -> String {
    let Some(book) = card.book() else {
        return String::new();
    };
    let number = |field: &str, default: u64| book.get(field).and_then(Value::as_u64).unwrap_or(default);
    let depth = usize::try_from(number("scan_depth", SCAN_DEPTH)).unwrap_or(usize::MAX);
    let from = messages.len().saturating_sub(depth);
    let newest = messages.get(from..).unwrap_or(&[]);
    let said = newest.iter().map(|message| message.text.as_str()).collect::<Vec<_>>();
    let said = said.join("\n");
    let folded = said.to_lowercase();
    let entries = book.get("entries").and_then(Value::as_array).into_iter().flatten();
    let mut touched: Vec<&Map<String, Value>> = entries
        .filter_map(Value::as_object)
        .filter(|entry| entry.get("enabled").and_then(Value::as_bool).unwrap_or(true))
        .filter(|entry| touches(entry, &said, &folded))
        .collect();
    touched.sort_by_key(|entry| entry.get("insertion_order").and_then(Value::as_i64).unwrap_or(0));
    let mut left = number("token_budget", TOKENS).min(TOKENS);
    let mut out = String::new();
    for entry in touched {
        let text = entry.get("content").and_then(Value::as_str).unwrap_or_default();
        let text = replace(text.trim(), &card.char(), user);
        let Some(rest) = left.checked_sub(u64::from(estimate_tokens(&text))) else {
            continue;
        };
        left = rest;
        if !out.is_empty() && !text.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(&text);
    }
    out
}
