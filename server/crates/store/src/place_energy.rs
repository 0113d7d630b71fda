//! What makes energy by place stale: notes of late days, and moves of meters and places. `reports::place_energy` computes it.

use std::collections::BTreeMap;

use model::ids::MeterId;
use model::time::{Date, Timestamp};

use crate::energy::Day;
use crate::{Result, Tx, on};

/// Notes the days of a batch that no activation computes again by itself: those before yesterday, and all where it is not known
/// when they were read.
pub(crate) async fn note_late(tx: &mut Tx, days: &[Day], at: Option<Timestamp>) -> Result<()> {
    let open = at.map_or(Date(i64::MAX), |at| at.date().plus(-1));
    let late: BTreeMap<Date, MeterId> = days.iter().filter(|day| day.day < open).map(|day| (day.day, day.meter)).collect();
    for (day, meter) in late {
        note(tx, meter, day, at.unwrap_or_default()).await?;
    }
    Ok(())
}

async fn note(tx: &mut Tx, meter: MeterId, day: Date, at: Timestamp) -> Result<()> {
    on!(tx, |c| sqlx::query("INSERT INTO late_energy_days (meter_id, day, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(meter)
        .bind(day)
        .bind(at)
        .execute(c)
        .await)?;
    Ok(())
}

/// Everything is to be computed again.
pub async fn invalidate(tx: &mut Tx) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE place_energy_state SET changes = changes + 1").execute(c).await)?;
    Ok(())
}
