//! What a new site still lacks; for the console and for `dormwatt check`.

use model::error::AppError;
use model::setup::Checklist;

use domain::checklist::checklist;
use estate::checklist;
use payments::Merchant;
use store::Db;

/// The list; `merchants` are those of the configuration.
pub async fn read(db: &Db, merchants: &[Merchant]) -> Result<Checklist, AppError> {
    let current = merchants.iter().filter(|merchant| merchant.is_current()).count();
    let channels = i64::try_from(current).unwrap_or(i64::MAX);
    Ok(checklist(&checklist::facts(db, channels).await?))
}
