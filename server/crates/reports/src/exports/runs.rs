//! The making of files: begun, followed, ended and cleared away, each in one transaction. A process makes what was asked of it,
//! which its directory names.

use std::collections::HashSet;

use domain::wall_layout::Scope;
use model::export::{ExportSource, ExportTrouble, OFFERED};
use model::ids::{ExportId, UserId, Uuid};
use model::language::Lang;
use model::saved_report::ReportFile;
use model::time::{DAY, MINUTE, Timestamp};
use sqlx::FromRow;

use super::source;
use store::{Db, Result, on, read};

/// How often a file is begun; an end of the server interrupts it.
const MAX_STARTS: i64 = 2;
/// Without a word of its process for so long, a file will not come.
const SILENT: i64 = 2 * MINUTE;
/// How long what became of a file can be read.
const REMEMBERED: i64 = 7 * DAY;

/// A file that is to be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportJob {
    pub id: ExportId,
    pub owner: UserId,
    pub source: ExportSource,
    pub query: String,
    pub file: ReportFile,
    pub lang: Lang,
}

#[derive(FromRow)]
struct JobRow {
    id: ExportId,
    owner_id: UserId,
    source: String,
    query: String,
    file: ReportFile,
    language: String,
}

/// At the start of a process: what it was making is made again, once; what was begun too often has failed.
pub async fn resume(db: &Db, at: Timestamp, directory: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    for sql in [
        "UPDATE exports SET state = 'waiting', row_count = 0, seen_at = $1
         WHERE state = 'running' AND directory_id = $2 AND starts < $3",
        "UPDATE exports SET state = 'failed', trouble = 'interrupted', finished_at = $1
         WHERE state = 'running' AND directory_id = $2 AND starts >= $3",
        "UPDATE exports SET seen_at = $1 WHERE state = 'waiting' AND directory_id = $2 AND starts <= $3",
    ] {
        on!(&mut tx, |c| sqlx::query(sql).bind(at).bind(directory).bind(MAX_STARTS).execute(c).await)?;
    }
    tx.commit().await
}

/// Begins what has waited for longest.
pub async fn claim(db: &Db, at: Timestamp, directory: Uuid) -> Result<Option<ExportJob>> {
    let waiting: Option<(ExportId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT id FROM exports WHERE state = 'waiting' AND directory_id = $1 ORDER BY asked_at, id LIMIT 1"
    )
    .bind(directory)
    .fetch_optional(pool)
    .await)?;
    let Some((id,)) = waiting else { return Ok(None) };
    let mut tx = db.begin().await?;
    let row: Option<JobRow> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE exports SET state = 'running', starts = starts + 1, row_count = 0, seen_at = $2
         WHERE id = $1 AND state = 'waiting' RETURNING id, owner_id, source, query, file, language"
    )
    .bind(id)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    let job = |row: JobRow| {
        let lang = Lang::choose(&row.language).unwrap_or_default();
        let source = source(&row.source)?;
        Ok(ExportJob { id: row.id, owner: row.owner_id, source, query: row.query, file: row.file, lang })
    };
    row.map(job).transpose()
}

/// Says how far a file is; `false` where it was cancelled.
pub async fn progress(db: &Db, at: Timestamp, id: ExportId, rows: i64) -> Result<bool> {
    let mut tx = db.begin().await?;
    let running =
        on!(&mut tx, |c| sqlx::query("UPDATE exports SET row_count = $2, seen_at = $3 WHERE id = $1 AND state = 'running'")
            .bind(id)
            .bind(rows)
            .bind(at)
            .execute(c)
            .await)?;
    tx.commit().await?;
    Ok(running == 1)
}

/// What was made.
pub struct MadeExport<'a> {
    pub id: ExportId,
    pub rows: i64,
    pub bytes: u64,
    /// The buildings that its owner could see from its beginning to its end.
    pub scope: &'a Scope,
}

/// Offers a file from now on; `false` where it was cancelled.
pub async fn finish(db: &Db, at: Timestamp, made: &MadeExport<'_>) -> Result<bool> {
    let mut tx = db.begin().await?;
    let running = on!(&mut tx, |c| {
        sqlx::query(
        "UPDATE exports SET state = 'ready', row_count = $2, bytes = $3, finished_at = $4, offered_until = $5, all_buildings = $6
         WHERE id = $1 AND state = 'running'"
    )
    .bind(made.id)
    .bind(made.rows)
    .bind(i64::try_from(made.bytes).unwrap_or(i64::MAX))
    .bind(at)
    .bind(at.plus(OFFERED))
    .bind(*made.scope == Scope::All)
    .execute(c)
    .await
    })?;
    if running == 0 {
        return Ok(false);
    }
    if let Scope::Buildings(buildings) = made.scope {
        for building in buildings {
            on!(&mut tx, |c| sqlx::query("INSERT INTO export_buildings (export_id, place_id) VALUES ($1, $2)")
                .bind(made.id)
                .bind(building)
                .execute(c)
                .await)?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Says why a file was not made.
pub async fn fail(db: &Db, at: Timestamp, id: ExportId, trouble: ExportTrouble) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE exports SET state = 'failed', trouble = $2, finished_at = $3 WHERE id = $1 AND state = 'running'"
    )
    .bind(id)
    .bind(trouble)
    .bind(at)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Says that what waits here goes on, that what nobody makes any more has failed, and that what was offered for a day is over.
pub async fn tend(db: &Db, at: Timestamp, directory: Uuid) -> Result<()> {
    let due: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT COUNT(*) FROM exports WHERE state IN ('waiting', 'running') OR (state = 'ready' AND offered_until <= $1)
                OR asked_at <= $2"
    )
    .bind(at)
    .bind(at.plus(-REMEMBERED))
    .fetch_optional(pool)
    .await)?;
    if due.is_none_or(|(due,)| due == 0) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE exports SET seen_at = $1 WHERE state = 'waiting' AND directory_id = $2")
        .bind(at)
        .bind(directory)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE exports SET state = 'failed', trouble = 'interrupted', finished_at = $1
         WHERE state IN ('waiting', 'running') AND seen_at < $2"
    )
    .bind(at)
    .bind(at.plus(-SILENT))
    .execute(c)
    .await)?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE exports SET state = 'expired', bytes = 0 WHERE state = 'ready' AND offered_until <= $1"
    )
    .bind(at)
    .execute(c)
    .await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM exports WHERE state IN ('failed', 'cancelled', 'expired') AND asked_at <= $1")
        .bind(at.plus(-REMEMBERED))
        .execute(c)
        .await)?;
    tx.commit().await
}

/// The files that a directory is to have.
pub async fn files(db: &Db, directory: Uuid) -> Result<HashSet<ExportId>> {
    let rows: Vec<(ExportId,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM exports WHERE directory_id = $1 AND state IN ('running', 'ready')")
            .bind(directory)
            .fetch_all(pool)
            .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
