//! A twin's context: persona, what is remembered, summary and the newest messages, side by side.
//!
//! Invariant: the conversation is `summary(0..k)` and then `verbatim(k..n)`: contiguous, in order, without overlap, and
//! all of it verbatim while it fits.

use super::{Fact, Persona, one_line};
use crate::conversation::{Message, Role};
use crate::memory::{self, Summary, estimate_tokens};
use crate::prompt::{self, PromptError, SessionContext, SystemPrompt};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// Longest summary, in estimated tokens.
pub const SUMMARY_TOKENS: u32 = 500;
/// Longest list of remembered facts, in estimated tokens.
const FACTS_TOKENS: u32 = 400;
/// Characters of a message that its line in the summary keeps.
const LINE_CHARS: usize = 160;
const FRAME: &str = include_str!("frame.md");

/// How a conversation is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is said in short, with how many messages from the first one it covers.
    pub summary: Option<Summary>,
    /// Index of the first message that is said word for word, in the messages that were given.
    pub verbatim_from: usize,
}

/// Lays a conversation out. `prior` covers what came before `messages`, which are all messages since.
///
/// While everything fits into `budget_tokens`, nothing is folded. Else whole exchanges are folded into the summary until
/// three quarters of the budget are used, so that not every turn folds again; the newest exchange always stays. The
/// summary is made of the messages' first words: no model is asked, and the same conversation has the same summary.
#[must_use]
pub fn plan(prior: Option<&Summary>, messages: &[Message], budget_tokens: u32) -> Plan {
    let cost = |messages: &[Message]| {
        messages
            .iter()
            .fold(0_u32, |sum, message| sum.saturating_add(memory::cost(message)))
    };
    if cost(messages) <= budget_tokens {
        return Plan {
            summary: prior.cloned(),
            verbatim_from: 0,
        };
    }
    let target = budget_tokens / 4 * 3;
    // Models want a conversation that the person begins.
    let starts = messages
        .iter()
        .enumerate()
        .filter(|(_, message)| message.role == Role::User);
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let fits = |at: &&usize| messages.get(**at..).is_some_and(|rest| cost(rest) <= target);
    let from = starts.iter().find(fits).or(starts.last()).copied().unwrap_or(0);
    if from == 0 {
        return Plan {
            summary: prior.cloned(),
            verbatim_from: 0,
        };
    }
    let folded = messages.get(..from).unwrap_or(&[]);
    Plan {
        summary: Some(Summary {
            text: extended(prior.map_or("", |prior| &prior.text), folded),
            covers: prior.map_or(0, |prior| prior.covers).saturating_add(from),
        }),
        verbatim_from: from,
    }
}

/// A summary with more messages in it; the oldest lines go where it would grow too long.
fn extended(prior: &str, messages: &[Message]) -> String {
    let lines = messages.iter().map(|message| {
        let who = if message.role == Role::User { "They" } else { "You" };
        format!("- {who}: “{}”", shortened(&message.text))
    });
    let mut lines: Vec<String> = prior.lines().map(String::from).chain(lines).collect();
    let mut tokens: u32 = lines.iter().map(|line| estimate_tokens(line).saturating_add(1)).sum();
    let mut gone = 0;
    for line in &lines {
        if tokens <= SUMMARY_TOKENS {
            break;
        }
        tokens = tokens.saturating_sub(estimate_tokens(line).saturating_add(1));
        gone += 1;
    }
    lines.drain(..gone);
    lines.join("\n")
}

fn shortened(text: &str) -> String {
    let line = one_line(text, LINE_CHARS + 1).replace('”', "\"");
    if line.chars().count() <= LINE_CHARS {
        return line;
    }
    let cut: String = line.chars().take(LINE_CHARS).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{whole_words} …")
}

/// What a part of the prompt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Our rules.
    Frame,
    /// The persona.
    Persona,
    /// What its lorebook adds.
    Lore,
    /// What is remembered of the person.
    Facts,
    /// What was said earlier, in short.
    Summary,
}

/// A built prompt, and where its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// What the model reads before the messages.
    pub prompt: SystemPrompt,
    /// Byte ranges in its text, in order; headings lie between them.
    pub spans: Vec<(SpanKind, Range<usize>)>,
}

/// What is known beside the messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remembered<'a> {
    /// Facts about the person, the newest last.
    pub facts: &'a [Fact],
    /// What was said before the messages.
    pub summary: Option<&'a Summary>,
}

/// Builds a twin's prompt for a conversation. The persona stands in it whole.
///
/// # Errors
/// [`PromptError`] where our own frame is broken.
pub fn build(
    persona: &Persona,
    context: &SessionContext<'_>,
    remembered: &Remembered<'_>,
    messages: &[Message],
) -> Result<Context, PromptError> {
    let mut prompt = prompt::build(FRAME, context)?;
    let user = context.display_name.map(|name| one_line(name, super::NAME_CHARS));
    let user = user.filter(|name| !name.is_empty());
    let user = user.as_deref().unwrap_or(super::SOMEBODY);
    // A twin may say what its persona says; only the frame is ours to keep.
    prompt.confidential_bytes = Some(prompt.text.len());
    let mut spans = Vec::from([(SpanKind::Frame, 0..prompt.text.len())]);
    let mut add = |kind, heading: &str, body: &str| {
        if body.is_empty() {
            return;
        }
        prompt.text.push_str("\n\n## ");
        prompt.text.push_str(heading);
        prompt.text.push('\n');
        let from = prompt.text.len();
        prompt.text.push_str(body);
        spans.push((kind, from..prompt.text.len()));
    };
    add(SpanKind::Persona, "Who you are", &persona.render(user));
    add(SpanKind::Lore, "What you know of this", &persona.lore(user, messages));
    add(
        SpanKind::Facts,
        "What you remember of the person you talk with",
        &listed(remembered.facts),
    );
    if let Some(summary) = remembered.summary {
        let heading = format!(
            "What was said earlier in this conversation ({} messages)",
            summary.covers
        );
        add(SpanKind::Summary, &heading, &summary.text);
    }
    Ok(Context { prompt, spans })
}

/// Facts as lines, the newest ones where not all of them fit.
fn listed(facts: &[Fact]) -> String {
    let mut left = FACTS_TOKENS;
    let mut lines: Vec<String> = Vec::new();
    for fact in facts.iter().rev() {
        let line = format!("- {}: {}", one_line(&fact.kind, 60), one_line(&fact.value, 80));
        let Some(rest) = left.checked_sub(estimate_tokens(&line).saturating_add(1)) else {
            break;
        };
        left = rest;
        lines.push(line);
    }
    lines.reverse();
    lines.join("\n")
}
