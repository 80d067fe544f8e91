//! Compiles the crisis gate's readable rules into tables: at build time for the Workers, at run time for the tools.
#![forbid(unsafe_code)]

pub mod compile;
pub mod emit;
pub mod fold;
pub mod pattern;
#[path = "../../../shared/core/src/safety/script.rs"]
pub mod script;
pub mod source;

pub use source::{File, Problem, Rule};
use std::path::Path;

/// Most words of one table: above, the next languages go into another.
const WORDS_OF_A_TABLE: usize = 36_000;

/// Reads and compiles a folder of rules: all, or one language. Languages share tables as far as they fit.
///
/// # Errors
/// Every mistake found, with file and line.
pub fn build(folder: &Path, only: Option<&str>) -> Result<(Vec<File>, Vec<emit::Flat>), Vec<Problem>> {
    let files = source::read_folder(folder, only)?;
    let mut tables = Vec::new();
    let mut together: Vec<File> = Vec::new();
    let mut words = 0;
    for file in &files {
        let own = compile::compile(core::slice::from_ref(file))?.words.len();
        if words + own > WORDS_OF_A_TABLE && !together.is_empty() {
            tables.push(table(folder, &together)?);
            together.clear();
            words = 0;
        }
        words += own;
        together.push(file.clone());
    }
    tables.push(table(folder, &together)?);
    Ok((files, tables))
}

fn table(folder: &Path, files: &[File]) -> Result<emit::Flat, Vec<Problem>> {
    let disguised = files.iter().flat_map(|file| file.disguised.iter().cloned()).collect();
    let mut joined: Vec<String> = files.iter().flat_map(|file| file.joined.iter().cloned()).collect();
    joined.sort();
    joined.dedup();
    emit::flatten(&compile::compile(files)?, disguised, joined).map_err(|what| {
        vec![Problem {
            file: folder.display().to_string(),
            line: 0,
            what,
        }]
    })
}
