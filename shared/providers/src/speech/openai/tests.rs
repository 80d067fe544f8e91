use super::super::testing::*;
use super::*;
use silent_core::voice::audio::{parse_wav, write_wav};
use silent_core::voice::port::Word;

const VERBOSE: &[u8] = include_bytes!("../../../testdata/speech/openai-verbose.json");
const STREAM: &[u8] = include_bytes!("../../../testdata/speech/openai-stream.sse");
const QUOTA: &[u8] = include_bytes!("../../../testdata/speech/openai-quota.json");

fn endpoint() -> Endpoint {
    Endpoint {
        base_url: "http://x/v1/".into(),
        api_key: Some(Secret::new("k")),
        model: "whisper-1".into(),
    }
}

fn stt(detail: Detail) -> Transcriptions {
    Transcriptions {
        endpoint: endpoint(),
        detail,
    }
}

fn tts() -> Speech {
    Speech {
        endpoint: endpoint(),
        pcm_as_wav: false,
    }
}

#[test]
fn a_request_to_write_down() {
    let request = stt(Detail::Verbose).request(&heard(Container::WebM)).unwrap();
    assert_eq!(
        (request.method.as_str(), request.url.as_str()),
        ("POST", "http://x/v1/audio/transcriptions")
    );
    assert_eq!(header(&request, "authorization"), "Bearer k");
    assert_eq!(header(&request, "traceparent"), "00-a-b-01");
    let body = text(&request);
    for part in [
        "name=\"model\"\r\n\r\nwhisper-1\r\n",
        "name=\"response_format\"\r\n\r\nverbose_json\r\n",
        "name=\"language\"\r\n\r\nde\r\n",
        "name=\"prompt\"\r\n\r\nAda\r\n",
        "name=\"timestamp_granularities[]\"\r\n\r\nword\r\n",
        "filename=\"speech.webm\"\r\ncontent-type: audio/webm\r\n\r\n\u{1}\u{2}\u{3}\u{4}\r\n",
    ] {
        assert!(body.contains(part), "{part:?} in {body:?}");
    }
    let body = text(&stt(Detail::Stream).request(&heard(Container::Wav)).unwrap());
    assert!(body.contains("name=\"stream\"\r\n\r\ntrue") && !body.contains("granularities"));
}

#[test]
fn raw_samples_get_a_header() {
    let request = stt(Detail::Plain).request(&heard(Container::Pcm16)).unwrap();
    let at = request.body.windows(4).position(|four| four == b"RIFF").unwrap();
    let wav = parse_wav(&request.body[at..]).unwrap();
    assert_eq!((wav.header.sample_rate_hz, wav.data), (16_000, &[1, 2, 3, 4][..]));
    assert!(text(&request).contains("speech.wav"));
    let empty = TranscriptionRequest {
        audio: Vec::new(),
        ..heard(Container::Wav)
    };
    assert_eq!(stt(Detail::Plain).request(&empty).err(), Some(AudioError::Empty.into()));
}

#[test]
fn transcripts() {
    let ok = head(200, &[("Content-Type", "application/json")]);
    let events = read(&stt(Detail::Verbose), &ok, VERBOSE);
    let word = |text: &str, start_ms, end_ms| Word {
        text: text.into(),
        start_ms,
        end_ms,
        confidence_milli: None,
    };
    let expected = Transcript {
        text: "The beach was a popular spot on a hot summer day. People were swimming in the ocean, building \
               sandcastles, and playing beach volleyball."
            .into(),
        language: Some("en".into()),
        // e to the power of -0.2861.
        confidence_milli: Some(751),
        words: alloc::vec![word("The", 0, 240), word("volleyball", 7_400, 7_900)],
        duration_ms: Some(8_470),
        is_final: true,
    };
    assert_eq!(events, [Ok(SttEvent::Transcript(expected)), Ok(SttEvent::Flushed)]);
    let empty = Transcript {
        is_final: true,
        ..Transcript::default()
    };
    let events = read(&stt(Detail::Plain), &ok, br#"{"text":" "}"#);
    assert_eq!(events, [Ok(SttEvent::Transcript(empty)), Ok(SttEvent::Flushed)]);
    // By Whisper's own rule a segment of silence is not speech, whatever it says.
    let made_up = br#"{"text":" I am here. Thank you.","words":[{"word":"here.","start":0.5,"end":0.9},{"word":"Thank","start":2.1,"end":2.5}],"segments":[
        {"start":0,"end":2,"text":" I am here.","avg_logprob":-0.2,"no_speech_prob":0.1},
        {"start":2,"end":4,"text":" Thank you.","avg_logprob":-1.4,"no_speech_prob":0.9}]}"#;
    let Ok(SttEvent::Transcript(transcript)) = &read(&stt(Detail::Verbose), &ok, made_up)[0] else {
        panic!()
    };
    assert_eq!((transcript.text.as_str(), transcript.words.len()), ("I am here.", 1));
}

#[test]
fn a_stream() {
    let ok = head(200, &[("content-type", "text/event-stream; charset=utf-8")]);
    let events = read(&stt(Detail::Stream), &ok, STREAM);
    let said = |text: &str, is_final| {
        let text = text.into();
        Ok(SttEvent::Transcript(Transcript {
            text,
            is_final,
            ..Transcript::default()
        }))
    };
    assert_eq!(
        events,
        [
            said("The", false),
            said("The quick", false),
            said("The quick brown fox jumps over the lazy dog.", true),
            Ok(SttEvent::Flushed)
        ]
    );
    let cut = read(&stt(Detail::Stream), &ok, &STREAM[..120]);
    assert_eq!(error(&cut), SpeechError::Truncated);
    let failed = b"data: {\"type\":\"transcript.text.delta\",\"delta\":\"The\"}\n\ndata: {\"type\":\"error\",\"error\":{\"message\":\"x\"}}\n\ndata: {oops\n\n";
    assert_eq!(error(&read(&stt(Detail::Stream), &ok, failed)), SpeechError::InStream);
}

#[test]
fn refusals() {
    let busy = |retry_after_s| SpeechError::Busy { retry_after_s };
    let invalid = br#"{"error":{"message":"Invalid file format. Supported formats: ['flac', 'm4a']","type":"invalid_request_error","param":null,"code":null}}"#;
    for (status, body, expected) in [
        (429, QUOTA, SpeechError::Account),
        (429, &b"{}"[..], busy(Some(7))),
        (401, b"", SpeechError::Account),
        (400, invalid, AudioError::Refused.into()),
        (
            400,
            br#"{"error":{"message":"unknown model","param":"model"}}"#,
            SpeechError::Status(400),
        ),
        (413, b"<html>", AudioError::Refused.into()),
        (503, b"", busy(Some(7))),
        (504, b"", SpeechError::TimedOut("upstream")),
        (500, b"", SpeechError::Status(500)),
    ] {
        let head = head(status, &[("Retry-After", "7")]);
        assert_eq!(read(&stt(Detail::Plain), &head, body), [Err(expected)], "{status}");
    }
    let ok = head(200, &[]);
    for body in [&b"{\"tex"[..], b"", b"[]", b"{}"] {
        assert!(
            matches!(error(&read(&stt(Detail::Plain), &ok, body)), SpeechError::Protocol(_)),
            "{body:?}"
        );
    }
}

#[test]
fn a_request_to_speak() {
    let request = tts().request(&said(Container::Pcm16, 16_000), 0).unwrap();
    assert_eq!(request.url, "http://x/v1/audio/speech");
    let expected = json!({"model": "whisper-1", "input": "I am listening.", "voice": "v1", "response_format": "pcm"});
    assert_eq!(json(&request), expected);
    let as_wav = Speech {
        pcm_as_wav: true,
        ..tts()
    };
    assert_eq!(
        json(&as_wav.request(&said(Container::Pcm16, 16_000), 0).unwrap())["response_format"],
        "wav"
    );
    assert_eq!(
        json(&tts().request(&said(Container::Ogg, 0), 0).unwrap())["response_format"],
        "opus"
    );
    let too_long = SpeechRequest {
        text: "é".repeat(4_097),
        ..said(Container::Mp3, 0)
    };
    assert_eq!(tts().request(&too_long, 0).err(), Some(SpeechError::Text("too long")));
    let empty = SpeechRequest {
        text: " \n".into(),
        ..said(Container::Mp3, 0)
    };
    assert_eq!(tts().request(&empty, 0).err(), Some(SpeechError::Text("empty")));
}

fn end(characters: u32) -> [SpeechEvent; 2] {
    [SpeechEvent::Billed { characters }, SpeechEvent::Done]
}

fn started(container: Container, sample_rate_hz: u32) -> SpeechEvent {
    SpeechEvent::Started {
        container,
        sample_rate_hz,
    }
}

#[test]
fn audio_in_what_was_asked_for() {
    let [billed, done] = end(17);
    let mp3 = head(200, &[("content-type", "audio/mpeg")]);
    let (audio, rest) = joined(&speech(&tts(), &mp3, &said(Container::Mp3, 0), MP3));
    assert_eq!(rest, [started(Container::Mp3, 0), billed.clone(), done.clone()]);
    assert_eq!(audio, MP3);
    // Raw samples: the odd byte at the end is no sample.
    let pcm = &WAV[44..20_045];
    let (audio, rest) = joined(&speech(&tts(), &head(200, &[]), &said(Container::Pcm16, 16_000), pcm));
    assert_eq!(rest, [started(Container::Pcm16, 24_000), billed.clone(), done.clone()]);
    assert_eq!(audio, pcm[..20_000]);
    // A server that only knows WAV tells its rate.
    let (audio, rest) = joined(&speech(&tts(), &head(200, &[]), &said(Container::Pcm16, 24_000), WAV));
    assert_eq!(rest, [started(Container::Pcm16, 16_000), billed, done]);
    assert_eq!(audio, parse_wav(WAV).unwrap().data);
}

#[test]
fn audio_in_something_else() {
    let other = SpeechError::Protocol("audio of another format than was asked for");
    let pcm = said(Container::Pcm16, 24_000);
    let id3 = [b"ID3\x04\0\0\0\0\0\0", MP3].concat();
    let stereo = {
        let mut file = write_wav(&parse_wav(WAV).unwrap().to_pcm());
        file[22] = 2;
        file
    };
    for (ask, headers, body, expected) in [
        (&pcm, &[][..], &id3[..], other.clone()),
        (&pcm, &[], &stereo, other.clone()),
        (&said(Container::Mp3, 0), &[], WAV, other.clone()),
        (&said(Container::Ogg, 0), &[], MP3, other),
        (
            &pcm,
            &[("content-type", "application/json")],
            b"{\"error\":{}}",
            SpeechError::Protocol("text in place of audio"),
        ),
        (&pcm, &[], b"", AudioError::Empty.into()),
        (&pcm, &[], &WAV[..30], AudioError::TruncatedHeader.into()),
        (&pcm, &[], &WAV[..30_000], SpeechError::Truncated),
        (
            &said(Container::Mp3, 0),
            &[("content-length", "9165")],
            MP3,
            SpeechError::Truncated,
        ),
    ] {
        assert_eq!(error(&speech(&tts(), &head(200, headers), ask, body)), expected);
    }
    assert_eq!(
        error(&speech(&tts(), &head(429, &[]), &pcm, QUOTA)),
        SpeechError::Account
    );
    assert_eq!(
        error(&speech(
            &tts(),
            &head(400, &[]),
            &pcm,
            b"{\"error\":{\"message\":\"no such file voice\"}}"
        )),
        SpeechError::Status(400)
    );
}
