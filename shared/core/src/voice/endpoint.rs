//! When a person's turn begins and ends, and when they interrupt.
//!
//! Time is counted in frames, so that the same frames give the same events. While the product itself is heard, only a
//! voice that stands out of its echo counts, and only after longer.

use super::vad::{FRAME_MS, VadFrame};

#[cfg(test)]
mod tests;

/// Times and levels of turn taking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EndpointConfig {
    /// Speech of this length begins a turn.
    pub start_ms: u32,
    /// A gap in the beginning that does not undo it: between two syllables.
    pub start_gap_ms: u32,
    /// Silence of this length ends a turn.
    pub end_silence_ms: u32,
    /// The same where the words so far are a whole sentence.
    pub complete_silence_ms: u32,
    /// The same where they clearly are none.
    pub incomplete_silence_ms: u32,
    /// A turn ends here whatever is said.
    pub max_turn_ms: u32,
    /// Speech of this length interrupts.
    pub barge_in_ms: u32,
    /// How far a voice must stand out of the echo to interrupt.
    pub barge_in_margin_db: f32,
    /// How much quieter the product's voice comes back through the microphone, to begin with.
    pub echo_loss_db: f32,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            start_ms: 100,
            start_gap_ms: 100,
            end_silence_ms: 700,
            complete_silence_ms: 450,
            incomplete_silence_ms: 1_400,
            max_turn_ms: 60_000,
            barge_in_ms: 240,
            barge_in_margin_db: 9.0,
            echo_loss_db: 20.0,
        }
    }
}

/// What the words so far say about whether more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// Nothing.
    #[default]
    Unknown,
    /// They end as a sentence does.
    Complete,
    /// They end in the middle: with a comma, a dash or an ellipsis.
    Incomplete,
}

impl Completeness {
    /// Reads it off the punctuation that recognisers set.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text.trim_end().chars().last() {
            Some('.' | '!' | '?' | '。' | '！' | '？' | '؟' | '।') if !text.trim_end().ends_with("...") => {
                Self::Complete
            }
            Some('.' | ',' | '，' | '、' | '،' | ';' | ':' | '-' | '–' | '—' | '…') => Self::Incomplete,
            _ => Self::Unknown,
        }
    }
}

/// What the frames mean. Times are milliseconds since the first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointEvent {
    /// A turn began, at a time that lies in the past: what was said since belongs to it.
    Started {
        /// When the first sound of it was heard.
        from_ms: u32,
        /// Whether the product was speaking.
        is_barge_in: bool,
    },
    /// The turn is over.
    Ended {
        /// When the last sound of it was heard.
        at_ms: u32,
        /// Whether the limit ended it.
        is_limit: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Quiet,
    Maybe { from: u32, voiced: u32, last: u32 },
    Speech { from: u32, last: u32 },
}

/// Follows the turns of one person.
#[derive(Debug, Clone)]
pub struct Endpoint {
    config: EndpointConfig,
    state: State,
    frames: u32,
    completeness: Completeness,
    echo_loss_db: f32,
}

/// Fastest change of the estimate of the echo, each frame: a person's interruption must not pass for echo.
const ECHO_RISE_DB: f32 = 0.05;
/// An echo is never taken to be louder than its source.
const LEAST_ECHO_LOSS_DB: f32 = 0.0;
const MOST_ECHO_LOSS_DB: f32 = 60.0;

impl Endpoint {
    /// Nobody has spoken.
    #[must_use]
    pub fn new(config: EndpointConfig) -> Self {
        Self {
            config,
            state: State::Quiet,
            frames: 0,
            completeness: Completeness::Unknown,
            echo_loss_db: config.echo_loss_db,
        }
    }

    /// Milliseconds of sound so far.
    #[must_use]
    pub fn now_ms(&self) -> u32 {
        self.frames.saturating_mul(FRAME_MS)
    }

    /// Whether a turn is going on.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speech { .. })
    }

    /// Tells what the words so far mean for the end of the turn. It holds until the next word or the end.
    pub fn hint(&mut self, completeness: Completeness) {
        self.completeness = completeness;
    }

    /// Forgets a turn that is going on, for instance when the conversation is stopped.
    pub fn reset(&mut self) {
        self.state = State::Quiet;
        self.completeness = Completeness::Unknown;
    }

    /// Takes the next frame. `playing_dbfs` is the level of what the product is saying at that moment, if it is.
    pub fn push(&mut self, frame: &VadFrame, playing_dbfs: Option<f32>) -> Option<EndpointEvent> {
        let now = self.frames;
        self.frames = self.frames.saturating_add(1);
        let is_voice = frame.is_speech && playing_dbfs.is_none_or(|level| self.stands_out(frame, level));
        let frames_of = |ms: u32| ms.div_ceil(FRAME_MS).max(1);
        match self.state {
            State::Quiet if is_voice => {
                self.state = State::Maybe {
                    from: now,
                    voiced: 1,
                    last: now,
                };
                self.begin(now, playing_dbfs)
            }
            State::Quiet => None,
            State::Maybe { from, voiced, last } => {
                if is_voice {
                    self.state = State::Maybe {
                        from,
                        voiced: voiced + 1,
                        last: now,
                    };
                    return self.begin(now, playing_dbfs);
                }
                if now - last > frames_of(self.config.start_gap_ms) {
                    self.state = State::Quiet;
                }
                None
            }
            State::Speech { from, last } => {
                let last = if is_voice { now } else { last };
                if is_voice {
                    self.completeness = Completeness::Unknown;
                }
                self.state = State::Speech { from, last };
                let silence_ms = match self.completeness {
                    Completeness::Unknown => self.config.end_silence_ms,
                    Completeness::Complete => self.config.complete_silence_ms,
                    Completeness::Incomplete => self.config.incomplete_silence_ms,
                };
                let is_limit = now - from + 1 >= frames_of(self.config.max_turn_ms);
                if now - last < frames_of(silence_ms) && !is_limit {
                    return None;
                }
                self.reset();
                Some(EndpointEvent::Ended {
                    at_ms: last.saturating_add(1).saturating_mul(FRAME_MS),
                    is_limit,
                })
            }
        }
    }

    fn begin(&mut self, now: u32, playing_dbfs: Option<f32>) -> Option<EndpointEvent> {
        let State::Maybe { from, voiced, .. } = self.state else {
            return None;
        };
        let is_barge_in = playing_dbfs.is_some();
        let needed_ms = if is_barge_in {
            self.config.barge_in_ms
        } else {
            self.config.start_ms
        };
        if voiced < needed_ms.div_ceil(FRAME_MS) {
            return None;
        }
        self.state = State::Speech { from, last: now };
        self.completeness = Completeness::Unknown;
        Some(EndpointEvent::Started {
            from_ms: from.saturating_mul(FRAME_MS),
            is_barge_in,
        })
    }

    /// Whether the frame is more than the echo of what is playing; learns how loud that echo is.
    fn stands_out(&mut self, frame: &VadFrame, playing_dbfs: f32) -> bool {
        let loss = playing_dbfs - frame.level_dbfs;
        let echo_dbfs = playing_dbfs - self.echo_loss_db;
        self.echo_loss_db += (loss - self.echo_loss_db).clamp(-ECHO_RISE_DB, ECHO_RISE_DB);
        self.echo_loss_db = self.echo_loss_db.clamp(LEAST_ECHO_LOSS_DB, MOST_ECHO_LOSS_DB);
        frame.level_dbfs >= echo_dbfs.max(frame.noise_dbfs) + self.config.barge_in_margin_db
    }
}
