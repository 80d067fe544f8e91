use super::super::testing::*;
use super::*;
use silent_core::voice::audio::AudioError;

const QUOTA: &[u8] = include_bytes!("../../../testdata/speech/elevenlabs-401.json");

fn wire() -> Speech {
    Speech {
        base_url: "https://e".into(),
        api_key: Secret::new("k"),
        model: "eleven_flash_v2_5".into(),
    }
}

fn timed(container: Container) -> SpeechRequest {
    SpeechRequest {
        words: true,
        ..said(container, 16_000)
    }
}

#[test]
fn requests() {
    let request = wire().request(&said(Container::Pcm16, 16_000), 0).unwrap();
    assert_eq!(
        request.url,
        "https://e/v1/text-to-speech/v1/stream?output_format=pcm_16000"
    );
    assert_eq!(header(&request, "xi-api-key"), "k");
    assert_eq!(
        json(&request),
        json!({"text": "I am listening.", "model_id": "eleven_flash_v2_5", "previous_text": "Hello.", "language_code": "en"})
    );
    let request = wire().request(&timed(Container::Mp3), 0).unwrap();
    assert_eq!(
        request.url,
        "https://e/v1/text-to-speech/v1/stream/with-timestamps?output_format=mp3_44100_128"
    );
    assert_eq!(
        wire().request(&said(Container::Wav, 0), 0).err(),
        Some(SpeechError::Unsupported("container"))
    );
}

#[test]
fn refusals() {
    let refused = |status, body: &[u8]| error(&speech(&wire(), &head(status, &[]), &said(Container::Mp3, 0), body));
    assert_eq!(refused(401, QUOTA), SpeechError::Account);
    assert_eq!(
        refused(429, b"{\"detail\":{\"status\":\"too_many_concurrent_requests\"}}"),
        SpeechError::Busy { retry_after_s: None }
    );
    assert_eq!(refused(429, b""), SpeechError::Busy { retry_after_s: None });
    assert_eq!(
        refused(400, b"{\"detail\":{\"status\":\"voice_not_found\"}}"),
        SpeechError::Unsupported("voice")
    );
    assert_eq!(
        refused(422, b"{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"x\"}]}"),
        SpeechError::Status(422)
    );
}

#[test]
fn a_plain_stream() {
    let head = head(200, &[("content-type", "audio/pcm"), ("character-cost", "8")]);
    let (audio, rest) = joined(&speech(
        &wire(),
        &head,
        &said(Container::Pcm16, 16_000),
        &WAV[44..5_044],
    ));
    assert_eq!(audio, WAV[44..5_044]);
    assert_eq!(
        rest,
        [
            SpeechEvent::Started {
                container: Container::Pcm16,
                sample_rate_hz: 16_000
            },
            SpeechEvent::Billed { characters: 8 },
            SpeechEvent::Done
        ]
    );
}

fn line(pcm: &[u8], characters: &[&str], starts: &[f64], ends: &[f64]) -> String {
    let alignment =
        json!({"characters": characters, "character_start_times_seconds": starts, "character_end_times_seconds": ends});
    json!({"audio_base64": STANDARD.encode(pcm), "alignment": alignment, "normalized_alignment": null}).to_string()
        + "\n"
}

fn word(text: &str, start_ms: u32, end_ms: u32) -> Word {
    Word {
        text: text.into(),
        start_ms,
        end_ms,
        confidence_milli: None,
    }
}

fn words(events: &Events<SpeechEvent>) -> Vec<Word> {
    let all = events.iter().flatten().filter_map(|event| match event {
        SpeechEvent::Words(words) => Some(words.clone()),
        _ => None,
    });
    all.flatten().collect()
}

#[test]
fn characters_become_words() {
    let first = &WAV[44..16_044];
    let second = &WAV[16_044..32_044];
    // Times of the vendor's example, "Hello!", then one word over two lines.
    let (starts, ends) = (
        [0.0, 0.186, 0.279, 0.348, 0.406, 0.441, 0.48, 0.49],
        [0.186, 0.279, 0.348, 0.406, 0.441, 0.476, 0.49, 0.5],
    );
    let body = line(first, &["H", "e", "l", "l", "o", "!", " ", "T"], &starts, &ends)
        + &line(second, &["w", "o"], &[0.5, 0.6], &[0.6, 0.9])
        + "{\"audio_base64\":\"\",\"alignment\":null}\n\n";
    let ask = timed(Container::Pcm16);
    let events = speech(&wire(), &head(200, &[]), &ask, body.as_bytes());
    assert_eq!(words(&events), [word("Hello!", 0, 476), word("Two", 490, 900)]);
    assert_eq!(joined(&events).0, WAV[44..32_044]);
    // A vendor that counts from the beginning of each line: 16,000 bytes are half a second.
    let anew = line(first, &["H", "i", " "], &[0.0, 0.1, 0.4], &[0.1, 0.4, 0.5])
        + &line(second, &["y", "o"], &[0.0, 0.2], &[0.2, 0.4]);
    let events = speech(&wire(), &head(200, &[]), &ask, anew.as_bytes());
    assert_eq!(words(&events), [word("Hi", 0, 400), word("yo", 500, 900)]);
}

#[test]
fn faults_in_the_middle() {
    let good = line(&WAV[44..16_044], &["H"], &[0.0], &[0.1]);
    let ask = timed(Container::Pcm16);
    for (after, expected) in [
        (
            "{\"audio_base64\":\"%%\"}\n",
            SpeechError::Protocol("audio is not base64"),
        ),
        ("{\"audio_ba", SpeechError::Truncated),
        ("oops\n", SpeechError::Protocol("line is not JSON of the protocol")),
        ("{\"detail\":{\"status\":\"system_busy\"}}\n", SpeechError::InStream),
    ] {
        let body = good.clone() + after;
        let events = speech(&wire(), &head(200, &[]), &ask, body.as_bytes());
        assert_eq!(error(&events), expected, "{after}");
        assert!(events.len() > 2, "what came before stays");
    }
    assert_eq!(
        error(&speech(&wire(), &head(200, &[]), &ask, b"")),
        AudioError::Empty.into()
    );
}
