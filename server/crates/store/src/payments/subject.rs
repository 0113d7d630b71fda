//! What an event is about, locked until it is settled.

use model::ids::AttemptId;
use model::meter::Wallet;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use sqlx::FromRow;

use super::attempts::{Attempt, AttemptState};
use crate::orders::{self, DeliveryTarget, Order, order_columns};
use crate::{Result, Tx, on};

/// No other event of the attempt or its order is settled meanwhile.
pub(super) struct Subject {
    pub(super) attempt: Attempt,
    pub(super) order: Order,
    /// Whether the account's meter that the order is for is locked as well.
    is_meter_locked: bool,
    /// Where the credit of that meter lives, as far as it was read with the locks.
    wallet: Option<Wallet>,
}

impl Subject {
    /// Whether the order most likely goes into the meter's own wallet. What takes money may have changed before the locks.
    pub(super) fn seems_taken(&self) -> bool {
        self.is_meter_locked && self.wallet == Some(Wallet::Meter)
    }

    /// Where the order can be delivered; locks the account's meter unless that is done.
    pub(super) async fn delivery_target(&self, tx: &mut Tx) -> Result<DeliveryTarget> {
        if self.is_meter_locked {
            orders::delivery_target_locked(tx, &self.order).await
        } else {
            orders::delivery_target(tx, &self.order).await
        }
    }
}

/// An attempt beside its order, whose columns have the same names.
#[derive(FromRow)]
struct Row {
    attempt: AttemptId,
    channel: Tender,
    out_trade_no: String,
    attempt_fen: Fen,
    app_id: String,
    seller_id: String,
    attempt_state: AttemptState,
    attempt_at: Timestamp,
    expires_at: Timestamp,
    queries: i64,
    next_query_at: Timestamp,
    trade_no: Option<String>,
    /// How many meters of the account were locked with it.
    #[sqlx(default)]
    meters: i64,
    #[sqlx(default)]
    wallet: Option<Wallet>,
    #[sqlx(flatten)]
    order: Order,
}

impl From<Row> for Subject {
    fn from(row: Row) -> Self {
        let attempt = Attempt {
            id: row.attempt,
            order_id: row.order.id,
            channel: row.channel,
            out_trade_no: row.out_trade_no,
            amount: row.attempt_fen,
            app_id: row.app_id,
            seller_id: row.seller_id,
            state: row.attempt_state,
            created_at: row.attempt_at,
            expires_at: row.expires_at,
            queries: row.queries,
            next_query_at: row.next_query_at,
            trade_no: row.trade_no,
        };
        Self { attempt, order: row.order, is_meter_locked: row.meters > 0, wallet: row.wallet }
    }
}

macro_rules! attempt_with_order {
    () => {
        concat!(
            "SELECT p.id AS attempt, p.channel, p.out_trade_no, p.amount_fen AS attempt_fen, p.app_id, p.seller_id,
                    p.state AS attempt_state, p.created_at AS attempt_at, p.expires_at, p.queries, p.next_query_at, p.trade_no,",
            order_columns!("o."),
            "FROM payment_attempts p JOIN orders o ON o.id = p.order_id WHERE p.out_trade_no = $1"
        )
    };
}

macro_rules! locked {
    () => {
        concat!(attempt_with_order!(), " FOR NO KEY UPDATE OF p, o")
    };
}

/// Locks all attempts of its order, which the end of a refund may end too; then, in one statement, the attempt and its order:
/// PostgreSQL gives both as they are once it has the locks, and no other transaction changes them until this one ends. SQLite has
/// one writer, so nothing is locked there.
pub(super) async fn lock(tx: &mut Tx, out_trade_no: &str) -> Result<Option<Subject>> {
    let text = match &mut *tx {
        Tx::Sqlite(_) => attempt_with_order!(),
        Tx::Postgres(connection) => {
            let others = "SELECT id FROM payment_attempts
                          WHERE order_id = (SELECT order_id FROM payment_attempts WHERE out_trade_no = $1)
                          ORDER BY id FOR NO KEY UPDATE";
            sqlx::query(others).bind(out_trade_no).execute(&mut **connection).await?;
            locked!()
        }
    };
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(text).bind(out_trade_no).fetch_optional(c).await)?;
    Ok(row.map(Subject::from))
}

/// For a payment, which changes one attempt: the attempt, its order, and then the account's meter that the order is for, as
/// [`crate::accounts::takes`] locks it. One that the account got while this waited for the order is not seen, and not locked.
pub(super) async fn lock_with_meter(tx: &mut Tx, out_trade_no: &str) -> Result<Option<Subject>> {
    let text = match tx {
        Tx::Sqlite(_) => attempt_with_order!(),
        Tx::Postgres(_) => concat!(
            "WITH locked AS MATERIALIZED (",
            locked!(),
            "), meter AS (
                 SELECT 1 FROM account_meters m JOIN locked l ON m.account_id = l.account_id AND m.meter_id = l.meter_id
                 WHERE m.to_at IS NULL FOR NO KEY UPDATE OF m
             ) SELECT locked.*, (SELECT COUNT(*) FROM meter) AS meters,
                     (SELECT w.wallet FROM meters w WHERE w.id = locked.meter_id) AS wallet FROM locked"
        ),
    };
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(text).bind(out_trade_no).fetch_optional(c).await)?;
    Ok(row.map(Subject::from))
}
