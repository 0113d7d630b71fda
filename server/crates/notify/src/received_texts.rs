//! Text messages from residents: parts are joined, each is handled once, and what becomes of it is kept.

use model::audit::AuditAction;
use model::ids::UserId;
use model::language::Lang;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours, masked};
use model::text_request::{TextOutcome, TextRequest};
use model::time::{DAY, HOUR, Timestamp};
use serde_json::json;
use sqlx::FromRow;
use store::audit::{self, Entry};
use store::notifications::{About, NewNotification, ask};
use store::{Db, Result, Tx, on, read};

use domain::rng::Rng;

const SMS: NotificationChannel = NotificationChannel::Sms;
/// How long parts wait for the others, and how long is known what was asked for.
const WAITS: i64 = DAY;
const KEPT: i64 = 180 * DAY;

/// A resident, by the number that they confirmed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ResidentByNumber {
    pub user_id: UserId,
    language: String,
}

impl ResidentByNumber {
    #[must_use]
    pub fn language(&self) -> Lang {
        Lang::choose(&self.language).unwrap_or_default()
    }
}

/// Who confirmed a number and lives here; of several the last one.
pub async fn resident_by_number(db: &Db, number: &str) -> Result<Option<ResidentByNumber>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.user_id, p.language FROM alert_addresses d
         JOIN users u ON u.id = d.user_id AND u.role = 'resident' AND u.disabled_at IS NULL
         JOIN alert_preferences p ON p.user_id = d.user_id
         WHERE d.channel = 'sms' AND d.address = $1
           AND EXISTS (SELECT 1 FROM account_residents r WHERE r.user_id = d.user_id AND r.to_at IS NULL)
         ORDER BY d.verified_at DESC, d.user_id LIMIT 1"
    )
    .bind(number)
    .fetch_optional(pool)
    .await)
}

/// A part of a long message.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedPart<'a> {
    pub sender: &'a str,
    /// What the parts of a message share.
    pub reference: &'a str,
    pub part: u8,
    pub parts: u8,
    pub pdu: &'a str,
}

/// Keeps a part; gives the PDUs of all parts in their order where all are there.
pub async fn keep_part(db: &Db, at: Timestamp, new: &ReceivedPart<'_>) -> Result<Option<Vec<String>>> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM received_parts WHERE received_at < $1").bind(at.plus(-WAITS)).execute(c).await)?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO received_parts (sender, reference, part, parts, pdu, received_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (sender, reference, part) DO UPDATE SET parts = excluded.parts, pdu = excluded.pdu,
             received_at = excluded.received_at"
    )
    .bind(new.sender)
    .bind(new.reference)
    .bind(i64::from(new.part))
    .bind(i64::from(new.parts))
    .bind(new.pdu)
    .bind(at)
    .execute(c)
    .await)?;
    let kept: Vec<(String,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT pdu FROM received_parts WHERE sender = $1 AND reference = $2 ORDER BY part")
            .bind(new.sender)
            .bind(new.reference)
            .fetch_all(c)
            .await)?;
    tx.commit().await?;
    Ok((kept.len() == usize::from(new.parts)).then(|| kept.into_iter().map(|(pdu,)| pdu).collect()))
}

/// A message that is whole, and what is answered.
#[derive(Clone, Debug)]
pub struct HandledText<'a> {
    /// What the same message has when it comes again.
    pub key: &'a str,
    pub number: &'a str,
    /// Of a long message: what its parts share.
    pub reference: Option<&'a str>,
    pub request: TextRequest,
    /// `None`: an unknown number.
    pub resident: Option<&'a ResidentByNumber>,
    /// Whether the modem received it too late for an answer.
    pub is_late: bool,
    /// `None`: nothing is answered.
    pub reply: Option<(NotificationKind, NotificationValues)>,
}

/// Stores what was asked for with its answer, in one transaction. Gives what became of it, or `None` where it was handled before.
pub async fn handle(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    text: &HandledText<'_>,
    replies_per_hour: i64,
) -> Result<Option<TextOutcome>> {
    let mut tx = db.begin().await?;
    if let Some(reference) = text.reference {
        on!(&mut tx, |c| sqlx::query("DELETE FROM received_parts WHERE sender = $1 AND reference = $2")
            .bind(text.number)
            .bind(reference)
            .execute(c)
            .await)?;
    }
    let outcome = match (text.resident, &text.reply) {
        (None, _) => TextOutcome::UnknownNumber,
        (Some(_), None) => TextOutcome::NotUnderstood,
        // A request for no more messages counts, however late or often it comes.
        (Some(_), Some((NotificationKind::ReplyStop, _))) => TextOutcome::Answered,
        (Some(_), Some(_)) if text.is_late => TextOutcome::TooLate,
        (Some(resident), Some(_)) => {
            let may = answered(&mut tx, at, resident).await? < replies_per_hour;
            if may { TextOutcome::Answered } else { TextOutcome::TooMany }
        }
    };
    let is_new = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO text_requests (id, key, request, outcome, user_id, received_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (key) DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(text.key)
    .bind(text.request)
    .bind(outcome)
    .bind(text.resident.map(|resident| resident.user_id))
    .bind(at)
    .execute(c)
    .await)?;
    if is_new == 1
        && outcome == TextOutcome::Answered
        && let (Some(resident), Some((kind, values))) = (text.resident, &text.reply)
    {
        if *kind == NotificationKind::ReplyStop {
            remove_number(&mut tx, at, text.number).await?;
        }
        let reply = NewNotification {
            kind: *kind,
            channel: SMS,
            user: Some(resident.user_id),
            address: text.number,
            language: resident.language(),
            quiet: QuietHours::default(),
            about: About::default(),
            subject: text.key,
            values,
        };
        ask(&mut tx, rng, at, &reply).await?;
    }
    tx.commit().await?;
    Ok((is_new == 1).then_some(outcome))
}

/// How often a person was answered within the last hour.
async fn answered(tx: &mut Tx, at: Timestamp, resident: &ResidentByNumber) -> Result<i64> {
    let answered: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT COUNT(*) FROM text_requests WHERE user_id = $1 AND outcome = 'answered' AND received_at > $2"
    )
    .bind(resident.user_id)
    .bind(at.plus(-HOUR))
    .fetch_optional(c)
    .await)?;
    Ok(answered.map_or(0, |(answered,)| answered))
}

/// Nobody gets texts at a number any more until they confirm it again.
async fn remove_number(tx: &mut Tx, at: Timestamp, number: &str) -> Result<()> {
    let people: Vec<(UserId,)> =
        on!(tx, |c| sqlx::query_as("DELETE FROM alert_addresses WHERE channel = 'sms' AND address = $1 RETURNING user_id")
            .bind(number)
            .fetch_all(c)
            .await)?;
    let detail = json!({ "recipients": masked(number) }).to_string();
    for (user,) in people {
        let person = format!("user:{user}");
        let action = AuditAction::AlertAddressRemove;
        audit::append(tx, at, &Entry { actor: &person, ip: "sms", action, subject: &person, detail: &detail }).await?;
    }
    Ok(())
}

/// How many messages came since that time, by what became of them.
pub async fn received_since(db: &Db, since: Timestamp) -> Result<Vec<(TextOutcome, i64)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT outcome, COUNT(*) FROM text_requests WHERE received_at >= $1 GROUP BY outcome ORDER BY outcome"
    )
    .bind(since)
    .fetch_all(pool)
    .await)
}

/// Removes what is old.
pub async fn purge(db: &Db, at: Timestamp) -> Result<()> {
    let old: Option<(i64,)> = read!(db, |pool| sqlx::query_as("SELECT COUNT(*) FROM text_requests WHERE received_at < $1")
        .bind(at.plus(-KEPT))
        .fetch_optional(pool)
        .await)?;
    if old.is_none_or(|(rows,)| rows == 0) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM text_requests WHERE received_at < $1").bind(at.plus(-KEPT)).execute(c).await)?;
    tx.commit().await
}
