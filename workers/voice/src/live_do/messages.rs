//! What a client sends: sound as bytes, everything else as JSON.

use super::Inner;
use serde::Deserialize;
use silent_core::turn::Clock;
use silent_core::voice::audio::from_le_bytes;
use silent_core::voice::live::Event;
use silent_edge::SystemClock;
use std::rc::Rc;

/// Largest message of sound, bytes: more than a second at any rate.
const MAX_SOUND: usize = 256 * 1024;
/// Longest text, characters; the chat Worker's limit.
const MAX_TEXT: usize = 8_000;
/// How far sound may be ahead of time, milliseconds.
const MAX_AHEAD_MS: u64 = 120_000;

/// More sound than time has passed.
pub(super) const TOO_FAST: &str = "audio-too-fast";
const TOO_LARGE: &str = "audio-too-large";
const ODD: &str = "audio-odd-length";
const MALFORMED: &str = "message-malformed";

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
enum Message {
    /// How much of a turn's audio was played.
    Played { turn: u32, played_ms: u32 },
    /// Written instead of spoken.
    Text { text: String },
    /// Enough of this answer.
    Stop {},
    /// Enough of this conversation.
    HangUp {},
    /// Nothing but a sign of life.
    Ping {},
}

/// Takes sound; what is wrong with it, as a slug.
pub(super) fn sound(inner: &Rc<Inner>, bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.len() > MAX_SOUND {
        return Err(TOO_LARGE);
    }
    if bytes.len() % 2 == 1 {
        return Err(ODD);
    }
    let frames = match inner.talk.borrow_mut().as_mut() {
        Some(talk) => {
            if talk.heard_ms() > SystemClock.now_ms().saturating_sub(talk.began_ms) + MAX_AHEAD_MS {
                return Err(TOO_FAST);
            }
            talk.frames_of(&from_le_bytes(bytes))
        }
        None => return Ok(()),
    };
    for frame in frames {
        let heard = inner.talk.borrow_mut().as_mut().map(|talk| talk.hear(frame));
        let Some((vad, playing_dbfs)) = heard else { break };
        inner.dispatch(Event::Frame { vad, playing_dbfs });
    }
    Ok(())
}

/// Takes a message; what is wrong with it, as a slug.
pub(super) fn text(inner: &Rc<Inner>, text: &str) -> Result<(), &'static str> {
    let message: Message = serde_json::from_str(text).map_err(|_| MALFORMED)?;
    match message {
        Message::Played { turn, played_ms } => {
            if let Some(talk) = inner.talk.borrow_mut().as_mut()
                && let Some(turn) = talk.turns.get_mut(&turn)
            {
                turn.played_ms = turn.played_ms.max(played_ms);
                turn.played_at_ms = SystemClock.now_ms();
            }
            inner.dispatch(Event::Played { turn, played_ms });
        }
        Message::Text { text } => {
            if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
                return Err(MALFORMED);
            }
            if let Some(talk) = inner.talk.borrow_mut().as_mut() {
                talk.voice_at_ms = SystemClock.now_ms();
            }
            inner.dispatch(Event::Typed { text });
        }
        Message::Stop {} => inner.dispatch(Event::Stop),
        Message::HangUp {} => inner.dispatch(Event::HangUp),
        Message::Ping {} => {
            if let Some(talk) = inner.talk.borrow().as_ref() {
                talk.tell(&serde_json::json!({"type": "pong"}));
            }
        }
    }
    Ok(())
}
