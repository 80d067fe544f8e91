//! What no crash and no repetition can change, and who may not approve.

use super::*;
use crate::registry::{Actor, ActorKind, State as Change, Target};
use crate::variants::{Category, VariantId};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const NOW: u64 = 1_795_237_200_000;
const PLAN: Plan = Plan {
    collect_ms: 72 * 3_600_000,
    approval_ms: 48 * 3_600_000,
};

fn somebody(id: &str, kind: ActorKind) -> Actor {
    Actor { id: id.into(), kind }
}

fn begun() -> Run {
    let target = Target {
        category: Category::LlmModel,
        id: VariantId::parse("claude-haiku-4-5").unwrap(),
    };
    let ada = somebody("ada", ActorKind::User);
    Run::new(
        "run_1".into(),
        target,
        ada,
        "better".into(),
        "https://x".into(),
        PLAN,
        NOW,
    )
}

fn word(by: Actor) -> Approval {
    Approval {
        by,
        reason: "looks good".into(),
        fingerprint: "f".into(),
    }
}

/// Everything outside of a run. An effect is done once for each key; its answer is remembered, as the registry does.
#[derive(Default)]
struct World {
    verdicts: Vec<Verdict>,
    cools: bool,
    settles: Option<Change>,
    done: BTreeMap<String, Answer>,
    looks: u32,
}

impl World {
    fn do_it(&mut self, run: &Run, effect: &Effect) -> Answer {
        if let Effect::Look { .. } = effect {
            self.looks += 1;
            return Answer::Change(if self.looks < 3 {
                Change::Cooling
            } else {
                self.settles.unwrap_or(Change::Applied)
            });
        }
        if let Effect::Sign { approval, .. } = effect {
            assert_ne!(approval.by.id, run.author.id, "nobody signs their own");
        }
        let answer = match effect {
            Effect::Test => {
                let at = run.round as usize - 1;
                let ready = Verdict::Ready {
                    snapshot_version: 7,
                    variant_version: 3,
                };
                Answer::Tested(self.verdicts.get(at).cloned().unwrap_or(ready))
            }
            Effect::Request(_) => Answer::Requested("chg_1".into()),
            Effect::Sign { .. } => Answer::Change(if self.cools { Change::Cooling } else { Change::Applied }),
            _ => Answer::Sent,
        };
        self.done.entry(run.key()).or_insert(answer).clone()
    }
}

/// Runs to the end; a fault strikes at each step for as long as there are some.
fn play(mut world: World, faults: &[u8]) -> (Ending, Vec<String>) {
    let mut disk = serde_json::to_string(&begun()).unwrap();
    let mut faults = faults.iter();
    let mut heard: Option<Event> = None;
    for step in 0..2_000 {
        // Whoever comes knows what is on disk, and nothing else.
        let mut run: Run = serde_json::from_str(&disk).unwrap();
        if let State::Ended { ending } = run.state.clone() {
            return (ending, world.done.keys().cloned().collect());
        }
        let now_ms = run.due_at_ms().unwrap().max(NOW + step);
        let fault = faults.next().copied().unwrap_or(0);
        if fault == 4
            && let Some(event) = &heard
        {
            run.take(event, now_ms).unwrap();
        }
        if let State::Waiting { wanted } = run.state {
            let grace = word(somebody("grace", ActorKind::User));
            let event = Event::Approved {
                round: run.round,
                snapshot_version: wanted.snapshot_version,
                current_version: wanted.snapshot_version,
                approval: grace,
            };
            run.take(&event, wanted.expires_at_ms - 1).unwrap();
            if fault == 1 {
                continue;
            }
            // She is told nothing and asks again.
            run.take(&event, wanted.expires_at_ms - 1).unwrap();
        } else {
            run.take(&Event::Rang, now_ms).unwrap();
            if fault == 5 {
                run.take(&Event::Rang, now_ms).unwrap();
            }
        }
        disk = serde_json::to_string(&run).unwrap();
        let Some(effect) = run.effect() else { continue };
        if fault == 1 {
            continue;
        }
        let answer = if fault == 3 {
            Answer::Away("away".into())
        } else {
            world.do_it(&run, &effect)
        };
        if fault == 2 {
            continue;
        }
        let event = Event::Done { key: run.key(), answer };
        run.take(&event, now_ms).unwrap();
        if !matches!(effect, Effect::Look { .. }) && fault != 3 {
            heard = Some(event);
        }
        disk = serde_json::to_string(&run).unwrap();
    }
    panic!("it does not end: {disk}");
}

fn worlds() -> impl Strategy<Value = (Vec<Verdict>, bool, Option<Change>)> {
    let verdict = prop_oneof![
        3 => Just(Verdict::Wait("more".into())),
        1 => Just(Verdict::Stop("worse".into())),
        2 => Just(Verdict::Ready { snapshot_version: 7, variant_version: 3 }),
    ];
    let settles = prop_oneof![
        Just(None),
        Just(Some(Change::Cancelled)),
        Just(Some(Change::Refused)),
        Just(Some(Change::Applied))
    ];
    (prop::collection::vec(verdict, 0..12), any::<bool>(), settles)
}

proptest! {
    #[test]
    fn a_crash_anywhere_and_a_repetition_of_anything_end_the_same((verdicts, cools, settles) in worlds(), faults in prop::collection::vec(0..6_u8, 0..60)) {
        let world = || World { verdicts: verdicts.clone(), cools, settles, ..World::default() };
        prop_assert_eq!(play(world(), &faults), play(world(), &[]));
    }

    #[test]
    fn whatever_comes_a_run_is_due_until_it_is_over(events in prop::collection::vec((0..9_u8, 0..4_u64), 0..60)) {
        let mut run = begun();
        let mut now_ms = NOW;
        for (what, hours) in events {
            now_ms += hours * 24 * 3_600_000;
            let key = run.key();
            let event = match what {
                0 | 1 => Event::Rang,
                2 => Event::Done { key, answer: Answer::Sent },
                3 => Event::Done { key, answer: Answer::Tested(Verdict::Ready { snapshot_version: 7, variant_version: 3 }) },
                4 => Event::Done { key, answer: Answer::Requested("chg_1".into()) },
                5 => Event::Done { key, answer: Answer::Change(Change::Applied) },
                6 => Event::Done { key, answer: Answer::Away("away".into()) },
                7 => Event::Approved { round: run.round, snapshot_version: 7, current_version: 7 + hours / 3, approval: word(somebody("grace", ActorKind::User)) },
                _ => Event::Cancelled { by: "grace".into() },
            };
            let was_over = run.is_over();
            let before = run.clone();
            let refused = run.take(&event, now_ms).is_err();
            if was_over { prop_assert_eq!(&run, &before); }
            if refused && !matches!(event, Event::Approved { .. }) { prop_assert_eq!(&run, &before); }
            prop_assert_eq!(run.is_over(), run.due_at_ms().is_none());
            // In production only by somebody else's word.
            if matches!(&run.state, State::Ended { ending: Ending::Promoted } | State::Telling { ending: Ending::Promoted }) {
                prop_assert!(run.approved_by.as_ref().is_some_and(|approval| approval.by.id != run.author.id));
            }
        }
    }

    #[test]
    fn waits_grow_and_end(failures in 1..200_u32) {
        prop_assert!(effect_in_ms(failures) <= effect_in_ms(failures + 1) && effect_in_ms(failures) <= 300_000);
        match (delivery_in_ms(failures), delivery_in_ms(failures + 1)) {
            (Some(one), Some(next)) => prop_assert!(one <= next),
            (None, next) => prop_assert!(next.is_none() && failures >= DELIVERY_ATTEMPTS),
            (Some(_), None) => prop_assert_eq!(failures + 1, DELIVERY_ATTEMPTS),
        }
    }
}

/// A run that waits for a person.
fn waiting() -> (Run, Wanted) {
    let mut run = begun();
    let until = run.due_at_ms().unwrap();
    run.take(&Event::Rang, until).unwrap();
    for answer in [
        Answer::Tested(Verdict::Ready {
            snapshot_version: 7,
            variant_version: 3,
        }),
        Answer::Sent,
    ] {
        run.take(&Event::Done { key: run.key(), answer }, until).unwrap();
    }
    let State::Waiting { wanted } = run.state else {
        panic!("{:?}", run.state)
    };
    (run, wanted)
}

fn approve(run: &mut Run, by: Actor, (round, version, current): (u32, u64, u64), now_ms: u64) -> Result<(), Refused> {
    let event = Event::Approved {
        round,
        snapshot_version: version,
        current_version: current,
        approval: word(by),
    };
    run.take(&event, now_ms)
}

#[test]
fn who_may_approve_and_when() {
    let grace = || somebody("grace", ActorKind::User);
    let (mut run, wanted) = waiting();
    let (author, at_ms) = (run.author.clone(), wanted.expires_at_ms - 1);
    assert_eq!(wanted.expires_at_ms, NOW + PLAN.collect_ms + PLAN.approval_ms);
    let refused = |run: &mut Run, by, link, at_ms| {
        let before = run.clone();
        let why = approve(run, by, link, at_ms).unwrap_err();
        if why != Refused::Moved {
            assert_eq!(*run, before);
        }
        why
    };
    assert_eq!(refused(&mut run, author, (1, 7, 7), at_ms), Refused::Author);
    assert_eq!(
        refused(&mut run, somebody("ci", ActorKind::Service), (1, 7, 7), at_ms),
        Refused::Program
    );
    assert_eq!(refused(&mut run, grace(), (2, 7, 7), at_ms), Refused::Used);
    assert_eq!(refused(&mut run, grace(), (1, 6, 7), at_ms), Refused::Used);
    assert_eq!(
        refused(&mut run, grace(), (1, 7, 7), wanted.expires_at_ms),
        Refused::Expired
    );

    let mut moved = run.clone();
    assert_eq!(refused(&mut moved, grace(), (1, 7, 8), at_ms), Refused::Moved);
    assert_eq!((moved.effect(), moved.round), (Some(Effect::Test), 2));

    approve(&mut run, grace(), (1, 7, 7), at_ms).unwrap();
    assert_eq!(run.effect(), Some(Effect::Request(wanted)));
    let after = run.clone();
    approve(&mut run, grace(), (1, 7, 9), at_ms).unwrap();
    assert_eq!(run, after, "the same request hears the same");
    assert_eq!(
        refused(&mut run, somebody("eve", ActorKind::User), (1, 7, 7), at_ms),
        Refused::Used
    );
    assert_eq!(
        run.take(&Event::Cancelled { by: "ada".into() }, at_ms),
        Err(Refused::TooLate)
    );
}

#[test]
fn nobody_approves_in_time() {
    let (mut run, wanted) = waiting();
    run.take(&Event::Rang, wanted.expires_at_ms - 1).unwrap();
    assert_eq!(run.state, State::Waiting { wanted });
    run.take(&Event::Rang, wanted.expires_at_ms).unwrap();
    assert_eq!(run.effect(), Some(Effect::Tell(Ending::Expired)));
}

#[test]
fn what_is_away_for_too_long_ends_it() {
    let mut run = begun();
    let mut now_ms = NOW;
    let mut steps = 0;
    while let Some(due_ms) = run.due_at_ms() {
        now_ms = now_ms.max(due_ms);
        run.take(&Event::Rang, now_ms).unwrap();
        if run.effect().is_some() {
            let answer = Answer::Away("the registry is away".into());
            run.take(&Event::Done { key: run.key(), answer }, now_ms).unwrap();
        }
        steps += 1;
        assert!(steps < 500);
    }
    let why = "the registry is away".into();
    assert_eq!(
        run.state,
        State::Ended {
            ending: Ending::Failed { why }
        }
    );
    assert!(now_ms - NOW < PLAN.collect_ms + 12 * 3_600_000);
}
