//! What a request of a person is handled with, and who may ask.

use crate::chat::{Chat, Settings};
use silent_core::ids::SessionId;
use silent_core::turn::Clock;
use silent_edge::error::ApiError;
use silent_edge::speech::Speech;
use silent_edge::token::Tokens;
use silent_edge::{SystemClock, http, random};
use std::rc::Rc;
use worker::{Cf, Env, Request, Response};

/// Why there is no answer of ours.
pub(crate) enum Fail {
    /// A problem.
    Api(ApiError),
    /// The chat Worker has said why.
    Said(Response),
}

impl From<ApiError> for Fail {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<worker::Error> for Fail {
    fn from(error: worker::Error) -> Self {
        Self::Api(error.into())
    }
}

/// What a request is handled with.
pub(crate) struct Door {
    pub(crate) env: Env,
    pub(crate) tokens: Tokens,
    pub(crate) speech: Rc<Speech>,
    pub(crate) now_ms: u64,
    pub(crate) correlation_id: String,
}

impl Door {
    pub(crate) fn open(env: Env) -> Result<Self, ApiError> {
        let id: [u8; 16] = random::bytes()?;
        Ok(Self {
            tokens: Tokens::read(&env)?,
            speech: Rc::new(Speech::read(&env)?),
            now_ms: SystemClock.now_ms(),
            correlation_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            env,
        })
    }

    /// The chat Worker as this person sees it, and what it says about the session.
    pub(crate) async fn enter(&self, request: &Request, session: &SessionId) -> Result<(Chat, Settings), Fail> {
        check_origin(request, &self.env)?;
        let person_token = token(request)?;
        let region = http::header(request.headers(), "x-country")
            .or_else(|| asked(request, "country").and_then(|code| http::country(&code)))
            .or_else(|| request.cf().and_then(Cf::country));
        let address = http::header(request.headers(), "cf-connecting-ip");
        let traceparent = http::header(request.headers(), "traceparent");
        let mut chat = Chat::new(&self.env, &self.tokens, session.clone(), person_token, region, address)?;
        chat.traceparent = traceparent;
        let settings = chat.settings().await?;
        Ok((chat, settings))
    }
}

/// What stands in the query under a name: for sockets, which browsers open without headers.
fn asked(request: &Request, name: &str) -> Option<String> {
    let url = request.url().ok()?;
    let pair = url.query_pairs().find(|(known, _)| known == name)?;
    Some(pair.1.into_owned())
}

/// The guest's token: a bearer, the cookie, or `?token=`.
fn token(request: &Request) -> Result<String, ApiError> {
    let bearer = http::header(request.headers(), "authorization")
        .and_then(|value| value.strip_prefix("Bearer ").map(String::from));
    bearer
        .or_else(|| asked(request, "token"))
        .or_else(|| http::cookie(request.headers(), "si_token"))
        .ok_or(ApiError::Unauthorized)
}

/// Refuses what a foreign page makes a browser send; also sockets, for which there is no CORS.
fn check_origin(request: &Request, env: &Env) -> Result<(), ApiError> {
    let Some(origin) = http::header(request.headers(), "origin") else {
        return Ok(());
    };
    let own = request.url()?.origin().ascii_serialization();
    let allowed = env
        .var("ALLOWED_ORIGINS")
        .map(|list| list.to_string())
        .unwrap_or_default();
    if origin == own || allowed.split(',').any(|one| one.trim() == origin) {
        Ok(())
    } else {
        Err(ApiError::ForbiddenOrigin)
    }
}
