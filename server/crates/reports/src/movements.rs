//! What changed residents' accounts: the ledger's transfers between an account and everything else, each with the amount of the
//! row of the business that caused it, so that both can be compared.

use model::ids::AccountId;
use model::money::Money;
use model::order::Tender;
use model::report::Heading;
use model::time::Timestamp;
use model::word_enum;
use sqlx::FromRow;

use store::{Result, Tx, on};

word_enum! {
    /// What changed an account.
    pub enum MovementKind {
        Purchase = "purchase",
        Subsidy = "subsidy",
        Return = "return",
        Correction = "correction",
        Refund = "refund",
        Carried = "carried",
        TakenOver = "taken-over",
        Use = "use",
        FinalSettlement = "final",
        /// A final settlement that is paid out, not carried to another meter or account.
        PaidOut = "paid-out",
        WriteOff = "write-off",
        Adjustment = "adjustment",
        Reroute = "reroute",
        Other = "other",
    }
}

impl MovementKind {
    /// The name of one.
    pub const fn heading(self) -> Heading {
        match self {
            Self::Purchase => Heading::Purchase,
            Self::Subsidy => Heading::Subsidy,
            Self::Return => Heading::Return,
            Self::Correction => Heading::Correction,
            Self::Refund => Heading::Refund,
            Self::Carried => Heading::Carried,
            Self::TakenOver => Heading::TakenOver,
            Self::Use => Heading::Consumption,
            Self::FinalSettlement | Self::PaidOut => Heading::FinalSettlement,
            Self::WriteOff => Heading::WriteOff,
            Self::Adjustment => Heading::Adjustment,
            Self::Reroute => Heading::Reroute,
            Self::Other => Heading::OtherChanges,
        }
    }
}

/// Each account with the codes of its three ledger accounts.
macro_rules! account_codes {
    () => {
        "(SELECT 'paid:' || key AS code, id FROM account_keys
          UNION ALL SELECT 'meter:' || key, id FROM account_keys
          UNION ALL SELECT 'wallet:' || key, id FROM account_keys)"
    };
}

/// What each ledger account with an owner held at two instants, and how often it moved between them: the balances of now, less
/// what moved since, so that transfers before the first instant are not read.
macro_rules! balances {
    ($from:literal, $to:literal) => {
        concat!(
            "(SELECT b.account AS code, COALESCE(l.transfers, 0) AS transfers,
                     CAST(b.credits_e4 - b.debits_e4 - COALESCE(l.since_from_e4, 0) AS BIGINT) AS opening_e4,
                     CAST(b.credits_e4 - b.debits_e4 - COALESCE(l.since_to_e4, 0) AS BIGINT) AS closing_e4
              FROM ledger_balances b
              LEFT JOIN (SELECT later.code, SUM(later.e4) AS since_from_e4,
                                SUM(CASE WHEN later.at >= ",
            $to,
            " THEN later.e4 ELSE 0 END) AS since_to_e4, SUM(CASE WHEN later.at < ",
            $to,
            " THEN 1 ELSE 0 END) AS transfers
                         FROM (SELECT credit AS code, amount_e4 AS e4, at FROM ledger_transfers WHERE at >= ",
            $from,
            "                        AND credit LIKE '%:%'
                               UNION ALL
                               SELECT debit, -amount_e4, at FROM ledger_transfers WHERE at >= ",
            $from,
            "                        AND debit LIKE '%:%') AS later
                         GROUP BY later.code) AS l ON l.code = b.account
              WHERE b.account LIKE '%:%')"
        )
    };
}

/// Transfers `x` of `[$2, $3)` by the code of each side of theirs that a condition selects: `side` is 1 where it gains and -1
/// where it loses. `$select` may have [`kind!`] and [`amount!`].
macro_rules! movements {
    ($select:expr, $credit:literal, $debit:literal, $end:expr) => {
        concat!(
            "SELECT ",
            $select,
            " FROM (SELECT credit AS code, debit AS other, 1 AS side, operation, reference, amount_e4, at FROM ledger_transfers
                    WHERE at >= $2 AND at < $3 AND ",
            $credit,
            "       UNION ALL
                    SELECT debit, credit, -1, operation, reference, amount_e4, at FROM ledger_transfers
                    WHERE at >= $2 AND at < $3 AND ",
            $debit,
            ") AS x
             LEFT JOIN orders po ON x.operation IN ('payment', 'delivery', 'refund-cleared') AND po.id = x.reference
             LEFT JOIN returns pv ON pv.sale_id = po.id
             LEFT JOIN returns v ON x.operation IN ('payout', 'withdrawal', 'refund-cleared') AND v.id = x.reference
             LEFT JOIN returns wv ON x.operation = 'withdrawal' AND wv.command_id = x.reference
             LEFT JOIN refunds f ON x.operation IN ('refund-reserve', 'refund-release') AND f.id = x.reference
             LEFT JOIN returns fv ON fv.id = f.return_id
             LEFT JOIN account_closure_meters cm ON x.operation IN ('final', 'write-off') AND cm.id = x.reference
             LEFT JOIN account_closures cl ON cl.id = cm.closure_id
             LEFT JOIN returns cr ON cr.id = cl.return_id AND cr.state = 'done'
             LEFT JOIN meter_consumption mc ON x.operation = 'use' AND mc.id = x.reference
             LEFT JOIN charges ch ON x.operation IN ('consumption', 'consumption-reversal') AND ch.id = x.reference ",
            $end
        )
    };
}

/// The [`MovementKind`] of a row of [`movements!`].
macro_rules! kind {
    () => {
        "CASE x.operation
             WHEN 'payment' THEN CASE WHEN po.tender = 'subsidy' THEN 'subsidy' WHEN po.tender = 'carried' THEN 'carried'
                                      WHEN po.tender = 'taken_over' THEN 'taken-over' WHEN pv.id IS NOT NULL THEN 'correction'
                                      ELSE 'purchase' END
             WHEN 'payout' THEN CASE WHEN v.kind = 'undo_sale' THEN 'correction' ELSE 'return' END
             WHEN 'refund-reserve' THEN CASE WHEN fv.kind = 'undo_sale' THEN 'correction' WHEN fv.kind = 'return' THEN 'return'
                                             ELSE 'refund' END
             WHEN 'refund-release' THEN CASE WHEN fv.kind = 'undo_sale' THEN 'correction' WHEN fv.kind = 'return' THEN 'return'
                                             ELSE 'refund' END
             WHEN 'refund-cleared' THEN CASE WHEN v.kind = 'undo_sale' THEN 'correction' WHEN v.kind = 'return' THEN 'return'
                                             ELSE 'refund' END
             WHEN 'use' THEN CASE WHEN x.other = 'taken-over' THEN 'taken-over' ELSE 'use' END
             WHEN 'consumption' THEN 'use' WHEN 'consumption-reversal' THEN 'use'
             WHEN 'takeover' THEN 'taken-over' WHEN 'write-off' THEN 'write-off'
             WHEN 'final' THEN CASE WHEN cr.id IS NULL OR cl.order_id IS NOT NULL THEN 'final' ELSE 'paid-out' END
             WHEN 'adjustment' THEN 'adjustment' WHEN 'reroute' THEN 'reroute' ELSE 'other' END"
    };
}

/// The amount of a row of [`movements!`] by the row that caused it; nothing where that is missing. Where the ledger is the only
/// one that has the amount, it is the ledger's.
macro_rules! amount {
    () => {
        "x.side * CASE x.operation
             WHEN 'payment' THEN COALESCE(po.amount_fen * 100, 0)
             WHEN 'delivery' THEN COALESCE(po.amount_fen * 100, 0)
             WHEN 'payout' THEN COALESCE(v.amount_fen * 100, 0)
             WHEN 'withdrawal' THEN COALESCE(v.amount_fen * 100, wv.amount_fen * 100, 0)
             WHEN 'refund-reserve' THEN COALESCE(f.amount_fen * 100, 0)
             WHEN 'refund-release' THEN COALESCE(f.amount_fen * 100, 0)
             WHEN 'refund-cleared' THEN COALESCE(po.amount_fen * 100, x.amount_e4)
             WHEN 'final' THEN COALESCE(cm.final_fen * 100, 0)
             WHEN 'write-off' THEN COALESCE(ABS(cm.written_off_e4), 0)
             WHEN 'use' THEN COALESCE(ABS(mc.amount_fen) * 100, 0)
             WHEN 'consumption' THEN COALESCE(ABS(ch.amount_e4), 0)
             WHEN 'consumption-reversal' THEN COALESCE(ABS(ch.amount_e4), 0)
             ELSE x.amount_e4 END"
    };
}

pub(crate) use {account_codes, amount, balances, kind, movements};

/// A change of an account.
#[derive(Clone, Debug, FromRow)]
pub struct Movement {
    pub at: Timestamp,
    pub kind: MovementKind,
    /// Of the order, return or refund.
    pub number: Option<i64>,
    pub tender: Option<Tender>,
    /// By the row that caused it; negative where the account lost it.
    #[sqlx(rename = "amount_e4")]
    pub amount: Money,
    /// By the ledger.
    #[sqlx(rename = "ledger_e4")]
    pub ledger: Money,
}

/// What changed an account in `[from, to)`, in order.
pub async fn of_account(tx: &mut Tx, account: AccountId, from: Timestamp, to: Timestamp) -> Result<Vec<Movement>> {
    on!(tx, |c| sqlx::query_as(movements!(
        concat!(
            "x.at, ",
            kind!(),
            " AS kind, COALESCE(po.number, v.number, f.number) AS number, COALESCE(po.tender, v.tender, f.tender) AS tender,
              CAST(",
            amount!(),
            " AS BIGINT) AS amount_e4, CAST(x.side * x.amount_e4 AS BIGINT) AS ledger_e4"
        ),
        "credit IN ('paid:' || $1, 'meter:' || $1, 'wallet:' || $1)",
        "debit IN ('paid:' || $1, 'meter:' || $1, 'wallet:' || $1)",
        "WHERE x.operation NOT IN ('delivery', 'withdrawal') ORDER BY x.at, x.reference"
    ))
    .bind(account.to_string())
    .bind(from)
    .bind(to)
    .fetch_all(c)
    .await)
}

/// What an account held just before an instant, by the ledger.
pub async fn balance(tx: &mut Tx, account: AccountId, before: Timestamp) -> Result<Money> {
    let sum: Option<(Money,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE((SELECT SUM(amount_e4) FROM ledger_transfers
                               WHERE credit IN ('paid:' || $1, 'meter:' || $1, 'wallet:' || $1) AND at < $2), 0)
                   - COALESCE((SELECT SUM(amount_e4) FROM ledger_transfers
                               WHERE debit IN ('paid:' || $1, 'meter:' || $1, 'wallet:' || $1) AND at < $2), 0) AS BIGINT)"
    )
    .bind(account.to_string())
    .bind(before)
    .fetch_optional(c)
    .await)?;
    Ok(sum.map_or(Money::ZERO, |(sum,)| sum))
}
