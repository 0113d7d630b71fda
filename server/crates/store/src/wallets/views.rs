//! What pages and the recorder ask of server wallets.

use model::ids::{AccountId, MeterId};
use model::money::{Fen, Money};
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::Row;
use crate::{Db, Result, read};
use domain::server_wallet::ServerWallet;

#[derive(FromRow)]
struct Shown {
    id: Uuid,
    #[sqlx(flatten)]
    row: Row,
    balance_e4: i64,
    count: i64,
    cumulative_fen: i64,
}

impl Shown {
    fn server_wallet(&self) -> Result<ServerWallet> {
        let (remaining, _) = Money(self.balance_e4).split_fen();
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        Ok(ServerWallet { wallet: self.row.wallet(remaining)?, cumulative: Fen(self.cumulative_fen), count })
    }
}

macro_rules! shown {
    ($which:literal) => {
        concat!(
            "SELECT m.id, m.id AS meter_id, w.account_id, COALESCE(w.mode, 'prepaid') AS mode,
                    COALESCE(w.user_off, FALSE) AS user_off, COALESCE(w.alarm1_fen, 0) AS alarm1_fen,
                    COALESCE(w.alarm2_fen, 0) AS alarm2_fen, COALESCE(w.overdraft_fen, 0) AS overdraft_fen,
                    COALESCE(w.hoarding_fen, 0) AS hoarding_fen, COALESCE(w.overload_w, 0) AS overload_w, w.trip, w.tripped_at,
                    COALESCE(w.over_readings, 0) AS over_readings, w.started_at, w.started_wh, w.counted_at, w.counted_wh,
                    COALESCE(w.tier_period, 0) AS tier_period, COALESCE(w.tier_wh, 0) AS tier_wh,
                    COALESCE(w.carry_e7, 0) AS carry_e7, COALESCE(w.malignant_w, 0) AS malignant_w,
                    COALESCE(w.warned, '') AS warned, w.negative_since, COALESCE(w.uncharged_wh, 0) AS uncharged_wh,
                    COALESCE(b.credits_e4 - b.debits_e4, 0) AS balance_e4, COALESCE(am.count, 0) AS count,
                    COALESCE(am.cumulative_fen, 0) AS cumulative_fen
             FROM meters m LEFT JOIN wallets w ON w.meter_id = m.id
             LEFT JOIN account_keys k ON k.id = w.account_id
             LEFT JOIN ledger_balances b ON b.account = 'wallet:' || k.key
             LEFT JOIN account_meters am ON am.account_id = w.account_id AND am.meter_id = m.id AND am.to_at IS NULL
             WHERE m.wallet = 'server' AND m.retired_at IS NULL",
            $which
        )
    };
}

/// The purses of all meters in service whose wallet is here, whether an account is open or not.
pub async fn server_wallets(db: &Db) -> Result<Vec<(MeterId, ServerWallet)>> {
    let rows: Vec<Shown> = read!(db, |pool| sqlx::query_as(shown!("")).fetch_all(pool).await)?;
    rows.into_iter().map(|row| Ok((MeterId(row.id), row.server_wallet()?))).collect()
}

/// Those of them that have moved since then.
pub async fn server_wallets_since(db: &Db, since: Timestamp) -> Result<Vec<(MeterId, ServerWallet)>> {
    let rows: Vec<Shown> =
        read!(db, |pool| sqlx::query_as(shown!(" AND w.changed_at >= $1")).bind(since.0).fetch_all(pool).await)?;
    rows.into_iter().map(|row| Ok((MeterId(row.id), row.server_wallet()?))).collect()
}

/// Whether a meter's credit is on the ledger.
pub async fn is_here(db: &Db, meter: MeterId) -> Result<bool> {
    let row: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM meters WHERE id = $1 AND wallet = 'server'")
            .bind(meter.0)
            .fetch_optional(pool)
            .await)?;
    Ok(row.is_some())
}

/// What a room's page shows of its wallet.
#[derive(Clone, Debug, FromRow)]
pub struct View {
    /// Since when its account counts, epoch ms; `None` until the opening reading.
    pub started_at: Option<i64>,
    /// The counter then.
    pub started_wh: Option<i64>,
    /// Charged up to this reading.
    pub counted_at: Option<i64>,
    /// Use in the tier period.
    pub tier_wh: i64,
    /// The relay as it should be.
    pub closed: bool,
    /// Since when it has been tripped.
    pub tripped_at: Option<i64>,
    pub alarm1_fen: i64,
    pub alarm2_fen: i64,
    /// How far below zero it may go.
    pub overdraft_fen: i64,
    /// The most it may hold; 0: as the site has it.
    pub hoarding_fen: i64,
    /// Above this power it trips, W; 0: never.
    pub overload_w: i64,
    /// A step up of so much power that takes its current in phase trips, W; 0: never.
    pub malignant_w: i64,
    /// Energy that waits for a price plan.
    pub uncharged_wh: i64,
}

/// The wallet of a meter; `None` where there is none here.
pub async fn view(db: &Db, meter: MeterId) -> Result<Option<View>> {
    read!(db, |pool| {
        sqlx::query_as(
        "SELECT started_at, started_wh, counted_at, tier_wh, closed, tripped_at, alarm1_fen, alarm2_fen, overdraft_fen, hoarding_fen,
                overload_w, malignant_w, uncharged_wh
         FROM wallets WHERE meter_id = $1"
    )
    .bind(meter.0)
    .fetch_optional(pool)
    .await
    })
}

/// Energy of a day at one price.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DayLine {
    pub day: i64,
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
    pub wh: i64,
    /// 1e-7 yuan.
    pub cost_e7: i64,
}

/// What an account was charged for a meter from `first` on, by day and price, the newest day first.
pub async fn day_lines(db: &Db, account: AccountId, meter: MeterId, first: Date) -> Result<Vec<DayLine>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.day, p.name AS plan, v.number AS version, d.rate, d.tier, d.price_e4, d.wh, d.cost_e7
         FROM charge_days d JOIN price_versions v ON v.id = d.version_id JOIN price_plans p ON p.id = v.plan_id
         WHERE d.account_id = $1 AND d.meter_id = $2 AND d.day >= $3 AND (d.wh <> 0 OR d.cost_e7 <> 0)
         ORDER BY d.day DESC, d.rate, d.tier, v.number"
    )
    .bind(account.0)
    .bind(meter.0)
    .bind(first.0)
    .fetch_all(pool)
    .await)
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChargeRow {
    pub id: Uuid,
    /// From the reading at.
    pub from_at: i64,
    /// To the reading at.
    pub at: i64,
    pub wh: i64,
    pub amount_e4: i64,
    /// Which charge it takes back.
    pub reverses: Option<Uuid>,
}

/// The newest charges of a meter.
pub async fn charges(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<ChargeRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, from_at, at, wh, amount_e4, reverses FROM charges WHERE meter_id = $1 ORDER BY at DESC, id DESC LIMIT $2"
    )
    .bind(meter.0)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
