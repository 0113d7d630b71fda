//! The search for meters by what people quote of them: place, serial number, gateway, account or resident.

use model::console::{MeterLine, Page};
use model::ids::{MeterId, UserId};

use super::meters::{MeterListRow, is_named, line, page};
use store::console::{above, like, names, within};
use store::{Db, Result, read};

/// Meters that the longest word of a text may find. For more of them it is cheaper to look through all.
const MOST: i64 = 2_000;

/// Meters that `$3`, the pattern of one word, finds in any of their columns, at most `$4`. Each table is looked
/// through by itself, which takes a fraction of the time that joining them for every meter does. `CROSS JOIN` is the
/// order in which SQLite reads them.
macro_rules! hits {
    () => {
        "WITH spots AS (SELECT id FROM places WHERE LOWER(name) LIKE LOWER($3) ESCAPE '!'),
         hits AS (SELECT id FROM (
             SELECT m.id FROM spots p CROSS JOIN meters m WHERE m.place_id = p.id
             UNION ALL SELECT m.id FROM spots p CROSS JOIN places r CROSS JOIN meters m
                       WHERE r.parent_id = p.id AND m.place_id = r.id
             UNION ALL SELECT m.id FROM spots p CROSS JOIN places f CROSS JOIN places r CROSS JOIN meters m
                       WHERE f.parent_id = p.id AND r.parent_id = f.id AND m.place_id = r.id
             UNION ALL SELECT m.id FROM meters m WHERE LOWER(m.serial) LIKE LOWER($3) ESCAPE '!'
             UNION ALL SELECT m.id FROM gateways g CROSS JOIN meters m
                       WHERE m.gateway_id = g.id AND LOWER(g.name) LIKE LOWER($3) ESCAPE '!'
             UNION ALL SELECT am.meter_id FROM accounts a CROSS JOIN account_meters am
                       WHERE am.account_id = a.id AND am.to_at IS NULL AND a.number LIKE $3 ESCAPE '!'
             UNION ALL SELECT am.meter_id FROM users u CROSS JOIN account_residents ar CROSS JOIN account_meters am
                       WHERE ar.user_id = u.id AND ar.to_at IS NULL AND am.account_id = ar.account_id AND am.to_at IS NULL
                             AND LOWER(u.name || ' ' || u.login) LIKE LOWER($3) ESCAPE '!') found LIMIT $4) "
    };
}

/// The columns of [`MeterListRow`].
macro_rules! columns {
    () => {
        concat!(
            " m.id, m.serial, m.unit, g.name AS gateway, COALESCE(a.number, '') AS number, CAST(1 AS BIGINT) AS total,
              COALESCE((SELECT string_agg(u.name || ' ' || u.login, ', ' ORDER BY ar.from_at, u.login) FROM account_residents ar
                        JOIN users u ON u.id = ar.user_id WHERE ar.account_id = a.id AND ar.to_at IS NULL), '') AS residents, ",
            names!()
        )
    };
}

/// What they are taken from, behind the meter `m`.
macro_rules! joined {
    () => {
        concat!(
            " JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id ",
            above!(),
            " LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL
              LEFT JOIN accounts a ON a.id = am.account_id "
        )
    };
}

/// A page of the meters in service in whose columns the words of the text occur in their order; the caller adds the newest state.
/// Those of which the text is a whole name or number come first. `None` where so many may match that [`super::meters()`] is the
/// better way to find them.
pub async fn search(db: &Db, operator: UserId, text: &str, number: i64) -> Result<Option<Page<MeterLine>>> {
    let text = text.trim();
    // Of two that are equally long the last, which mostly is the room.
    let Some(word) = text.split_whitespace().max_by_key(|word| word.chars().count()) else { return Ok(None) };
    let rows: Vec<MeterListRow> = read!(db, |pool| sqlx::query_as(concat!(
        hits!(),
        ", page AS (SELECT",
        columns!(),
        ", COALESCE(t.name, '') || ' ' || COALESCE(b.name, '') || ' ' || r.name AS place,
             t.sort AS top, b.sort AS middle, r.sort AS bottom, ",
        is_named!("$6", "m.serial", "a.number"),
        " AS is_named
             FROM (SELECT DISTINCT id FROM hits WHERE (SELECT COUNT(*) FROM hits) < $4) h CROSS JOIN meters m",
        joined!(),
        "WHERE m.id = h.id AND m.retired_at IS NULL AND",
        within!(),
        ") SELECT id, serial, unit, gateway, residents, room, floor, building, COUNT(*) OVER () AS total FROM page
         WHERE LOWER(place || ' ' || serial || ' ' || gateway || ' ' || number || ' ' || residents)
               LIKE LOWER($2) ESCAPE '!'
         ORDER BY is_named DESC, top, middle, bottom, unit, id LIMIT $5 OFFSET $7"
    ))
    .bind(operator)
    .bind(like(text))
    .bind(like(word))
    .bind(MOST)
    .bind(Page::<MeterLine>::SIZE)
    .bind(text)
    .bind(number * Page::<MeterLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    if rows.is_empty() && is_common(db, word).await? {
        return Ok(None);
    }
    Ok(Some(page(rows)))
}

/// Whether a word finds more meters than [`search`] looks at.
async fn is_common(db: &Db, word: &str) -> Result<bool> {
    let sql = concat!(hits!(), "SELECT COUNT(*) FROM hits WHERE $1 <> '' AND $2 <> ''");
    let found: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as(sql).bind(word).bind(word).bind(like(word)).bind(MOST).fetch_optional(pool).await)?;
    Ok(found.is_some_and(|(count,)| count >= MOST))
}

/// A meter in service that the operator may see. The caller adds its newest state.
pub async fn meter_line(db: &Db, operator: UserId, meter: MeterId) -> Result<Option<MeterLine>> {
    let row: Option<MeterListRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        columns!(),
        "FROM meters m",
        joined!(),
        "WHERE m.id = $2 AND m.retired_at IS NULL AND",
        within!()
    ))
    .bind(operator)
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(line))
}
