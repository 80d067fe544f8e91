//! What people think of it: ratings, a coarse mood of words, engagement.
//!
//! None of it is ever used for safety: the gate alone judges that.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest comment, in characters.
pub const COMMENT_CHARS: usize = 2_000;

/// What a person says about an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// 1 (worst) to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
    /// 0 (worst) to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// Thumb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<Thumb>,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A thumb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thumb {
    /// Helpful.
    Up,
    /// Not helpful.
    Down,
}

/// The feedback says nothing, or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidFeedback {
    /// Exactly one of rating, score and thumb is needed.
    #[error("give one of rating, score and thumb")]
    OneOf,
    /// Outside 1-5.
    #[error("rating must be 1 to 5")]
    Rating,
    /// Outside 0-10.
    #[error("score must be 0 to 10")]
    Score,
    /// Over [`COMMENT_CHARS`].
    #[error("comment is too long")]
    Comment,
}

impl Feedback {
    /// Satisfaction in thousandths: 0 worst, 1000 best.
    ///
    /// # Errors
    /// [`InvalidFeedback`].
    pub fn satisfaction_milli(&self) -> Result<u16, InvalidFeedback> {
        if self
            .comment
            .as_ref()
            .is_some_and(|comment| comment.chars().count() > COMMENT_CHARS)
        {
            return Err(InvalidFeedback::Comment);
        }
        match (self.rating, self.score, self.thumb) {
            (Some(rating @ 1..=5), None, None) => Ok(u16::from(rating - 1) * 250),
            (Some(_), None, None) => Err(InvalidFeedback::Rating),
            (None, Some(score @ 0..=10), None) => Ok(u16::from(score) * 100),
            (None, Some(_), None) => Err(InvalidFeedback::Score),
            (None, None, Some(Thumb::Up)) => Ok(1_000),
            (None, None, Some(Thumb::Down)) => Ok(0),
            _ => Err(InvalidFeedback::OneOf),
        }
    }
}

const GLAD: &[&str] = &[
    "good", "better", "great", "glad", "happy", "calm", "calmer", "relieved", "hopeful", "thanks", "thank", "helpful",
    "helped", "grateful", "lovely", "proud", "safe",
];
const SAD: &[&str] = &[
    "bad",
    "worse",
    "sad",
    "angry",
    "anxious",
    "afraid",
    "tired",
    "alone",
    "lonely",
    "useless",
    "terrible",
    "awful",
    "hurt",
    "stressed",
    "overwhelmed",
    "empty",
    "worried",
];
const NOT: &[&str] = &[
    "not", "no", "never", "isn't", "wasn't", "don't", "didn't", "can't", "hardly",
];
const VERY: &[&str] = &["very", "really", "so", "extremely", "much"];

/// A coarse mood of English words, -1000 to 1000: a trend over many turns, no judgement of one.
///
/// A negation turns the next three words around; an intensifier counts the next one double (after VADER, Hutto and
/// Gilbert 2014, much reduced).
#[must_use]
pub fn sentiment_milli(text: &str) -> i32 {
    let (mut score, mut hits) = (0_i32, 0_i32);
    let (mut negated, mut strong) = (0_u8, false);
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’')) {
        let word = word.to_lowercase().replace('’', "'");
        let word = word.as_str();
        if word.is_empty() {
            continue;
        }
        let value = i32::from(GLAD.contains(&word)) - i32::from(SAD.contains(&word));
        if value != 0 {
            score += value * if negated > 0 { -1 } else { 1 } * if strong { 2 } else { 1 };
            hits += if strong { 2 } else { 1 };
        }
        negated = if NOT.contains(&word) {
            3
        } else {
            negated.saturating_sub(1)
        };
        strong = VERY.contains(&word);
    }
    if hits == 0 { 0 } else { score * 1_000 / hits }
}

/// One turn, as engagement sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnShape {
    /// When the person wrote, milliseconds since 1970.
    pub at_ms: u64,
    /// How much they wrote, in characters.
    pub user_chars: u32,
}

/// How a person takes part in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Engagement {
    /// Turns.
    pub turns: u32,
    /// From first to last turn, milliseconds.
    pub span_ms: u64,
    /// Median length of what the person wrote, in characters.
    pub median_user_chars: u32,
    /// Longest pause between two turns, milliseconds.
    pub longest_gap_ms: u64,
}

/// Engagement of a session's turns, in order of time.
#[must_use]
pub fn engagement(turns: &[TurnShape]) -> Engagement {
    let mut lengths: Vec<u32> = turns.iter().map(|turn| turn.user_chars).collect();
    lengths.sort_unstable();
    let span_ms = match (turns.first(), turns.last()) {
        (Some(first), Some(last)) => last.at_ms.saturating_sub(first.at_ms),
        _ => 0,
    };
    let gaps = turns
        .iter()
        .zip(turns.iter().skip(1))
        .map(|(a, b)| b.at_ms.saturating_sub(a.at_ms));
    Engagement {
        turns: u32::try_from(turns.len()).unwrap_or(u32::MAX),
        span_ms,
        median_user_chars: lengths.get(lengths.len() / 2).copied().unwrap_or(0),
        longest_gap_ms: gaps.max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satisfaction() {
        let check = |json: &str, expected: Result<u16, InvalidFeedback>| {
            let feedback: Feedback = serde_json::from_str(json).unwrap();
            assert_eq!(feedback.satisfaction_milli(), expected, "{json}");
        };
        check(r#"{"rating":1}"#, Ok(0));
        check(r#"{"rating":5,"comment":"thanks"}"#, Ok(1_000));
        check(r#"{"thumb":"down"}"#, Ok(0));
        check(r#"{"score":0}"#, Ok(0));
        check(r#"{"score":7}"#, Ok(700));
        check(r#"{"score":11}"#, Err(InvalidFeedback::Score));
        check(r#"{"score":1,"rating":1}"#, Err(InvalidFeedback::OneOf));
        check(r#"{"rating":0}"#, Err(InvalidFeedback::Rating));
        check(r#"{}"#, Err(InvalidFeedback::OneOf));
        check(r#"{"rating":3,"thumb":"up"}"#, Err(InvalidFeedback::OneOf));
        assert!(serde_json::from_str::<Feedback>(r#"{"stars":3}"#).is_err());
    }

    #[test]
    fn sentiment() {
        for (text, expected) in [
            ("", 0),
            ("I feel calmer now, thanks", 1_000),
            ("I am not happy", -1_000),
            ("so tired and so alone", -1_000),
            ("not bad at all", 1_000),
            ("really good but worried", 333),
        ] {
            assert_eq!(sentiment_milli(text), expected, "{text}");
        }
    }

    #[test]
    fn engagement_of_a_session() {
        let shape = |at_ms, user_chars| TurnShape { at_ms, user_chars };
        assert_eq!(
            engagement(&[shape(0, 10), shape(500, 90), shape(3_000, 30)]),
            Engagement {
                turns: 3,
                span_ms: 3_000,
                median_user_chars: 30,
                longest_gap_ms: 2_500
            }
        );
        assert_eq!(engagement(&[]).turns, 0);
    }
}
