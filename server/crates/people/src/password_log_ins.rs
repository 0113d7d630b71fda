//! What a right password leads to. It was looked at outside of a transaction, which takes the time of a hash and of waiting for
//! one's turn: a password that was changed meanwhile opens nothing, because the change has ended everything that was open.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::time::Timestamp;
use store::sessions::{self, NewSession, TokenHash};
use store::{Db, Result, StoreError, Tx};

use crate::second_factors::{self, FirstStep};

/// Opens a session of somebody who has proved the password with this hash.
///
/// # Errors
/// Refused with [`AppError::BadCredentials`] where they have another one by now, or were disabled.
pub async fn open(db: &Db, at: Timestamp, session: &NewSession, password_hash: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    require(&mut tx, session.user, password_hash).await?;
    sessions::log_in(&mut tx, at, session, AuditAction::SessionOpen).await?;
    tx.commit().await
}

/// Remembers the first step of somebody who has proved the password with this hash, until the second factor comes.
///
/// # Errors
/// As [`open`].
pub async fn begin(
    db: &Db,
    at: Timestamp,
    (first, password_hash): (&FirstStep, &str),
    token: &TokenHash,
    expires: Timestamp,
) -> Result<()> {
    let mut tx = db.begin().await?;
    require(&mut tx, first.user, password_hash).await?;
    second_factors::begin_within(&mut tx, at, first, token, expires).await?;
    tx.commit().await
}

/// Holds the person until the transaction ends: who changes the password waits, and ends what it has opened.
async fn require(tx: &mut Tx, user: UserId, password_hash: &str) -> Result<()> {
    match sessions::hold_proved(tx, user, password_hash).await {
        Err(StoreError::Refused(AppError::WrongPassword)) => Err(AppError::BadCredentials.into()),
        held => held,
    }
}
