//! What the bank received for a channel's settlement day: recorded by a person and moved from channel clearing to the bank.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::Uuid;
use model::money::Fen;
use model::order::Tender;
use model::person::Who;
use model::time::{Date, Timestamp};

use crate::subject;
use domain::ledger::settlement;
use domain::rng::Rng;
use store::audit::{self, Entry};
use store::{Db, Result, ledger, on};

/// Records a receipt. A repeated key changes nothing.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a day without a statement, or [`AppError::InvalidAmount`].
pub async fn note_receipt(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    (channel, day): (Tender, Date),
    key: Uuid,
    amount: Fen,
) -> Result<()> {
    if amount <= Fen::ZERO || amount > Fen::MAX {
        return Err(AppError::InvalidAmount.into());
    }
    let (mut tx, id) = (db.begin().await?, rng.id(at));
    let locked = on!(&mut tx, |c| sqlx::query(
        "UPDATE settlement_days SET tried_at = tried_at WHERE channel = $1 AND day = $2 AND statement_id IS NOT NULL"
    )
    .bind(channel)
    .bind(day)
    .execute(c)
    .await)?;
    if locked != 1 {
        return Err(AppError::NotFound.into());
    }
    let noted = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO settlement_receipts (id, key, channel, day, amount_fen, noted_by, noted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING"
    )
    .bind(id)
    .bind(key)
    .bind(channel)
    .bind(day)
    .bind(amount)
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await)?;
    if noted == 0 {
        return Ok(());
    }
    ledger::post(&mut tx, rng, at, &settlement(id, channel.as_str(), amount.money())).await?;
    let (actor, subject) = (format!("user:{}", who.user), subject(channel, day));
    let detail = serde_json::json!({ "amount_fen": amount }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SettlementReceipt, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
