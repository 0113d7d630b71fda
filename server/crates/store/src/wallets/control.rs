//! Decisions about a server wallet: mode, switch, and limits. The relay follows them.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::MeterId;
use model::meter::{ControlMode, Wallet as Kind};
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;

use super::{kind, lock_or_create, save};
use crate::audit::{self, Entry};
use crate::{Db, Result, Tx};
use domain::rng::Rng;

/// Sets the mode, which releases a trip as it does in a meter. Gives the desired position of the relay; `None` for a meter with
/// its own wallet, which needs a command.
pub(crate) async fn decide_mode(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    mode: ControlMode,
) -> Result<Option<bool>> {
    if kind(tx, meter).await? != Kind::Server {
        return Ok(None);
    }
    let mut row = lock_or_create(tx, at, meter).await?;
    row.mode = mode;
    (row.trip, row.tripped_at, row.over_readings) = (None, None, 0);
    Ok(Some(save(tx, rng, at, &mut row).await?.wallet.relay()))
}

/// Sets the resident's switch; like [`decide_mode`].
pub async fn decide_switch(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, on: bool) -> Result<Option<bool>> {
    if kind(tx, meter).await? != Kind::Server {
        return Ok(None);
    }
    let mut row = lock_or_create(tx, at, meter).await?;
    row.user_off = !on;
    Ok(Some(save(tx, rng, at, &mut row).await?.wallet.relay()))
}

/// When a wallet warns, trips, and takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// First warning below this.
    pub alarm1: Fen,
    /// Second warning below this; not above the first.
    pub alarm2: Fen,
    /// How far below zero it may go.
    pub overdraft: Fen,
    /// The most it may hold; 0: as the site has it.
    pub hoarding: Fen,
    /// Above this power it trips, W; 0: never.
    pub overload_w: u16,
    /// A step up of so much power that takes its current in phase trips, W; 0: never.
    pub malignant_w: u16,
}

/// Sets the limits of a server wallet, with its audit line. The caller has seen to it that the meter is the operator's.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for limits that make no sense or a meter with a wallet inside.
pub async fn set_limits(db: &Db, rng: &Rng, at: Timestamp, who: &Who, meter: MeterId, limits: &Limits) -> Result<()> {
    let Limits { alarm1, alarm2, overdraft, hoarding, overload_w, malignant_w } = *limits;
    let in_range = |fen: Fen| (Fen::ZERO..=Fen(i64::from(i32::MAX))).contains(&fen);
    if alarm2 > alarm1 || ![alarm1, alarm2, overdraft, hoarding].into_iter().all(in_range) {
        return Err(AppError::Invalid.into());
    }
    let mut tx = db.begin().await?;
    if kind(&mut tx, meter).await? != Kind::Server {
        return Err(AppError::Invalid.into());
    }
    let mut row = lock_or_create(&mut tx, at, meter).await?;
    (row.alarm1_fen, row.alarm2_fen, row.overdraft_fen, row.hoarding_fen) = (alarm1, alarm2, overdraft, hoarding);
    (row.overload_w, row.malignant_w) = (i64::from(overload_w), i64::from(malignant_w));
    save(&mut tx, rng, at, &mut row).await?;
    let detail = serde_json::json!({
        "alarm1_fen": alarm1, "alarm2_fen": alarm2, "overdraft_fen": overdraft, "hoarding_fen": hoarding, "overload_w":
            overload_w,
        "malignant_w": malignant_w,
    });
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{meter}"));
    let entry =
        Entry { actor: &actor, ip: &who.ip, action: AuditAction::WalletLimits, subject: &subject, detail: &detail.to_string() };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
