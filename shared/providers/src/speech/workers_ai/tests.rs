use super::super::testing::*;
use super::*;
use silent_core::voice::port::{Transcript, Word};

const WHISPER: &[u8] = include_bytes!("../../../testdata/speech/workers-ai-whisper.json");

fn model(name: &str) -> Model {
    Model {
        base_url: "https://c/ai/run/".into(),
        api_token: Secret::new("t"),
        model: name.into(),
    }
}

fn whisper() -> Whisper {
    Whisper(model("@cf/openai/whisper-large-v3-turbo"))
}

fn aura() -> Aura {
    Aura(model("@cf/deepgram/aura-1"))
}

#[test]
fn requests() {
    let request = whisper().request(&heard(Container::Mp3)).unwrap();
    assert_eq!(request.url, "https://c/ai/run/@cf/openai/whisper-large-v3-turbo");
    assert_eq!(header(&request, "authorization"), "Bearer t");
    let expected = json!({"audio": "AQIDBA==", "task": "transcribe", "language": "de", "initial_prompt": "Ada"});
    assert_eq!(json(&request), expected);
    let raw = json(&whisper().request(&heard(Container::Pcm16)).unwrap());
    assert!(raw["audio"].as_str().unwrap().starts_with("UklGR"), "a header of WAV");
    let request = aura().request(&said(Container::Pcm16, 16_000), 0).unwrap();
    assert_eq!(
        json(&request),
        json!({"text": "I am listening.", "speaker": "v1", "encoding": "linear16", "container": "none", "sample_rate": 16_000})
    );
}

#[test]
fn transcripts_with_and_without_the_envelope() {
    let word = |text: &str, start_ms, end_ms| Word {
        text: text.into(),
        start_ms,
        end_ms,
        confidence_milli: None,
    };
    let expected = Transcript {
        text: "Hallo Welt".into(),
        language: Some("de".into()),
        confidence_milli: Some(779),
        words: alloc::vec![word("Hallo", 100, 500), word("Welt", 500, 1_100)],
        duration_ms: Some(1_250),
        is_final: true,
    };
    let expected = [Ok(SttEvent::Transcript(expected)), Ok(SttEvent::Flushed)];
    assert_eq!(read(&whisper(), &head(200, &[]), WHISPER), expected);
    let bare = serde_json::from_slice::<Value>(WHISPER).unwrap()["result"].to_string();
    assert_eq!(read(&whisper(), &head(200, &[]), bare.as_bytes()), expected);
}

#[test]
fn refusals() {
    let busy = SpeechError::Busy { retry_after_s: None };
    for (status, code, expected) in [
        (429, 3040, busy.clone()),
        (429, 3036, SpeechError::Account),
        (408, 3007, SpeechError::TimedOut("upstream")),
        (400, 5004, AudioError::Refused.into()),
        (400, 5007, SpeechError::Status(400)),
        (413, 3006, AudioError::Refused.into()),
        (500, 0, SpeechError::Status(500)),
    ] {
        let body = json!({"success": false, "result": {}, "errors": [{"code": code, "message": "x"}]}).to_string();
        assert_eq!(
            error(&read(&whisper(), &head(status, &[]), body.as_bytes())),
            expected,
            "{code}"
        );
    }
    let inside = |body: &[u8]| error(&read(&whisper(), &head(200, &[]), body));
    assert_eq!(inside(br#"{"success":false,"errors":[{"code":3040}]}"#), busy);
    assert_eq!(inside(br#"{"success":false,"errors":[]}"#), SpeechError::InStream);
    assert!(matches!(
        inside(br#"{"success":true,"result":{}}"#),
        SpeechError::Protocol(_)
    ));
    assert!(matches!(inside(b"<html>"), SpeechError::Protocol(_)));
}

#[test]
fn speech_or_an_error_in_its_place() {
    let ok = head(200, &[("content-type", "audio/mpeg")]);
    let (audio, _) = joined(&speech(&aura(), &ok, &said(Container::Mp3, 0), MP3));
    assert_eq!(audio, MP3);
    let json = head(200, &[("content-type", "application/json")]);
    let failed = speech(
        &aura(),
        &json,
        &said(Container::Pcm16, 16_000),
        br#"{"success":false,"errors":[{"code":3040}]}"#,
    );
    assert_eq!(error(&failed), SpeechError::Protocol("text in place of audio"));
}
