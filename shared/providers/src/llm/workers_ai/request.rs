//! What the binding is given.

use super::Reader;
use crate::llm::decoder::Wire;
use crate::llm::{Decoder, Mode};
use crate::sse;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// The arguments of `run`.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// For example `@cf/meta/llama-3.3-70b-instruct-fp8-fast`.
    pub model: String,
    /// The input.
    pub input: Value,
}

/// Asks for an answer. `model` is Cloudflare's name; where absent, the request's. An answer by a schema comes at once or not
/// at all: Cloudflare does not stream it.
#[must_use]
pub fn request(model: Option<&str>, ask: &LlmRequest, mode: Mode) -> Run {
    let mut messages: Vec<Value> = Vec::new();
    if !ask.system.is_empty() {
        messages.push(json!({"role": "system", "content": ask.system}));
    }
    messages.extend(
        ask.messages
            .iter()
            .map(|message| json!({"role": message.role, "content": message.text})),
    );
    let mut input = json!({
        "messages": messages,
        "max_tokens": ask.max_output_tokens,
        "temperature": f64::from(ask.temperature_milli) / 1_000.0,
    });
    if let Some(input) = input.as_object_mut() {
        if mode == Mode::Stream {
            input.insert("stream".into(), json!(true));
        }
        // The schema itself, without OpenAI's envelope.
        if let Some(schema) = &ask.response_schema {
            let format = json!({"type": "json_schema", "json_schema": schema});
            input.insert("response_format".into(), format);
        }
    }
    Run {
        model: model.unwrap_or(&ask.model).to_string(),
        input,
    }
}

/// The decoder of the stream that [`request`] asks for.
#[must_use]
pub fn decoder(model: Option<&str>, ask: &LlmRequest) -> Decoder {
    let reader = Reader::new(u64::from(ask.max_output_tokens));
    Decoder::new(
        Wire::WorkersAi(sse::Decoder::default(), reader),
        model.unwrap_or(&ask.model),
    )
}

/// One token, which is the least that can be asked for: the binding has no free question.
#[must_use]
pub fn health_check(model: &str) -> Run {
    Run {
        model: model.to_string(),
        input: json!({"messages": [{"role": "user", "content": "1"}], "max_tokens": 1}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::ask;

    #[test]
    fn format_unchanged() {
        let mut ask = ask("hi");
        ask.response_schema = Some(json!({"type": "object"}));
        let run = request(Some("@cf/x"), &ask, Mode::Stream);
        assert_eq!(run.model, "@cf/x");
        assert_eq!(
            run.input,
            json!({"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
                "max_tokens": 5, "temperature": 0.7, "stream": true,
                "response_format": {"type": "json_schema", "json_schema": {"type": "object"}}})
        );
        assert_eq!(request(None, &ask, Mode::Whole).model, "m");
        assert_eq!(health_check("@cf/x").input["max_tokens"], 1);
    }
}
