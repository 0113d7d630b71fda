//! Counters that are held back, and what a person decides about them: from where they count again, and what the gap was.

use model::case::CaseKind;
use model::console::{Gap, HeldCounter, Split};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{CaseId, MeterId};
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::console::{close_in, note_closed};
use super::energy::{self, Day, Hour};
use super::wallets::{self, Metered};
use super::{Db, Result, Tx, on, read};
use domain::classify::Quality;
use domain::rng::Rng;
use domain::rollup::{ConsumptionInterval, Parts};

/// Meters about whose counters something was decided since then.
pub async fn decided_since(db: &Db, since: Timestamp) -> Result<Vec<MeterId>> {
    let rows: Vec<(Uuid,)> =
        read!(db, |pool| sqlx::query_as("SELECT DISTINCT meter_id FROM counter_decisions WHERE decided_at >= $1")
            .bind(since.0)
            .fetch_all(pool)
            .await)?;
    Ok(rows.into_iter().map(|(id,)| MeterId(id)).collect())
}

/// Rate registers whose sum differs from the total by no more are those of that energy: each may lag by its last step.
const REGISTER_SLACK: Energy = Energy(50);

/// The last reading that counted and the newest, where that one is held.
#[derive(FromRow)]
struct Ends {
    last_at: Option<i64>,
    last_wh: Option<i64>,
    last_spike: Option<i64>,
    last_peak: Option<i64>,
    last_flat: Option<i64>,
    last_valley: Option<i64>,
    quality: i64,
    at: i64,
    total_wh: i64,
    spike: Option<i64>,
    peak: Option<i64>,
    flat: Option<i64>,
    valley: Option<i64>,
}

macro_rules! ends {
    () => {
        "SELECT l.at AS last_at, l.total_wh AS last_wh, l.spike_wh AS last_spike, l.peak_wh AS last_peak, l.flat_wh AS last_flat,
                l.valley_wh AS last_valley, n.quality, n.at, n.total_wh, n.spike_wh AS spike, n.peak_wh AS peak, n.flat_wh AS flat,
                n.valley_wh AS valley
         FROM readings n LEFT JOIN readings l ON l.meter_id = n.meter_id AND l.at =
              (SELECT x.at FROM readings x WHERE x.meter_id = $1 AND x.quality IN (0, 1, 6, 7) ORDER BY x.at DESC LIMIT 1)
         WHERE n.meter_id = $1 AND n.at = (SELECT MAX(at) FROM readings WHERE meter_id = $1) AND n.quality BETWEEN 2 AND 5"
    };
}

impl Ends {
    fn held(&self) -> HeldCounter {
        HeldCounter {
            quality: u8::try_from(self.quality).unwrap_or(u8::MAX),
            last: self.last_at.zip(self.last_wh).map(|(at, wh)| (Timestamp(at), Energy(wh))),
            now: (Timestamp(self.at), Energy(self.total_wh)),
            split: self.last_wh.map_or(Split::None, |last| self.by_rate(Gap::Count, Energy(last)).1),
        }
    }

    /// How the energy of a gap falls into rates: as the registers say where they say it for all of it. What they do not say stands at
    /// the flat rate, an estimate.
    fn by_rate(&self, gap: Gap, last: Energy) -> ([Energy; 4], Split) {
        let of = |registers: [Option<i64>; 4]| match registers {
            [Some(spike), Some(peak), Some(flat), Some(valley)] => Some([spike, peak, flat, valley].map(Energy)),
            _ => None,
        };
        let Some(now) = of([self.spike, self.peak, self.flat, self.valley]) else { return ([Energy::ZERO; 4], Split::None) };
        // On the counter that shows the newest value, and before that.
        let (since, before, from) = match gap {
            Gap::Replaced { end, start } => (start, end - last, (start == Energy::ZERO).then_some([Energy::ZERO; 4])),
            Gap::Accept | Gap::Count => {
                (last, Energy::ZERO, of([self.last_spike, self.last_peak, self.last_flat, self.last_valley]))
            }
        };
        let energy = Energy(self.total_wh) - since;
        let grown = from.map(|from| {
            Parts { rates: now, ..Parts::default() }.zip(Parts { rates: from, ..Parts::default() }, |now, from| now - from).rates
        });
        let said = |rates: &[Energy; 4]| {
            let sum = rates.iter().fold(Energy::ZERO, |sum, rate| sum + *rate);
            rates.iter().all(|rate| *rate >= Energy::ZERO) && (energy - sum).0.abs() <= REGISTER_SLACK.0
        };
        let ([spike, peak, flat, valley], known) = match grown.filter(said) {
            Some(rates) => (rates, before == Energy::ZERO),
            None => ([Energy::ZERO, Energy::ZERO, energy, Energy::ZERO], false),
        };
        ([spike, peak, flat + before, valley], if known { Split::Registers } else { Split::Flat })
    }

    /// What passed by the person's word: the quality that the newest reading takes, the energy of the gap, and how it falls into
    /// rates.
    fn settle(&self, gap: Gap) -> std::result::Result<(Quality, Option<ConsumptionInterval>, Split), AppError> {
        let Some((from, last)) = self.held().last else { return Ok((Quality::Begun, None, Split::None)) };
        let now = Energy(self.total_wh);
        let energy = match gap {
            Gap::Accept => return Ok((Quality::Begun, None, Split::None)),
            Gap::Count => now - last,
            Gap::Replaced { end, start } => (end - last) + (now - start),
        };
        let out_of_order = self.at <= from.0;
        let backwards = matches!(gap, Gap::Replaced { end, start } if end < last || start > now);
        if energy < Energy::ZERO || out_of_order || backwards {
            return Err(AppError::Invalid);
        }
        let (rates, split) = self.by_rate(gap, last);
        let parts = Parts { rates, ..Parts::default() };
        Ok((Quality::Settled, Some(ConsumptionInterval { from, to: Timestamp(self.at), energy, parts }), split))
    }
}

/// How a counter stands that is held back; `None` where it counts.
pub async fn held(db: &Db, meter: MeterId) -> Result<Option<HeldCounter>> {
    let row: Option<Ends> = read!(db, |pool| sqlx::query_as(ends!()).bind(meter.0).fetch_optional(pool).await)?;
    Ok(row.map(|ends| ends.held()))
}

/// Settles a counter that is held: from its newest reading on it counts again, and what was missed is counted or not as the
/// person says; with the case, the day's energy and the audit line in one transaction. A counter that counts again by itself
/// needs no decision: then only the case is closed.
///
/// # Errors
/// Refused with [`AppError::NotFound`] and [`AppError::Conflict`] as [`super::console::close_case`] is, with [`AppError::Invalid`]
/// where the counters give no energy.
pub async fn settle(db: &Db, rng: &Rng, at: Timestamp, who: &Who, case: CaseId, gap: Gap, resolution: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let (kind, meter) = close_in(&mut tx, at, who, case, resolution).await?;
    let meter = meter.filter(|_| kind == CaseKind::Reading).ok_or(AppError::NotFound)?;
    let row: Option<Ends> = on!(&mut tx, |c| sqlx::query_as(ends!()).bind(meter.0).fetch_optional(c).await)?;
    let decided = match row {
        Some(ends) => {
            let (energy, split) = decide(&mut tx, rng, at, case, meter, &ends, gap).await?;
            let (choice, split) = (gap.as_str(), split.as_str());
            Some(serde_json::json!({
                "choice": choice, "energy_wh": energy.0, "split": split, "total_wh": ends.total_wh, "at": ends.at,
            }))
        }
        None => None,
    };
    let detail = serde_json::json!({ "kind": kind, "resolution": resolution, "meter": meter, "counter": decided });
    note_closed(&mut tx, at, who, case, &detail).await?;
    tx.commit().await
}

/// Writes the decision down and what follows from it; gives the energy that was counted, and how it falls into rates.
async fn decide(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    case: CaseId,
    meter: MeterId,
    ends: &Ends,
    gap: Gap,
) -> Result<(Energy, Split)> {
    let (quality, interval, split) = ends.settle(gap)?;
    on!(tx, |c| sqlx::query("UPDATE readings SET quality = $1 WHERE meter_id = $2 AND at = $3")
        .bind(quality as i64)
        .bind(meter.0)
        .bind(ends.at)
        .execute(c)
        .await)?;
    let energy = interval.map_or(Energy::ZERO, |interval| interval.energy);
    on!(tx, |c| sqlx::query(
        "INSERT INTO counter_decisions (case_id, meter_id, at, choice, energy_wh, decided_at, split, from_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(case.0)
    .bind(meter.0)
    .bind(ends.at)
    .bind(gap.as_str())
    .bind(energy.0)
    .bind(at.0)
    .bind(split.as_str())
    .bind(interval.map(|interval| interval.from.0))
    .execute(c)
    .await)?;
    if let Some(interval) = interval {
        add(tx, at, meter, &interval).await?;
    }
    let (read_at, total) = (Timestamp(ends.at), Energy(ends.total_wh));
    let metered = Metered { meter, at: read_at, interval, counts: true, total, load: None, before: None };
    wallets::charge(tx, rng, at, &[metered]).await?;
    Ok((energy, split))
}

/// A stretch's energy, to its hours and days.
pub(super) async fn add(tx: &mut Tx, at: Timestamp, meter: MeterId, interval: &ConsumptionInterval) -> Result<()> {
    let hours: Vec<Hour> = interval.by_hour().map(|(hour, energy)| Hour { meter, hour, energy }).collect();
    let days: Vec<Day> = interval.by_day().map(|(day, energy, parts)| Day { meter, day, energy, parts }).collect();
    energy::add(tx, &hours, &days, Some(at)).await
}
