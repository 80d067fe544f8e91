//! Undoes disguises: `k1ll`, `s.u.i.c.i.d.e`, `k*ll`, `kill_myself`, `i w a n t  t o`, `іwanttodie`, letters of other scripts.

use super::fold::{fold, lookalike};
use super::script::{is_char_script, is_word_char};
use super::tables::Tables;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// Shortest joined text that is parted into words again.
const SHORTEST_JOINED: usize = 9;
/// Longest joined text that is parted into words again.
const LONGEST_JOINED: usize = 400;

/// The message without its disguises, once with `1` as i and once as l; nothing where there is none.
pub(super) fn undo(text: &str, tables: &[Tables<'_>]) -> Vec<String> {
    let (folded, tall) = folded(text);
    let Some(i) = rewrite(&folded, 'i', tables).or_else(|| tall.then(|| folded.clone())) else {
        return Vec::new();
    };
    if folded.contains(['1', '!', '|', '¡'])
        && let Some(l) = rewrite(&folded, 'l', tables)
        && l != i
    {
        return vec![i, l];
    }
    vec![i]
}

/// The text folded, and whether a capital I stood where an l is meant (`kiII`).
fn folded(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let (mut tall, mut before) = (false, ' ');
    for c in text.chars() {
        let inside = before.is_ascii_lowercase();
        before = c;
        match c {
            'I' if inside => {
                tall = true;
                before = 'l';
                out.push('l');
            }
            _ if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            _ => match fold(c) {
                Some((same, _)) => out.push_str(same),
                None => out.push(c),
            },
        }
    }
    (out, tall)
}

fn rewrite(text: &str, one: char, tables: &[Tables<'_>]) -> Option<String> {
    let mut changed = false;
    let mut out: Vec<Cow<'_, str>> = Vec::new();
    let mut letters = String::new();
    for chunk in text.split_whitespace().chain([""]) {
        // Most of a text: a short word of plain letters.
        if letters.is_empty()
            && (2..SHORTEST_JOINED).contains(&chunk.len())
            && chunk.bytes().all(|b| b.is_ascii_lowercase())
        {
            out.push(Cow::Borrowed(chunk));
            continue;
        }
        let bare = chunk.trim_matches(|c: char| !is_word_char(c) && !is_stand_in(c));
        if bare.chars().count() == 1
            && bare.chars().all(|c| c.is_alphanumeric() || is_stand_in(c))
            && !bare.chars().all(is_char_script)
        {
            letters.push_str(bare);
            continue;
        }
        if letters.chars().count() >= 3 {
            let read: String = letters.chars().map(|c| letter(c, one)).collect();
            match part(&read, tables) {
                Some(words) => {
                    changed = true;
                    out.push(words.into());
                }
                None => out.extend(letters.chars().map(|c| Cow::Owned(c.into()))),
            }
        } else {
            out.extend(letters.chars().map(|c| {
                // `2 die 4`, `w8 4 u`.
                let word = match c {
                    '2' => "to",
                    '4' => "for",
                    'u' => "you",
                    'r' => "are",
                    _ => return Cow::Owned(c.into()),
                };
                changed = true;
                Cow::Borrowed(word)
            }));
        }
        letters.clear();
        if chunk.is_empty() {
            continue;
        }
        match plain(chunk, one, tables) {
            Some(word) => {
                changed = true;
                out.push(word.into());
            }
            None => out.push(Cow::Borrowed(chunk)),
        }
    }
    changed |= join_halves(&mut out, tables);
    changed.then(|| out.join(" "))
}

/// `sui cide`: two pieces that are a key word together, one of which is no word of ours.
fn join_halves(out: &mut Vec<Cow<'_, str>>, tables: &[Tables<'_>]) -> bool {
    let mut changed = false;
    let mut at = 0;
    while at + 1 < out.len() {
        if let (Some(a), Some(b)) = (out.get(at), out.get(at + 1))
            && let Some(key) = key_of_halves(a, b, tables)
            && (!knows(tables, a) || !knows(tables, b))
        {
            if let Some(place) = out.get_mut(at) {
                *place = Cow::Owned(key.into());
            }
            out.remove(at + 1);
            changed = true;
        }
        at += 1;
    }
    changed
}

fn key_of_halves<'a>(a: &str, b: &str, tables: &[Tables<'a>]) -> Option<&'a str> {
    let length = a.len() + b.len();
    let is_joined = |key: &&str| key.len() == length && key.starts_with(a) && key.ends_with(b);
    keys(tables).find(is_joined)
}

/// Words that people disguise, of all tables.
fn keys<'t, 'a>(tables: &'t [Tables<'a>]) -> impl Iterator<Item = &'a str> + use<'t, 'a> {
    tables.iter().flat_map(|tables| tables.disguised.iter().copied())
}

fn knows(tables: &[Tables<'_>], word: &str) -> bool {
    tables.iter().any(|tables| tables.knows(word))
}

fn is_key(word: &str, tables: &[Tables<'_>]) -> bool {
    tables.iter().any(|tables| tables.disguised.contains(&word))
}

/// A character that stands in for a letter.
fn is_stand_in(c: char) -> bool {
    matches!(c, '@' | '$' | '€' | '£' | '!' | '|' | '+' | '¡')
}

fn letter(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' | '¡' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        '£' => 'l',
        _ => c,
    }
}

/// The Cyrillic letter that a Latin one or a sign stands in for.
fn cyrillic_letter(c: char) -> char {
    match c {
        'a' | '4' | '@' => 'а',
        'b' => 'в',
        'c' | '$' | '5' => 'с',
        'e' => 'е',
        'h' => 'н',
        'i' | '1' | '!' | '|' => 'і',
        'k' => 'к',
        'm' => 'м',
        'o' | '0' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        '3' => 'е',
        '6' => 'б',
        _ => c,
    }
}

/// One piece of text between spaces, if it is disguised.
fn plain(chunk: &str, one: char, tables: &[Tables<'_>]) -> Option<String> {
    if chunk.len() > 4 * LONGEST_JOINED {
        return None;
    }
    let core = chunk.trim_matches(|c: char| !is_word_char(c) && !is_stand_in(c) && c != '*');
    let tail = core.trim_end_matches(['!', '*', '|', '+']);
    let core = if is_stand_in(core.chars().next_back().unwrap_or(' ')) {
        tail
    } else {
        core
    };
    let letters = core.chars().filter(|c| c.is_alphabetic()).count();
    if letters == 0 || core.chars().any(is_char_script) {
        return None;
    }
    let cyrillic = core.chars().filter(|c| matches!(c, '\u{400}'..='\u{4ff}')).count();
    if cyrillic > 0 && cyrillic * 2 >= letters && core.chars().any(|c| c.is_ascii_alphanumeric() || is_stand_in(c)) {
        // Latin letters and digits in a Cyrillic word: `умeреть`, `х0чу`.
        let read: String = core.chars().map(cyrillic_letter).collect();
        if knows(tables, &read) {
            return Some(read);
        }
    }
    let latin = core.chars().any(|c| c.is_ascii_alphabetic());
    let foreign = core.chars().any(|c| lookalike(c).is_some());
    let mixed = latin && foreign;
    let stands_in = latin && !is_measure(core) && core.chars().any(|c| c.is_ascii_digit() || is_stand_in(c));
    let divided = core.chars().any(|c| !is_word_char(c) && !is_stand_in(c));
    if !mixed && !stands_in && !divided {
        // `iwanttodie`, `#killmyself`.
        let joined = (SHORTEST_JOINED..=LONGEST_JOINED).contains(&core.len())
            && core.is_ascii()
            && keys(tables).any(|key| core.contains(key))
            && !knows(tables, core)
            && !is_key(core, tables);
        return if joined { part(core, tables) } else { None };
    }
    let read: String = core
        .chars()
        .map(|c| {
            if latin {
                letter(lookalike(c).unwrap_or(c), one)
            } else {
                c
            }
        })
        .collect();
    if read.contains(['*', '#', '_', '-'])
        && let Some(key) = masked(&read, tables)
    {
        return Some(key.into());
    }
    let parts: Vec<&str> = read
        .split(|c: char| !is_word_char(c))
        .filter(|part| !part.is_empty())
        .collect();
    let joined: String = parts.concat();
    if parts.len() >= 3 && parts.iter().all(|part| part.chars().count() == 1) {
        return Some(part(&joined, tables).unwrap_or(joined));
    }
    if parts.len() >= 2 && is_key(&joined, tables) {
        return Some(joined);
    }
    if mixed || stands_in {
        let known = knows(tables, &joined) || is_key(&joined, tables);
        return Some(match part(&joined, tables) {
            Some(words) if !known && parts.len() == 1 => words,
            _ => parts.join(" "),
        });
    }
    None
}

/// `5pm`, `100mg`, `2nd`: a number with its unit is no disguise.
fn is_measure(chunk: &str) -> bool {
    let unit = chunk.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < chunk.len() && unit.len() <= 3 && unit.chars().all(|c| c.is_ascii_alphabetic())
}

/// The key word behind `k*ll`, `s**cide`, `su*****`: one sign for one letter, or one for several.
fn masked<'a>(chunk: &str, tables: &[Tables<'a>]) -> Option<&'a str> {
    let is_mask = |c: char| matches!(c, '*' | '#' | '_' | '-');
    let letters = chunk.chars().filter(|c| !is_mask(*c)).count();
    if letters < 2 || !chunk.chars().all(|c| is_mask(c) || c.is_alphabetic()) {
        return None;
    }
    let begins = chunk.chars().next().filter(|c| !is_mask(*c))?;
    keys(tables).filter(|key| key.starts_with(begins)).find(|key| {
        let exact = key.chars().count() == chunk.chars().count()
            && key.chars().zip(chunk.chars()).all(|(a, b)| is_mask(b) || a == b);
        exact || {
            // One sign may hide several letters.
            let mut ends = chunk.split(is_mask).filter(|part| !part.is_empty());
            match (ends.next(), ends.next(), ends.next()) {
                (Some(head), Some(tail), None) if letters >= 3 => {
                    key.len() > head.len() + tail.len()
                        && key.starts_with(head)
                        && key.ends_with(tail)
                        && chunk.contains('*')
                }
                _ => false,
            }
        }
    })
}

/// Parts joined words: the fewest that cover all of it.
fn part(joined: &str, tables: &[Tables<'_>]) -> Option<String> {
    let named =
        |word: &str| tables.iter().any(|tables| tables.joined.binary_search(&word).is_ok()) || is_key(word, tables);
    // The named words first: among all words of all languages there are many ways to part a text.
    part_by(joined, named).or_else(|| part_by(joined, |word| knows(tables, word) || is_key(word, tables)))
}

fn part_by(joined: &str, knows: impl Fn(&str) -> bool) -> Option<String> {
    if joined.len() > LONGEST_JOINED {
        return None;
    }
    let bytes = joined.len();
    // For each place: how many words lead to it, and where the last one begins.
    let mut best: Vec<Option<(u32, usize)>> = vec![None; bytes + 1];
    *best.first_mut()? = Some((0, 0));
    for from in 0..bytes {
        let Some((count, _)) = best.get(from).copied().flatten() else {
            continue;
        };
        for to in from + 1..=bytes.min(from + 16) {
            let Some(word) = joined.get(from..to) else { continue };
            if word.chars().count() == 1 && !matches!(word, "i" | "a" | "o" | "u") {
                continue;
            }
            if knows(word)
                && let Some(place) = best.get_mut(to)
                && place.is_none_or(|(other, _)| count < other)
            {
                *place = Some((count + 1, from));
            }
        }
    }
    let (count, _) = best.get(bytes).copied().flatten()?;
    // A row of short words is noise.
    if count as usize * 2 > bytes {
        return None;
    }
    let mut words = Vec::new();
    let mut to = bytes;
    while to > 0 {
        let (_, from) = best.get(to).copied().flatten()?;
        words.push(joined.get(from..to)?);
        to = from;
    }
    words.reverse();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::rules;

    fn undone(text: &str) -> String {
        undo(text, rules()).into_iter().next().unwrap_or_default()
    }

    #[test]
    fn disguises_are_undone() {
        for (text, expected) in [
            ("i want to k1ll mys3lf", "i want to kill myself"),
            ("e n d i t a l l", "end it all"),
            ("want to k i l l m y s e l f", "want to kill myself"),
            ("k*ll myself", "kill myself"),
            ("s-u-i-c-i-d-e", "suicide"),
            ("sui cide", "suicide"),
            ("iwanttodie", "i want to die"),
            ("i want to kiII myself", "i want to kill myself"),
            ("і wаnt to diе", "і want to die"),
            ("2 die 4", "to die for"),
            ("х0чу умeреть", "хочу умереть"),
            ("ум3реть", "умереть"),
            ("meet me at 10:30, it's 5pm", ""),
            ("an ordinary sentence, with commas.", ""),
        ] {
            assert_eq!(undone(text), expected, "{text}");
        }
    }
}
