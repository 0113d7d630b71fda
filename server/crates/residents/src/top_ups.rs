//! What was bought for a room before.

use model::ids::AccountId;
use model::money::Fen;
use model::time::Timestamp;
use store::{Db, Result, read};

/// Purchases that amounts are learned from.
const LAST: i64 = 12;

/// The last purchases of an account since an instant that somebody paid for, newest first.
pub async fn bought(db: &Db, account: AccountId, since: Timestamp) -> Result<Vec<Fen>> {
    let rows: Vec<(Fen,)> = read!(db, |pool| sqlx::query_as(
        "SELECT amount_fen FROM orders
         WHERE account_id = $1 AND created_at >= $2 AND state IN ('paid', 'credited')
               AND tender NOT IN ('subsidy', 'carried', 'taken_over')
         ORDER BY created_at DESC, id DESC LIMIT $3"
    )
    .bind(account)
    .bind(since)
    .bind(LAST)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(amount,)| amount).collect())
}
