//! Files that people have made in the background: what they asked for, and how far it is. `runs` is the side of the process that
//! makes them.

pub mod runs;

use model::error::AppError;
use model::export::{Export, ExportSource, ExportState, ExportTrouble, MAX_KEPT, MAX_PENDING};
use model::ids::{ExportId, UserId, Uuid};
use model::language::Lang;
use model::saved_report::ReportFile;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use store::{Db, Result, StoreError, on, read};

/// Bytes of all files that are offered from one directory; more are refused until some are removed.
const MAX_BYTES: i64 = 4 << 30;

/// A file that is asked for.
pub struct NewExport<'a> {
    pub id: ExportId,
    pub owner: UserId,
    pub source: ExportSource,
    /// The choice in the address of its page.
    pub query: &'a str,
    pub file: ReportFile,
    pub lang: Lang,
    pub about: &'a str,
    pub days: Option<(Date, Date)>,
    /// The directory of the process that is to make it.
    pub directory: Uuid,
}

#[derive(FromRow)]
struct Row {
    id: ExportId,
    source: String,
    about: String,
    first_day: Option<Date>,
    last_day: Option<Date>,
    file: ReportFile,
    state: ExportState,
    trouble: Option<ExportTrouble>,
    row_count: i64,
    bytes: i64,
    asked_at: Timestamp,
    offered_until: Option<Timestamp>,
    directory_id: Uuid,
    is_within: bool,
}

impl Row {
    fn export(self, directory: Uuid) -> Result<Export> {
        Ok(Export {
            id: self.id,
            source: source(&self.source)?,
            about: self.about,
            days: self.first_day.zip(self.last_day),
            file: self.file,
            state: self.state,
            trouble: self.trouble,
            rows: self.row_count,
            bytes: self.bytes,
            asked_at: self.asked_at,
            until: self.offered_until,
            is_here: self.directory_id == directory,
        })
    }
}

fn source(text: &str) -> Result<ExportSource> {
    text.parse().map_err(|_| StoreError::Inconsistent { table: "exports", column: "source" })
}

/// `is_within`: whether the owner may still see every building that they could see when it was made.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.source, e.about, e.first_day, e.last_day, e.file, e.state, e.trouble, e.row_count, e.bytes,
                    e.asked_at, e.offered_until, e.directory_id,
                    u.all_buildings OR (NOT e.all_buildings AND NOT EXISTS (
                        SELECT 1 FROM export_buildings b WHERE b.export_id = e.id AND b.place_id NOT IN (
                            SELECT o.place_id FROM operator_buildings o WHERE o.user_id = e.owner_id))) AS is_within
             FROM exports e JOIN users u ON u.id = e.owner_id WHERE e.owner_id = $1 ",
            $rest
        )
    };
}

/// What a person asked for, the newest first.
pub async fn list(db: &Db, owner: UserId, directory: Uuid) -> Result<Vec<Export>> {
    let sql = select!("ORDER BY e.asked_at DESC, e.id DESC LIMIT 100");
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(sql).bind(owner).fetch_all(pool).await)?;
    rows.into_iter().map(|row| row.export(directory)).collect()
}

/// One that a person asked for.
///
/// # Errors
/// Refused with [`AppError::NotFound`], or with [`AppError::Forbidden`] where a building was taken from them since it was made.
pub async fn find(db: &Db, owner: UserId, directory: Uuid, id: ExportId) -> Result<Export> {
    let sql = select!("AND e.id = $2");
    let row: Option<Row> = read!(db, |pool| sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(pool).await)?;
    let row = row.ok_or(AppError::NotFound)?;
    if row.state == ExportState::Ready && !row.is_within {
        return Err(AppError::Forbidden.into());
    }
    row.export(directory)
}

/// Asks for a file.
///
/// # Errors
/// Refused with [`AppError::TooManyExports`] where the person has many, with [`AppError::Unavailable`] where the files of
/// everybody are as large as they may be.
pub async fn start(db: &Db, at: Timestamp, new: &NewExport<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let kept: Option<(i64, i64, i64)> = on!(&mut tx, |c| {
        sqlx::query_as(
        "SELECT COALESCE(CAST(SUM(CASE WHEN owner_id = $1 AND state IN ('waiting', 'running') THEN 1 ELSE 0 END) AS BIGINT), 0),
                COALESCE(CAST(SUM(CASE WHEN owner_id = $1 THEN 1 ELSE 0 END) AS BIGINT), 0),
                COALESCE(CAST(SUM(CASE WHEN directory_id = $2 THEN bytes ELSE 0 END) AS BIGINT), 0)
         FROM exports WHERE state IN ('waiting', 'running', 'ready')"
    )
    .bind(new.owner)
    .bind(new.directory)
    .fetch_optional(c)
    .await
    })?;
    let (pending, own, bytes) = kept.unwrap_or_default();
    if pending >= MAX_PENDING || own >= MAX_KEPT {
        return Err(AppError::TooManyExports.into());
    }
    if bytes >= MAX_BYTES {
        return Err(AppError::Unavailable.into());
    }
    on!(&mut tx, |c| {
        sqlx::query(
            "INSERT INTO exports (id, owner_id, source, query, file, language, about, first_day, last_day, state, directory_id,
                                  asked_at, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11, $11)",
        )
        .bind(new.id)
        .bind(new.owner)
        .bind(new.source.to_string())
        .bind(new.query)
        .bind(new.file)
        .bind(new.lang.tag())
        .bind(new.about)
        .bind(new.days.map(|(first, _)| first))
        .bind(new.days.map(|(_, last)| last))
        .bind(new.directory)
        .bind(at)
        .execute(c)
        .await
    })?;
    tx.commit().await
}

/// Ends what waits or is being made; whoever makes it notices within a second.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where it is over already, or is not this person's.
pub async fn cancel(db: &Db, at: Timestamp, owner: UserId, id: ExportId) -> Result<()> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE exports SET state = 'cancelled', finished_at = $3
         WHERE id = $1 AND owner_id = $2 AND state IN ('waiting', 'running')"
    )
    .bind(id)
    .bind(owner)
    .bind(at)
    .execute(c)
    .await)?;
    if ended == 0 {
        return Err(AppError::Conflict.into());
    }
    tx.commit().await
}

/// Forgets what is over. Its file is removed by the process that has it.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where it is not over, or is not this person's.
pub async fn remove(db: &Db, owner: UserId, id: ExportId) -> Result<()> {
    let mut tx = db.begin().await?;
    let removed = on!(&mut tx, |c| sqlx::query(
        "DELETE FROM exports WHERE id = $1 AND owner_id = $2 AND state NOT IN ('waiting', 'running')"
    )
    .bind(id)
    .bind(owner)
    .execute(c)
    .await)?;
    if removed == 0 {
        return Err(AppError::Conflict.into());
    }
    tx.commit().await
}
