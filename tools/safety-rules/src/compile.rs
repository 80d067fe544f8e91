//! From rules to tables: symbols for words, sets of symbols, and a few operations that a matcher runs.

use crate::fold::fold_word;
use crate::pattern::{Literal, Node, Open};
use crate::script::{is_char_script, is_pictograph, is_word_char};
use crate::source::{Effect, File, Problem, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// Operations of the matcher. A number below [`op::SET`] is a symbol, one below [`op::CLASS`] a set, one below
/// [`op::OTHER`] a class; the others have operands behind them.
pub mod op {
    /// Sets begin here.
    pub const SET: u16 = 0xb000;
    /// Classes begin here.
    pub const CLASS: u16 = 0xf000;
    /// The others begin here.
    pub const OTHER: u16 = 0xfff0;
    /// Up to so many words.
    pub const GAP: u16 = 0xfff0;
    /// Length, then what may be missing.
    pub const OPTIONAL: u16 = 0xfff1;
    /// Length of all, then alternatives, each behind its length.
    pub const ANY: u16 = 0xfff2;
    /// The beginning of a clause.
    pub const START: u16 = 0xfff3;
    /// The end of a clause.
    pub const END: u16 = 0xfff4;
}

/// How a key of the word table finds a symbol.
pub mod kind {
    /// The whole word.
    pub const WHOLE: u8 = 0;
    /// The beginning of a word.
    pub const PREFIX: u8 = 1;
    /// The beginning of a word, or after up to three letters.
    pub const INFIX: u8 = 2;
    /// The whole word, typed without its accents.
    pub const BARE_WHOLE: u8 = 3;
    /// The beginning of a word, typed without its accents.
    pub const BARE_PREFIX: u8 = 4;
    /// A run of characters in a script without spaces.
    pub const RUN: u8 = 5;
}

/// Longest span of a match, in words or characters: matches are bits of a 64-bit mask.
const LONGEST: u32 = 60;

/// A rule of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// 0-4 for levels (0 is an idiom), 5 cap, 6 note, 7 leave, 8 human, 9 injection.
    pub effect: u8,
    /// Tags and signals.
    pub flags: u16,
    /// Its operations.
    pub ops: Vec<u16>,
    /// Least and most words before the key.
    pub before: (u8, u8),
}

/// Everything that the matcher needs.
#[derive(Debug, Default)]
pub struct Compiled {
    /// Keys of the word table, with `(symbol, kind)` each.
    pub words: BTreeMap<String, Vec<(u16, u8)>>,
    /// Sets of symbols, sorted.
    pub sets: Vec<Vec<u16>>,
    /// Operations of each class.
    pub classes: Vec<Vec<u16>>,
    /// The rules.
    pub rows: Vec<Row>,
    /// Rules to try at a symbol.
    pub triggers: Vec<Vec<u16>>,
}

impl Effect {
    fn number(self) -> u8 {
        match self {
            Self::Idiom => 0,
            Self::Level(level) => level,
            Self::Cap => 5,
            Self::Note => 6,
            Self::Leave => 7,
            Self::Human => 8,
            Self::Injection => 9,
        }
    }
}

/// Compiles all languages into one table.
///
/// # Errors
/// Rules whose pattern cannot be matched as it is.
pub fn compile(files: &[File]) -> Result<Compiled, Vec<Problem>> {
    let mut compiler = Compiler::default();
    let mut problems = Vec::new();
    for file in files {
        compiler.classes.clear();
        compiler.file = Some(file.clone());
        for rule in &file.rules {
            if let Err(what) = compiler.rule(rule) {
                problems.push(Problem {
                    file: format!("{}.rules", file.language),
                    line: 0,
                    what: format!("{}: {what}", rule.id),
                });
            }
        }
    }
    let mut out = compiler.out;
    out.triggers.resize(compiler.symbols.len(), Vec::new());
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

#[derive(Default)]
struct Compiler {
    out: Compiled,
    symbols: BTreeMap<(String, Open, bool), u16>,
    spans: Vec<u32>,
    weights: Vec<u32>,
    sets: BTreeMap<Vec<u16>, u16>,
    /// Lowered classes of the present file.
    classes: BTreeMap<String, Piece>,
    file: Option<File>,
}

/// What the later stages need to know about a piece.
#[derive(Clone)]
struct Piece {
    ops: Vec<u16>,
    least: u32,
    most: u32,
    /// Where it must be met; none where it may be missing.
    key: Option<Key>,
    gap: bool,
}

/// Words of which one is there whenever the piece matches.
#[derive(Clone)]
struct Key {
    symbols: BTreeSet<u16>,
    /// How often they occur, guessed.
    cost: u32,
    /// Least and most words before them.
    before: (u32, u32),
}

impl Compiler {
    fn rule(&mut self, rule: &Rule) -> Result<(), String> {
        let pieces = self.pieces(&rule.pattern)?;
        for (end, name) in [(pieces.first(), "begin"), (pieces.last(), "end")] {
            if end.is_some_and(|piece| piece.gap) {
                return Err(format!("the pattern may not {name} with a gap"));
            }
        }
        if pieces.iter().map(|piece| piece.most).sum::<u32>() > LONGEST {
            return Err(format!("the pattern can be longer than {LONGEST} words"));
        }
        let key = best(&pieces).ok_or("the pattern has no word that must be there")?;
        let number = u16::try_from(self.out.rows.len()).map_err(|_| "too many rules")?;
        for symbol in &key.symbols {
            let at = usize::from(*symbol);
            if self.out.triggers.len() <= at {
                self.out.triggers.resize(at + 1, Vec::new());
            }
            if let Some(list) = self.out.triggers.get_mut(at) {
                list.push(number);
            }
        }
        self.out.rows.push(Row {
            id: rule.id.clone(),
            effect: rule.effect.number(),
            flags: rule.flags,
            ops: pieces.into_iter().flat_map(|piece| piece.ops).collect(),
            before: (
                u8::try_from(key.before.0).unwrap_or(u8::MAX),
                u8::try_from(key.before.1).unwrap_or(u8::MAX),
            ),
        });
        Ok(())
    }

    fn pieces(&mut self, nodes: &[Node]) -> Result<Vec<Piece>, String> {
        let mut out = Vec::new();
        for node in nodes {
            match node {
                Node::Word(literal) => {
                    for symbol in self.literal(literal)? {
                        out.push(self.set(BTreeSet::from([symbol]))?);
                    }
                }
                Node::Any(all) => out.push(self.any(all)?),
                Node::Class(name) => out.push(self.class(name)?),
                Node::Optional(nodes) => {
                    let inner = self.joined(nodes)?;
                    let mut ops = vec![op::OPTIONAL, length(&inner.ops)?];
                    ops.extend(inner.ops);
                    out.push(Piece {
                        ops,
                        least: 0,
                        most: inner.most,
                        key: None,
                        gap: false,
                    });
                }
                Node::Gap(n) => out.push(Piece {
                    ops: vec![op::GAP, *n],
                    least: 0,
                    most: u32::from(*n),
                    key: None,
                    gap: true,
                }),
                Node::Start | Node::End => out.push(Piece {
                    ops: vec![if *node == Node::Start { op::START } else { op::END }],
                    least: 0,
                    most: 0,
                    key: None,
                    gap: false,
                }),
            }
        }
        Ok(out)
    }

    /// A sequence as one piece.
    fn joined(&mut self, nodes: &[Node]) -> Result<Piece, String> {
        let pieces = self.pieces(nodes)?;
        Ok(Piece {
            least: pieces.iter().map(|piece| piece.least).sum(),
            most: pieces.iter().map(|piece| piece.most).sum(),
            key: best(&pieces),
            gap: false,
            ops: pieces.into_iter().flat_map(|piece| piece.ops).collect(),
        })
    }

    /// Alternatives: single words become one set, which costs one look-up.
    fn any(&mut self, all: &[Vec<Node>]) -> Result<Piece, String> {
        let mut single = BTreeSet::new();
        let mut rest: Vec<Piece> = Vec::new();
        for nodes in all {
            if let [Node::Word(literal)] = nodes.as_slice() {
                let symbols = self.literal(literal)?;
                if let [symbol] = symbols.as_slice() {
                    single.insert(*symbol);
                    continue;
                }
            }
            let piece = self.joined(nodes)?;
            if piece.least == 0 && !nodes.iter().all(|node| matches!(node, Node::Start | Node::End)) {
                return Err("an alternative may not be wholly optional".into());
            }
            rest.push(piece);
        }
        if !single.is_empty() {
            rest.insert(0, self.set(single)?);
        }
        if rest.len() == 1 {
            return rest.pop().ok_or_else(|| "no alternative".into());
        }
        let mut body = Vec::new();
        for piece in &rest {
            body.push(length(&piece.ops)?);
            body.extend(&piece.ops);
        }
        let mut ops = vec![op::ANY, length(&body)?];
        ops.extend(body);
        let keys: Option<Vec<&Key>> = rest.iter().map(|piece| piece.key.as_ref()).collect();
        Ok(Piece {
            ops,
            least: rest.iter().map(|piece| piece.least).min().unwrap_or(0),
            most: rest.iter().map(|piece| piece.most).max().unwrap_or(0),
            key: keys.map(|keys| Key {
                symbols: keys.iter().flat_map(|key| key.symbols.iter().copied()).collect(),
                cost: keys.iter().map(|key| key.cost).sum(),
                before: (
                    keys.iter().map(|key| key.before.0).min().unwrap_or(0),
                    keys.iter().map(|key| key.before.1).max().unwrap_or(0),
                ),
            }),
            gap: false,
        })
    }

    fn class(&mut self, name: &str) -> Result<Piece, String> {
        if let Some(piece) = self.classes.get(name) {
            return Ok(piece.clone());
        }
        let file = self.file.as_ref().ok_or("no file")?;
        let all = file
            .classes
            .get(name)
            .ok_or_else(|| format!("no class {{{name}}}"))?
            .clone();
        let mut piece = self.any(&all)?;
        if piece.ops.len() > 1 {
            let number = u16::try_from(self.out.classes.len()).map_err(|_| "too many classes")?;
            let code = op::CLASS
                .checked_add(number)
                .filter(|code| *code < op::OTHER)
                .ok_or("too many classes")?;
            self.out.classes.push(core::mem::replace(&mut piece.ops, vec![code]));
        }
        self.classes.insert(name.into(), piece.clone());
        Ok(piece)
    }

    fn set(&mut self, symbols: BTreeSet<u16>) -> Result<Piece, String> {
        let spans = symbols.iter().filter_map(|symbol| self.spans.get(usize::from(*symbol)));
        let (least, most) = (
            spans.clone().min().copied().unwrap_or(1),
            spans.max().copied().unwrap_or(1),
        );
        let list: Vec<u16> = symbols.iter().copied().collect();
        let code = match list.as_slice() {
            [only] => *only,
            _ => {
                let next = u16::try_from(self.sets.len()).map_err(|_| "too many sets")?;
                let number = *self.sets.entry(list.clone()).or_insert_with(|| {
                    self.out.sets.push(list);
                    next
                });
                op::SET
                    .checked_add(number)
                    .filter(|code| *code < op::CLASS)
                    .ok_or("too many sets")?
            }
        };
        let weigh = |symbol: &u16| self.weights.get(usize::from(*symbol)).copied().unwrap_or(1);
        Ok(Piece {
            ops: vec![code],
            least,
            most,
            key: Some(Key {
                cost: symbols.iter().map(weigh).sum(),
                symbols,
                before: (0, 0),
            }),
            gap: false,
        })
    }

    /// The symbols of a literal: it may be several words (`self-harm`), or a run and a word.
    fn literal(&mut self, literal: &Literal) -> Result<Vec<u16>, String> {
        let parts = split(&literal.text);
        if parts.is_empty() {
            return Err(format!("'{}' has no letter", literal.text));
        }
        let last = parts.len() - 1;
        parts
            .into_iter()
            .enumerate()
            .map(|(index, (text, run))| {
                let open = match literal.open {
                    _ if run => Open::Whole,
                    Open::Prefix if index < last => Open::Whole,
                    Open::Infix if index > 0 => Open::Prefix,
                    open => open,
                };
                self.symbol(text, open, run)
            })
            .collect()
    }

    fn symbol(&mut self, text: String, open: Open, run: bool) -> Result<u16, String> {
        let entry = (text.clone(), open, run);
        if let Some(symbol) = self.symbols.get(&entry) {
            return Ok(*symbol);
        }
        let symbol = u16::try_from(self.symbols.len())
            .ok()
            .filter(|symbol| *symbol < op::SET)
            .ok_or("too many words")?;
        self.symbols.insert(entry, symbol);
        let count = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        self.spans.push(if run { count } else { 1 });
        self.weights.push(weight(&text, open, run, count));
        let (whole, bare) = match open {
            _ if run => (kind::RUN, None),
            Open::Whole => (kind::WHOLE, Some(kind::BARE_WHOLE)),
            Open::Prefix => (kind::PREFIX, Some(kind::BARE_PREFIX)),
            Open::Infix => (kind::INFIX, None),
        };
        self.out.words.entry(text.clone()).or_default().push((symbol, whole));
        let plain = fold_word(&text).plain;
        if let (Some(bare), true) = (bare, plain != text) {
            self.out.words.entry(plain).or_default().push((symbol, bare));
        }
        Ok(symbol)
    }
}

/// The cheapest place at which a sequence must be met.
fn best(pieces: &[Piece]) -> Option<Key> {
    let mut best: Option<Key> = None;
    let (mut least, mut most) = (0, 0);
    for piece in pieces {
        if let Some(key) = &piece.key
            && best.as_ref().is_none_or(|other| key.cost <= other.cost)
        {
            best = Some(Key {
                before: (least + key.before.0, most + key.before.1),
                ..key.clone()
            });
        }
        least += piece.least;
        most += piece.most;
    }
    best
}

fn length(ops: &[u16]) -> Result<u16, String> {
    u16::try_from(ops.len()).map_err(|_| "the pattern is too large".into())
}

/// Parts a literal as the tokeniser parts a text: words, and runs of scripts without spaces.
fn split(text: &str) -> Vec<(String, bool)> {
    let mut parts: Vec<(String, bool)> = Vec::new();
    let mut open = false;
    for c in fold_word(text).same.chars() {
        if is_pictograph(c) {
            parts.push((c.into(), false));
            open = false;
        } else if is_word_char(c) || is_char_script(c) {
            let run = is_char_script(c);
            match parts.last_mut() {
                Some((part, kind)) if open && *kind == run => part.push(c),
                _ => parts.push((c.into(), run)),
            }
            open = true;
        } else {
            open = false;
        }
    }
    parts
}

/// Words so common that no rule should be tried because of them, over many languages.
const COMMON: &str = " i a to the of in is it my me am be do you that this not no so and or on for with was will can cant just dont im \
want how what if have has ive more all any out up go going get make like feel know think need would should could about there when they \
he she we her his de la el que en y a un una me no se lo mi es yo con por para si ya mas le les je ne pas et est un une du des que qui \
ce ai suis plus tout ich nicht das die der ist und zu mich mir will kann mehr ein es sich auf mit ik niet het een en van te is wil meer \
io non che di e il mi sono per ho piu nie sie to jest na do chce mam juz tak ben bir bu ve ne da de ama cok daha var yok saya aku tidak \
mau ingin untuk dan yang di toi la khong muon co nao cho mot nu ni ya na kwa si я не на в и что хочу мне меня это как быть с бы мой все \
больше уже хочется мені я що це не как ні ані из من في ان لا ما انا على مش بدي عايز اريد من را به که از می نمی خودم دیگه هم این אני לא את \
של רוצה כבר זה על עם יותר मैं मुझे है हूं हूँ नहीं का की के में को से और हो रहा रही था चाहता चाहती आমি আমার আমি না করতে চাই এই আর ";

/// How much it costs to try a rule at a word: by how often it occurs, guessed from its form.
fn weight(text: &str, open: Open, run: bool, count: u32) -> u32 {
    if run {
        return match (count, text.chars().all(|c| ('\u{3040}'..='\u{30ff}').contains(&c))) {
            (1, true) => 80,
            (1, false) => 30,
            (2, true) => 20,
            (2, false) => 6,
            _ => 2,
        };
    }
    if COMMON.contains(&format!(" {text} ")) {
        return 60;
    }
    match count + if open == Open::Whole { 0 } else { 1 } {
        0..=2 => 30,
        3 => 8,
        _ => 2,
    }
}
