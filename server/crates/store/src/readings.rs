//! Readings, stored in batches together with everything that follows from them, and the last readings that counted.

use model::case::{CaseDetail, CaseKind};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::energy::Energy;
use model::ids::MeterId;
use model::meter::{ControlMode, Latest};
use model::money::Fen;
use model::reading::{ReadingQuality, ReadingSource};
use model::time::Timestamp;
use sqlx::FromRow;

use super::bulk::Bulk;
use super::energy::{self, Day, Hour};
use super::events::{self, Change};
use super::wallets::{self, Metered};
use super::{Db, Result, cases, deliveries, on, read};
use domain::classify::{Baseline, HeldValues};
use domain::rng::Rng;
use domain::server_wallet::ServerWallet;

/// The condition that the energy of a reading counts, as `ReadingQuality::counts` says; the text names its table, such as `"r."`.
#[macro_export]
macro_rules! counts {
    ($of:literal) => {
        concat!(" ", $of, "quality IN (0, 1, 6, 7) ")
    };
}

/// The condition that a reading has a balance: its counter went on, and it is no midnight value of zero, which may be one that
/// the meter does not keep.
#[macro_export]
macro_rules! has_balance {
    () => {
        " quality IN (0, 1) AND (source <> 3 OR remaining_fen <> 0) "
    };
}

/// A stored reading.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Reading {
    pub meter_id: MeterId,
    /// When it was read.
    pub at: Timestamp,
    pub quality: ReadingQuality,
    pub source: ReadingSource,
    pub status: i64,
    /// Total energy counter.
    pub total_wh: Energy,
    /// Reverse energy counter; `None`, here and below, for what the meter does not measure.
    pub reverse_wh: Option<Energy>,
    pub remaining_fen: Fen,
    pub power_w: Option<i64>,
    /// 0.1 V.
    pub voltage_dv: Option<i64>,
    /// 0.01 A.
    pub current_ca: Option<i64>,
    /// 0.001.
    pub power_factor: Option<i64>,
    /// Energy counter of rate 1.
    pub spike_wh: Option<Energy>,
    /// Of rate 2.
    pub peak_wh: Option<Energy>,
    /// Of rate 3.
    pub flat_wh: Option<Energy>,
    /// Of rate 4.
    pub valley_wh: Option<Energy>,
    /// Its number among the readings of its meter, from 1; `None` for midnight values and for readings older than the column.
    pub sequence: Option<i64>,
}

/// The columns of [`Reading`], in the order in which they are bound.
macro_rules! reading_columns {
    () => {
        "meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv, current_ca,
         power_factor, spike_wh, peak_wh, flat_wh, valley_wh, sequence"
    };
}

/// The counters of rates 1-4, if the meter has all of them.
pub fn rates(counters: [Option<Energy>; 4]) -> Option<[Energy; 4]> {
    match counters {
        [Some(spike), Some(peak), Some(flat), Some(valley)] => Some([spike, peak, flat, valley]),
        _ => None,
    }
}

/// A reading that is not plausible: it opens a case.
#[derive(Clone, Debug)]
pub struct DoubtfulReading {
    pub meter: MeterId,
    pub case: CaseDetail,
}

/// What is stored together or not at all. No two hours, days or `latest` have the same key.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub readings: Vec<Reading>,
    /// Those of them whose meter has a server wallet.
    pub metered: Vec<Metered>,
    /// Energy to add to hours.
    pub hours: Vec<Hour>,
    /// Energy to add to days.
    pub days: Vec<Day>,
    /// Cases to open.
    pub doubts: Vec<DoubtfulReading>,
    /// Cases whose reason is gone.
    pub mended: Vec<(MeterId, CaseKind)>,
    /// Control modes of meters of which none is known.
    pub modes: Vec<(MeterId, ControlMode)>,
    /// Events that begin or end, in order.
    pub events: Vec<Change>,
    /// What meters were last seen to hold.
    pub latest: Vec<Latest>,
}

static READINGS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(concat!("INSERT INTO readings (", reading_columns!(), ")"), 17, "ON CONFLICT (meter_id, at) DO NOTHING")
});
static LATEST: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO meter_latest (meter_id, observed_at, lost_since, status, remaining_fen, cumulative_fen, count, epoch,
                                   total_wh, reverse_wh, power_w, voltage_dv, current_ca, power_factor, clock_offset_s, rate,
                                   tier_wh, tamper, journal, unreadable)",
        20,
        "ON CONFLICT (meter_id) DO UPDATE SET observed_at = excluded.observed_at, lost_since = excluded.lost_since,
             status = excluded.status, remaining_fen = excluded.remaining_fen, cumulative_fen = excluded.cumulative_fen,
             count = excluded.count, epoch = excluded.epoch, total_wh = excluded.total_wh, reverse_wh = excluded.reverse_wh,
             power_w = excluded.power_w, voltage_dv = excluded.voltage_dv, current_ca = excluded.current_ca,
             power_factor = excluded.power_factor, clock_offset_s = excluded.clock_offset_s,
             rate = excluded.rate, tier_wh = excluded.tier_wh, tamper = excluded.tamper, journal = excluded.journal,
             unreadable = excluded.unreadable
         WHERE COALESCE(excluded.observed_at, 0) >= COALESCE(meter_latest.observed_at, 0)",
    )
});

/// Stores a batch in one transaction and charges consumption to server wallets; gives what those then hold. A batch that failed
/// may be stored again.
///
/// # Errors
/// [`StoreError::LockLost`] where another server may read and charge the same meters, or where the database fails;
/// then nothing was stored.
pub async fn write(db: &Db, rng: &Rng, at: Timestamp, batch: &Batch) -> Result<BTreeMap<MeterId, ServerWallet>> {
    let mut tx = db.begin_fenced().await?;
    let mut inserted = 0;
    for (text, rows) in READINGS.pieces(&tx, &batch.readings) {
        inserted += on!(&mut tx, |c| {
            let mut query = sqlx::query(text);
            for r in rows {
                query = query.bind(r.meter_id).bind(r.at).bind(r.quality).bind(r.source).bind(r.status).bind(r.total_wh);
                query = query.bind(r.reverse_wh).bind(r.remaining_fen).bind(r.power_w).bind(r.voltage_dv);
                query = query.bind(r.current_ca).bind(r.power_factor);
                query = query.bind(r.spike_wh).bind(r.peak_wh).bind(r.flat_wh).bind(r.valley_wh).bind(r.sequence);
            }
            query.execute(c).await
        })?;
    }
    // A commit whose answer was lost has stored the readings, and their energy with them.
    if inserted > 0 || batch.readings.is_empty() {
        energy::add(&mut tx, &batch.hours, &batch.days, Some(at)).await?;
    }
    let charged = wallets::charge(&mut tx, rng, at, &batch.metered).await?;
    let mut latest = Cow::from(&batch.latest);
    if !charged.is_empty() {
        latest
            .to_mut()
            .iter_mut()
            .filter_map(|l| Some((charged.get(&l.meter)?, l)))
            .for_each(|(server_wallet, l)| server_wallet.show(l));
    }
    for doubt in &batch.doubts {
        cases::open(&mut tx, rng, at, Some(doubt.meter), None, &doubt.case).await?;
    }
    for (meter, kind) in &batch.mended {
        cases::mend_of_meter(&mut tx, at, *kind, *meter).await?;
    }
    for (meter, mode) in &batch.modes {
        deliveries::adopt_mode(&mut tx, *meter, *mode).await?;
    }
    for change in &batch.events {
        events::apply_late(&mut tx, rng, at, change).await?;
    }
    for (text, rows) in LATEST.pieces(&tx, &latest) {
        on!(&mut tx, |c| {
            let mut query = sqlx::query(text);
            for l in rows {
                query = query.bind(l.meter).bind(l.observed_at).bind(l.lost_since);
                query = query.bind(i64::from(l.status.0)).bind(l.remaining).bind(l.cumulative);
                query = query.bind(i64::from(l.count)).bind(i64::from(l.epoch)).bind(l.total).bind(l.reverse);
                query = query.bind(l.power_w.map(i64::from)).bind(l.voltage_dv.map(i64::from)).bind(l.current_ca.map(i64::from));
                query = query.bind(l.power_factor.map(i64::from)).bind(l.clock_offset_s.map(i64::from));
                query = query.bind(l.rate.map(i64::from)).bind(l.tier);
                query = query.bind(l.tamper.map(i64::from)).bind(l.journal.map(i64::from)).bind(l.unreadable);
            }
            query.execute(c).await
        })?;
    }
    tx.commit().await?;
    Ok(charged)
}

/// The last reading that counted, and the first that was held since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Counted {
    pub meter_id: MeterId,
    /// When the last one that counted was read.
    pub at: Timestamp,
    pub total_wh: Energy,
    /// The counters beside it.
    pub reverse_wh: Option<Energy>,
    /// Of rate 1.
    pub spike_wh: Option<Energy>,
    /// Of rate 2.
    pub peak_wh: Option<Energy>,
    /// Of rate 3.
    pub flat_wh: Option<Energy>,
    /// Of rate 4.
    pub valley_wh: Option<Energy>,
    /// When the first one after it, which was held, was read.
    pub held_since: Option<Timestamp>,
    /// When the last one of all was read.
    pub last_at: Timestamp,
    /// The highest number of the ten minutes up to then: one that arrived late is stored before those that it follows.
    pub last_sequence: Option<i64>,
}

impl Counted {
    /// The reading that the next one is measured against.
    #[must_use]
    pub fn baseline(&self) -> Baseline {
        let rates = rates([self.spike_wh, self.peak_wh, self.flat_wh, self.valley_wh]);
        Baseline { at: self.at, total: self.total_wh, reverse: self.reverse_wh, rates }
    }
}

macro_rules! counted {
    ($which:literal) => {
        concat!(
            "SELECT r.meter_id, r.at, r.total_wh, r.reverse_wh, r.spike_wh, r.peak_wh, r.flat_wh, r.valley_wh,
                    (SELECT MIN(h.at) FROM readings h WHERE h.meter_id = r.meter_id AND h.at > r.at) AS held_since,
                    (SELECT MAX(l.at) FROM readings l WHERE l.meter_id = r.meter_id) AS last_at,
                    (SELECT MAX(l.sequence) FROM readings l WHERE l.meter_id = r.meter_id AND l.at >
                       (SELECT MAX(n.at) FROM readings n WHERE n.meter_id = r.meter_id) - 600000) AS last_sequence
             FROM meters m JOIN readings r ON r.meter_id = m.id AND r.at =
                  (SELECT x.at FROM readings x WHERE x.meter_id = m.id AND",
            counts!("x."),
            "ORDER BY x.at DESC LIMIT 1)
             WHERE ",
            $which
        )
    };
}

/// The last counted reading of every meter in service.
pub async fn counted(db: &Db) -> Result<Vec<Counted>> {
    read!(db, |pool| sqlx::query_as(counted!("m.retired_at IS NULL")).fetch_all(pool).await)
}

/// The last counted reading of a meter.
pub async fn counted_of(db: &Db, meter: MeterId) -> Result<Option<Counted>> {
    read!(db, |pool| sqlx::query_as(counted!("m.id = $1")).bind(meter).fetch_optional(pool).await)
}

#[derive(FromRow)]
struct HeldRow {
    first_at: Timestamp,
    first_wh: Energy,
    at: Timestamp,
    total_wh: Energy,
    lowest_wh: Energy,
    jumped: bool,
}

/// What a meter showed since the reading at `after`, the last that counted, as far as it did not continue that.
pub async fn held_values(db: &Db, meter: MeterId, after: Timestamp) -> Result<Option<HeldValues>> {
    let row: Option<HeldRow> = read!(db, |pool| sqlx::query_as(
        "SELECT f.at AS first_at, f.total_wh AS first_wh, n.at, n.total_wh,
                (SELECT MIN(total_wh) FROM readings WHERE meter_id = $1 AND at > $2 AND quality IN (2, 3, 5)) AS lowest_wh,
                EXISTS (SELECT 1 FROM readings WHERE meter_id = $1 AND at > $2 AND quality = 3) AS jumped
         FROM readings f JOIN readings n ON n.meter_id = f.meter_id
         WHERE f.meter_id = $1 AND f.at = (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at > $2 AND quality IN (2, 3, 5))
           AND n.at = (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at > $2 AND quality IN (2, 3, 5))"
    )
    .bind(meter)
    .bind(after)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|HeldRow { first_at, first_wh, at, total_wh, lowest_wh, jumped }| {
        let grown = Energy((total_wh - first_wh).0.max(0));
        HeldValues { first_at, at, total: total_wh, lowest: lowest_wh, grown, jumped }
    }))
}

/// At most `limit` readings of `[from, to)`, newest first, after the first `skip`.
pub async fn between(db: &Db, meter: MeterId, (from, to): (Timestamp, Timestamp), limit: i64, skip: i64) -> Result<Vec<Reading>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT ",
        reading_columns!(),
        " FROM readings WHERE meter_id = $1 AND at >= $2 AND at < $3 ORDER BY at DESC LIMIT $4 OFFSET $5"
    ))
    .bind(meter)
    .bind(from)
    .bind(to)
    .bind(limit)
    .bind(skip)
    .fetch_all(pool)
    .await)
}

/// How many readings there are in `[from, to)`.
pub async fn count_between(db: &Db, meter: MeterId, (from, to): (Timestamp, Timestamp)) -> Result<i64> {
    let row: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT COUNT(*) FROM readings WHERE meter_id = $1 AND at >= $2 AND at < $3")
            .bind(meter)
            .bind(from)
            .bind(to)
            .fetch_optional(pool)
            .await)?;
    Ok(row.map_or(0, |(count,)| count))
}

/// The lowest and highest power in each of `parts` parts of `[from, to)` that has a reading with power.
pub async fn power_between(
    db: &Db,
    meter: MeterId,
    (from, to): (Timestamp, Timestamp),
    parts: i64,
) -> Result<Vec<(i64, i64, i64)>> {
    let length = (to.since(from) / parts.max(1)).max(1);
    read!(db, |pool| sqlx::query_as(
        "SELECT (at - $2) / $4 AS part, MIN(power_w), MAX(power_w) FROM readings
         WHERE meter_id = $1 AND at >= $2 AND at < $3 AND power_w IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    .bind(meter)
    .bind(from)
    .bind(to)
    .bind(length)
    .fetch_all(pool)
    .await)
}

/// The newest readings, newest first.
pub async fn recent(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<Reading>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT ",
        reading_columns!(),
        " FROM readings WHERE meter_id = $1 ORDER BY at DESC LIMIT $2"
    ))
    .bind(meter)
    .bind(limit)
    .fetch_all(pool)
    .await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_names_the_qualities_that_count() {
        let counts = |code: &i64| ReadingQuality::from_code(*code).is_some_and(ReadingQuality::counts);
        let counted: Vec<String> = (0..100).filter(counts).map(|code| code.to_string()).collect();
        assert_eq!(counts!("r."), format!(" r.quality IN ({}) ", counted.join(", ")));
    }
}
