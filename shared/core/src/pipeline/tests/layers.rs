//! Order, grouping and repetition change nothing; bronze holds what gold needs.

use super::*;
use crate::pipeline::bronze::{day_prefix, from_lines, hour_of, hour_prefix, key, to_lines};
use crate::pipeline::parquet::Writer;
use crate::pipeline::silver;
use proptest::prelude::*;

fn events() -> impl Strategy<Value = Vec<Record>> {
    let one = (
        0_u8..6,
        0_u8..3,
        1_u64..5,
        0_u64..1_440,
        prop::sample::select(alloc::vec!["claude-sonnet-4-6", "claude-haiku-4-5"]),
        0_u8..12,
        (0_u64..90_000, 0_u64..5_000),
        prop::option::of((0_u16..=1_000, 0_u64..4)),
    );
    prop::collection::vec(one, 1..60).prop_map(|rows| {
        let mut records = Vec::new();
        let mut seen = alloc::collections::BTreeSet::new();
        for (person, nth, seq, minute, model, kind, (total_ms, cost), rated) in rows {
            let session = person * 3 + nth;
            let mut event = turn(person, session, seq, minute);
            event.variants.insert("LLM_MODEL".into(), model.into());
            event.crisis_override = kind == 0;
            match kind {
                1 => event.status = Status::Failed,
                2 => event.cost_micros = None,
                3 => event = withdrawn(event, "LLM_MODEL", Reason::Withdrawn),
                4 => event = withdrawn(event, "MANDALA_FACE", Reason::Override),
                5 => event = withdrawn(event, "LLM_MODEL", Reason::Degraded),
                _ => event.cost_micros = Some(cost),
            }
            event.total_ms = total_ms;
            if let Some((milli, at_ms)) = rated {
                records.push(rating(&event, milli, at_ms));
            }
            // An event is immutable: its id has one content.
            if seen.insert(event.event_id.clone()) {
                records.push(recorded(event));
            }
        }
        records
    })
}

fn bytes(gold: &Gold) -> Vec<u8> {
    let rows: Vec<_> = gold
        .rows
        .iter()
        .map(|(key, rollup)| (&key.category, &key.variant, rollup))
        .collect();
    serde_json::to_vec(&rows).unwrap()
}

proptest! {
    #[test]
    fn any_order_any_repetition_and_any_split_by_persons_give_the_same_bytes(
        records in events(), order in any::<u64>(), repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..20), parts in 1_usize..5,
    ) {
        let expected = bytes(&gold(&records));
        let mut shuffled = records.clone();
        shuffled.extend(repeated.iter().map(|index| index.get(&records).clone()));
        let mut state = order | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        prop_assert_eq!(&bytes(&gold(&shuffled)), &expected);
        let mut merged = Gold::default();
        for part in (0..parts).rev() {
            let of_part: Vec<_> = shuffled
                .iter()
                .filter(|record| record.subjects()[1].bytes().map(usize::from).sum::<usize>() % parts == part)
                .cloned()
                .collect();
            merged.merge(gold(&of_part));
        }
        prop_assert_eq!(&bytes(&merged), &expected);
        let again = from_lines(&to_lines(&shuffled).unwrap()).unwrap();
        prop_assert_eq!(&again, &shuffled);
    }

    #[test]
    fn a_rollup_survives_its_text(records in events()) {
        for rollup in gold(&records).rows.values() {
            let text = serde_json::to_string(rollup).unwrap();
            prop_assert_eq!(&serde_json::from_str::<crate::pipeline::Rollup>(&text).unwrap(), rollup);
        }
    }
}

#[test]
fn keys_follow_from_the_records() {
    let at_ms = day().start_ms() + 9 * 3_600_000 + 59;
    let hour = hour_of(at_ms);
    assert_eq!(day_prefix(day()), "bronze/dt=2026-11-21/");
    assert_eq!(hour_prefix(hour), "bronze/dt=2026-11-21/hour=09/");
    assert_eq!(
        key(hour, "ses_0:7", "abc"),
        "bronze/dt=2026-11-21/hour=09/ses_0-7-abc.ndjson.gz"
    );
    assert_eq!(silver::key(day()), "silver/dt=2026-11-21/turns.parquet");
}

#[test]
fn a_line_with_fields_of_a_later_release_is_read() {
    let line = to_lines([&recorded(turn(1, 1, 1, 1))]).unwrap();
    let text = core::str::from_utf8(&line).unwrap();
    assert!(
        text.starts_with(r#"{"record":"turn","event":{"event_id":"ses_"#),
        "{text}"
    );
    let later = text.replace(r#""version":1"#, r#""version":2,"later":[{"provider":"x"}]"#);
    assert_eq!(from_lines(later.as_bytes()).unwrap().len(), 1);
    assert!(from_lines(b"{\"record\":\"other\"}\n").is_err());
}

#[test]
fn every_category_has_its_two_columns_and_every_value_its_place() {
    let names: Vec<&str> = silver::COLUMNS.iter().map(|column| column.name).collect();
    let first = names.iter().position(|name| *name == "llm_model").unwrap();
    let variants: Vec<_> = crate::variants::Category::ALL
        .iter()
        .map(|category| category.as_str().to_lowercase())
        .collect();
    assert_eq!(names[first..first + 12], variants);
    let reasons: Vec<_> = variants.iter().map(|name| format!("{name}_reason")).collect();
    assert_eq!(names[first + 12..], reasons);
    let mut file = Writer::new(silver::COLUMNS);
    silver::push(&mut file, &turn(1, 1, 1, 1), Some((500, 7))).unwrap();
    silver::push(&mut file, &turn(1, 1, 2, 1), None).unwrap();
    let bytes = file.finish();
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    let mut wrong = Writer::new(silver::COLUMNS);
    assert!(wrong.row([crate::pipeline::parquet::Value::Integer(1)]).is_err());
}
