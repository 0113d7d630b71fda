//! Held counters, and what operators decide about them: from where they count again, and the energy of the gap.

use model::case::CaseKind;
use model::console::{Gap, HeldCounter, SeenCase, Split};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{CaseId, MeterId};
use model::person::Who;
use model::reading::ReadingQuality;
use model::time::Timestamp;
use sqlx::FromRow;

use super::console::{close_in, note_closed};
use super::energy::{self, Day, Hour};
use super::readings::rates;
use super::wallets::{self, Metered};
use super::{Db, Result, Tx, on, read};
use crate::counts;
use domain::rng::Rng;
use domain::rollup::{ConsumptionInterval, Parts};

/// Meters with a decision about their counter since then.
pub async fn decided_since(db: &Db, since: Timestamp) -> Result<Vec<MeterId>> {
    let rows: Vec<(MeterId,)> =
        read!(db, |pool| sqlx::query_as("SELECT DISTINCT meter_id FROM counter_decisions WHERE decided_at >= $1")
            .bind(since)
            .fetch_all(pool)
            .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How far the sum of the rate registers may differ from the total: each may lag by its last step.
const REGISTER_SLACK: Energy = Energy(50);

/// The last reading that counted and the newest, if that one is held.
#[derive(FromRow)]
struct HeldRow {
    last_at: Option<Timestamp>,
    last_wh: Option<Energy>,
    last_spike: Option<Energy>,
    last_peak: Option<Energy>,
    last_flat: Option<Energy>,
    last_valley: Option<Energy>,
    quality: ReadingQuality,
    at: Timestamp,
    total_wh: Energy,
    spike: Option<Energy>,
    peak: Option<Energy>,
    flat: Option<Energy>,
    valley: Option<Energy>,
}

macro_rules! held_row {
    () => {
        concat!(
            "SELECT l.at AS last_at, l.total_wh AS last_wh, l.spike_wh AS last_spike, l.peak_wh AS last_peak, l.flat_wh
                AS last_flat, l.valley_wh AS last_valley, n.quality, n.at, n.total_wh, n.spike_wh AS spike, n.peak_wh AS peak,
                n.flat_wh AS flat, n.valley_wh AS valley
         FROM readings n LEFT JOIN readings l ON l.meter_id = n.meter_id AND l.at =
              (SELECT x.at FROM readings x WHERE x.meter_id = $1 AND",
            counts!("x."),
            "ORDER BY x.at DESC LIMIT 1)
         WHERE n.meter_id = $1 AND n.at = (SELECT MAX(at) FROM readings WHERE meter_id = $1) AND n.quality BETWEEN 2 AND 5"
        )
    };
}

impl HeldRow {
    fn held(&self) -> HeldCounter {
        HeldCounter {
            quality: self.quality,
            last: self.last_at.zip(self.last_wh),
            now: (self.at, self.total_wh),
            split: self.last_wh.map_or(Split::None, |last| self.by_rate(Gap::Count, last).1),
        }
    }

    /// Splits the energy of a gap into rates: by the registers if they account for all
    /// of it; otherwise at the flat rate, an estimate.
    fn by_rate(&self, gap: Gap, last: Energy) -> ([Energy; 4], Split) {
        let Some(now) = rates([self.spike, self.peak, self.flat, self.valley]) else { return ([Energy::ZERO; 4], Split::None) };
        // On the counter that has the newest value, and before it.
        let (since, before, from) = match gap {
            Gap::Replaced { end, start } => (start, end - last, (start == Energy::ZERO).then_some([Energy::ZERO; 4])),
            Gap::Accept | Gap::Count => {
                (last, Energy::ZERO, rates([self.last_spike, self.last_peak, self.last_flat, self.last_valley]))
            }
        };
        let energy = self.total_wh - since;
        let grown = from.map(|from| {
            Parts { rates: now, ..Parts::default() }.zip(Parts { rates: from, ..Parts::default() }, |now, from| now - from).rates
        });
        let is_whole = |rates: &[Energy; 4]| {
            let sum = rates.iter().fold(Energy::ZERO, |sum, rate| sum + *rate);
            rates.iter().all(|rate| *rate >= Energy::ZERO) && (energy - sum).0.abs() <= REGISTER_SLACK.0
        };
        let ([spike, peak, flat, valley], known) = match grown.filter(is_whole) {
            Some(rates) => (rates, before == Energy::ZERO),
            None => ([Energy::ZERO, Energy::ZERO, energy, Energy::ZERO], false),
        };
        ([spike, peak, flat + before, valley], if known { Split::Registers } else { Split::Flat })
    }

    /// The quality that the newest reading gets, the consumption of the gap, and how it is split into rates.
    fn settle(&self, gap: Gap) -> std::result::Result<(ReadingQuality, Option<ConsumptionInterval>, Split), AppError> {
        let Some((from, last)) = self.held().last else { return Ok((ReadingQuality::Begun, None, Split::None)) };
        let now = self.total_wh;
        let energy = match gap {
            Gap::Accept => return Ok((ReadingQuality::Begun, None, Split::None)),
            Gap::Count => now - last,
            Gap::Replaced { end, start } => (end - last) + (now - start),
        };
        let out_of_order = self.at <= from;
        let backwards = matches!(gap, Gap::Replaced { end, start } if end < last || start > now);
        if energy < Energy::ZERO || out_of_order || backwards {
            return Err(AppError::Invalid);
        }
        let (by_rate, split) = self.by_rate(gap, last);
        let parts = Parts { rates: by_rate, ..Parts::default() };
        Ok((ReadingQuality::Settled, Some(ConsumptionInterval { from, to: self.at, energy, parts }), split))
    }
}

/// The counter of a meter, if it is held.
pub async fn held(db: &Db, meter: MeterId) -> Result<Option<HeldCounter>> {
    let row: Option<HeldRow> = read!(db, |pool| sqlx::query_as(held_row!()).bind(meter).fetch_optional(pool).await)?;
    Ok(row.map(|row| row.held()))
}

/// Settles a held counter: it counts again from its newest reading, and the gap is counted or not as the operator decides; with
/// the case, the day's energy and the audit line in one transaction. If the counter counts
/// again by itself, only the case is closed.
///
/// # Errors
/// Refused with [`AppError::NotFound`] and [`AppError::Conflict`] as [`super::console::close_case`] is, with
/// [`AppError::Invalid`] where the counters give no energy.
pub async fn settle(db: &Db, rng: &Rng, at: Timestamp, who: &Who, seen: SeenCase, gap: Gap, resolution: &str) -> Result<()> {
    let (mut tx, case) = (db.begin().await?, seen.case);
    let (kind, meter) = close_in(&mut tx, at, who, seen, resolution).await?;
    let meter = meter.filter(|_| kind == CaseKind::Reading).ok_or(AppError::NotFound)?;
    let row: Option<HeldRow> = on!(&mut tx, |c| sqlx::query_as(held_row!()).bind(meter).fetch_optional(c).await)?;
    let decided = match row {
        Some(row) => {
            let (energy, split) = decide(&mut tx, rng, at, &Decision { case, meter, gap }, &row).await?;
            Some(serde_json::json!({
                "choice": gap.as_str(), "energy_wh": energy, "split": split, "total_wh": row.total_wh, "at": row.at,
            }))
        }
        None => None,
    };
    let detail = serde_json::json!({ "kind": kind, "resolution": resolution, "meter": meter, "counter": decided });
    note_closed(&mut tx, at, who, case, &detail).await?;
    tx.commit().await
}

/// An operator's decision about a held counter.
struct Decision {
    case: CaseId,
    meter: MeterId,
    gap: Gap,
}

/// Stores a decision and its consequences; gives the energy that was counted, and how it was split into rates.
async fn decide(tx: &mut Tx, rng: &Rng, at: Timestamp, decision: &Decision, row: &HeldRow) -> Result<(Energy, Split)> {
    let Decision { case, meter, gap } = *decision;
    let (quality, interval, split) = row.settle(gap)?;
    on!(tx, |c| sqlx::query("UPDATE readings SET quality = $1 WHERE meter_id = $2 AND at = $3")
        .bind(quality)
        .bind(meter)
        .bind(row.at)
        .execute(c)
        .await)?;
    let energy = interval.map_or(Energy::ZERO, |interval| interval.energy);
    on!(tx, |c| sqlx::query(
        "INSERT INTO counter_decisions (case_id, meter_id, at, choice, energy_wh, decided_at, split, from_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(case)
    .bind(meter)
    .bind(row.at)
    .bind(gap.as_str())
    .bind(energy)
    .bind(at)
    .bind(split)
    .bind(row.last_at)
    .execute(c)
    .await)?;
    if let Some(interval) = interval {
        add(tx, at, meter, &interval).await?;
    }
    let metered = Metered { meter, at: row.at, interval, counts: true, total: row.total_wh, load: None, before: None };
    wallets::charge(tx, rng, at, &[metered]).await?;
    Ok((energy, split))
}

/// Adds the energy of an interval to its hours and days.
pub(super) async fn add(tx: &mut Tx, at: Timestamp, meter: MeterId, interval: &ConsumptionInterval) -> Result<()> {
    let hours: Vec<Hour> = interval.by_hour().map(|(hour, energy)| Hour { meter, hour, energy }).collect();
    let days: Vec<Day> = interval.by_day().map(|(day, energy, parts)| Day { meter, day, energy, parts }).collect();
    energy::add(tx, &hours, &days, Some(at)).await
}
