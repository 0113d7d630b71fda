//! How many money operations an account's meter has had. A page shows the number with the amount that it promises; another number
//! when it is confirmed means that the amount does not hold any more.

use model::ids::{AccountId, MeterId};

use super::accounts;
use super::{Db, Result, Tx, on, read};

// Orders that wait for money or never got any have moved none. A return counts from its request: it reserves what it takes.
const COUNT: &str =
    "SELECT (SELECT COUNT(*) FROM orders WHERE account_id = $1 AND meter_id = $2 AND state NOT IN ('pending', 'closed'))
                          + (SELECT COUNT(*) FROM returns WHERE meter_id = $2 AND account_id = $1)";

/// Sales and returns so far, whatever became of them.
pub async fn count(db: &Db, account: AccountId, meter: MeterId) -> Result<i64> {
    let row: Option<(i64,)> = read!(db, |pool| sqlx::query_as(COUNT).bind(account).bind(meter).fetch_optional(pool).await)?;
    Ok(row.map_or(0, |(count,)| count))
}

/// [`count`], which stays so until the transaction ends: every sale and return of the account's meter takes the same lock.
pub(super) async fn lock(tx: &mut Tx, account: AccountId, meter: MeterId) -> Result<i64> {
    accounts::takes(tx, account, meter).await?;
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(COUNT).bind(account).bind(meter).fetch_optional(c).await)?;
    Ok(row.map_or(0, |(count,)| count))
}
