//! What meters and wallets that exist already may hold.

use domain::site_plan::SiteState;
use model::ids::MeterId;
use model::money::Fen;
use model::parameters::Limits;
use serde::Deserialize;
use store::{JsonText, Result, Tx, on};

/// The part of stored parameters that is used.
#[derive(Deserialize)]
struct StoredLimits {
    limits: Limits,
}

/// Sets the limits of their own that meters without an account have: those of server wallets, and of meters as last read.
pub async fn read(tx: &mut Tx, site: &mut SiteState) -> Result<()> {
    if site.meters.is_empty() {
        return Ok(());
    }
    let wallets: Vec<(MeterId, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT w.meter_id, w.hoarding_fen FROM wallets w JOIN meters m ON m.id = w.meter_id
         WHERE m.wallet = 'server' AND m.retired_at IS NULL AND w.hoarding_fen > 0"
    )
    .fetch_all(c)
    .await)?;
    let stored: Vec<(MeterId, JsonText<StoredLimits>)> = on!(tx, |c| sqlx::query_as(
        "SELECT p.meter_id, p.parameters FROM meter_parameters p JOIN meters m ON m.id = p.meter_id
         WHERE m.wallet = 'meter' AND m.retired_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM account_meters a WHERE a.meter_id = m.id AND a.to_at IS NULL)"
    )
    .fetch_all(c)
    .await)?;
    let read = stored.into_iter().map(|(meter, JsonText(stored))| (meter, i64::from(stored.limits.hoarding)));
    let mut limits: std::collections::HashMap<MeterId, i64> = wallets.into_iter().chain(read).collect();
    for meter in site.meters.values_mut() {
        meter.hoarding = limits.remove(&meter.id).filter(|limit| *limit > 0).map(Fen);
    }
    Ok(())
}
