//! OpenAI-compatible audio: writing down and speaking for programs, with the providers that people have.

mod speech;
mod transcriptions;

use crate::door::Door;
use serde_json::{Value, json};
use silent_core::voice::port::SpeechError;
use silent_edge::api_key::{self, ApiKey, Scope};
use silent_edge::error::ApiError;
use silent_edge::{http, log};
use worker::{Method, Request, Response, Result};

/// An error in OpenAI's form.
pub(crate) struct Refusal {
    status: u16,
    kind: &'static str,
    message: String,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

impl Refusal {
    fn invalid(param: Option<&'static str>, code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            message: message.into(),
            param,
            code,
        }
    }

    fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (status, kind, message, code) = match error {
            ApiError::Unauthorized => (
                401,
                "invalid_request_error",
                "Incorrect API key provided. An admin makes one: POST /admin/v1/api-keys with the scope audio.".into(),
                Some("invalid_api_key"),
            ),
            ApiError::Forbidden(why) => (403, "invalid_request_error", why, Some("insufficient_scope")),
            ApiError::TooLarge(why) => (413, "invalid_request_error", why, Some("request_too_large")),
            ApiError::Invalid(why) => (400, "invalid_request_error", why, None),
            ApiError::Unavailable { cause, .. } => {
                log::line("error", "openai-audio", "door", json!({ "cause": cause }));
                (
                    503,
                    "server_error",
                    "Temporarily unavailable.".into(),
                    Some("unavailable"),
                )
            }
            other => {
                let cause = json!({"cause": format!("{other:?}")});
                log::line("error", "openai-audio", "door", cause);
                (500, "server_error", "Something went wrong.".into(), None)
            }
        };
        Self {
            status,
            kind,
            message,
            param: None,
            code,
        }
    }
}

impl From<worker::Error> for Refusal {
    fn from(error: worker::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl From<SpeechError> for Refusal {
    fn from(error: SpeechError) -> Self {
        match error {
            SpeechError::Audio(error) => Self::invalid(Some("file"), Some(error.slug()), error.to_string()),
            SpeechError::Text(why) => Self::invalid(Some("input"), None, why),
            SpeechError::Unsupported(what) => Self::invalid(
                None,
                Some("unsupported_value"),
                format!("No configured provider offers: {what}."),
            ),
            error => ApiError::unavailable(error.slug()).into(),
        }
    }
}

/// Answers a request below `/v1/audio`.
pub(crate) async fn handle(door: &Door, request: Request, rest: &[&str]) -> Result<Response> {
    let response = match route(door, request, rest).await {
        Ok(response) => response,
        Err(refusal) => {
            let response = Response::from_json(&refusal.body())?.with_status(refusal.status);
            if refusal.status == 503 {
                response.headers().set("retry-after", "2")?;
            }
            response
        }
    };
    response.headers().set("x-request-id", &door.correlation_id)?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

async fn route(door: &Door, request: Request, rest: &[&str]) -> std::result::Result<Response, Refusal> {
    let key = key(door, &request).await?;
    match (request.method(), rest) {
        (Method::Post, ["transcriptions"]) => transcriptions::create(door, request, &key).await,
        (Method::Post, ["speech"]) => speech::create(door, request, &key).await,
        (_, ["transcriptions" | "speech"]) => Err(Refusal {
            status: 405,
            ..Refusal::invalid(None, Some("method_not_allowed"), "Method not allowed.")
        }),
        _ => Err(Refusal {
            status: 404,
            ..Refusal::invalid(None, Some("unknown_url"), "There is no such endpoint.")
        }),
    }
}

async fn key(door: &Door, request: &Request) -> std::result::Result<ApiKey, Refusal> {
    let bearer = http::header(request.headers(), "authorization");
    let secret = bearer.and_then(|value| value.strip_prefix("Bearer ").map(String::from));
    let secret = secret.ok_or(ApiError::Unauthorized)?;
    let key = api_key::verify(&door.env.d1("DB")?, &secret, Scope::Audio, door.now_ms).await?;
    if let Ok(limiter) = door.env.rate_limiter("RATE_KEY")
        && limiter
            .limit(key.id.clone())
            .await
            .is_ok_and(|outcome| !outcome.success)
    {
        return Err(Refusal {
            status: 429,
            kind: "rate_limit_error",
            ..Refusal::invalid(None, Some("rate_limit_exceeded"), "Too many requests.")
        });
    }
    Ok(key)
}

/// Refuses a model that is not one of these names.
fn model(name: &str, known: &[&str]) -> std::result::Result<(), Refusal> {
    if known.contains(&name) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(Refusal {
        status: 404,
        ..Refusal::invalid(
            Some("model"),
            Some("model_not_found"),
            format!("The model '{shown}' does not exist."),
        )
    })
}
