use super::*;
use crate::voice::chunker::{Chunker, ChunkerConfig, SpeechChunk};
use alloc::string::String;
use proptest::prelude::*;

fn chunked(answer: &str) -> Vec<SpeechChunk> {
    let mut chunker = Chunker::new(ChunkerConfig::default());
    let mut out = chunker.push(answer);
    out.extend(chunker.finish());
    out
}

/// 60 ms for each character that is spoken.
fn played(chunks: &[SpeechChunk]) -> Vec<Played<'_>> {
    chunks
        .iter()
        .map(|chunk| Played {
            source: &chunk.source,
            spoken: &chunk.spoken,
            duration_ms: 60 * chunk.spoken.chars().count() as u32,
            words: &[],
        })
        .collect()
}

fn prefix(answer: &str, played_ms: u32) -> (&str, bool) {
    let chunks = chunked(answer);
    let heard = heard(&played(&chunks), played_ms);
    (answer.get(..heard.bytes).unwrap(), heard.is_whole)
}

#[test]
fn prefixes() {
    let answer = "That sounds **hard**. What kept you [awake](https://awake.example/x) tonight?";
    for (ms, expected) in [
        (0, ""),
        (150, ""),
        (300, "That"),
        (700, "That sounds"),
        // The full stop's pause is a part of the last word.
        (1_019, "That sounds"),
        (1_020, "That sounds **hard**."),
        (1_400, "That sounds **hard**. What"),
        (
            2_500,
            "That sounds **hard**. What kept you [awake](https://awake.example/x)",
        ),
    ] {
        assert_eq!(prefix(answer, ms).0, expected, "{ms}");
    }
    assert_eq!(prefix(answer, 60_000), (answer, true));
    assert_eq!(prefix("", 100), ("", true));
}

#[test]
fn scripts_without_spaces_end_at_characters() {
    for (answer, ms, expected) in [
        ("今天过得怎么样？", 200, "今天过"),
        ("今天过得怎么样？", 479, "今天过得怎么"),
        ("คืนนี้เธอนอนไม่หลับ", 550, "คืนนี้เธอ"),
        ("오늘 하루는 어땠나요?", 300, "오늘"),
    ] {
        let got = prefix(answer, ms).0;
        assert_eq!(got, expected, "{answer}");
        let next = answer.get(got.len()..).and_then(|rest| rest.chars().next());
        assert!(next.is_none_or(|c| !hangs_on(c)));
    }
}

#[test]
fn the_provider_s_times_are_better_than_a_guess() {
    let word = |text: &str, start_ms, end_ms| Word {
        text: text.into(),
        start_ms,
        end_ms,
        confidence_milli: None,
    };
    let words = [
        word("Well,", 0, 900),
        word("it", 1_000, 1_100),
        word("is", 1_100, 1_200),
        word("late.", 1_200, 1_600),
    ];
    let chunk = Played {
        source: "Well, *it* is late.",
        spoken: "Well, it is late.",
        duration_ms: 1_800,
        words: &words,
    };
    for (ms, bytes) in [(899, 0), (900, "Well,".len()), (1_150, "Well, *it*".len()), (1_700, 19)] {
        assert_eq!(heard(&[chunk], ms), Heard { bytes, is_whole: false }, "{ms}");
    }
}

proptest! {
    #[test]
    fn a_prefix_that_only_grows(answer in "([a-zé]{1,8}[ ,.]{1,2}|\\*\\*[a-z]{2}\\*\\* |[語了。]{1,4}|- |\n){0,40}", step in 20_u32..400) {
        let chunks = chunked(&answer);
        let total: u32 = played(&chunks).iter().map(|chunk| chunk.duration_ms).sum();
        let joined: String = chunks.iter().map(|chunk| chunk.source.as_str()).collect();
        let mut last = 0;
        for ms in (0..total + step).step_by(step as usize) {
            let heard = heard(&played(&chunks), ms);
            prop_assert!(heard.bytes >= last);
            last = heard.bytes;
            let (before, after) = joined.split_at_checked(heard.bytes).unwrap();
            let (c, next) = (before.chars().last(), after.chars().next());
            if let (Some(c), Some(next)) = (c, next) {
                prop_assert!(!(c.is_ascii_alphabetic() && next.is_ascii_alphabetic()), "{before:?} | {after:?}");
            }
            prop_assert_eq!(heard.is_whole, ms >= total);
        }
    }
}
