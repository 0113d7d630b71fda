//! The top-ups of an account, as programs read them.

use model::ids::AccountId;
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::time::Timestamp;
use sqlx::FromRow;
use store::{Db, Result, read};

#[derive(Clone, Debug, FromRow)]
pub struct TopUp {
    /// The number that people quote.
    pub number: i64,
    #[sqlx(rename = "amount_fen")]
    pub amount: Fen,
    pub tender: Tender,
    pub state: OrderState,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    /// When the credit was read back from the meter.
    pub credited_at: Option<Timestamp>,
}

/// A page of them, the newest first.
pub async fn of_account(db: &Db, account: AccountId, limit: i64, skip: i64) -> Result<Vec<TopUp>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT number, amount_fen, tender, state, created_at, paid_at, credited_at FROM orders
         WHERE account_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
    )
    .bind(account)
    .bind(limit)
    .bind(skip)
    .fetch_all(pool)
    .await)
}
