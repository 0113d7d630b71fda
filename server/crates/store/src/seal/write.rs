//! Writes what a commit adds: the audit lines, the seals, and the head.

use std::fmt::Write;
use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, PgConnection};

use super::{ChainedLine, ChangedSeal, Head, Seals};
use crate::bulk::Bulk;
use crate::{Result, Tx, on};

static INSERT: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new("INSERT INTO seals (tbl, row_key, seal)", 3, "ON CONFLICT (tbl, row_key) DO UPDATE SET seal = excluded.seal")
});
// A row that was changed by hand keeps the seal that it does not fit.
static UPDATE: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "WITH changed (tbl, row_key, before, seal) AS (",
        4,
        ") UPDATE seals SET seal = changed.seal FROM changed
           WHERE seals.tbl = changed.tbl AND seals.row_key = changed.row_key AND seals.seal = changed.before",
    )
});
static LINES: LazyLock<Bulk> =
    LazyLock::new(|| Bulk::new("INSERT INTO audit (seq, at, actor, ip, action, subject, detail, hash)", 8, ""));

/// Changed seals that fit into one statement with the rest.
const FEW: usize = 8;

/// Writes all of it, in the transaction that it belongs to.
pub(super) async fn write(tx: &mut Tx, head: &Head, lines: &[ChainedLine], seals: &Seals) -> Result<()> {
    // A few are changed on PostgreSQL together with what is added.
    let (few, many) = match tx {
        Tx::Postgres(_) if seals.changed.len() <= FEW => (&seals.changed[..], &[][..]),
        _ => (&[][..], &seals.changed[..]),
    };
    for (text, rows) in UPDATE.pieces(tx, many) {
        on!(tx, |c| {
            let query = sqlx::query(text);
            rows.iter()
                .fold(query, |q, (tbl, row, before, seal)| q.bind(tbl).bind(&**row).bind(&before.0[..]).bind(&seal.0[..]))
                .execute(c)
                .await
        })?;
    }
    for (tbl, row) in &seals.removed {
        on!(tx, |c| sqlx::query("DELETE FROM seals WHERE tbl = $1 AND row_key = $2").bind(tbl).bind(&**row).execute(c).await)?;
    }
    match tx {
        Tx::Sqlite(_) => added_on_sqlite(tx, head, lines, seals).await,
        Tx::Postgres(connection) => added_on_postgres(connection, head, lines, seals, few).await,
    }
}

/// Lines, new seals and the head, in a few statements, which cost little on an engine in the same process.
async fn added_on_sqlite(tx: &mut Tx, head: &Head, lines: &[ChainedLine], seals: &Seals) -> Result<()> {
    for (text, lines) in LINES.pieces(tx, lines) {
        on!(tx, |c| {
            let mut query = sqlx::query(text);
            for ChainedLine { seq, at, line, hash } in lines {
                query = query.bind(seq).bind(at);
                query = query.bind(&line.actor).bind(&line.ip).bind(&line.action).bind(&line.subject).bind(&line.detail);
                query = query.bind(hash);
            }
            query.execute(c).await
        })?;
    }
    for (text, rows) in INSERT.pieces(tx, &seals.added) {
        on!(tx, |c| {
            let query = sqlx::query(text);
            rows.iter().fold(query, |q, (tbl, row, seal)| q.bind(tbl).bind(&**row).bind(&seal.0[..])).execute(c).await
        })?;
    }
    on!(tx, |c| sqlx::query(
        "UPDATE audit_head SET seq = $1, hash = $2, sealed_rows = $3, seal_sum = $4, mac = $5 WHERE one = 1"
    )
    .bind(head.seq)
    .bind(&head.hash)
    .bind(head.sealed_rows)
    .bind(&head.seal_sum)
    .bind(&head.mac)
    .execute(c)
    .await)?;
    Ok(())
}

/// The same in one statement, because each is a trip to the server.
async fn added_on_postgres(
    connection: &mut PgConnection,
    head: &Head,
    lines: &[ChainedLine],
    seals: &Seals,
    changed: &[ChangedSeal],
) -> Result<()> {
    let added = &seals.added;
    let texts = |of: fn(&ChainedLine) -> &str| lines.iter().map(of).collect::<Vec<_>>();
    let mut text = String::from(
        "WITH lines AS (
             INSERT INTO audit (seq, at, actor, ip, action, subject, detail, hash)
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                  $8::bytea[])
         ), added AS (
             INSERT INTO seals (tbl, row_key, seal) SELECT * FROM unnest($9::text[], $10::text[], $11::bytea[])
             ON CONFLICT (tbl, row_key) DO UPDATE SET seal = excluded.seal
         )",
    );
    for n in 0..changed.len() {
        // One by one: where several are joined, the planner may read the whole table of seals.
        let first = 17 + 4 * n;
        let (row, before, seal) = (first + 1, first + 2, first + 3);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            ", changed_{n} AS (UPDATE seals SET seal = ${seal} WHERE tbl = ${first} AND row_key = ${row} AND seal = ${before})"
        );
    }
    text.push_str(" UPDATE audit_head SET seq = $12, hash = $13, sealed_rows = $14, seal_sum = $15, mac = $16 WHERE one = 1");
    let query = sqlx::query(AssertSqlSafe(text))
        .bind(lines.iter().map(|line| line.seq).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.at.0).collect::<Vec<_>>())
        .bind(texts(|chained| &chained.line.actor))
        .bind(texts(|chained| &chained.line.ip))
        .bind(texts(|chained| &chained.line.action))
        .bind(texts(|chained| &chained.line.subject))
        .bind(texts(|chained| &chained.line.detail))
        .bind(lines.iter().map(|line| &line.hash[..]).collect::<Vec<_>>())
        .bind(added.iter().map(|(tbl, ..)| *tbl).collect::<Vec<_>>())
        .bind(added.iter().map(|(_, row, _)| &row[..]).collect::<Vec<_>>())
        .bind(added.iter().map(|(.., seal)| &seal.0[..]).collect::<Vec<_>>())
        .bind(head.seq)
        .bind(&head.hash)
        .bind(head.sealed_rows)
        .bind(&head.seal_sum)
        .bind(&head.mac);
    let bound = changed
        .iter()
        .fold(query, |query, (tbl, row, before, seal)| query.bind(tbl).bind(&**row).bind(&before.0[..]).bind(&seal.0[..]));
    bound.execute(connection).await?;
    Ok(())
}
