//! What an account looks like, to recognise the form that opened it.

use model::ids::{AccountId, MeterId, Uuid};

use crate::{Db, Result, read};

/// An account that is open or being opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedAccount {
    pub account: AccountId,
    /// In ascending order.
    pub meters: Vec<MeterId>,
    /// Login names and password hashes.
    pub residents: Vec<(String, String)>,
    /// Keys of the forms that its orders were made with.
    pub order_keys: Vec<Uuid>,
}

/// The current account of a meter.
pub async fn opened(db: &Db, meter: MeterId) -> Result<Option<OpenedAccount>> {
    let account: Option<(AccountId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT a.id FROM account_meters m JOIN accounts a ON a.id = m.account_id
         WHERE m.meter_id = $1 AND m.to_at IS NULL AND a.state IN ('opening', 'open')"
    )
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    let Some((account,)) = account else { return Ok(None) };
    let mut meters: Vec<MeterId> =
        read!(db, |pool| sqlx::query_scalar("SELECT meter_id FROM account_meters WHERE account_id = $1 AND to_at IS NULL")
            .bind(account)
            .fetch_all(pool)
            .await)?;
    meters.sort();
    let residents = read!(db, |pool| sqlx::query_as(
        "SELECT u.login, u.password_hash FROM account_residents r JOIN users u ON u.id = r.user_id
         WHERE r.account_id = $1 AND r.to_at IS NULL"
    )
    .bind(account)
    .fetch_all(pool)
    .await)?;
    let order_keys = read!(db, |pool| sqlx::query_scalar("SELECT key FROM orders WHERE account_id = $1 LIMIT 100")
        .bind(account)
        .fetch_all(pool)
        .await)?;
    Ok(Some(OpenedAccount { account, meters, residents, order_keys }))
}
