//! Energy that was used while no price plan applied to its meter: stored, shown, and a case until a plan is assigned. So a room
//! without prices never delays the readings of others, and no energy is lost.

use model::case::{CaseDetail, CaseKind};
use model::energy::Energy;
use model::ids::AccountId;
use model::time::Timestamp;
use sqlx::FromRow;

use super::WalletRow;
use crate::cases;
use crate::{JsonText, Result, Tx, on};
use domain::rng::Rng;
use domain::tariff::Passed;

/// Stores energy without a price plan, and opens a case for an operator who assigns one.
pub(super) async fn store(tx: &mut Tx, rng: &Rng, row: &mut WalletRow, account: AccountId, passed: &Passed) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO uncharged (meter_id, account_id, from_at, at, wh, rates) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(row.meter_id)
    .bind(account)
    .bind(passed.from)
    .bind(passed.to)
    .bind(passed.energy)
    .bind(JsonText(passed.rates))
    .execute(c)
    .await)?;
    row.uncharged_wh = row.uncharged_wh + passed.energy;
    let case = CaseDetail::Unpriced { since: passed.from };
    cases::open(tx, rng, passed.to, Some(row.meter_id), None, &case).await
}

#[derive(FromRow)]
struct UnchargedRow {
    from_at: Timestamp,
    at: Timestamp,
    wh: Energy,
    rates: JsonText<Option<[Energy; 4]>>,
}

/// Deletes and gives the energy that waits for a price plan, in order, to be
/// charged in the caller's transaction; closes its case.
pub(super) async fn remove(tx: &mut Tx, at: Timestamp, row: &mut WalletRow) -> Result<Vec<Passed>> {
    let rows: Vec<UnchargedRow> =
        on!(tx, |c| sqlx::query_as("DELETE FROM uncharged WHERE meter_id = $1 RETURNING from_at, at, wh, rates")
            .bind(row.meter_id)
            .fetch_all(c)
            .await)?;
    let passed = |row: UnchargedRow| Passed { from: row.from_at, to: row.at, energy: row.wh, rates: row.rates.0 };
    let mut all: Vec<Passed> = rows.into_iter().map(passed).collect();
    all.sort_unstable_by_key(|passed| passed.to);
    row.uncharged_wh = Energy::ZERO;
    cases::resolve(tx, at, CaseKind::Unpriced, row.meter_id, "charged").await?;
    Ok(all)
}
