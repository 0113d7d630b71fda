//! Stores the energy of places, and how far it was computed.

use std::sync::LazyLock;

use model::ids::PlaceId;
use model::subsidy::Month;
use model::time::{Date, MINUTE, Timestamp};

use super::LateDay;
use super::compute::Rows;
use crate::energy::Sum;
use store::bulk::Bulk;
use store::{Db, Result, Tx, on};

/// After so long without an end the process that computed is taken to be gone.
const LEASE: i64 = 10 * MINUTE;

static DAYS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO place_energy_daily (place_id, day, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh, revised_at)",
        9,
        "",
    )
});

async fn put(tx: &mut Tx, rows: &[(PlaceId, Date, Sum)]) -> Result<()> {
    for (text, rows) in DAYS.pieces(tx, rows) {
        on!(tx, |c| {
            let mut query = sqlx::query(text);
            for (place, day, one) in rows {
                query = query.bind(*place).bind(*day).bind(one.energy).bind(one.parts.reverse);
                for rate in one.parts.rates {
                    query = query.bind(rate);
                }
                query = query.bind(one.revised_at);
            }
            query.execute(c).await
        })?;
    }
    Ok(())
}

/// A range of days as it is now, and the months that are over and have some of it. A place without energy has no row, so that a
/// year of an empty building takes no space.
pub async fn days(db: &Db, (from, until): (Date, Date), rows: &Rows, over: Vec<Month>) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "DELETE FROM place_energy_daily
         WHERE place_id IN (SELECT id FROM places WHERE kind <> 'room') AND day BETWEEN $1 AND $2"
    )
    .bind(from)
    .bind(until)
    .execute(c)
    .await)?;
    let used: Vec<_> = rows.iter().map(|(&(place, day), &energy)| (place, day, energy)).collect();
    put(&mut tx, &used).await?;
    for month in over {
        sum(&mut tx, month).await?;
    }
    tx.commit().await
}

/// Removes what is outside of the days and months that will be computed.
pub async fn clear(db: &Db, (first, last): (Date, Date), current: Month) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM place_energy_daily WHERE day < $1 OR day > $2")
        .bind(first)
        .bind(last)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM place_energy_monthly WHERE month < $1 OR month >= $2")
        .bind(Month::of(first.start()))
        .bind(current)
        .execute(c)
        .await)?;
    tx.commit().await
}

async fn sum(tx: &mut Tx, month: Month) -> Result<()> {
    let (Some(first), Some(next)) = (month.first(), Month(month.0 + 1).first()) else { return Ok(()) };
    on!(tx, |c| sqlx::query("DELETE FROM place_energy_monthly WHERE month = $1").bind(month).execute(c).await)?;
    on!(tx, |c| sqlx::query(
        "INSERT INTO place_energy_monthly (place_id, month, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh, revised_at)
         SELECT p.id, $1, CAST(SUM(d.wh) AS BIGINT), CAST(SUM(d.reverse_wh) AS BIGINT), CAST(SUM(d.spike_wh) AS BIGINT),
                CAST(SUM(d.peak_wh) AS BIGINT), CAST(SUM(d.flat_wh) AS BIGINT), CAST(SUM(d.valley_wh) AS BIGINT),
                MAX(d.revised_at)
         FROM places p JOIN place_energy_daily d ON d.place_id = p.id AND d.day >= $2 AND d.day < $3
         WHERE p.kind <> 'room' GROUP BY p.id"
    )
    .bind(month)
    .bind(first)
    .bind(next)
    .execute(c)
    .await)?;
    Ok(())
}

/// Takes the computation for this process, unless another one has it; `false` where it does.
pub async fn claim(db: &Db, now: Timestamp) -> Result<bool> {
    let mut tx = db.begin().await?;
    let claimed = on!(&mut tx, |c| sqlx::query(
        "UPDATE place_energy_state SET rolling_since = $1
         WHERE rolling_since IS NULL OR rolling_since < $2 OR rolling_since > $1"
    )
    .bind(now)
    .bind(now.plus(-LEASE))
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(claimed > 0)
}

/// Leaves the computation to the next activation of any process.
pub async fn release(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE place_energy_state SET rolling_since = NULL").execute(c).await)?;
    tx.commit().await
}

/// Up to when everything is computed. Notes that came meanwhile stay for the next time.
pub async fn done(db: &Db, late: &[LateDay], now: Timestamp, changes: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    for note in late {
        on!(&mut tx, |c| sqlx::query("DELETE FROM late_energy_days WHERE meter_id = $1 AND day = $2 AND at = $3")
            .bind(note.meter_id)
            .bind(note.day)
            .bind(note.at)
            .execute(c)
            .await)?;
    }
    on!(&mut tx, |c| sqlx::query("UPDATE place_energy_state SET rolled_at = $1, rolled_changes = $2, rolling_since = NULL")
        .bind(now)
        .bind(changes)
        .execute(c)
        .await)?;
    tx.commit().await
}
