//! What meters should hold by the ledger, and the case for a meter that does not.

use model::case::{CaseDetail, MeterPosition};
use model::ids::MeterId;
use model::time::Timestamp;

use crate::cases;
use crate::{Db, Result, read};
use domain::ledger_position::LedgerPosition;
use domain::rng::Rng;

/// What every meter with an open account should hold.
pub async fn ledger_positions(db: &Db) -> Result<Vec<(MeterId, LedgerPosition)>> {
    let rows: Vec<(MeterId, i64, i64, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.meter_id, m.epoch, m.count, m.cumulative_fen
         FROM account_meters m JOIN accounts a ON a.id = m.account_id WHERE m.to_at IS NULL AND a.state = 'open'
           AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.meter_id AND c.kind = 'open'
                           AND c.state IN ('queued', 'sending', 'case'))"
    )
    .fetch_all(pool)
    .await)?;
    let position = |(meter, epoch, count, fen)| LedgerPosition::from_row((epoch, count, fen)).map(|position| (meter, position));
    Ok(rows.into_iter().filter_map(position).collect())
}

/// Opens a case for a meter that does not hold what it should if nothing explains it: no money command that is being sent or
/// ended since reading began, no open delivery case. Gives what the meter should hold; `None` if no account is open on it.
pub async fn confirm_difference(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    read_from: Timestamp,
    seen: LedgerPosition,
) -> Result<Option<LedgerPosition>> {
    let row: Option<(i64, i64, i64, bool)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.epoch, m.count, m.cumulative_fen,
                EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.meter_id AND c.money
                        AND (c.state = 'sending' OR c.finished_at >= $2 OR (c.kind = 'open' AND c.state IN ('queued', 'case'))))
                OR EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.meter_id AND k.closed_at IS NULL
                           AND k.kind IN ('delivery', 'meter-differs'))
         FROM account_meters m JOIN accounts a ON a.id = m.account_id
         WHERE m.meter_id = $1 AND m.to_at IS NULL AND a.state = 'open'",
    )
    .bind(meter)
    .bind(read_from)
    .fetch_optional(pool)
    .await)?;
    let Some((epoch, count, cumulative, explained)) = row else { return Ok(None) };
    let Some(expected) = LedgerPosition::from_row((epoch, count, cumulative)) else { return Ok(None) };
    if expected != seen && !explained {
        let position = |of: LedgerPosition| MeterPosition {
            epoch: Some(of.epoch),
            count: Some(of.count),
            cumulative: Some(of.cumulative),
            ..MeterPosition::default()
        };
        let case = CaseDetail::MeterDiffers { ledger: position(expected), meter: position(seen) };
        let mut tx = db.begin().await?;
        cases::open(&mut tx, rng, at, Some(meter), None, &case).await?;
        tx.commit().await?;
        tracing::warn!(meter = %meter, "meter.differs");
    }
    Ok(Some(expected))
}
