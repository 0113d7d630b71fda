//! The amounts in commands against the orders and returns that they are for.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use model::money::Fen;
use sqlx::FromRow;

use super::{Difference, Figure, Report, Rule};
use crate::{Result, Tx, on};
use domain::command_args::CommandArgs;
use domain::money_rule::MoneyOperation;

/// A command that moves money for an order or a return.
#[derive(FromRow)]
struct MoneyCommandRow {
    number: i64,
    args: String,
    amount_fen: Fen,
}

/// A credit is of its order's amount and number, a debit of its return's amount.
pub(super) async fn verify(tx: &mut Tx, report: &mut Report) -> Result<()> {
    on!(tx, |c| {
        let rows = sqlx::query_as(
            "SELECT o.number, c.args, o.amount_fen FROM commands c JOIN orders o ON o.id = c.order_id WHERE c.kind = 'credit'
             UNION ALL
             SELECT r.number, c.args, r.amount_fen FROM commands c JOIN returns r ON r.command_id = c.id WHERE c.kind = 'debit'",
        );
        compare(rows.fetch(c), report).await
    })?;
    Ok(())
}

/// One row at a time: there is one for each sale that was ever made.
async fn compare(
    mut rows: BoxStream<'_, std::result::Result<MoneyCommandRow, sqlx::Error>>,
    report: &mut Report,
) -> std::result::Result<Option<()>, sqlx::Error> {
    while let Some(row) = rows.try_next().await? {
        let amount = match serde_json::from_str(&row.args).ok() {
            Some(CommandArgs::Money(MoneyOperation::Credit { order, amount })) if i64::try_from(order) == Ok(row.number) => {
                i64::from(amount)
            }
            Some(CommandArgs::Money(MoneyOperation::Debit { amount, .. })) => i64::from(amount),
            _ => 0,
        };
        if amount != row.amount_fen.0 {
            report.differences.push(Difference {
                rule: Rule::CommandAmount,
                subject: row.number.to_string(),
                expected: Figure::Money(row.amount_fen.money()),
                found: Figure::Money(Fen(amount).money()),
            });
        }
    }
    Ok(None)
}
