//! A case for each key of the configuration that needs somebody: a certificate that ends, a channel that is switched off. It is
//! said again when it changes, and closed by itself when the configuration was corrected.

use model::case::{CaseDetail, CaseKind};
use model::ids::CaseId;
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Db, Result, Tx, cases, on, read};
use domain::rng::Rng;

#[derive(FromRow)]
struct ConfigCaseRow {
    id: CaseId,
    subject: String,
    detail: String,
    closed: bool,
}

/// What was found about a key of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigCase {
    pub key: String,
    pub detail: CaseDetail,
}

/// Makes the open cases of this kind those that were found now. What somebody closed is not opened again before it changes.
pub async fn keep(db: &Db, rng: &Rng, at: Timestamp, kind: CaseKind, found: &[ConfigCase]) -> Result<()> {
    let rows: Vec<ConfigCaseRow> = read!(db, |pool| sqlx::query_as(
        "SELECT id, subject, detail, closed_at IS NOT NULL AS closed FROM cases
         WHERE kind = $1 AND subject IS NOT NULL AND (resolution IS NULL OR resolution <> 'mended')"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    let open = |key: &str| rows.iter().find(|row| !row.closed && row.subject == key);
    let is_stored = |found: &ConfigCase| rows.iter().any(|row| row.subject == found.key && row.detail == found.detail.to_json());
    let gone: Vec<&ConfigCaseRow> =
        rows.iter().filter(|row| !row.closed && !found.iter().any(|change| change.key == row.subject)).collect();
    let new: Vec<&ConfigCase> = found.iter().filter(|change| !is_stored(change)).collect();
    if gone.is_empty() && new.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for change in new {
        match open(&change.key) {
            Some(row) => update(&mut tx, row.id, &change.detail.to_json()).await?,
            None => insert(&mut tx, rng, at, change).await?,
        }
    }
    for row in gone {
        cases::mend_audited(&mut tx, at, kind, row.id).await?;
    }
    tx.commit().await
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, change: &ConfigCase) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO cases (id, kind, subject, detail, opened_at, due_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(change.detail.kind())
    .bind(&change.key)
    .bind(change.detail.to_json())
    .bind(at.0)
    .bind(at.plus(change.detail.kind().due_within()))
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
