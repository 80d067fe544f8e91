//! Who may sign what, and when it falls due.

use super::*;

fn waiting(sign: Sign, cool_down: bool) -> Pending {
    let command = Command::Promote {
        target: target(Category::SystemPrompt, "v3-sha-empathy-rewrite"),
    };
    let needs = Needs {
        confirm: false,
        sign,
        cool_down,
    };
    Pending::new(
        "chg_1".into(),
        command,
        Some(1),
        needs,
        user("ada"),
        "because".into(),
        NOW,
    )
}

#[test]
fn the_author_of_a_promotion_cannot_approve_it() {
    let mut change = waiting(Sign::Another, true);
    assert!(matches!(
        change.sign(&user("ada"), NOW, COOL_DOWN_MS),
        Err(Refusal::Forbidden(_))
    ));
    let robot = Actor {
        id: "ci".into(),
        kind: ActorKind::Service,
    };
    assert!(matches!(
        change.sign(&robot, NOW, COOL_DOWN_MS),
        Err(Refusal::Forbidden(_))
    ));
    assert_eq!(change.state, State::Waiting);
    assert_eq!(change.sign(&user("grace"), NOW, COOL_DOWN_MS), Ok(()));
    assert_eq!((change.state, change.due_at_ms), (State::Cooling, NOW + 300_000));
    assert!(!change.is_due(NOW + 299_999));
    assert!(change.is_due(NOW + 300_000));
    assert!(matches!(
        change.sign(&user("grace"), NOW, COOL_DOWN_MS),
        Err(Refusal::NotAllowed(_))
    ));
}

#[test]
fn a_second_word_may_be_the_authors_where_it_is_no_promotion() {
    let mut change = waiting(Sign::Again, false);
    assert_eq!(change.sign(&user("ada"), NOW, COOL_DOWN_MS), Ok(()));
    assert!(change.is_due(NOW));
}

#[test]
fn it_can_be_taken_back_until_it_took_effect() {
    let mut change = waiting(Sign::Again, true);
    change.sign(&user("ada"), NOW, COOL_DOWN_MS).unwrap();
    assert_eq!(change.cancel(), Ok(()));
    assert!(!change.is_due(u64::MAX));
    for state in [State::Applied, State::Expired, State::Refused, State::Cancelled] {
        change.state = state;
        assert!(change.cancel().is_err());
    }
}

#[test]
fn what_nobody_signs_is_forgotten() {
    let mut change = waiting(Sign::Again, true);
    assert!(!change.is_due(NOW + WAITING_MS - 1));
    assert!(change.is_due(NOW + WAITING_MS));
    assert!(change.sign(&user("ada"), NOW + WAITING_MS, COOL_DOWN_MS).is_err());
}

#[test]
fn reasons() {
    for (reason, ok) in [("ok", false), ("why", true), ("  a  ", false), ("line\nbreak", false)] {
        assert_eq!(check_reason(reason).is_ok(), ok, "{reason:?}");
    }
    assert!(check_reason(&"x".repeat(500)).is_ok());
    assert!(check_reason(&"x".repeat(501)).is_err());
}
