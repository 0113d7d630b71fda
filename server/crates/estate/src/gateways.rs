//! Gateways as people set them: added, changed, replaced, retired, each with its audit line in one transaction.

mod certificates;
mod history;

use std::num::NonZeroU16;

use model::audit::AuditAction;
use model::console::{GatewayMeter, RoomName};
use model::error::AppError;
use model::gateway::{BytePattern, Dialling, GatewayCode, GatewaySettings};
use model::ids::{GatewayId, InstrumentId, MeterId, UserId, Uuid};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use store::audit::{self, Entry};
use store::console::{above, names, within};
use store::events::{self, Subject};
use store::meters::{GatewayRow, end_work, gateway_columns};
use store::{Db, Result, Tx, on, read};

pub use certificates::{GatewayCertificate, certificates};
pub use history::{changes, losses, retired};

macro_rules! has_account {
    () => {
        "EXISTS (SELECT 1 FROM account_meters am WHERE am.meter_id = m.id AND am.to_at IS NULL)"
    };
}

macro_rules! has_command {
    () => {
        "EXISTS (SELECT 1 FROM commands o WHERE o.meter_id = m.id AND o.money AND o.state IN ('queued', 'sending', 'case'))"
    };
}

/// Binds the settings of a gateway to $1 to $14.
macro_rules! with_settings {
    ($query:expr, $id:expr, $settings:expr, $columns:expr) => {{
        let GatewaySettings { name, code, framing, timing, .. } = $settings;
        $query
            .bind($id)
            .bind(name.as_str())
            .bind(code.as_ref().map(GatewayCode::as_str))
            .bind(&$columns.host)
            .bind($columns.port)
            .bind(&$columns.registration)
            .bind(&$columns.heartbeat)
            .bind(&$columns.heartbeat_answer)
            .bind(framing)
            .bind(timing.baud.map(i64::from))
            .bind(timing.request_timeout_ms.map(i64::from))
            .bind(timing.connect_timeout_ms.map(i64::from))
            .bind(timing.gap_ms.map(i64::from))
            .bind(timing.interval.map(|interval| i64::from(interval.seconds())))
    }};
}

/// Why a gateway's settings change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayEdit<'a> {
    Change,
    /// Other hardware, or the same at another address; the reason.
    Replace(&'a str),
}

/// A gateway, in service or retired.
#[derive(Clone, Debug, FromRow)]
pub struct StoredGateway {
    #[sqlx(flatten)]
    pub row: GatewayRow,
    pub created_at: Timestamp,
    pub retired_at: Option<Timestamp>,
}

/// One gateway, in service or retired.
pub async fn find(db: &Db, gateway: GatewayId) -> Result<Option<StoredGateway>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        gateway_columns!(),
        ", created_at, retired_at FROM gateways WHERE id = $1"
    ))
    .bind(gateway)
    .fetch_optional(pool)
    .await)
}

/// Adds a gateway. The form's key is its id, so that a form that is sent twice adds one. The caller has checked the permission.
///
/// # Errors
/// [`AppError::GatewayNameTaken`] and [`AppError::RegistrationTaken`].
pub async fn create(db: &Db, at: Timestamp, who: &Who, key: Uuid, settings: &GatewaySettings) -> Result<GatewayId> {
    let id = GatewayId(key);
    let mut tx = db.begin().await?;
    // Looked up before the name is checked: if this gateway was renamed since, another one may have that name.
    let before: Option<(GatewayId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM gateways WHERE id = $1").bind(id).fetch_optional(c).await)?;
    if before.is_some() {
        return Ok(id);
    }
    require_free(&mut tx, id, settings).await?;
    let columns = reach_columns(&settings.reach);
    let added: Result<u64> = on!(&mut tx, |c| with_settings!(
        sqlx::query(
            "INSERT INTO gateways (id, name, code, host, port, registration, heartbeat, heartbeat_answer, framing, baud,
                                   request_timeout_ms, connect_timeout_ms, gap_ms, sweep_interval_s, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (id) DO NOTHING"
        ),
        id,
        settings,
        columns
    )
    .bind(at)
    .execute(c)
    .await);
    if name_taken(added)? == 0 {
        return Ok(id);
    }
    record(&mut tx, at, who, AuditAction::GatewayCreate, id, &json!({ "to": description(settings) }).to_string()).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a gateway in service; its meters and its history stay. The caller has checked the permission.
///
/// # Errors
/// [`AppError::NotFound`], and as [`create`].
pub async fn change(
    db: &Db,
    at: Timestamp,
    who: &Who,
    id: GatewayId,
    settings: &GatewaySettings,
    edit: GatewayEdit<'_>,
) -> Result<()> {
    let mut tx = db.begin().await?;
    // First: what locks the table waits for no row.
    require_free(&mut tx, id, settings).await?;
    let before: Option<GatewayRow> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "UPDATE gateways SET name = name WHERE id = $1 AND retired_at IS NULL RETURNING",
        gateway_columns!()
    ))
    .bind(id)
    .fetch_optional(c)
    .await)?;
    let before = before.ok_or(AppError::NotFound)?;
    write(&mut tx, id, settings).await?;
    let from = before.settings().map(|settings| description(&settings)).unwrap_or_default();
    let (action, reason) = match edit {
        GatewayEdit::Change => (AuditAction::GatewayChange, ""),
        GatewayEdit::Replace(reason) => (AuditAction::GatewayReplace, reason),
    };
    record(&mut tx, at, who, action, id, &json!({ "from": from, "to": description(settings), "reason": reason }).to_string())
        .await?;
    tx.commit().await
}

/// Takes a gateway out of service, with the instruments behind it, and the meters, none of which has an account or waits for
/// money. What else waits to be sent to them is dropped; readings and history stay. The caller has checked the permission.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::GatewayInUse`] where a meter is still used, see [`meters`].
pub async fn retire(db: &Db, at: Timestamp, who: &Who, id: GatewayId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = on!(&mut tx, |c| sqlx::query("UPDATE gateways SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(c)
        .await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    // Before it is asked who uses them: an account that is being opened on one of them is waited for.
    let behind: Vec<(MeterId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM meters WHERE gateway_id = $1 AND retired_at IS NULL ORDER BY id")
            .bind(id)
            .fetch_all(c)
            .await)?;
    for (meter,) in &behind {
        store::meters::lock(&mut tx, *meter).await?;
    }
    on!(&mut tx, |c| sqlx::query("UPDATE meters SET retired_at = $2 WHERE gateway_id = $1 AND retired_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(c)
        .await)?;
    let used: Option<(MeterId,)> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "SELECT m.id FROM meters m WHERE m.gateway_id = $1 AND m.retired_at = $2 AND (",
        has_account!(),
        " OR ",
        has_command!(),
        ") LIMIT 1"
    ))
    .bind(id)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    if used.is_some() {
        return Err(AppError::GatewayInUse.into());
    }
    let instruments: Vec<(InstrumentId,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE instruments SET retired_at = $2 WHERE gateway_id = $1 AND retired_at IS NULL RETURNING id"
    )
    .bind(id)
    .bind(at)
    .fetch_all(c)
    .await)?;
    for (instrument,) in &instruments {
        events::end_all(&mut tx, Subject::Instrument(*instrument), at).await?;
    }
    events::end_all(&mut tx, Subject::Gateway(id), at).await?;
    for (meter,) in &behind {
        end_work(&mut tx, at, *meter, "retired").await?;
    }
    record(
        &mut tx,
        at,
        who,
        AuditAction::GatewayRetire,
        id,
        &json!({ "meters": behind.len(), "instruments": instruments.len() }).to_string(),
    )
    .await?;
    tx.commit().await
}

#[derive(FromRow)]
struct MeterOfGateway {
    id: MeterId,
    building: String,
    floor: String,
    room: String,
    unit: i64,
    serial: String,
    profile: String,
    account: bool,
    command: bool,
}

/// The meters in service behind a gateway that the operator may see, by address.
pub async fn meters(db: &Db, operator: UserId, gateway: GatewayId) -> Result<Vec<GatewayMeter>> {
    let rows: Vec<MeterOfGateway> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.unit, m.serial, m.profile,",
        has_account!(),
        " AS account,",
        has_command!(),
        " AS command,",
        names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.gateway_id = $2 AND m.retired_at IS NULL AND",
        within!(),
        "ORDER BY m.unit"
    ))
    .bind(operator)
    .bind(gateway)
    .fetch_all(pool)
    .await)?;
    let line = |row: MeterOfGateway| GatewayMeter {
        id: row.id,
        room: RoomName { building: row.building, floor: row.floor, room: row.room },
        unit: row.unit,
        serial: row.serial,
        profile: row.profile,
        has_account: row.account,
        has_command: row.command,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Sets the port where gateways dial in, or removes it. The caller has checked the permission.
pub async fn set_dial_in_port(db: &Db, at: Timestamp, who: &Who, port: Option<NonZeroU16>) -> Result<()> {
    let port = port.map(|port| i64::from(port.get()));
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE site_settings SET dial_in_port = $1 WHERE one = 1").bind(port).execute(c).await)?;
    let (actor, detail) = (format!("user:{}", who.user), json!({ "port": port }).to_string());
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::GatewayPort, subject: "site", detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Locks a gateway in service by its name until the transaction ends: it is not retired or changed meanwhile. Meters are locked
/// after their gateway.
pub(crate) async fn lock(tx: &mut Tx, name: &str) -> Result<Option<GatewayRow>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE gateways SET name = name WHERE name = $1 AND retired_at IS NULL RETURNING",
        gateway_columns!()
    ))
    .bind(name)
    .fetch_optional(c)
    .await)
}

/// As [`lock`], of all gateways, also those that are being added. Before any of them is locked.
pub(crate) async fn lock_all(tx: &mut Tx) -> Result<()> {
    if let Tx::Postgres(connection) = tx {
        sqlx::query("LOCK TABLE gateways IN SHARE ROW EXCLUSIVE MODE").execute(&mut **connection).await?;
    }
    Ok(())
}

/// Refuses a registration that is, begins or continues another gateway's: what begins so could be either.
async fn require_free(tx: &mut Tx, id: GatewayId, settings: &GatewaySettings) -> Result<()> {
    let Dialling::DialIn { registration, .. } = &settings.reach else { return Ok(()) };
    // Two transactions at once must not both find their place free.
    lock_all(tx).await?;
    let others: Vec<(String,)> = on!(tx, |c| sqlx::query_as(
        "SELECT registration FROM gateways WHERE retired_at IS NULL AND registration IS NOT NULL AND id <> $1"
    )
    .bind(id)
    .fetch_all(c)
    .await)?;
    let clashes = |(other,): &(String,)| BytePattern::from_stored(other).is_some_and(|other| other.clashes_with(registration));
    if others.iter().any(clashes) { Err(AppError::RegistrationTaken.into()) } else { Ok(()) }
}

/// How a gateway is reached, by column.
pub(crate) struct ReachColumns {
    pub host: Option<String>,
    pub port: Option<i64>,
    pub registration: Option<String>,
    pub heartbeat: Option<String>,
    pub heartbeat_answer: Option<String>,
}

pub(crate) fn reach_columns(reach: &Dialling) -> ReachColumns {
    let none = ReachColumns { host: None, port: None, registration: None, heartbeat: None, heartbeat_answer: None };
    match reach {
        Dialling::Dialled { host, port } => ReachColumns { host: Some(host.to_string()), port: Some(port.get().into()), ..none },
        Dialling::DialIn { registration, heartbeat } => ReachColumns {
            registration: Some(registration.stored()),
            heartbeat: heartbeat.as_ref().map(|heartbeat| heartbeat.pattern.stored()),
            heartbeat_answer: heartbeat.as_ref().and_then(|heartbeat| heartbeat.answer.as_ref()).map(BytePattern::stored),
            ..none
        },
    }
}

/// Writes the settings over those of a gateway in service.
async fn write(tx: &mut Tx, id: GatewayId, settings: &GatewaySettings) -> Result<()> {
    let columns = reach_columns(&settings.reach);
    let written: Result<u64> = on!(tx, |c| with_settings!(
        sqlx::query(
            "UPDATE gateways SET name = $2, code = $3, host = $4, port = $5, registration = $6, heartbeat = $7,
                                 heartbeat_answer = $8, framing = $9, baud = $10, request_timeout_ms = $11,
                                 connect_timeout_ms = $12, gap_ms = $13, sweep_interval_s = $14
             WHERE id = $1 AND retired_at IS NULL"
        ),
        id,
        settings,
        columns
    )
    .execute(c)
    .await);
    if name_taken(written)? == 0 { Err(AppError::NotFound.into()) } else { Ok(()) }
}

fn name_taken(written: Result<u64>) -> Result<u64> {
    match written {
        Err(error) if error.is_duplicate() => Err(AppError::GatewayNameTaken.into()),
        written => written,
    }
}

/// In one line of the history and of the audit chain.
fn description(settings: &GatewaySettings) -> String {
    let GatewaySettings { name, reach, framing, timing, .. } = settings;
    let numbers = [
        ("baud", timing.baud),
        ("request_timeout_ms", timing.request_timeout_ms),
        ("connect_timeout_ms", timing.connect_timeout_ms),
        ("gap_ms", timing.gap_ms),
        ("interval_s", timing.interval.map(model::gateway::SweepInterval::seconds)),
    ];
    let numbers = numbers.into_iter().filter_map(|(key, number)| number.map(|number| format!(", {key} {number}")));
    format!("{name}, {reach}, {}{}", framing.as_str(), numbers.collect::<String>())
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, id: GatewayId, detail: &str) -> Result<()> {
    let (actor, subject) = (format!("user:{}", who.user), format!("gateway:{id}"));
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail }).await
}
