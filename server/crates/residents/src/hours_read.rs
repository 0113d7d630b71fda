//! When a meter was read.

use std::collections::BTreeSet;

use model::ids::MeterId;
use model::time::{Date, HOUR};
use store::{Db, Result, counts, read};

/// The hours since the epoch, of a day and the one on each side of it, in which a meter was read.
pub async fn of_day(db: &Db, meter: MeterId, day: Date) -> Result<BTreeSet<i64>> {
    let rows: Vec<(i64,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT DISTINCT at / 3600000 FROM readings WHERE meter_id = $1 AND at >= $2 AND at < $3 AND",
        counts!("")
    ))
    .bind(meter)
    .bind(day.start().plus(-HOUR))
    .bind(day.plus(1).start().plus(HOUR))
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(hour,)| hour).collect())
}
