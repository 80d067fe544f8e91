//! An HTTP request as a value. What may be secret never shows in `Debug`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// A key. Shown as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for a header or a signature.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// The methods that vendors use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; no body.
    Get,
    /// Asks.
    Post,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Its method.
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for GET.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A GET that wants JSON.
    #[must_use]
    pub fn get(url: String) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: Vec::from([("accept", "application/json".to_string())]),
            body: Vec::new(),
        }
    }

    /// A POST of JSON; `accept` is the type of the answer.
    #[must_use]
    pub fn post(url: String, accept: &str, body: &serde_json::Value) -> Self {
        Self {
            method: Method::Post,
            url,
            headers: Vec::from([
                ("content-type", "application/json".to_string()),
                ("accept", accept.to_string()),
            ]),
            body: body.to_string().into_bytes(),
        }
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Says where it goes and how long it is: headers, query and body may hold keys or what a person said.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url.split('?').next().unwrap_or(""))
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Seconds that an answer's `retry-after-ms` or `retry-after` asks to wait, rounded up. A date is not read: there is no clock.
#[must_use]
pub fn retry_after_s(header: &dyn Fn(&str) -> Option<String>) -> Option<u32> {
    let millis = header("retry-after-ms").and_then(|value| value.trim().parse::<u32>().ok());
    match millis {
        Some(millis) => Some(millis.div_ceil(1_000)),
        // Some vendors give fractions; the next whole second is late enough.
        None => {
            let value = header("retry-after")?;
            let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
            let whole: u32 = whole.parse().ok()?;
            Some(whole.saturating_add(u32::from(fraction.bytes().any(|digit| digit != b'0'))))
        }
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 and those of `keep`.
#[must_use]
pub(crate) fn percent_encode(text: &str, keep: &str) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(c) || (byte.is_ascii() && keep.contains(c)) {
            out.push(c);
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn nothing_secret_is_shown() {
        let mut request = HttpRequest::post("https://x/y?key=SECRET".into(), "*/*", &serde_json::json!("SECRET"));
        request.headers.push(("authorization", "Bearer SECRET".into()));
        let shown = format!("{request:?} {:?}", Secret::new("SECRET"));
        assert!(!shown.contains("SECRET"), "{shown}");
        assert!(
            shown.contains("https://x/y") && shown.contains("authorization"),
            "{shown}"
        );
    }

    #[test]
    fn waits_are_whole_seconds() {
        for (name, value, expected) in [
            ("retry-after", "3", Some(3)),
            ("retry-after", "0.25", Some(1)),
            ("retry-after", " 7.0 ", Some(7)),
            ("retry-after-ms", "1200", Some(2)),
            ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("other", "3", None),
        ] {
            let header = |asked: &str| (asked == name).then(|| value.to_string());
            assert_eq!(retry_after_s(&header), expected, "{name}: {value}");
        }
    }

    #[test]
    fn percent_encoding() {
        assert_eq!(percent_encode("a b/ሴ~:%", "/"), "a%20b/%E1%88%B4~%3A%25");
    }
}
