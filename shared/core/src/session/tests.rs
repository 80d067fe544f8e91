use super::*;
use alloc::vec;
use proptest::prelude::*;

fn turn(n: u8) -> TurnId {
    TurnId::new(u64::from(n), [n; 10])
}

#[test]
fn the_first_turn_starts_at_once_and_the_second_waits() {
    let mut order = Order::new(2);
    assert_eq!(
        order.handle(Command::Submit(turn(1))),
        vec![
            Effect::Accept {
                turn: turn(1),
                ahead: 0
            },
            Effect::Start(turn(1))
        ]
    );
    assert_eq!(
        order.handle(Command::Submit(turn(2))),
        vec![Effect::Accept {
            turn: turn(2),
            ahead: 1
        }]
    );
    assert_eq!(order.active(), Some(&turn(1)));
    assert_eq!(order.handle(Command::Finished(turn(1))), vec![Effect::Start(turn(2))]);
}

#[test]
fn a_full_queue_refuses_and_keeps_what_it_has() {
    let mut order = Order::new(1);
    order.handle(Command::Submit(turn(1)));
    order.handle(Command::Submit(turn(2)));
    assert_eq!(order.handle(Command::Submit(turn(3))), vec![Effect::Refuse]);
    assert_eq!(order.handle(Command::Finished(turn(1))), vec![Effect::Start(turn(2))]);
}

#[test]
fn a_stop_names_its_turn_and_a_stale_one_does_nothing() {
    let mut order = Order::new(4);
    order.handle(Command::Submit(turn(1)));
    order.handle(Command::Submit(turn(2)));
    assert_eq!(order.handle(Command::Stop(turn(2))), vec![Effect::Discard(turn(2))]);
    assert_eq!(order.handle(Command::Stop(turn(9))), vec![]);
    assert_eq!(order.handle(Command::Stop(turn(1))), vec![Effect::Cancel(turn(1))]);
    assert_eq!(
        order.running(),
        Some(&turn(1)),
        "a cancelled turn still has to be stored"
    );
    assert_eq!(order.handle(Command::Finished(turn(1))), vec![]);
    assert!(order.is_idle());
}

#[test]
fn after_an_eviction_begun_turns_are_interrupted_and_waiting_ones_run() {
    let mut order = Order::new(4);
    assert_eq!(
        order.handle(Command::Restore(vec![(turn(1), true), (turn(2), false)])),
        vec![Effect::Interrupt(turn(1)), Effect::Start(turn(2))]
    );
}

proptest! {
    /// Any interleaving: one at a time, arrival order, every accepted turn ends exactly once.
    #[test]
    fn strict_order(script in proptest::collection::vec(0_u8..4, 1..80), capacity in 1_usize..5) {
        let mut order = Order::new(capacity);
        let (mut next, mut running) = (0_u8, None::<TurnId>);
        let (mut accepted, mut started, mut ended) = (vec![], vec![], vec![]);
        for action in script {
            let command = match action {
                0 | 1 => { next += 1; Command::Submit(turn(next)) }
                2 => match running.take() {
                    Some(done) => { ended.push(done.clone()); Command::Finished(done) }
                    None => continue,
                },
                _ => Command::Stop(turn(next)),
            };
            for effect in order.handle(command) {
                match effect {
                    Effect::Accept { turn, ahead } => {
                        prop_assert!(ahead <= capacity);
                        accepted.push(turn);
                    }
                    Effect::Start(turn) => {
                        prop_assert!(running.is_none(), "two turns at once");
                        running = Some(turn.clone());
                        started.push(turn);
                    }
                    Effect::Cancel(turn) => prop_assert_eq!(Some(&turn), running.as_ref()),
                    Effect::Discard(turn) => ended.push(turn),
                    Effect::Refuse => {}
                    Effect::Interrupt(_) => prop_assert!(false, "nothing was lost"),
                }
            }
        }
        let mut sorted = started.clone();
        sorted.sort();
        prop_assert_eq!(&sorted, &started, "arrival order");
        while let Some(done) = running.take() {
            ended.push(done.clone());
            for effect in order.handle(Command::Finished(done)) {
                if let Effect::Start(turn) = effect { running = Some(turn); }
            }
        }
        ended.sort();
        accepted.sort();
        prop_assert_eq!(ended, accepted);
        prop_assert!(order.is_idle());
    }
}
