//! Setting a control mode, and which meters and gateways an operator may control.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{CommandId, GatewayId, MeterId, UserId, Uuid};
use model::issue::Issue;
use model::meter::ControlMode;
use model::person::Who;
use model::time::Timestamp;

use super::{above, within};
use crate::audit::{self, Entry};
use crate::commands::{self, NewCommand};
use crate::{Db, Result, Tx, on, read, wallets};
use domain::command_args::CommandArgs;
use domain::rng::Rng;

/// Stores a control mode command and its audit line in one transaction. The form's key is the command's id, so that a form that
/// is sent twice makes one command.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a meter outside the operator's buildings.
pub async fn set_mode(db: &Db, rng: &Rng, at: Timestamp, who: &Who, meter: MeterId, mode: ControlMode, key: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    if !may_touch(&mut tx, who.user, meter).await? {
        return Err(AppError::NotFound.into());
    }
    if is_decided(&mut tx, key, meter).await? {
        return Ok(());
    }
    let detail = serde_json::json!({ "mode": mode }).to_string();
    let relay = wallets::decide_mode(&mut tx, rng, at, meter, mode).await?;
    let args = relay.map_or(CommandArgs::Issue(Issue::Mode(mode)), |closed| CommandArgs::Relay { closed });
    let command = NewCommand::setting(CommandId(key), meter, args, Some(who.user));
    match commands::enqueue(&mut tx, at, &command).await {
        // The same form was sent twice at once, and the other came first.
        Err(error) if error.is_duplicate() => return Ok(()),
        enqueued => enqueued?,
    }
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::MeterMode,
        subject: &format!("meter:{meter}"),
        detail: &detail,
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Whether this key belongs to a command of this meter already.
async fn is_decided(tx: &mut Tx, key: Uuid, meter: MeterId) -> Result<bool> {
    let decided: Option<(MeterId,)> =
        on!(tx, |c| sqlx::query_as("SELECT meter_id FROM commands WHERE id = $1").bind(key).fetch_optional(c).await)?;
    match decided {
        None => Ok(false),
        Some((of,)) if of == meter => Ok(true),
        Some(_) => Err(AppError::Conflict.into()),
    }
}

async fn may_touch(tx: &mut Tx, operator: UserId, meter: MeterId) -> Result<bool> {
    let row: Option<(MeterId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.id = $2 AND m.retired_at IS NULL AND",
        within!()
    ))
    .bind(operator)
    .bind(meter)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// Whether a gateway has meters that the operator may see; operators of the whole site see it without.
pub async fn may_touch_gateway(db: &Db, operator: UserId, gateway: GatewayId) -> Result<bool> {
    let row: Option<(GatewayId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT id FROM gateways WHERE id = $2 AND (
             (SELECT all_buildings FROM users WHERE id = $1)
             OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.gateway_id = $2 AND m.retired_at IS NULL AND",
        within!(),
        "))"
    ))
    .bind(operator)
    .bind(gateway)
    .fetch_optional(pool)
    .await)?;
    Ok(row.is_some())
}
