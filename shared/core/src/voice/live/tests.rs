use super::*;
use crate::voice::port::SpeechError;
use alloc::collections::BTreeMap;
use alloc::vec;
use proptest::prelude::*;

fn frame(is_speech: bool, playing_dbfs: Option<f32>) -> Event {
    Event::Frame {
        vad: VadFrame {
            is_speech,
            level_dbfs: if is_speech { -20.0 } else { -60.0 },
            noise_dbfs: -60.0,
        },
        playing_dbfs,
    }
}

/// A conversation with its clock.
struct Talk {
    live: Live,
    now_ms: u64,
}

impl Talk {
    fn new() -> Self {
        Self {
            live: Live::new(LiveConfig::default(), 0),
            now_ms: 0,
        }
    }

    fn on(&mut self, event: Event) -> Vec<Effect> {
        self.live.handle(event, self.now_ms)
    }

    /// Frames of 20 ms; the effects of feeding sound are left out.
    fn frames(&mut self, is_speech: bool, count: u32, playing_dbfs: Option<f32>) -> Vec<Effect> {
        let mut out = Vec::new();
        for _ in 0..count {
            self.now_ms += 20;
            out.extend(self.on(frame(is_speech, playing_dbfs)));
        }
        out.retain(|effect| !matches!(effect, Effect::Transcribe { .. }));
        out
    }

    /// The person says something that becomes a turn.
    fn say(&mut self, utterance: u32, text: &str) -> Vec<Effect> {
        self.frames(true, 20, None);
        self.frames(false, 40, None);
        let mut out = self.on(Event::Final {
            utterance,
            text: text.into(),
        });
        out.extend(self.on(Event::Transcribed { utterance }));
        out
    }

    fn text(&mut self, turn: u32, text: &str) -> Vec<Effect> {
        self.on(Event::Text {
            turn,
            text: text.into(),
        })
    }

    fn audio(&mut self, turn: u32, chunk: u32, bytes: &[u8], duration_ms: u32) -> Vec<Effect> {
        self.on(Event::Audio {
            turn,
            chunk,
            bytes: bytes.into(),
            duration_ms,
        })
    }

    fn synthesised(&mut self, turn: u32, chunk: u32) -> Vec<Effect> {
        let words = Vec::new();
        self.on(Event::Synthesised { turn, chunk, words })
    }

    fn after(&mut self, ms: u64) -> Vec<Effect> {
        self.now_ms += ms;
        self.on(Event::Tick)
    }
}

fn run(turn: u32, text: &str) -> Effect {
    Effect::RunTurn {
        turn,
        text: text.into(),
    }
}

fn synthesise(turn: u32, chunk: u32, text: &str) -> Effect {
    let text = text.into();
    Effect::Synthesise { turn, chunk, text }
}

fn send(turn: u32, block: u32, bytes: &[u8]) -> Effect {
    let bytes = bytes.into();
    Effect::SendAudio { turn, block, bytes }
}

fn end(turn: u32, outcome: Outcome) -> Effect {
    Effect::EndTurn { turn, outcome }
}

#[test]
fn a_turn_from_the_first_sound_to_the_last() {
    let mut talk = Talk::new();
    talk.frames(false, 50, None);
    assert_eq!(
        talk.frames(true, 20, None),
        [
            Effect::StartTranscription {
                utterance: 0,
                from_ms: 1_000
            },
            Effect::StateChanged(State::Listening)
        ]
    );
    assert_eq!(
        talk.frames(false, 40, None),
        [Effect::FinishTranscription { utterance: 0 }]
    );
    let said = |text: &str| Event::Final {
        utterance: 0,
        text: text.into(),
    };
    assert_eq!(talk.on(said("I slept")), []);
    assert_eq!(talk.on(said("badly.")), []);
    assert_eq!(
        talk.on(Event::Transcribed { utterance: 0 }),
        [run(0, "I slept badly."), Effect::StateChanged(State::Thinking)]
    );
    assert_eq!(
        talk.text(0, "That sounds hard. "),
        [synthesise(0, 0, "That sounds hard.")]
    );
    assert_eq!(
        talk.text(0, "What kept you awake? Was it"),
        [synthesise(0, 1, "What kept you awake?")]
    );
    // The second chunk is ready first: it waits.
    assert_eq!(talk.audio(0, 1, b"c", 100), []);
    assert_eq!(talk.synthesised(0, 1), []);
    assert_eq!(
        talk.audio(0, 0, b"a", 100),
        [send(0, 0, b"a"), Effect::StateChanged(State::Speaking)]
    );
    assert_eq!(talk.audio(0, 0, b"b", 100), [send(0, 1, b"b")]);
    assert_eq!(talk.synthesised(0, 0), [send(0, 2, b"c")]);
    let ended = Event::AnswerEnded { turn: 0, is_ok: true };
    assert_eq!(talk.on(ended), [synthesise(0, 2, "Was it")]);
    assert_eq!(talk.audio(0, 2, b"d", 100), [send(0, 3, b"d")]);
    assert_eq!(talk.synthesised(0, 2), [Effect::EndAudio { turn: 0 }]);
    let played = |played_ms| Event::Played { turn: 0, played_ms };
    assert_eq!(talk.on(played(399)), []);
    assert_eq!(
        talk.on(played(400)),
        [end(0, Outcome::Finished), Effect::StateChanged(State::Idle)]
    );
    assert_eq!(
        talk.on(Event::HangUp),
        [Effect::Close(CloseReason::HungUp), Effect::StateChanged(State::Closed)]
    );
    assert_eq!(talk.on(said("late")), []);
}

/// An answer of two chunks of a second each, of which the first is sent.
fn speaking() -> Talk {
    let mut talk = Talk::new();
    talk.say(0, "Hello.");
    talk.text(0, "That sounds **hard**. What kept you awake? ");
    for n in 0..10_u8 {
        talk.audio(0, 0, &[n], 100);
    }
    talk.synthesised(0, 0);
    talk
}

#[test]
fn an_interruption_keeps_what_was_heard() {
    let mut talk = speaking();
    talk.on(Event::Played {
        turn: 0,
        played_ms: 550,
    });
    // The echo of the answer does not interrupt it, nor does a short sound.
    assert_eq!(talk.frames(true, 11, Some(-10.0)), []);
    assert_eq!(talk.frames(false, 10, Some(-10.0)), []);
    let stopped = talk.frames(true, 12, Some(-25.0));
    assert_eq!(
        stopped,
        [
            Effect::StopTurn { turn: 0 },
            Effect::DropSynthesis { turn: 0, chunk: 1 },
            Effect::FlushPlayback { turn: 0 },
            Effect::StartTranscription {
                utterance: 1,
                from_ms: 1_620
            },
            Effect::StateChanged(State::Listening)
        ]
    );
    // Late audio of the old turn goes nowhere.
    assert_eq!(talk.audio(0, 1, b"x", 100), []);
    assert_eq!(talk.text(0, "More text. And more. "), []);
    talk.frames(false, 40, None);
    assert_eq!(
        talk.on(Event::Final {
            utterance: 1,
            text: "No, wait.".into()
        }),
        []
    );
    assert_eq!(
        talk.on(Event::Transcribed { utterance: 1 }),
        [Effect::StateChanged(State::Thinking)],
        "the old turn has not stopped yet"
    );
    // 550 of 1,000 ms, where the words weigh 4, 7 and 11: two of them were heard.
    assert_eq!(
        talk.on(Event::AnswerEnded { turn: 0, is_ok: true }),
        [
            Effect::Truncate {
                turn: 0,
                bytes: "That sounds".len()
            },
            end(0, Outcome::Stopped),
            run(1, "No, wait.")
        ]
    );
}

#[test]
fn a_stop_by_hand_before_anything_was_heard() {
    let mut talk = Talk::new();
    talk.say(0, "Hello.");
    talk.text(0, "That sounds hard. ");
    assert_eq!(
        talk.on(Event::Stop),
        [
            Effect::StopTurn { turn: 0 },
            Effect::DropSynthesis { turn: 0, chunk: 0 },
            Effect::StateChanged(State::Idle)
        ]
    );
    // A model that does not confirm counts as stopped after a while.
    assert_eq!(talk.live.deadline_ms(), Some(talk.now_ms + 5_000));
    assert_eq!(
        talk.after(5_000),
        [
            Effect::Report("stop-timeout"),
            Effect::Truncate { turn: 0, bytes: 0 },
            end(0, Outcome::Stopped)
        ]
    );
}

#[test]
fn going_on_while_words_are_written_down_is_one_turn() {
    let mut talk = Talk::new();
    talk.frames(true, 20, None);
    talk.frames(false, 40, None);
    let second = talk.frames(true, 20, None);
    assert_eq!(
        second,
        [Effect::StartTranscription {
            utterance: 1,
            from_ms: 1_200
        }]
    );
    let said = |utterance, text: &str| Event::Final {
        utterance,
        text: text.into(),
    };
    talk.on(said(0, "I feel"));
    assert_eq!(talk.on(Event::Transcribed { utterance: 0 }), []);
    talk.frames(false, 40, None);
    talk.on(said(1, "tired today."));
    assert_eq!(
        talk.on(Event::Transcribed { utterance: 1 })[0],
        run(0, "I feel tired today.")
    );
}

#[test]
fn nothing_said_is_no_turn_and_a_slow_transcript_is_not_awaited_for_ever() {
    let mut talk = Talk::new();
    assert_eq!(talk.say(0, " "), [Effect::StateChanged(State::Idle)]);
    talk.frames(true, 20, None);
    talk.on(Event::Partial {
        utterance: 1,
        text: "Good ni".into(),
    });
    talk.on(Event::Partial {
        utterance: 1,
        text: "Good night".into(),
    });
    talk.frames(false, 40, None);
    assert_eq!(
        talk.after(3_000),
        [
            Effect::Report("speech-timeout"),
            Effect::DropTranscription { utterance: 1 },
            run(0, "Good night"),
            Effect::StateChanged(State::Thinking)
        ]
    );
    // A recording is written down as a whole, and may take longer.
    let mut talk = Talk::new();
    talk.frames(true, 20, None);
    talk.frames(false, 40, None);
    assert_eq!(talk.after(7_000), []);
    assert_eq!(talk.after(1_000)[0], Effect::Report("speech-timeout"));
}

#[test]
fn a_voice_that_fails_once_is_asked_again_and_then_the_text_goes_on_without_it() {
    let failed = |chunk| Event::SynthesisFailed {
        turn: 0,
        chunk,
        error: SpeechError::Busy { retry_after_s: None },
    };
    let mut talk = Talk::new();
    talk.say(0, "Hello.");
    talk.text(0, "That sounds hard. What kept you awake? ");
    assert_eq!(
        talk.on(failed(0)),
        [Effect::Report("speech-busy"), synthesise(0, 0, "That sounds hard.")]
    );
    assert_eq!(
        talk.on(failed(0)),
        [
            Effect::Report("speech-busy"),
            Effect::DropSynthesis { turn: 0, chunk: 1 }
        ]
    );
    assert_eq!(talk.text(0, "Tell me more, please. "), []);
    assert_eq!(
        talk.on(Event::AnswerEnded { turn: 0, is_ok: true }),
        [end(0, Outcome::Failed), Effect::StateChanged(State::Idle)]
    );
}

#[test]
fn a_silent_voice_and_a_silent_model_are_given_up() {
    let mut talk = Talk::new();
    talk.say(0, "Hello.");
    talk.text(0, "That sounds hard. ");
    let again = [
        Effect::DropSynthesis { turn: 0, chunk: 0 },
        Effect::Report("speech-timeout"),
        synthesise(0, 0, "That sounds hard."),
    ];
    assert_eq!(talk.after(10_000), again);
    talk.audio(0, 0, b"a", 100);
    talk.synthesised(0, 0);
    assert_eq!(
        talk.after(20_000),
        [Effect::Report("answer-timeout"), Effect::StopTurn { turn: 0 }]
    );
    // What was said of it stays: the person heard it.
    assert_eq!(
        talk.on(Event::AnswerEnded { turn: 0, is_ok: true }),
        [Effect::EndAudio { turn: 0 }]
    );
    assert_eq!(
        talk.after(3_100),
        [end(0, Outcome::Failed), Effect::StateChanged(State::Idle)],
        "a client that tells nothing"
    );
}

#[test]
fn a_lost_connection_comes_back_to_the_same_answer() {
    let mut talk = speaking();
    talk.on(Event::Played {
        turn: 0,
        played_ms: 300,
    });
    assert_eq!(talk.on(Event::Disconnected), []);
    assert_eq!(talk.audio(0, 1, b"x", 1_000), []);
    talk.on(Event::AnswerEnded { turn: 0, is_ok: true });
    assert_eq!(talk.synthesised(0, 1), []);
    assert_eq!(talk.after(19_000), []);
    assert_eq!(
        talk.on(Event::Reconnected { received: 8 }),
        [
            Effect::StateChanged(State::Speaking),
            send(0, 8, &[8]),
            send(0, 9, &[9]),
            send(0, 10, b"x"),
            Effect::EndAudio { turn: 0 }
        ]
    );
    talk.on(Event::Disconnected);
    assert_eq!(
        talk.after(20_000),
        [
            // Of 2,000 ms 300 were played, as far as is known: the first word.
            Effect::Truncate { turn: 0, bytes: 4 },
            end(0, Outcome::Stopped),
            Effect::Close(CloseReason::Lost),
            Effect::StateChanged(State::Closed)
        ]
    );
}

#[test]
fn a_conversation_in_which_nothing_happens_ends() {
    let mut talk = Talk::new();
    assert_eq!(talk.live.deadline_ms(), Some(300_000));
    assert_eq!(talk.after(299_999), []);
    assert_eq!(
        talk.after(1),
        [Effect::Close(CloseReason::Idle), Effect::StateChanged(State::Closed)]
    );
    assert_eq!(talk.live.deadline_ms(), None);
}

/// What any sequence of events must keep.
#[derive(Default)]
struct Watch {
    open: Option<u32>,
    /// The turn whose model may still write.
    writing: Option<u32>,
    started: Vec<u32>,
    ended: Vec<u32>,
    /// Turns up to this one must not be heard any more.
    silenced: Option<u32>,
    next_block: u32,
    /// What each block of the open turn was, as (chunk, number within it).
    blocks: Vec<Vec<u8>>,
    written: BTreeMap<u32, String>,
    is_disconnected: bool,
    is_closed: bool,
}

impl Watch {
    fn check(&mut self, event: &Event, effects: &[Effect]) -> Result<(), TestCaseError> {
        prop_assert!(!self.is_closed || effects.is_empty());
        match event {
            Event::Disconnected => self.is_disconnected = true,
            Event::Reconnected { received } => {
                self.is_disconnected = false;
                self.next_block = (*received).min(self.next_block);
                // Blocks that were played need not be sent again.
                if let Some(Effect::SendAudio { block, .. }) =
                    effects.iter().find(|effect| matches!(effect, Effect::SendAudio { .. }))
                {
                    prop_assert!(*block >= self.next_block && *block as usize <= self.blocks.len());
                    self.next_block = *block;
                } else {
                    self.next_block = self.blocks.len() as u32;
                }
            }
            Event::Stop | Event::HangUp => self.silenced = self.started.last().copied(),
            Event::AnswerEnded { turn, .. } if self.writing == Some(*turn) => self.writing = None,
            Event::Text { turn, text } if self.open == Some(*turn) => {
                self.written.entry(*turn).or_default().push_str(text);
            }
            _ => {}
        }
        for effect in effects {
            match effect {
                Effect::RunTurn { turn, text } => {
                    prop_assert!(self.open.is_none() && self.writing.is_none(), "two turns at once");
                    self.writing = Some(*turn);
                    prop_assert!(self.started.last().is_none_or(|last| last < turn) && !text.is_empty());
                    self.started.push(*turn);
                    self.open = Some(*turn);
                    (self.next_block, self.blocks) = (0, vec![]);
                }
                Effect::Report("stop-timeout") => self.writing = None,
                Effect::StartTranscription { .. } => self.silenced = self.started.last().copied(),
                Effect::SendAudio { turn, block, bytes } => {
                    prop_assert!(!self.is_disconnected);
                    prop_assert_eq!(self.open, Some(*turn));
                    prop_assert!(
                        self.silenced.is_none_or(|silenced| *turn > silenced),
                        "audio of an old turn"
                    );
                    prop_assert_eq!(*block, self.next_block);
                    self.next_block += 1;
                    match self.blocks.get(*block as usize) {
                        Some(known) => prop_assert_eq!(known, bytes),
                        None => self.blocks.push(bytes.clone()),
                    }
                    prop_assert!(self.blocks.is_sorted(), "{:?}", self.blocks);
                }
                Effect::Truncate { turn, bytes } => {
                    prop_assert_eq!(self.open, Some(*turn));
                    let written = self.written.get(turn).map_or("", String::as_str);
                    prop_assert!(written.is_char_boundary(*bytes), "{bytes} of {written:?}");
                }
                Effect::EndTurn { turn, .. } => {
                    prop_assert_eq!(self.open.take(), Some(*turn));
                    self.ended.push(*turn);
                }
                Effect::Close(_) => {
                    prop_assert!(self.open.is_none());
                    self.is_closed = true;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn step() -> impl Strategy<Value = (u8, u32, u32)> {
    (0_u8..20, 0_u32..4, 0_u32..1_500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]
    #[test]
    fn any_order_of_events(script in proptest::collection::vec(step(), 1..120)) {
        let mut live = Live::new(LiveConfig::default(), 0);
        let mut watch = Watch::default();
        let mut now_ms = 0;
        // Audio is tagged with chunk and number: within a chunk it comes in order, chunks in any.
        let mut numbers: BTreeMap<(u32, u32), u8> = BTreeMap::new();
        for (kind, which, amount) in script {
            now_ms += u64::from(amount % 50);
            let turn = watch.started.last().copied().unwrap_or(0).saturating_sub(u32::from(amount % 7 == 0));
            let utterance = live_utterance(&watch, amount);
            let events = match kind {
                0 => vec![frame(true, (which == 0).then_some(-15.0)); 15],
                1 => vec![frame(false, None); 40],
                2 => vec![frame(which % 2 == 0, None)],
                3 => vec![Event::Partial { utterance, text: "some words".into() }],
                4 => vec![Event::Final { utterance, text: ["One.", "和", "", "Three,"][which as usize].into() }],
                5 => vec![Event::Transcribed { utterance }],
                6 => vec![Event::TranscriptionFailed { utterance, error: SpeechError::InStream }],
                7 | 8 => vec![Event::Text { turn, text: ["A whole sentence. ", "half of ", "wörter, und mehr. \n", "长句子在这里结束。"][which as usize].into() }],
                9 => vec![Event::AnswerEnded { turn, is_ok: which > 0 }],
                10..=12 => {
                    let number = numbers.entry((turn, which)).or_default();
                    *number += 1;
                    vec![Event::Audio { turn, chunk: which, bytes: vec![which as u8, *number], duration_ms: amount / 3 }]
                }
                13 => vec![Event::Synthesised { turn, chunk: which, words: vec![] }],
                14 => vec![Event::SynthesisFailed { turn, chunk: which, error: SpeechError::Truncated }],
                15 => vec![Event::Played { turn, played_ms: amount }],
                16 => vec![if which == 0 { Event::Stop } else { Event::Typed { text: "typed".into() } }],
                17 => vec![Event::Disconnected],
                18 => vec![Event::Reconnected { received: which * 2 }],
                _ => { now_ms += u64::from(amount) * 4; vec![Event::Tick] }
            };
            for event in events {
                let effects = live.handle(event.clone(), now_ms);
                watch.check(&event, &effects)?;
                prop_assert!(live.deadline_ms().is_none_or(|due| due > now_ms), "a deadline that has passed");
            }
        }
        // Left alone it ends by itself, and every turn has ended once.
        for _ in 0..100 {
            let Some(due) = live.deadline_ms() else { break };
            prop_assert!(due > now_ms);
            now_ms = due;
            let effects = live.handle(Event::Tick, now_ms);
            watch.check(&Event::Tick, &effects)?;
        }
        if live.state() != State::Closed {
            // Only a person who never stops speaking keeps it open.
            prop_assert_eq!(live.state(), State::Listening);
            let effects = live.handle(Event::HangUp, now_ms);
            watch.check(&Event::HangUp, &effects)?;
            while let Some(due) = live.deadline_ms() {
                let effects = live.handle(Event::Tick, due);
                watch.check(&Event::Tick, &effects)?;
            }
        }
        prop_assert!(watch.is_closed);
        prop_assert_eq!(watch.started, watch.ended);
    }
}

/// One of the utterances that there may be: events about others must do nothing.
fn live_utterance(watch: &Watch, amount: u32) -> u32 {
    (watch.started.len() as u32 + amount % 3).saturating_sub(1)
}
