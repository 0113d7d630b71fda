//! What a new site still lacks; for the console and for `dormwatt check`.

use model::error::AppError;
use model::setup::Checklist;
use model::time::Timestamp;

use super::console::prices;
use domain::checklist::{SiteFacts, checklist};
use estate::checklist;
use payments::Merchant;
use store::Db;

/// The list; `merchants` are those of the configuration.
pub async fn read(db: &Db, at: Timestamp, merchants: &[Merchant]) -> Result<Checklist, AppError> {
    let current = merchants.iter().filter(|merchant| merchant.is_current()).count();
    let channels = i64::try_from(current).unwrap_or(i64::MAX);
    let facts = checklist::facts(db, channels).await?;
    // A list that is hidden, or without prices, need not look at every meter.
    let others =
        if facts.hidden || facts.plans == 0 { 0 } else { prices::checked(db, at).await?.into_values().filter(|is| !is).count() };
    Ok(checklist(&SiteFacts { meters_with_other_prices: i64::try_from(others).unwrap_or(i64::MAX), ..facts }))
}
