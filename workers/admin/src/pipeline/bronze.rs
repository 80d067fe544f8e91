//! Bronze objects in R2: written by batch, read by day, rewritten without those who were erased.

use crate::consumer::Cost;
use futures::StreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use silent_core::pipeline::Day;
use silent_core::pipeline::bronze::{Record, day_prefix, from_lines, hour_of, hour_prefix, key, to_lines};
use silent_edge::r2;
use std::collections::{BTreeMap, BTreeSet};
use worker::{Bucket, D1Database, Error, Result};

/// Objects that are read at a time: a Worker has six connections.
const AT_ONCE: usize = 4;

fn malformed(error: serde_json::Error) -> Error {
    Error::RustError(format!("bronze: {error}"))
}

/// Writes a batch's records, an object for each hour of their turns. Of what fails, the places in the batch.
///
/// Whoever is erased while an object is on its way is taken out again: either the erasure is seen here, after the object is
/// there, or it was recorded after that, and then the nightly job finds them.
pub(crate) async fn put(
    db: &D1Database,
    bucket: &Bucket,
    records: Vec<(usize, Record)>,
    cost: &mut Cost,
) -> std::result::Result<(), (Vec<usize>, Error)> {
    if records.is_empty() {
        return Ok(());
    }
    let all = records.iter().map(|(at, _)| *at).collect();
    let mut hours: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
    for (_, record) in records {
        hours.entry(hour_of(record.turn_at_ms())).or_default().push(record);
    }
    let work = async {
        let mut written = Vec::with_capacity(hours.len());
        for (hour, records) in hours {
            let (key, bytes) = put_object(bucket, hour, &records).await?;
            cost.r2_writes += 1;
            cost.r2_bytes += bytes;
            written.push((hour, key, records));
        }
        let subjects = written.iter().flat_map(|(_, _, records)| subjects(records)).collect();
        let erased = erased(db, &subjects, cost).await?;
        for (hour, key, records) in written {
            rewrite(bucket, hour, &key, records, &erased).await?;
        }
        Ok(())
    };
    work.await.map_err(|error| (all, error))
}

async fn put_object(bucket: &Bucket, hour: u64, records: &[Record]) -> Result<(String, usize)> {
    let lines = to_lines(records).map_err(malformed)?;
    let digest: String = Sha256::digest(&lines)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let first = records.first().map_or("", Record::event_id);
    let key = key(hour, first, &digest);
    let bytes = r2::gzip(&lines).await?;
    let size = bytes.len();
    bucket.put(&key, bytes).execute().await?;
    Ok((key, size))
}

fn subjects(records: &[Record]) -> impl Iterator<Item = String> {
    records.iter().flat_map(|record| record.subjects()).map(String::from)
}

/// Those of the subjects who were erased.
async fn erased(db: &D1Database, subjects: &BTreeSet<String>, cost: &mut Cost) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Row {
        subject: String,
    }
    let list = serde_json::to_string(subjects).map_err(malformed)?;
    let found = db
        .prepare("SELECT subject FROM erasures WHERE subject IN (SELECT value FROM json_each(?1))")
        .bind(&[list.into()])?
        .all()
        .await?;
    cost.add(std::slice::from_ref(&found));
    Ok(found.results::<Row>()?.into_iter().map(|row| row.subject).collect())
}

/// Replaces an object by one without the erased, if any is in it; says whether.
async fn rewrite(
    bucket: &Bucket,
    hour: u64,
    key: &str,
    records: Vec<Record>,
    erased: &BTreeSet<String>,
) -> Result<bool> {
    let before = records.len();
    let kept: Vec<Record> = records
        .into_iter()
        .filter(|record| record.subjects().iter().all(|subject| !erased.contains(*subject)))
        .collect();
    if kept.len() == before {
        return Ok(false);
    }
    // The shorter object first: a crash in between leaves both, and the next run removes the longer one.
    if !kept.is_empty() {
        put_object(bucket, hour, &kept).await?;
    }
    bucket.delete(key).await?;
    Ok(true)
}

async fn object(bucket: &Bucket, key: &str) -> Result<Vec<Record>> {
    let Some(bytes) = r2::read(bucket, key).await? else {
        return Ok(Vec::new());
    };
    from_lines(&r2::gunzip(&bytes).await?).map_err(malformed)
}

/// Reads a day, object by object, without those who were erased.
pub(super) async fn read_day(db: &D1Database, bucket: &Bucket, day: Day, mut each: impl FnMut(&Record)) -> Result<()> {
    let keys = r2::keys(bucket, &day_prefix(day)).await?;
    let mut objects = futures::stream::iter(keys.iter().map(|key| object(bucket, key))).buffer_unordered(AT_ONCE);
    let mut cost = Cost::default();
    while let Some(records) = objects.next().await {
        let records = records?;
        let erased = erased(db, &subjects(&records).collect(), &mut cost).await?;
        let kept = |record: &&Record| record.subjects().iter().all(|subject| !erased.contains(*subject));
        records.iter().filter(kept).for_each(&mut each);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Hour {
    hour: u64,
    subjects: String,
}

/// Takes those who were erased out of bronze, hour by hour, until `deadline_ms`; says whether nothing is left.
///
/// An erasure's mark stays for an hour after it was made, for a batch that was cut off between its object and its check.
pub(super) async fn erase(
    db: &D1Database,
    bucket: &Bucket,
    now_ms: impl Fn() -> u64,
    deadline_ms: u64,
) -> Result<bool> {
    let began_ms = now_ms();
    let found = db
        .prepare("SELECT hour, json_group_array(subject) AS subjects FROM bronze_erasures GROUP BY hour ORDER BY hour")
        .all()
        .await?;
    for row in found.results::<Hour>()? {
        if now_ms() > deadline_ms {
            return Ok(false);
        }
        let erased: BTreeSet<String> = serde_json::from_str(&row.subjects).map_err(malformed)?;
        for key in r2::keys(bucket, &hour_prefix(row.hour)).await? {
            let records = object(bucket, &key).await?;
            rewrite(bucket, row.hour, &key, records, &erased).await?;
        }
        db.prepare(
            "DELETE FROM bronze_erasures WHERE hour = ?1 AND at_ms < ?2 AND subject IN (SELECT value FROM json_each(?3))",
        )
        .bind(&[
            crate::registry_do::integer(row.hour),
            crate::registry_do::integer(began_ms.saturating_sub(silent_core::pipeline::HOUR_MS)),
            row.subjects.into(),
        ])?
        .run()
        .await?;
    }
    Ok(true)
}
