use super::super::testing::*;
use super::*;
use crate::http::Secret;
use silent_core::voice::audio::AudioError;

/// 2026-11-21 10:00:00 UTC.
const NOW_MS: u64 = 1_795_255_200_000;

pub(crate) fn credentials() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: Some(Secret::new("TOKEN+/=")),
    }
}

fn wire() -> Speech {
    Speech {
        credentials: credentials(),
        region: "eu-central-1".into(),
        base_url: None,
        engine: Engine::Neural,
    }
}

#[test]
fn a_request_signed_as_botocore_signs_it() {
    let request = wire().request(&said(Container::Pcm16, 24_000), NOW_MS).unwrap();
    assert_eq!(request.url, "https://polly.eu-central-1.amazonaws.com/v1/speech");
    assert_eq!(
        text(&request),
        r#"{"Engine":"neural","LanguageCode":"en-GB","OutputFormat":"pcm","SampleRate":"16000","Text":"I am listening.","TextType":"text","VoiceId":"v1"}"#
    );
    assert_eq!(
        header(&request, "authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/polly/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
         Signature=2d3050946a003a8106e560986fd197bd89c531a4b6f0e2e66dd8925d8abec9d5"
    );
    assert_eq!(header(&request, "content-type"), "application/json");
    let generative = SpeechRequest {
        model: Some("generative".into()),
        language: Some("en".into()),
        ..said(Container::Ogg, 24_000)
    };
    let body = json(&wire().request(&generative, NOW_MS).unwrap());
    assert_eq!(
        (&body["Engine"], &body["OutputFormat"], &body["SampleRate"]),
        (&json!("generative"), &json!("ogg_opus"), &json!("24000"))
    );
    assert!(body.get("LanguageCode").is_none());
}

#[test]
fn refusals() {
    let ask = said(Container::Pcm16, 16_000);
    for (status, kind, body, expected) in [
        (
            400,
            "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.availability/",
            "",
            SpeechError::Busy { retry_after_s: None },
        ),
        (
            400,
            "",
            r#"{"__type":"com.amazonaws.polly#ThrottlingException","message":"Rate exceeded"}"#,
            SpeechError::Busy { retry_after_s: None },
        ),
        (
            400,
            "TextLengthExceededException",
            "{}",
            SpeechError::Text("refused by the provider"),
        ),
        (
            400,
            "EngineNotSupportedException",
            "{}",
            SpeechError::Unsupported("engine"),
        ),
        (400, "ValidationException", "{}", SpeechError::Status(400)),
        (403, "InvalidSignatureException", "{}", SpeechError::Account),
        (400, "UnrecognizedClientException", "{}", SpeechError::Account),
        (500, "ServiceFailureException", "{}", SpeechError::Status(500)),
        (503, "", "", SpeechError::Busy { retry_after_s: None }),
    ] {
        let events = speech(
            &wire(),
            &head(status, &[("x-amzn-ErrorType", kind)][..usize::from(!kind.is_empty())]),
            &ask,
            body.as_bytes(),
        );
        assert_eq!(error(&events), expected, "{kind} {body}");
    }
    assert_eq!(
        error(&speech(&wire(), &head(200, &[]), &ask, b"")),
        AudioError::Empty.into()
    );
}

#[test]
fn speech_as_it_was_recorded() {
    // Headers of a recorded answer: botocore's log of 2022-01-07.
    let headers = [
        ("x-amzn-RequestCharacters", "38"),
        ("Content-Type", "audio/mpeg"),
        ("Transfer-Encoding", "chunked"),
    ];
    let (audio, rest) = joined(&speech(
        &wire(),
        &head(200, &headers),
        &said(Container::Mp3, 24_000),
        MP3,
    ));
    assert_eq!(audio, MP3);
    assert_eq!(rest[1], SpeechEvent::Billed { characters: 38 });
    let pcm = &WAV[44..9_044];
    let (audio, rest) = joined(&speech(
        &wire(),
        &head(200, &[("content-type", "audio/pcm")]),
        &said(Container::Pcm16, 24_000),
        pcm,
    ));
    let started = SpeechEvent::Started {
        container: Container::Pcm16,
        sample_rate_hz: 16_000,
    };
    assert_eq!((audio.as_slice(), &rest[0]), (pcm, &started));
}
