//! Who did what, when, from where: append-only, each line's hash over the one before.

use aws_lc_rs::digest::{Context, SHA256};
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Db, Result, Tx, on, read};

/// One line to write.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Who: `user:<id>`, `channel:alipay`, `system`.
    pub actor: &'a str,
    /// From where; empty for the system itself.
    pub ip: &'a str,
    /// What: `sale.create`, `meter.mode`, `session.open`.
    pub action: &'a str,
    /// To what: `order:<id>`, `meter:<id>`.
    pub subject: &'a str,
    /// More, as JSON; never a secret.
    pub detail: &'a str,
}

#[derive(FromRow)]
struct Line {
    seq: i64,
    at: i64,
    actor: String,
    ip: String,
    action: String,
    subject: String,
    detail: String,
    hash: Vec<u8>,
}

/// Appends a line in the caller's transaction; the head row, locked here and moved on by the line itself, makes writers queue,
/// so that the chain never forks.
pub async fn append(tx: &mut Tx, at: Timestamp, entry: &Entry<'_>) -> Result<()> {
    let (seq, previous): (i64, Vec<u8>) =
        on!(tx, |c| sqlx::query_as("UPDATE audit_head SET seq = seq WHERE one = 1 RETURNING seq + 1, hash")
            .fetch_optional(c)
            .await)?
        .ok_or(super::StoreError::Inconsistent { table: "audit_head", column: "one" })?;
    let hash = hash(&previous, seq, at.0, [entry.actor, entry.ip, entry.action, entry.subject, entry.detail]);
    on!(tx, |c| sqlx::query(
        "INSERT INTO audit (seq, at, actor, ip, action, subject, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(seq)
    .bind(at.0)
    .bind(entry.actor)
    .bind(entry.ip)
    .bind(entry.action)
    .bind(entry.subject)
    .bind(entry.detail)
    .bind(&hash)
    .execute(c)
    .await)?;
    Ok(())
}

/// Walks the chain; gives the number of lines, or the first line whose hash does not follow from the one before.
pub async fn verify(db: &Db) -> Result<std::result::Result<i64, i64>> {
    let mut previous = Vec::new();
    let mut seq = 0;
    loop {
        let lines: Vec<Line> = read!(db, |pool| sqlx::query_as(
            "SELECT seq, at, actor, ip, action, subject, detail, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT 1000"
        )
        .bind(seq)
        .fetch_all(pool)
        .await)?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            let fields = [&*line.actor, &*line.ip, &*line.action, &*line.subject, &*line.detail];
            if line.seq != seq + 1 || line.hash != hash(&previous, line.seq, line.at, fields) {
                return Ok(Err(seq + 1));
            }
            (seq, previous) = (line.seq, line.hash);
        }
    }
    // A chain cut at its end shows against the head.
    let head: Option<(i64, Vec<u8>)> =
        read!(db, |pool| sqlx::query_as("SELECT seq, hash FROM audit_head WHERE one = 1").fetch_optional(pool).await)?;
    Ok(if head == Some((seq, previous)) { Ok(seq) } else { Err(seq + 1) })
}

/// SHA-256 over the previous hash and each field with its length, so that no two lines give the same bytes.
fn hash(previous: &[u8], seq: i64, at: i64, fields: [&str; 5]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    context.update(previous);
    context.update(&seq.to_be_bytes());
    context.update(&at.to_be_bytes());
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
    }
    context.finish().as_ref().to_vec()
}
