//! Meters whose server wallet is below zero: energy that was consumed and not paid.

use model::console::{Overdrawn, OverdrawnLine, Page};
use model::ids::{MeterId, UserId};
use model::meter::StatusWord;
use model::money::Money;
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, read};

#[derive(FromRow)]
struct OverdrawnRow {
    meter_id: MeterId,
    number: String,
    residents: String,
    balance_e4: Money,
    negative_since: Timestamp,
    closed: bool,
    status: Option<i64>,
    observed_at: Option<Timestamp>,
    lost_since: Option<Timestamp>,
    unreadable: bool,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
    sum_e4: Money,
}

/// A page of overdrawn meters, the largest debt first, with the sum of all. A negative page gives them all.
pub async fn overdrawn(db: &Db, operator: UserId, page: i64) -> Result<Overdrawn> {
    let size = Page::<OverdrawnLine>::SIZE;
    let (limit, offset) = if page < 0 { (i64::MAX, 0) } else { (size, page * size) };
    let rows: Vec<OverdrawnRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT w.meter_id, k.number, l.credits_e4 - l.debits_e4 AS balance_e4, w.negative_since, w.closed, s.status,
                s.observed_at, s.lost_since, COALESCE(s.unreadable, FALSE) AS unreadable, COUNT(*) OVER () AS total,
                CAST(SUM(l.credits_e4 - l.debits_e4) OVER () AS BIGINT) AS sum_e4,
                COALESCE((SELECT string_agg(u.name, ', ' ORDER BY ar.from_at, u.login)
                          FROM account_residents ar JOIN users u ON u.id = ar.user_id
                          WHERE ar.account_id = k.id AND ar.to_at IS NULL), '') AS residents,",
        names!(),
        "FROM wallets w JOIN account_keys k ON k.id = w.account_id
         JOIN ledger_balances l ON l.account = 'wallet:' || k.key AND l.credits_e4 < l.debits_e4
         LEFT JOIN meter_latest s ON s.meter_id = w.meter_id
         JOIN meters m ON m.id = w.meter_id AND m.retired_at IS NULL JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE w.negative_since IS NOT NULL AND",
        within!(),
        "ORDER BY balance_e4, w.meter_id LIMIT $2 OFFSET $3"
    ))
    .bind(operator)
    .bind(limit)
    .bind(offset)
    .fetch_all(pool)
    .await)?;
    let (total, sum) = rows.first().map_or((0, Money::ZERO), |row| (row.total, row.sum_e4));
    let lines = rows.into_iter().map(|row| OverdrawnLine {
        meter: row.meter_id,
        room: row.name.into(),
        number: row.number,
        residents: row.residents,
        owed: -row.balance_e4,
        since: row.negative_since,
        should_be_closed: row.closed,
        relay: row.observed_at.map(|at| {
            let status = StatusWord(row.status.and_then(|word| u16::try_from(word).ok()).unwrap_or_default());
            (status.relay_closed(), at)
        }),
        lost_since: row.lost_since,
        unreadable: row.unreadable,
    });
    Ok(Overdrawn { page: Page { lines: lines.collect(), total }, owed: -sum })
}
