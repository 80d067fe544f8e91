//! OpenAI's chat completions, as far as a conversation needs them: what is read, and what is said.
//!
//! Source: OpenAI API reference, "Chat completions". What this door cannot do is refused, never ignored in silence.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use silent_core::conversation::{Message, Role};
use silent_core::turn::{TurnEvent, Usage};

/// Longest last message, in characters.
const MESSAGE_CHARS: usize = 32_000;
/// Longest instructions of the calling application, in characters.
const INSTRUCTION_CHARS: usize = 8_000;
/// Parameters that tune a sampler which this door does not expose; they change nothing that anybody relies on.
const IGNORED: [&str; 11] = [
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "metadata",
    "store",
    "service_tier",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning_effort",
    "verbosity",
];

/// An error in OpenAI's form, with its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) param: Option<&'static str>,
    pub(super) code: Option<&'static str>,
}

impl Refusal {
    fn invalid(param: Option<&'static str>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            message: message.into(),
            param,
            code: None,
        }
    }

    /// The body; all four keys are there.
    pub(super) fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }
}

#[derive(Deserialize)]
struct WireAsk {
    model: String,
    messages: Vec<WireMessage>,
    #[serde(default)]
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    temperature: Option<f64>,
    user: Option<String>,
    safety_identifier: Option<String>,
    n: Option<u32>,
    response_format: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct WireMessage {
    role: String,
    content: Option<Value>,
}

/// What a program asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) model: String,
    /// The application's instructions, after our own prompt.
    pub(super) instructions: String,
    /// What was said, the person's message last.
    pub(super) messages: Vec<Message>,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) temperature_milli: Option<u32>,
    /// The person at the other end, as the application names them.
    pub(super) user: String,
}

impl Ask {
    pub(super) fn read(body: &[u8], now_ms: u64) -> Result<Self, Refusal> {
        let ask: WireAsk = serde_json::from_slice(body)
            .map_err(|error| Refusal::invalid(None, format!("The body is not a chat completion request: {error}.")))?;
        let given = |value: &Value| !matches!(value, Value::Null);
        if let Some((name, _)) = ask
            .rest
            .iter()
            .find(|(name, value)| given(value) && !IGNORED.contains(&name.as_str()))
        {
            return Err(Refusal {
                code: Some("unsupported_parameter"),
                ..Refusal::invalid(None, format!("This endpoint does not support the parameter '{name}'."))
            });
        }
        if ask.n.is_some_and(|n| n != 1) {
            return Err(Refusal::invalid(Some("n"), "Only one choice can be generated."));
        }
        let is_text = |format: &Value| format.get("type").and_then(Value::as_str) == Some("text");
        if ask
            .response_format
            .as_ref()
            .is_some_and(|format| given(format) && !is_text(format))
        {
            return Err(Refusal::invalid(Some("response_format"), "Only text can be generated."));
        }
        if ask.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
            return Err(Refusal::invalid(
                Some("temperature"),
                "temperature must be from 0 to 2.",
            ));
        }
        let limit = ask.max_completion_tokens.or(ask.max_tokens);
        if limit == Some(0) {
            return Err(Refusal::invalid(
                Some("max_completion_tokens"),
                "At least one token is needed.",
            ));
        }
        let user = ask.safety_identifier.or(ask.user).unwrap_or_default();
        if user.len() > 256 {
            return Err(Refusal::invalid(Some("user"), "user has at most 256 bytes."));
        }
        let mut instructions = String::new();
        let mut messages = Vec::new();
        for message in ask.messages {
            let text = text_of(message.content.as_ref())?;
            let role = match message.role.as_str() {
                "system" | "developer" => {
                    if !instructions.is_empty() {
                        instructions.push_str("\n\n");
                    }
                    instructions.push_str(&text);
                    continue;
                }
                "user" => Role::User,
                "assistant" => Role::Assistant,
                _ => {
                    return Err(Refusal::invalid(
                        Some("messages"),
                        "A role must be system, developer, user or assistant.",
                    ));
                }
            };
            messages.push(Message {
                role,
                text,
                at_ms: now_ms,
            });
        }
        let last = messages.last().filter(|message| message.role == Role::User);
        let Some(last) = last.filter(|message| !message.text.trim().is_empty()) else {
            return Err(Refusal::invalid(
                Some("messages"),
                "The last message must be the user's, and say something.",
            ));
        };
        if last.text.chars().count() > MESSAGE_CHARS || instructions.chars().count() > INSTRUCTION_CHARS {
            return Err(Refusal {
                code: Some("context_length_exceeded"),
                ..Refusal::invalid(
                    Some("messages"),
                    format!("A message has at most {MESSAGE_CHARS} characters, instructions {INSTRUCTION_CHARS}."),
                )
            });
        }
        Ok(Self {
            model: ask.model,
            instructions,
            messages,
            stream: ask.stream.unwrap_or(false),
            include_usage: ask.stream_options.is_some_and(|options| options.include_usage),
            max_output_tokens: limit,
            temperature_milli: ask.temperature.map(|value| (value * 1_000.0).round() as u32),
            user,
        })
    }
}

/// A message's text: a string, or text parts.
fn text_of(content: Option<&Value>) -> Result<String, Refusal> {
    match content {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            let texts: Option<Vec<&str>> = parts
                .iter()
                .map(|part| match part.get("type").and_then(Value::as_str) {
                    Some("text") => part.get("text").and_then(Value::as_str),
                    _ => None,
                })
                .collect();
            let texts = texts.ok_or_else(|| Refusal::invalid(Some("messages"), "Only text content is supported."))?;
            Ok(texts.concat())
        }
        Some(_) => Err(Refusal::invalid(
            Some("messages"),
            "content must be text or a list of text parts.",
        )),
    }
}

/// What every chunk and completion of one answer has in common.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) created_s: u64,
    pub(super) model: String,
}

fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
    })
}

/// What we add: who answered, as what, for how much. SDKs pass unknown fields on.
fn ours(event: &TurnEvent, safety: Option<&Value>) -> Value {
    json!({
        "provider": event.provider,
        "model": event.model,
        "crisis_level": event.crisis_level,
        "safety": safety,
        "variants": event.variants,
        "cost_micros": event.cost_micros,
        "trace_id": event.trace_id,
    })
}

/// OpenAI's word for a reason to stop.
fn finish(reason: &str) -> &'static str {
    match reason {
        "length" => "length",
        "content-filter" | "refusal" => "content_filter",
        _ => "stop",
    }
}

impl Head {
    fn chunk(&self, choices: Value) -> Value {
        json!({"id": self.id, "object": "chat.completion.chunk", "created": self.created_s, "model": self.model, "choices": choices})
    }

    /// The first chunk.
    pub(super) fn opening(&self) -> Value {
        self.chunk(json!([{"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": null, "finish_reason": null}]))
    }

    /// More text.
    pub(super) fn delta(&self, text: &str) -> Value {
        self.chunk(json!([{"index": 0, "delta": {"content": text}, "logprobs": null, "finish_reason": null}]))
    }

    /// The last chunk of the choice.
    pub(super) fn closing(&self, event: &TurnEvent, safety: Option<&Value>) -> Value {
        let reason = finish(&event.finish_reason);
        let mut chunk = self.chunk(json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": reason}]));
        if let Some(chunk) = chunk.as_object_mut() {
            chunk.insert("silent_infinity".into(), ours(event, safety));
        }
        chunk
    }

    /// The chunk of `include_usage`.
    pub(super) fn usage(&self, event: &TurnEvent) -> Value {
        let mut chunk = self.chunk(json!([]));
        if let Some(chunk) = chunk.as_object_mut() {
            chunk.insert("usage".into(), usage(event.usage));
        }
        chunk
    }

    /// The whole answer at once.
    pub(super) fn completion(&self, text: &str, event: &TurnEvent, safety: Option<&Value>) -> Value {
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created_s, "model": self.model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null}, "logprobs": null,
                "finish_reason": finish(&event.finish_reason)}],
            "usage": usage(event.usage),
            "silent_infinity": ours(event, safety),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value) -> Result<Ask, Refusal> {
        Ask::read(body.to_string().as_bytes(), 7)
    }

    #[test]
    fn what_is_asked() {
        let ask = read(json!({"model": "companion", "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": null},
            {"role": "user", "content": [{"type": "text", "text": "How "}, {"type": "text", "text": "so?"}]}],
            "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 9, "max_completion_tokens": 8,
            "temperature": 0.25, "user": "u", "top_p": 0.5, "tools": null}))
        .unwrap();
        assert_eq!(ask.instructions, "Be brief.\n\nBe kind.");
        assert_eq!(ask.messages.len(), 3);
        assert_eq!(ask.messages[2].text, "How so?");
        assert_eq!(
            (
                ask.stream,
                ask.include_usage,
                ask.max_output_tokens,
                ask.temperature_milli
            ),
            (true, true, Some(8), Some(250))
        );
        assert_eq!(ask.user, "u");
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let check = |change: Value, param: Option<&str>, code: Option<&str>| {
            let mut body = json!({"model": "companion", "messages": [{"role": "user", "content": "Hi"}]});
            body.as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            let refusal = read(body).unwrap_err();
            assert_eq!(
                (refusal.status, refusal.param, refusal.code),
                (400, param, code),
                "{change}"
            );
            assert_eq!(refusal.body()["error"].as_object().unwrap().len(), 4);
        };
        check(json!({"tools": []}), None, Some("unsupported_parameter"));
        check(json!({"n": 2}), Some("n"), None);
        check(
            json!({"response_format": {"type": "json_object"}}),
            Some("response_format"),
            None,
        );
        check(json!({"temperature": 3}), Some("temperature"), None);
        check(json!({"max_tokens": 0}), Some("max_completion_tokens"), None);
        check(json!({"messages": []}), Some("messages"), None);
        check(
            json!({"messages": [{"role": "assistant", "content": "Hi"}]}),
            Some("messages"),
            None,
        );
        check(
            json!({"messages": [{"role": "tool", "content": "Hi"}]}),
            Some("messages"),
            None,
        );
        check(
            json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
            Some("messages"),
            None,
        );
        check(
            json!({"messages": [{"role": "user", "content": "x".repeat(32_001)}]}),
            Some("messages"),
            Some("context_length_exceeded"),
        );
        check(json!({"messages": "Hi"}), None, None);
        assert_eq!(Ask::read(b"{", 0).unwrap_err().status, 400);
    }
}
