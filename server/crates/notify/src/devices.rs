//! Addresses that nobody types in: a resident's devices, and their WeChat.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{NotificationId, UserId};
use model::language::Lang;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours, masked};
use model::person::Who;
use model::time::{HOUR, MINUTE, Timestamp};
use serde_json::json;
use store::notifications::{About, NewNotification, ask, keep_preferences, record};
use store::sessions::TokenHash;
use store::{Db, Result, Tx, on, read};

use domain::rng::Rng;

/// How long a sign-in to WeChat may take.
const SIGN_IN: i64 = 10 * MINUTE;
/// Devices of a person; a further one takes the place of the oldest.
const MOST_DEVICES: i64 = 10;
/// Devices that a person may add in an hour: each is sent a test message, to an address of their choice.
pub const MOST_ADDED: i64 = 10;

/// A device that is to be told.
#[derive(Clone, Copy, Debug)]
pub struct NewDevice<'a> {
    /// The subscription of the browser as text.
    pub address: &'a str,
    /// The session that it is added in; a log-out there removes it.
    pub session: &'a TokenHash,
    pub language: Lang,
}

/// Sends a person's alerts to a device from now on, and nobody else's. A new device gets a test message.
///
/// # Errors
/// Refused with [`AppError::RateLimited`] where the person added too many lately.
pub async fn add_device(db: &Db, rng: &Rng, at: Timestamp, who: &Who, new: &NewDevice<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let kept = on!(&mut tx, |c| sqlx::query(
        "UPDATE alert_addresses SET session_hash = $3 WHERE user_id = $1 AND channel = 'push' AND address = $2"
    )
    .bind(who.user)
    .bind(new.address)
    .bind(new.session.as_slice())
    .execute(c)
    .await)?;
    if kept == 0 {
        if added_lately(&mut tx, at, who).await? >= MOST_ADDED {
            return Err(AppError::RateLimited.into());
        }
        insert_device(&mut tx, at, who, new).await?;
        keep_preferences(&mut tx, who.user, new.language).await?;
        record(&mut tx, at, who, AuditAction::AlertAddress, &json!({ "recipients": masked(new.address) })).await?;
        let (subject, values) = (NotificationId(rng.id(at)).to_string(), NotificationValues::default());
        let message = NewNotification {
            kind: NotificationKind::Test,
            channel: NotificationChannel::Push,
            user: Some(who.user),
            address: new.address,
            language: new.language,
            quiet: QuietHours::default(),
            about: About::default(),
            subject: &subject,
            values: &values,
        };
        ask(&mut tx, rng, at, &message).await?;
    }
    tx.commit().await
}

/// How many devices a person added within the last hour, also those that were removed since.
async fn added_lately(tx: &mut Tx, at: Timestamp, who: &Who) -> Result<i64> {
    let tests: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT COUNT(*) FROM notifications WHERE user_id = $1 AND kind = 'test' AND channel = 'push' AND asked_at > $2"
    )
    .bind(who.user)
    .bind(at.plus(-HOUR))
    .fetch_optional(c)
    .await)?;
    Ok(tests.map_or(0, |(tests,)| tests))
}

/// A device of another person becomes this one's.
async fn insert_device(tx: &mut Tx, at: Timestamp, who: &Who, new: &NewDevice<'_>) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "DELETE FROM alert_addresses WHERE user_id = $1 AND channel = 'push' AND address NOT IN (
             SELECT d.address FROM alert_addresses d WHERE d.user_id = $1 AND d.channel = 'push'
             ORDER BY d.verified_at DESC, d.address LIMIT $2)"
    )
    .bind(who.user)
    .bind(MOST_DEVICES - 1)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query(
        "INSERT INTO alert_addresses (user_id, channel, address, verified_at, session_hash) VALUES ($1, 'push', $2, $3, $4)
         ON CONFLICT (address) WHERE channel = 'push' DO UPDATE SET user_id = excluded.user_id,
             verified_at = excluded.verified_at, session_hash = excluded.session_hash"
    )
    .bind(who.user)
    .bind(new.address)
    .bind(at)
    .bind(new.session.as_slice())
    .execute(c)
    .await)?;
    Ok(())
}

/// Removes a device of a person.
pub async fn remove_device(db: &Db, at: Timestamp, who: &Who, address: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let removed =
        on!(&mut tx, |c| sqlx::query("DELETE FROM alert_addresses WHERE user_id = $1 AND channel = 'push' AND address = $2")
            .bind(who.user)
            .bind(address)
            .execute(c)
            .await)?;
    if removed > 0 {
        record(&mut tx, at, who, AuditAction::AlertAddressRemove, &json!({ "recipients": masked(address) })).await?;
    }
    tx.commit().await
}

/// Removes the devices of people who live in no room any more.
pub(crate) async fn purge(db: &Db) -> Result<()> {
    let left: Option<(UserId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT d.user_id FROM alert_addresses d WHERE d.channel = 'push'
           AND NOT EXISTS (SELECT 1 FROM account_residents r WHERE r.user_id = d.user_id AND r.to_at IS NULL) LIMIT 1"
    )
    .fetch_optional(pool)
    .await)?;
    if left.is_none() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "DELETE FROM alert_addresses WHERE channel = 'push' AND NOT EXISTS (
             SELECT 1 FROM account_residents r WHERE r.user_id = alert_addresses.user_id AND r.to_at IS NULL)"
    )
    .execute(c)
    .await)?;
    tx.commit().await
}

/// A person was sent to WeChat's sign-in with a state of that hash; an earlier one does not count any more.
pub async fn begin_sign_in(db: &Db, at: Timestamp, who: &Who, hash: &[u8]) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO address_codes (user_id, channel, address, code_hash, tries, expires_at) VALUES ($1, 'wechat', '', $2, 0, $3)
         ON CONFLICT (user_id, channel) DO UPDATE SET code_hash = excluded.code_hash, expires_at = excluded.expires_at"
    )
    .bind(who.user)
    .bind(hash)
    .bind(at.plus(SIGN_IN))
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Whether a person who comes back with that state was sent: once, and in time.
pub async fn end_sign_in(db: &Db, at: Timestamp, who: &Who, hash: &[u8]) -> Result<bool> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "DELETE FROM address_codes WHERE user_id = $1 AND channel = 'wechat' AND code_hash = $2 AND expires_at > $3"
    )
    .bind(who.user)
    .bind(hash)
    .bind(at)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(ended == 1)
}

/// Tells a person through WeChat from now on.
pub async fn bind_wechat(db: &Db, at: Timestamp, who: &Who, openid: &str, language: Lang) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM alert_addresses WHERE user_id = $1 AND channel = 'wechat'")
        .bind(who.user)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO alert_addresses (user_id, channel, address, verified_at) VALUES ($1, 'wechat', $2, $3)"
    )
    .bind(who.user)
    .bind(openid)
    .bind(at)
    .execute(c)
    .await)?;
    keep_preferences(&mut tx, who.user, language).await?;
    record(&mut tx, at, who, AuditAction::AlertAddress, &json!({ "recipients": masked(openid) })).await?;
    tx.commit().await
}
