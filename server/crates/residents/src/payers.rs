//! Who a session's payer is to a channel that wants to know. Kept for the session only, never shown, never logged.

use model::ids::{OrderId, Uuid};
use model::time::{MINUTE, Timestamp};

use store::sessions::TokenHash;
use store::{Db, Result, on, read};

/// A payer who was sent to the channel is back within this time, or is sent again.
const PATIENCE: i64 = 10 * MINUTE;

/// Notes that the session's payer is sent to the channel with this state, to pay this order afterwards. An earlier state is void.
pub async fn ask(db: &Db, at: Timestamp, session: &TokenHash, app_id: &str, order: OrderId, state: &TokenHash) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO payers (session_hash, app_id, order_id, state_hash, asked_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (session_hash) DO UPDATE SET app_id = excluded.app_id, order_id = excluded.order_id,
             state_hash = excluded.state_hash, asked_at = excluded.asked_at, payer_id = NULL"
    )
    .bind(session.as_slice())
    .bind(app_id)
    .bind(order.0)
    .bind(state.as_slice())
    .bind(at.0)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// The payer is back with this state: gives the order to pay, once, and only to the session that was sent.
pub async fn returned(db: &Db, at: Timestamp, session: &TokenHash, state: &TokenHash) -> Result<Option<OrderId>> {
    let mut tx = db.begin().await?;
    let order: Option<(Uuid,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE payers SET state_hash = NULL WHERE session_hash = $1 AND state_hash = $2 AND asked_at > $3 RETURNING order_id"
    )
    .bind(session.as_slice())
    .bind(state.as_slice())
    .bind(at.plus(-PATIENCE).0)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    Ok(order.map(|(id,)| OrderId(id)))
}

/// Keeps who the session's payer is.
pub async fn learn(db: &Db, session: &TokenHash, app_id: &str, payer: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE payers SET payer_id = $1 WHERE session_hash = $2 AND app_id = $3")
        .bind(payer)
        .bind(session.as_slice())
        .bind(app_id)
        .execute(c)
        .await)?;
    tx.commit().await
}

/// Who the session's payer is to this application.
pub async fn payer_id(db: &Db, session: &TokenHash, app_id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = read!(db, |pool| sqlx::query_as(
        "SELECT payer_id FROM payers WHERE session_hash = $1 AND app_id = $2 AND payer_id IS NOT NULL"
    )
    .bind(session.as_slice())
    .bind(app_id)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(id,)| id))
}
