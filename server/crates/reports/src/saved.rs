//! Reports that somebody saved: kept, listed, and sent when they are due.

use std::collections::HashMap;
use std::str::FromStr;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{SavedReportId, UserId};
use model::language::Lang;
use model::person::Who;
use model::report::{Grain, ReportKind};
use model::saved_report::{MailAddress, NewSavedReport, ReportDays, ReportFile, ReportTrouble, SavedReport, SendEvery};
use model::time::Timestamp;
use notify::outbox::{self, NewMail};
use serde_json::{Value, json};
use sqlx::FromRow;
use store::audit::{self, Entry};
use store::{Db, Result, StoreError, Tx, on, read};

use domain::rng::Rng;

/// Saved reports of one person.
const MAX: i64 = 50;

#[derive(FromRow)]
struct Row {
    id: SavedReportId,
    owner_id: UserId,
    owner_name: String,
    name: String,
    kind: ReportKind,
    days: ReportDays,
    grain: Grain,
    place: String,
    room: String,
    age: i64,
    language: String,
    file: ReportFile,
    every: SendEvery,
    hour: i64,
    next_at: Option<Timestamp>,
    trouble: Option<ReportTrouble>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.owner_id, u.name AS owner_name, s.name, s.kind, s.days, s.grain, s.place, s.room, s.age, s.language,
                    s.file, s.every, s.hour, s.next_at, s.trouble
             FROM saved_reports s JOIN users u ON u.id = s.owner_id ",
            $rest
        )
    };
}

/// The reports that a person saved, or everybody's, by name.
pub async fn list(db: &Db, user: UserId, of_all: bool) -> Result<Vec<SavedReport>> {
    let sql = select!("WHERE $1 OR s.owner_id = $2 ORDER BY s.name, s.id LIMIT 500");
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(sql).bind(of_all).bind(user).fetch_all(pool).await)?;
    complete(db, rows).await
}

/// A saved report: of `user`, or of anybody with `of_all`.
///
/// # Errors
/// Refused with [`AppError::NotFound`].
pub async fn find(db: &Db, user: UserId, of_all: bool, id: SavedReportId) -> Result<SavedReport> {
    let sql = select!("WHERE s.id = $3 AND ($1 OR s.owner_id = $2)");
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(sql).bind(of_all).bind(user).bind(id).fetch_all(pool).await)?;
    complete(db, rows).await?.pop().ok_or_else(|| AppError::NotFound.into())
}

/// The one that has been due for longest.
pub async fn next(db: &Db, at: Timestamp) -> Result<Option<SavedReport>> {
    let sql = select!("WHERE s.next_at <= $1 ORDER BY s.next_at, s.id LIMIT 1");
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?;
    Ok(complete(db, rows).await?.pop())
}

async fn complete(db: &Db, rows: Vec<Row>) -> Result<Vec<SavedReport>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT report_id, address FROM saved_report_recipients ORDER BY address";
    let found: Vec<(SavedReportId, String)> = read!(db, |pool| sqlx::query_as(sql).fetch_all(pool).await)?;
    let mut recipients: HashMap<SavedReportId, Vec<MailAddress>> = HashMap::new();
    for (report, address) in found {
        let address = MailAddress::from_str(&address)
            .map_err(|_| StoreError::Inconsistent { table: "saved_report_recipients", column: "address" })?;
        recipients.entry(report).or_default().push(address);
    }
    let report = |row: Row| SavedReport {
        id: row.id,
        owner: row.owner_id,
        owner_name: row.owner_name,
        what: NewSavedReport {
            name: row.name,
            kind: row.kind,
            days: row.days,
            by: row.grain,
            place: row.place,
            room: row.room,
            age: row.age,
            lang: Lang::choose(&row.language).unwrap_or_default(),
            file: row.file,
            every: row.every,
            hour: u8::try_from(row.hour).unwrap_or_default(),
            recipients: recipients.remove(&row.id).unwrap_or_default(),
        },
        next_at: row.next_at,
        trouble: row.trouble,
    };
    Ok(rows.into_iter().map(report).collect())
}

/// Saves a report; with `replaces` in the place of the person's own of the same name.
///
/// # Errors
/// Refused with [`AppError::NameTaken`] where there is one that is not to be replaced, or [`AppError::TooManyKept`] where the
/// person has very many.
pub async fn save(db: &Db, rng: &Rng, at: Timestamp, who: &Who, new: &NewSavedReport, replaces: bool) -> Result<SavedReportId> {
    let mut tx = db.begin().await?;
    let saved: Option<(i64, i64)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT COUNT(CASE WHEN name <> $2 THEN 1 END), COUNT(CASE WHEN name = $2 THEN 1 END)
         FROM saved_reports WHERE owner_id = $1"
    )
    .bind(who.user)
    .bind(&new.name)
    .fetch_optional(c)
    .await)?;
    let (others, same) = saved.unwrap_or_default();
    if same > 0 && !replaces {
        return Err(AppError::NameTaken.into());
    }
    if others >= MAX {
        return Err(AppError::TooManyKept.into());
    }
    let id: Option<(SavedReportId,)> = on!(&mut tx, |c| {
        sqlx::query_as(
        "INSERT INTO saved_reports (id, owner_id, name, kind, days, grain, place, room, age, language, file, every, hour, next_at,
                                    created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (owner_id, name) DO UPDATE SET kind = $4, days = $5, grain = $6, place = $7, room = $8, age = $9,
             language = $10, file = $11, every = $12, hour = $13, next_at = $14, trouble = NULL
         RETURNING id"
    )
    .bind(SavedReportId(rng.id(at)))
    .bind(who.user)
    .bind(&new.name)
    .bind(new.kind)
    .bind(new.days)
    .bind(new.by)
    .bind(&new.place)
    .bind(&new.room)
    .bind(new.age)
    .bind(new.lang.tag())
    .bind(new.file)
    .bind(new.every)
    .bind(i64::from(new.hour))
    .bind(new.every.next(new.hour, at))
    .bind(at)
    .fetch_optional(c)
    .await
    })?;
    let (id,) = id.ok_or(StoreError::Inconsistent { table: "saved_reports", column: "id" })?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM saved_report_recipients WHERE report_id = $1").bind(id).execute(c).await)?;
    for address in &new.recipients {
        on!(&mut tx, |c| sqlx::query("INSERT INTO saved_report_recipients (report_id, address) VALUES ($1, $2)")
            .bind(id)
            .bind(address.as_str())
            .execute(c)
            .await)?;
    }
    let recipients: Vec<&str> = new.recipients.iter().map(MailAddress::as_str).collect();
    let detail = json!({ "name": new.name, "recipients": recipients.join(" ") });
    record(&mut tx, at, &actor(who.user), &who.ip, AuditAction::ReportSave, id, &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Forgets a saved report. E-mails that wait are not sent any more.
///
/// # Errors
/// Refused with [`AppError::NotFound`].
pub async fn remove(db: &Db, at: Timestamp, who: &Who, of_all: bool, id: SavedReportId) -> Result<()> {
    let mut tx = db.begin().await?;
    outbox::withdraw(&mut tx, id).await?;
    let name: Option<(String,)> =
        on!(&mut tx, |c| sqlx::query_as("DELETE FROM saved_reports WHERE id = $3 AND ($1 OR owner_id = $2) RETURNING name")
            .bind(of_all)
            .bind(who.user)
            .bind(id)
            .fetch_optional(c)
            .await)?;
    let (name,) = name.ok_or(AppError::NotFound)?;
    record(&mut tx, at, &actor(who.user), &who.ip, AuditAction::ReportRemove, id, &json!({ "name": name })).await?;
    tx.commit().await
}

/// Stores the e-mails of a report that is due, and when it is due again; `false` if another process was first or somebody changed
/// the report meanwhile.
pub async fn send_due(db: &Db, rng: &Rng, at: Timestamp, report: &SavedReport, mail: &NewMail<'_>) -> Result<bool> {
    let mut tx = db.begin().await?;
    if !go_on(&mut tx, at, report, None).await? {
        return Ok(false);
    }
    outbox::store(&mut tx, rng, at, mail).await?;
    record_send(&mut tx, at, ("system", ""), report).await?;
    tx.commit().await?;
    Ok(true)
}

/// Stores the e-mails of a report at once, because somebody asks for it.
pub async fn send_now(db: &Db, rng: &Rng, at: Timestamp, who: &Who, report: &SavedReport, mail: &NewMail<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    outbox::store(&mut tx, rng, at, mail).await?;
    record_send(&mut tx, at, (&actor(who.user), &who.ip), report).await?;
    tx.commit().await
}

/// Makes a report due at once, because somebody asks for it and making it takes long.
pub async fn send_soon(db: &Db, at: Timestamp, who: &Who, report: &SavedReport) -> Result<()> {
    let mut tx = db.begin().await?;
    // One that is due already is about to be made.
    let sql = "UPDATE saved_reports SET next_at = $2, trouble = NULL WHERE id = $1 AND (next_at IS NULL OR next_at > $2)";
    on!(&mut tx, |c| sqlx::query(sql).bind(report.id).bind(at).execute(c).await)?;
    record_send(&mut tx, at, (&actor(who.user), &who.ip), report).await?;
    tx.commit().await
}

/// Says why a report that is due was not made, and when it is due again.
pub async fn miss(db: &Db, at: Timestamp, report: &SavedReport, trouble: ReportTrouble) -> Result<()> {
    let mut tx = db.begin().await?;
    go_on(&mut tx, at, report, Some(trouble)).await?;
    tx.commit().await
}

/// The next time after now: what was missed while the server did not run is sent once.
async fn go_on(tx: &mut Tx, at: Timestamp, report: &SavedReport, trouble: Option<ReportTrouble>) -> Result<bool> {
    let moved = on!(tx, |c| sqlx::query("UPDATE saved_reports SET next_at = $3, trouble = $4 WHERE id = $1 AND next_at = $2")
        .bind(report.id)
        .bind(report.next_at)
        .bind(report.what.every.next(report.what.hour, at))
        .bind(trouble)
        .execute(c)
        .await)?;
    Ok(moved == 1)
}

async fn record_send(tx: &mut Tx, at: Timestamp, (actor, ip): (&str, &str), report: &SavedReport) -> Result<()> {
    let recipients: Vec<&str> = report.what.recipients.iter().map(MailAddress::as_str).collect();
    let detail = json!({ "name": report.what.name, "recipients": recipients.join(" ") });
    record(tx, at, actor, ip, AuditAction::ReportSend, report.id, &detail).await
}

fn actor(user: UserId) -> String {
    format!("user:{user}")
}

async fn record(
    tx: &mut Tx,
    at: Timestamp,
    actor: &str,
    ip: &str,
    action: AuditAction,
    id: SavedReportId,
    detail: &Value,
) -> Result<()> {
    let (subject, detail) = (format!("report:{id}"), detail.to_string());
    audit::append(tx, at, &Entry { actor, ip, action, subject: &subject, detail: &detail }).await
}
