//! What a new site still lacks; for the console and for `dormwatt check`.

use model::error::AppError;
use model::setup::Checklist;
use model::time::Timestamp;

use super::console::{meters_with_other_limits, prices};
use domain::checklist::SiteFacts;
use payments::Merchant;
use store::Db;

/// The list; `merchants` are those of the configuration.
pub async fn read(db: &Db, at: Timestamp, merchants: &[Merchant]) -> Result<Checklist, AppError> {
    let current = merchants.iter().filter(|merchant| merchant.is_current()).count();
    let facts = estate::checklist::facts(db, number(current)).await?;
    let others = prices::keep_plan(db, at).await?.into_values().filter(|keeps| !keeps).count();
    let facts = SiteFacts {
        meters_with_other_prices: number(others),
        meters_with_other_limits: number(meters_with_other_limits(db).await?),
        ..facts
    };
    Ok(domain::checklist::checklist(&facts))
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
