//! What one operator asks for and another approves: stored when it is asked for, carried out in the transaction of the approval.
//! What one person may do alone goes the same way and is carried out at once.
//!
//! Returns and refunds wait in rows of their own, under the same rule about the second person (`second_person`) and the same
//! sums of the day.

mod basis;
mod carry_out;
mod meter;
mod person;
mod today;

use model::approval::{ApprovalKind, ApprovalState, Basis, Decision, Outcome};
use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, ApprovalId, PlaceId, UserId};
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;

pub(super) use person::second_person;
pub(super) use today::{CashOf, Outgoing, cash_behind, lock, paid_today};

use super::audit::{self, Entry};
use super::json_text::JsonText;
use super::{Db, Result, Tx, on};
use basis::{Ground, ground};
use domain::meter_state::StateBlock;
use domain::returns::Rules;
use domain::rng::Rng;
use model::money::Fen;

/// A request as it is made.
#[derive(Clone, Debug)]
pub struct NewRequest {
    pub decision: Decision,
    pub reason: String,
    pub who: Who,
}

/// What is carried out.
#[derive(Clone, Debug, FromRow)]
struct RequestRow {
    id: ApprovalId,
    args: JsonText<Decision>,
    basis: JsonText<Basis>,
    place_id: Option<PlaceId>,
    account_id: Option<AccountId>,
    reason: String,
    asked_by: UserId,
}

/// Stores a request, or carries it out where one person may do it alone: a subsidy within the sum of the day, and prices where
/// nobody else could approve. `seen` is what its meter shows. Asked twice by the same person it is one request.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for what the operator may not see, with [`AppError::Conflict`] where there is nothing to
/// do or another request about the same waits, and as the decision itself.
pub async fn ask(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    rules: &Rules,
    new: &NewRequest,
    seen: Option<&StateBlock>,
) -> Result<Outcome> {
    let NewRequest { decision, who, .. } = new;
    let mut tx = db.begin().await?;
    let Ground { basis, amount, place, account } = ground(&mut tx, decision, seen).await?;
    if !person::is_within(&mut tx, who.user, place).await? {
        return Err(AppError::NotFound.into());
    }
    if holds_already(decision, &basis) {
        return Ok(Outcome::Done);
    }
    lock(&mut tx, who.user, None).await?;
    expire_in(&mut tx, at).await?;
    if let Some((by, JsonText(waits))) = same_subject(&mut tx, decision).await? {
        return if by == who.user && waits == *decision { Ok(Outcome::Waits) } else { Err(AppError::Conflict.into()) };
    }
    let until = match decision.kind() {
        ApprovalKind::Subsidy => {
            let outgoing = Outgoing { by: who.user, meter: None };
            rules.second_until(amount, &paid_today(&mut tx, at, outgoing).await?, at)
        }
        ApprovalKind::Prices | ApprovalKind::PricePlace => {
            person::another(&mut tx, at, who.user, place).await?.then(|| rules.expiry(at))
        }
        ApprovalKind::WriteOff | ApprovalKind::CloseForeign | ApprovalKind::Adjustment => Some(rules.expiry(at)),
    };
    let row = RequestRow {
        id: ApprovalId(rng.id(at)),
        args: JsonText(decision.clone()),
        basis: JsonText(basis),
        place_id: place,
        account_id: account,
        reason: new.reason.clone(),
        asked_by: who.user,
    };
    insert(&mut tx, at, &row, amount, until).await?;
    let outcome = if until.is_some() {
        // Prices have no amount.
        let more = if amount == Fen::ZERO { Value::Null } else { json!({ "amount_fen": amount }) };
        record(&mut tx, at, Some(who), AuditAction::ApprovalAsk, &row, more).await?;
        Outcome::Waits
    } else {
        carry_out::carry_out(&mut tx, rng, at, who, &row, seen).await?;
        Outcome::Done
    };
    tx.commit().await?;
    Ok(outcome)
}

/// Whether it is so already: a form sent twice does nothing the second time.
fn holds_already(decision: &Decision, basis: &Basis) -> bool {
    match (decision, basis) {
        (Decision::Subsidy { from, per, amount, .. }, Basis::Subsidy { before, .. }) => *before == Some((*from, *per, *amount)),
        (Decision::PricePlace { plan, .. }, Basis::PricePlace { before, .. }) => *before == Some(*plan),
        (Decision::PriceGroup { plan, .. }, Basis::PricePlace { before, .. }) => before == plan,
        _ => false,
    }
}

/// Whether somebody else could approve what an operator asks for the whole site: then it waits for that.
pub async fn waits_for_another(db: &Db, at: Timestamp, who: UserId) -> Result<bool> {
    let mut tx = db.begin_reading().await?;
    waits_for_another_within(&mut tx, at, who).await
}

/// [`waits_for_another`] in the caller's transaction.
pub async fn waits_for_another_within(tx: &mut Tx, at: Timestamp, who: UserId) -> Result<bool> {
    person::another(tx, at, who, None).await
}

/// Whether somebody else could approve what an operator asks for a place and what is below it.
pub async fn waits_at_place(tx: &mut Tx, at: Timestamp, who: UserId, place: PlaceId) -> Result<bool> {
    person::another(tx, at, who, Some(place)).await
}

async fn same_subject(tx: &mut Tx, decision: &Decision) -> Result<Option<(UserId, JsonText<Decision>)>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT asked_by, args FROM approval_requests WHERE kind = $1 AND subject = $2 AND state = 'waiting'"
    )
    .bind(decision.kind())
    .bind(decision.subject())
    .fetch_optional(c)
    .await)
}

async fn insert(tx: &mut Tx, at: Timestamp, row: &RequestRow, amount: Fen, until: Option<Timestamp>) -> Result<()> {
    let JsonText(decision) = &row.args;
    let epoch = match &row.basis.0 {
        Basis::Meter { shown, .. } => Some(shown.epoch),
        _ => None,
    };
    let state = if until.is_some() { ApprovalState::Waiting } else { ApprovalState::Alone };
    let inserted = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO approval_requests (id, kind, subject, args, basis, amount_fen, place_id, meter_id, account_id, epoch, reason,
                                        state, asked_by, asked_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    )
    .bind(row.id)
    .bind(decision.kind())
    .bind(decision.subject())
    .bind(&row.args)
    .bind(&row.basis)
    .bind(amount)
    .bind(row.place_id)
    .bind(decision.meter())
    .bind(row.account_id)
    .bind(epoch)
    .bind(&row.reason)
    .bind(state)
    .bind(row.asked_by)
    .bind(at)
    .bind(until)
    .execute(c)
    .await
    });
    // Somebody else asked about the same at this moment.
    inserted.map(drop).map_err(|error| error.or_first(AppError::Conflict))
}

/// The second person approves, and it is carried out in the same transaction in the name of who asked, if nothing has changed
/// since: so it happens once or not at all. `seen` is what its meter shows now.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for what the operator may not see, [`AppError::SecondPerson`] for whoever may not approve,
/// [`AppError::Conflict`] where it does not wait any more, with what has changed since it was asked ([`AppError::StaleMeter`],
/// [`AppError::StaleSubsidy`], [`AppError::StalePrices`], [`AppError::StaleAmount`]), and as the decision itself.
pub async fn approve(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ApprovalId, seen: Option<&StateBlock>) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, (ApprovalState::Approved, None)).await?;
    basis::unchanged(&mut tx, at, &row, seen).await?;
    let asker = Who { user: row.asked_by, ip: String::new(), ..who.clone() };
    let done = carry_out::carry_out(&mut tx, rng, at, &asker, &row, seen).await?;
    record(&mut tx, at, Some(who), AuditAction::ApprovalApprove, &row, json!({ "done": done })).await?;
    tx.commit().await
}

/// The second person declines, or who asked withdraws it, and says why.
///
/// # Errors
/// As [`approve`], but for what has changed.
pub async fn reject(db: &Db, at: Timestamp, who: &Who, id: ApprovalId, note: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, (ApprovalState::Rejected, Some(note))).await?;
    let action = if row.asked_by == who.user { AuditAction::ApprovalWithdraw } else { AuditAction::ApprovalReject };
    record(&mut tx, at, Some(who), action, &row, json!({ "note": note })).await?;
    tx.commit().await
}

/// Ends requests that nobody decided in time. Gives how many.
pub async fn expire(db: &Db, at: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let ended = expire_in(&mut tx, at).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn expire_in(tx: &mut Tx, at: Timestamp) -> Result<u64> {
    let ended: Vec<RequestRow> = on!(tx, |c| sqlx::query_as(
        "UPDATE approval_requests SET state = 'expired' WHERE state = 'waiting' AND expires_at <= $1
         RETURNING id, args, basis, place_id, account_id, reason, asked_by"
    )
    .bind(at)
    .fetch_all(c)
    .await)?;
    for row in &ended {
        record(tx, at, None, AuditAction::ApprovalExpire, row, Value::Null).await?;
    }
    Ok(ended.len() as u64)
}

/// Ends the request as decided by somebody who may approve, may see it, and did not ask; or as withdrawn by who asked.
async fn decide(
    tx: &mut Tx,
    at: Timestamp,
    who: &Who,
    id: ApprovalId,
    (state, note): (ApprovalState, Option<&str>),
) -> Result<RequestRow> {
    let row: Option<RequestRow> = on!(tx, |c| sqlx::query_as(
        "UPDATE approval_requests SET state = state WHERE id = $1
         RETURNING id, args, basis, place_id, account_id, reason, asked_by"
    )
    .bind(id)
    .fetch_optional(c)
    .await)?;
    let row = row.ok_or(AppError::NotFound)?;
    if !person::is_within(tx, who.user, row.place_id).await? {
        return Err(AppError::NotFound.into());
    }
    let state = if state == ApprovalState::Rejected && who.user == row.asked_by { ApprovalState::Withdrawn } else { state };
    if state != ApprovalState::Withdrawn {
        second_person(tx, at, who.user, row.asked_by).await?;
    }
    let decided = on!(tx, |c| sqlx::query(
        "UPDATE approval_requests SET state = $2, decided_by = $3, decided_at = $4, note = $5
         WHERE id = $1 AND state = 'waiting' AND expires_at > $4"
    )
    .bind(id)
    .bind(state)
    .bind(who.user)
    .bind(at)
    .bind(note)
    .execute(c)
    .await)?;
    if decided == 1 { Ok(row) } else { Err(AppError::Conflict.into()) }
}

async fn record(tx: &mut Tx, at: Timestamp, who: Option<&Who>, action: AuditAction, row: &RequestRow, more: Value) -> Result<()> {
    let actor = who.map_or_else(|| "system".to_owned(), |who| format!("user:{}", who.user));
    let detail = json!({
        "request": row.id, "decision": row.args.0, "basis": row.basis.0, "reason": row.reason, "asked_by": row.asked_by,
        "more": more,
    })
    .to_string();
    let (ip, subject) = (who.map_or("", |who| &who.ip), row.args.0.subject());
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail }).await
}
