//! Readings with their hourly and daily energy, written in batches, and what charts ask of them.

use std::sync::LazyLock;

use app::model::energy::Energy;
use app::model::ids::MeterId;
use app::model::meter::Latest;
use app::model::time::{Date, HOUR, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::bulk::Bulk;
use super::{Db, Result, cases, on, read};
use crate::rng::Rng;

/// One stored reading.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Reading {
    /// [`MeterId`].
    pub meter_id: Uuid,
    /// When it was read, epoch ms.
    pub at: i64,
    /// See [`crate::meters::classify::Quality`].
    pub quality: i64,
    /// See [`crate::meters::recorder::Source`].
    pub source: i64,
    /// Status word.
    pub status: i64,
    /// Total energy counter.
    pub total_wh: i64,
    /// Reverse energy counter; `None`, here and below, for what the meter does not measure.
    pub reverse_wh: Option<i64>,
    /// Remaining amount.
    pub remaining_fen: i64,
    /// Active power.
    pub power_w: Option<i64>,
    /// 0.1 V.
    pub voltage_dv: Option<i64>,
    /// 0.01 A.
    pub current_ca: Option<i64>,
    /// 0.001.
    pub power_factor: Option<i64>,
    /// Energy counter of rate 1.
    pub spike_wh: Option<i64>,
    /// Of rate 2.
    pub peak_wh: Option<i64>,
    /// Of rate 3.
    pub flat_wh: Option<i64>,
    /// Of rate 4.
    pub valley_wh: Option<i64>,
}

/// Energy of a meter in an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which meter.
    pub meter: MeterId,
    /// Hours since the epoch, or Shanghai days since the epoch.
    pub slot: i64,
    /// How much.
    pub energy: Energy,
}

/// A reading that cannot be, for a person to look at.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// One of [`cases::kind`].
    pub kind: &'static str,
    /// Which meter.
    pub meter: MeterId,
    /// What is doubtful, as JSON.
    pub detail: String,
}

/// What belongs together: all of it is stored, or none. No two shares and no two `latest` are of the same key.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// New readings.
    pub readings: Vec<Reading>,
    /// Energy to add to hours.
    pub hourly: Vec<Share>,
    /// Energy to add to days.
    pub daily: Vec<Share>,
    /// Cases to open.
    pub doubts: Vec<Doubt>,
    /// What meters were last seen to hold.
    pub latest: Vec<Latest>,
}

static READINGS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv,
                               current_ca, power_factor, spike_wh, peak_wh, flat_wh, valley_wh)",
        16,
        "ON CONFLICT (meter_id, at) DO NOTHING",
    )
});
static HOURLY: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO energy_hourly (meter_id, hour, wh)",
        3,
        "ON CONFLICT (meter_id, hour) DO UPDATE SET wh = energy_hourly.wh + excluded.wh",
    )
});
static DAILY: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO energy_daily (meter_id, day, wh)",
        3,
        "ON CONFLICT (meter_id, day) DO UPDATE SET wh = energy_daily.wh + excluded.wh",
    )
});
// A delivery writes what it read back in its own transaction; a batch that was read before must not undo that.
static LATEST: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO meter_latest (meter_id, observed_at, lost_since, status, remaining_fen, cumulative_fen, count, epoch,
                                   total_wh, reverse_wh, power_w, voltage_dv, current_ca, power_factor, clock_offset_s)",
        15,
        "ON CONFLICT (meter_id) DO UPDATE SET observed_at = excluded.observed_at, lost_since = excluded.lost_since,
             status = excluded.status, remaining_fen = excluded.remaining_fen, cumulative_fen = excluded.cumulative_fen,
             count = excluded.count, epoch = excluded.epoch, total_wh = excluded.total_wh, reverse_wh = excluded.reverse_wh,
             power_w = excluded.power_w, voltage_dv = excluded.voltage_dv, current_ca = excluded.current_ca,
             power_factor = excluded.power_factor, clock_offset_s = excluded.clock_offset_s
         WHERE COALESCE(excluded.observed_at, 0) >= COALESCE(meter_latest.observed_at, 0)",
    )
});

/// Stores a batch in one transaction.
///
/// # Errors
/// Where the database fails; then nothing was stored and the same batch may be tried again.
pub async fn write(db: &Db, rng: &Rng, at: Timestamp, batch: &Batch) -> Result<()> {
    let mut tx = db.begin().await?;
    for (text, rows) in READINGS.pieces(&batch.readings) {
        on!(&mut tx, |c| {
            let mut query = sqlx::query(text);
            for r in rows {
                query = query.bind(r.meter_id).bind(r.at).bind(r.quality).bind(r.source).bind(r.status).bind(r.total_wh);
                query = query.bind(r.reverse_wh).bind(r.remaining_fen).bind(r.power_w).bind(r.voltage_dv);
                query = query.bind(r.current_ca).bind(r.power_factor);
                query = query.bind(r.spike_wh).bind(r.peak_wh).bind(r.flat_wh).bind(r.valley_wh);
            }
            query.execute(c).await
        })?;
    }
    for (bulk, shares) in [(&*HOURLY, &batch.hourly), (&*DAILY, &batch.daily)] {
        for (text, rows) in bulk.pieces(shares) {
            on!(&mut tx, |c| {
                let query = sqlx::query(text);
                rows.iter().fold(query, |q, r| q.bind(r.meter.0).bind(r.slot).bind(r.energy.0)).execute(c).await
            })?;
        }
    }
    for doubt in &batch.doubts {
        cases::open(&mut tx, rng, at, doubt.kind, Some(doubt.meter), None, &doubt.detail).await?;
    }
    for (text, rows) in LATEST.pieces(&batch.latest) {
        on!(&mut tx, |c| {
            let mut query = sqlx::query(text);
            for l in rows {
                query = query.bind(l.meter.0).bind(l.observed_at.map(|at| at.0)).bind(l.lost_since.map(|at| at.0));
                query = query.bind(i64::from(l.status.0)).bind(l.remaining.0).bind(l.cumulative.0);
                query = query.bind(i64::from(l.count)).bind(i64::from(l.epoch)).bind(l.total.0).bind(l.reverse.0);
                query = query.bind(l.power_w.map(i64::from)).bind(l.voltage_dv.map(i64::from)).bind(l.current_ca.map(i64::from));
                query = query.bind(l.power_factor.map(i64::from)).bind(l.clock_offset_s.map(i64::from));
            }
            query.execute(c).await
        })?;
    }
    tx.commit().await
}

/// Where counting stands: the last reading that counted, and the first that was held since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Counted {
    /// [`MeterId`].
    pub meter_id: Uuid,
    /// When the last one that counted was read.
    pub at: i64,
    /// Its counter.
    pub total_wh: i64,
    /// When the first one after it, which was held, was read.
    pub held_since: Option<i64>,
    /// When the last one of all was read.
    pub last_at: i64,
}

/// Where counting stands for every meter in service.
///
/// # Errors
/// Where the database fails.
pub async fn counted(db: &Db) -> Result<Vec<Counted>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT r.meter_id, r.at, r.total_wh,
                (SELECT MIN(h.at) FROM readings h WHERE h.meter_id = r.meter_id AND h.at > r.at) AS held_since,
                (SELECT MAX(l.at) FROM readings l WHERE l.meter_id = r.meter_id) AS last_at
         FROM meters m JOIN readings r ON r.meter_id = m.id AND r.at =
              (SELECT x.at FROM readings x WHERE x.meter_id = m.id AND x.quality <= 1 ORDER BY x.at DESC LIMIT 1)
         WHERE m.retired_at IS NULL",
    )
    .fetch_all(pool)
    .await)
}

/// Whether a person closed a reading case of this meter at or after `since`, and none is open.
///
/// # Errors
/// Where the database fails.
pub async fn is_settled(db: &Db, meter: MeterId, since: Timestamp) -> Result<bool> {
    let row: (i64, i64) = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN closed_at >= $2 THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN closed_at IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM cases WHERE meter_id = $1 AND kind = 'reading'",
    )
    .bind(meter.0)
    .bind(since.0)
    .fetch_optional(pool)
    .await)?
    .unwrap_or((0, 0));
    Ok(row.0 > 0 && row.1 == 0)
}

/// Energy of each day from `from` to `to`, both included; days without any are left out.
///
/// # Errors
/// Where the database fails.
pub async fn daily(db: &Db, meter: MeterId, from: Date, to: Date) -> Result<Vec<(Date, Energy)>> {
    let rows: Vec<(i64, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT day, wh FROM energy_daily WHERE meter_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day"
    )
    .bind(meter.0)
    .bind(from.0)
    .bind(to.0)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(day, wh)| (Date(day), Energy(wh))).collect())
}

/// Energy of the hours of a Shanghai day, by the hour 0-23; hours without any are left out.
///
/// # Errors
/// Where the database fails.
pub async fn hourly(db: &Db, meter: MeterId, day: Date) -> Result<Vec<(u8, Energy)>> {
    let first = day.start().0 / HOUR;
    let rows: Vec<(i64, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT hour, wh FROM energy_hourly WHERE meter_id = $1 AND hour BETWEEN $2 AND $3 ORDER BY hour"
    )
    .bind(meter.0)
    .bind(first)
    .bind(first + 23)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(hour, wh)| (u8::try_from(hour - first).unwrap_or(0), Energy(wh))).collect())
}

/// The newest readings, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn recent(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<Reading>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv, current_ca,
                power_factor, spike_wh, peak_wh, flat_wh, valley_wh
         FROM readings WHERE meter_id = $1 ORDER BY at DESC LIMIT $2",
    )
    .bind(meter.0)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
