//! The link to approve a promotion: it shows what is asked, and takes another admin's word once.

use super::workflows::shown;
use super::{Answer, Door, base64url, query};
use crate::workflow_do::{Ask, ask, gone};
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::workflow::{Approval, Run};
use silent_edge::error::ApiError;
use silent_edge::token::Tokens;
use silent_edge::{http, random};
use worker::{Request, Response};

/// Longest token that is looked at.
const TOKEN_CHARS: usize = 2_000;

/// What a link names: run, round, the registry's version.
struct Link {
    run: String,
    round: u32,
    snapshot_version: u64,
}

fn link(door: &Door, token: &str) -> Result<Link, ApiError> {
    let forged = || ApiError::Forbidden("the link is not one of ours".into());
    if token.len() > TOKEN_CHARS {
        return Err(forged());
    }
    let thing = match Tokens::read(&door.env)?.verify_approval(token, door.now_ms) {
        Ok(thing) => thing,
        Err(ApiError::NotFound) => return Err(gone("the link has expired")),
        Err(_) => return Err(forged()),
    };
    let mut parts = thing.split('.');
    let (Some(run), Some(round), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(forged());
    };
    Ok(Link {
        run: run.into(),
        round: round.parse().map_err(|_| forged())?,
        snapshot_version: version.parse().map_err(|_| forged())?,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    token: String,
}

/// What is asked: a page for people, JSON for programs. Opening it approves nothing, as previews of chats open links too.
pub(super) async fn open(door: &Door, request: &Request) -> Answer {
    let opened: Opened = query(request)?;
    let link = link(door, &opened.token)?;
    let run = ask(&door.env, &link.run, &Ask::Show).await?;
    let is_open = run.state.name() == "waiting" && run.round == link.round;
    let wants_page = http::header(request.headers(), "accept").is_some_and(|accept| accept.contains("text/html"));
    if !wants_page {
        return Ok(Response::from_json(
            &json!({"run": shown(&run), "snapshot_version": link.snapshot_version, "open": is_open}),
        )?);
    }
    let nonce = base64url(&random::bytes::<12>()?);
    let response = Response::from_html(page(&run, &opened.token, is_open, &nonce))?;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    response.headers().set("content-security-policy", &policy)?;
    response.headers().set("referrer-policy", "no-referrer")?;
    response.headers().set("x-content-type-options", "nosniff")?;
    Ok(response)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

fn page(run: &Run, token: &str, is_open: bool, nonce: &str) -> String {
    let subject = escaped(&run.target.to_string());
    let (author, reason) = (escaped(&run.author.id), escaped(&run.reason));
    let form = if is_open {
        format!(
            r#"<form><label>Why do you approve it? <input name="reason" minlength="3" maxlength="500" required></label> <button>Approve</button></form><p role="status"></p>
<script nonce="{nonce}">
const form = document.querySelector("form"), said = document.querySelector("[role=status]"), key = crypto.randomUUID();
form.addEventListener("submit", async (event) => {{
  event.preventDefault();
  const answer = await fetch("/admin/v1/approvals", {{ method: "POST", headers: {{ "content-type": "application/json", "idempotency-key": key }},
    body: JSON.stringify({{ token: "{}", reason: form.reason.value }}) }});
  const body = await answer.json();
  said.textContent = answer.ok ? "Approved." : body.detail ?? body.title;
  if (answer.ok) form.remove();
}});
</script>"#,
            escaped(token)
        )
    } else {
        String::from("<p>Nobody waits for an approval any more.</p>")
    };
    format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Promote {subject}?</title>
<style nonce="{nonce}">body{{font:1.1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}}input{{font:inherit;width:100%}}button{{font:inherit;margin-top:1rem}}</style>
<h1>Promote {subject} to production?</h1><p>{author} asks for it: {reason}</p>{form}</html>"#
    )
}

pub(super) async fn approve(door: &Door, mut request: Request) -> Answer {
    let (body, order) = door.ask::<Opened>(&mut request).await?;
    let link = link(door, &body.token)?;
    let approval = Approval {
        by: order.actor,
        reason: order.reason.trim().into(),
        fingerprint: format!("{}:{}", order.key, order.fingerprint),
    };
    let wish = Ask::Approve {
        round: link.round,
        snapshot_version: link.snapshot_version,
        approval,
    };
    let run = ask(&door.env, &link.run, &wish).await?;
    let shown: Value = shown(&run);
    Ok(Response::from_json(&shown)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use silent_core::registry::{Actor, ActorKind, Target};
    use silent_core::variants::{Category, VariantId};
    use silent_core::workflow::Plan;

    #[test]
    fn a_reason_is_text_and_nothing_else() {
        let target = Target {
            category: Category::LlmModel,
            id: VariantId::parse("x").unwrap(),
        };
        let author = Actor {
            id: "ada".into(),
            kind: ActorKind::User,
        };
        let plan = Plan {
            collect_ms: 1,
            approval_ms: 1,
        };
        let reason = r#"<script>alert("x")</script>"#.into();
        let run = Run::new("run_1".into(), target, author, reason, String::new(), plan, 1);
        let page = page(&run, "a.b.c", true, "n");
        assert!(
            page.contains("&lt;script&gt;alert(&quot;x&quot;)") && page.matches("<script").count() == 1,
            "{page}"
        );
    }
}
