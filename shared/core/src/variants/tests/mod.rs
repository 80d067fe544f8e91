//! Shared by the tests: people, ids, and the seed with other shares.

mod assignment;
mod distribution;
mod registry;

use super::*;
use alloc::vec::Vec;

fn subject(id: &str) -> Subject<'_> {
    Subject {
        id,
        is_new: true,
        is_paid: false,
    }
}

fn id(text: &str) -> VariantId {
    VariantId::parse(text).unwrap()
}

/// The seed's variants with these shares, in per cent, and no other challenger.
fn variants_with(shares: &[(Category, &str, f64)]) -> Vec<Variant> {
    let mut variants = Snapshot::builtin().unwrap().variants().to_vec();
    for variant in &mut variants {
        if variant.is_challenger() {
            variant.rollout_percent = 0.0;
        }
    }
    for (category, id, percent) in shares {
        let variant = variants
            .iter_mut()
            .find(|variant| variant.category == *category && variant.id == *id)
            .unwrap();
        variant.status = Status::Staged;
        variant.rollout_percent = *percent;
    }
    variants
}

fn with_shares(shares: &[(Category, &str, f64)]) -> Snapshot {
    Snapshot::new(2, variants_with(shares)).unwrap()
}
