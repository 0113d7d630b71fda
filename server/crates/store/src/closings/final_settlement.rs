//! The end of a meter in its account: its use is posted as consumption, its balance becomes due, and nothing stays behind.

use model::case::CaseKind;
use model::energy::Energy;
use model::ids::{AccountId, ClosingId, MeterId, UserId, Uuid};
use model::money::{Fen, Money};
use model::time::Timestamp;

use super::Closing;
use crate::commands::Command;
use crate::consumption::CreditedInEpoch;
use crate::{Result, StoreError, Tx, cases, consumption, ledger, on, wallets};
use domain::closing::FinalBalance;
use domain::ledger::{Account, final_amount, write_off};
use domain::rng::Rng;

/// Who entered the values of a meter that could not be read.
pub(super) struct CountedBy<'a> {
    pub(super) user: UserId,
    pub(super) reason: &'a str,
    pub(super) total: Option<Energy>,
}

/// Records that the meter confirmed the closure with a balance, in the transaction that settles its command.
pub(crate) async fn closed(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    account: AccountId,
    command: &Command,
    left: Fen,
) -> Result<()> {
    let meter = command.meter_id;
    // The count moves from the one before the claim to the claimed one, or nothing is settled.
    let ended: Option<(i64, i64)> = on!(tx, |c| {
        sqlx::query_as(
            "UPDATE account_meters SET count = $1, to_at = $2
         WHERE account_id = $3 AND meter_id = $4 AND to_at IS NULL AND epoch = $5 AND count = $1 - 1
             RETURNING epoch, cumulative_fen",
        )
        .bind(command.count)
        .bind(at.0)
        .bind(account.0)
        .bind(meter.0)
        .bind(command.epoch)
        .fetch_optional(c)
        .await
    })?;
    let (epoch, cumulative) = ended.ok_or(StoreError::Inconsistent { table: "account_meters", column: "count" })?;
    let row: Option<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM account_closure_meters WHERE command_id = $1 AND final_at IS NULL")
            .bind(command.id)
            .fetch_optional(c)
            .await)?;
    let (row,) = row.ok_or(StoreError::Inconsistent { table: "account_closure_meters", column: "command_id" })?;
    let credited = CreditedInEpoch { account, meter, epoch, cumulative: Fen(cumulative) };
    of_meter(tx, rng, at, row, &credited, left, None).await
}

/// Posts the use and the balance of a meter with its own wallet. Its row in the account has ended before.
pub(super) async fn of_meter(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    row: Uuid,
    credited: &CreditedInEpoch,
    remaining: Fen,
    by: Option<&CountedBy<'_>>,
) -> Result<()> {
    if !consumption::post(tx, rng, at, credited, remaining).await? {
        // A use at this very instant exists; the next try has another time.
        return Err(StoreError::Inconsistent { table: "meter_consumption", column: "at" });
    }
    let left = post(tx, rng, at, row, Account::InMeter(credited.account), remaining.money()).await?;
    finish(tx, at, row, credited.meter, &left, by).await
}

/// Ends the server wallet of one meter; its balance stays with the account. Returns whether it could: it waits for a reading
/// since `since` and for prices of all energy used.
pub(super) async fn of_wallet(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    closing: &Closing,
    row: Uuid,
    meter: MeterId,
    by: Option<&CountedBy<'_>>,
) -> Result<bool> {
    on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET count = count WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(closing.account_id)
    .bind(meter.0)
    .execute(c)
    .await)?;
    if !wallets::leave(tx, rng, at, closing.account_id, meter, closing.begun_at).await? {
        return Ok(false);
    }
    on!(tx, |c| sqlx::query("UPDATE account_meters SET to_at = $1 WHERE account_id = $2 AND meter_id = $3 AND to_at IS NULL")
        .bind(at.0)
        .bind(closing.account_id)
        .bind(meter.0)
        .execute(c)
        .await)?;
    finish(tx, at, row, meter, &FinalBalance { due: Fen::ZERO, written_off: Money::ZERO }, by).await?;
    Ok(true)
}

/// Takes the balance of an account's server wallets once no meter uses them.
pub(super) async fn rest_of_wallet(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: &Closing) -> Result<()> {
    let wallet = Account::Wallet(closing.account_id);
    let balance = ledger::balance(tx, &wallet).await?;
    if balance == Money::ZERO {
        return Ok(());
    }
    let row: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT id FROM account_closure_meters WHERE closure_id = $1 AND command_id IS NULL ORDER BY id DESC LIMIT 1"
    )
    .bind(closing.id)
    .fetch_optional(c)
    .await)?;
    let (row,) = row.ok_or(StoreError::Inconsistent { table: "account_closure_meters", column: "closure_id" })?;
    let left = post(tx, rng, at, row, wallet, balance).await?;
    on!(tx, |c| sqlx::query("UPDATE account_closure_meters SET final_fen = $2, written_off_e4 = $3 WHERE id = $1")
        .bind(row)
        .bind(left.due.0)
        .bind(left.written_off.0)
        .execute(c)
        .await)?;
    Ok(())
}

async fn post(tx: &mut Tx, rng: &Rng, at: Timestamp, row: Uuid, from: Account, balance: Money) -> Result<FinalBalance> {
    let left = FinalBalance::of(balance);
    let transfers = [final_amount(row, from.clone(), left.due.money()), write_off(row, from, left.written_off)];
    for transfer in transfers.into_iter().flatten() {
        ledger::post(tx, rng, at, &transfer).await?;
    }
    Ok(left)
}

async fn finish(
    tx: &mut Tx,
    at: Timestamp,
    row: Uuid,
    meter: MeterId,
    left: &FinalBalance,
    by: Option<&CountedBy<'_>>,
) -> Result<()> {
    let finished = on!(tx, |c| {
        sqlx::query(
            "UPDATE account_closure_meters SET final_at = $2, final_fen = $3, written_off_e4 = $4, counted_by = $5, reason = $6,
                final_wh = COALESCE($7, (SELECT l.total_wh FROM meter_latest l
                                         WHERE l.meter_id = account_closure_meters.meter_id))
         WHERE id = $1 AND final_at IS NULL",
        )
        .bind(row)
        .bind(at.0)
        .bind(left.due.0)
        .bind(left.written_off.0)
        .bind(by.map(|by| by.user.0))
        .bind(by.map(|by| by.reason))
        .bind(by.and_then(|by| by.total).map(|total| total.0))
        .execute(c)
        .await
    })?;
    if finished != 1 {
        return Err(StoreError::Inconsistent { table: "account_closure_meters", column: "final_at" });
    }
    cases::resolve(tx, at, CaseKind::Closing, meter, "read").await
}

/// Meters of a closure that have not ended: the row, the meter, and whether it has a `close` command.
pub(super) async fn waiting(tx: &mut Tx, closing: ClosingId) -> Result<Vec<(Uuid, MeterId, bool)>> {
    let rows: Vec<(Uuid, Uuid, Option<Uuid>)> = on!(tx, |c| sqlx::query_as(
        "SELECT id, meter_id, command_id FROM account_closure_meters WHERE closure_id = $1 AND final_at IS NULL ORDER BY id"
    )
    .bind(closing.0)
    .fetch_all(c)
    .await)?;
    Ok(rows.into_iter().map(|(row, meter, command)| (row, MeterId(meter), command.is_some())).collect())
}
