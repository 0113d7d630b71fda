//! A case for each key of the configuration whose certificate ends: opened in time, said again as the end comes nearer, closed by
//! itself when it was renewed.

use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::cases::kind;
use super::{Db, Result, Tx, on, read};
use domain::rng::Rng;

/// Something that ends, near enough to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The key of the configuration.
    pub key: String,
    /// When it ends.
    pub until: Timestamp,
    /// How near that is, as a word.
    pub nearness: &'static str,
}

impl Ending {
    fn detail(&self) -> String {
        serde_json::json!({ "key": self.key, "until": self.until.0, "nearness": self.nearness }).to_string()
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    subject: String,
    detail: String,
    closed: bool,
}

/// Makes the cases those of what ends now. What somebody closed is not opened again before the end has come a step nearer.
pub async fn keep(db: &Db, rng: &Rng, at: Timestamp, found: &[Ending]) -> Result<()> {
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(
        "SELECT id, subject, detail, closed_at IS NOT NULL AS closed FROM cases WHERE kind = $1 AND subject IS NOT NULL"
    )
    .bind(kind::EXPIRY)
    .fetch_all(pool)
    .await)?;
    let open = |key: &str| rows.iter().find(|row| !row.closed && row.subject == key);
    let said = |ending: &Ending| rows.iter().any(|row| row.subject == ending.key && row.detail == ending.detail());
    let renewed: Vec<&Row> =
        rows.iter().filter(|row| !row.closed && !found.iter().any(|ending| ending.key == row.subject)).collect();
    let new: Vec<&Ending> = found.iter().filter(|ending| !said(ending)).collect();
    if renewed.is_empty() && new.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for ending in new {
        match open(&ending.key) {
            Some(row) => update(&mut tx, row.id, &ending.detail()).await?,
            None => insert(&mut tx, rng, at, ending).await?,
        }
    }
    for row in renewed {
        close(&mut tx, at, row.id).await?;
    }
    tx.commit().await
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, ending: &Ending) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO cases (id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(kind::EXPIRY)
    .bind(&ending.key)
    .bind(ending.detail())
    .bind(at.0)
    .execute(c)
    .await)?;
    Ok(())
}

async fn update(tx: &mut Tx, id: Uuid, detail: &str) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE cases SET detail = $1 WHERE id = $2 AND closed_at IS NULL")
        .bind(detail)
        .bind(id)
        .execute(c)
        .await)?;
    Ok(())
}

async fn close(tx: &mut Tx, at: Timestamp, id: Uuid) -> Result<()> {
    let closed =
        on!(tx, |c| sqlx::query("UPDATE cases SET closed_at = $1, resolution = 'mended' WHERE id = $2 AND closed_at IS NULL")
            .bind(at.0)
            .bind(id)
            .execute(c)
            .await)?;
    if closed == 1 {
        let (subject, detail) =
            (format!("case:{id}"), serde_json::json!({ "kind": kind::EXPIRY, "resolution": "mended" }).to_string());
        let entry = Entry { actor: "system", ip: "", action: "case.close", subject: &subject, detail: &detail };
        audit::append(tx, at, &entry).await?;
    }
    Ok(())
}
