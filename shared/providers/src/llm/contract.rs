//! The behavioural contract of every vendor's adapter, tested over all recorded streams in `testdata`.
//!
//! A case is a stream (`.sse`, `.ndjson`, `.frames`) or an answer at once (`.json`) beside the events that must come of it
//! (`.events`); `errors.jsonl` has answers of other statuses.

extern crate std;

use super::{Decoder, Endpoint, Mode, validate_response, workers_ai};
use crate::aws::event_stream;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use silent_core::conversation::{Message, Role};
use silent_core::trace::TraceContext;
use silent_core::turn::{LlmEvent, LlmRequest, ProviderError};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// 2026-11-21T05:00:00Z.
pub(crate) const NOW_MS: u64 = 1_795_237_200_000;

const VENDORS: [&str; 7] = [
    "anthropic",
    "bedrock",
    "gemini",
    "ollama",
    "openai",
    "openrouter",
    "workers-ai",
];

/// What every vendor's recordings must show.
const REQUIRED: [&str; 5] = ["whole", "length", "error", "cut", "at-once"];

/// The example of W3C Trace Context, section 3.2.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub(crate) fn ask(text: &str) -> LlmRequest {
    LlmRequest {
        model: "m".into(),
        system: "be kind".into(),
        messages: vec![Message {
            role: Role::User,
            text: text.into(),
            at_ms: 1,
        }],
        max_output_tokens: 5,
        temperature_milli: 700,
        response_schema: None,
        trace: TraceContext::parse(TRACEPARENT, Some("foo=1")),
    }
}

pub(crate) fn endpoint_of(vendor: &str) -> Endpoint {
    let setting = |name: &'static str| {
        let value = match name {
            "base_url" if ["gemini", "openai", "openrouter"].contains(&vendor) => "https://host.test/v1/",
            "base_url" | "control_url" => "https://host.test/",
            "api_key" if vendor == "bedrock" => return None,
            "api_key" | "secret_access_key" | "session_token" => "KEY",
            "access_key_id" => "AKIDEXAMPLE",
            "region" => "eu-central-1",
            "temperature" => "true",
            "quirks" => "openai",
            "num_ctx" => "8192",
            _ => return None,
        };
        Some(value.to_string())
    };
    Endpoint::configure(vendor, &setting).unwrap()
}

fn decoder_of(vendor: &str) -> Decoder {
    match vendor {
        "workers-ai" => workers_ai::decoder(None, &ask("hi")),
        _ => endpoint_of(vendor).decoder(&ask("hi")),
    }
}

fn parse_whole(vendor: &str, bytes: &[u8]) -> Result<Vec<LlmEvent>, ProviderError> {
    match vendor {
        "workers-ai" => workers_ai::parse_whole(None, &ask("hi"), bytes),
        _ => endpoint_of(vendor).parse_whole(&ask("hi"), bytes),
    }
}

/// A recorded stream.
#[derive(Debug)]
struct Recording {
    vendor: &'static str,
    name: String,
    bytes: Vec<u8>,
    expected: String,
}

/// `[":event-type" or ":exception-type", its value, payload]` for each frame.
fn frames(text: &str) -> Vec<u8> {
    let frames: Vec<(String, String, Value)> = serde_json::from_str(text).unwrap();
    let frame = |(header, kind, payload): &(String, String, Value)| {
        let message = if header == ":event-type" { "event" } else { "exception" };
        let headers = [
            (header.as_str(), kind.as_str()),
            (":content-type", "application/json"),
            (":message-type", message),
        ];
        event_stream::encode(&headers, payload.to_string().as_bytes())
    };
    frames.iter().flat_map(frame).collect()
}

fn folder(vendor: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(vendor)
}

/// The recordings of these kinds, by vendor and name.
fn recordings(kinds: &[&str]) -> Vec<Recording> {
    let mut all = Vec::new();
    for vendor in VENDORS {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder(vendor))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            let kind = path.extension().unwrap().to_str().unwrap();
            if kinds.contains(&kind) {
                let mut bytes = fs::read(&path).unwrap();
                if kind == "frames" {
                    bytes = frames(core::str::from_utf8(&bytes).unwrap());
                }
                all.push(Recording {
                    vendor,
                    name: path.file_stem().unwrap().to_str().unwrap().into(),
                    bytes,
                    expected: fs::read_to_string(path.with_extension("events")).unwrap(),
                });
            }
        }
    }
    all
}

static STREAMS: LazyLock<Vec<Recording>> = LazyLock::new(|| recordings(&["sse", "ndjson", "frames"]));

type Decoded = (Vec<Result<LlmEvent, ProviderError>>, Result<(), ProviderError>);

/// Decodes as a caller does: nothing is read after the decoder is done.
fn decode(vendor: &str, pieces: &[&[u8]]) -> Decoded {
    let mut decoder = decoder_of(vendor);
    let mut events = Vec::new();
    for piece in pieces {
        if decoder.is_done() {
            break;
        }
        events.extend(decoder.push(piece));
    }
    (events, decoder.finish())
}

fn shown(event: &Result<LlmEvent, ProviderError>) -> String {
    match event {
        Ok(LlmEvent::Model(name)) => format!("model {name}"),
        Ok(LlmEvent::Delta(text)) => format!("delta {text:?}"),
        Ok(LlmEvent::Usage(usage)) => format!(
            "usage {} in ({} cached), {} out ({} reasoning)",
            usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, usage.reasoning_tokens
        ),
        Ok(LlmEvent::Cost(micros)) => format!("cost {micros}"),
        Ok(LlmEvent::Stop(reason)) => format!("stop {}", reason.slug()),
        Ok(other) => format!("{other:?}, which no vendor says"),
        Err(error) => format!("error {error:?}"),
    }
}

fn shown_all((events, end): &Decoded) -> String {
    let mut lines: Vec<String> = events.iter().map(shown).collect();
    lines.push(match end {
        Ok(()) => "end".into(),
        Err(error) => format!("end {error:?}"),
    });
    lines.join("\n") + "\n"
}

#[test]
fn recorded_streams_give_their_events() {
    for case in STREAMS.iter() {
        let decoded = decode(case.vendor, &[&case.bytes]);
        assert_eq!(shown_all(&decoded), case.expected, "{}/{}", case.vendor, case.name);
    }
}

#[test]
fn every_vendor_shows_what_can_happen() {
    let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in STREAMS.iter().chain(&recordings(&["json"])) {
        names.entry(case.vendor).or_default().push(case.name.clone());
    }
    for vendor in VENDORS {
        for required in REQUIRED {
            assert!(
                names[vendor].iter().any(|name| name == required),
                "{vendor} has no recording {required}"
            );
        }
        let stops = |word: &str| {
            let mut of_vendor = STREAMS.iter().filter(|case| case.vendor == vendor);
            of_vendor.any(|case| case.expected.contains(word))
        };
        // Ollama and Workers AI have neither a filter nor a word for a refusal.
        let silent = ["ollama", "workers-ai"].contains(&vendor);
        assert!(
            silent || stops("stop refusal") || stops("stop content-filter"),
            "{vendor} shows no refusal"
        );
    }
}

#[test]
fn answers_at_once_give_their_events() {
    for case in recordings(&["json"]) {
        let decoded = match parse_whole(case.vendor, &case.bytes) {
            Ok(events) => (events.into_iter().map(Ok).collect(), Ok(())),
            Err(error) => (vec![Err(error.clone())], Err(error)),
        };
        assert_eq!(shown_all(&decoded), case.expected, "{}/{}", case.vendor, case.name);
    }
}

#[test]
fn the_events_keep_the_rules() {
    for case in STREAMS.iter() {
        let (events, end) = decode(case.vendor, &[&case.bytes]);
        let name = format!("{}/{}", case.vendor, case.name);
        let position = |is: &dyn Fn(&Result<LlmEvent, ProviderError>) -> bool| -> Vec<usize> {
            let hits = events.iter().enumerate().filter(|(_, event)| is(event));
            hits.map(|(at, _)| at).collect()
        };
        let models = position(&|event| matches!(event, Ok(LlmEvent::Model(_))));
        if events.iter().any(Result::is_ok) {
            assert_eq!(models, [0], "{name}: the model is named first and once");
        }
        let errors = position(&|event| event.is_err());
        if let Some(at) = errors.first() {
            assert_eq!(*at, events.len() - 1, "{name}: nothing comes after an error");
            assert_eq!(end.as_ref().err(), events.last().unwrap().as_ref().err(), "{name}");
        }
        let stops = position(&|event| matches!(event, Ok(LlmEvent::Stop(_))));
        assert!(stops.len() <= 1, "{name}: one stop reason");
        assert_eq!(
            end.is_ok(),
            stops.len() == 1 && errors.is_empty(),
            "{name}: whole means stopped"
        );
        if end.is_ok() {
            let events: Vec<LlmEvent> = events.into_iter().map(Result::unwrap).collect();
            let valid = validate_response(&ask("hi"), &events);
            assert_eq!(valid.is_ok(), case.name != "silent", "{name}: {valid:?}");
        }
    }
}

/// One line of `errors.jsonl`.
#[derive(Deserialize)]
struct Refused {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
    expected: String,
}

#[test]
fn statuses_are_told_apart() {
    for vendor in VENDORS {
        let lines = fs::read_to_string(folder(vendor).join("errors.jsonl")).unwrap();
        assert!(lines.lines().count() >= 5, "{vendor}");
        for line in lines.lines() {
            let case: Refused = serde_json::from_str(line).unwrap();
            let header = |name: &str| case.headers.get(name).cloned();
            let body = match &case.body {
                Value::String(text) => text.clone().into_bytes(),
                body => body.to_string().into_bytes(),
            };
            let error = match vendor {
                "workers-ai" => workers_ai::error_of_status(case.status, &header, &body),
                _ => endpoint_of(vendor).error_of_status(case.status, &header, &body),
            };
            assert_eq!(format!("{error:?}"), case.expected, "{vendor}: {line}");
        }
    }
}

#[test]
fn no_key_is_shown() {
    for vendor in VENDORS.into_iter().filter(|vendor| *vendor != "workers-ai") {
        let endpoint = endpoint_of(vendor);
        for mode in [Mode::Stream, Mode::Whole] {
            let request = endpoint.request(&ask("hi"), mode, NOW_MS);
            assert!(request.url.starts_with("https://host.test/"), "{}", request.url);
            assert_eq!(request.header("traceparent"), Some(TRACEPARENT));
            assert_eq!(request.header("tracestate"), Some("foo=1"));
            let health = endpoint.health_check(NOW_MS);
            assert!(health.body.is_empty());
            let decoder = endpoint.decoder(&ask("hi"));
            let shown = format!("{endpoint:?} {request:?} {health:?} {decoder:?}");
            assert!(!shown.contains("KEY"), "{vendor}: {shown}");
        }
    }
}

/// The recording of Bedrock that an independent encoder made is what our own helper makes of its JSON.
#[test]
fn frames_are_as_amazons_codec_makes_them() {
    let text = fs::read_to_string(folder("bedrock").join("whole.frames")).unwrap();
    assert_eq!(frames(&text), fs::read(folder("bedrock").join("whole.bin")).unwrap());
}

fn a_stream() -> impl Strategy<Value = &'static Recording> {
    (0..STREAMS.len()).prop_map(|at| &STREAMS[at])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_split_gives_the_same_events(case in a_stream(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(case.bytes.len() + 1)).collect();
        cuts.extend([0, case.bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &case.bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(case.vendor, &pieces), decode(case.vendor, &[&case.bytes]));
    }

    /// A cut stream says what came before the cut, and is whole only if its stop reason came.
    #[test]
    fn any_cut_is_noticed(case in a_stream(), at in any::<prop::sample::Index>()) {
        let cut = at.index(case.bytes.len() + 1);
        let (events, end) = decode(case.vendor, &[&case.bytes[..cut]]);
        let (all, _) = decode(case.vendor, &[&case.bytes]);
        prop_assert_eq!(&events[..], &all[..events.len()]);
        let stopped = events.iter().any(|event| matches!(event, Ok(LlmEvent::Stop(_))));
        let error = events.last().and_then(|event| event.as_ref().err());
        match error {
            Some(error) => prop_assert_eq!(end.as_ref().err(), Some(error)),
            None => prop_assert_eq!(end, if stopped { Ok(()) } else { Err(ProviderError::Truncated) }),
        }
    }

    /// Noise in the bytes is an error or another text, never a panic, and the rules still hold.
    #[test]
    fn noise_is_survived(case in a_stream(), at in any::<prop::sample::Index>(), noise in any::<u8>()) {
        let mut bytes = case.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] = noise;
        let (events, end) = decode(case.vendor, &[&bytes]);
        let errors = events.iter().filter(|event| event.is_err()).count();
        prop_assert!(errors <= 1 && (errors == 0 || events.last().is_some_and(Result::is_err)));
        prop_assert!(errors == 0 || end.is_err());
        let _ = parse_whole(case.vendor, &bytes);
    }
}
