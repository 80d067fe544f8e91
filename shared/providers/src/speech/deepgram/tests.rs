use super::super::testing::*;
use super::*;
use proptest::prelude::*;

const LISTEN: &[u8] = include_bytes!("../../../testdata/speech/deepgram-listen.json");
const LIVE: &str = include_str!("../../../testdata/speech/deepgram-live.jsonl");
const REFUSED: &[u8] = include_bytes!("../../../testdata/speech/deepgram-401.json");

fn account() -> Account {
    Account {
        base_url: "https://d/".into(),
        api_key: Secret::new("k"),
    }
}

fn listen() -> Listen {
    Listen {
        account: account(),
        model: "nova-3".into(),
    }
}

fn speak() -> Speak {
    Speak { account: account() }
}

#[test]
fn requests() {
    let request = SttWire::request(&listen(), &heard(Container::Ogg)).unwrap();
    assert_eq!(
        request.url,
        "https://d/v1/listen?model=nova-3&smart_format=true&language=de-AT"
    );
    assert_eq!(
        (header(&request, "authorization"), header(&request, "content-type")),
        ("Token k", "audio/ogg")
    );
    assert_eq!(request.body, [1, 2, 3, 4]);
    let raw = TranscriptionRequest {
        language: None,
        ..heard(Container::Pcm16)
    };
    assert_eq!(
        SttWire::request(&listen(), &raw).unwrap().url,
        "https://d/v1/listen?model=nova-3&smart_format=true&detect_language=true&encoding=linear16&sample_rate=16000&channels=1"
    );
    let ask = ListenRequest {
        sample_rate_hz: 16_000,
        language: Some("en".into()),
        endpointing_ms: 300,
    };
    let request = LiveSttWire::request(&listen(), &ask, 0).unwrap();
    assert_eq!(
        request.url,
        "https://d/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&channels=1&interim_results=true&\
         smart_format=true&vad_events=true&endpointing=300&language=en"
    );
    assert_eq!(
        (request.method.as_str(), header(&request, "upgrade")),
        ("GET", "websocket")
    );
    let request = speak().request(&said(Container::Pcm16, 22_050), 0).unwrap();
    assert_eq!(
        request.url,
        "https://d/v1/speak?model=v1&encoding=linear16&container=none&sample_rate=24000"
    );
    assert_eq!(json(&request), json!({"text": "I am listening."}));
}

fn word(text: &str, start_ms: u32, end_ms: u32, milli: u16) -> Word {
    Word {
        text: text.into(),
        start_ms,
        end_ms,
        confidence_milli: Some(milli),
    }
}

#[test]
fn a_recording() {
    let events = read(&listen(), &head(200, &[]), LISTEN);
    let [Ok(SttEvent::Transcript(transcript)), Ok(SttEvent::Flushed)] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(
        transcript
            .text
            .starts_with("Yeah. As as much as, it's worth celebrating")
    );
    assert_eq!(
        (transcript.duration_ms, transcript.confidence_milli),
        (Some(25_933), Some(999))
    );
    assert_eq!(transcript.words, [word("Yeah.", 80, 320, 998)]);
    let silence = br#"{"metadata":{"duration":1},"results":{"channels":[{"alternatives":[{"transcript":"","confidence":0,"words":[]}],"detected_language":"en"}]}}"#;
    let expected = Transcript {
        language: Some("en".into()),
        duration_ms: Some(1_000),
        is_final: true,
        ..Transcript::default()
    };
    assert_eq!(
        read(&listen(), &head(200, &[]), silence),
        [Ok(SttEvent::Transcript(expected)), Ok(SttEvent::Flushed)]
    );
}

#[test]
fn refusals() {
    for (status, expected) in [
        (400, AudioError::Refused.into()),
        (401, SpeechError::Account),
        (402, SpeechError::Account),
        (429, SpeechError::Busy { retry_after_s: None }),
        (504, SpeechError::TimedOut("upstream")),
        (500, SpeechError::Status(500)),
    ] {
        assert_eq!(read(&listen(), &head(status, &[]), REFUSED), [Err(expected.clone())]);
        assert!(status == 400 || listen().refused(&head(status, &[])) == expected);
    }
    for body in [&b"{"[..], b"{}", br#"{"results":{"channels":[]}}"#] {
        assert!(matches!(
            error(&read(&listen(), &head(200, &[]), body)),
            SpeechError::Protocol(_)
        ));
    }
    let ask = said(Container::Mp3, 0);
    let refused = |status| error(&speech(&speak(), &head(status, &[]), &ask, REFUSED));
    assert_eq!(refused(413), SpeechError::Text("refused by the provider"));
    assert_eq!(refused(401), SpeechError::Account);
}

#[test]
fn a_live_stream() {
    let mut session = listen().session();
    assert_eq!(session.audio(&[1, 2]), [Message::Binary(alloc::vec![1, 2])]);
    assert_eq!(session.audio(&[]), []);
    assert_eq!(session.keep_alive(), [Message::Text("{\"type\":\"KeepAlive\"}".into())]);
    assert_eq!(session.flush(), [Message::Text("{\"type\":\"Finalize\"}".into())]);
    let events: Events<SttEvent> = LIVE
        .lines()
        .flat_map(|line| session.receive(&Message::Text(line.into())))
        .collect();
    let interim = Transcript {
        text: "me more".into(),
        confidence_milli: Some(980),
        duration_ms: Some(1_030),
        ..Transcript::default()
    };
    let whole = Transcript {
        text: "me more about this".into(),
        language: None,
        confidence_milli: Some(1_000),
        words: alloc::vec![
            word("me", 6_470, 6_630, 1_000),
            word("more", 6_630, 6_790, 1_000),
            word("about", 6_790, 7_030, 1_000),
            word("this", 7_030, 7_270, 1_000)
        ],
        duration_ms: Some(1_070),
        is_final: true,
    };
    assert_eq!(
        events,
        [
            Ok(SttEvent::SpeechStarted { at_ms: 6_100 }),
            Ok(SttEvent::Transcript(interim)),
            Ok(SttEvent::Transcript(whole)),
            Ok(SttEvent::UtteranceEnded),
            Ok(SttEvent::UtteranceEnded),
            Ok(SttEvent::Flushed)
        ]
    );
}

#[test]
fn the_end_of_a_live_stream() {
    let metadata = Message::Text(LIVE.lines().last().unwrap().into());
    let mut session = listen().session();
    // Metadata in the middle is no end.
    assert_eq!(session.receive(&metadata), []);
    assert_eq!(session.close(), [Message::Text("{\"type\":\"CloseStream\"}".into())]);
    assert_eq!(session.audio(&[1, 2]), []);
    assert_eq!(session.receive(&metadata), [Ok(SttEvent::Flushed)]);
    assert_eq!(session.closed(1000), []);

    let mut session = listen().session();
    session.close();
    assert_eq!(session.closed(1000), [Ok(SttEvent::Flushed)]);
    for (code, expected) in [
        (1000, SpeechError::Truncated),
        (1006, SpeechError::Truncated),
        (1008, AudioError::Refused.into()),
        (1011, SpeechError::TimedOut("no sound")),
    ] {
        let mut session = listen().session();
        assert_eq!(session.closed(code), [Err(expected)]);
        assert_eq!(session.closed(code), [], "one error is enough");
    }
}

#[test]
fn faults_in_a_live_stream() {
    for (message, expected) in [
        (
            Message::Text("{oops".into()),
            SpeechError::Protocol("message is not JSON of the protocol"),
        ),
        (
            Message::Binary(alloc::vec![1]),
            SpeechError::Protocol("bytes in place of text"),
        ),
        (
            Message::Text(r#"{"type":"Results","channel":[0,1]}"#.into()),
            SpeechError::Protocol("results without a channel"),
        ),
        (
            Message::Text(r#"{"type":"Error","description":"x"}"#.into()),
            SpeechError::InStream,
        ),
        (
            Message::Text(r#"{"err_code":"INVALID_AUTH","err_msg":"x"}"#.into()),
            SpeechError::InStream,
        ),
    ] {
        let mut session = listen().session();
        assert_eq!(session.receive(&message), [Err(expected)]);
        assert_eq!(session.receive(&Message::Text(LIVE.lines().next().unwrap().into())), []);
    }
    assert_eq!(
        listen()
            .session()
            .receive(&Message::Text(r#"{"type":"Something new"}"#.into())),
        []
    );
}

#[test]
fn speech_is_billed_as_the_vendor_counts() {
    let pcm = &WAV[44..10_044];
    let head = head(
        200,
        &[("dg-char-count", "15"), ("content-type", "audio/l16;rate=16000")],
    );
    let (audio, rest) = joined(&speech(&speak(), &head, &said(Container::Pcm16, 16_000), pcm));
    assert_eq!(audio, pcm);
    assert_eq!(rest[1], SpeechEvent::Billed { characters: 15 });
}

proptest! {
    #[test]
    fn any_message_is_survived(text in "(\\{\"type\":\"(Results|Metadata|SpeechStarted)\"(,\"channel\":(\\[\\]|\\{\\}|1))?(,\"is_final\":(true|1))?\\}|\\PC{0,40})") {
        let events = listen().session().receive(&Message::Text(text));
        prop_assert!(events.len() <= 3);
    }
}
