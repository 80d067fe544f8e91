//! The chain tells of every change to it.

use super::*;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn chain(reasons: &[String]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for reason in reasons {
        let (seq, hash) = entries
            .last()
            .map_or((0, GENESIS.into()), |last| (last.seq, last.hash.clone()));
        let draft = Draft {
            at: "2026-11-21T05:00:00.000Z".into(),
            actor: "ada".into(),
            action: "rollout".into(),
            subject: "LLM_MODEL/x".into(),
            reason: reason.clone(),
            detail: "{}".into(),
        };
        entries.push(Entry::after(seq, &hash, draft));
    }
    entries
}

fn walk(entries: &[Entry]) -> Result<(), Broken> {
    let mut verifier = Verifier::default();
    entries.iter().try_for_each(|entry| verifier.push(entry))
}

#[test]
fn hash_unchanged() {
    let one = chain(&["because".into()]).remove(0);
    // sha256sum of the canonical form, made with coreutils.
    assert_eq!(
        one.hash,
        "8e9b6afc65636118e679fbbff0f994f9d89e8a83588bde64a13bec6ff0ca48d5"
    );
}

proptest! {
    #[test]
    fn a_chain_holds_and_no_change_to_it_does(reasons in proptest::collection::vec(".{0,20}", 1..12), place: prop::sample::Index, which in 0..9_u8) {
        let whole = chain(&reasons);
        prop_assert_eq!(walk(&whole), Ok(()));
        let at = place.index(whole.len());
        let mut broken = whole.clone();
        match which {
            0 => broken[at].reason.push('.'),
            1 => broken[at].actor = "eve".into(),
            2 => broken[at].at.push('0'),
            3 => broken[at].detail = "[]".into(),
            4 => broken[at].prev_hash = broken[at].hash.clone(),
            5 => broken[at].seq += 1,
            6 => { let entry = broken[at].clone(); broken.insert(at, entry); }
            // Moving a letter from one field to the next leaves the joined text the same.
            7 => { broken[at].subject.insert(0, 't'); broken[at].action.pop(); }
            _ => { broken.remove(at); if at == whole.len() - 1 { broken.push(whole[0].clone()); } }
        }
        prop_assume!(broken != whole);
        prop_assert!(walk(&broken).is_err());
    }
}
