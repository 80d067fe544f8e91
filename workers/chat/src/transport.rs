//! HTTPS only: what comes in plain is sent on or refused, and browsers are told to remember it.
//!
//! A local deployment (`ENVIRONMENT = "local"`) and loopback addresses are left alone: they have no certificate.

use silent_edge::error::ApiError;
use std::net::IpAddr;
use worker::{Env, Request, Response, Url};

/// One year, with all subdomains (RFC 6797).
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It came by HTTPS: answered, with HSTS.
    Secure,
    /// Plain, to this machine itself.
    Local,
    /// Plain and harmless: 308 to the same address by HTTPS.
    Redirect,
    /// Plain, and it may have carried something: refused, so that nobody gets used to it.
    Refuse,
}

/// Whether a URL's host is this machine (RFC 6761, "localhost."; RFC 1122, 127.0.0.0/8; RFC 4291, ::1).
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

fn verdict(scheme: &str, host: &str, method: &str) -> Verdict {
    match scheme {
        "https" => Verdict::Secure,
        _ if is_loopback(host) => Verdict::Local,
        _ if matches!(method, "GET" | "HEAD") => Verdict::Redirect,
        _ => Verdict::Refuse,
    }
}

fn judged(request: &Request) -> worker::Result<(Verdict, Url)> {
    let url = request.url()?;
    let method = silent_edge::http::method(request);
    Ok((verdict(url.scheme(), url.host_str().unwrap_or_default(), &method), url))
}

/// The answer to a request that came in plain; none where it may go on.
pub(crate) fn plain(request: &Request, env: &Env) -> Result<Option<Response>, ApiError> {
    if env.var("ENVIRONMENT").is_ok_and(|value| value.to_string() == "local") {
        return Ok(None);
    }
    let (verdict, mut url) = judged(request)?;
    match verdict {
        Verdict::Secure | Verdict::Local => Ok(None),
        Verdict::Refuse => Err(ApiError::Forbidden("use https".into())),
        Verdict::Redirect => {
            let secure = url.set_scheme("https").and_then(|()| url.set_port(None));
            secure.map_err(|()| ApiError::internal("url without a scheme"))?;
            let response = Response::empty()?.with_status(308);
            response.headers().set("location", url.as_str())?;
            Ok(Some(response))
        }
    }
}

/// The value of `strict-transport-security`, where it may be said: over HTTPS only (RFC 6797, 7.2).
pub(crate) fn hsts(request: &Request) -> Option<&'static str> {
    matches!(judged(request), Ok((Verdict::Secure, _))).then_some(HSTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn loopback_is_told_by_its_number_and_name() {
        for host in [
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "localhost.",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.0.1",
            "[::2]",
            "notlocalhost",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Property 4: what comes in plain from elsewhere is redirected where it is a GET, refused otherwise, and never
        /// answered; what comes by HTTPS goes on and carries HSTS.
        #[test]
        fn property_4_plain_http_is_redirected_or_refused(host in "[a-z0-9]{1,12}(\\.[a-z]{2,8}){1,3}", secure: bool, method in "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS") {
            prop_assume!(!host.ends_with(".localhost"));
            let scheme = if secure { "https" } else { "http" };
            let expected = match (secure, method.as_str()) {
                (true, _) => Verdict::Secure,
                (false, "GET" | "HEAD") => Verdict::Redirect,
                (false, _) => Verdict::Refuse,
            };
            prop_assert_eq!(verdict(scheme, &host, &method), expected);
        }
    }
}
