//! What commands do, what they need, and what no sequence of them can break.

use super::*;
use crate::variants::{Cohort, MAX_EXPERIMENTS, Reason, Slot, Status, Subject};
use alloc::vec::Vec;
use proptest::prelude::*;
use serde_json::json;

const MODEL: Category = Category::LlmModel;
const PROMPT: Category = Category::SystemPrompt;

fn rollout(category: Category, id: &str, percent: f64) -> Command {
    Command::Rollout {
        target: target(category, id),
        percent,
    }
}

fn promote(category: Category, id: &str) -> Command {
    Command::Promote {
        target: target(category, id),
    }
}

fn status(snapshot: &Snapshot, category: Category, id: &str) -> (Status, f64, u64) {
    let variant = snapshot.variant(category, id).unwrap();
    (variant.status, variant.rollout_percent, variant.version)
}

#[test]
fn a_life_from_creation_to_production_and_back() {
    let create = Command::Create {
        target: target(MODEL, "next"),
        description: " A new one ".into(),
        config: json!({"provider": "openai", "model": "next", "max_output_tokens": 800, "temperature": 0.5}),
        cohorts: alloc::vec![Cohort::Free, Cohort::All, Cohort::Free],
    };
    let (one, change) = make(&seed(), &create).unwrap();
    assert_eq!(one.version(), seed().version() + 1);
    assert!(change.before.is_empty());
    assert_eq!(change.after[0].description, "A new one");
    assert_eq!(change.after[0].cohorts, [Cohort::All, Cohort::Free]);
    assert_eq!(change.after[0].created_by, "ada");
    assert_eq!(make(&one, &create), Err(Refusal::Exists));

    // Haiku grows from the low end: the newcomer takes the other one.
    let two = made(&one, &rollout(MODEL, "next", 12.345));
    assert_eq!(two.variant(MODEL, "next").unwrap().slot, Slot::High);
    assert_eq!(status(&two, MODEL, "next"), (Status::Experimental, 12.35, 2));
    let three = made(&two, &promote(MODEL, "next"));
    assert_eq!(status(&three, MODEL, "next"), (Status::Staged, 12.35, 3));
    let (four, promotion) = make(&three, &promote(MODEL, "next")).unwrap();
    assert_eq!(status(&four, MODEL, "next"), (Status::Production, 100.0, 4));
    assert_eq!(status(&four, MODEL, "claude-sonnet-4-6"), (Status::Staged, 0.0, 2));

    let rollback = Command::Rollback {
        target: target(MODEL, "next"),
    };
    let (five, _) = apply(&four, &rollback, None, Some(&promotion), &user("ada"), NOW).unwrap();
    assert_eq!(status(&five, MODEL, "next"), (Status::Experimental, 0.0, 5));
    assert_eq!(
        status(&five, MODEL, "claude-sonnet-4-6"),
        (Status::Production, 100.0, 3)
    );
    assert!(matches!(
        apply(&five, &rollback, None, Some(&promotion), &user("ada"), NOW),
        Err(Refusal::NotAllowed(_))
    ));
}

#[test]
fn what_is_refused() {
    let seed = seed();
    let check = |command: Command, expected: &str| {
        let refusal = make(&seed, &command).unwrap_err();
        assert!(refusal.detail().contains(expected), "{command:?}: {refusal}");
    };
    check(rollout(MODEL, "nobody", 1.0), "no such variant");
    check(rollout(MODEL, "claude-sonnet-4-6", 1.0), "production");
    check(rollout(PROMPT, "v1-sha-baseline", 1.0), "retired");
    check(rollout(MODEL, "claude-haiku-4-5", f64::NAN), "0 to 100");
    check(rollout(MODEL, "claude-haiku-4-5", 100.1), "0 to 100");
    check(rollout(MODEL, "claude-haiku-4-5", 10.0), "nothing would change");
    check(promote(MODEL, "claude-sonnet-4-6"), "in production");
    for command in [
        Command::Demote {
            target: target(MODEL, "claude-sonnet-4-6"),
        },
        Command::Retire {
            target: target(MODEL, "claude-sonnet-4-6"),
        },
    ] {
        check(command, "only production");
    }
    check(
        Command::Edit {
            target: target(MODEL, "claude-haiku-4-5"),
            description: None,
            config: Some(json!({"provider": "x"})),
        },
        "lacks model",
    );
    check(
        Command::Cohorts {
            target: target(MODEL, "claude-haiku-4-5"),
            cohorts: Vec::new(),
        },
        "at least one cohort",
    );
    // A third challenger finds both ends taken.
    let both = made(&seed, &rollout(MODEL, "claude-opus-4-7", 5.0));
    assert!(matches!(
        make(&both, &rollout(MODEL, "llama-3-70b", 5.0)),
        Err(Refusal::Registry(_))
    ));
    assert_eq!(
        apply(
            &seed,
            &rollout(MODEL, "claude-haiku-4-5", 11.0),
            Some(7),
            None,
            &user("ada"),
            NOW
        ),
        Err(Refusal::Stale { current: 1 })
    );
}

#[test]
fn what_each_wish_needs() {
    let seed = seed();
    let check = |command: Command, confirm: bool, sign: Sign, cool_down: bool| {
        assert_eq!(
            command.needs(&seed),
            Ok(Needs {
                confirm,
                sign,
                cool_down
            }),
            "{command:?}"
        );
    };
    check(rollout(MODEL, "claude-haiku-4-5", 35.0), false, Sign::None, false);
    check(rollout(MODEL, "claude-haiku-4-5", 35.01), true, Sign::None, false);
    check(rollout(PROMPT, "v3-sha-empathy-rewrite", 0.0), false, Sign::None, false);
    check(rollout(PROMPT, "v3-sha-empathy-rewrite", 50.0), true, Sign::Again, true);
    check(promote(MODEL, "claude-haiku-4-5"), false, Sign::Another, false);
    check(promote(MODEL, "claude-opus-4-7"), false, Sign::None, false);
    check(promote(PROMPT, "v3-sha-empathy-rewrite"), false, Sign::Another, true);
    let edit = |config| Command::Edit {
        target: target(PROMPT, "v3-sha-empathy-rewrite"),
        description: Some("x".into()),
        config,
    };
    check(edit(None), false, Sign::None, false);
    check(edit(Some(json!({"prompt": "companion-v2"}))), false, Sign::Again, true);
    for command in [
        Command::Demote {
            target: target(PROMPT, "v3-sha-empathy-rewrite"),
        },
        Command::Pause {
            target: target(PROMPT, "v3-sha-empathy-rewrite"),
        },
        Command::Rollback {
            target: target(PROMPT, "v2-sha-current"),
        },
        Command::Kill {
            categories: Category::ALL.into(),
            off: true,
        },
    ] {
        assert!(!command.needs_version());
        check(command, false, Sign::None, false);
    }
}

#[test]
fn a_running_session_leaves_what_is_withdrawn_and_nothing_else() {
    let start = made(&seed(), &rollout(MODEL, "claude-haiku-4-5", 100.0));
    let person = (0..)
        .map(|n| alloc::format!("person-{n}"))
        .find(|id| {
            let subject = Subject {
                id,
                is_new: true,
                is_paid: false,
            };
            start.assign(&subject).choices[&MODEL].reason == Reason::Split
        })
        .unwrap();
    let subject = Subject {
        id: &person,
        is_new: true,
        is_paid: false,
    };
    let pinned = start.assign(&subject);
    let now = |snapshot: &Snapshot| {
        let held = snapshot.in_force(&pinned, &person);
        let choice = held.choices[&MODEL].clone();
        // Nothing else moves.
        for category in Category::ALL.into_iter().filter(|category| *category != MODEL) {
            assert_eq!(held.choices[&category], pinned.choices[&category]);
        }
        (alloc::string::String::from(choice.variant.as_str()), choice.reason)
    };
    let kept = ("claude-haiku-4-5".into(), Reason::Split);
    let left = ("claude-sonnet-4-6".into(), Reason::Withdrawn);
    let haiku = || target(MODEL, "claude-haiku-4-5");
    assert_eq!(now(&start), kept);
    assert_eq!(now(&made(&start, &rollout(MODEL, "claude-haiku-4-5", 1.0))), kept);
    assert_eq!(now(&made(&start, &promote(MODEL, "claude-haiku-4-5"))), kept);
    for command in [
        Command::Pause { target: haiku() },
        Command::Demote { target: haiku() },
        Command::Retire { target: haiku() },
        Command::Kill {
            categories: [MODEL].into(),
            off: true,
        },
    ] {
        assert_eq!(now(&made(&start, &command)), left, "{command:?}");
    }

    // Who began on production that was promoted over keeps it; who began on production that was rolled back leaves it.
    let (promoted, change) = make(&start, &promote(MODEL, "claude-haiku-4-5")).unwrap();
    let other = "someone-on-production";
    let before = seed().production_defaults(other);
    assert_eq!(
        promoted.in_force(&before, other).variant(MODEL),
        Some("claude-sonnet-4-6")
    );
    let since = promoted.production_defaults(other);
    assert_eq!(since.variant(MODEL), Some("claude-haiku-4-5"));
    let rollback = Command::Rollback { target: haiku() };
    let (back, _) = apply(&promoted, &rollback, None, Some(&change), &user("ada"), NOW).unwrap();
    assert_eq!(back.in_force(&since, other).variant(MODEL), Some("claude-sonnet-4-6"));
}

#[test]
fn the_switch_enrols_nobody_and_survives_a_round_trip() {
    let off = made(
        &seed(),
        &Command::Kill {
            categories: [MODEL].into(),
            off: true,
        },
    );
    let read = Snapshot::parse(&off.to_json().unwrap()).unwrap();
    assert_eq!(read, off);
    for n in 0..2_000 {
        let id = alloc::format!("p{n}");
        let subject = Subject {
            id: &id,
            is_new: true,
            is_paid: false,
        };
        assert_eq!(read.assign(&subject).choices[&MODEL].reason, Reason::Default);
    }
    let on = made(
        &off,
        &Command::Kill {
            categories: [MODEL].into(),
            off: false,
        },
    );
    assert!(on.killed().is_empty());
}

#[test]
fn command_format_unchanged() {
    let stored =
        r#"{"action":"rollout","target":{"category":"SYSTEM_PROMPT","id":"v3-sha-empathy-rewrite"},"percent":20.0}"#;
    let command: Command = serde_json::from_str(stored).unwrap();
    assert_eq!(command, rollout(PROMPT, "v3-sha-empathy-rewrite", 20.0));
    assert_eq!(serde_json::to_string(&command).unwrap(), stored);
    assert_eq!(
        (command.action(), command.subject().as_str()),
        ("rollout", "SYSTEM_PROMPT/v3-sha-empathy-rewrite")
    );
}

fn any_command() -> impl Strategy<Value = Command> {
    let variants: Vec<Target> = seed()
        .variants()
        .iter()
        .filter(|variant| variant.category != Category::RatingVariant || variant.id.as_str() < "rating-04")
        .map(|variant| Target {
            category: variant.category,
            id: variant.id.clone(),
        })
        .collect();
    (proptest::sample::select(variants), 0..9_u8, 0.0..=100.0_f64).prop_map(|(target, which, percent)| match which {
        0 | 1 => Command::Rollout { target, percent },
        2 => Command::Promote { target },
        3 => Command::Demote { target },
        4 => Command::Pause { target },
        5 => Command::Retire { target },
        6 => Command::Rollback { target },
        7 => Command::Kill {
            categories: [target.category].into(),
            off: percent > 50.0,
        },
        _ => Command::Cohorts {
            target,
            cohorts: alloc::vec![if percent > 50.0 { Cohort::All } else { Cohort::NewUsers }],
        },
    })
}

proptest! {
    /// Whatever admins do in whatever order: the registry stays whole, versions count up by one, nothing is lost, at
    /// most five categories are experimented on, and a crisis sees production.
    #[test]
    fn no_sequence_breaks_the_registry(commands in proptest::collection::vec(any_command(), 1..60)) {
        let mut snapshot = seed();
        let mut last: Vec<Change> = Vec::new();
        for command in commands {
            let undo = last.iter().rev().find(|change| {
                command.target().is_some_and(|target| change.after.iter().any(|row| row.category == target.category && row.id == target.id))
            });
            let Ok((next, change)) = apply(&snapshot, &command, None, undo, &user("ada"), NOW) else { continue };
            prop_assert_eq!(next.version(), snapshot.version() + 1);
            prop_assert_eq!(next.variants().len(), snapshot.variants().len());
            prop_assert!(next.experiments().count() <= MAX_EXPERIMENTS);
            for (old, new) in snapshot.variants().iter().zip(next.variants()) {
                let is_touched = change.after.iter().any(|row| row.category == new.category && row.id == new.id);
                prop_assert_eq!(new.version, old.version + u64::from(is_touched));
                prop_assert!(is_touched || new == old);
            }
            // What is stored reads back as the same registry.
            prop_assert_eq!(&Snapshot::parse(&next.to_json().unwrap()).unwrap(), &next);
            for choice in next.production_defaults("p").choices.iter().map(|(category, choice)| (*category, choice)) {
                prop_assert_eq!(next.variant(choice.0, &choice.1.variant).unwrap().status, Status::Production);
            }
            last.push(change);
            snapshot = next;
        }
    }
}

#[test]
fn evidence_of_crises_stays_with_the_configuration_and_a_confirmed_miss_takes_a_canary_back() {
    let haiku = || target(MODEL, "claude-haiku-4-5");
    let replay = |new_misses| Command::Replay {
        target: haiku(),
        cases: 100,
        new_misses,
    };
    let miss = Command::LiveMiss { target: haiku() };
    let crisis = |snapshot: &Snapshot| crate::pipeline::evidence(snapshot.variant(MODEL, "claude-haiku-4-5").unwrap());
    let program = Actor {
        id: "ci".into(),
        kind: ActorKind::Service,
    };

    let (clean, _) = apply(&seed(), &replay(0), None, None, &program, NOW).unwrap();
    assert_eq!(crisis(&clean).replay.unwrap().cases, 100);
    assert_eq!(
        status(&clean, MODEL, "claude-haiku-4-5"),
        (Status::Staged, 10.0, 1),
        "nobody's version is stale"
    );
    assert_eq!(clean.version(), seed().version() + 1);
    assert!(matches!(
        make(
            &seed(),
            &Command::Replay {
                target: haiku(),
                cases: 0,
                new_misses: 0
            }
        ),
        Err(Refusal::Invalid(_))
    ));

    let failed = made(&clean, &replay(1));
    assert_eq!(
        status(&failed, MODEL, "claude-haiku-4-5"),
        (Status::Experimental, 0.0, 2)
    );

    assert!(matches!(
        apply(&clean, &miss, None, None, &program, NOW),
        Err(Refusal::Forbidden(_))
    ));
    let missed = made(&clean, &miss);
    assert_eq!(
        status(&missed, MODEL, "claude-haiku-4-5"),
        (Status::Experimental, 0.0, 2)
    );
    assert_eq!(
        (
            crisis(&missed).confirmed_live_misses,
            crisis(&missed).replay.unwrap().cases
        ),
        (1, 100)
    );
    assert_eq!(crisis(&made(&missed, &miss)).confirmed_live_misses, 2);

    // All that production has stays, and what is known of it too.
    let sonnet = Command::LiveMiss {
        target: target(MODEL, "claude-sonnet-4-6"),
    };
    let known = made(&seed(), &sonnet);
    assert_eq!(
        status(&known, MODEL, "claude-sonnet-4-6"),
        (Status::Production, 100.0, 1)
    );
    assert_eq!(
        known.variant(MODEL, "claude-sonnet-4-6").unwrap().metrics["crisis"]["confirmed_live_misses"],
        1
    );

    // Another configuration is another matter; the old one comes back with what was found out about it.
    let edit = Command::Edit {
        target: haiku(),
        description: None,
        config: Some(json!({"provider": "openai", "model": "next", "max_output_tokens": 800, "temperature": 0.5})),
    };
    let (edited, change) = make(&missed, &edit).unwrap();
    assert_eq!(crisis(&edited), crate::statistics::CrisisEvidence::default());
    let rollback = Command::Rollback { target: haiku() };
    let (back, _) = apply(&edited, &rollback, None, Some(&change), &user("ada"), NOW).unwrap();
    assert_eq!(crisis(&back).confirmed_live_misses, 1);
    // And a rollback of something else does not make it unknown.
    let (grown, change) = make(&seed(), &rollout(MODEL, "claude-haiku-4-5", 20.0)).unwrap();
    let (back, _) = apply(
        &made(&grown, &replay(0)),
        &rollback,
        None,
        Some(&change),
        &user("ada"),
        NOW,
    )
    .unwrap();
    assert_eq!(crisis(&back).replay.unwrap().cases, 100);
}
