//! At which balance residents want to be reminded to top up, and who is below it.

use model::audit::AuditAction;
use model::ids::{AccountId, MeterId, UserId};
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;
use store::notifications;
use store::{Db, Result, Tx, on, read};

/// What a resident chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Reminder {
    #[sqlx(rename = "below_fen")]
    pub below: Fen,
    pub chosen_at: Timestamp,
}

pub async fn chosen(db: &Db, user: UserId) -> Result<Option<Reminder>> {
    let sql = "SELECT below_fen, chosen_at FROM top_up_reminders WHERE user_id = $1";
    read!(db, |pool| sqlx::query_as(sql).bind(user).fetch_optional(pool).await)
}

/// Sets the balance, or ends reminders. Setting the same balance again changes nothing, so that links that were sent stay valid.
pub async fn choose(db: &Db, at: Timestamp, who: &Who, below: Option<Fen>) -> Result<()> {
    let mut tx = db.begin().await?;
    let changed = match below {
        Some(below) => on!(&mut tx, |c| sqlx::query(
            "INSERT INTO top_up_reminders AS r (user_id, below_fen, chosen_at) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id) DO UPDATE SET below_fen = excluded.below_fen, chosen_at = excluded.chosen_at,
                     told_account_id = NULL
                 WHERE r.below_fen <> excluded.below_fen"
        )
        .bind(who.user)
        .bind(below)
        .bind(at)
        .execute(c)
        .await)?,
        None => on!(&mut tx, |c| sqlx::query("DELETE FROM top_up_reminders WHERE user_id = $1").bind(who.user).execute(c).await)?,
    };
    if changed == 0 {
        return Ok(());
    }
    notifications::record(&mut tx, at, who, AuditAction::AlertReminder, &json!({ "below_fen": below })).await?;
    tx.commit().await
}

/// A reminder of a resident who has a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct RoomReminder {
    pub user_id: UserId,
    pub account_id: AccountId,
    /// The first of the account's meters, which their top-ups go to.
    pub meter_id: MeterId,
    #[sqlx(rename = "below_fen")]
    pub below: Fen,
    pub chosen_at: Timestamp,
    told_account_id: Option<AccountId>,
}

impl RoomReminder {
    /// Whether they were told of this account since its balance was last high enough.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told_account_id == Some(self.account_id)
    }
}

/// The reminders of residents after one of them, `most` at a time.
pub async fn of_rooms(db: &Db, after: Option<UserId>, most: i64) -> Result<Vec<RoomReminder>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT r.user_id, am.account_id, am.meter_id, r.below_fen, r.chosen_at, r.told_account_id
         FROM top_up_reminders r
         JOIN account_residents ar ON ar.user_id = r.user_id AND ar.to_at IS NULL
         JOIN accounts a ON a.id = ar.account_id AND a.closed_at IS NULL AND a.state = 'open'
         JOIN account_meters am ON am.account_id = a.id AND am.to_at IS NULL
         WHERE r.user_id > $1 AND am.meter_id = (
             SELECT f.meter_id FROM account_meters f WHERE f.account_id = a.id AND f.to_at IS NULL
             ORDER BY f.from_at, f.meter_id LIMIT 1)
         ORDER BY r.user_id LIMIT $2"
    )
    .bind(after.unwrap_or(UserId(model::ids::Uuid::nil())))
    .bind(most)
    .fetch_all(pool)
    .await)
}

/// Notes that the resident was told, so that they are told once.
pub async fn mark_told(tx: &mut Tx, reminder: &RoomReminder) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE top_up_reminders SET told_account_id = $2 WHERE user_id = $1 AND chosen_at = $3")
        .bind(reminder.user_id)
        .bind(reminder.account_id)
        .bind(reminder.chosen_at)
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes the note back when the balance is high enough, so that the resident is told the next time.
pub async fn clear_told(tx: &mut Tx, reminder: &RoomReminder) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE top_up_reminders SET told_account_id = NULL WHERE user_id = $1 AND chosen_at = $2")
        .bind(reminder.user_id)
        .bind(reminder.chosen_at)
        .execute(c)
        .await)?;
    Ok(())
}
