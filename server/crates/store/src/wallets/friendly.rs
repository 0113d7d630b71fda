//! Server wallets in friendly hours and with emergency credit: the relay follows.

use model::ids::MeterId;
use model::meter::Wallet as Kind;
use model::time::Timestamp;

use super::{kind, lock, save};
use crate::{Db, Result, Tx};
use domain::rng::Rng;

/// Stores until when these wallets are not tripped for arrears; `None`: they are. In the order of the meters, so that two
/// transactions never wait for each other's rows.
pub async fn set_friendly(db: &Db, rng: &Rng, at: Timestamp, wallets: &[(MeterId, Option<Timestamp>)]) -> Result<()> {
    let mut tx = db.begin().await?;
    for (meter, until) in wallets {
        let Some(mut row) = lock(&mut tx, *meter).await? else { continue };
        row.friendly_until = *until;
        save(&mut tx, rng, at, &mut row).await?;
    }
    tx.commit().await
}

/// The account took emergency credit: the relay of a server wallet follows.
pub(crate) async fn follow_emergency(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId) -> Result<()> {
    if kind(tx, meter).await? == Kind::Server
        && let Some(mut row) = lock(tx, meter).await?
    {
        save(tx, rng, at, &mut row).await?;
    }
    Ok(())
}
