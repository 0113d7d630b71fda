//! Server wallets: one row for each meter, locked by every operation that changes it, with the desired state of the relay. The
//! balance is in the ledger.

mod charge;
mod control;
mod days;
mod friendly;
mod leave;
mod reconcile;
mod sale;
mod uncharged;
mod views;
mod warn;

use std::collections::HashSet;

use model::energy::Energy;
use model::event::EventKind;
use model::ids::{AccountId, MeterId};
use model::meter::{ControlMode, Wallet as Kind};
use model::money::Fen;
use model::time::Timestamp;
use serde_json::Value;
use sqlx::FromRow;

pub use charge::{Metered, charge, reverse};
pub(super) use control::decide_mode;
pub use control::{Limits, decide_switch, set_limits};
pub use days::{DAY_CHARGES_MAX, DayBooks, account_on, charged_on, day_books, last_charge, used_before};
pub(crate) use friendly::follow_emergency;
pub use friendly::set_friendly;
pub(super) use leave::{count, leave, take_over};
pub(crate) use reconcile::not_followed;
pub use reconcile::{AGAIN, reconcile};
pub(super) use sale::{credit, debit, held, open};
pub use views::{
    ChargeRow, DayCharge, WalletView, charges, day_charges, is_server_wallet, server_wallets, server_wallets_since, view,
};

use super::json_text::JsonText;
use super::{Result, StoreError, Tx, ledger, on};
use domain::ledger::Account;
use domain::rng::Rng;
use domain::server_wallet::ServerWallet;
use domain::tariff::Position;
use domain::wallet::{Trip, Wallet};

/// A wallet, locked in the caller's transaction.
#[derive(Clone, Debug, FromRow)]
struct WalletRow {
    meter_id: MeterId,
    account_id: Option<AccountId>,
    mode: ControlMode,
    user_off: bool,
    alarm1_fen: Fen,
    alarm2_fen: Fen,
    overdraft_fen: Fen,
    hoarding_fen: Fen,
    overload_w: i64,
    malignant_w: i64,
    trip: Option<Trip>,
    tripped_at: Option<Timestamp>,
    over_readings: i64,
    started_at: Option<Timestamp>,
    started_wh: Option<Energy>,
    counted_at: Option<Timestamp>,
    counted_wh: Option<Energy>,
    tier_period: i64,
    tier_wh: i64,
    carry_e7: i64,
    warned: JsonText<Vec<EventKind>>,
    negative_since: Option<Timestamp>,
    uncharged_wh: Energy,
    friendly_until: Option<Timestamp>,
    told_until: Option<Timestamp>,
}

/// The columns of [`WalletRow`].
macro_rules! wallet_columns {
    () => {
        " meter_id, account_id, mode, user_off, alarm1_fen, alarm2_fen, overdraft_fen, hoarding_fen, overload_w, malignant_w,
          trip, tripped_at, over_readings, started_at, started_wh, counted_at, counted_wh, tier_period, tier_wh, carry_e7, warned,
          negative_since, uncharged_wh, friendly_until, told_until "
    };
}

impl WalletRow {
    const fn position(&self) -> Position {
        Position { period: self.tier_period, used_wh: self.tier_wh, carry_e7: self.carry_e7 }
    }

    const fn set_position(&mut self, position: Position) {
        (self.tier_period, self.tier_wh, self.carry_e7) = (position.period, position.used_wh, position.carry_e7);
    }

    /// What decides about the relay, with this balance and the emergency credit that is not repaid.
    const fn wallet(&self, remaining: Fen, emergency: Fen) -> Wallet {
        Wallet {
            open: self.account_id.is_some() && self.started_at.is_some(),
            mode: self.mode,
            user_off: self.user_off,
            trip: self.trip,
            remaining,
            alarm1: self.alarm1_fen,
            alarm2: self.alarm2_fen,
            overdraft: Fen(self.overdraft_fen.0 + emergency.0),
            friendly: self.friendly_until.is_some(),
        }
    }
}

/// Where the credit of a meter lives.
pub(super) async fn kind(tx: &mut Tx, meter: MeterId) -> Result<Kind> {
    let row: Option<(Kind,)> =
        on!(tx, |c| sqlx::query_as("SELECT wallet FROM meters WHERE id = $1").bind(meter).fetch_optional(c).await)?;
    row.map(|(kind,)| kind).ok_or(StoreError::Inconsistent { table: "meters", column: "id" })
}

/// The meters in service whose credit is on the ledger.
pub(super) async fn all(tx: &mut Tx) -> Result<HashSet<MeterId>> {
    let rows: Vec<(MeterId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM meters WHERE wallet = 'server' AND retired_at IS NULL").fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Locks the wallet of a meter; creates it if there is none.
async fn lock_or_create(tx: &mut Tx, at: Timestamp, meter: MeterId) -> Result<WalletRow> {
    on!(tx, |c| sqlx::query("INSERT INTO wallets (meter_id, changed_at) VALUES ($1, $2) ON CONFLICT (meter_id) DO NOTHING")
        .bind(meter)
        .bind(at)
        .execute(c)
        .await)?;
    lock(tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })
}

/// Locks the wallet of a meter. The update changes nothing; it locks the row on an engine that locks rows.
async fn lock(tx: &mut Tx, meter: MeterId) -> Result<Option<WalletRow>> {
    on!(tx, |c| sqlx::query_as(concat!("UPDATE wallets SET mode = mode WHERE meter_id = $1 RETURNING", wallet_columns!()))
        .bind(meter)
        .fetch_optional(c)
        .await)
}

/// What moves a wallet.
struct Cause<'a> {
    /// When it is stored.
    at: Timestamp,
    /// When it was observed.
    since: Timestamp,
    /// What was measured of a load that trips.
    load: Option<&'a Value>,
}

/// Stores a locked wallet with the desired state of its relay and its alarms, and gives what it shows.
async fn save(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &mut WalletRow) -> Result<ServerWallet> {
    save_because(tx, rng, &Cause { at, since: at, load: None }, row).await
}

async fn save_because(tx: &mut Tx, rng: &Rng, cause: &Cause<'_>, row: &mut WalletRow) -> Result<ServerWallet> {
    let server_wallet = server_wallet(tx, row).await?;
    row.negative_since = (server_wallet.wallet.remaining < Fen::ZERO).then(|| row.negative_since.unwrap_or(cause.since));
    warn::warn(tx, rng, cause, row, &server_wallet.wallet).await?;
    warn::tell_kept_on(tx, rng, cause.at, row, &server_wallet.wallet).await?;
    on!(tx, |c| {
        sqlx::query(
            "UPDATE wallets SET account_id = $2, mode = $3, user_off = $4, alarm1_fen = $5, alarm2_fen = $6, overdraft_fen = $7,
                    overload_w = $8, trip = $9, tripped_at = $10, over_readings = $11, started_at = $12, started_wh = $13,
                    counted_at = $14, counted_wh = $15, tier_period = $16, tier_wh = $17, carry_e7 = $18, closed = $19,
                    changed_at = $20, hoarding_fen = $21, malignant_w = $22, warned = $23, negative_since = $24,
                    uncharged_wh = $25, friendly_until = $26, told_until = $27
             WHERE meter_id = $1",
        )
        .bind(row.meter_id)
        .bind(row.account_id)
        .bind(row.mode)
        .bind(row.user_off)
        .bind(row.alarm1_fen)
        .bind(row.alarm2_fen)
        .bind(row.overdraft_fen)
        .bind(row.overload_w)
        .bind(row.trip)
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
        .bind(cause.at)
        .bind(row.hoarding_fen)
        .bind(row.malignant_w)
        .bind(JsonText(&row.warned.0))
        .bind(row.negative_since)
        .bind(row.uncharged_wh)
        .bind(row.friendly_until)
        .bind(row.told_until)
        .execute(c)
        .await
    })?;
    Ok(server_wallet)
}

async fn server_wallet(tx: &mut Tx, row: &WalletRow) -> Result<ServerWallet> {
    let Some(account) = row.account_id else {
        return Ok(ServerWallet { wallet: row.wallet(Fen::ZERO, Fen::ZERO), cumulative: Fen::ZERO, count: 0 });
    };
    let (remaining, _) = ledger::balance(tx, &Account::Wallet(account)).await?.split_fen();
    let bought: Option<(i64, Fen, Fen)> = on!(tx, |c| sqlx::query_as(
        "SELECT count, cumulative_fen,
                COALESCE((SELECT e.amount_fen FROM emergency_credits e JOIN meters m ON m.id = e.meter_id
                          WHERE e.account_id = $1 AND e.repaid_at IS NULL AND m.wallet = 'server'), 0) AS emergency_fen
         FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(account)
    .bind(row.meter_id)
    .fetch_optional(c)
    .await)?;
    let (count, cumulative, emergency) = bought.unwrap_or_default();
    Ok(ServerWallet { wallet: row.wallet(remaining, emergency), cumulative, count: u16::try_from(count).unwrap_or(u16::MAX) })
}
