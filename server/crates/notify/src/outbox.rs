//! E-mails that wait to be sent, and what became of them.

use std::result::Result as StdResult;

use model::ids::{MailId, SavedReportId, UserId};
use model::saved_report::{MailAddress, MailState, MailTrouble, SentMail};
use model::time::{DAY, HOUR, MINUTE, Timestamp};
use sqlx::FromRow;
use store::{Db, Result, Tx, on, read};

use domain::rng::Rng;

/// How long an e-mail is tried again.
const GIVE_UP: i64 = DAY;
/// How long is known what became of an e-mail.
const KEPT: i64 = 90 * DAY;

/// A file that an e-mail brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFile {
    /// ASCII, with its ending.
    pub name: String,
    pub contents: Vec<u8>,
}

/// What one or more people are to be told.
#[derive(Clone, Debug)]
pub struct NewMail<'a> {
    pub report: SavedReportId,
    pub recipients: &'a [MailAddress],
    pub subject: &'a str,
    pub body: &'a str,
    pub file: &'a MailFile,
}

/// An e-mail to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub id: MailId,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    pub file: Option<MailFile>,
    pub asked_at: Timestamp,
    /// How often it was tried.
    pub tries: i64,
}

/// Stores an e-mail to each of the recipients, in the caller's transaction.
pub async fn store(tx: &mut Tx, rng: &Rng, at: Timestamp, mail: &NewMail<'_>) -> Result<()> {
    let file = rng.id(at);
    on!(tx, |c| sqlx::query("INSERT INTO mail_files (id, name, contents) VALUES ($1, $2, $3)")
        .bind(file)
        .bind(&mail.file.name)
        .bind(&mail.file.contents)
        .execute(c)
        .await)?;
    for recipient in mail.recipients {
        on!(tx, |c| sqlx::query(
            "INSERT INTO mails (id, report_id, recipient, subject, body, file_id, state, next_at, asked_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $7)"
        )
        .bind(MailId(rng.id(at)))
        .bind(mail.report)
        .bind(recipient.as_str())
        .bind(mail.subject)
        .bind(mail.body)
        .bind(file)
        .bind(at)
        .execute(c)
        .await)?;
    }
    Ok(())
}

#[derive(FromRow)]
struct MailRow {
    id: MailId,
    recipient: String,
    subject: String,
    body: String,
    name: Option<String>,
    contents: Option<Vec<u8>>,
    asked_at: Timestamp,
    tries: i64,
}

/// The e-mail that has been due for longest, with its file.
pub async fn next(db: &Db, at: Timestamp) -> Result<Option<Mail>> {
    let row: Option<MailRow> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id, m.recipient, m.subject, m.body, f.name, f.contents, m.asked_at, m.tries
         FROM mails m LEFT JOIN mail_files f ON f.id = m.file_id
         WHERE m.state = 'waiting' AND m.next_at <= $1 ORDER BY m.next_at, m.id LIMIT 1"
    )
    .bind(at)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|row| Mail {
        id: row.id,
        recipient: row.recipient,
        subject: row.subject,
        body: row.body,
        file: row.name.zip(row.contents).map(|(name, contents)| MailFile { name, contents }),
        asked_at: row.asked_at,
        tries: row.tries,
    }))
}

/// Stores what became of a try. What may succeed later is tried again, with longer and longer pauses, for a day.
pub async fn finish(db: &Db, at: Timestamp, mail: &Mail, outcome: StdResult<(), MailTrouble>) -> Result<MailState> {
    let (state, trouble) = match outcome {
        Ok(()) => (MailState::Sent, None),
        Err(MailTrouble::Refused) => (MailState::GivenUp, Some(MailTrouble::Refused)),
        Err(trouble) if at.since(mail.asked_at) >= GIVE_UP => (MailState::GivenUp, Some(trouble)),
        Err(trouble) => (MailState::Waiting, Some(trouble)),
    };
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE mails SET state = $2, trouble = $3, tries = tries + 1, next_at = $4, finished_at = $5
         WHERE id = $1 AND state = 'waiting'"
    )
    .bind(mail.id)
    .bind(state)
    .bind(trouble)
    .bind(at.plus(pause(mail.tries)))
    .bind((state != MailState::Waiting).then_some(at))
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(state)
}

/// 1, 2, 4, ... minutes, at most an hour.
fn pause(tries: i64) -> i64 {
    (MINUTE << tries.clamp(0, 6)).min(HOUR)
}

/// Takes back the e-mails of a report that wait.
pub async fn withdraw(tx: &mut Tx, report: SavedReportId) -> Result<()> {
    on!(tx, |c| sqlx::query("DELETE FROM mails WHERE report_id = $1 AND state = 'waiting'").bind(report).execute(c).await)?;
    remove_files(tx).await
}

/// Removes e-mails of long ago, and files that no e-mail waits for.
pub async fn purge(db: &Db, at: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    let sql = "DELETE FROM mails WHERE state <> 'waiting' AND finished_at < $1";
    on!(&mut tx, |c| sqlx::query(sql).bind(at.plus(-KEPT)).execute(c).await)?;
    remove_files(&mut tx).await?;
    tx.commit().await
}

async fn remove_files(tx: &mut Tx) -> Result<()> {
    let sql = "DELETE FROM mail_files WHERE NOT EXISTS (
                   SELECT 1 FROM mails WHERE mails.file_id = mail_files.id AND mails.state = 'waiting')";
    on!(tx, |c| sqlx::query(sql).execute(c).await)?;
    Ok(())
}

#[derive(FromRow)]
struct SentRow {
    report_id: SavedReportId,
    recipient: String,
    state: MailState,
    trouble: Option<MailTrouble>,
    asked_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// The newest e-mail to each address of the reports that the person saved, or of everybody's.
pub async fn newest(db: &Db, user: UserId, of_all: bool) -> Result<Vec<SentMail>> {
    let rows: Vec<SentRow> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT m.report_id, m.recipient, m.state, m.trouble, m.asked_at, m.finished_at
             FROM mails m JOIN saved_reports s ON s.id = m.report_id
             WHERE ($1 OR s.owner_id = $2)
               AND m.asked_at = (SELECT MAX(n.asked_at) FROM mails n
                                 WHERE n.report_id = m.report_id AND n.recipient = m.recipient)
             ORDER BY m.report_id, m.recipient",
        )
        .bind(of_all)
        .bind(user)
        .fetch_all(pool)
        .await
    })?;
    let sent = |row: SentRow| SentMail {
        report: row.report_id,
        recipient: row.recipient,
        state: row.state,
        trouble: row.trouble,
        asked_at: row.asked_at,
        finished_at: row.finished_at,
    };
    Ok(rows.into_iter().map(sent).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour() {
        let minutes: Vec<i64> = (0..8).map(|tries| pause(tries) / MINUTE).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
