use super::*;

use alloc::vec;
use proptest::prelude::*;

fn chunks(config: ChunkerConfig, pieces: &[&str]) -> Vec<SpeechChunk> {
    let mut chunker = Chunker::new(config);
    let mut out: Vec<SpeechChunk> = pieces.iter().flat_map(|piece| chunker.push(piece)).collect();
    out.extend(chunker.finish());
    out
}

fn spoken(text: &str) -> Vec<String> {
    let out = chunks(ChunkerConfig::default(), &[text]);
    out.into_iter().map(|chunk| chunk.spoken).collect()
}

#[test]
fn what_is_said_at_once() {
    for (text, expected) in [
        (
            "That sounds hard. What kept you awake?",
            &["That sounds hard.", "What kept you awake?"][..],
        ),
        ("Yes. It is late.", &["Yes. It is late."]),
        ("Oh! I see. Tell me more.", &["Oh! I see.", "Tell me more."]),
        (
            "Dr. Ada said 3.14 is fine. E.g. this.",
            &["Dr. Ada said 3.14 is fine.", "E.g. this."],
        ),
        (
            "It cost 1,000.50 euros, i.e. much.",
            &["It cost 1,000.50 euros, i.e. much."],
        ),
        (
            "When the day has been as long as yours was, it helps to rest, and to breathe. Then sleep, slowly, comes.",
            &[
                "When the day has been as long as yours was,",
                "it helps to rest, and to breathe.",
                "Then sleep, slowly, comes.",
            ],
        ),
        (
            "你好。今天过得怎么样呢？我在这里听你说。",
            &["你好。今天过得怎么样呢？", "我在这里听你说。"],
        ),
        ("هل أنت بخير؟ أنا هنا.", &["هل أنت بخير؟", "أنا هنا."]),
        (
            "# Sleep\n- **Dark** room\n- no screens\n\nTry it tonight.",
            &["Sleep. Dark room.", "no screens.", "Try it tonight."],
        ),
        (
            "Look:\n```\nlet x = 1. y\n```\nThat was code.",
            &["Look: That was code."],
        ),
        ("...", &[]),
        ("🌙✨", &[]),
        ("", &[]),
        ("no end at all", &["no end at all"]),
    ] {
        assert_eq!(spoken(text), expected, "{text}");
    }
}

#[test]
fn the_first_words_do_not_wait_for_the_last() {
    let mut chunker = Chunker::new(ChunkerConfig::default());
    assert_eq!(chunker.push("That sounds hard."), []);
    let first = chunker.push(" ");
    assert_eq!((first[0].index, first[0].spoken.as_str()), (0, "That sounds hard."));
    assert_eq!(chunker.push("What kept"), []);
    let rest = chunker.finish();
    assert_eq!(
        (rest[0].index, rest[0].source.as_str(), rest[0].spoken.as_str()),
        (1, " What kept", "What kept")
    );
}

#[test]
fn the_provider_s_limit_holds() {
    let config = ChunkerConfig {
        max_chars: 60,
        ..ChunkerConfig::default()
    };
    let long = "word ".repeat(50);
    let out = chunks(config, &[&long]);
    assert!(out.len() >= 5 && out.iter().all(|chunk| chunk.spoken.chars().count() <= 60));
    assert!(
        out.iter()
            .all(|chunk| chunk.spoken.split(' ').all(|word| word == "word")),
        "{out:?}"
    );
    let unbroken = chunks(config, &[&"語".repeat(200)]);
    assert_eq!(
        unbroken.iter().map(|chunk| chunk.spoken.chars().count()).sum::<usize>(),
        200
    );
    assert!(unbroken.iter().all(|chunk| chunk.spoken.chars().count() <= 60));
}

proptest! {
    #[test]
    fn splits_do_not_matter_and_nothing_is_lost(
        text in "([a-zé。.!?, \n\"*]|Dr\\. |```\n|- |3\\.1){0,400}",
        cuts in proptest::collection::vec(0_usize..800, 0..30),
        max_chars in 20_usize..200,
    ) {
        let config = ChunkerConfig { max_chars, ..ChunkerConfig::default() };
        let whole = chunks(config, &[&text]);
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= text.len() && text.is_char_boundary(*at)).collect();
        cuts.extend(vec![0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.windows(2).map(|pair| text.get(pair[0]..pair[1]).unwrap()).collect();
        prop_assert_eq!(&chunks(config, &pieces), &whole);

        let joined: String = whole.iter().map(|chunk| chunk.source.as_str()).collect();
        prop_assert!(text.starts_with(&joined));
        for (n, chunk) in whole.iter().enumerate() {
            prop_assert_eq!(chunk.index as usize, n);
            prop_assert!(chunk.spoken.chars().count() <= max_chars, "{:?}", chunk);
            prop_assert!(chunk.spoken.chars().any(char::is_alphanumeric));
        }
        // Only the last may be short, and one that does not fit together with the next.
        for pair in whole.windows(2) {
            let (chars, next) = (pair[0].spoken.chars().count(), pair[1].spoken.chars().count());
            prop_assert!(chars >= 10 || chars + next + 1 > max_chars, "{:?}", pair);
        }
    }
}
