//! What residents choose: where and of what they are told. An address counts after its code was typed in.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::language::Lang;
use model::notification::{AlertPreferences, NotificationChannel, NotificationKind, NotificationValues, QuietHours, masked};
use model::person::{Role, Who};
use model::time::{HOUR, MINUTE, Timestamp};
use serde_json::json;
use sqlx::FromRow;

use super::operators::store_operator_alerts;
use super::{About, NewNotification, ask};
use crate::{Db, Result, Tx, on, read};
use crate::{audit, sessions};
use domain::rng::Rng;

/// How long a code is valid, how often one may be tried, and how many are sent to a person or address in an hour.
const VALID: i64 = 10 * MINUTE;
const MOST_TRIES: i64 = 5;
const MOST_CODES: i64 = 5;

/// Where a resident is told.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AlertAddress {
    pub channel: NotificationChannel,
    pub address: String,
    /// Whether the code for it is still to be typed in.
    pub waits: bool,
}

/// The addresses of a person: those that count, and those whose code is on its way.
pub async fn addresses(db: &Db, user: UserId, at: Timestamp) -> Result<Vec<AlertAddress>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT channel, address, FALSE AS waits FROM alert_addresses WHERE user_id = $1
         UNION ALL
         SELECT channel, address, TRUE AS waits FROM address_codes
         WHERE user_id = $1 AND expires_at > $2 AND tries < $3
         ORDER BY channel, waits"
    )
    .bind(user)
    .bind(at)
    .bind(MOST_TRIES)
    .fetch_all(pool)
    .await)
}

/// A code that proves an address.
#[derive(Clone, Debug)]
pub struct NewCode<'a> {
    pub channel: NotificationChannel,
    /// In the form of its channel.
    pub address: &'a str,
    pub code: &'a str,
    pub hash: &'a [u8],
    /// Of the password that the person has proved, where it was asked for.
    pub password_hash: Option<&'a str>,
    pub language: Lang,
}

/// Sends a code to an address; an earlier one does not count any more.
///
/// # Errors
/// Refused with [`AppError::RateLimited`] where the person or the address got too many, and as [`sessions::hold_proved`].
pub async fn ask_code(db: &Db, rng: &Rng, at: Timestamp, who: &Who, new: &NewCode<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    if let Some(password_hash) = new.password_hash {
        sessions::hold_proved(&mut tx, who.user, password_hash).await?;
    }
    let sent: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT COUNT(*) FROM notifications
         WHERE kind = 'address-code' AND asked_at > $1 AND (user_id = $2 OR (channel = $3 AND address = $4))"
    )
    .bind(at.plus(-HOUR))
    .bind(who.user)
    .bind(new.channel)
    .bind(new.address)
    .fetch_optional(c)
    .await)?;
    if sent.is_some_and(|(sent,)| sent >= MOST_CODES) {
        return Err(AppError::RateLimited.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO address_codes (user_id, channel, address, code_hash, tries, expires_at) VALUES ($1, $2, $3, $4, 0, $5)
         ON CONFLICT (user_id, channel) DO UPDATE SET address = excluded.address, code_hash = excluded.code_hash, tries = 0,
             expires_at = excluded.expires_at"
    )
    .bind(who.user)
    .bind(new.channel)
    .bind(new.address)
    .bind(new.hash)
    .bind(at.plus(VALID))
    .execute(c)
    .await)?;
    let values = NotificationValues { code: new.code.to_owned(), ..NotificationValues::default() };
    let subject = rng.id(at).as_simple().to_string();
    let message = NewNotification {
        kind: NotificationKind::AddressCode,
        channel: new.channel,
        user: Some(who.user),
        address: new.address,
        language: new.language,
        quiet: QuietHours::default(),
        about: About::default(),
        subject: &subject,
        values: &values,
    };
    ask(&mut tx, rng, at, &message).await?;
    tx.commit().await
}

/// The outcome of a code that was typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeOutcome {
    /// The address counts from now on.
    Confirmed,
    Wrong,
    /// No code is on its way, it is too old, or it was tried too often: another one is needed.
    Ended,
}

#[derive(FromRow)]
struct CodeRow {
    address: String,
    code_hash: Vec<u8>,
    tries: i64,
    expires_at: Timestamp,
}

/// Checks a code by its hash. Each try counts, also of several at once.
pub async fn confirm_code(
    db: &Db,
    at: Timestamp,
    who: &Who,
    channel: NotificationChannel,
    hash: &[u8],
    language: Lang,
) -> Result<CodeOutcome> {
    let mut tx = db.begin().await?;
    let row: Option<CodeRow> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE address_codes SET tries = tries + 1 WHERE user_id = $1 AND channel = $2
         RETURNING address, code_hash, tries, expires_at"
    )
    .bind(who.user)
    .bind(channel)
    .fetch_optional(c)
    .await)?;
    let Some(row) = row.filter(|row| row.tries <= MOST_TRIES && row.expires_at > at) else { return Ok(CodeOutcome::Ended) };
    if row.code_hash != hash {
        tx.commit().await?;
        return Ok(if row.tries < MOST_TRIES { CodeOutcome::Wrong } else { CodeOutcome::Ended });
    }
    on!(&mut tx, |c| sqlx::query("DELETE FROM address_codes WHERE user_id = $1 AND channel = $2")
        .bind(who.user)
        .bind(channel)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM alert_addresses WHERE user_id = $1 AND channel = $2")
        .bind(who.user)
        .bind(channel)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO alert_addresses (user_id, channel, address, verified_at) VALUES ($1, $2, $3, $4)"
    )
    .bind(who.user)
    .bind(channel)
    .bind(&row.address)
    .bind(at)
    .execute(c)
    .await)?;
    if who.role == Role::Resident {
        keep_preferences(&mut tx, who.user, language).await?;
    } else {
        store_operator_alerts(&mut tx, who.user, None, language).await?;
    }
    let detail = json!({ "recipients": masked(&row.address) });
    record(&mut tx, at, who, AuditAction::AlertAddress, &detail).await?;
    tx.commit().await?;
    Ok(CodeOutcome::Confirmed)
}

/// Removes the addresses of a person in a channel, and a code on its way to one.
pub async fn remove_address(db: &Db, at: Timestamp, who: &Who, channel: NotificationChannel) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM address_codes WHERE user_id = $1 AND channel = $2")
        .bind(who.user)
        .bind(channel)
        .execute(c)
        .await)?;
    let removed: Vec<(String,)> =
        on!(&mut tx, |c| sqlx::query_as("DELETE FROM alert_addresses WHERE user_id = $1 AND channel = $2 RETURNING address")
            .bind(who.user)
            .bind(channel)
            .fetch_all(c)
            .await)?;
    if !removed.is_empty() {
        let shown: Vec<String> = removed.iter().map(|(address,)| masked(address)).collect();
        record(&mut tx, at, who, AuditAction::AlertAddressRemove, &json!({ "recipients": shown.join(", ") })).await?;
    }
    tx.commit().await
}

/// What a person wants to be told, as it is stored.
#[derive(Clone, Copy, FromRow)]
pub struct PreferencesRow {
    is_off: bool,
    alarm1: bool,
    alarm2: bool,
    tonight: bool,
    recharge: bool,
    quiet_from: i64,
    quiet_until: i64,
}

impl From<PreferencesRow> for AlertPreferences {
    fn from(row: PreferencesRow) -> Self {
        let PreferencesRow { is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until } = row;
        let hour = |stored: i64| u8::try_from(stored).unwrap_or_default();
        let quiet = QuietHours::new(hour(quiet_from), hour(quiet_until)).unwrap_or_default();
        Self { is_off, alarm1, alarm2, tonight, recharge, quiet }
    }
}

/// What a person wants to be told; the usual where they have not chosen.
pub async fn preferences(db: &Db, user: UserId) -> Result<AlertPreferences> {
    let row: Option<PreferencesRow> = read!(db, |pool| sqlx::query_as(
        "SELECT is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until FROM alert_preferences WHERE user_id = $1"
    )
    .bind(user)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(AlertPreferences::from).unwrap_or_default())
}

/// Sets what a person wants to be told, and in which language.
pub async fn set_preferences(db: &Db, at: Timestamp, who: &Who, chosen: &AlertPreferences, language: Lang) -> Result<()> {
    let mut tx = db.begin().await?;
    store_preferences(&mut tx, who.user, Some(chosen), language).await?;
    let wanted: Vec<_> = NotificationKind::OF_RESIDENTS.into_iter().filter(|kind| chosen.wants(*kind)).collect();
    let QuietHours { from, until } = chosen.quiet;
    let detail = json!({ "alerts": wanted, "quiet_hours": format!("{from:02}:00-{until:02}:00") });
    record(&mut tx, at, who, AuditAction::AlertPreferences, &detail).await?;
    tx.commit().await
}

/// Keeps what a person has chosen, or stores the usual, in the language in which they add an address.
pub async fn keep_preferences(tx: &mut Tx, user: UserId, language: Lang) -> Result<()> {
    store_preferences(tx, user, None, language).await
}

/// `None` keeps what was chosen, or stores the usual.
async fn store_preferences(tx: &mut Tx, user: UserId, chosen: Option<&AlertPreferences>, language: Lang) -> Result<()> {
    let is_new_choice = chosen.is_some();
    let AlertPreferences { is_off, alarm1, alarm2, tonight, recharge, quiet } = chosen.copied().unwrap_or_default();
    on!(tx, |c| {
        sqlx::query(
            "INSERT INTO alert_preferences AS p
             (user_id, language, is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (user_id) DO UPDATE SET language = excluded.language,
             is_off = CASE WHEN $10 THEN excluded.is_off ELSE p.is_off END,
             alarm1 = CASE WHEN $10 THEN excluded.alarm1 ELSE p.alarm1 END,
             alarm2 = CASE WHEN $10 THEN excluded.alarm2 ELSE p.alarm2 END,
             tonight = CASE WHEN $10 THEN excluded.tonight ELSE p.tonight END,
             recharge = CASE WHEN $10 THEN excluded.recharge ELSE p.recharge END,
             quiet_from = CASE WHEN $10 THEN excluded.quiet_from ELSE p.quiet_from END,
             quiet_until = CASE WHEN $10 THEN excluded.quiet_until ELSE p.quiet_until END",
        )
        .bind(user)
        .bind(language.tag())
        .bind(is_off)
        .bind(alarm1)
        .bind(alarm2)
        .bind(tonight)
        .bind(recharge)
        .bind(i64::from(quiet.from))
        .bind(i64::from(quiet.until))
        .bind(is_new_choice)
        .execute(c)
        .await
    })?;
    Ok(())
}

/// Writes what a person chose about their alerts to the audit chain.
pub async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, detail: &serde_json::Value) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("user:{}", who.user)), detail).await
}
