//! The person's words: utterances that are being written down.

use super::{Effect, LiveConfig};
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Debug)]
struct Utterance {
    number: u32,
    finals: Vec<String>,
    partial: String,
    /// Whether sound still goes in.
    is_open: bool,
    /// Whether all of it is written down.
    is_done: bool,
    /// When to stop waiting.
    finish_by: Option<u64>,
}

/// What was said since the last turn. Someone who goes on while their words are being written down says one thing in two
/// utterances.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    utterances: Vec<Utterance>,
    next: u32,
}

impl Hearing {
    pub(super) fn is_empty(&self) -> bool {
        self.utterances.is_empty()
    }

    pub(super) fn start(&mut self, from_ms: u32, effects: &mut Vec<Effect>) {
        let number = self.next;
        self.next += 1;
        self.utterances.push(Utterance {
            number,
            finals: Vec::new(),
            partial: String::new(),
            is_open: true,
            is_done: false,
            finish_by: None,
        });
        effects.push(Effect::StartTranscription {
            utterance: number,
            from_ms,
        });
    }

    pub(super) fn feed(&self, effects: &mut Vec<Effect>) {
        let open = self.utterances.iter().filter(|utterance| utterance.is_open);
        effects.extend(open.map(|utterance| Effect::Transcribe {
            utterance: utterance.number,
        }));
    }

    pub(super) fn finish(&mut self, now_ms: u64, config: &LiveConfig, effects: &mut Vec<Effect>) {
        for utterance in self.utterances.iter_mut().filter(|utterance| utterance.is_open) {
            utterance.is_open = false;
            let wait_ms = if utterance.text().is_empty() {
                config.recording_timeout_ms
            } else {
                config.transcript_timeout_ms
            };
            utterance.finish_by = Some(now_ms + wait_ms);
            effects.push(Effect::FinishTranscription {
                utterance: utterance.number,
            });
        }
    }

    pub(super) fn drop_all(&mut self, effects: &mut Vec<Effect>) {
        for utterance in core::mem::take(&mut self.utterances) {
            if !utterance.is_done {
                effects.push(Effect::DropTranscription {
                    utterance: utterance.number,
                });
            }
        }
    }

    /// Takes words; gives the text of the utterance so far, if it is awaited.
    pub(super) fn words(&mut self, number: u32, text: &str, is_final: bool) -> Option<String> {
        let utterance = self.awaited(number)?;
        utterance.partial.clear();
        if is_final {
            utterance.finals.push(text.into());
        } else {
            utterance.partial.push_str(text);
        }
        Some(utterance.text())
    }

    /// Whether the utterance was awaited.
    pub(super) fn end(&mut self, number: u32) -> bool {
        let Some(utterance) = self.awaited(number) else {
            return false;
        };
        utterance.is_open = false;
        utterance.is_done = true;
        true
    }

    pub(super) fn expire(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        for utterance in &mut self.utterances {
            if !utterance.is_done && utterance.finish_by.is_some_and(|by| by <= now_ms) {
                utterance.is_done = true;
                effects.push(Effect::Report("speech-timeout"));
                effects.push(Effect::DropTranscription {
                    utterance: utterance.number,
                });
            }
        }
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let waiting = self.utterances.iter().filter(|utterance| !utterance.is_done);
        waiting.filter_map(|utterance| utterance.finish_by).min()
    }

    /// All that was said, once it is all written down.
    pub(super) fn take_text(&mut self) -> Option<String> {
        if self.utterances.is_empty() || self.utterances.iter().any(|utterance| !utterance.is_done) {
            return None;
        }
        let mut out = String::new();
        for utterance in core::mem::take(&mut self.utterances) {
            join(&mut out, &utterance.text());
        }
        Some(out)
    }

    fn awaited(&mut self, number: u32) -> Option<&mut Utterance> {
        self.utterances
            .iter_mut()
            .find(|utterance| utterance.number == number && !utterance.is_done)
    }
}

impl Utterance {
    fn text(&self) -> String {
        let mut out = String::new();
        for part in self.finals.iter().chain(core::iter::once(&self.partial)) {
            join(&mut out, part);
        }
        out
    }
}

/// Adds text with a space, except between characters that are written without.
pub(super) fn join(out: &mut String, more: &str) {
    let more = more.trim();
    let is_unspaced = |c: Option<char>| {
        c.is_some_and(|c| crate::safety::script::is_char_script(c) || matches!(c, '。' | '！' | '？'))
    };
    let is_korean = |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{ac00}'..='\u{d7a3}'));
    let (before, after) = (out.chars().last(), more.chars().next());
    if before.is_some() && after.is_some() && (!is_unspaced(before) || !is_unspaced(after) || is_korean(after)) {
        out.push(' ');
    }
    out.push_str(more);
}
