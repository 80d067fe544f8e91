//! The words of a command: its name, numbers, and options with a value.

use crate::Failure;
use std::collections::BTreeMap;
use std::str::FromStr;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) command: String,
    words: Vec<String>,
    options: BTreeMap<String, String>,
}

impl Arguments {
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut words = words.iter();
        let command = words.next().ok_or("a command is needed")?.clone();
        let mut arguments = Self {
            command,
            words: Vec::new(),
            options: BTreeMap::new(),
        };
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                arguments.words.push(word.clone());
                continue;
            };
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (option, words.next().ok_or(format!("--{option} needs a value"))?.clone()),
            };
            if arguments.options.insert(name.to_owned(), value).is_some() {
                return Err(format!("--{name} is given twice"));
            }
        }
        Ok(arguments)
    }

    /// Refuses options that the command does not have.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Failure> {
        match self.options.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(format!("{} has no option --{name}", self.command)),
            None => Ok(()),
        }
    }

    /// The option's value, or what it is without.
    pub(crate) fn option<T: FromStr>(&self, name: &str, default: T) -> Result<T, Failure> {
        match self.options.get(name) {
            Some(text) => number(&format!("--{name}"), text),
            None => Ok(default),
        }
    }

    /// An option of several numbers by commas.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<f64>>, Failure> {
        let Some(text) = self.options.get(name) else {
            return Ok(None);
        };
        let numbers: Result<_, _> = text.split(',').map(|part| number(&format!("--{name}"), part)).collect();
        numbers.map(Some)
    }

    /// All words as numbers.
    pub(crate) fn numbers<T: FromStr>(&self) -> Result<Vec<T>, Failure> {
        self.words.iter().map(|word| number(&self.command, word)).collect()
    }

    /// The words, which must be as many as have names.
    pub(crate) fn exactly<const N: usize>(&self, names: [&str; N]) -> Result<[&str; N], Failure> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        <[&str; N]>::try_from(words).map_err(|words| {
            format!(
                "{} takes {N} numbers ({}), not {}",
                self.command,
                names.join(" "),
                words.len()
            )
        })
    }
}

pub(crate) fn number<T: FromStr>(what: &str, text: &str) -> Result<T, Failure> {
    let kind = if "1.5".parse::<T>().is_ok() {
        "number"
    } else {
        "whole number of 0 or more"
    };
    text.trim()
        .parse()
        .map_err(|_| format!("{what}: \"{text}\" is not a {kind}"))
}
