//! Verified words about refunds: of ours by their number, of whatever went back by its sum, and of what nobody here asked for.

use model::case::{CaseDetail, PaymentCase, PaymentReason, RefundCase};
use model::ids::{AttemptId, Uuid};
use model::money::Fen;
use model::refund::{RefundSource, RefundState};
use model::time::Timestamp;

use super::attempts::AttemptState;
use super::exits;
use super::outcome::Outcome;
use super::record::{case, open_case, record};
use super::settle::{fits, move_attempt, post_to_suspense};
use super::stored_event::{EventKey, NewEvent, insert};
use super::subject::Subject;
use crate::receipts::{self, ReceiptSubject};
use crate::refunds::{self, Refund};
use crate::{Result, Tx, ledger, on};
use domain::ledger::refund_elsewhere;
use domain::payment::Mismatch;
use domain::payment_event::{EventSource, StoredEventKind, VerifiedEvent};
use domain::refund::unasked;
use domain::rng::Rng;

/// A refund of this number is with the payer.
pub(super) async fn returned(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: Option<&Subject>,
) -> Result<Outcome> {
    let number = event.refund_no().unwrap_or_default();
    let refunded = EventKey::refund(StoredEventKind::Refunded, number);
    let ours = refunds::by_number(tx, number).await?;
    let Some((row, subject)) = ours.as_ref().zip(subject) else {
        return unsolicited(tx, rng, at, event, subject, refunded, event.amount()).await;
    };
    if !is_about(event, subject, row) {
        // The refund itself goes on: it ends by a word that fits.
        let outcome = Outcome::Held(Mismatch::Amount);
        let held = EventKey::refund(StoredEventKind::RefundHeld, number);
        if insert(tx, rng, at, &NewEvent { event, key: held, subject: Some(subject), outcome }).await?.is_none() {
            return Ok(Outcome::Duplicate);
        }
        let case =
            RefundCase { reason: None, refund: Some(number.to_owned()), channel: Some(event.channel()), amount: event.amount() };
        open_case(tx, rng, at, Some(subject), CaseDetail::Refund(case)).await?;
        record(tx, at, event, Some(subject), outcome).await?;
        return Ok(outcome);
    }
    match row.state {
        RefundState::Done => Ok(Outcome::Duplicate),
        RefundState::Sending => {
            if insert(tx, rng, at, &NewEvent { event, key: refunded, subject: Some(subject), outcome: Outcome::Returned })
                .await?
                .is_none()
            {
                return Ok(Outcome::Duplicate);
            }
            let settled = refunds::done(tx, rng, at, row, None).await?;
            record(tx, at, event, Some(subject), Outcome::Returned).await?;
            if let Some(settled) = settled {
                settled.receipt(tx, at).await?;
            }
            if row.source == RefundSource::Order {
                receipts::issue(tx, at, None, ReceiptSubject::OnlineRefund(row.id)).await?;
            }
            Ok(Outcome::Returned)
        }
        // It had failed for good, or was never sent: whatever this is, it is not what our books say.
        _ => unsolicited(tx, rng, at, event, Some(subject), refunded, event.amount()).await,
    }
}

/// A refund of this number came to nothing.
pub(super) async fn not_returned(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: Option<&Subject>,
) -> Result<Outcome> {
    let number = event.refund_no().unwrap_or_default();
    let ours = refunds::by_number(tx, number).await?;
    let Some((row, subject)) = ours.as_ref().zip(subject) else { return Ok(Outcome::Ignored) };
    if row.state != RefundState::Sending || row.attempt_id != subject.attempt.id || !fits(event, subject) {
        return Ok(Outcome::Ignored);
    }
    let failed = EventKey::refund(StoredEventKind::RefundFailed, number);
    if insert(tx, rng, at, &NewEvent { event, key: failed, subject: Some(subject), outcome: Outcome::NotReturned })
        .await?
        .is_none()
    {
        return Ok(Outcome::Duplicate);
    }
    refunds::failed(tx, rng, at, row).await?;
    // What a sum told while this was under way was another's, then.
    if let Some((told, sum)) = noted(tx, subject.attempt.id).await? {
        let known = refunds::refunded_sums(tx, subject.attempt.id).await?;
        let excess = unasked(sum, known.done(), known.sending(), known.console_refund());
        if excess > Fen::ZERO {
            ledger::post(tx, rng, at, &refund_elsewhere(told, event.channel().as_str(), excess.money())).await?;
            let case = case(event, Some(subject), PaymentReason::Refunded);
            open_case(tx, rng, at, Some(subject), CaseDetail::RefundElsewhere(case)).await?;
        }
    }
    record(tx, at, event, Some(subject), Outcome::NotReturned).await?;
    Ok(Outcome::NotReturned)
}

/// So much of a trade went back, all refunds together. Each further one raises the sum, so the sum tells a new one from a
/// repetition. What may be ours is asked about by its number; only what exceeds that is another's.
pub(super) async fn summed(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: Option<&Subject>,
    sum: Fen,
) -> Result<Outcome> {
    let key = EventKey::refund_total(sum);
    let Some(subject) = subject.filter(|subject| fits(event, subject)) else {
        return unsolicited(tx, rng, at, event, subject, key, sum).await;
    };
    let attempt = subject.attempt.id;
    let known = refunds::refunded_sums(tx, attempt).await?;
    if !known.is_paid() {
        // By its own word the channel was paid and gave it back; what a notification says is asked about first.
        return if event.source() == EventSource::Query {
            paid_and_refunded(tx, rng, at, event, subject, Some(key)).await
        } else {
            unsolicited(tx, rng, at, event, Some(subject), key, sum).await
        };
    }
    // Only about an attempt that we took for unpaid is its trade asked: since then its notification came.
    if event.source() == EventSource::Query {
        return Ok(Outcome::Ignored);
    }
    let excess = unasked(sum, known.done(), known.sending(), known.console_refund());
    if excess > Fen::ZERO {
        return unsolicited(tx, rng, at, event, Some(subject), key, excess).await;
    }
    if insert(tx, rng, at, &NewEvent { event, key, subject: Some(subject), outcome: Outcome::Noted }).await?.is_none() {
        return Ok(Outcome::Duplicate);
    }
    refunds::reset_backoff(tx, at, attempt).await?;
    Ok(Outcome::Noted)
}

/// A trade was paid and some of it is going back. How much is told of each refund by itself.
pub(super) async fn started(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: Option<&Subject>,
) -> Result<Outcome> {
    let Some(subject) = subject.filter(|subject| fits(event, subject)) else { return Ok(Outcome::Ignored) };
    if refunds::refunded_sums(tx, subject.attempt.id).await?.is_paid() {
        return Ok(Outcome::Ignored);
    }
    paid_and_refunded(tx, rng, at, event, subject, None).await
}

/// A payment that is heard of only with its refund: both are booked, and nothing is credited. `refund` is the key of the refund's
/// event where its sum is told.
async fn paid_and_refunded(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: &Subject,
    refund: Option<EventKey<'_>>,
) -> Result<Outcome> {
    let outcome = Outcome::Refunded;
    let Some(id) =
        insert(tx, rng, at, &NewEvent { event, key: EventKey::of(StoredEventKind::Paid), subject: Some(subject), outcome })
            .await?
    else {
        return Ok(Outcome::Duplicate);
    };
    if subject.attempt.state != AttemptState::Paid {
        move_attempt(tx, at, subject, AttemptState::Held, event.trade_no()).await?;
    }
    post_to_suspense(tx, rng, at, event, id).await?;
    if let Some(key) = refund {
        // A notification may have told the same.
        insert(tx, rng, at, &NewEvent { event, key, subject: Some(subject), outcome }).await?;
    }
    book_earlier(tx, rng, at, event, subject).await?;
    let case = case(event, Some(subject), PaymentReason::Refunded);
    open_case(tx, rng, at, Some(subject), CaseDetail::RefundElsewhere(case)).await?;
    record(tx, at, event, Some(subject), outcome).await?;
    if !exits::lies(tx, subject.order.id).await? {
        exits::end_held(tx, subject.order.id).await?;
    }
    Ok(outcome)
}

/// Books what was heard to have gone back before its payment was heard of, and opens its case where that is closed.
pub(super) async fn book_earlier(tx: &mut Tx, rng: &Rng, at: Timestamp, event: &VerifiedEvent, subject: &Subject) -> Result<()> {
    let heard: Vec<(Uuid, Fen, StoredEventKind)> = on!(tx, |c| sqlx::query_as(
        "SELECT e.id, CASE WHEN e.kind = 'refund-total' THEN e.refund_total_fen ELSE e.amount_fen END AS fen, e.kind
         FROM payment_events e
         WHERE e.attempt_id = $1 AND e.kind IN ('refunded', 'refund-total') AND e.outcome = 'refunded' AND NOT EXISTS
           (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'refund-elsewhere' AND t.reference = e.id)
         ORDER BY fen DESC, e.id"
    )
    .bind(subject.attempt.id)
    .fetch_all(c)
    .await)?;
    let (mut booked, mut sum_is_booked) = (Fen::ZERO, false);
    for (id, amount, kind) in heard {
        let amount = if kind != StoredEventKind::RefundTotal {
            amount
        } else if sum_is_booked {
            continue;
        } else {
            // Of a channel that tells sums the largest holds the others.
            sum_is_booked = true;
            let known = refunds::refunded_sums(tx, subject.attempt.id).await?;
            unasked(amount, known.done(), known.sending(), known.console_refund())
        };
        if amount > Fen::ZERO {
            ledger::post(tx, rng, at, &refund_elsewhere(id, event.channel().as_str(), amount.money())).await?;
            booked = booked + amount;
        }
    }
    if booked > Fen::ZERO {
        let case = PaymentCase { refunded: Some(booked), ..case(event, Some(subject), PaymentReason::Refunded) };
        open_case(tx, rng, at, Some(subject), CaseDetail::RefundElsewhere(case)).await?;
    }
    Ok(())
}

/// Money went back that nobody here asked for: stored, booked where the payment is in our books, and a case.
async fn unsolicited(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: Option<&Subject>,
    key: EventKey<'_>,
    amount: Fen,
) -> Result<Outcome> {
    let Some(id) = insert(tx, rng, at, &NewEvent { event, key, subject, outcome: Outcome::Refunded }).await? else {
        return Ok(Outcome::Duplicate);
    };
    if let Some(subject) = subject.filter(|subject| fits(event, subject)) {
        if refunds::refunded_sums(tx, subject.attempt.id).await?.is_paid() {
            ledger::post(tx, rng, at, &refund_elsewhere(id, event.channel().as_str(), amount.money())).await?;
        } else if subject.attempt.state != AttemptState::Paid {
            move_attempt(tx, at, subject, AttemptState::Held, None).await?;
        }
    }
    let case = case(event, subject, PaymentReason::Refunded);
    open_case(tx, rng, at, subject, CaseDetail::RefundElsewhere(case)).await?;
    record(tx, at, event, subject, Outcome::Refunded).await?;
    Ok(Outcome::Refunded)
}

/// The largest sum that a channel told of an attempt and that was taken for ours, with its event; not one that is booked.
async fn noted(tx: &mut Tx, attempt: AttemptId) -> Result<Option<(Uuid, Fen)>> {
    let row: Option<(Uuid, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT e.id, e.amount_fen FROM payment_events e
         WHERE e.attempt_id = $1 AND e.outcome = 'noted' AND NOT EXISTS
           (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'refund-elsewhere' AND t.reference = e.id)
         ORDER BY e.amount_fen DESC LIMIT 1"
    )
    .bind(attempt)
    .fetch_optional(c)
    .await)?;
    Ok(row.map(|(id, fen)| (id, Fen(fen))))
}

/// Whether the channel speaks of exactly what we asked for.
fn is_about(event: &VerifiedEvent, subject: &Subject, row: &Refund) -> bool {
    row.attempt_id == subject.attempt.id && row.amount == event.amount() && event.is_cny() && fits(event, subject)
}
