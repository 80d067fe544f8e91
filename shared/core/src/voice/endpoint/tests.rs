use super::super::audio::parse_wav;
use super::super::vad::{FRAME_SAMPLES, Vad, VadConfig};
use super::*;
use crate::voice::vad::tests::{Noise, babble, mix};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn frame(is_speech: bool) -> VadFrame {
    VadFrame {
        is_speech,
        level_dbfs: if is_speech { -25.0 } else { -60.0 },
        noise_dbfs: -60.0,
    }
}

/// Events of frames given as (speech, how many).
fn run(endpoint: &mut Endpoint, script: &[(bool, u32)], playing: Option<f32>) -> Vec<EndpointEvent> {
    script
        .iter()
        .flat_map(|(speech, count)| vec![*speech; *count as usize])
        .filter_map(|speech| endpoint.push(&frame(speech), playing))
        .collect()
}

fn started(from_ms: u32) -> EndpointEvent {
    EndpointEvent::Started {
        from_ms,
        is_barge_in: false,
    }
}

fn ended(at_ms: u32) -> EndpointEvent {
    EndpointEvent::Ended { at_ms, is_limit: false }
}

#[test]
fn turns() {
    let new = || Endpoint::new(EndpointConfig::default());
    for (name, script, expected) in [
        ("silence", &[(false, 500)][..], &[][..]),
        ("too short", &[(false, 5), (true, 4), (false, 100)], &[]),
        (
            "a word",
            &[(false, 5), (true, 5), (false, 35)],
            &[started(100), ended(200)],
        ),
        ("one frame less of silence", &[(true, 50), (false, 34)], &[started(0)]),
        (
            "a pause within",
            &[(true, 50), (false, 30), (true, 50), (false, 35)],
            &[started(0), ended(2_600)],
        ),
        (
            "syllables make a start",
            &[(true, 3), (false, 4), (true, 2), (false, 35)],
            &[started(0), ended(180)],
        ),
        (
            "clicks do not",
            &[(true, 3), (false, 10), (true, 3), (false, 10), (true, 3)],
            &[],
        ),
        (
            "two turns",
            &[(true, 10), (false, 40), (true, 10), (false, 40)],
            &[started(0), ended(200), started(1_000), ended(1_200)],
        ),
    ] {
        assert_eq!(run(&mut new(), script, None), expected, "{name}");
    }
}

#[test]
fn a_turn_has_a_limit() {
    let mut endpoint = Endpoint::new(EndpointConfig {
        max_turn_ms: 1_000,
        ..EndpointConfig::default()
    });
    let events = run(&mut endpoint, &[(true, 60)], None);
    let limit = EndpointEvent::Ended {
        at_ms: 1_000,
        is_limit: true,
    };
    assert_eq!(events, [started(0), limit, started(1_000)]);
}

#[test]
fn words_change_the_wait() {
    for (text, frames) in [
        ("I slept badly.", 23),
        ("and then,", 70),
        ("well", 35),
        ("so...", 70),
        ("まあ、", 70),
        ("そう。", 23),
    ] {
        let mut endpoint = Endpoint::new(EndpointConfig::default());
        run(&mut endpoint, &[(true, 20), (false, 5)], None);
        endpoint.hint(Completeness::of(text));
        assert_eq!(run(&mut endpoint, &[(false, frames - 6)], None), [], "{text}");
        assert_eq!(run(&mut endpoint, &[(false, 1)], None), [ended(400)], "{text}");
    }
}

#[test]
fn interrupting_needs_longer_and_more() {
    let playing = Some(-15.0);
    let mut endpoint = Endpoint::new(EndpointConfig::default());
    // The echo of -15 dB with a loss of 20 is at -35: a voice of -25 stands out by 10.
    assert_eq!(run(&mut endpoint, &[(true, 11)], playing), []);
    let barge_in = EndpointEvent::Started {
        from_ms: 0,
        is_barge_in: true,
    };
    assert_eq!(run(&mut endpoint, &[(true, 1)], playing), [barge_in]);
    // The echo alone, even one that the detector takes for speech, does not interrupt.
    let mut endpoint = Endpoint::new(EndpointConfig::default());
    let echo = VadFrame {
        is_speech: true,
        level_dbfs: -33.0,
        noise_dbfs: -60.0,
    };
    assert!((0..500).all(|_| endpoint.push(&echo, playing).is_none()));
    // A room with a louder echo is learned; the same level then stands out no more.
    let loud = VadFrame {
        level_dbfs: -27.0,
        ..echo
    };
    assert!((0..500).all(|_| endpoint.push(&loud, playing).is_none()));
}

#[test]
fn a_start_that_playback_ends_in_the_middle_of_counts_from_its_beginning() {
    let mut endpoint = Endpoint::new(EndpointConfig::default());
    assert_eq!(run(&mut endpoint, &[(true, 6)], Some(-15.0)), []);
    assert_eq!(run(&mut endpoint, &[(true, 1)], None), [started(0)]);
}

#[test]
fn from_sound_to_turns() {
    let speech = parse_wav(include_bytes!("../testdata/speech.wav"))
        .unwrap()
        .to_pcm()
        .samples;
    let mut sound = Noise(9).white(1_000, -50.0);
    sound.extend(mix(&speech, &Noise(4).white(3_000, -50.0)));
    sound.extend(Noise(8).white(1_500, -50.0));
    sound.extend(mix(&babble(1_000, -20.0), &Noise(6).white(1_000, -50.0)));
    sound.extend(Noise(5).white(1_500, -50.0));
    let mut vad = Vad::new(VadConfig::default());
    let mut endpoint = Endpoint::new(EndpointConfig::default());
    let events: Vec<EndpointEvent> = sound
        .chunks_exact(FRAME_SAMPLES)
        .filter_map(|frame| endpoint.push(&vad.push(frame), None))
        .collect();
    let spoken_ms = speech.len() as u32 / 16;
    let [
        EndpointEvent::Started { from_ms: first, .. },
        EndpointEvent::Ended { at_ms: first_end, .. },
        EndpointEvent::Started { from_ms: second, .. },
        EndpointEvent::Ended { at_ms: second_end, .. },
    ] = events[..]
    else {
        panic!("{events:?}")
    };
    assert!((1_000..1_200).contains(&first), "{first}");
    assert!(first_end.abs_diff(1_000 + spoken_ms) < 400, "{first_end}");
    let start = 1_000 + spoken_ms + 1_500;
    assert!(
        second.abs_diff(start) < 150 && second_end.abs_diff(start + 1_000) < 250,
        "{second} {second_end}"
    );
}

proptest! {
    /// Starts and ends alternate, times never go back, and no turn is longer than the limit and its last frame.
    #[test]
    fn starts_and_ends_alternate(script in proptest::collection::vec((any::<bool>(), 1_u32..80, any::<bool>()), 1..60)) {
        let config = EndpointConfig { max_turn_ms: 2_000, ..EndpointConfig::default() };
        let mut endpoint = Endpoint::new(config);
        let (mut open, mut last) = (None::<u32>, 0);
        for (speech, count, playing) in script {
            for event in run(&mut endpoint, &[(speech, count)], playing.then_some(-20.0)) {
                match event {
                    EndpointEvent::Started { from_ms, .. } => {
                        prop_assert!(open.is_none() && from_ms >= last);
                        open = Some(from_ms);
                    }
                    EndpointEvent::Ended { at_ms, is_limit } => {
                        let from = open.take().unwrap();
                        prop_assert!(at_ms > from && at_ms - from <= 2_000);
                        prop_assert!(!is_limit || at_ms <= endpoint.now_ms());
                        last = at_ms;
                    }
                }
            }
            prop_assert_eq!(endpoint.is_speaking(), open.is_some());
        }
    }
}
