//! The parts of a turn's stream: the AI SDK's UI message stream, version 1.
//!
//! Source: the protocol page of the AI SDK ("Stream protocols, UI message stream"). A part is one SSE event; its
//! position in the turn is the event's id, so that a client can come back with `Last-Event-ID`.

use crate::ids::TurnId;
use alloc::format;
use alloc::string::String;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the client shows about the turn, beside its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The turn.
    pub turn_id: TurnId,
    /// How far it is.
    pub status: super::Status,
    /// When it was accepted, RFC 3339.
    pub created_at: String,
    /// Who really answered; absent until known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provider: Option<String>,
    /// The model that really answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// Crisis level of what the person said, 0-4.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub crisis_level: Option<u8>,
    /// The turn that took this one's place (regenerated or edited).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced_by: Option<TurnId>,
}

/// One part of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Part {
    /// The answer's message begins.
    Start {
        /// Id of the answer's message.
        message_id: String,
        /// What is known so far.
        message_metadata: Metadata,
    },
    /// A model call begins; `reset-step` drops everything since.
    StartStep,
    /// Everything since [`Part::StartStep`] is void; the answer begins anew, in a block with another id.
    ResetStep,
    /// A text block begins.
    TextStart {
        /// Block id.
        id: String,
    },
    /// More text.
    TextDelta {
        /// Block id.
        id: String,
        /// The text.
        delta: String,
    },
    /// The text block is whole.
    TextEnd {
        /// Block id.
        id: String,
    },
    /// Where the turn stands in the session's order.
    DataTurn {
        /// `{turn_id, position}`.
        data: Value,
        /// Not kept in the message.
        transient: bool,
    },
    /// Support that is shown with the answer.
    DataSafety {
        /// `{level, resources, exit?, text?}`.
        data: Value,
    },
    /// That this is an AI, said again.
    DataDisclosure {
        /// `{text}`.
        data: Value,
    },
    /// The model call is over.
    FinishStep,
    /// Final metadata.
    MessageMetadata {
        /// All that is known.
        message_metadata: Metadata,
    },
    /// The turn is stored and over.
    Finish {
        /// `stop`, `length` or `content-filter`.
        finish_reason: String,
    },
    /// The person stopped it.
    Abort {
        /// Why.
        reason: String,
    },
    /// It failed.
    Error {
        /// A sentence for the person.
        error_text: String,
    },
    /// The last event: not JSON.
    #[serde(skip)]
    Done,
}

impl Part {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// The SSE event with its id (WHATWG HTML, "Server-sent events").
    #[must_use]
    pub fn to_event(&self, id: usize) -> String {
        // Serialising these types cannot fail: no maps with keys that are not strings.
        let data = match self {
            Self::Done => String::from("[DONE]"),
            part => serde_json::to_string(part).unwrap_or_default(),
        };
        format!("id: {id}\ndata: {data}\n\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wire(part: &Part) -> Value {
        serde_json::to_value(part).unwrap()
    }

    #[test]
    fn parts_are_spelled_as_the_protocol_spells_them() {
        let metadata = Metadata {
            turn_id: TurnId::new(0, [0; 10]),
            status: crate::turn::Status::Running,
            created_at: "1970-01-01T00:00:00.000Z".into(),
            provider: None,
            model: None,
            crisis_level: None,
            replaced_by: None,
        };
        assert_eq!(
            wire(&Part::Start {
                message_id: "msg_1".into(),
                message_metadata: metadata
            }),
            json!({"type": "start", "messageId": "msg_1", "messageMetadata": {
                "turn_id": "trn_00000000000000000000000000", "status": "running",
                "created_at": "1970-01-01T00:00:00.000Z"}})
        );
        assert_eq!(wire(&Part::StartStep), json!({"type": "start-step"}));
        assert_eq!(wire(&Part::ResetStep), json!({"type": "reset-step"}));
        assert_eq!(
            wire(&Part::TextDelta {
                id: "t0".into(),
                delta: "a".into()
            }),
            json!({"type": "text-delta", "id": "t0", "delta": "a"})
        );
        assert_eq!(
            wire(&Part::Finish {
                finish_reason: "stop".into()
            }),
            json!({"type": "finish", "finishReason": "stop"})
        );
        assert_eq!(
            wire(&Part::Error { error_text: "x".into() }),
            json!({"type": "error", "errorText": "x"})
        );
    }

    #[test]
    fn an_event_is_one_line_of_data_whatever_the_text() {
        let event = Part::TextDelta {
            id: "t0".into(),
            delta: "a\nb\r\n\u{2028}".into(),
        }
        .to_event(3);
        assert!(event.starts_with("id: 3\ndata: {"));
        assert_eq!(event.matches('\n').count(), 3);
        assert_eq!(Part::Done.to_event(9), "id: 9\ndata: [DONE]\n\n");
    }
}
