//! Energy that passed while no price plan held at its meter: kept, shown and a case, until there is one. So one room without prices
//! never holds up the readings of others, and nothing is lost of it.

use model::case::{CaseDetail, CaseKind};
use model::energy::Energy;
use model::ids::{AccountId, MeterId};
use model::time::Timestamp;

use super::Row;
use crate::cases;
use crate::{Result, StoreError, Tx, on};
use domain::rng::Rng;
use domain::tariff::Passed;

/// Keeps what passed, and opens a case for a person who gives the place a plan.
pub(super) async fn keep(tx: &mut Tx, rng: &Rng, row: &mut Row, account: AccountId, passed: &Passed) -> Result<()> {
    let rates = passed.rates.map(|rates| rates.map(|energy| energy.0));
    on!(tx, |c| sqlx::query(
        "INSERT INTO uncharged (meter_id, account_id, from_at, at, wh, rates) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(row.meter_id)
    .bind(account.0)
    .bind(passed.from.0)
    .bind(passed.to.0)
    .bind(passed.energy.0)
    .bind(serde_json::json!(rates).to_string())
    .execute(c)
    .await)?;
    row.uncharged_wh += passed.energy.0;
    let case = CaseDetail::Unpriced { since: passed.from };
    cases::open(tx, rng, passed.to, Some(MeterId(row.meter_id)), None, &case).await
}

/// Gives what waits, in its order, to be charged in the caller's transaction; its case is over.
pub(super) async fn take(tx: &mut Tx, at: Timestamp, row: &mut Row) -> Result<Vec<Passed>> {
    let kept: Vec<(i64, i64, i64, String)> =
        on!(tx, |c| sqlx::query_as("DELETE FROM uncharged WHERE meter_id = $1 RETURNING from_at, at, wh, rates")
            .bind(row.meter_id)
            .fetch_all(c)
            .await)?;
    let passed = |(from, to, wh, rates): (i64, i64, i64, String)| {
        let broken = StoreError::Inconsistent { table: "uncharged", column: "rates" };
        let rates: Option<[i64; 4]> = serde_json::from_str(&rates).map_err(|_| broken)?;
        let rates = rates.map(|rates| rates.map(Energy));
        Ok(Passed { from: Timestamp(from), to: Timestamp(to), energy: Energy(wh), rates })
    };
    let mut all: Vec<Passed> = kept.into_iter().map(passed).collect::<Result<_>>()?;
    all.sort_unstable_by_key(|passed| passed.to);
    row.uncharged_wh = 0;
    cases::resolve(tx, at, CaseKind::Unpriced, MeterId(row.meter_id), "charged").await?;
    Ok(all)
}
