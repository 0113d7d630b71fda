//! The rows of an account.

use model::error::AppError;
use model::ids::{AccountId, MeterId, PlaceId};
use model::money::Fen;
use model::time::Timestamp;

use crate::{Result, Tx, meters, on};

/// What the ledger knows a meter to hold from the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpeningPosition {
    /// Its key epoch; 0 until the meter was read back after its opening.
    pub epoch: u16,
    /// Money commands applied in it.
    pub count: u16,
    /// Credited minus debited in it.
    pub cumulative: Fen,
}

/// Where a meter in service is; it stays there and in service until the transaction ends.
pub(super) async fn place_of(tx: &mut Tx, meter: MeterId) -> Result<PlaceId> {
    meters::lock(tx, meter).await?.ok_or_else(|| AppError::NotFound.into())
}

/// Whether a place has an account that is not closed.
pub(super) async fn has_account(tx: &mut Tx, place: PlaceId) -> Result<bool> {
    let row: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM accounts WHERE place_id = $1 AND closed_at IS NULL")
            .bind(place.0)
            .fetch_optional(c)
            .await)?;
    Ok(row.is_some())
}

/// The row of an account.
pub(super) struct NewAccount<'a> {
    pub id: AccountId,
    pub number: &'a str,
    pub place: PlaceId,
    pub state: &'static str,
    /// From an older system, which opened it.
    pub taken_over: bool,
}

pub(super) async fn account(tx: &mut Tx, at: Timestamp, new: &NewAccount<'_>) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO accounts (id, number, place_id, state, opened_at, taken_over) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(new.id)
    .bind(new.number)
    .bind(new.place)
    .bind(new.state)
    .bind(at)
    .bind(new.taken_over)
    .execute(c)
    .await)?;
    Ok(())
}

pub(super) async fn meter(tx: &mut Tx, at: Timestamp, account: AccountId, meter: MeterId, known: &OpeningPosition) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO account_meters (account_id, meter_id, epoch, count, cumulative_fen, from_at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(account.0)
    .bind(meter.0)
    .bind(i64::from(known.epoch))
    .bind(i64::from(known.count))
    .bind(known.cumulative.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    Ok(())
}
