//! The one table of names: what we know of a turn, in OpenTelemetry's words.
//!
//! GenAI conventions are in development and change names between versions. These are those of [`SCHEMA_URL`], where
//! `gen_ai.provider.name` took the place of `gen_ai.system`. A newer version is a change of this file alone.

use super::span::{Attribute, Value};
use crate::turn::{TurnEvent, Usage};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// The version of the semantic conventions.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";
/// The instrumentation scope.
pub const SCOPE: &str = "silent-infinity";

/// The whole turn, from acceptance to the stored end.
pub const TURN: &str = "turn";
/// The crisis gate's judgement of the message.
pub const GUARDRAILS: &str = "turn.guardrails";
/// The answer, over all attempts at all providers.
pub const LLM: &str = "turn.llm";
/// Speech to text.
pub const STT: &str = "turn.stt";
/// Text to speech.
pub const TTS: &str = "turn.tts";
/// Key, registry snapshot and history.
pub const DB_READ: &str = "turn.db_read";
/// Answer, event and outbox row.
pub const DB_WRITE: &str = "turn.db_write";
/// From the pinned assignment to the policy.
pub const VARIANT_ASSIGNMENT: &str = "turn.variant_assignment";

/// Span event: the wait behind other turns is over.
pub const BEGAN: &str = "turn.began";
/// Span event: the first token.
pub const TTFT: &str = "llm.ttft";
/// Span event: the last byte.
pub const STREAM_COMPLETE: &str = "llm.stream_complete";

/// Class of an error: a slug of ours.
pub const ERROR_TYPE: &str = "error.type";
/// Crisis level, 0-4.
pub const CRISIS_LEVEL: &str = "crisis.level";

/// What all spans of one process share: the attributes of OTLP's resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `OTEL_SERVICE_NAME`.
    pub service: String,
    /// The build.
    pub version: String,
    /// `local`, `test` or `production`.
    pub environment: String,
}

impl Resource {
    /// In OpenTelemetry's words.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        vec![
            text("service.name", &self.service),
            text("service.version", &self.version),
            text("deployment.environment.name", &self.environment),
            text("telemetry.sdk.language", "rust"),
            text("telemetry.sdk.name", SCOPE),
            text("telemetry.sdk.version", &self.version),
        ]
    }
}

fn text(name: &'static str, value: &str) -> Attribute {
    (Cow::Borrowed(name), value.into())
}

fn count(name: &'static str, value: u64) -> Attribute {
    (Cow::Borrowed(name), value.into())
}

/// The turn's own attributes. The person's id is none of them: a trace store is not part of erasing a person.
#[must_use]
pub fn of_turn(event: &TurnEvent) -> Vec<Attribute> {
    let mut out = vec![
        text("gen_ai.conversation.id", event.session_id.as_str()),
        text("turn.id", event.turn_id.as_str()),
        count("turn.seq", event.seq),
        text("turn.status", event.status.as_str()),
        count("turn.queued_ms", event.queued_ms),
        text("turn.product", &event.product),
        text("turn.prompt_version", &event.prompt_version),
        count("turn.snapshot_version", event.snapshot_version),
        count(CRISIS_LEVEL, event.crisis_level.into()),
        (Cow::Borrowed("crisis.override"), event.crisis_override.into()),
    ];
    if !event.guardrails.is_empty() {
        out.push((Cow::Borrowed("guardrails.replaced"), event.guardrails.as_slice().into()));
    }
    if let Some(micros) = event.cost_micros {
        out.push(count("turn.cost_micros", micros));
    }
    out.extend(of_variants(
        event
            .variants
            .iter()
            .map(|(category, id)| (category.as_str(), id.as_str())),
    ));
    out
}

/// `variant.<category>`, the category in lower case.
pub fn of_variants<'a>(variants: impl Iterator<Item = (&'a str, &'a str)>) -> impl Iterator<Item = Attribute> {
    variants.map(|(category, id)| {
        let name = format!("variant.{}", category.to_ascii_lowercase());
        (Cow::Owned(name), id.into())
    })
}

/// One request to a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelCall<'a> {
    /// Our name of the provider.
    pub provider: &'a str,
    /// The session.
    pub conversation: &'a str,
    /// The model that was asked for.
    pub model: &'a str,
    /// Limit of the answer in tokens.
    pub max_tokens: Option<u32>,
    /// Temperature in thousandths.
    pub temperature_milli: Option<u32>,
    /// The model that answered.
    pub response_model: Option<&'a str>,
    /// The vendor's id of the answer.
    pub response_id: Option<&'a str>,
    /// Why it stopped.
    pub finish_reason: Option<&'a str>,
    /// Tokens, where they were counted.
    pub usage: Option<Usage>,
    /// What failed, a stable slug.
    pub error: Option<&'a str>,
}

impl ModelCall<'_> {
    /// The span's name: operation and model.
    #[must_use]
    pub fn name(&self) -> String {
        format!("chat {}", self.model)
    }

    /// The span's attributes.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        let mut out = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", provider(self.provider)),
            text("gen_ai.request.model", self.model),
            text("gen_ai.output.type", "text"),
            text("gen_ai.conversation.id", self.conversation),
        ];
        let texts = [
            ("gen_ai.response.id", self.response_id),
            ("gen_ai.response.model", self.response_model),
            (ERROR_TYPE, self.error),
        ];
        out.extend(texts.into_iter().filter_map(|(name, value)| Some(text(name, value?))));
        if let Some(reason) = self.finish_reason {
            out.push((
                Cow::Borrowed("gen_ai.response.finish_reasons"),
                Value::List(vec![reason.into()]),
            ));
        }
        if let Some(tokens) = self.max_tokens {
            out.push(count("gen_ai.request.max_tokens", tokens.into()));
        }
        if let Some(milli) = self.temperature_milli {
            let temperature = f64::from(milli) / 1_000.0;
            out.push((Cow::Borrowed("gen_ai.request.temperature"), temperature.into()));
        }
        if let Some(usage) = self.usage {
            out.push(count("gen_ai.usage.input_tokens", usage.input_tokens));
            out.push(count("gen_ai.usage.output_tokens", usage.output_tokens));
        }
        out
    }
}

/// OpenTelemetry's name of a provider where it has one (`gen_ai.provider.name`, well-known values), else ours.
#[must_use]
pub fn provider(ours: &str) -> &str {
    match ours {
        "bedrock" => "aws.bedrock",
        "gemini" => "gcp.gemini",
        "vertex" => "gcp.vertex_ai",
        "azure" => "azure.ai.openai",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        other => other,
    }
}
