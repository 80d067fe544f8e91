//! Silver files: a day's turns as Parquet, rewritten whole when the day changed.

use super::marks;
use super::source::Pages;
use serde_json::json;
use silent_core::pipeline::parquet::Writer;
use silent_core::pipeline::{Day, silver};
use silent_core::turn::Clock;
use silent_edge::r2::Upload;
use silent_edge::{SystemClock, log};
use worker::{Bucket, D1Database, Error, Result};

const MARKS: &str = r#"["silver"]"#;

/// Rewrites the files of days before `today` that changed, until the deadline; says whether none is left.
pub(super) async fn changed(db: &D1Database, bucket: &Bucket, today: Day, deadline_ms: u64) -> Result<bool> {
    for day in marks::days(db, MARKS, (Day::of(0), today.minus(1)), SystemClock.now_ms()).await? {
        if SystemClock.now_ms() > deadline_ms {
            return Ok(false);
        }
        if !marks::claim(db, "silver", MARKS, day, None, SystemClock.now_ms()).await? {
            return Ok(false);
        }
        let written = write(db, bucket, day).await;
        let failed = written.is_err().then_some("silver");
        marks::release(db, "silver", day, failed, SystemClock.now_ms()).await?;
        written?;
    }
    Ok(true)
}

async fn write(db: &D1Database, bucket: &Bucket, day: Day) -> Result<()> {
    let mut upload = Upload::new(bucket, silver::key(day));
    match fill(db, &mut upload, day).await {
        Ok(0) => bucket.delete(silver::key(day)).await,
        Ok(rows) => {
            upload.finish().await?;
            log::line("info", "silver-written", "pipeline", json!({"day": day, "rows": rows}));
            Ok(())
        }
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

async fn fill(db: &D1Database, upload: &mut Upload<'_>, day: Day) -> Result<u64> {
    let mut file = Writer::new(silver::COLUMNS);
    let mut pages = Pages::new(db, day, None);
    let mut rows = 0;
    while let Some(turns) = pages.next().await? {
        for turn in turns {
            silver::push(&mut file, &turn.event, turn.rating)
                .map_err(|error| Error::RustError(format!("silver: {error}")))?;
            rows += 1;
        }
        upload.write(file.take()).await?;
    }
    upload.write(file.finish()).await?;
    Ok(rows)
}
