//! Shared by the tests: actors, targets, and a registry that commands are applied to.

mod audit;
mod commands;
mod pending;

use super::*;
use crate::variants::{Category, Snapshot, VariantId};

const NOW: u64 = 1_795_237_200_000;

fn user(id: &str) -> Actor {
    Actor {
        id: id.into(),
        kind: ActorKind::User,
    }
}

fn target(category: Category, id: &str) -> Target {
    Target {
        category,
        id: VariantId::parse(id).unwrap(),
    }
}

fn seed() -> Snapshot {
    Snapshot::builtin().unwrap()
}

fn make(snapshot: &Snapshot, command: &Command) -> Result<(Snapshot, Change), Refusal> {
    apply(snapshot, command, None, None, &user("ada"), NOW)
}

fn made(snapshot: &Snapshot, command: &Command) -> Snapshot {
    make(snapshot, command).unwrap().0
}
