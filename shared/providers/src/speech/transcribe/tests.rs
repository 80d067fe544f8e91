use super::super::polly::tests::credentials;
use super::*;
use proptest::prelude::*;

const PARTIAL: &str = include_str!("../../../testdata/speech/transcribe-partial.json");
const NOW_MS: u64 = 1_795_255_200_000;

fn wire() -> Listen {
    Listen {
        credentials: credentials(),
        region: "eu-central-1".into(),
        base_url: None,
        languages: "en-US,de-DE".into(),
    }
}

fn ask(language: Option<&str>) -> ListenRequest {
    ListenRequest {
        sample_rate_hz: 16_000,
        language: language.map(Into::into),
        endpointing_ms: 300,
    }
}

fn event(payload: &str) -> Vec<u8> {
    frame(
        &[
            (":content-type", "application/json"),
            (":event-type", "TranscriptEvent"),
            (":message-type", "event"),
        ],
        payload.as_bytes(),
    )
}

fn exception(kind: &str) -> Vec<u8> {
    frame(
        &[(":exception-type", kind), (":message-type", "exception")],
        br#"{"Message":"x"}"#,
    )
}

#[test]
fn a_url_signed_as_botocore_signs_it() {
    let request = wire().request(&ask(Some("en")), NOW_MS).unwrap();
    let (base, query) = request.url.split_once('?').unwrap();
    assert_eq!(
        base,
        "https://transcribestreaming.eu-central-1.amazonaws.com:8443/stream-transcription-websocket"
    );
    let mut fields: Vec<&str> = query.split('&').collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-central-1%2Ftranscribe%2Faws4_request",
            "X-Amz-Date=20261121T100000Z",
            "X-Amz-Expires=300",
            "X-Amz-Security-Token=TOKEN%2B%2F%3D",
            "X-Amz-Signature=38527e41037bce1d30b85eeff05bc3b41ff85d10968d5e8795b7992802c96ee4",
            "X-Amz-SignedHeaders=host",
            "language-code=en-US",
            "media-encoding=pcm",
            "sample-rate=16000"
        ]
    );
    let url = wire().request(&ask(None), NOW_MS).unwrap().url;
    assert!(
        url.contains("identify-language=true&language-options=en-US%2Cde-DE"),
        "{url}"
    );
    assert!(
        wire()
            .request(&ask(Some("en-GB")), NOW_MS)
            .unwrap()
            .url
            .contains("language-code=en-GB")
    );
}

#[test]
fn sound_goes_out_in_frames() {
    let mut session = wire().session();
    let sent = session.audio(&[7; 4_000]);
    let [Message::Binary(first), Message::Binary(second)] = &sent[..] else {
        panic!("{sent:?}")
    };
    let frames = Decoder::default().push(&[first.as_slice(), second].concat());
    let payloads: Vec<usize> = frames
        .iter()
        .map(|frame| frame.as_ref().unwrap().payload.len())
        .collect();
    assert_eq!(payloads, [3_200, 800]);
    assert_eq!(frames[0].as_ref().unwrap().header(":event-type"), Some("AudioEvent"));
    let [Message::Binary(end)] = &session.flush()[..] else {
        panic!()
    };
    assert!(Decoder::default().push(end)[0].as_ref().unwrap().payload.is_empty());
    assert_eq!(session.close(), [], "a stream ends once");
    assert_eq!(session.audio(&[1, 2]), []);
    assert_eq!(session.closed(1000), [Ok(SttEvent::Flushed)]);
}

#[test]
fn transcripts() {
    let mut session = wire().session();
    let events = session.receive(&Message::Binary(event(PARTIAL)));
    let [Ok(SttEvent::Transcript(partial))] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (partial.text.as_str(), partial.is_final),
        ("the amazon is the largest", false)
    );
    assert_eq!(partial.duration_ms, Some(1_000));
    assert_eq!(
        (
            partial.words[1].text.as_str(),
            partial.words[1].start_ms,
            partial.words[1].end_ms
        ),
        ("amazon", 390, 590)
    );
    let whole = r#"{"Transcript":{"Results":[{"Alternatives":[{"Items":[{"Content":"Hello","StartTime":0.1,"EndTime":0.5,"Type":"pronunciation","Confidence":0.97},{"Content":".","StartTime":0.5,"EndTime":0.5,"Type":"punctuation"}],"Transcript":"Hello."}],"EndTime":0.6,"IsPartial":false,"StartTime":0.1,"LanguageCode":"en-US"}]}}"#;
    let expected = Transcript {
        text: "Hello.".into(),
        language: Some("en-US".into()),
        confidence_milli: Some(970),
        words: Vec::from([Word {
            text: "Hello.".into(),
            start_ms: 100,
            end_ms: 500,
            confidence_milli: Some(970),
        }]),
        duration_ms: Some(500),
        is_final: true,
    };
    assert_eq!(
        session.receive(&Message::Binary(event(whole))),
        [Ok(SttEvent::Transcript(expected))]
    );
    assert_eq!(
        session.receive(&Message::Binary(event(r#"{"Transcript":{"Results":[]}}"#))),
        []
    );
}

#[test]
fn faults() {
    let mut broken = event(PARTIAL);
    broken[20] ^= 1;
    for (message, expected) in [
        (
            Message::Binary(exception("LimitExceededException")),
            SpeechError::Busy { retry_after_s: None },
        ),
        (Message::Binary(exception("BadRequestException")), SpeechError::InStream),
        (Message::Binary(broken), SpeechError::Protocol("frame is broken")),
        (
            Message::Binary(event("{}")),
            SpeechError::Protocol("event is not JSON of the protocol"),
        ),
        (
            Message::Text("x".into()),
            SpeechError::Protocol("text in place of frames"),
        ),
    ] {
        let mut session = wire().session();
        assert_eq!(session.receive(&message), [Err(expected)]);
        assert_eq!(session.receive(&Message::Binary(event(PARTIAL))), []);
        assert_eq!(session.closed(1000), []);
    }
    assert_eq!(wire().session().closed(1006), [Err(SpeechError::Truncated)]);
}

proptest! {
    /// A proxy may cut messages anywhere.
    #[test]
    fn splits_do_not_matter(cut in 1_usize..600) {
        let bytes = [event(PARTIAL), exception("InternalFailureException")].concat();
        let whole = wire().session().receive(&Message::Binary(bytes.clone()));
        let mut session = wire().session();
        let pieces: Events<SttEvent> = bytes.chunks(cut).flat_map(|piece| session.receive(&Message::Binary(piece.to_vec()))).collect();
        prop_assert_eq!(whole, pieces);
    }
}
