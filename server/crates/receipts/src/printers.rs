//! The receipt printers of the site.

use model::audit::AuditAction;
use model::console::Printer;
use model::error::AppError;
use model::ids::PrinterId;
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;
use store::audit;
use store::{Db, Result, Tx, on, read};

use domain::rng::Rng;

/// Printers of a site.
const MAX: i64 = 50;

#[derive(FromRow)]
struct PrinterRow {
    id: PrinterId,
    name: String,
    host: String,
    port: i64,
}

impl From<PrinterRow> for Printer {
    fn from(row: PrinterRow) -> Self {
        Self { id: row.id, name: row.name, host: row.host, port: u16::try_from(row.port).unwrap_or_default() }
    }
}

/// The printers in use, by name.
pub async fn all(db: &Db) -> Result<Vec<Printer>> {
    let sql = "SELECT id, name, host, port FROM printers WHERE retired_at IS NULL ORDER BY name, id";
    let rows: Vec<PrinterRow> = read!(db, |pool| sqlx::query_as(sql).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(Printer::from).collect())
}

/// A printer that is in use.
pub async fn find(db: &Db, id: PrinterId) -> Result<Option<Printer>> {
    let sql = "SELECT id, name, host, port FROM printers WHERE id = $1 AND retired_at IS NULL";
    let row: Option<PrinterRow> = read!(db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(Printer::from))
}

/// Adds a printer.
///
/// # Errors
/// Refused with [`AppError::NameTaken`], or [`AppError::TooManyKept`] where there are very many.
pub async fn add(db: &Db, rng: &Rng, at: Timestamp, who: &Who, (name, host, port): (&str, &str, u16)) -> Result<PrinterId> {
    let id = PrinterId(rng.id(at));
    let mut tx = db.begin().await?;
    let known: Option<(i64,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT COUNT(*) FROM printers WHERE retired_at IS NULL").fetch_optional(c).await)?;
    if known.is_some_and(|(known,)| known >= MAX) {
        return Err(AppError::TooManyKept.into());
    }
    let added = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO printers (id, name, host, port, added_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(name)
    .bind(host)
    .bind(i64::from(port))
    .bind(at)
    .execute(c)
    .await)?;
    if added == 0 {
        return Err(AppError::NameTaken.into());
    }
    record(&mut tx, at, who, AuditAction::PrinterAdd, id, &json!({ "name": name, "host": host, "port": port })).await?;
    tx.commit().await?;
    Ok(id)
}

/// Takes a printer out of use; what waits for it is not printed.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for one that is not in use.
pub async fn retire(db: &Db, at: Timestamp, who: &Who, id: PrinterId) -> Result<()> {
    let mut tx = db.begin().await?;
    let retired = on!(&mut tx, |c| sqlx::query("UPDATE printers SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(c)
        .await)?;
    if retired == 0 {
        return Err(AppError::NotFound.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "UPDATE print_jobs SET state = 'cancelled', finished_at = $2 WHERE printer_id = $1 AND state IN ('queued', 'given_up')"
    )
    .bind(id)
    .bind(at)
    .execute(c)
    .await)?;
    record(&mut tx, at, who, AuditAction::PrinterRetire, id, &json!({})).await?;
    tx.commit().await
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, id: PrinterId, detail: &Value) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("printer:{id}")), detail).await
}
