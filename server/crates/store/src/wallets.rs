//! Server wallets: one row a meter, locked by every operation that changes it, with the relay as it should be. The balance is the
//! ledger's.

mod charge;
mod control;
mod leave;
mod reconcile;
mod sale;
mod uncharged;
mod views;
mod warn;

use std::collections::HashSet;

use model::ids::{AccountId, MeterId};
use model::meter::{ControlMode, Wallet as Kind};
use model::money::Fen;
use model::time::Timestamp;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

pub use charge::{Metered, charge, reverse};
pub use control::{Limits, set_limits};
pub(super) use control::{decide_mode, decide_switch, relay_args};
pub(super) use leave::{count, leave, take_over};
pub use reconcile::{AGAIN, reconcile};
pub(super) use sale::{credit, debit, held, open};
pub use views::{ChargeRow, DayLine, View, charges, day_lines, is_here, server_wallets, server_wallets_since, view};

use super::{Result, StoreError, Tx, ledger, on};
use domain::ledger::Account;
use domain::rng::Rng;
use domain::server_wallet::ServerWallet;
use domain::tariff::Position;
use domain::wallet::{Trip, Wallet};

/// A wallet, locked in the caller's transaction.
#[derive(Clone, Debug, FromRow)]
struct Row {
    meter_id: Uuid,
    account_id: Option<Uuid>,
    mode: String,
    user_off: bool,
    alarm1_fen: i64,
    alarm2_fen: i64,
    overdraft_fen: i64,
    hoarding_fen: i64,
    overload_w: i64,
    malignant_w: i64,
    trip: Option<String>,
    tripped_at: Option<i64>,
    over_readings: i64,
    started_at: Option<i64>,
    started_wh: Option<i64>,
    counted_at: Option<i64>,
    counted_wh: Option<i64>,
    tier_period: i64,
    tier_wh: i64,
    carry_e7: i64,
    warned: String,
    negative_since: Option<i64>,
    uncharged_wh: i64,
}

impl Row {
    fn account(&self) -> Option<AccountId> {
        self.account_id.map(AccountId)
    }

    const fn position(&self) -> Position {
        Position { period: self.tier_period, used_wh: self.tier_wh, carry_e7: self.carry_e7 }
    }

    const fn stand_at(&mut self, position: Position) {
        (self.tier_period, self.tier_wh, self.carry_e7) = (position.period, position.used_wh, position.carry_e7);
    }

    /// What decides about the relay, with this balance.
    fn wallet(&self, remaining: Fen) -> Result<Wallet> {
        Ok(Wallet {
            open: self.account_id.is_some() && self.started_at.is_some(),
            mode: ControlMode::parse(&self.mode).ok_or(StoreError::Inconsistent { table: "wallets", column: "mode" })?,
            user_off: self.user_off,
            trip: self.trip.as_deref().and_then(Trip::parse),
            remaining,
            alarm1: Fen(self.alarm1_fen),
            alarm2: Fen(self.alarm2_fen),
            overdraft: Fen(self.overdraft_fen),
        })
    }
}

/// Where the credit of a meter lives.
pub(super) async fn kind(tx: &mut Tx, meter: MeterId) -> Result<Kind> {
    let row: Option<(String,)> =
        on!(tx, |c| sqlx::query_as("SELECT wallet FROM meters WHERE id = $1").bind(meter.0).fetch_optional(c).await)?;
    let word = row.map(|(word,)| word).unwrap_or_default();
    Kind::parse(&word).ok_or(StoreError::Inconsistent { table: "meters", column: "wallet" })
}

/// The meters in service whose credit is on the ledger.
pub(super) async fn all(tx: &mut Tx) -> Result<HashSet<MeterId>> {
    let rows: Vec<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM meters WHERE wallet = 'server' AND retired_at IS NULL").fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| MeterId(id)).collect())
}

/// The wallet of a meter, made where there is none yet.
async fn take(tx: &mut Tx, at: Timestamp, meter: MeterId) -> Result<Row> {
    on!(tx, |c| sqlx::query("INSERT INTO wallets (meter_id, changed_at) VALUES ($1, $2) ON CONFLICT (meter_id) DO NOTHING")
        .bind(meter.0)
        .bind(at.0)
        .execute(c)
        .await)?;
    lock(tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })
}

/// The update changes nothing: it locks the row on an engine that locks rows.
async fn lock(tx: &mut Tx, meter: MeterId) -> Result<Option<Row>> {
    on!(tx, |c| sqlx::query_as(
        "UPDATE wallets SET mode = mode WHERE meter_id = $1
         RETURNING meter_id, account_id, mode, user_off, alarm1_fen, alarm2_fen, overdraft_fen, hoarding_fen, overload_w, trip,
                   tripped_at, over_readings, started_at, started_wh, counted_at, counted_wh, tier_period, tier_wh, carry_e7,
                   malignant_w, warned, negative_since, uncharged_wh"
    )
    .bind(meter.0)
    .fetch_optional(c)
    .await)
}

/// Stores a locked wallet with the relay as it should be now and what it warns of, and gives what it shows.
async fn save(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &mut Row) -> Result<ServerWallet> {
    save_since(tx, rng, at, at, row, None).await
}

/// The same, moved by what was seen at `since`; `load` is what was measured of a load that trips.
async fn save_since(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    since: Timestamp,
    row: &mut Row,
    load: Option<&Value>,
) -> Result<ServerWallet> {
    let server_wallet = server_wallet(tx, row).await?;
    row.negative_since = (server_wallet.wallet.remaining < Fen::ZERO).then(|| row.negative_since.unwrap_or(since.0));
    warn::warn(tx, rng, since, row, &server_wallet.wallet, load).await?;
    on!(tx, |c| {
        sqlx::query(
            "UPDATE wallets SET account_id = $2, mode = $3, user_off = $4, alarm1_fen = $5, alarm2_fen = $6, overdraft_fen = $7,
                    overload_w = $8, trip = $9, tripped_at = $10, over_readings = $11, started_at = $12, started_wh = $13,
                    counted_at = $14, counted_wh = $15, tier_period = $16, tier_wh = $17, carry_e7 = $18, closed = $19,
                    changed_at = $20, hoarding_fen = $21, malignant_w = $22, warned = $23, negative_since = $24,
                    uncharged_wh = $25
             WHERE meter_id = $1",
        )
        .bind(row.meter_id)
        .bind(row.account_id)
        .bind(&row.mode)
        .bind(row.user_off)
        .bind(row.alarm1_fen)
        .bind(row.alarm2_fen)
        .bind(row.overdraft_fen)
        .bind(row.overload_w)
        .bind(&row.trip)
        .bind(row.tripped_at)
        .bind(row.over_readings)
        .bind(row.started_at)
        .bind(row.started_wh)
        .bind(row.counted_at)
        .bind(row.counted_wh)
        .bind(row.tier_period)
        .bind(row.tier_wh)
        .bind(row.carry_e7)
        .bind(server_wallet.wallet.relay())
        .bind(at.0)
        .bind(row.hoarding_fen)
        .bind(row.malignant_w)
        .bind(&row.warned)
        .bind(row.negative_since)
        .bind(row.uncharged_wh)
        .execute(c)
        .await
    })?;
    Ok(server_wallet)
}

async fn server_wallet(tx: &mut Tx, row: &Row) -> Result<ServerWallet> {
    let Some(account) = row.account() else {
        return Ok(ServerWallet { wallet: row.wallet(Fen::ZERO)?, cumulative: Fen::ZERO, count: 0 });
    };
    let (remaining, _) = ledger::balance(tx, &Account::Wallet(account)).await?.split_fen();
    let bought: Option<(i64, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT count, cumulative_fen FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(account.0)
    .bind(row.meter_id)
    .fetch_optional(c)
    .await)?;
    let (count, cumulative) = bought.unwrap_or_default();
    Ok(ServerWallet {
        wallet: row.wallet(remaining)?,
        cumulative: Fen(cumulative),
        count: u16::try_from(count).unwrap_or(u16::MAX),
    })
}
