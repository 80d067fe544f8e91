//! The judgement of a message in the light of its session.

use super::disguise;
use super::matcher::{Hit, Matcher};
use super::tables::{Effect, Tables};
use super::text::{Text, Word, Words};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Most characters that are read: the head and the tail of a longer message, half each.
const MAX_CHARS: usize = 16_384;
/// Most matches that are weighed.
const MAX_HITS: usize = 256;
/// Most matches of one rule.
const MAX_OF_ONE: usize = 4;
/// For how many turns a level of 2 is remembered.
const ALARM_TURNS: u32 = 5;
/// For how many turns despair, intent and means are remembered.
const SIGNAL_TURNS: u32 = 12;

/// Severity, 0-4, mapped on the Columbia scale (C-SSRS).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Level(u8);

impl Level {
    /// A level; above 4 counts as 4.
    #[must_use]
    pub fn new(level: u8) -> Self {
        Self(level.min(4))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

/// What else was noticed, in the order of the compiler's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// Somebody else is in danger.
    ThirdParty,
    /// A question for a method.
    MethodInfo,
    /// Disordered eating.
    Eating,
    /// Voices, commands, persecution.
    Psychosis,
    /// Violence or abuse suffered.
    Abuse,
    /// Violence against others.
    Violence,
    /// The person is a child, or says so.
    Minor,
}

const TAGS: [Tag; 7] = [
    Tag::ThirdParty,
    Tag::MethodInfo,
    Tag::Eating,
    Tag::Psychosis,
    Tag::Abuse,
    Tag::Violence,
    Tag::Minor,
];

mod signal {
    pub(super) const THIRD_PARTY: u16 = 1;
    pub(super) const MINOR: u16 = 1 << 6;
    pub(super) const DESPAIR: u16 = 1 << 7;
    pub(super) const INTENT: u16 = 1 << 8;
    pub(super) const MEANS: u16 = 1 << 9;
    pub(super) const TIME: u16 = 1 << 10;
    pub(super) const FAREWELL: u16 = 1 << 11;
}

/// The person wants to leave, or wants a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeExit {
    /// Leave or hide.
    Leave,
    /// A human being.
    Human,
}

/// A rule that spoke: its id, never the person's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The rule's id, or `session` for what only the conversation shows.
    pub rule_id: Cow<'static, str>,
    /// What it counted as here.
    pub level: Level,
}

/// The gate's memory of a session: levels and turn numbers, no words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SafetyState {
    /// Highest level so far.
    pub highest: Level,
    /// Turns judged so far.
    pub turns: u32,
    /// The last turn at level 2 or above.
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    despair: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<u32>,
    /// Whether the person said that they are a child.
    pub minor: bool,
    /// When the person was last told that this is an AI, milliseconds since 1970.
    pub disclosed_at_ms: u64,
}

impl SafetyState {
    fn recent(&self, turn: Option<u32>, within: u32) -> bool {
        turn.is_some_and(|turn| self.turns.saturating_sub(turn) <= within)
    }

    /// Whether it is time to say again that this is an AI: every three hours, for minors every hour (California SB 243,
    /// New York GBL art. 47). Remembers that it was said.
    pub fn disclosure_due(&mut self, now_ms: u64) -> bool {
        let hours = if self.minor { 1 } else { 3 };
        // The session's own beginning said it first.
        let due = self.disclosed_at_ms > 0 && now_ms.saturating_sub(self.disclosed_at_ms) >= hours * 3_600_000;
        if due || self.disclosed_at_ms == 0 {
            self.disclosed_at_ms = now_ms;
        }
        due
    }

    /// Takes over what the model stage judged of the present turn: only upwards.
    pub fn raise(&mut self, level: Level) {
        self.highest = self.highest.max(level);
        if level.get() >= 2 {
            self.alarm = Some(self.turns);
            self.despair = Some(self.turns);
        }
    }
}

/// The judgement of one message; by default, that nothing was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Severity, the session's memory included.
    pub level: Level,
    /// What else was noticed.
    pub tags: Vec<Tag>,
    /// The rules that spoke.
    pub evidence: Vec<Evidence>,
    /// Leave, hide or a human.
    pub safe_exit: Option<SafeExit>,
    /// Whether the input looks like prompt injection: a flag for analysis.
    pub injection_suspected: bool,
    /// Whether the rules found distress that they cannot place: a model, where there is one, should look too.
    pub uncertain: bool,
    /// Version of the rules that judged; empty where none did.
    pub rules_version: Cow<'static, str>,
}

/// Judges with the given rules. Never panics; time is linear in the message.
#[must_use]
pub fn assess_with(rules: &[Tables<'static>], message: &str, state: &mut SafetyState) -> Assessment {
    let message = shortened(message);
    let mut found = Found::default();
    let words = Words::read(&message);
    for tables in rules {
        found.read(tables, &Text::new(&words, tables));
    }
    // What is negated in plain words is not a danger for being spelled out in another view.
    let plain: Vec<&str> = found.capped.iter().map(|rule| rule.id).collect();
    let mut disguised = Found::default();
    for view in disguise::undo(&message, rules) {
        let words = Words::read(&view);
        for tables in rules {
            disguised.read(tables, &Text::new(&words, tables));
        }
    }
    disguised.full.retain(|rule| !plain.contains(&rule.id));
    found.join(disguised);
    state.turns = state.turns.saturating_add(1);
    found.weigh(state)
}

/// The head and the tail of a message that is too long: farewells stand at the end.
fn shortened(message: &str) -> Cow<'_, str> {
    let half = MAX_CHARS / 2;
    match (
        message.char_indices().nth(half),
        message.char_indices().nth_back(half - 1),
    ) {
        (Some((head, _)), Some((tail, _))) if tail > head => {
            let mut out = String::from(message.get(..head).unwrap_or(""));
            out.push('\n');
            out.push_str(message.get(tail..).unwrap_or(""));
            Cow::Owned(out)
        }
        _ => Cow::Borrowed(message),
    }
}

/// A rule that matched.
#[derive(Clone, Copy)]
struct Spoke {
    id: &'static str,
    level: u8,
    flags: u16,
}

#[derive(Default)]
struct Found {
    /// Rules that count as themselves.
    full: Vec<Spoke>,
    /// Rules that count as 1.
    capped: Vec<Spoke>,
    exit: Option<SafeExit>,
    injection: bool,
}

impl Found {
    fn read(&mut self, tables: &Tables<'static>, text: &Text) {
        let hits = core::cell::RefCell::new(Vec::<Hit>::new());
        Matcher::new(tables, text).run(
            |rule| {
                let hits = hits.borrow();
                hits.len() < MAX_HITS && hits.iter().filter(|hit| hit.rule == rule).count() < MAX_OF_ONE
            },
            |hit| hits.borrow_mut().push(hit),
        );
        let hits = hits.into_inner();
        let erased = |hit: &Hit| {
            hits.iter()
                .any(|idiom| tables.effect(idiom.rule) == Effect::Idiom && idiom.from < hit.to && hit.from < idiom.to)
        };
        // "No, I want to die": what stands alone before a comma negates nothing behind it, and no cap reaches over a sentence.
        let opens = |at: usize, what: fn(&Word) -> bool| text.words.get(at).is_some_and(what);
        let holds = |cap: &Hit| {
            let alone = opens(cap.from, |word| word.opens_clause) && opens(cap.from + 1, |word| word.opens_clause);
            let crosses = (cap.from + 1..cap.to).any(|at| opens(at, |word| word.opens_sentence));
            !alone && !crosses
        };
        let capped = |hit: &Hit| {
            hits.iter().any(|cap| {
                tables.effect(cap.rule) == Effect::Cap
                    && holds(cap)
                    && [hit.key, hit.to - 1]
                        .iter()
                        .any(|word| (cap.from..cap.to).contains(word))
            })
        };
        for hit in &hits {
            match tables.effect(hit.rule) {
                Effect::Idiom | Effect::Cap => {}
                Effect::Leave => self.exit = self.exit.or(Some(SafeExit::Leave)),
                Effect::Human => self.exit = Some(SafeExit::Human),
                Effect::Injection => self.injection = true,
                Effect::Level(_) | Effect::Note if erased(hit) => {}
                Effect::Level(level) if level >= 2 && capped(hit) => add(&mut self.capped, spoke(tables, hit.rule)),
                Effect::Level(_) => add(&mut self.full, spoke(tables, hit.rule)),
                Effect::Note if capped(hit) => {}
                Effect::Note => add(&mut self.full, spoke(tables, hit.rule)),
            }
        }
    }

    fn join(&mut self, other: Self) {
        other.full.into_iter().for_each(|rule| add(&mut self.full, rule));
        other.capped.into_iter().for_each(|rule| add(&mut self.capped, rule));
        self.exit = self.exit.or(other.exit);
        self.injection |= other.injection;
    }

    fn weigh(self, state: &mut SafetyState) -> Assessment {
        let alarmed = state.recent(state.alarm, ALARM_TURNS);
        let mut level = self.full.iter().map(|rule| rule.level).max().unwrap_or(0);
        let mut flags = self.full.iter().fold(0, |flags, rule| flags | rule.flags);
        let mut evidence: Vec<Evidence> = self.full.iter().map(|rule| counted(rule, rule.level)).collect();
        for rule in &self.capped {
            flags |= rule.flags & signal::THIRD_PARTY;
            // "I never wanted to die" counts as 1 only while nothing else speaks of danger.
            let as_level = if alarmed || level >= 2 { rule.level } else { 1 };
            level = level.max(if alarmed { as_level } else { 1 });
            evidence.push(counted(rule, as_level));
        }

        let has = |bits: u16| flags & bits != 0;
        let own = level >= 2;
        let despair = own || has(signal::DESPAIR | signal::INTENT) || state.recent(state.despair, SIGNAL_TURNS);
        let intent =
            level >= 3 || has(signal::INTENT) || state.highest.get() >= 3 || state.recent(state.intent, SIGNAL_TURNS);
        let means = has(signal::MEANS) || state.recent(state.means, SIGNAL_TURNS);
        let now = own || has(signal::DESPAIR | signal::INTENT | signal::MEANS | signal::FAREWELL);
        let last = has(signal::TIME | signal::FAREWELL);
        let combined = if (despair || intent) && means && last {
            4
        } else if (despair || intent) && (means && now || has(signal::FAREWELL) || (intent && has(signal::TIME))) {
            3
        } else {
            0
        };
        if combined > level {
            level = combined;
            evidence.push(Evidence {
                rule_id: Cow::Borrowed("session"),
                level: Level::new(combined),
            });
        }
        let distress = self
            .full
            .iter()
            .filter(|rule| rule.flags & signal::DESPAIR != 0)
            .count();
        let uncertain = level < 2
            && (distress >= 2
                || !self.capped.is_empty()
                || has(signal::MEANS | signal::FAREWELL)
                || (alarmed && level >= 1));

        let turn = Some(state.turns);
        for (kept, spoken) in [
            (&mut state.alarm, level >= 2),
            (&mut state.despair, level >= 2 || has(signal::DESPAIR)),
            (&mut state.intent, level >= 3 || has(signal::INTENT)),
            (&mut state.means, has(signal::MEANS)),
        ] {
            if spoken {
                *kept = turn;
            }
        }
        state.highest = state.highest.max(Level::new(level));
        state.minor |= has(signal::MINOR);
        // From 3 on, a session stays where it was: a person in danger who changes the subject is still in danger.
        if state.highest.get() >= 3 {
            level = level.max(state.highest.get());
        } else if alarmed {
            level = level.max(1);
        }
        Assessment {
            level: Level::new(level),
            tags: TAGS
                .iter()
                .enumerate()
                .filter(|(bit, _)| flags >> bit & 1 == 1)
                .map(|(_, tag)| *tag)
                .collect(),
            evidence,
            safe_exit: self.exit,
            injection_suspected: self.injection,
            uncertain,
            rules_version: Cow::Borrowed(""),
        }
    }
}

fn add(list: &mut Vec<Spoke>, rule: Spoke) {
    if !list.iter().any(|other| other.id == rule.id) {
        list.push(rule);
    }
}

fn spoke(tables: &Tables<'static>, rule: u16) -> Spoke {
    Spoke {
        id: tables.id(rule),
        level: match tables.effect(rule) {
            Effect::Level(level) => level,
            _ => 0,
        },
        flags: tables.flags(rule),
    }
}

fn counted(rule: &Spoke, level: u8) -> Evidence {
    Evidence {
        rule_id: Cow::Borrowed(rule.id),
        level: Level::new(level),
    }
}

#[cfg(test)]
mod tests;
