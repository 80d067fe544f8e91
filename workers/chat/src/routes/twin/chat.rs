//! Talking with a twin: one message in, one answer out, in a session that belongs to its person.

use super::{meant, owner, with_token};
use crate::auth;
use crate::internal::{call, session_stub};
use crate::routes::Door;
use crate::routes::sessions::{self, Wish};
use crate::twin;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use silent_core::ids::{PersonId, SessionId};
use silent_core::time::rfc3339;
use silent_core::turn::{Clock, Part};
use silent_core::variants::Overrides;
use silent_edge::error::ApiError;
use silent_edge::persona_store::{malformed, missing};
use silent_edge::{SystemClock, http};
use worker::{Headers, Method, Request, Response};

/// Longest message, in characters.
const MESSAGE_CHARS: usize = 8_000;
/// What a client is told to wait after a model has failed, seconds.
const MODEL_RETRY_S: u32 = 5;
/// Turns of a page of the history.
const PAGE: u32 = 100;

/// What is asked.
#[derive(Debug, PartialEq)]
struct Ask {
    message: String,
    session: Option<SessionId>,
    stream: bool,
    twin: Option<String>,
    link: Option<String>,
    timezone: Option<String>,
}

impl Ask {
    /// Reads the body; says which field is wrong, and never quotes what it holds.
    fn read(mut body: Map<String, Value>) -> Result<Self, ApiError> {
        let invalid = |detail: &str| ApiError::Invalid(detail.into());
        let mut text = |name: &str| match body.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ApiError::Invalid(format!("{name}: must be a string"))),
        };
        let message = text("message")?.ok_or_else(|| invalid("message: is missing"))?;
        if message.trim().is_empty() || message.chars().count() > MESSAGE_CHARS {
            return Err(ApiError::Invalid(format!(
                "message: must have 1 to {MESSAGE_CHARS} characters"
            )));
        }
        let session = text("session_id")?
            .map(|id| SessionId::parse(&id).map_err(|_| invalid("session_id: is not the id of a session")))
            .transpose()?;
        let (twin, link, timezone) = (text("twin")?, text("share")?, text("timezone")?);
        let stream = match body.remove("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(stream)) => stream,
            Some(_) => return Err(invalid("stream: must be true or false")),
        };
        if !body.is_empty() {
            return Err(invalid(
                "there is an unknown field: message, session_id, stream, twin, share and timezone are read",
            ));
        }
        if session.is_some() && (twin.is_some() || link.is_some()) {
            return Err(invalid(
                "session_id: a session has its twin already; leave twin and share out",
            ));
        }
        Ok(Self {
            message,
            session,
            stream,
            twin,
            link,
            timezone: timezone.filter(|zone| zone.len() <= 64),
        })
    }
}

/// `POST /api/chat`.
pub(super) async fn say(door: &Door, mut request: Request) -> Result<Response, ApiError> {
    let known = auth::person(&request, &door.tokens, door.now_ms).ok();
    door.limit(&request, known.as_ref()).await?;
    let https = request.url()?.scheme() == "https";
    let (body, _): (Map<String, Value>, _) = http::json(&mut request).await?;
    let ask = Ask::read(body)?;
    let (person, session) = match ask.session {
        Some(session) => (known.ok_or(ApiError::Unauthorized)?, session),
        None => begin(door, &request, known, &ask).await?,
    };
    let headers = door.headers(&request, &person)?;
    headers.set("content-type", "application/json")?;
    let turn = json!({"message": ask.message}).to_string();
    let mut response = call(
        &session_stub(&door.env, &session)?,
        Method::Post,
        "/turns",
        headers,
        Some(turn),
    )
    .await?;
    if response.status_code() == 200 && !ask.stream {
        let said = Said::read(&response.text().await?);
        if said.failed {
            return Err(explained(door, &request, &person, &session).await);
        }
        response = Response::from_json(&said.answer(&session))?;
    }
    let headers = response.headers().clone();
    headers.set("x-session-id", session.as_str())?;
    with_token(door, response.with_headers(headers), &person, https)
}

/// Begins a session with the twin that is meant, once its persona was seen to be there.
async fn begin(
    door: &Door,
    request: &Request,
    known: Option<PersonId>,
    ask: &Ask,
) -> Result<(PersonId, SessionId), ApiError> {
    let twin = meant(door, known.as_ref(), ask.twin.as_deref(), ask.link.as_deref())?;
    let nobody = PersonId::new(0, [0; 10]);
    twin::persona(&door.env, known.as_ref().unwrap_or(&nobody), &twin, door.now_ms).await?;
    let wish = Wish {
        locale: auth::locale(request),
        timezone: ask.timezone.clone(),
        overrides: Overrides::new(),
        twin: Some(twin),
    };
    let started = sessions::start(door, known, wish).await?;
    Ok((started.begin.person_id, started.begin.session_id))
}

/// Why a turn failed: the persona where it is that, else the model.
async fn explained(door: &Door, request: &Request, person: &PersonId, session: &SessionId) -> ApiError {
    let failed = ApiError::Unavailable {
        retry_after_s: MODEL_RETRY_S,
        cause: "the turn failed".into(),
    };
    let asked = async {
        let stub = session_stub(&door.env, session)?;
        let headers = door.headers(request, person)?;
        let mut response = call(&stub, Method::Get, "/twin", headers, None).await?;
        Ok::<_, ApiError>(response.text().await?)
    };
    match asked.await.as_deref() {
        Ok("persona-missing") => missing(),
        Ok("persona-malformed") => malformed("seen after a turn had failed"),
        Ok("gone") => ApiError::NotFound,
        _ => failed,
    }
}

/// What a turn's stream says, put together.
#[derive(Default)]
struct Said {
    text: String,
    safety: Option<Value>,
    failed: bool,
    whole: bool,
}

impl Said {
    fn read(stream: &str) -> Self {
        let mut said = Self::default();
        let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
        for part in data.filter_map(|data| serde_json::from_str::<Part>(data).ok()) {
            match part {
                Part::TextDelta { delta, .. } => said.text.push_str(&delta),
                // Another model begins again: what the first one said does not count.
                Part::ResetStep => said.text.clear(),
                Part::DataSafety { data } => said.safety = Some(data),
                Part::Finish { .. } | Part::Abort { .. } => said.whole = true,
                _ => {}
            }
        }
        // A stream without an end is a failure too.
        said.failed = !said.whole;
        said
    }

    fn answer(self, session: &SessionId) -> Value {
        let mut answer = json!({
            "response": self.text,
            "session_id": session,
            "timestamp": rfc3339(SystemClock.now_ms()),
        });
        if let (Some(safety), Some(answer)) = (self.safety, answer.as_object_mut()) {
            answer.insert("safety".into(), safety);
        }
        answer
    }
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Shown>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Shown {
    role: String,
    parts: Vec<Value>,
    metadata: Value,
}

impl Shown {
    fn plain(&self) -> Value {
        let texts = self.parts.iter().filter_map(|part| part.get("text")?.as_str());
        json!({
            "role": self.role,
            "content": texts.collect::<String>(),
            "timestamp": self.metadata.get("created_at"),
        })
    }
}

/// `GET /api/chat/history/{session_id}`: all of it, oldest first.
pub(super) async fn history(door: &Door, request: &Request, session: &str) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let session = SessionId::parse(session).map_err(|_| ApiError::NotFound)?;
    let stub = session_stub(&door.env, &session)?;
    let mut newest_first: Vec<Value> = Vec::new();
    let mut path = format!("/?limit={PAGE}");
    loop {
        let headers: Headers = door.headers(request, &person)?;
        let mut response = call(&stub, Method::Get, &path, headers, None).await?;
        match response.status_code() {
            200 => {}
            404 => return Err(ApiError::NotFound),
            status => return Err(ApiError::unavailable(format!("session answered {status}"))),
        }
        let page: Page = response.json().await?;
        newest_first.extend(page.messages.iter().rev().map(Shown::plain));
        match page.next {
            Some(cursor) => path = format!("/?limit={PAGE}&cursor={cursor}"),
            None => break,
        }
    }
    newest_first.reverse();
    let response = Response::from_json(&json!({"messages": newest_first}))?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value) -> Result<Ask, ApiError> {
        Ask::read(body.as_object().unwrap().clone())
    }

    #[test]
    fn what_is_wrong_is_named_and_not_quoted() {
        let check = |body: Value, field: &str| match read(body.clone()) {
            Err(ApiError::Invalid(detail)) => {
                assert!(detail.starts_with(field) && !detail.contains("secret"), "{detail}")
            }
            other => panic!("{body}: {other:?}"),
        };
        check(json!({}), "message: is missing");
        check(json!({"message": 7}), "message: must be a string");
        check(json!({"message": " "}), "message: must have");
        check(json!({"message": "secret".repeat(2_000)}), "message: must have");
        check(json!({"message": "x", "session_id": "secret"}), "session_id");
        check(json!({"message": "x", "stream": "secret"}), "stream");
        check(json!({"message": "x", "secret": 1}), "there is an unknown field");
        let ask = read(json!({"message": "x", "stream": true, "session_id": null})).unwrap();
        assert!(ask.stream && ask.session.is_none());
    }

    #[test]
    fn a_stream_is_put_together_and_half_of_one_is_a_failure() {
        let stream = "id: 0\ndata: {\"type\":\"start-step\"}\n\nid: 1\ndata: {\"type\":\"text-delta\",\"id\":\"t0\",\"delta\":\"Hel\"}\n\n: ping\n\nid: 2\ndata: {\"type\":\"text-delta\",\"id\":\"t0\",\"delta\":\"lo\"}\n\n";
        let half = Said::read(stream);
        assert!(half.failed);
        let whole = Said::read(&format!(
            "{stream}id: 3\ndata: {{\"type\":\"finish\",\"finishReason\":\"stop\"}}\n\ndata: [DONE]\n\n"
        ));
        assert_eq!((whole.text.as_str(), whole.failed), ("Hello", false));
    }
}
