//! What a model may say: each sentence is checked before the person sees it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

/// Words in a row that give the system prompt away.
const SHINGLE_WORDS: usize = 8;

/// Claims of being a person or a clinician, and unsafe talk of suicide (reportingonsuicide.org, "safe messaging").
const CLAIMS: &[&str] = &[
    "i am a human",
    "im a human",
    "i am a real person",
    "im a real person",
    "i am a therapist",
    "im a therapist",
    "as your therapist",
    "i am a doctor",
    "as your doctor",
    "i have called for help",
    "i will send help",
    "i am not an ai",
    "im not an ai",
];
const MESSAGING: &[&str] = &[
    "committed suicide",
    "commit suicide",
    "successful suicide",
    "failed suicide",
    "suicide attempt failed",
    "painless way to die",
    "easy way to die",
];
const METHODS: &[&str] = &[
    "lethal dose",
    "fatal dose",
    "how to tie a noose",
    "tie a noose",
    "slit your wrists",
    "cut your wrists",
    "jump off a bridge",
    "jump from a bridge",
    "overdose on",
];

/// Why a sentence was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Claims to be a person or a clinician.
    FalseClaim,
    /// Speaks of suicide in a harmful way.
    UnsafeMessaging,
    /// Names a method.
    Method,
    /// Repeats the system prompt.
    PromptLeak,
}

impl Reason {
    /// A stable slug for events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FalseClaim => "false-claim",
            Self::UnsafeMessaging => "unsafe-messaging",
            Self::Method => "method",
            Self::PromptLeak => "prompt-leak",
        }
    }
}

/// The judgement of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be shown, markup made harmless.
    Pass(String),
    /// This is shown instead.
    Replace {
        /// The text in its place.
        text: &'static str,
        /// Why.
        reason: Reason,
    },
}

/// The checks of one turn.
#[derive(Debug)]
pub struct Guard {
    shingles: BTreeSet<Vec<String>>,
}

impl Guard {
    /// Guards answers under a system prompt.
    #[must_use]
    pub fn new(system_prompt: &str) -> Self {
        Self {
            shingles: shingles(&words(system_prompt)).collect(),
        }
    }

    /// Judges one sentence. An unremarkable one passes byte for byte.
    #[must_use]
    pub fn check(&self, sentence: &str) -> Verdict {
        let words = words(sentence);
        let text = words.join(" ");
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let replace = |text, reason| Verdict::Replace { text, reason };
        if has(METHODS) {
            return replace("I won't go into that. Your safety matters more here. ", Reason::Method);
        }
        if has(MESSAGING) {
            return replace(
                "I'd rather say this with care: a person can be helped through such a time. ",
                Reason::UnsafeMessaging,
            );
        }
        if has(CLAIMS) {
            return replace(
                "To be clear: I am an AI, not a person and not a therapist. ",
                Reason::FalseClaim,
            );
        }
        if shingles(&words).any(|shingle| self.shingles.contains(&shingle)) {
            return replace("I'd rather stay with what you were telling me. ", Reason::PromptLeak);
        }
        Verdict::Pass(harmless(sentence))
    }
}

fn words(text: &str) -> Vec<String> {
    text.replace(['\'', '’'], "")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn shingles(words: &[String]) -> impl Iterator<Item = Vec<String>> {
    words.windows(SHINGLE_WORDS).map(<[String]>::to_vec)
}

/// Takes raw HTML, images and links to anything but the web, mail and telephone out of Markdown.
fn harmless(sentence: &str) -> String {
    if !sentence.contains(['<', '!', '(']) {
        return sentence.into();
    }
    let mut out = sentence.replace("![", "[");
    if out.contains('<') {
        out = out.replace('<', "&lt;");
    }
    for scheme in ["javascript:", "data:", "vbscript:"] {
        while let Some(at) = out.to_ascii_lowercase().find(scheme) {
            out.replace_range(at..at + scheme.len(), "");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(sentence: &str, expected: Option<Reason>) {
        let guard = Guard::new(
            "You are Silent Infinity, a reflective companion. You are an AI and you say so plainly whenever you are asked.",
        );
        match (guard.check(sentence), expected) {
            (Verdict::Replace { reason, .. }, Some(wanted)) => assert_eq!(reason, wanted, "{sentence}"),
            (Verdict::Pass(_), None) => {}
            (verdict, wanted) => panic!("{sentence}: {verdict:?}, wanted {wanted:?}"),
        }
    }

    #[test]
    fn what_is_replaced_and_what_is_not() {
        check("That sounds heavy. ", None);
        check("I'm a therapist, trust me.", Some(Reason::FalseClaim));
        check("I am not a therapist.", None);
        check("He committed suicide because of that.", Some(Reason::UnsafeMessaging));
        check("The lethal dose is small.", Some(Reason::Method));
        check(
            "My rules: you are an AI and you say so plainly whenever you are asked.",
            Some(Reason::PromptLeak),
        );
    }

    #[test]
    fn markup_is_made_harmless() {
        let guard = Guard::new("");
        for (from, to) in [
            ("<script>x</script>", "&lt;script>x&lt;/script>"),
            ("![a](https://x.y/z.png)", "[a](https://x.y/z.png)"),
            ("[a](JavaScript:alert)", "[a](alert)"),
            ("(plain) **text**! ", "(plain) **text**! "),
        ] {
            assert_eq!(guard.check(from), Verdict::Pass(to.into()), "{from}");
        }
    }

    proptest! {
        #[test]
        fn plain_words_pass_byte_for_byte(text in "[a-z ,.?\\n]{0,120}") {
            if let Verdict::Pass(shown) = Guard::new("").check(&text) {
                prop_assert_eq!(shown, text);
            }
        }
    }
}
