//! A case for each key of the configuration whose certificate ends: opened in time, said again as the end comes nearer, closed by
//! itself when it was renewed.

use model::case::{CaseDetail, CaseKind, ExpiryCase};
use model::ids::CaseId;
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Db, Result, Tx, cases, on, read};
use domain::rng::Rng;

#[derive(FromRow)]
struct ExpiryRow {
    id: CaseId,
    subject: String,
    detail: String,
    closed: bool,
}

/// Makes the cases those of what ends now. What somebody closed is not opened again before the end has come a step nearer.
pub async fn keep(db: &Db, rng: &Rng, at: Timestamp, found: &[ExpiryCase]) -> Result<()> {
    let rows: Vec<ExpiryRow> = read!(db, |pool| sqlx::query_as(
        "SELECT id, subject, detail, closed_at IS NOT NULL AS closed FROM cases WHERE kind = $1 AND subject IS NOT NULL"
    )
    .bind(CaseKind::Expiry)
    .fetch_all(pool)
    .await)?;
    let open = |key: &str| rows.iter().find(|row| !row.closed && row.subject == key);
    let is_stored = |found: &ExpiryCase| rows.iter().any(|row| row.subject == found.key && row.detail == json(found));
    let renewed: Vec<&ExpiryRow> =
        rows.iter().filter(|row| !row.closed && !found.iter().any(|ending| ending.key == row.subject)).collect();
    let new: Vec<&ExpiryCase> = found.iter().filter(|ending| !is_stored(ending)).collect();
    if renewed.is_empty() && new.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for ending in new {
        match open(&ending.key) {
            Some(row) => update(&mut tx, row.id, &json(ending)).await?,
            None => insert(&mut tx, rng, at, ending).await?,
        }
    }
    for row in renewed {
        cases::mend_audited(&mut tx, at, CaseKind::Expiry, row.id).await?;
    }
    tx.commit().await
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, ending: &ExpiryCase) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO cases (id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(CaseKind::Expiry)
    .bind(&ending.key)
    .bind(json(ending))
    .bind(at.0)
    .execute(c)
    .await)?;
    Ok(())
}

async fn update(tx: &mut Tx, id: CaseId, detail: &str) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE cases SET detail = $1 WHERE id = $2 AND closed_at IS NULL")
        .bind(detail)
        .bind(id)
        .execute(c)
        .await)?;
    Ok(())
}

fn json(ending: &ExpiryCase) -> String {
    CaseDetail::Expiry(ending.clone()).to_json()
}
