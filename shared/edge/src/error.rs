//! What clients hear when something goes wrong: RFC 9457 problem details with a stable type.
//!
//! Invariant: nothing internal leaks; the cause goes to the log under the same correlation id.

use crate::log;
use serde_json::json;
use silent_core::registry::Refusal;
use worker::{Response, Result};

/// Prefix of every problem type; the rest is stable.
const TYPES: &str = "https://silent-infinity.dev/problems/";

/// Everything that a request can end in besides success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No token, or one that does not verify.
    Unauthorized,
    /// Known, and not allowed to.
    Forbidden(String),
    /// A browser's request from a page that may not.
    ForbiddenOrigin,
    /// Nothing there, or nothing of this person's.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request is not what the route takes.
    Invalid(String),
    /// The body or message is too large.
    TooLarge(String),
    /// Not JSON.
    MediaType,
    /// The key was used with another body.
    IdempotencyKeyReused,
    /// The state of the thing forbids it.
    Conflict(String),
    /// A large step has to be confirmed in the request.
    ConfirmationRequired(String),
    /// `If-Match` does not name the current version.
    Stale {
        /// The current version.
        current: u64,
    },
    /// The request must name the version that it changes.
    VersionRequired,
    /// Only the last turn can be regenerated or edited.
    NotLastTurn,
    /// Too many turns wait.
    QueueFull {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// Too many requests.
    RateLimited {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// Something behind us is away.
    Unavailable {
        /// Seconds to wait.
        retry_after_s: u32,
        /// What, for the log.
        cause: String,
    },
    /// A problem of one kind of request, with a status below 500 and a slug and title of its own.
    Problem {
        /// The status.
        status: u16,
        /// The end of its type.
        slug: &'static str,
        /// What it is, in a few words.
        title: &'static str,
        /// What is the matter this time.
        detail: String,
    },
    /// Conditions of what is asked are not met; each one is told.
    Unmet {
        /// In a sentence.
        detail: String,
        /// Each of them.
        unmet: Vec<serde_json::Value>,
    },
    /// Our fault.
    Internal(String),
    /// Our fault, in a way that has a name of its own.
    Fault {
        /// The end of its type.
        slug: &'static str,
        /// What it is, in a few words.
        title: &'static str,
        /// Why, for the log.
        cause: String,
    },
}

impl ApiError {
    /// Our fault; the cause is logged, not said.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::Internal(cause.into())
    }

    /// Something behind us is away for now.
    #[must_use]
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::Unavailable {
            retry_after_s: 2,
            cause: cause.into(),
        }
    }

    fn parts(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (401, "unauthorized", "A valid token is needed"),
            Self::Forbidden(_) => (403, "forbidden", "Not allowed"),
            Self::ForbiddenOrigin => (403, "forbidden-origin", "This origin may not do that"),
            Self::NotFound => (404, "not-found", "Not found"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "Method not allowed"),
            Self::Invalid(_) => (400, "invalid-request", "The request is not valid"),
            Self::TooLarge(_) => (413, "payload-too-large", "Too large"),
            Self::MediaType => (415, "unsupported-media-type", "Send application/json"),
            Self::IdempotencyKeyReused => (
                422,
                "idempotency-key-reused",
                "The idempotency key was used with another body",
            ),
            Self::Conflict(_) => (409, "conflict", "That is not possible now"),
            Self::ConfirmationRequired(_) => (409, "confirmation-required", "This has to be confirmed"),
            Self::Stale { .. } => (412, "stale", "It was changed since"),
            Self::VersionRequired => (428, "version-required", "If-Match must name the version that you saw"),
            Self::NotLastTurn => (409, "not-last-turn", "Only the last turn can be replaced"),
            Self::QueueFull { .. } => (429, "queue-full", "Too many turns are waiting"),
            Self::RateLimited { .. } => (429, "rate-limited", "Too many requests"),
            Self::Unavailable { .. } => (503, "unavailable", "Temporarily unavailable"),
            Self::Problem {
                status, slug, title, ..
            } => (*status, slug, title),
            Self::Unmet { .. } => (409, "conditions-unmet", "Not every condition is met"),
            Self::Internal(_) => (500, "internal", "Something went wrong"),
            Self::Fault { slug, title, .. } => (500, slug, title),
        }
    }

    /// The response; logs the cause where it is ours or an upstream's.
    ///
    /// # Errors
    /// The runtime's, where it cannot make a response.
    pub fn into_response(self, correlation_id: &str) -> Result<Response> {
        let (status, slug, title) = self.parts();
        let mut body = json!({"type": format!("{TYPES}{slug}"), "title": title, "status": status, "correlation_id": correlation_id});
        let mut retry_after = None;
        match &self {
            Self::Invalid(detail)
            | Self::TooLarge(detail)
            | Self::Forbidden(detail)
            | Self::Conflict(detail)
            | Self::ConfirmationRequired(detail)
            | Self::Problem { detail, .. } => {
                if let Some(body) = body.as_object_mut() {
                    body.insert("detail".into(), detail.as_str().into());
                }
            }
            Self::Unmet { detail, unmet } => {
                if let Some(body) = body.as_object_mut() {
                    body.insert("detail".into(), detail.as_str().into());
                    body.insert("unmet".into(), json!(unmet));
                }
            }
            Self::Stale { current } => {
                if let Some(body) = body.as_object_mut() {
                    body.insert("current_version".into(), (*current).into());
                }
            }
            Self::QueueFull { retry_after_s } | Self::RateLimited { retry_after_s } => {
                retry_after = Some(*retry_after_s)
            }
            Self::Unavailable { retry_after_s, cause } => {
                retry_after = Some(*retry_after_s);
                log::line("error", slug, correlation_id, json!({"cause": cause}));
            }
            Self::Internal(cause) | Self::Fault { cause, .. } => {
                log::line("error", slug, correlation_id, json!({"cause": cause}))
            }
            _ => {}
        }
        let response = Response::from_json(&body)?.with_status(status);
        response.headers().set("content-type", "application/problem+json")?;
        response.headers().set("cache-control", "no-store")?;
        if let Some(seconds) = retry_after {
            response.headers().set("retry-after", &seconds.to_string())?;
        }
        Ok(response)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.detail();
        match refusal {
            Refusal::NotFound(_) => Self::NotFound,
            Refusal::Config(_) | Refusal::Invalid(_) => Self::Invalid(detail),
            Refusal::Exists | Refusal::NotAllowed(_) | Refusal::Registry(_) => Self::Conflict(detail),
            Refusal::Stale { current } => Self::Stale { current },
            Refusal::Unconfirmed(_) => Self::ConfirmationRequired(detail),
            Refusal::Forbidden(_) => Self::Forbidden(detail),
        }
    }
}

impl From<worker::Error> for ApiError {
    fn from(error: worker::Error) -> Self {
        Self::Internal(error.to_string())
    }
}
