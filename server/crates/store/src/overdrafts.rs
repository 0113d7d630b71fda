//! Overdraft limits of meters that the server raised, for friendly hours or emergency credit.

use std::collections::HashMap;

use model::ids::MeterId;
use sqlx::FromRow;

use super::{Result, Tx, on};

#[derive(FromRow)]
struct RaisedRow {
    meter_id: MeterId,
    limit_fen: i64,
}

/// The meters whose limit is raised now, with the limit.
pub(super) async fn raised(tx: &mut Tx) -> Result<HashMap<MeterId, u32>> {
    let rows: Vec<RaisedRow> =
        on!(tx, |c| sqlx::query_as("SELECT meter_id, limit_fen FROM meter_overdrafts WHERE limit_fen > base_fen")
            .fetch_all(c)
            .await)?;
    Ok(rows.into_iter().filter_map(|row| Some((row.meter_id, u32::try_from(row.limit_fen).ok()?))).collect())
}

/// The limit that a meter has without what the server raised; `None` while it has not.
pub(super) async fn base(tx: &mut Tx, meter: MeterId) -> Result<Option<u32>> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as("SELECT base_fen FROM meter_overdrafts WHERE meter_id = $1")
        .bind(meter)
        .fetch_optional(c)
        .await)?;
    Ok(row.and_then(|(base,)| u32::try_from(base).ok()))
}
