//! The dashboard's page, for admins only: the admin Worker says who is one, the assets are ours.

use super::forward;
use silent_edge::access::HEADER;
use silent_edge::error::ApiError;
use silent_edge::http::header;
use worker::{Env, Headers, Method, Request, RequestInit, Response};

/// Where a developer signs in with a token of the local issuer; no deployed Worker has this page.
const SIGN_IN: &str = include_str!("sign_in.html");

/// Answers `GET /admin` and the dashboard's views below it.
pub(super) async fn page(env: &Env, request: &Request, view: &[&str]) -> Result<Response, ApiError> {
    let environment = env
        .var("ENVIRONMENT")
        .map(|value| value.to_string())
        .unwrap_or_default();
    let is_local = matches!(environment.as_str(), "local" | "test");
    if view == ["sign-in"] && is_local {
        return html(Response::from_html(SIGN_IN)?);
    }
    let headers = Headers::new();
    for name in [HEADER, "cookie"] {
        if let Some(value) = header(request.headers(), name) {
            headers.set(name, &value)?;
        }
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    let url = request.url()?;
    let me = Request::new_with_init(url.join("/admin/v1/me").unwrap_or_else(|_| url.clone()).as_str(), &init)?;
    let answer = forward(env, "ADMIN", me).await?;
    match answer.status_code() {
        200 => {
            let page = url.join("/admin/").unwrap_or(url);
            let found = env
                .service("ASSETS")?
                .fetch(page.as_str(), None)
                .await
                .map_err(|error| ApiError::unavailable(format!("assets: {error}")))?;
            html(found)
        }
        401 if is_local => {
            let sign_in = url.join("/admin/sign-in").unwrap_or(url);
            Ok(Response::redirect(sign_in)?)
        }
        _ => Ok(answer),
    }
}

/// Nobody else's page may frame it, and no cache keeps it.
fn html(response: Response) -> Result<Response, ApiError> {
    let headers = response.headers().clone();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        headers.set(name, value)?;
    }
    Ok(response.with_headers(headers))
}
