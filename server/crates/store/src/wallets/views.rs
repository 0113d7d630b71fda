//! Queries of server wallets, for pages and the recorder.

use model::energy::Energy;
use model::ids::{AccountId, MeterId};
use model::money::{Fen, Money};
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::WalletRow;
use crate::{Db, Result, read};
use domain::server_wallet::ServerWallet;

#[derive(FromRow)]
struct ServerWalletRow {
    #[sqlx(flatten)]
    row: WalletRow,
    balance_e4: Money,
    count: i64,
    cumulative_fen: Fen,
    emergency_fen: Fen,
}

impl ServerWalletRow {
    fn server_wallet(&self) -> (MeterId, ServerWallet) {
        let (remaining, _) = self.balance_e4.split_fen();
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        (
            self.row.meter_id,
            ServerWallet { wallet: self.row.wallet(remaining, self.emergency_fen), cumulative: self.cumulative_fen, count },
        )
    }
}

macro_rules! server_wallets {
    ($which:literal) => {
        concat!(
            "SELECT m.id AS meter_id, w.account_id, COALESCE(w.mode, 'prepaid') AS mode,
                    COALESCE(w.user_off, FALSE) AS user_off, COALESCE(w.alarm1_fen, 0) AS alarm1_fen,
                    COALESCE(w.alarm2_fen, 0) AS alarm2_fen, COALESCE(w.overdraft_fen, 0) AS overdraft_fen,
                    COALESCE(w.hoarding_fen, 0) AS hoarding_fen, COALESCE(w.overload_w, 0) AS overload_w, w.trip, w.tripped_at,
                    COALESCE(w.over_readings, 0) AS over_readings, w.started_at, w.started_wh, w.counted_at, w.counted_wh,
                    COALESCE(w.tier_period, 0) AS tier_period, COALESCE(w.tier_wh, 0) AS tier_wh,
                    COALESCE(w.carry_e7, 0) AS carry_e7, COALESCE(w.malignant_w, 0) AS malignant_w,
                    COALESCE(w.warned, '[]') AS warned, w.negative_since, COALESCE(w.uncharged_wh, 0) AS uncharged_wh,
                    w.friendly_until, w.told_until, COALESCE(e.amount_fen, 0) AS emergency_fen,
                    COALESCE(b.credits_e4 - b.debits_e4, 0) AS balance_e4, COALESCE(am.count, 0) AS count,
                    COALESCE(am.cumulative_fen, 0) AS cumulative_fen
             FROM meters m LEFT JOIN wallets w ON w.meter_id = m.id
             LEFT JOIN account_keys k ON k.id = w.account_id
             LEFT JOIN ledger_balances b ON b.account = 'wallet:' || k.key
             LEFT JOIN account_meters am ON am.account_id = w.account_id AND am.meter_id = m.id AND am.to_at IS NULL
             LEFT JOIN emergency_credits e ON e.account_id = am.account_id AND e.repaid_at IS NULL
               AND EXISTS (SELECT 1 FROM meters f WHERE f.id = e.meter_id AND f.wallet = 'server')
             WHERE m.wallet = 'server' AND m.retired_at IS NULL",
            $which
        )
    };
}

/// The server wallets of all meters in service, with an account or without.
pub async fn server_wallets(db: &Db) -> Result<Vec<(MeterId, ServerWallet)>> {
    let rows: Vec<ServerWalletRow> = read!(db, |pool| sqlx::query_as(server_wallets!("")).fetch_all(pool).await)?;
    Ok(rows.iter().map(ServerWalletRow::server_wallet).collect())
}

/// The server wallets that changed at or after `since`.
pub async fn server_wallets_since(db: &Db, since: Timestamp) -> Result<Vec<(MeterId, ServerWallet)>> {
    let rows: Vec<ServerWalletRow> =
        read!(db, |pool| sqlx::query_as(server_wallets!(" AND w.changed_at >= $1")).bind(since).fetch_all(pool).await)?;
    Ok(rows.iter().map(ServerWalletRow::server_wallet).collect())
}

/// Whether a meter has a server wallet.
pub async fn is_server_wallet(db: &Db, meter: MeterId) -> Result<bool> {
    let row: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM meters WHERE id = $1 AND wallet = 'server'")
            .bind(meter)
            .fetch_optional(pool)
            .await)?;
    Ok(row.is_some())
}

/// What a room's page shows of its wallet.
#[derive(Clone, Debug, FromRow)]
pub struct WalletView {
    /// When its opening reading was taken; `None` until then.
    pub started_at: Option<Timestamp>,
    /// The counter then.
    pub started_wh: Option<Energy>,
    /// The last reading that was charged.
    pub counted_at: Option<Timestamp>,
    /// Consumption in the tier period.
    pub tier_wh: Energy,
    /// The tier period of the last charge: a year, or a year and month (202611).
    pub tier_period: i64,
    /// The desired state of the relay.
    pub closed: bool,
    pub tripped_at: Option<Timestamp>,
    pub alarm1_fen: Fen,
    pub alarm2_fen: Fen,
    /// How far below zero it may go.
    pub overdraft_fen: Fen,
    /// The hoarding limit; 0: the site's.
    pub hoarding_fen: Fen,
    /// It trips above this power, W; 0: never.
    pub overload_w: i64,
    /// It trips on a rise in power of this much by a resistive load, W; 0: never.
    pub malignant_w: i64,
    /// Energy that waits for a price plan.
    pub uncharged_wh: Energy,
}

/// The server wallet of a meter.
pub async fn view(db: &Db, meter: MeterId) -> Result<Option<WalletView>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT started_at, started_wh, counted_at, tier_wh, tier_period, closed, tripped_at, alarm1_fen, alarm2_fen,
                overdraft_fen, hoarding_fen, overload_w, malignant_w, uncharged_wh
         FROM wallets WHERE meter_id = $1",
        )
        .bind(meter)
        .fetch_optional(pool)
        .await
    })
}

/// Energy of a day at one price.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DayCharge {
    pub day: Date,
    /// The price plan.
    pub plan: String,
    /// Number of its version.
    pub version: i64,
    /// 1-4.
    pub rate: i64,
    /// 1-3.
    pub tier: i64,
    /// 0.0001 yuan/kWh.
    pub price_e4: i64,
    pub wh: Energy,
    /// 1e-7 yuan.
    pub cost_e7: i64,
}

/// What an account was charged for a meter from `first` on, by day and price, the newest day first.
pub async fn day_charges(db: &Db, account: AccountId, meter: MeterId, first: Date) -> Result<Vec<DayCharge>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.day, p.name AS plan, v.number AS version, d.rate, d.tier, d.price_e4, d.wh, d.cost_e7
         FROM charge_days d JOIN price_versions v ON v.id = d.version_id JOIN price_plans p ON p.id = v.plan_id
         WHERE d.account_id = $1 AND d.meter_id = $2 AND d.day >= $3 AND (d.wh <> 0 OR d.cost_e7 <> 0)
         ORDER BY d.day DESC, d.rate, d.tier, v.number"
    )
    .bind(account)
    .bind(meter)
    .bind(first)
    .fetch_all(pool)
    .await)
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChargeRow {
    pub id: Uuid,
    /// The earlier reading.
    pub from_at: Timestamp,
    /// The later reading.
    pub at: Timestamp,
    pub wh: Energy,
    pub amount_e4: Money,
    /// The charge that it reverses.
    pub reverses: Option<Uuid>,
}

/// The newest charges of a meter.
pub async fn charges(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<ChargeRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, from_at, at, wh, amount_e4, reverses FROM charges WHERE meter_id = $1 ORDER BY at DESC, id DESC LIMIT $2"
    )
    .bind(meter)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
