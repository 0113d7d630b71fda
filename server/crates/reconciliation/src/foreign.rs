//! What other systems took and gave back under the same merchant number: listed, and in no total, case or fee of ours.

use model::ids::StatementId;
use model::money::Fen;
use model::order::Tender;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use domain::statement::{LineKind, StatementLine};
use store::bulk::Bulk;
use store::{Db, Result, StoreError, Tx, on, read};

/// A line of a statement that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignLine {
    pub kind: LineKind,
    pub out_trade_no: String,
    pub trade_no: String,
    pub amount: Fen,
    pub at: Timestamp,
}

#[derive(FromRow)]
struct ForeignRow {
    kind: LineKind,
    out_trade_no: String,
    trade_no: String,
    amount_fen: i64,
    at: i64,
}

static LINES: std::sync::LazyLock<Bulk> = std::sync::LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO foreign_statement_lines (statement_id, line, kind, out_trade_no, trade_no, refund_no, amount_fen, at)",
        8,
        "",
    )
});

pub(super) async fn insert(tx: &mut Tx, statement: StatementId, lines: &[StatementLine]) -> Result<()> {
    let numbered: Vec<(i64, &StatementLine)> = (1..).zip(lines).collect();
    for (text, piece) in LINES.pieces(tx, &numbered) {
        let inserted = on!(tx, |c| {
            let mut query = sqlx::query(text);
            for (number, line) in piece {
                query = query
                    .bind(statement)
                    .bind(*number)
                    .bind(line.kind)
                    .bind(&line.out_trade_no)
                    .bind(&line.trade_no)
                    .bind(line.refund_no.as_deref())
                    .bind(line.amount.0)
                    .bind(line.at.0);
            }
            query.execute(c).await
        })?;
        if inserted != piece.len() as u64 {
            return Err(StoreError::Inconsistent { table: "foreign_statement_lines", column: "line" });
        }
    }
    Ok(())
}

/// The first `limit` foreign lines of the valid statement of a day.
pub async fn foreign_lines(db: &Db, channel: Tender, day: Date, limit: i64) -> Result<Vec<ForeignLine>> {
    let rows: Vec<ForeignRow> = read!(db, |pool| sqlx::query_as(
        "SELECT l.kind, l.out_trade_no, l.trade_no, l.amount_fen, l.at
         FROM settlement_days s JOIN foreign_statement_lines l ON l.statement_id = s.statement_id
         WHERE s.channel = $1 AND s.day = $2 ORDER BY l.line LIMIT $3"
    )
    .bind(channel)
    .bind(day)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    let line = |row: ForeignRow| ForeignLine {
        kind: row.kind,
        out_trade_no: row.out_trade_no,
        trade_no: row.trade_no,
        amount: Fen(row.amount_fen),
        at: Timestamp(row.at),
    };
    Ok(rows.into_iter().map(line).collect())
}
