//! The automatic steps of closures, one transaction each, from what is stored alone.

use model::audit::AuditAction;
use model::case::{CaseDetail, ClosingReason};
use model::console::ClosingKind;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use serde_json::json;

use super::{Closing, locked, meters_of, record};
use crate::closings::final_settlement;
use crate::orders::{self, NewOrder};
use crate::returns::{self, Owed};
use crate::{Db, Result, StoreError, Tx, accounts, cases, on, read};
use domain::returns::Rules;
use domain::rng::Rng;

/// The most closures of one round.
const ROUND: i64 = 500;

/// Advances every closure that can go on by one step; returns their number. A failing closure does not hold up the others.
pub async fn advance_all(db: &Db, rng: &Rng, at: Timestamp, rules: &Rules) -> Result<usize> {
    let mut moved = 0;
    for closing in due(db).await? {
        match advance(db, rng, at, rules, closing).await {
            Ok(()) => moved += 1,
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, %closing, "closing.not-advanced"),
        }
    }
    Ok(moved)
}

/// Closures that can go on: all meters have ended or one can, a meter is lost, or the balance has no target or
/// its transfer ended.
async fn due(db: &Db) -> Result<Vec<ClosingId>> {
    let rows: Vec<(Uuid,)> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT c.id FROM account_closures c
         WHERE c.ended_at IS NULL AND (
             (c.read_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM account_closure_meters m WHERE m.closure_id = c.id AND m.final_at IS NULL))
             OR EXISTS (SELECT 1 FROM account_closure_meters m JOIN wallets w ON w.meter_id = m.meter_id
                        WHERE m.closure_id = c.id AND m.final_at IS NULL AND m.command_id IS NULL AND w.uncharged_wh = 0
                          AND (w.started_at IS NULL OR w.counted_at >= c.begun_at))
             OR EXISTS (SELECT 1 FROM account_closure_meters m
                        JOIN meter_latest l ON l.meter_id = m.meter_id AND l.lost_since IS NOT NULL
                        WHERE m.closure_id = c.id AND m.final_at IS NULL
                          AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.meter_id AND k.kind = 'closing'
                                                                  AND k.closed_at IS NULL))
             OR (c.read_at IS NOT NULL AND c.kind <> 'replace'
                 AND (c.return_id IS NULL
                      OR EXISTS (SELECT 1 FROM returns r WHERE r.id = c.return_id
                          AND r.state IN ('rejected', 'cancelled', 'expired')))
                 AND NOT EXISTS (SELECT 1 FROM account_closure_meters m JOIN cases k ON k.meter_id = m.meter_id
                                 WHERE m.closure_id = c.id AND k.kind = 'closing' AND k.closed_at IS NULL)))
         ORDER BY c.begun_at, c.id LIMIT $1",
        )
        .bind(ROUND)
        .fetch_all(pool)
        .await
    })?;
    Ok(rows.into_iter().map(|(id,)| ClosingId(id)).collect())
}

async fn advance(db: &Db, rng: &Rng, at: Timestamp, rules: &Rules, id: ClosingId) -> Result<()> {
    let mut tx = db.begin().await?;
    let closing = locked(&mut tx, id).await?;
    if closing.ended_at.is_some() {
        return Ok(());
    }
    let mut lines = Vec::new();
    if closing.read_at.is_none() {
        for (row, meter, told) in final_settlement::waiting(&mut tx, id).await? {
            if told || !final_settlement::of_wallet(&mut tx, rng, at, &closing, row, meter, None).await? {
                say_if_lost(&mut tx, rng, at, &closing, meter).await?;
            }
        }
        if !final_settlement::waiting(&mut tx, id).await?.is_empty() {
            return tx.commit().await;
        }
        all_read(&mut tx, rng, at, &closing).await?;
        lines.push((AuditAction::ClosingRead, json!({})));
    }
    if closing.kind != ClosingKind::Replace
        && let Some(line) = send_money(&mut tx, rng, at, rules, &closing).await?
    {
        lines.push(line);
    }
    for (action, more) in lines {
        record(&mut tx, at, None, action, &closing, more).await?;
    }
    tx.commit().await
}

/// Opens a case if a meter cannot be read: a person waits for it or enters its values.
async fn say_if_lost(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: &Closing, meter: MeterId) -> Result<()> {
    let lost: Option<(Option<i64>,)> = on!(tx, |c| sqlx::query_as("SELECT lost_since FROM meter_latest WHERE meter_id = $1")
        .bind(meter.0)
        .fetch_optional(c)
        .await)?;
    if lost.is_some_and(|(since,)| since.is_some()) {
        let case = CaseDetail::Closing { reason: ClosingReason::Lost, closing: closing.id };
        cases::open(tx, rng, at, Some(meter), None, &case).await?;
    }
    Ok(())
}

/// Closes the account, unless it moves, once its last meter has ended.
async fn all_read(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: &Closing) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE account_closures SET read_at = $1 WHERE id = $2")
        .bind(at.0)
        .bind(closing.id)
        .execute(c)
        .await)?;
    if closing.kind == ClosingKind::Replace {
        return Ok(());
    }
    let closed =
        on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'closed', closed_at = $1 WHERE id = $2 AND state = 'closing'")
            .bind(at.0)
            .bind(closing.account_id)
            .execute(c)
            .await)?;
    if closed != 1 {
        return Err(StoreError::Inconsistent { table: "accounts", column: "state" });
    }
    accounts::end_residents(tx, at, closing.account_id).await?;
    final_settlement::rest_of_wallet(tx, rng, at, closing).await
}

/// The balance of its meters.
pub(super) async fn due_of(tx: &mut Tx, id: ClosingId) -> Result<Fen> {
    let sum: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(final_fen), 0) AS BIGINT) FROM account_closure_meters WHERE closure_id = $1"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    Ok(Fen(sum.map_or(0, |(fen,)| fen)))
}

/// Pays out or transfers the balance; returns the audit line.
async fn send_money(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    rules: &Rules,
    closing: &Closing,
) -> Result<Option<(AuditAction, serde_json::Value)>> {
    let amount = due_of(tx, closing.id).await?;
    if amount == Fen::ZERO {
        end(tx, at, closing.id, None).await?;
        return Ok(Some((AuditAction::ClosingEnd, json!({ "amount_fen": 0 }))));
    }
    if closing.return_id.is_some() {
        // It is under way, or was not approved.
        stuck(tx, rng, at, closing, ClosingReason::NotApproved).await?;
        return Ok(None);
    }
    let meter = meters_of(tx, closing.id).await?.first().copied();
    let meter = meter.ok_or(StoreError::Inconsistent { table: "account_closure_meters", column: "closure_id" })?;
    match (closing.tender, closing.to_account_id) {
        (Some(tender), _) => {
            let (account, by) = (closing.account_id, closing.begun_by);
            let owed = Owed { closing: closing.id, account, meter, tender, amount, reason: closing.reason.clone(), by };
            let row = returns::owe(tx, rng, at, rules, &owed).await?;
            on!(tx, |c| sqlx::query("UPDATE account_closures SET return_id = $1 WHERE id = $2")
                .bind(row.id)
                .bind(closing.id)
                .execute(c)
                .await)?;
            Ok(Some((AuditAction::ClosingOwe, json!({ "amount_fen": amount, "return": row.id }))))
        }
        (None, Some(account)) => {
            let to = match closing.to_meter_id {
                Some(meter) => Some(meter),
                None => accounts::first_that_takes(tx, account).await?,
            };
            let order = match to {
                Some(to) => carry(tx, rng, at, closing, account, to, amount).await?,
                None => None,
            };
            let Some(order) = order else {
                stuck(tx, rng, at, closing, ClosingReason::TakesNothing).await?;
                return Ok(None);
            };
            Ok(Some((AuditAction::ClosingCarry, json!({ "amount_fen": amount, "order": order, "to": account }))))
        }
        (None, None) => {
            stuck(tx, rng, at, closing, ClosingReason::Undecided).await?;
            Ok(None)
        }
    }
}

/// Transfers the balance into a meter and ends the closure; `None` if that meter accepts no money.
pub(super) async fn carry(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    closing: &Closing,
    account: AccountId,
    meter: MeterId,
    amount: Fen,
) -> Result<Option<OrderId>> {
    let new =
        NewOrder { key: closing.id.0, account, meter, tender: Tender::Carried, amount, by: closing.begun_by, ip: String::new() };
    let Some(order) = orders::carry(tx, rng, at, &new).await? else { return Ok(None) };
    end(tx, at, closing.id, Some(order.id)).await?;
    Ok(Some(order.id))
}

pub(super) async fn end(tx: &mut Tx, at: Timestamp, id: ClosingId, order: Option<OrderId>) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE account_closures SET ended_at = $1, order_id = $2 WHERE id = $3 AND ended_at IS NULL")
        .bind(at.0)
        .bind(order)
        .bind(id.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// Opens a case: a person decides where the balance goes.
async fn stuck(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: &Closing, reason: ClosingReason) -> Result<()> {
    let meter = meters_of(tx, closing.id).await?.first().copied();
    cases::open(tx, rng, at, meter, None, &CaseDetail::Closing { reason, closing: closing.id }).await
}
