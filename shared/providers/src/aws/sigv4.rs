//! Signature Version 4: signed headers and presigned URLs. The time is an argument.
//!
//! Source: AWS, "Signature Version 4 signing process" and "Create a signed AWS API request"; checked against the AWS signing
//! test suite.

use crate::http::{Secret, percent_encode};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use silent_core::time::rfc3339;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its public name.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// The token of temporary credentials.
    pub session_token: Option<Secret>,
}

/// What a service expects of the canonical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// Dots and double slashes resolved, encoded once more: every service but S3.
    Normalized,
    /// Encoded once more, otherwise as sent.
    Encoded,
    /// As sent: S3 and R2.
    Verbatim,
}

/// What the signature says about the body.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nothing: S3 and R2 allow it.
    Unsigned,
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Absolute, as it is sent.
    pub url: &'a str,
    /// Every header to be signed, beside `host`, which comes from the URL, and those that the signer adds.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub payload: Payload<'a>,
}

/// Signs for one service at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Who signs.
    pub credentials: &'a Credentials,
    /// For example `us-east-1`; `auto` for R2.
    pub region: &'a str,
    /// For example `bedrock`, `polly`, `s3`.
    pub service: &'a str,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// How the service reads paths.
    pub paths: Paths,
    /// Whether `x-amz-content-sha256` is sent: S3 and R2 demand it.
    pub content_sha256: bool,
}

impl Signer<'_> {
    /// The headers to add, `authorization` last.
    #[must_use]
    pub fn sign(&self, request: &Request<'_>) -> Vec<(&'static str, String)> {
        let hash = payload_hash(request.payload);
        let mut added = Vec::from([("x-amz-date", self.timestamp())]);
        if self.content_sha256 {
            added.push(("x-amz-content-sha256", hash.clone()));
        }
        if let Some(token) = &self.credentials.session_token {
            added.push(("x-amz-security-token", token.expose().to_string()));
        }
        let url = Url::parse(request.url);
        let (headers, names) = canonical_headers(&url, request.headers, &added);
        let canonical = self.canonical(request, &url, &canonical_query(url.query, &[]), &headers, &names, &hash);
        let authorization = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={names}, Signature={}",
            self.credentials.access_key_id,
            self.scope(),
            self.signature(&canonical)
        );
        added.push(("authorization", authorization));
        added
    }

    /// The URL that stands for the request for `expires_s` seconds (at most 604,800, a week).
    #[must_use]
    pub fn presign(&self, request: &Request<'_>, expires_s: u32) -> String {
        let url = Url::parse(request.url);
        let (headers, names) = canonical_headers(&url, request.headers, &[]);
        let credential = format!("{}/{}", self.credentials.access_key_id, self.scope());
        let mut query = Vec::from([
            ("X-Amz-Algorithm", ALGORITHM.to_string()),
            ("X-Amz-Credential", credential),
            ("X-Amz-Date", self.timestamp()),
            ("X-Amz-Expires", expires_s.to_string()),
            ("X-Amz-SignedHeaders", names.clone()),
        ]);
        if let Some(token) = &self.credentials.session_token {
            query.push(("X-Amz-Security-Token", token.expose().to_string()));
        }
        let hash = payload_hash(request.payload);
        let canonical_query = canonical_query(url.query, &query);
        let canonical = self.canonical(request, &url, &canonical_query, &headers, &names, &hash);
        // The canonical form of a query means the same as the query: one form for the wire and the signature.
        format!(
            "{}?{canonical_query}&X-Amz-Signature={}",
            request.url.split('?').next().unwrap_or(""),
            self.signature(&canonical)
        )
    }

    fn canonical(
        &self,
        request: &Request<'_>,
        url: &Url<'_>,
        query: &str,
        headers: &str,
        names: &str,
        hash: &str,
    ) -> String {
        let path = match self.paths {
            Paths::Normalized => percent_encode(&normalize(url.path), "/"),
            Paths::Encoded => percent_encode(url.path, "/"),
            Paths::Verbatim => url.path.to_string(),
        };
        format!("{}\n{path}\n{query}\n{headers}\n{names}\n{hash}", request.method)
    }

    fn signature(&self, canonical: &str) -> String {
        let to_sign = format!(
            "{ALGORITHM}\n{}\n{}\n{}",
            self.timestamp(),
            self.scope(),
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let secret = format!("AWS4{}", self.credentials.secret_access_key.expose());
        let date = hmac(secret.as_bytes(), &self.date());
        let region = hmac(&date, self.region);
        let service = hmac(&region, self.service);
        hex(&hmac(&hmac(&service, "aws4_request"), &to_sign))
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service)
    }

    /// `20150830T123600Z`.
    fn timestamp(&self) -> String {
        let rfc3339 = rfc3339(self.now_ms);
        let seconds = rfc3339.split('.').next().unwrap_or("");
        let mut stamp: String = seconds.chars().filter(|c| !"-:".contains(*c)).collect();
        stamp.push('Z');
        stamp
    }

    /// `20150830`.
    fn date(&self) -> String {
        self.timestamp().split('T').next().unwrap_or("").to_string()
    }
}

struct Url<'a> {
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match before.find('/') {
            Some(at) => before.split_at(at),
            None => (before, "/"),
        };
        Self { host, path, query }
    }
}

/// Resolves `.`, `..` and empty segments (RFC 3986, section 5.2.4).
fn normalize(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut out = String::from("/");
    out.push_str(&segments.join("/"));
    let open = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if open && !segments.is_empty() {
        out.push('/');
    }
    out
}

fn canonical_query(query: &str, added: &[(&str, String)]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // What is encoded already stays as it is, so that `%E1` and the letter that it stands for are the same.
            (encode_raw(name), encode_raw(value))
        })
        .collect();
    pairs.extend(
        added
            .iter()
            .map(|(name, value)| (percent_encode(name, ""), percent_encode(value, ""))),
    );
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn encode_raw(text: &str) -> String {
    percent_encode(text, "%")
}

/// The lines of the headers, and their names.
fn canonical_headers(url: &Url<'_>, headers: &[(&str, &str)], added: &[(&'static str, String)]) -> (String, String) {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| {
        let name = name.to_ascii_lowercase();
        let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
        let value = words.join(" ");
        match lines.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => lines.push((name, value)),
        }
    };
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        put("host", url.host);
    }
    for (name, value) in headers {
        put(name, value);
    }
    for (name, value) in added {
        put(name, value);
    }
    lines.sort();
    let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines = lines.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    (lines, names)
}

fn payload_hash(payload: Payload<'_>) -> String {
    match payload {
        Payload::Bytes(bytes) => hex(&Sha256::digest(bytes)),
        Payload::Unsigned => "UNSIGNED-PAYLOAD".to_string(),
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length; the error of the trait cannot happen.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text.as_bytes()).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
