//! The pattern language of a rule.

use std::collections::BTreeMap;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A word as it is written, with what may stand around it.
    Word(Literal),
    /// One of several sequences.
    Any(Vec<Vec<Node>>),
    /// A named class.
    Class(String),
    /// A sequence that may be missing.
    Optional(Vec<Node>),
    /// Up to so many words of any kind.
    Gap(u16),
    /// Beginning of a clause.
    Start,
    /// End of a clause.
    End,
}

/// How a word may continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Open {
    /// Not at all.
    Whole,
    /// At its end.
    Prefix,
    /// At its end, and by up to three letters before it.
    Infix,
}

/// A word of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal {
    /// As the author wrote it.
    pub text: String,
    /// What it may stand in.
    pub open: Open,
}

/// Reads a pattern.
///
/// # Errors
/// What is wrong, in words.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser { rest: text.trim() };
    let nodes = parser.sequence(0)?;
    match parser.rest.chars().next() {
        None if nodes.is_empty() => Err("the pattern is empty".into()),
        None => Ok(nodes),
        Some(c) => Err(format!("unexpected '{c}'")),
    }
}

/// Reads alternatives parted by `|`, as a class has them.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_alternatives(text: &str) -> Result<Vec<Vec<Node>>, String> {
    let mut parser = Parser { rest: text.trim() };
    let all = parser.alternatives(0)?;
    match parser.rest.chars().next() {
        None => Ok(all),
        Some(c) => Err(format!("unexpected '{c}'")),
    }
}

struct Parser<'a> {
    rest: &'a str,
}

const SPECIAL: &[char] = &['(', ')', '{', '}', '|', '?', '~', '^', '$'];

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, c: char) -> bool {
        match self.peek() {
            Some(next) if next == c => {
                self.rest = self.rest.get(c.len_utf8()..).unwrap_or("");
                true
            }
            _ => false,
        }
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(stop).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.rest = tail;
        head.to_string()
    }

    fn alternatives(&mut self, depth: u8) -> Result<Vec<Vec<Node>>, String> {
        let mut all = Vec::new();
        loop {
            let nodes = self.sequence(depth)?;
            if nodes.is_empty() {
                return Err("an alternative is empty".into());
            }
            all.push(nodes);
            if !self.take('|') {
                return Ok(all);
            }
        }
    }

    fn sequence(&mut self, depth: u8) -> Result<Vec<Node>, String> {
        if depth > 6 {
            return Err("brackets are nested too deeply".into());
        }
        let mut nodes: Vec<Node> = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                ')' | '|' | '}' => break,
                '(' => {
                    self.take('(');
                    let all = self.alternatives(depth + 1)?;
                    if !self.take(')') {
                        return Err("a '(' is not closed".into());
                    }
                    nodes.push(Node::Any(all));
                }
                '{' => {
                    self.take('{');
                    let name = self.until(|c| c == '}').trim().to_string();
                    if !self.take('}') || name.is_empty() {
                        return Err("a '{' is not closed, or names nothing".into());
                    }
                    nodes.push(Node::Class(name));
                }
                '~' => {
                    self.take('~');
                    let digits = self.until(|c| !c.is_ascii_digit());
                    match digits.parse() {
                        Ok(n @ 1..=12) => nodes.push(Node::Gap(n)),
                        _ => return Err("after '~' comes a number from 1 to 12".into()),
                    }
                }
                '^' => {
                    self.take('^');
                    nodes.push(Node::Start);
                }
                '$' => {
                    self.take('$');
                    nodes.push(Node::End);
                }
                '?' => {
                    self.take('?');
                    match nodes.pop() {
                        Some(node @ (Node::Word(_) | Node::Any(_) | Node::Class(_))) => {
                            nodes.push(Node::Optional(vec![node]));
                        }
                        _ => return Err("'?' has nothing before it that can be missing".into()),
                    }
                }
                _ => {
                    let word = self.until(|c| c.is_whitespace() || SPECIAL.contains(&c));
                    nodes.push(Node::Word(literal(&word)?));
                }
            }
        }
        Ok(nodes)
    }
}

fn literal(word: &str) -> Result<Literal, String> {
    let (text, open) = match (word.strip_prefix('*'), word.strip_suffix('*')) {
        (Some(tail), _) => (tail.trim_end_matches('*'), Open::Infix),
        (None, Some(head)) => (head, Open::Prefix),
        (None, None) => (word, Open::Whole),
    };
    if text.is_empty() || text.contains('*') {
        return Err(format!("'{word}' is not a word"));
    }
    Ok(Literal {
        text: text.into(),
        open,
    })
}

/// Replaces classes by their alternatives, so that later stages know no names.
///
/// # Errors
/// The class that nobody defined.
pub fn inline(nodes: &[Node], classes: &BTreeMap<String, Vec<Vec<Node>>>) -> Result<Vec<Node>, String> {
    nodes
        .iter()
        .map(|node| {
            Ok(match node {
                Node::Class(name) => match classes.get(name) {
                    Some(_) => node.clone(),
                    None => return Err(format!("no class {{{name}}} is defined above")),
                },
                Node::Any(all) => Node::Any(
                    all.iter()
                        .map(|nodes| inline(nodes, classes))
                        .collect::<Result<_, _>>()?,
                ),
                Node::Optional(nodes) => Node::Optional(inline(nodes, classes)?),
                other => other.clone(),
            })
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn word(text: &str) -> Node {
        Node::Word(literal(text).unwrap())
    }

    #[test]
    fn a_pattern_is_read() {
        assert_eq!(
            parse("^ {i} ~3 (want to|wanna) die* now? $").unwrap(),
            [
                Node::Start,
                Node::Class("i".into()),
                Node::Gap(3),
                Node::Any(vec![vec![word("want"), word("to")], vec![word("wanna")]]),
                word("die*"),
                Node::Optional(vec![word("now")]),
                Node::End,
            ]
        );
        assert_eq!(literal("*stem*").unwrap().open, Open::Infix);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("", "empty"),
            ("(a|b", "not closed"),
            ("a | b", "unexpected '|'"),
            ("a )", "unexpected ')'"),
            ("~0 a", "1 to 12"),
            ("~ a", "1 to 12"),
            ("? a", "nothing before"),
            ("{}", "names nothing"),
            ("a**b", "not a word"),
            ("(|a)", "empty"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
