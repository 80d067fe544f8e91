//! The fault matrix of docs/faults.md, on simulated time: the primary is faulty, the fall-back healthy.

use super::sim::{Bench, Script, Step, refuse, say, script, stop, used, whole};
use crate::turn::{LlmEvent, ProviderError, StopReason};
use alloc::vec;
use alloc::vec::Vec;

const WHOLE: &str = "from the fall-back";

fn eight_words() -> Vec<Step> {
    (0..8).map(|_| say("word ")).collect()
}

fn after_eight(more: Vec<Step>) -> Script {
    script([eight_words(), more].concat())
}

/// Fault, outcomes of the primary's attempts, whether words had to be taken back, longest time in milliseconds.
fn faults() -> Vec<(&'static str, Script, Vec<&'static str>, usize, u64)> {
    let busy = |retry_after_s| refuse(ProviderError::Busy { retry_after_s });
    let silent = Script {
        open: vec![Step::Hang],
        steps: vec![],
    };
    let garbage = ProviderError::Protocol("chunk");
    let slow = vec![vec![Step::Wait(15_000), say("w ")]; 20].concat();
    vec![
        (
            "500",
            refuse(ProviderError::Status(500)),
            vec!["provider-status"; 2],
            0,
            300,
        ),
        ("429", busy(None), vec!["provider-busy"; 2], 0, 300),
        ("429, come back in 30 s", busy(Some(30)), vec!["provider-busy"], 0, 0),
        ("no headers", silent, vec!["provider-timeout"], 0, 5_000),
        (
            "headers, then silence",
            script(vec![Step::Hang]),
            vec!["provider-timeout"],
            0,
            20_000,
        ),
        (
            "cut after 8",
            after_eight(vec![Step::Fail(ProviderError::Truncated)]),
            vec!["provider-truncated"],
            1,
            0,
        ),
        (
            "end without a stop reason",
            after_eight(vec![Step::End]),
            vec!["provider-truncated"],
            1,
            0,
        ),
        (
            "bad JSON",
            after_eight(vec![Step::Fail(garbage)]),
            vec!["provider-protocol"],
            1,
            0,
        ),
        (
            "error in the stream",
            after_eight(vec![Step::Fail(ProviderError::InStream)]),
            vec!["provider-in-stream"],
            1,
            0,
        ),
        (
            "stall",
            after_eight(vec![Step::Hang]),
            vec!["provider-timeout"],
            1,
            20_000,
        ),
        ("empty stream", script(vec![]), vec!["provider-truncated"; 2], 0, 300),
        (
            "key refused",
            refuse(ProviderError::Status(401)),
            vec!["provider-status"],
            0,
            0,
        ),
        (
            "no credit",
            refuse(ProviderError::QuotaExhausted),
            vec!["provider-quota"],
            0,
            0,
        ),
        (
            "too long for it",
            refuse(ProviderError::ContextLength),
            vec!["provider-context-length"],
            0,
            0,
        ),
        (
            "a trickle to the end of time",
            script(slow),
            vec!["provider-timeout"],
            0,
            120_000,
        ),
    ]
}

#[test]
fn the_answer_is_the_fall_backs_and_whole() {
    for (fault, primary, outcomes, resets, longest_ms) in faults() {
        let heard = Bench::new(&[("a", vec![primary]), ("b", vec![whole(WHOLE)])]).turn();
        if fault.starts_with("a trickle") {
            // The time for all of it is over: nobody else is asked.
            assert_eq!(
                (heard.error, heard.stop),
                (Some(ProviderError::TimedOut("total")), None),
                "{fault}"
            );
            assert_eq!(heard.took_ms, longest_ms, "{fault}");
            continue;
        }
        assert_eq!(
            (heard.text.as_str(), heard.stop),
            (WHOLE, Some(StopReason::Stop)),
            "{fault}"
        );
        assert_eq!((&heard.error, heard.resets), (&None, resets), "{fault}");
        let mut expected: Vec<_> = outcomes.into_iter().map(|outcome| ("a", outcome)).collect();
        expected.push(("b", "ok"));
        assert_eq!(heard.outcomes(), expected, "{fault}");
        assert!(heard.took_ms <= longest_ms, "{fault}: {} ms", heard.took_ms);
        // Charged are who said something and who answered, each once.
        let charged = heard.attempts.iter().filter(|attempt| attempt.usage.is_some()).count();
        assert_eq!(charged, 1 + resets, "{fault}");
    }
}

#[test]
fn where_nothing_can_be_taken_back_a_half_answer_is_an_error() {
    for (fault, primary, _, resets, _) in faults().into_iter().filter(|fault| fault.3 == 1) {
        let mut bench = Bench::new(&[("a", vec![primary]), ("b", vec![whole(WHOLE)])]);
        bench.plan.allows_reset = false;
        let heard = bench.turn();
        assert_eq!(
            (heard.resets, heard.stop, heard.attempts.len()),
            (resets - 1, None, 1),
            "{fault}"
        );
        assert!(heard.error.is_some(), "{fault}");
    }
}

#[test]
fn without_a_fall_back_the_words_stay_and_the_error_is_told() {
    let heard = Bench::new(&[("a", vec![after_eight(vec![Step::End])])]).turn();
    assert_eq!(heard.outcomes(), [("a", "provider-truncated")]);
    assert_eq!((heard.resets, heard.error), (0, Some(ProviderError::Truncated)));
    assert_eq!(heard.text, "word ".repeat(8));
    // Also where the fall-back never speaks: nothing is taken back for nothing.
    let heard = Bench::new(&[
        ("a", vec![after_eight(vec![Step::End])]),
        ("b", vec![refuse(ProviderError::Status(503))]),
    ])
    .turn();
    assert_eq!(
        (heard.resets, heard.error.map(|error| error.slug())),
        (0, Some("provider-status"))
    );
    assert_eq!(heard.text, "word ".repeat(8));
}

#[test]
fn an_answer_with_its_stop_reason_is_whole_whatever_follows() {
    for rest in [
        vec![],
        vec![Step::Hang],
        vec![Step::Fail(ProviderError::Truncated)],
        vec![used(5, 8), Step::Fail(ProviderError::InStream)],
    ] {
        let heard = Bench::new(&[("a", vec![after_eight([vec![stop()], rest].concat())])]).turn();
        assert_eq!((heard.stop, heard.error.as_ref()), (Some(StopReason::Stop), None));
        assert_eq!(heard.outcomes(), [("a", "ok")]);
        assert!(heard.took_ms <= 2_000, "{} ms", heard.took_ms);
    }
}

#[test]
fn who_says_nothing_has_not_answered_but_a_refusal_is_an_answer() {
    let empty = script(vec![stop(), used(11, 0)]);
    let heard = Bench::new(&[("a", vec![empty]), ("b", vec![whole(WHOLE)])]).turn();
    assert_eq!((heard.text.as_str(), heard.resets), (WHOLE, 0));
    assert_eq!(
        heard.outcomes(),
        [("a", "provider-protocol"), ("a", "provider-protocol"), ("b", "ok")]
    );
    assert!(
        heard.attempts.iter().all(|attempt| attempt.usage.is_some()),
        "it was counted, so it is charged"
    );
    let refusal = Step::Tell(LlmEvent::Stop(StopReason::Refusal));
    let heard = Bench::new(&[("a", vec![script(vec![refusal])]), ("b", vec![whole(WHOLE)])]).turn();
    assert_eq!((heard.text.as_str(), heard.stop), ("", Some(StopReason::Refusal)));
}

#[test]
fn nobody_is_asked_around_a_filter() {
    let bench = Bench::new(&[("a", vec![refuse(ProviderError::Filtered)]), ("b", vec![whole(WHOLE)])]);
    let heard = bench.turn();
    assert_eq!((heard.error, heard.attempts.len()), (Some(ProviderError::Filtered), 1));
}

#[test]
fn a_second_attempt_at_the_same_target_helps() {
    let bench = Bench::new(&[
        ("a", vec![refuse(ProviderError::Status(502)), whole(WHOLE)]),
        ("b", vec![]),
    ]);
    let heard = bench.turn();
    assert_eq!(heard.outcomes(), [("a", "provider-status"), ("a", "ok")]);
    assert_eq!(heard.text, WHOLE);
}

#[test]
fn a_stop_tells_what_was_charged() {
    let bench = Bench::new(&[("a", vec![script(vec![used(9, 1), say("some words "), Step::Hang])])]);
    let heard = bench.turn_until(Some(400));
    assert_eq!((heard.outcomes(), heard.took_ms), (vec![("a", "stopped")], 400));
    let [attempt] = &heard.attempts[..] else {
        panic!("{heard:?}")
    };
    let usage = attempt.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, attempt.usage_estimated),
        (9, 3, true)
    );
    assert_eq!(
        (attempt.ttft_ms, attempt.opened_ms, attempt.total_ms),
        (Some(0), Some(0), 400)
    );
}
