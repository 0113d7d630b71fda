//! What an operator gave away today without a second person, and the cash behind a pay-out.

use model::error::AppError;
use model::ids::{AccountId, MeterId, OrderId, UserId};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use model::word_enum;

use crate::{Result, StoreError, Tx, debits, on};
use domain::two_person::{Move, PaidToday, cash_left};

/// As many sales and returns as are looked at. What is older counts as not paid in cash.
const MOVES: i64 = 500;

/// Who lets money go, and out of which meter.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing {
    pub by: UserId,
    pub meter: Option<MeterId>,
}

/// Locks the meter and the operator, so that of two requests at once the second counts the first.
pub(crate) async fn lock(tx: &mut Tx, by: UserId, meter: Option<MeterId>) -> Result<()> {
    if let Some(meter) = meter {
        on!(tx, |c| sqlx::query("UPDATE account_meters SET count = count WHERE meter_id = $1 AND to_at IS NULL")
            .bind(meter)
            .execute(c)
            .await)?;
    }
    on!(tx, |c| sqlx::query("UPDATE users SET name = name WHERE id = $1").bind(by).execute(c).await)?;
    Ok(())
}

/// Returns, corrections of sales, closing pay-outs, refunds over the counter, and subsidies since midnight that nobody else
/// approved. What is behind it in cash the caller adds.
pub(crate) async fn paid_today(tx: &mut Tx, at: Timestamp, Outgoing { by, meter }: Outgoing) -> Result<PaidToday> {
    let row: Option<(Fen, Fen)> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(CASE WHEN x.asked_by = $1 THEN x.amount_fen ELSE 0 END), 0) AS BIGINT),
                    CAST(COALESCE(SUM(CASE WHEN x.meter_id = $2 THEN x.amount_fen ELSE 0 END), 0) AS BIGINT)
             FROM (SELECT r.asked_by, r.meter_id, r.amount_fen FROM returns r
                   WHERE r.asked_at >= $3 AND r.kind <> 'undo_return' AND r.expires_at IS NULL
                     AND r.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')
                   UNION ALL
                   SELECT f.asked_by, o.meter_id, f.amount_fen FROM refunds f JOIN orders o ON o.id = f.order_id
                   WHERE f.asked_at >= $3 AND f.source <> 'return' AND f.asked_by IS NOT NULL AND f.expires_at IS NULL
                     AND f.tender IN ('cash', 'card', 'transfer')
                     AND f.state NOT IN ('failed', 'rejected', 'cancelled', 'expired')
                   UNION ALL
                   SELECT q.asked_by, q.meter_id, q.amount_fen FROM approval_requests q
                   WHERE q.asked_at >= $3 AND q.state = 'alone') AS x
             WHERE x.asked_by = $1 OR x.meter_id = $2",
        )
        .bind(by)
        .bind(meter)
        .bind(at.date().start())
        .fetch_optional(c)
        .await
    })?;
    let (by_operator, of_meter) = row.unwrap_or_default();
    Ok(PaidToday { by_operator, of_meter, cash: None })
}

/// What is about to leave as cash.
#[derive(Clone, Copy)]
pub(crate) enum CashOf {
    /// Out of a wallet.
    Wallet(AccountId, MeterId),
    /// What a closing has taken out of the account's meters.
    Closing(AccountId, Fen),
    /// A sale that did not reach its meter.
    Order(OrderId),
}

word_enum! {
    enum MoveKind {
        Cash = "cash",
        Other = "other",
        Out = "out",
    }
}

/// How much of it was paid in cash.
pub(crate) async fn cash_behind(tx: &mut Tx, at: Timestamp, of: CashOf) -> Result<Fen> {
    let (account, meter, held) = match of {
        CashOf::Order(order) => {
            let row: Option<(Tender, Fen)> = on!(tx, |c| sqlx::query_as("SELECT tender, amount_fen FROM orders WHERE id = $1")
                .bind(order)
                .fetch_optional(c)
                .await)?;
            let (tender, amount) = row.ok_or(AppError::NotFound)?;
            return Ok(if tender == Tender::Cash { amount } else { Fen::ZERO });
        }
        CashOf::Closing(account, amount) => (account, None, amount),
        CashOf::Wallet(account, meter) => match debits::held(tx, at, account, meter).await {
            Ok((_, held)) => (account, Some(meter), held),
            // The debit is refused for the same reason.
            Err(StoreError::Refused(_)) => return Ok(Fen::ZERO),
            Err(error) => return Err(error),
        },
    };
    let moves: Vec<(MoveKind, Fen)> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT x.kind, x.amount_fen FROM (
                 SELECT o.id, COALESCE(o.credited_at, o.created_at) AS at,
                        CASE WHEN o.tender = 'cash' THEN 'cash' ELSE 'other' END AS kind,
                        o.amount_fen - CAST(COALESCE((SELECT SUM(v.amount_fen) FROM returns v WHERE v.corrects_order = o.id
                            AND v.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')), 0) AS BIGINT) AS amount_fen
                 FROM orders o WHERE o.account_id = $1 AND o.state = 'credited' AND ($2 IS NULL OR o.meter_id = $2)
                 UNION ALL
                 SELECT r.id, r.asked_at AS at, 'out' AS kind, r.amount_fen FROM returns r
                 WHERE r.account_id = $1 AND r.kind = 'return' AND ($2 IS NULL OR r.meter_id = $2)
                   AND r.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')) AS x
             ORDER BY x.at DESC, x.id DESC LIMIT $3",
        )
        .bind(account)
        .bind(meter)
        .bind(MOVES)
        .fetch_all(c)
        .await
    })?;
    let step = |(kind, amount): (MoveKind, Fen)| match kind {
        MoveKind::Cash => Move::Cash(amount),
        MoveKind::Other => Move::Other(amount),
        MoveKind::Out => Move::Out(amount),
    };
    Ok(cash_left(held, moves.into_iter().map(step)))
}
