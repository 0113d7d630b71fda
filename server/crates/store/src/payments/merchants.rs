//! Which merchants of ours the open payments and refunds are of.

use model::order::Tender;
use sqlx::FromRow;

use crate::{Db, Result, read};

/// A merchant and application at a channel.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MerchantInUse {
    pub channel: Tender,
    pub app_id: String,
    pub seller_id: String,
}

/// Those with an attempt that is queried, or a refund that is sent.
pub async fn merchants_in_use(db: &Db) -> Result<Vec<MerchantInUse>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT DISTINCT p.channel, p.app_id, p.seller_id FROM payment_attempts p
         WHERE p.state IN ('pending', 'closing', 'held')
            OR EXISTS (SELECT 1 FROM refunds f WHERE f.attempt_id = p.id AND f.state = 'sending')
         ORDER BY p.channel, p.app_id, p.seller_id"
    )
    .fetch_all(pool)
    .await)
}
