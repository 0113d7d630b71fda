//! Installing the new meter of a replacement.

use model::audit::AuditAction;
use model::console::ClosingKind;
use model::error::AppError;
use model::ids::{ClosingId, GatewayId, MeterId, PlaceId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;

use super::{Closing, advance, locked, meters_of, record, settings};
use crate::audit::{self, Entry};
use crate::meters::{self, NewMeter};
use crate::{Db, Result, StoreError, Tx, accounts, emergency_credits, on, orders, wallets};
use domain::rng::Rng;

/// The new meter.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its serial number, 12 digits.
    pub serial: String,
    pub gateway: GatewayId,
    /// Unit id, 1 to 247; the old meter's may be used again.
    pub unit: u8,
    pub profile: String,
    /// Where its credit lives, by its profile.
    pub wallet: Wallet,
}

/// Replaces a meter that was read, in one transaction: retires the old one, opens the new one for the same account with the next
/// key epoch, and delivers the balance to it as a purchase, behind what could not reach the old one. A server wallet keeps its
/// tier position and limits. A meter with its own wallet is sent the old one's limits, prices and mode; its tier consumption
/// starts at zero, because no operation of a profile sets it. Installing the same meter again changes nothing.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Conflict`] if nothing is to be replaced, [`AppError::SerialTaken`],
/// [`AppError::AddressTaken`] if a meter or an instrument has the address,
/// [`AppError::Invalid`] if its credit would live elsewhere than the old one's, or those of [`accounts::add_meter`].
pub async fn install(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ClosingId, device: &Device) -> Result<MeterId> {
    let mut tx = db.begin().await?;
    meters::require_free_address(&mut tx, device.gateway, device.unit).await?;
    let closing = locked(&mut tx, id).await?;
    if let Some(new) = installed(&mut tx, &closing, device).await? {
        return Ok(new);
    }
    if closing.kind != ClosingKind::Replace || closing.read_at.is_none() || closing.ended_at.is_some() {
        return Err(AppError::Conflict.into());
    }
    let old = meters_of(&mut tx, id).await?.first().copied();
    let old = old.ok_or(StoreError::Inconsistent { table: "account_closure_meters", column: "closure_id" })?;
    if wallets::kind(&mut tx, old).await? != device.wallet {
        return Err(AppError::Invalid.into());
    }
    let set = settings::of(&mut tx, at, old).await?;
    let new = put_in_place(&mut tx, rng, at, old, device).await?;
    accounts::attach_to(&mut tx, rng, at, closing.account_id, new, who.user).await?;
    match device.wallet {
        Wallet::Server => wallets::take_over(&mut tx, rng, at, old, new).await?,
        Wallet::Meter => settings::tell(&mut tx, rng, at, who.user, new, &set).await?,
        Wallet::None => {}
    }
    on!(&mut tx, |c| sqlx::query("UPDATE account_closures SET to_meter_id = $1 WHERE id = $2")
        .bind(new.0)
        .bind(id.0)
        .execute(c)
        .await)?;
    let amount = advance::due_of(&mut tx, id).await?;
    if amount > Fen::ZERO {
        let sent = advance::carry(&mut tx, rng, at, &closing, closing.account_id, new, amount).await?;
        sent.ok_or(AppError::AccountNotOpen)?;
    } else {
        advance::end(&mut tx, at, id, None).await?;
    }
    orders::follow(&mut tx, rng, at, closing.account_id, old, new).await?;
    emergency_credits::follow(&mut tx, old, new).await?;
    let more = json!({ "old": old, "new": new, "serial": device.serial, "amount_fen": amount });
    record(&mut tx, at, Some(who), AuditAction::MeterInstall, &closing, more).await?;
    tx.commit().await?;
    Ok(new)
}

/// The meter that the closure has installed already, if it is this one.
async fn installed(tx: &mut Tx, closing: &Closing, device: &Device) -> Result<Option<MeterId>> {
    if closing.kind != ClosingKind::Replace {
        return Ok(None);
    }
    let row: Option<(MeterId,)> = on!(tx, |c| sqlx::query_as("SELECT id FROM meters WHERE id = $1 AND serial = $2")
        .bind(closing.to_meter_id)
        .bind(&device.serial)
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(new,)| new))
}

/// Replaces an instrument or a meter without an account: retires the old one and sets the new one as it was.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::AccountAlreadyOpen`] for a meter with an account, whose replacement begins with its last
/// reading, [`AppError::AddressTaken`] if a meter or an instrument has the address, or [`AppError::SerialTaken`].
pub async fn swap(db: &Db, rng: &Rng, at: Timestamp, who: &Who, old: MeterId, device: &Device, reason: &str) -> Result<MeterId> {
    let mut tx = db.begin().await?;
    meters::require_free_address(&mut tx, device.gateway, device.unit).await?;
    meters::lock(&mut tx, old).await?.ok_or(AppError::NotFound)?;
    let used: Option<(i64,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM account_meters WHERE meter_id = $1 AND to_at IS NULL")
            .bind(old.0)
            .fetch_optional(c)
            .await)?;
    if used.is_some() {
        return Err(AppError::AccountAlreadyOpen.into());
    }
    let set = settings::of(&mut tx, at, old).await?;
    let new = put_in_place(&mut tx, rng, at, old, device).await?;
    if device.wallet == Wallet::Meter {
        settings::tell(&mut tx, rng, at, who.user, new, &set).await?;
    }
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{new}"));
    let detail = json!({ "old": old, "new": new, "serial": device.serial, "reason": reason }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::MeterSwap, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(new)
}

/// Retires the old meter and adds the new one to its room, or takes one that is registered there.
async fn put_in_place(tx: &mut Tx, rng: &Rng, at: Timestamp, old: MeterId, device: &Device) -> Result<MeterId> {
    let row: Option<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("UPDATE meters SET retired_at = $1 WHERE id = $2 AND retired_at IS NULL RETURNING place_id")
            .bind(at.0)
            .bind(old.0)
            .fetch_optional(c)
            .await)?;
    let place = PlaceId(row.ok_or(AppError::NotFound)?.0);
    meters::end_work(tx, at, old, "replaced").await?;
    let there: Option<(Uuid, String, PlaceId)> =
        on!(tx, |c| sqlx::query_as("SELECT id, wallet, place_id FROM meters WHERE serial = $1 AND retired_at IS NULL")
            .bind(&device.serial)
            .fetch_optional(c)
            .await)?;
    if let Some((id, wallet, of)) = there {
        if of != place {
            return Err(AppError::SerialTaken.into());
        }
        return if wallet == device.wallet.as_str() { Ok(MeterId(id)) } else { Err(AppError::Invalid.into()) };
    }
    let id = MeterId(rng.id(at));
    let new = NewMeter {
        id,
        place,
        gateway: device.gateway,
        unit: device.unit,
        serial: device.serial.clone(),
        profile: device.profile.clone(),
        wallet: device.wallet,
    };
    meters::add_meter(tx, at, &new).await.map_err(|error| error.or_first(AppError::AddressTaken))?;
    Ok(id)
}
