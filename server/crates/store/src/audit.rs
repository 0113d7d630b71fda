//! Who did what, when, from where: append-only, each line's keyed hash over the one before.

use model::audit::{AuditAction, Verification};
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;

use super::seal::{Head, SealKey};
use super::{Db, Result, Tx, on, read};

/// One line to write.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Who: `user:<id>`, `channel:alipay`, `system`.
    pub actor: &'a str,
    /// From where; empty for the system itself.
    pub ip: &'a str,
    pub action: AuditAction,
    /// To what: `order:<id>`, `meter:<id>`.
    pub subject: &'a str,
    /// More, as JSON; never a secret.
    pub detail: &'a str,
}

/// The words of a line.
#[derive(Clone, Debug, FromRow)]
pub(super) struct AuditLine {
    pub actor: String,
    pub ip: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
}

impl AuditLine {
    /// Over the hash before, the number, the instant, and each word with its length.
    pub(super) fn hash(&self, key: &SealKey, previous: &[u8], seq: i64, at: Timestamp) -> Vec<u8> {
        let [seq, at] = [seq, at.0].map(i64::to_be_bytes);
        let words = [&self.actor, &self.ip, &self.action, &self.subject, &self.detail].map(String::as_bytes);
        let [actor, ip, action, subject, detail] = words;
        key.hash("line", &[previous, &seq, &at, actor, ip, action, subject, detail]).to_vec()
    }
}

#[derive(FromRow)]
struct StoredLine {
    seq: i64,
    at: Timestamp,
    #[sqlx(flatten)]
    line: AuditLine,
    hash: Vec<u8>,
}

/// Appends a line in the caller's transaction; its commit writes it.
pub async fn append(tx: &mut Tx, at: Timestamp, entry: &Entry<'_>) -> Result<()> {
    let line = AuditLine {
        actor: entry.actor.to_owned(),
        ip: entry.ip.to_owned(),
        action: entry.action.as_str().to_owned(),
        subject: entry.subject.to_owned(),
        detail: entry.detail.to_owned(),
    };
    tx.unsealed().push(at, line);
    Ok(())
}

/// Appends what a person did to `subject`, as [`append`] does.
pub async fn record(
    tx: &mut Tx,
    at: Timestamp,
    who: &Who,
    (action, subject): (AuditAction, &str),
    detail: &serde_json::Value,
) -> Result<()> {
    let (actor, detail) = (format!("user:{}", who.user), detail.to_string());
    append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject, detail: &detail }).await
}

/// What the chain says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Lines that follow from each other, from the first.
    pub lines: i64,
    /// The first line that does not follow from the one before, or that the head knows of and that is missing.
    pub broken_at: Option<i64>,
}

/// Walks the chain to its head.
pub async fn verify(db: &Db) -> Result<Chain> {
    let mut tx = db.begin_reading().await?;
    let head = head(&mut tx).await?;
    walk(&mut tx, head.as_ref()).await
}

pub async fn head(tx: &mut Tx) -> Result<Option<Head>> {
    on!(tx, |c| sqlx::query_as("SELECT seq, hash, sealed_rows, seal_sum, mac FROM audit_head WHERE one = 1")
        .fetch_optional(c)
        .await)
}

pub async fn walk(tx: &mut Tx, head: Option<&Head>) -> Result<Chain> {
    let key = tx.unsealed().key().clone();
    let (mut previous, mut seq) = (Vec::new(), 0);
    loop {
        let lines = lines_after(tx, seq).await?;
        if lines.is_empty() {
            break;
        }
        for StoredLine { seq: number, at, line, hash } in lines {
            if number != seq + 1 || hash != line.hash(&key, &previous, number, at) {
                return Ok(Chain { lines: seq, broken_at: Some(seq + 1) });
            }
            (seq, previous) = (number, hash);
        }
    }
    // A chain that was cut at its end does not reach its head.
    let ends = head.is_some_and(|head| head.seq == seq && head.hash == previous && head.is_genuine(&key));
    Ok(Chain { lines: seq, broken_at: (!ends).then_some(seq + 1) })
}

/// How many lines [`walk_range`] checks at most.
pub const WALKED: i64 = 200_000;

/// A part of the chain to walk.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub from: Timestamp,
    /// The first instant that no longer belongs to it.
    pub until: Timestamp,
    /// The last line that an earlier walk of this range checked; 0 to begin with the first.
    pub after: i64,
}

/// What walking a part of the chain found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The first and last line of the range; 0 without any.
    pub first: i64,
    pub last: i64,
    /// How many lines were checked, from the first; no more than about [`WALKED`], and fewer where it was late before.
    pub lines: i64,
    pub broken_at: Option<i64>,
}

/// Walks the lines of a range: from the one before it, which the first has to follow, to the one after it, which has to follow
/// the last. Where there is none after it, the last has to be the head's. So lines are also missed at the ends of the range, and
/// where none is left of it. Stops after a part once `is_late`.
pub async fn walk_range(db: &Db, range: Range, is_late: &(dyn Fn() -> bool + Sync)) -> Result<Walked> {
    let mut tx = db.begin_reading().await?;
    let key = tx.unsealed().key().clone();
    let (mut walked, start) = ends(&mut tx, range).await?;
    let last = walked.last.max(start);
    let before: Option<(Vec<u8>,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT hash FROM audit WHERE seq = $1").bind(start).fetch_optional(c).await)?;
    let (mut previous, mut seq) = match before {
        Some((hash,)) => (hash, start),
        None if start == 0 => (Vec::new(), 0),
        None => return Ok(Walked { broken_at: Some(start), ..walked }),
    };
    let mut is_newest = false;
    while !is_newest && seq <= last {
        let lines = lines_after(&mut tx, seq).await?;
        is_newest = lines.is_empty();
        for StoredLine { seq: number, at, line, hash } in lines {
            if number != seq + 1 || hash != line.hash(&key, &previous, number, at) {
                return Ok(Walked { broken_at: Some(seq + 1), ..walked });
            }
            (seq, previous) = (number, hash);
            walked.lines += i64::from((walked.first..=walked.last).contains(&number));
            if seq > last {
                break;
            }
        }
        if seq < last && (walked.lines >= WALKED || is_late()) {
            break;
        }
    }
    let head = head(&mut tx).await?;
    let fits = head.is_some_and(|head| {
        let reaches = if is_newest { head.seq == seq && head.hash == previous } else { head.seq >= seq };
        reaches && head.is_genuine(&key)
    });
    if !fits {
        walked.broken_at = Some(seq + 1);
    }
    Ok(walked)
}

/// The first and last line of a range, and the line from which they are walked; 0 for the beginning of the chain.
async fn ends(tx: &mut Tx, Range { from, until, after }: Range) -> Result<(Walked, i64)> {
    let found: Option<(Option<i64>, Option<i64>)> =
        on!(tx, |c| sqlx::query_as("SELECT MIN(seq), MAX(seq) FROM audit WHERE at >= $1 AND at < $2 AND seq > $3")
            .bind(from)
            .bind(until)
            .bind(after)
            .fetch_optional(c)
            .await)?;
    let (first, last) = found.unwrap_or_default();
    let before: Option<(Option<i64>,)> = match first {
        Some(first) => {
            on!(tx, |c| sqlx::query_as("SELECT MAX(seq) FROM audit WHERE seq < $1").bind(first).fetch_optional(c).await)?
        }
        None => on!(tx, |c| sqlx::query_as("SELECT MAX(seq) FROM audit WHERE at < $1 OR seq <= $2")
            .bind(from)
            .bind(after)
            .fetch_optional(c)
            .await)?,
    };
    let start = before.and_then(|(seq,)| seq).unwrap_or(0);
    Ok((Walked { first: first.unwrap_or(0), last: last.unwrap_or(0), ..Walked::default() }, start))
}

/// Some lines that follow one, in their order; none at the end of the chain.
async fn lines_after(tx: &mut Tx, seq: i64) -> Result<Vec<StoredLine>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT seq, at, actor, ip, action, subject, detail, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT 1000"
    )
    .bind(seq)
    .fetch_all(c)
    .await)
}

/// The seals of all rows of the books: how many there are, and which rows do not fit theirs, as `table key`.
pub async fn sealed_rows(db: &Db) -> Result<(i64, Vec<String>)> {
    let mut tx = db.begin_reading().await?;
    let head = head(&mut tx).await?;
    let report = super::seal::faults(&mut tx).await?;
    let mut faults: Vec<String> = report.faults.iter().map(|(table, row, _)| format!("{table} {row}")).collect();
    if faults.is_empty() && head.is_some_and(|head| !report.fits(&head)) {
        faults.push("audit_head".to_owned());
    }
    Ok((report.rows, faults))
}

/// Writes down that a person verified lines and seals, and gives the number of that line.
pub async fn record_verification(db: &Db, at: Timestamp, who: &Who, found: &Verification) -> Result<i64> {
    let mut tx = db.begin().await?;
    let (actor, detail) = (format!("user:{}", who.user), serde_json::json!(found).to_string());
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::AuditVerify, subject: "site", detail: &detail };
    append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    let seq: Option<(Option<i64>,)> =
        read!(db, |pool| sqlx::query_as("SELECT MAX(seq) FROM audit WHERE action = $1 AND actor = $2 AND at = $3")
            .bind(AuditAction::AuditVerify)
            .bind(&actor)
            .bind(at)
            .fetch_optional(pool)
            .await)?;
    Ok(seq.and_then(|(seq,)| seq).unwrap_or(0))
}

/// Whether the head was written with the database's key, or nothing was written yet.
pub async fn key_fits(db: &Db) -> Result<bool> {
    let mut tx = db.begin_reading().await?;
    let head = head(&mut tx).await?;
    Ok(head.is_some_and(|head| head.is_genuine(tx.unsealed().key())))
}

/// The last line up to an instant: what a person prints, or keeps outside the database, to compare later.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Anchor {
    pub seq: i64,
    pub at: Timestamp,
    pub hash: Vec<u8>,
}

/// The last line before an instant; `None` where there is none.
pub async fn anchor_before(db: &Db, end: Timestamp) -> Result<Option<Anchor>> {
    let mut tx = db.begin_reading().await?;
    // Lines are in the order of their commits, which is not quite that of their instants.
    on!(&mut tx, |c| sqlx::query_as("SELECT seq, at, hash FROM audit WHERE at < $1 ORDER BY seq DESC LIMIT 1")
        .bind(end)
        .fetch_optional(c)
        .await)
}

/// Of anchors that were kept outside the database, those whose line is missing or another one.
pub async fn missing_anchors(db: &Db, anchors: &[(i64, Vec<u8>)]) -> Result<Vec<i64>> {
    let mut tx = db.begin_reading().await?;
    let mut missing = Vec::new();
    for (seq, hash) in anchors {
        let found: Option<(Vec<u8>,)> =
            on!(&mut tx, |c| sqlx::query_as("SELECT hash FROM audit WHERE seq = $1").bind(seq).fetch_optional(c).await)?;
        if found.is_none_or(|(found,)| found != *hash) {
            missing.push(*seq);
        }
    }
    Ok(missing)
}
