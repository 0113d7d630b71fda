//! Carrying a decision out, in the transaction that decides it.

use model::approval::Decision;
use model::error::AppError;
use model::person::Who;
use model::time::Timestamp;
use serde_json::Value;

use super::{RequestRow, meter};
use crate::{Result, Tx, prices, refunds, subsidies};
use domain::meter_state::StateBlock;
use domain::rng::Rng;

/// In the name of who asked. Gives what the audit log says about it besides the lines of the decision itself.
pub(super) async fn carry_out(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    asker: &Who,
    row: &RequestRow,
    seen: Option<&StateBlock>,
) -> Result<Value> {
    match &row.args.0 {
        Decision::Subsidy { place, from, per, amount } => {
            let rule = domain::subsidy::Rule { place: *place, from: *from, per: *per, amount: *amount };
            subsidies::decide_within(tx, at, asker, &rule).await?;
        }
        Decision::Prices { plan, effective_at, prices } => {
            let new = prices::Publication { plan: plan.clone(), effective_at: *effective_at, prices: prices.clone() };
            prices::publish_within(tx, rng, at, Some(asker), &new).await?;
        }
        Decision::PricePlace { place, plan } => prices::assign_within(tx, at, Some(asker), *place, *plan).await?,
        Decision::PriceGroup { group, plan } => prices::assign_group_within(tx, at, Some(asker), *group, *plan).await?,
        Decision::WriteOff { order } => refunds::write_off_within(tx, rng, at, asker, *order, &row.reason).await?,
        Decision::CloseForeign { meter } => {
            return meter::close_foreign(tx, rng, at, *meter, row, seen.ok_or(AppError::Internal)?).await;
        }
        Decision::Adjustment { meter } => {
            return meter::correct(tx, rng, at, *meter, row, seen.ok_or(AppError::Internal)?).await;
        }
    }
    Ok(Value::Null)
}
