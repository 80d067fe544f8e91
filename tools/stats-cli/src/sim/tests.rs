//! A small run of the simulation, at a fixed seed.

use super::experiment::{Outcome, Plan, run_all};
use super::metric::Kind;
use super::random::Random;

fn small() -> Plan {
    Plan {
        experiments: 120,
        longest: 3_000,
        ..Plan::default()
    }
}

#[test]
fn the_generator_is_the_published_one() {
    // The first numbers of SplitMix64 from 1234567, as its authors' Java class gives them.
    let mut random = Random::new(0, 0);
    random.seed_plainly(1_234_567);
    assert_eq!(
        [random.next(), random.next(), random.next()],
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423
        ]
    );
}

#[test]
fn watching_fools_the_usual_rule_and_not_ours() {
    let (mut naive, mut ours, mut all) = (0, 0, 0);
    for kind in Kind::ALL {
        let outcomes = run_all(kind, 0.0, &small());
        let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
        let mine = count(|outcome| outcome.ours.is_some());
        // 5 % of 120 is 6; twice that would be 2.5 standard errors above.
        assert!(mine <= 12, "{}: {mine}", kind.name());
        naive += count(|outcome| outcome.naive.is_some());
        ours += mine;
        all += outcomes.len();
    }
    assert!(20 * ours <= all, "{ours} of {all}");
    assert!(naive > 3 * all / 20 && naive > 3 * ours, "{naive} of {all}");
}

#[test]
fn a_true_lift_is_found() {
    let outcomes = run_all(Kind::Rate, 0.05, &small());
    let found = outcomes.iter().filter(|outcome| outcome.ours.is_some()).count();
    assert!(2 * found > outcomes.len(), "{found}");
    assert!(
        outcomes
            .iter()
            .filter_map(|outcome| outcome.ours)
            .all(|sessions| sessions > 500)
    );
}

#[test]
fn the_gate_tells_harm_from_none() {
    let counts = |change| {
        let outcomes = run_all(Kind::Rating, change, &small());
        let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
        (
            count(|outcome| outcome.gate_passed),
            count(|outcome| outcome.gate_failed),
        )
    };
    let (passed, failed) = counts(0.0);
    assert!(passed > 100 && failed == 0, "{passed} {failed}");
    let (passed, failed) = counts(-0.05);
    assert!(passed <= 12 && failed <= 12, "{passed} {failed}");
    let (passed, failed) = counts(-0.15);
    assert!(passed == 0 && failed > 100, "{passed} {failed}");
}

#[test]
fn the_same_seed_gives_the_same_experiments() {
    let plan = Plan {
        experiments: 5,
        longest: 600,
        ..Plan::default()
    };
    let first = run_all(Kind::Cost, 0.3, &plan);
    assert_eq!(first, run_all(Kind::Cost, 0.3, &plan));
    let other = Plan { seed: 2, ..plan };
    assert_ne!(first, run_all(Kind::Cost, 0.3, &other));
}
