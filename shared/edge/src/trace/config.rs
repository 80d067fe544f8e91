//! What is traced and where it goes: OpenTelemetry's own variables, so that they mean what people know.

use crate::config::text;
use crate::error::ApiError;
use silent_core::trace::Sampler;
use silent_core::trace::names::Resource;
use silent_core::trace::otlp::Protocol;
use std::time::Duration;
use worker::Env;

/// OpenTelemetry's default for `OTEL_EXPORTER_OTLP_TIMEOUT`.
const TIMEOUT_MS: u64 = 10_000;

/// Where spans go.
#[derive(Clone)]
pub(super) enum Target {
    None,
    Stdout,
    Otlp(Endpoint),
}

/// A collector.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) protocol: Protocol,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Duration,
}

/// The configuration of traces.
#[derive(Clone)]
pub struct TraceConfig {
    pub(super) target: Target,
    pub(super) sampler: Sampler,
    pub(super) resource: Resource,
}

impl TraceConfig {
    /// Reads `TRACE_EXPORTER` (`otlp`, `stdout`, `none`), `TRACE_SAMPLE_RATIO` (1), `OTEL_SERVICE_NAME` (`service`) and, for
    /// `otlp`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_PROTOCOL`, `…_TIMEOUT` and the secret `…_HEADERS`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] naming what is missing or malformed, never its value.
    pub fn read(env: &Env, service: &str) -> Result<Self, ApiError> {
        let environment = text(env, "ENVIRONMENT").unwrap_or_else(|| "local".into());
        // Locally a secret comes from `.dev.vars`, in tests from a variable.
        let secret = |name: &str| env.secret(name).ok().map(|value| value.to_string());
        let read = |name: &str| text(env, name).or_else(|| secret(name).filter(|value| !value.is_empty()));
        Self::from(&read, environment, service).map_err(ApiError::internal)
    }

    fn from(read: &dyn Fn(&str) -> Option<String>, environment: String, service: &str) -> Result<Self, String> {
        let target = match read("TRACE_EXPORTER").as_deref() {
            None | Some("none") => Target::None,
            Some("stdout") => Target::Stdout,
            Some("otlp") => Target::Otlp(Endpoint::from(read, environment != "production")?),
            Some(_) => return Err("TRACE_EXPORTER is none of otlp, stdout, none".into()),
        };
        let ratio = match read("TRACE_SAMPLE_RATIO").as_deref().map(str::parse::<f64>) {
            None => 1.0,
            Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
            Some(_) => return Err("TRACE_SAMPLE_RATIO is no number from 0 to 1".into()),
        };
        // Nobody records here: a trace that begins here is not said to be sampled.
        let ratio = if matches!(target, Target::None) { 0.0 } else { ratio };
        Ok(Self {
            target,
            sampler: Sampler::new(ratio),
            resource: Resource {
                service: read("OTEL_SERVICE_NAME").unwrap_or_else(|| service.into()),
                version: env!("CARGO_PKG_VERSION").into(),
                environment,
            },
        })
    }
}

impl Endpoint {
    fn from(read: &dyn Fn(&str) -> Option<String>, may_be_plain: bool) -> Result<Self, String> {
        let base = read("OTEL_EXPORTER_OTLP_ENDPOINT").ok_or("OTEL_EXPORTER_OTLP_ENDPOINT is not set")?;
        if !(base.starts_with("https://") || may_be_plain && base.starts_with("http://")) {
            return Err("OTEL_EXPORTER_OTLP_ENDPOINT is not https".into());
        }
        let protocol = match read("OTEL_EXPORTER_OTLP_PROTOCOL") {
            None => Protocol::default(),
            Some(name) => Protocol::from_name(&name)
                .ok_or("OTEL_EXPORTER_OTLP_PROTOCOL is neither http/protobuf nor http/json")?,
        };
        let timeout_ms = match read("OTEL_EXPORTER_OTLP_TIMEOUT") {
            None => TIMEOUT_MS,
            Some(value) => value
                .parse()
                .map_err(|_| "OTEL_EXPORTER_OTLP_TIMEOUT is not a number")?,
        };
        let headers = read("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        Ok(Self {
            // OTLP exporter specification, "Endpoint URLs for OTLP/HTTP": the signal's path is appended to the base.
            url: format!("{}/v1/traces", base.trim_end_matches('/')),
            protocol,
            headers: headers_of(&headers).ok_or("OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value")?,
            timeout: Duration::from_millis(timeout_ms),
        })
    }
}

/// `name=value` pairs, separated by commas, the values percent-encoded (OTLP exporter specification, "Specifying headers
/// via environment variables").
fn headers_of(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim(), percent_decoded(value.trim())?);
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
            let valid =
                !name.is_empty() && name.bytes().all(is_name) && value.bytes().all(|byte| (0x20..0x7F).contains(&byte));
            valid.then(|| (name.to_ascii_lowercase(), value))
        })
        .collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)], environment: &str) -> Result<TraceConfig, String> {
        let find = |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_string())
        };
        TraceConfig::from(&find, environment.into(), "chat")
    }

    fn endpoint(vars: &[(&str, &str)]) -> Endpoint {
        let all = [&[("TRACE_EXPORTER", "otlp")], vars].concat();
        match read(&all, "production").unwrap().target {
            Target::Otlp(endpoint) => endpoint,
            _ => panic!("no endpoint"),
        }
    }

    #[test]
    fn opentelemetrys_variables_mean_what_they_say() {
        let plain = endpoint(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.org")]);
        assert_eq!(plain.url, "https://collector.example.org/v1/traces");
        assert_eq!(plain.protocol, Protocol::Protobuf);
        assert_eq!(plain.timeout, Duration::from_secs(10));
        let full = endpoint(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://example.org/otlp/"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "api-key=a%20b%3D, Authorization=Basic%20eA== ,",
            ),
        ]);
        assert_eq!(full.url, "https://example.org/otlp/v1/traces");
        assert_eq!(full.protocol, Protocol::Json);
        assert_eq!(full.timeout, Duration::from_millis(500));
        let header = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(
            full.headers,
            [header("api-key", "a b="), header("authorization", "Basic eA==")]
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_never_quoted() {
        let url = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://example.org");
        for (vars, named) in [
            (&[("TRACE_EXPORTER", "secret")][..], "TRACE_EXPORTER"),
            (&[("TRACE_EXPORTER", "otlp")], "OTEL_EXPORTER_OTLP_ENDPOINT"),
            (
                &[
                    ("TRACE_EXPORTER", "otlp"),
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://secret"),
                ],
                "OTEL_EXPORTER_OTLP_ENDPOINT",
            ),
            (
                &[("TRACE_EXPORTER", "otlp"), url, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                "OTEL_EXPORTER_OTLP_PROTOCOL",
            ),
            (
                &[
                    ("TRACE_EXPORTER", "otlp"),
                    url,
                    ("OTEL_EXPORTER_OTLP_TIMEOUT", "secret"),
                ],
                "OTEL_EXPORTER_OTLP_TIMEOUT",
            ),
            (
                &[
                    ("TRACE_EXPORTER", "otlp"),
                    url,
                    ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
                ],
                "OTEL_EXPORTER_OTLP_HEADERS",
            ),
            (
                &[
                    ("TRACE_EXPORTER", "otlp"),
                    url,
                    ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0d%0ab"),
                ],
                "OTEL_EXPORTER_OTLP_HEADERS",
            ),
            (&[("TRACE_SAMPLE_RATIO", "secret")], "TRACE_SAMPLE_RATIO"),
            (&[("TRACE_SAMPLE_RATIO", "1.5")], "TRACE_SAMPLE_RATIO"),
            (&[("TRACE_SAMPLE_RATIO", "NaN")], "TRACE_SAMPLE_RATIO"),
        ] {
            let error = read(vars, "production").err().unwrap();
            assert!(error.contains(named) && !error.contains("secret"), "{error}");
        }
        assert!(read(&[], "production").is_ok());
        let plain = [
            ("TRACE_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ];
        assert!(read(&plain, "local").is_ok());
    }
}
