//! Compiles `safety/rules` into tables, and the table of letters from Unicode.

use sha2::{Digest, Sha256};
use silent_safety_rules::{build, emit};
use std::path::{Path, PathBuf};
use std::{env, fs, process};

fn main() {
    let folder = Path::new("safety/rules");
    println!("cargo::rerun-if-changed=safety/templates");
    println!("cargo::rerun-if-changed={}", folder.display());
    let (_, tables) = build(folder, None).unwrap_or_else(|problems| {
        for problem in problems {
            println!("cargo::error=shared/core/safety/rules/{problem}");
        }
        process::exit(1)
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let source: Vec<String> = tables.iter().map(emit::Flat::source).collect();
    let source = source.join(",\n");
    let version: String = Sha256::digest(source.as_bytes())
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let rules =
        format!("static RULES: &[Tables<'static>] = &[{source}];\nconst RULES_VERSION: &str = \"{version}\";\n");
    let files = [
        ("rules.rs", rules),
        ("folds.rs", emit::folds_source()),
        ("templates.rs", templates(Path::new("safety/templates"))),
    ];
    for (name, text) in files {
        if let Err(error) = fs::write(out.join(name), text) {
            println!("cargo::error={name}: {error}");
        }
    }
}

/// The crisis texts as source; a language that lacks one, or its number, stops the build.
fn templates(folder: &Path) -> String {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|name| name == "txt"))
        .collect();
    paths.sort();
    let mut out = String::from("static TEMPLATES: &[Texts] = &[\n");
    for path in paths {
        let language = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap_or_default();
        out.push_str(&format!("Texts {{ language: {language:?}"));
        for key in ["emergency", "danger", "distress", "note"] {
            let value = text.lines().find_map(|line| {
                let (name, value) = line.split_once('=')?;
                (name.trim() == key).then(|| value.trim())
            });
            match value {
                Some(value) if !value.is_empty() && (key == "note" || value.contains("{number}")) => {
                    out.push_str(&format!(", {key}: {value:?}"));
                }
                _ => println!(
                    "cargo::error={}: '{key}' is missing, or names no {{number}}",
                    path.display()
                ),
            }
        }
        out.push_str(" },\n");
    }
    out + "];\n"
}
