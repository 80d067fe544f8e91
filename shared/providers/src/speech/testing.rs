//! What the tests of all vendors share.

use super::{Decode, Events, ResponseHead, SttWire, TtsWire};
use crate::http::HttpRequest;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use silent_core::voice::audio::Container;
use silent_core::voice::port::{SpeechError, SpeechEvent, SpeechRequest, SttEvent, TranscriptionRequest};

/// An MP3 file of a real encoder.
pub(super) const MP3: &[u8] = include_bytes!("../../../core/src/voice/testdata/speech.mp3");
/// A WAV file of 16 kHz.
pub(super) const WAV: &[u8] = include_bytes!("../../../core/src/voice/testdata/speech.wav");

pub(super) fn head(status: u16, headers: &[(&str, &str)]) -> ResponseHead {
    ResponseHead {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    }
}

pub(super) fn heard(container: Container) -> TranscriptionRequest {
    TranscriptionRequest {
        audio: alloc::vec![1, 2, 3, 4],
        container,
        sample_rate_hz: 16_000,
        language: Some("de-AT".into()),
        prompt: Some("Ada".into()),
        words: true,
        traceparent: Some("00-a-b-01".into()),
    }
}

pub(super) fn said(container: Container, sample_rate_hz: u32) -> SpeechRequest {
    SpeechRequest {
        text: " I am listening. ".into(),
        voice: "v1".into(),
        model: None,
        language: Some("en-GB".into()),
        container,
        sample_rate_hz,
        previous_text: Some("Hello.".into()),
        words: false,
        traceparent: None,
    }
}

/// All events, with the body cut at every place in turn, which must make no difference.
fn all<E: PartialEq + core::fmt::Debug>(make: impl Fn() -> Box<dyn Decode<E>>, body: &[u8]) -> Events<E> {
    let run = |size: usize| {
        let mut decoder = make();
        let mut out: Events<E> = body.chunks(size.max(1)).flat_map(|piece| decoder.push(piece)).collect();
        out.extend(decoder.finish());
        // After the end nothing more comes, whatever is pushed.
        let errors = out.iter().filter(|event| event.is_err()).count();
        assert!(
            errors == 0 || (errors == 1 && out.last().is_some_and(Result::is_err)),
            "{out:?}"
        );
        out
    };
    let whole = run(body.len());
    for size in [1, 2, 3, 7, 63, 64, 65, 1_000, 4_095] {
        assert_eq!(run(size), whole, "in pieces of {size}");
    }
    whole
}

pub(super) fn read(wire: &dyn SttWire, head: &ResponseHead, body: &[u8]) -> Events<SttEvent> {
    all(|| wire.decoder(head), body)
}

pub(super) fn speech(wire: &dyn TtsWire, head: &ResponseHead, ask: &SpeechRequest, body: &[u8]) -> Events<SpeechEvent> {
    all(|| wire.decoder(head, ask), body)
}

/// The audio, joined, between a beginning and an end that are given apart.
pub(super) fn joined(events: &Events<SpeechEvent>) -> (Vec<u8>, Vec<SpeechEvent>) {
    let (mut audio, mut rest) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Ok(SpeechEvent::Audio(bytes)) => audio.extend_from_slice(bytes),
            Ok(event) => rest.push(event.clone()),
            Err(error) => panic!("{error}"),
        }
    }
    (audio, rest)
}

pub(super) fn error<E: core::fmt::Debug + Clone>(events: &Events<E>) -> SpeechError {
    let Some(Err(error)) = events.last() else {
        panic!("{events:?}")
    };
    error.clone()
}

pub(super) fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    let mut all = request.headers.iter();
    all.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

pub(super) fn json(request: &HttpRequest) -> serde_json::Value {
    serde_json::from_slice(&request.body).unwrap()
}

pub(super) fn text(request: &HttpRequest) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}
