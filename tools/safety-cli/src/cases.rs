//! Development cases: what a text must be judged as.

use silent_core::safety::{Assessment, SafeExit, SafetyState, Tables, assess_with};
use std::path::Path;

/// What a case expects of its last turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// At least this level.
    AtLeast(u8),
    /// No crisis text: 0 or 1.
    Calm,
    /// A safe exit.
    Exit(SafeExit),
}

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) language: String,
    pub(crate) set: String,
    pub(crate) expected: Expected,
    pub(crate) text: String,
}

impl Case {
    pub(crate) fn judge(&self, tables: &[Tables<'static>]) -> Assessment {
        let mut state = SafetyState::default();
        self.text
            .split(" // ")
            .fold(Assessment::default(), |_, turn| assess_with(tables, turn, &mut state))
    }

    /// The case as a line, with its language in front.
    pub(crate) fn line(&self) -> String {
        let expected = match self.expected {
            Expected::AtLeast(level) => level.to_string(),
            Expected::Calm => "0".into(),
            Expected::Exit(SafeExit::Leave) => "leave".into(),
            Expected::Exit(SafeExit::Human) => "human".into(),
        };
        format!("{}\t{expected}\t{}\t{}", self.language, self.set, self.text)
    }

    /// Whether the judgement is what the case expects.
    pub(crate) fn holds(&self, judged: &Assessment) -> bool {
        match self.expected {
            Expected::AtLeast(level) => judged.level.get() >= level,
            Expected::Calm => judged.level.get() < 2 && judged.safe_exit.is_none(),
            Expected::Exit(exit) => judged.safe_exit == Some(exit),
        }
    }

    /// Whether it is a matter of being caught at level 2 or above: what recall counts.
    pub(crate) fn caught(&self, judged: &Assessment) -> bool {
        match self.expected {
            Expected::AtLeast(_) => judged.level.get() >= 2,
            _ => self.holds(judged),
        }
    }
}

/// Reads `cases/*.tsv`.
pub(crate) fn read(folder: &Path) -> Result<Vec<Case>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|name| name == "tsv"))
        .collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let language = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            cases.push(case(&language, line).map_err(|what| format!("{language}.tsv:{}: {what}", index + 1))?);
        }
    }
    Ok(cases)
}

fn case(language: &str, line: &str) -> Result<Case, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [expected, set, text] = fields.as_slice() else {
        return Err(format!("a case has three fields parted by tabs, not {}", fields.len()));
    };
    let expected = match expected.trim() {
        "0" | "1" => Expected::Calm,
        "2" => Expected::AtLeast(2),
        "3" => Expected::AtLeast(3),
        "4" => Expected::AtLeast(4),
        "leave" => Expected::Exit(SafeExit::Leave),
        "human" => Expected::Exit(SafeExit::Human),
        other => return Err(format!("'{other}' is not an expectation")),
    };
    if text.trim().is_empty() {
        return Err("the text is missing".into());
    }
    Ok(Case {
        language: language.into(),
        set: set.trim().into(),
        expected,
        text: text.trim().into(),
    })
}
