//! `safety check`: for whoever writes rules.

use crate::cases;
use crate::rules::{folder, load};
use silent_core::safety::{Assessment, SafetyState, Tables, assess_with};
use silent_safety_rules::source::Effect;

/// Runs examples and cases of one language or all, or explains a text.
pub(crate) fn run(args: &[&str]) -> Result<bool, String> {
    let (language, texts) = match args {
        [] => ("all", [].as_slice()),
        [language, texts @ ..] => (*language, texts),
    };
    let (files, tables) = load(&folder().join("rules"), Some(language).filter(|name| *name != "all"))?;
    if !texts.is_empty() {
        let mut state = SafetyState::default();
        for text in texts {
            println!("{}", explained(&assess_with(&tables, text, &mut state)));
        }
        return Ok(true);
    }
    let wanted = |name: &str| language == "all" || language == name;
    let mut fine = true;
    for file in files.iter().filter(|file| wanted(&file.language)) {
        for rule in &file.rules {
            if let Err(what) = example(&tables, rule) {
                fine = false;
                println!("EXAMPLE {}: {what}: {}", rule.id, rule.example);
            }
        }
        println!("{}: {} rules", file.language, file.rules.len());
    }
    let all = cases::read(&folder().join("cases"))?;
    let (mut good, mut count) = (0, 0);
    for case in all.iter().filter(|case| wanted(&case.language)) {
        let judged = case.judge(&tables);
        count += 1;
        if case.holds(&judged) {
            good += 1;
        } else {
            fine = false;
            println!(
                "CASE {} {} expected {:?}, got {}: {}",
                case.language,
                case.set,
                case.expected,
                explained(&judged),
                case.text
            );
        }
    }
    println!("{good} of {count} cases as expected");
    Ok(fine)
}

fn explained(judged: &Assessment) -> String {
    let rules: Vec<String> = judged
        .evidence
        .iter()
        .map(|item| format!("{}={}", item.rule_id, item.level.get()))
        .collect();
    format!(
        "level {}{}{} [{}] {:?}",
        judged.level.get(),
        judged.safe_exit.map_or(String::new(), |exit| format!(" exit {exit:?}")),
        if judged.injection_suspected { " injection" } else { "" },
        rules.join(" "),
        judged.tags
    )
}

/// Whether a rule does at its example what it says.
pub(crate) fn example(tables: &[Tables<'static>], rule: &silent_safety_rules::Rule) -> Result<(), String> {
    let judged = assess_with(tables, &rule.example, &mut SafetyState::default());
    let level = judged.level.get();
    let spoke = judged.evidence.iter().any(|item| item.rule_id == rule.id);
    let fine = match rule.effect {
        Effect::Level(wanted) => spoke && level >= wanted,
        Effect::Note => spoke,
        Effect::Idiom => level == 0,
        Effect::Cap => level <= 1,
        Effect::Leave | Effect::Human => judged.safe_exit.is_some(),
        Effect::Injection => judged.injection_suspected,
    };
    if fine {
        Ok(())
    } else {
        Err(format!("wanted {:?}, got {}", rule.effect, explained(&judged)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::rules::{folder, load};

    #[test]
    fn every_rule_finds_its_example() {
        let (files, _) = load(&folder().join("rules"), None).unwrap();
        let mut wrong = Vec::new();
        // Each language by itself: what the others make of its words is what the cases are for.
        for file in files {
            let (_, tables) = load(&folder().join("rules"), Some(&file.language)).unwrap();
            let own = |rule| super::example(&tables, rule).err();
            wrong.extend(
                file.rules
                    .iter()
                    .filter_map(|rule| Some(format!("{}: {}", rule.id, own(rule)?))),
            );
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
