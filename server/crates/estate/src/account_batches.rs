//! Accounts that are opened or closed together: the decision for all rooms is one transaction, each room a transaction of its
//! own, made from what is stored alone, so that an interruption only delays the rest.

use std::sync::LazyLock;

use model::audit::AuditAction;
use model::console::AccountBatchKind;
use model::error::AppError;
use model::ids::{AccountBatchId, AccountId, MeterId, PlaceId, UserId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;

use domain::rng::Rng;
use store::accounts::{self, NewResident, RoomOpening};
use store::audit;
use store::bulk::Bulk;
use store::closings::{self, BalanceTarget, ClosingRequest, NewClosing};
use store::orders::{self, NewOrder};
use store::{Db, Result, StoreError, Tx, on, read};

static ROOMS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new("INSERT INTO account_batch_rooms (id, batch_id, place_id, account_id, resident, login, amount_fen)", 7, "")
});

/// A batch to store.
#[derive(Clone, Debug)]
pub struct NewAccountBatch {
    /// Made with the form: a form that is sent twice makes one batch.
    pub id: AccountBatchId,
    pub kind: AccountBatchKind,
    /// How balances are paid out; for closures only.
    pub tender: Option<Tender>,
    pub reason: String,
    pub rooms: Vec<NewBatchRoom>,
}

#[derive(Clone, Debug)]
pub struct NewBatchRoom {
    pub place: PlaceId,
    /// The account to close.
    pub account: Option<AccountId>,
    /// Name and login name; for openings only.
    pub resident: Option<(String, String)>,
    /// What is taken over; for openings only.
    pub amount: Fen,
}

/// Stores a batch. One that is stored already is no error.
///
/// # Errors
/// Refused with [`AppError::Invalid`] without rooms.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, who: &Who, batch: &NewAccountBatch) -> Result<()> {
    if batch.rooms.is_empty() {
        return Err(AppError::Invalid.into());
    }
    let mut tx = db.begin().await?;
    let inserted = on!(&mut tx, |c| {
        sqlx::query(
        "INSERT INTO account_batches (id, kind, tender, reason, decided_by, ip, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT DO NOTHING"
    )
    .bind(batch.id)
    .bind(batch.kind)
    .bind(batch.tender)
    .bind(&batch.reason)
    .bind(who.user)
    .bind(&who.ip)
    .bind(at)
    .execute(c)
    .await
    })?;
    if inserted == 0 {
        return Ok(());
    }
    let rows: Vec<(Uuid, &NewBatchRoom)> = batch.rooms.iter().map(|room| (rng.id(at), room)).collect();
    for (text, rows) in ROOMS.pieces(&tx, &rows) {
        on!(&mut tx, |c| {
            let mut query = sqlx::query(text);
            for (id, room) in rows {
                let (name, login) = room.resident.as_ref().map(|(name, login)| (name.as_str(), login.as_str())).unzip();
                query = query.bind(id).bind(batch.id).bind(room.place).bind(room.account);
                query = query.bind(name).bind(login).bind(room.amount);
            }
            query.execute(c).await
        })?;
    }
    let carried: i64 = batch.rooms.iter().map(|room| room.amount.0).sum();
    let detail = json!({ "kind": batch.kind, "rooms": batch.rooms.len(), "carried_fen": carried, "reason": batch.reason });
    record(&mut tx, at, who, AuditAction::AccountBatch, batch.id, &detail).await?;
    tx.commit().await
}

/// Withdraws the rooms whose turn has not come. Gives how many.
///
/// # Errors
/// Refused with [`AppError::TooLate`] where there is none.
pub async fn cancel(db: &Db, at: Timestamp, who: &Who, batch: AccountBatchId) -> Result<u64> {
    let text = "UPDATE account_batch_rooms SET state = 'cancelled', done_at = $2 WHERE batch_id = $1 AND state = 'waiting'";
    let mut tx = db.begin().await?;
    let changed = on!(&mut tx, |c| sqlx::query(text).bind(batch).bind(at).execute(c).await)?;
    finish_change(tx, at, who, batch, (changed, AuditAction::AccountBatchCancel)).await
}

/// Has the rooms that were refused tried again; those that were withdrawn stay so. Gives how many.
///
/// # Errors
/// Refused with [`AppError::TooLate`] where there is none.
pub async fn retry(db: &Db, at: Timestamp, who: &Who, batch: AccountBatchId) -> Result<u64> {
    let text = "UPDATE account_batch_rooms SET state = 'waiting', refusal = NULL, done_at = NULL
                WHERE batch_id = $1 AND state = 'refused'";
    let mut tx = db.begin().await?;
    let changed = on!(&mut tx, |c| sqlx::query(text).bind(batch).execute(c).await)?;
    finish_change(tx, at, who, batch, (changed, AuditAction::AccountBatchRetry)).await
}

async fn finish_change(
    mut tx: Tx,
    at: Timestamp,
    who: &Who,
    batch: AccountBatchId,
    (changed, action): (u64, AuditAction),
) -> Result<u64> {
    if changed == 0 {
        return Err(AppError::TooLate.into());
    }
    record(&mut tx, at, who, action, batch, &json!({ "rooms": changed })).await?;
    tx.commit().await?;
    Ok(changed)
}

/// The number of rooms of a batch.
pub async fn size(db: &Db, batch: AccountBatchId) -> Result<i64> {
    let row: Option<(i64,)> = read!(db, |pool| sqlx::query_as("SELECT COUNT(*) FROM account_batch_rooms WHERE batch_id = $1")
        .bind(batch)
        .fetch_optional(pool)
        .await)?;
    Ok(row.map_or(0, |(rooms,)| rooms))
}

#[derive(Clone, Debug, FromRow)]
struct NextRoom {
    id: Uuid,
    kind: AccountBatchKind,
    tender: Option<Tender>,
    reason: String,
    decided_by: UserId,
    role: Role,
    ip: String,
    place_id: PlaceId,
    account_id: Option<AccountId>,
    resident: Option<String>,
    login: Option<String>,
    amount_fen: Fen,
}

impl NextRoom {
    fn who(&self) -> Who {
        // What they may do was asked when the batch was decided.
        Who { user: self.decided_by, role: self.role, permissions: Permissions::NONE, name: String::new(), ip: self.ip.clone() }
    }
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Meters of accounts that were opened; a server wallet opens with its next reading.
    pub opened: Vec<MeterId>,
}

/// Opens or closes the next room; `None` where nothing waits.
///
/// # Errors
/// Where the database fails. A refusal is stored with the room.
pub async fn advance(db: &Db, rng: &Rng, at: Timestamp) -> Result<Option<Advanced>> {
    let Some((room, done)) = advance_next(db, rng, at).await? else { return Ok(None) };
    match done {
        Err(StoreError::Refused(error)) => {
            refuse(db, at, room, error).await?;
            Ok(Some(Advanced::default()))
        }
        done => done.map(Some),
    }
}

/// Opens or closes the next room that waits, in one transaction. Gives the room and what came of it.
async fn advance_next(db: &Db, rng: &Rng, at: Timestamp) -> Result<Option<(Uuid, Result<Advanced>)>> {
    let mut tx = db.begin().await?;
    let next: Option<NextRoom> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT r.id, b.kind, b.tender, b.reason, b.decided_by, u.role, b.ip, r.place_id, r.account_id, r.resident, r.login,
                r.amount_fen
         FROM account_batch_rooms r JOIN account_batches b ON b.id = r.batch_id JOIN users u ON u.id = b.decided_by
         WHERE r.state = 'waiting' ORDER BY b.decided_at, r.id LIMIT 1"
    )
    .fetch_optional(c)
    .await)?;
    let Some(room) = next else { return Ok(None) };
    let done = match room.kind {
        AccountBatchKind::Open => open(tx, rng, at, &room).await,
        AccountBatchKind::Close => close(tx, rng, at, &room).await,
    };
    Ok(Some((room.id, done)))
}

/// Takes the room out of those that wait; false if it was withdrawn meanwhile.
async fn take(tx: &mut Tx, at: Timestamp, room: Uuid, (account, closure): (Option<AccountId>, Option<Uuid>)) -> Result<bool> {
    let taken = on!(tx, |c| sqlx::query(
        "UPDATE account_batch_rooms SET state = 'done', done_at = $2, account_id = COALESCE($3, account_id), closure_id = $4
         WHERE id = $1 AND state = 'waiting'"
    )
    .bind(room)
    .bind(at)
    .bind(account)
    .bind(closure)
    .execute(c)
    .await)?;
    Ok(taken == 1)
}

async fn open(mut tx: Tx, rng: &Rng, at: Timestamp, room: &NextRoom) -> Result<Advanced> {
    let meters: Vec<(MeterId,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT id FROM meters WHERE place_id = $1 AND retired_at IS NULL AND wallet <> 'none' ORDER BY serial"
    )
    .bind(room.place_id)
    .fetch_all(c)
    .await)?;
    let meters: Vec<MeterId> = meters.into_iter().map(|(id,)| id).collect();
    let first = *meters.first().ok_or(AppError::NotFound)?;
    let resident = room.resident.clone().zip(room.login.clone());
    // Without a password nobody logs in until one is set.
    let resident = resident.map(|(name, login)| NewResident { name, login, password_hash: String::new() });
    let (by, ip) = (room.decided_by, room.ip.clone());
    let opening = RoomOpening { place: room.place_id, meters: meters.clone(), resident, by, ip: ip.clone() };
    let account = accounts::open_room(&mut tx, rng, at, &opening).await?;
    if room.amount_fen > Fen::ZERO {
        let order = NewOrder { key: room.id, account, meter: first, tender: Tender::TakenOver, amount: room.amount_fen, by, ip };
        orders::carry(&mut tx, rng, at, &order).await?.ok_or(AppError::AccountNotOpen)?;
    }
    if !take(&mut tx, at, room.id, (Some(account), None)).await? {
        return Ok(Advanced::default());
    }
    tx.commit().await?;
    Ok(Advanced { opened: meters })
}

/// The closure has the room's id as its key. One that was withdrawn meanwhile is not closed.
async fn close(mut tx: Tx, rng: &Rng, at: Timestamp, room: &NextRoom) -> Result<Advanced> {
    let (account, tender) = room.account_id.zip(room.tender).ok_or(AppError::Invalid)?;
    let what = ClosingRequest::Close(BalanceTarget::Counter(tender));
    let new = NewClosing { key: room.id, account, what, reason: room.reason.clone(), who: room.who() };
    let closure = closings::begin_within(&mut tx, rng, at, &new).await?;
    if take(&mut tx, at, room.id, (None, Some(closure.0))).await? {
        tx.commit().await?;
    }
    Ok(Advanced::default())
}

async fn refuse(db: &Db, at: Timestamp, room: Uuid, error: AppError) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE account_batch_rooms SET state = 'refused', refusal = $2, done_at = $3 WHERE id = $1 AND state = 'waiting'"
    )
    .bind(room)
    .bind(error.code())
    .bind(at)
    .execute(c)
    .await)?;
    tx.commit().await
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, batch: AccountBatchId, detail: &Value) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("account-batch:{batch}")), detail).await
}
