//! What a model may say: each sentence is checked before the person sees it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What is said in place of a sentence, and why it was taken out.
struct Lint {
    reason: Reason,
    instead: &'static str,
    phrases: &'static [&'static str],
}

/// Words in a row that give the system prompt away.
const SHINGLE_WORDS: usize = 8;

/// What no sentence may say, in the order in which it is looked for. Words are matched whole, in lower case, without
/// apostrophes. Sources: reportingonsuicide.org and samaritans.org, media guidelines ("safe messaging"); California SB 243
/// and Illinois HB 1806 (no claim to be a person or a clinician).
const LINTS: &[Lint] = &[
    Lint {
        reason: Reason::Encouragement,
        instead: "I'd never want harm to come to you. Your life matters. ",
        phrases: &[
            "you should kill yourself",
            "kill yourself",
            "you should die",
            "go and die",
            "you should end your life",
            "end your life then",
            "you would be better off dead",
            "youd be better off dead",
            "they would be better off without you",
            "theyd be better off without you",
            "the world would be better without you",
            "you should hurt yourself",
            "you should cut yourself",
            "go ahead and do it",
            "its okay to end your life",
            "suicide is the answer",
            "suicide is a solution",
            "suicide is an option for you",
            "dont tell anyone about your plan",
            "nobody would miss you",
            "no one would miss you",
            "you deserve to die",
            "you deserve to suffer",
        ],
    },
    Lint {
        reason: Reason::Method,
        instead: "I won't go into that. Your safety matters more here. ",
        phrases: &[
            "lethal dose",
            "fatal dose",
            "deadly dose",
            "lethal amount",
            "fatal amount",
            "how to tie a noose",
            "tie a noose",
            "slit your wrists",
            "cut your wrists",
            "cut vertically",
            "jump off a bridge",
            "jump from a bridge",
            "jump off the bridge",
            "overdose on",
            "to overdose you",
            "enough pills to",
            "pills would be fatal",
            "pills would kill",
            "milligrams would kill",
            "mg would kill",
            "mg is fatal",
            "carbon monoxide in",
            "run the engine in",
            "exit bag",
            "helium hood",
            "hang yourself",
            "hanging yourself",
            "shoot yourself",
            "drown yourself",
            "suffocate yourself",
            "painless way to die",
            "easy way to die",
            "quick way to die",
            "most effective method",
            "most lethal method",
            "least painful method",
            "purge after",
            "make yourself vomit",
            "make yourself throw up",
            "hide your cuts",
            "hide your scars from",
            "hide it from your parents",
        ],
    },
    Lint {
        reason: Reason::UnsafeMessaging,
        instead: "I'd rather say this with care: a person can be helped through such a time. ",
        phrases: &[
            "committed suicide",
            "commit suicide",
            "commits suicide",
            "committing suicide",
            "successful suicide",
            "failed suicide",
            "unsuccessful suicide",
            "suicide attempt failed",
            "failed attempt at suicide",
            "completed suicide",
            "suicide epidemic",
            "finally at peace after",
            "found peace in death",
            "death set him free",
            "death set her free",
            "death will set you free",
            "a beautiful death",
            "escape from pain through death",
            "killed himself because",
            "killed herself because",
            "killed themselves because",
            "drove him to suicide",
            "drove her to suicide",
            "no other way out than death",
            "suicide was the only",
        ],
    },
    Lint {
        reason: Reason::FalseClaim,
        instead: "To be clear: I am an AI, not a person and not a therapist. ",
        phrases: &[
            "i am a human",
            "im a human",
            "i am human",
            "im human",
            "i am a real person",
            "im a real person",
            "i am a person",
            "im a person just like",
            "i am a therapist",
            "im a therapist",
            "i am your therapist",
            "im your therapist",
            "as your therapist",
            "as a therapist i",
            "as a licensed",
            "i am a licensed",
            "im a licensed",
            "i am a doctor",
            "im a doctor",
            "as your doctor",
            "i am a psychologist",
            "im a psychologist",
            "i am a psychiatrist",
            "im a psychiatrist",
            "i am a counselor",
            "im a counselor",
            "i have called for help",
            "ive called for help",
            "i will send help",
            "im sending help",
            "i have alerted",
            "ive alerted",
            "i have notified",
            "ive notified",
            "i am monitoring you",
            "im monitoring you",
            "someone is monitoring this",
            "help is on the way",
            "i am not an ai",
            "im not an ai",
            "im not a bot",
            "i am not a bot",
            "im not a machine",
            "as a human",
            "as a fellow human",
            "i was a patient",
            "when i was a child",
        ],
    },
    Lint {
        reason: Reason::Topic,
        instead: "That is for somebody who knows you and your health. I can listen, and help you think of what to ask them. ",
        phrases: &[
            "you have depression",
            "you have bipolar",
            "you have borderline",
            "you have ptsd",
            "you have adhd",
            "you have schizophrenia",
            "you are bipolar",
            "you are schizophrenic",
            "you are clinically depressed",
            "i diagnose",
            "my diagnosis is",
            "you suffer from depression",
            "your diagnosis is",
            "stop taking your medication",
            "stop taking your meds",
            "stop taking your antidepressants",
            "double your dose",
            "increase your dose",
            "lower your dose",
            "skip your medication",
            "you should take xanax",
            "you dont need your medication",
            "you dont need medication",
            "you dont need therapy",
            "you dont need a therapist",
            "dont see a doctor",
            "dont call a doctor",
            "dont go to the hospital",
        ],
    },
];

/// Why a sentence was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Claims to be a person or a clinician.
    FalseClaim,
    /// Speaks of suicide in a harmful way.
    UnsafeMessaging,
    /// Names a method, or how lethal one is.
    Method,
    /// Speaks for harm.
    Encouragement,
    /// Diagnoses, or meddles with treatment.
    Topic,
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
            Self::Encouragement => "encouragement",
            Self::Topic => "topic",
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
        // Spaces at both ends, so that a phrase is found as whole words.
        let text = format!(" {} ", words.join(" "));
        let replace = |text, reason| Verdict::Replace { text, reason };
        for lint in LINTS {
            if lint.phrases.iter().any(|phrase| contains_words(&text, phrase)) {
                return replace(lint.instead, lint.reason);
            }
        }
        if shingles(&words).any(|shingle| self.shingles.contains(&shingle)) {
            return replace("I'd rather stay with what you were telling me. ", Reason::PromptLeak);
        }
        Verdict::Pass(harmless(sentence))
    }
}

/// Whether a phrase stands in a text as whole words; the text has a space at both ends.
fn contains_words(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text.get(..at).is_some_and(|head| head.ends_with(' '));
        let after = text.get(at + phrase.len()..).is_some_and(|rest| rest.starts_with(' '));
        before && after
    })
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
        check("I am not a human, I am an AI.", None);
        check("I'm a personal fan of tea.", None);
        check(
            "Honestly, they'd be better off without you.",
            Some(Reason::Encouragement),
        );
        check("You should kill yourself.", Some(Reason::Encouragement));
        check("200 mg would kill an adult.", Some(Reason::Method));
        check("Death will set you free.", Some(Reason::UnsafeMessaging));
        check("I've alerted the authorities.", Some(Reason::FalseClaim));
        check("It sounds like you have depression.", Some(Reason::Topic));
        check("Stop taking your medication today.", Some(Reason::Topic));
        check("Have you talked with your doctor about your medication?", None);
        check("If you are in danger, call your emergency number.", None);
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
