//! Rule files: lines, sources and classes.

use crate::pattern::{Node, inline, parse, parse_alternatives};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Removes what others found at its words.
    Idiom,
    /// Lowers what others found at its words to 1.
    Cap,
    /// Signals only.
    Note,
    /// A level from 1 to 4.
    Level(u8),
    /// Leave or hide.
    Leave,
    /// A human, please.
    Human,
    /// Prompt injection.
    Injection,
}

/// Names of tags and signals, in the order of their bits.
pub const FLAGS: &[&str] = &[
    "third_party",
    "method_info",
    "eating",
    "psychosis",
    "abuse",
    "violence",
    "minor",
    "despair",
    "intent",
    "means",
    "time",
    "farewell",
];

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// Tags and signals, a bit each as in [`FLAGS`].
    pub flags: u16,
    /// Why it is here.
    pub source: String,
    /// What it finds.
    pub pattern: Vec<Node>,
    /// A sentence that it must find.
    pub example: String,
}

/// One language.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// Its name: the language.
    pub language: String,
    /// Its classes, in order of definition.
    pub classes: BTreeMap<String, Vec<Vec<Node>>>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Explanations of the sources.
    pub sources: BTreeMap<String, String>,
    /// Words that people disguise: found behind asterisks, split in two, or with one slip.
    pub disguised: Vec<String>,
    /// Words that texts without spaces are parted into.
    pub joined: Vec<String>,
}

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Reads the `*.rules` of a folder, by name: all, or one language.
///
/// # Errors
/// Every mistake found.
pub fn read_folder(folder: &Path, only: Option<&str>) -> Result<Vec<File>, Vec<Problem>> {
    let problem = |what: String| {
        vec![Problem {
            file: folder.display().to_string(),
            line: 0,
            what,
        }]
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| problem(error.to_string()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|name| name == "rules"))
        .collect();
    paths.sort();
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| problem(error.to_string()))?;
        files.push(read(&name, &text, &mut ids, &mut problems));
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// Reads one file.
pub fn read(language: &str, text: &str, ids: &mut BTreeSet<String>, problems: &mut Vec<Problem>) -> File {
    let mut file = File {
        language: language.into(),
        ..File::default()
    };
    for (index, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(what) = read_line(&mut file, line, ids) {
            problems.push(Problem {
                file: format!("{language}.rules"),
                line: index + 1,
                what,
            });
        }
    }
    file
}

fn read_line(file: &mut File, line: &str, ids: &mut BTreeSet<String>) -> Result<(), String> {
    if let Some(rest) = line.strip_prefix("@source ") {
        let (key, text) = rest
            .trim()
            .split_once(char::is_whitespace)
            .ok_or("a source needs a text")?;
        file.sources.insert(key.into(), text.trim().into());
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("@key ") {
        file.disguised.extend(rest.split_whitespace().map(Into::into));
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("@join ") {
        file.joined.extend(rest.split_whitespace().map(Into::into));
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("@class ") {
        let (name, text) = rest.split_once('=').ok_or("a class needs '='")?;
        let all = parse_alternatives(text)?;
        let all = all
            .iter()
            .map(|nodes| inline(nodes, &file.classes))
            .collect::<Result<Vec<_>, _>>()?;
        if file.classes.insert(name.trim().into(), all).is_some() {
            return Err(format!("class {} is defined twice", name.trim()));
        }
        return Ok(());
    }
    let fields: Vec<&str> = line.split(';').map(str::trim).collect();
    let [id, level, source, pattern, example] = fields.as_slice() else {
        return Err(format!(
            "a rule has five fields parted by ';' (id, level, source, pattern, example), not {}",
            fields.len()
        ));
    };
    let prefix = id.split('-').next().unwrap_or_default();
    if prefix != file.language {
        return Err(format!("the id '{id}' does not begin with '{}-'", file.language));
    }
    if !ids.insert((*id).to_string()) {
        return Err(format!("the id '{id}' is used twice"));
    }
    if !file.sources.contains_key(*source) {
        return Err(format!(
            "the source '{source}' is not explained by an '@source {source} …' above"
        ));
    }
    if example.is_empty() {
        return Err("the example is missing".into());
    }
    let (effect, flags) = effect(level)?;
    let pattern = inline(&parse(pattern)?, &file.classes)?;
    file.rules.push(Rule {
        id: (*id).into(),
        effect,
        flags,
        source: (*source).into(),
        pattern,
        example: (*example).into(),
    });
    Ok(())
}

fn effect(level: &str) -> Result<(Effect, u16), String> {
    let mut words = level.split('+').map(str::trim);
    let effect = match words.next().unwrap_or_default() {
        "0" => Effect::Idiom,
        "1" => Effect::Level(1),
        "2" => Effect::Level(2),
        "3" => Effect::Level(3),
        "4" => Effect::Level(4),
        "cap" => Effect::Cap,
        "note" => Effect::Note,
        "leave" => Effect::Leave,
        "human" => Effect::Human,
        "injection" => Effect::Injection,
        other => return Err(format!("'{other}' is not a level")),
    };
    let mut flags = 0;
    for name in words {
        // A class of its own would be `+negated` and `+past`: they say why, and change nothing.
        if matches!(name, "negated" | "past") {
            continue;
        }
        match FLAGS.iter().position(|flag| *flag == name) {
            Some(bit) => flags |= 1 << bit,
            None => return Err(format!("'+{name}' is neither a tag nor a signal")),
        }
    }
    Ok((effect, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        read("en", text, &mut BTreeSet::new(), &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mistakes_carry_their_line() {
        for (text, expected) in [
            ("@source a x\nen-1 ; 2 ; a ; die ; die", ""),
            ("\n# note\nen-1 ; 2 ; a ; die ; die", "en.rules:3: the source 'a'"),
            ("en-1 ; 2 ; a ; die", "en.rules:1: a rule has five fields"),
            ("@source a x\nde-1 ; 2 ; a ; die ; die", "does not begin with 'en-'"),
            (
                "@source a x\nen-1 ; 2 ; a ; die ; die\nen-1 ; 2 ; a ; die ; die",
                "used twice",
            ),
            ("@source a x\nen-1 ; 9 ; a ; die ; die", "'9' is not a level"),
            ("@source a x\nen-1 ; 2 +x ; a ; die ; die", "'+x'"),
            ("@source a x\nen-1 ; 2 ; a ; {no} ; die", "no class {no}"),
            ("@source a x\nen-1 ; 2 ; a ; die ;", "example is missing"),
            ("@class a = x\n@class a = y", "defined twice"),
        ] {
            let found = problems(text);
            if expected.is_empty() {
                assert_eq!(found, Vec::<String>::new());
            } else {
                assert!(
                    found.len() == 1 && found.iter().all(|line| line.contains(expected)),
                    "{text}: {found:?}"
                );
            }
        }
    }
}
