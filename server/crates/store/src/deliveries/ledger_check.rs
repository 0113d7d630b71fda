//! What meters should show by the books, and the cases for those that do not.

use model::case::{CaseDetail, CaseKind};
use model::ids::MeterId;
use model::meter::ControlMode;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::cases;
use crate::{Db, Result, StoreError, Tx, on, read};
use domain::ledger_position::{ExpectedState, LedgerPosition};
use domain::meter_state::StateBlock;
use domain::rng::Rng;

#[derive(FromRow)]
struct ExpectedRow {
    meter_id: MeterId,
    mode: Option<ControlMode>,
    number: Option<String>,
    epoch: Option<i64>,
    count: Option<i64>,
    cumulative_fen: Option<i64>,
}

impl ExpectedRow {
    fn expected(&self) -> Result<ExpectedState> {
        let account = match (&self.number, self.epoch, self.count, self.cumulative_fen) {
            (Some(number), Some(epoch), Some(count), Some(cumulative)) => {
                let number = number.parse().map_err(|_| StoreError::Inconsistent { table: "accounts", column: "number" })?;
                let position = LedgerPosition::from_row((epoch, count, cumulative));
                Some((number, position.ok_or(StoreError::Inconsistent { table: "account_meters", column: "count" })?))
            }
            _ => None,
        };
        Ok(ExpectedState { account, mode: self.mode })
    }
}

/// Meters with a wallet whose account is neither being opened nor closed, so that the books say what they should show.
macro_rules! expected {
    ($which:literal) => {
        concat!(
            "SELECT m.id AS meter_id, m.mode, a.number, am.epoch, am.count, am.cumulative_fen
             FROM meters m LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL
             LEFT JOIN accounts a ON a.id = am.account_id
             WHERE m.wallet = 'meter' AND m.retired_at IS NULL AND COALESCE(a.state, 'open') = 'open'
               AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.kind IN ('open', 'close', 'close_foreign')
                               AND c.state IN ('queued', 'sending', 'case')) AND ",
            $which
        )
    };
}

/// What every meter with a wallet should show.
pub async fn expected_states(db: &Db) -> Result<Vec<(MeterId, ExpectedState)>> {
    let rows: Vec<ExpectedRow> = read!(db, |pool| sqlx::query_as(expected!("1 = 1")).fetch_all(pool).await)?;
    rows.into_iter().map(|row| Ok((row.meter_id, row.expected()?))).collect()
}

/// What became of a difference that was looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfirmedDifference {
    /// What the meter should show; `None` while the books do not say.
    pub expected: Option<ExpectedState>,
    /// The kinds of cases that are open for it.
    pub cases: Vec<CaseKind>,
}

/// Opens the cases for a meter that does not show what it should if nothing explains it: no money command that is being sent or
/// ended since reading began, no open delivery case, and for the mode no command of that kind.
pub async fn confirm_difference(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    read_from: Timestamp,
    seen: &StateBlock,
) -> Result<ConfirmedDifference> {
    // One state of the database: between two, a command could end that explains the difference in neither.
    let mut tx = db.begin_reading().await?;
    let row: Option<ExpectedRow> = on!(&mut tx, |c| sqlx::query_as(expected!("m.id = $1")).bind(meter).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(ConfirmedDifference::default()) };
    let expected = row.expected()?;
    let explained: Option<(bool, bool)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = $1 AND c.money
                          AND (c.state = 'sending' OR c.finished_at >= $2))
                OR EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = $1 AND k.closed_at IS NULL AND k.kind = 'delivery'),
                EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = $1 AND c.kind = 'mode'
                          AND (c.state = 'sending' OR c.finished_at >= $2))"
    )
    .bind(meter)
    .bind(read_from)
    .fetch_optional(c)
    .await)?;
    drop(tx);
    let (money, mode) = explained.unwrap_or_default();
    let compared = ExpectedState { mode: expected.mode.filter(|_| !mode), ..expected };
    let found = [compared.ledger_case(seen), compared.change_case(seen)].into_iter().flatten();
    let found: Vec<CaseDetail> = found.filter(|_| !money).collect();
    if !found.is_empty() {
        let mut tx = db.begin().await?;
        for case in &found {
            cases::follow(&mut tx, rng, at, meter, case).await?;
        }
        tx.commit().await?;
    }
    Ok(ConfirmedDifference { expected: Some(expected), cases: found.iter().map(CaseDetail::kind).collect() })
}

/// Remembers the control mode of a meter of which none is known, in the caller's transaction.
pub(crate) async fn adopt_mode(tx: &mut Tx, meter: MeterId, mode: ControlMode) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE meters SET mode = $1 WHERE id = $2 AND mode IS NULL")
        .bind(mode)
        .bind(meter)
        .execute(c)
        .await)?;
    Ok(())
}

/// Sets the control mode that a meter should show, in the caller's transaction; `None` where a command may have changed it.
pub(super) async fn expect_mode(tx: &mut Tx, meter: MeterId, mode: Option<ControlMode>) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE meters SET mode = $1 WHERE id = $2").bind(mode).bind(meter).execute(c).await)?;
    Ok(())
}
