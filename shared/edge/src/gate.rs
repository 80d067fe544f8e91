//! The crisis gate, asked over a service binding.

use serde::Deserialize;
use serde_json::json;
use silent_core::safety::{Assessment, SafetyState};
use silent_core::turn::{GateError, SafetyGate};
use worker::{Fetcher, Headers, Method, RequestInit};

/// How often it is asked before it counts as away.
const ATTEMPTS: u8 = 2;

/// The safety Worker.
pub struct Gate {
    service: Fetcher,
}

#[derive(Deserialize)]
struct Answer {
    assessment: Assessment,
    state: SafetyState,
}

impl Gate {
    /// Over the binding to the safety Worker.
    #[must_use]
    pub fn new(service: Fetcher) -> Self {
        Self { service }
    }

    async fn ask(&self, message: &str, state: SafetyState) -> worker::Result<Answer> {
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(json!({"message": message, "state": state}).to_string().into()));
        let response = self.service.fetch("https://internal/assess", Some(init)).await?;
        if response.status_code() != 200 {
            return Err(worker::Error::RustError(format!(
                "gate answered {}",
                response.status_code()
            )));
        }
        Ok(serde_json::from_str(&crate::http::text_of(response).await?)?)
    }
}

impl SafetyGate for Gate {
    async fn assess(&self, message: &str, state: &mut SafetyState) -> Result<Assessment, GateError> {
        for _ in 0..ATTEMPTS {
            if let Ok(answer) = self.ask(message, *state).await {
                *state = answer.state;
                return Ok(answer.assessment);
            }
        }
        Err(GateError)
    }
}
