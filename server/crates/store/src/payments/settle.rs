//! Verified events, settled in one transaction: of each the event row that makes a repetition harmless, the attempt, the order,
//! the ledger, the credit command, the audit line - or a case, where something does not fit.

use model::case::{CaseDetail, CaseKind, PaymentReason, UndeliverableCase};
use model::ids::Uuid;
use model::meter::Wallet;
use model::order::{OrderState, Tender};
use model::time::Timestamp;

use super::attempts::AttemptState;
use super::outcome::Outcome;
use super::record::{case, open_case, record};
use super::returned;
use super::stored_event::{EventKey, NewEvent, insert};
use super::subject::{Subject, lock, lock_with_meter};
use crate::one_trip::OneTrip;
use crate::orders::{self, DeliveryTarget};
use crate::receipts::{self, ReceiptSubject};
use crate::{Db, Result, StoreError, Tx, cases, ledger, on, refunds};
use domain::ledger::suspense;
use domain::order::may_step;
use domain::payment::{Claimed, DEAD_AFTER, Expected, Mismatch, Verdict, judge};
use domain::payment_event::{EventKind, EventSource, StoredEventKind, VerifiedEvent};
use domain::rng::Rng;

/// Settles verified events in one transaction, each as if it came alone after those before it.
///
/// # Errors
/// Where the database fails; then nothing was changed and the channels must be told so.
pub async fn settle(db: &Db, rng: &Rng, at: Timestamp, events: &[&VerifiedEvent]) -> Result<Vec<Outcome>> {
    let mut tx = db.begin().await?;
    let mut outcomes = Vec::with_capacity(events.len());
    for event in events {
        outcomes.push(settle_one(&mut tx, rng, at, event).await?);
    }
    if outcomes.iter().any(|outcome| !matches!(outcome, Outcome::Duplicate | Outcome::Ignored)) {
        tx.commit().await?;
    }
    Ok(outcomes)
}

/// Writes nothing where it gives [`Outcome::Duplicate`] or [`Outcome::Ignored`].
async fn settle_one(tx: &mut Tx, rng: &Rng, at: Timestamp, event: &VerifiedEvent) -> Result<Outcome> {
    let subject = match (event.out_trade_no(), event.trade_no()) {
        // A refund that was made at the channel's console may name only the channel's number of the trade.
        ("", Some(trade_no)) => match number_of(tx, event.channel(), trade_no).await? {
            Some(out_trade_no) => lock(tx, &out_trade_no).await?,
            None => None,
        },
        (out_trade_no, _) if event.kind() == EventKind::Paid => lock_with_meter(tx, out_trade_no).await?,
        (out_trade_no, _) => lock(tx, out_trade_no).await?,
    };
    let outcome = settle_kind(tx, rng, at, event, subject.as_ref()).await?;
    let is_new = event.is_finished() && finish(tx, at, event, subject.as_ref()).await?;
    Ok(if is_new && matches!(outcome, Outcome::Duplicate | Outcome::Ignored) { Outcome::Noted } else { outcome })
}

/// Remembers that the channel refunds nothing of the trade any more. Says whether that is new.
async fn finish(tx: &mut Tx, at: Timestamp, event: &VerifiedEvent, subject: Option<&Subject>) -> Result<bool> {
    let Some(subject) = subject.filter(|subject| fits(event, subject)) else { return Ok(false) };
    let marked = on!(tx, |c| sqlx::query("UPDATE payment_attempts SET finished_at = $1 WHERE id = $2 AND finished_at IS NULL")
        .bind(at)
        .bind(subject.attempt.id)
        .execute(c)
        .await)?;
    Ok(marked == 1)
}

async fn settle_kind(tx: &mut Tx, rng: &Rng, at: Timestamp, event: &VerifiedEvent, subject: Option<&Subject>) -> Result<Outcome> {
    match event.kind() {
        EventKind::Paid => paid(tx, rng, at, event, subject).await,
        EventKind::Refunded(sum) => returned::summed(tx, rng, at, event, subject, sum).await,
        EventKind::RefundStarted => returned::started(tx, rng, at, event, subject).await,
        EventKind::RefundSucceeded => returned::returned(tx, rng, at, event, subject).await,
        EventKind::RefundFailed => returned::not_returned(tx, rng, at, event, subject).await,
        EventKind::Closed => closed(tx, rng, at, event, subject).await,
        EventKind::Absent => match subject {
            Some(subject) if at.since(subject.attempt.expires_at) > DEAD_AFTER && is_open(tx, subject).await? => {
                end(tx, at, event, subject).await
            }
            _ => Ok(Outcome::Ignored),
        },
    }
}

async fn number_of(tx: &mut Tx, channel: Tender, trade_no: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(
        "SELECT p.out_trade_no FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
         WHERE e.channel = $1 AND e.trade_no = $2 AND e.kind = 'paid'"
    )
    .bind(channel)
    .bind(trade_no)
    .fetch_optional(c)
    .await)?;
    Ok(row.map(|(number,)| number))
}

async fn paid(tx: &mut Tx, rng: &Rng, at: Timestamp, event: &VerifiedEvent, subject: Option<&Subject>) -> Result<Outcome> {
    let verdict = verdict(event, subject);
    if let (Verdict::Hold(mismatch), Some(subject), EventSource::Notify) = (verdict, subject, event.source())
        && !refunds::refunded_sums(tx, subject.attempt.id).await?.is_paid()
    {
        return hold_notification(tx, rng, at, event, subject, mismatch).await;
    }
    // Nearly all go into the meter's own wallet: whether it still takes money is asked by the statement that writes.
    if let (Verdict::Credit { late }, Some(subject)) = (verdict, subject)
        && subject.seems_taken()
    {
        let credited =
            Credit { target: &DeliveryTarget::Here(Wallet::Meter), outcome: Outcome::Credited { late }, is_sure: false };
        match credit(tx, rng, at, event, subject, &credited).await? {
            Outcome::Duplicate => {}
            outcome => return Ok(outcome),
        }
    }
    let way = match (verdict, subject) {
        (Verdict::Credit { .. }, Some(subject)) => subject.delivery_target(tx).await?,
        _ => DeliveryTarget::Nowhere,
    };
    let outcome = match verdict {
        Verdict::Credit { .. } if matches!(way, DeliveryTarget::Nowhere) => Outcome::Undeliverable,
        Verdict::Credit { late } => Outcome::Credited { late },
        Verdict::Twice => Outcome::Twice,
        Verdict::Hold(mismatch) => Outcome::Held(mismatch),
    };
    if let (Verdict::Credit { .. }, Some(subject)) = (verdict, subject) {
        return credit(tx, rng, at, event, subject, &Credit { target: &way, outcome, is_sure: true }).await;
    }
    // Before anything else is changed: whoever inserts the row has the event.
    let Some(id) = insert(tx, rng, at, &NewEvent { event, key: EventKey::of(StoredEventKind::Paid), subject, outcome }).await?
    else {
        return Ok(Outcome::Duplicate);
    };
    match (verdict, subject) {
        (Verdict::Twice, Some(subject)) => {
            if subject.attempt.state != AttemptState::Paid {
                move_attempt(tx, at, subject, AttemptState::Paid, event.trade_no()).await?;
            }
            post_to_suspense(tx, rng, at, event, id).await?;
            returned::book_earlier(tx, rng, at, event, subject).await?;
            open_case(tx, rng, at, Some(subject), CaseDetail::PaidTwice(case(event, Some(subject), PaymentReason::PaidTwice)))
                .await?;
        }
        (Verdict::Hold(mismatch), subject) => {
            if let Some(subject) = subject.filter(|subject| subject.attempt.state != AttemptState::Paid) {
                move_attempt(tx, at, subject, AttemptState::Held, None).await?;
            }
            if mismatch.is_our_money() {
                post_to_suspense(tx, rng, at, event, id).await?;
                if let Some(subject) = subject {
                    returned::book_earlier(tx, rng, at, event, subject).await?;
                }
            }
            open_case(tx, rng, at, subject, CaseDetail::Payment(case(event, subject, mismatch.reason()))).await?;
        }
        // `judge` holds what has no attempt; what is credited has returned.
        (Verdict::Credit { .. }, _) | (_, None) => {
            return Err(StoreError::Inconsistent { table: "payment_attempts", column: "out_trade_no" });
        }
    }
    if let (Verdict::Twice, Some(subject)) = (verdict, subject) {
        answered(tx, at, subject).await?;
    }
    record(tx, at, event, subject, outcome).await?;
    Ok(outcome)
}

/// How a payment that fits is booked.
struct Credit<'a> {
    target: &'a DeliveryTarget,
    outcome: Outcome,
    /// Whether the target was read under the locks. Otherwise nothing is written where it is another one.
    is_sure: bool,
}

/// The payment fits: event, attempt, order, posting and command are one trip to the database.
async fn credit(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: &Subject,
    &Credit { target: way, outcome, is_sure }: &Credit<'_>,
) -> Result<Outcome> {
    if !may_step(subject.order.state, OrderState::Paid) {
        return Err(StoreError::Inconsistent { table: "orders", column: "state" });
    }
    let mut trip = OneTrip::of(tx);
    // Whoever inserts the row has the event: without it nothing else is written.
    let key = EventKey::of(StoredEventKind::Paid);
    let stored = NewEvent { event, key, subject: Some(subject), outcome };
    if is_sure {
        stored.add_to(&mut trip, rng.id(at), at);
    } else {
        stored.add_if_taken(&mut trip, rng.id(at), at);
    }
    trip.only_if_first();
    add_move(&mut trip, at, subject, AttemptState::Paid, event.trade_no());
    trip.write_one(
        "UPDATE orders SET state = 'paid', paid_at = $1 WHERE id = $2 AND state IN ('pending', 'closed')",
        "orders",
        "state",
    )
    .bind(at)
    .bind(subject.order.id);
    orders::add_delivery(&mut trip, rng, at, way, &subject.order, None)?;
    // Where something is written after it, the receipt comes last: whoever holds its number waits for nothing else.
    let receipt = ReceiptSubject::Online(subject.order.id);
    let is_last = matches!(way, DeliveryTarget::Here(Wallet::Meter)) && subject.attempt.state != AttemptState::Held;
    if is_last {
        receipts::add_receipt(&mut trip, at, None, receipt);
    }
    // Of refunds that were heard of before their payment. Asked here, because the attempt is locked.
    trip.count("SELECT COUNT(*) FROM payment_events WHERE attempt_id = $1 AND kind IN ('refunded', 'refund-total')")
        .bind(subject.attempt.id);
    let counts = trip.run(tx).await?;
    if counts.first() != Some(&1) {
        return Ok(Outcome::Duplicate);
    }
    if matches!(way, DeliveryTarget::Nowhere) {
        orders::hold_paid(tx, &subject.order).await?;
        let case = UndeliverableCase { closing: None, channel: Some(event.channel()), amount: event.amount() };
        open_case(tx, rng, at, Some(subject), CaseDetail::Undeliverable(case)).await?;
    } else {
        orders::finish_delivery(tx, rng, at, way, subject.order.clone()).await?;
    }
    if counts.last() != Some(&0) {
        returned::book_earlier(tx, rng, at, event, subject).await?;
    }
    answered(tx, at, subject).await?;
    record(tx, at, event, Some(subject), outcome).await?;
    if !is_last {
        receipts::issue(tx, at, None, receipt).await?;
    }
    Ok(outcome)
}

/// What did not fit is answered by what fits now.
async fn answered(tx: &mut Tx, at: Timestamp, subject: &Subject) -> Result<()> {
    if subject.attempt.state == AttemptState::Held {
        cases::resolve_order(tx, at, &[CaseKind::Payment], subject.order.id, "answered").await?;
    }
    Ok(())
}

/// A notification that does not fit may be false where the payment is real: it is held and books nothing, under a key of its
/// own, and the channel is asked, whose answer counts. A second notification, which fits, counts as well.
async fn hold_notification(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: &Subject,
    mismatch: Mismatch,
) -> Result<Outcome> {
    let outcome = Outcome::Held(mismatch);
    if insert(tx, rng, at, &NewEvent { event, key: EventKey::of(StoredEventKind::PaidHeld), subject: Some(subject), outcome })
        .await?
        .is_none()
    {
        return Ok(Outcome::Duplicate);
    }
    move_attempt(tx, at, subject, AttemptState::Held, None).await?;
    open_case(tx, rng, at, Some(subject), CaseDetail::Payment(case(event, Some(subject), mismatch.reason()))).await?;
    record(tx, at, event, Some(subject), outcome).await?;
    Ok(outcome)
}

async fn closed(tx: &mut Tx, rng: &Rng, at: Timestamp, event: &VerifiedEvent, subject: Option<&Subject>) -> Result<Outcome> {
    let Some(subject) = subject.filter(|subject| fits(event, subject)) else { return Ok(Outcome::Ignored) };
    // A trade that was paid is closed only by giving all of it back.
    if subject.attempt.state == AttemptState::Paid {
        return returned::summed(tx, rng, at, event, Some(subject), subject.attempt.amount).await;
    }
    if !is_open(tx, subject).await? {
        return Ok(Outcome::Ignored);
    }
    let heard = insert(
        tx,
        rng,
        at,
        &NewEvent { event, key: EventKey::of(StoredEventKind::Closed), subject: Some(subject), outcome: Outcome::Closed },
    )
    .await?
    .is_none();
    // What was held after it had ended ends again.
    if heard && subject.attempt.state != AttemptState::Held {
        return Ok(Outcome::Duplicate);
    }
    end(tx, at, event, subject).await
}

/// Whether the attempt may still be paid or end. One that is held may, until the channel's own answer has held it.
async fn is_open(tx: &mut Tx, subject: &Subject) -> Result<bool> {
    Ok(match subject.attempt.state {
        AttemptState::Pending | AttemptState::Closing => true,
        AttemptState::Held => !refunds::refunded_sums(tx, subject.attempt.id).await?.is_paid(),
        AttemptState::Paid | AttemptState::Closed => false,
    })
}

/// Ends an attempt that is open, and its order unless another attempt may still pay it. The case of one that was held stays:
/// somebody must look at what was told of it.
async fn end(tx: &mut Tx, at: Timestamp, event: &VerifiedEvent, subject: &Subject) -> Result<Outcome> {
    move_attempt(tx, at, subject, AttemptState::Closed, None).await?;
    on!(tx, |c| sqlx::query(
        "UPDATE orders SET state = 'closed' WHERE id = $1 AND state = 'pending' AND NOT EXISTS
           (SELECT 1 FROM payment_attempts WHERE order_id = $1 AND state IN ('pending', 'closing', 'held'))"
    )
    .bind(subject.order.id)
    .execute(c)
    .await)?;
    record(tx, at, event, Some(subject), Outcome::Closed).await?;
    Ok(Outcome::Closed)
}

fn verdict(event: &VerifiedEvent, subject: Option<&Subject>) -> Verdict {
    let claimed = Claimed {
        channel: event.channel(),
        app_id: event.app_id(),
        seller_id: event.seller_id(),
        amount: event.amount(),
        cny: event.is_cny(),
    };
    let Some(Subject { attempt, order, .. }) = subject else { return judge(None, &claimed) };
    let expected = Expected {
        channel: attempt.channel,
        app_id: &attempt.app_id,
        seller_id: &attempt.seller_id,
        amount: attempt.amount,
        settled: attempt.state == AttemptState::Paid,
        order: order.state,
    };
    judge(Some(&expected), &claimed)
}

/// Whether an event that pays nothing is about our attempt at all.
pub(super) fn fits(event: &VerifiedEvent, subject: &Subject) -> bool {
    event.channel() == subject.attempt.channel
        && event.app_id().is_none_or(|id| id == subject.attempt.app_id)
        && event.seller_id().is_none_or(|id| id == subject.attempt.seller_id)
}

pub(super) async fn move_attempt(
    tx: &mut Tx,
    at: Timestamp,
    subject: &Subject,
    to: AttemptState,
    trade_no: Option<&str>,
) -> Result<()> {
    let mut trip = OneTrip::of(tx);
    add_move(&mut trip, at, subject, to, trade_no);
    trip.run(tx).await?;
    Ok(())
}

fn add_move(trip: &mut OneTrip, at: Timestamp, subject: &Subject, to: AttemptState, trade_no: Option<&str>) {
    let paid_at = (to == AttemptState::Paid).then_some(at);
    trip.write_one(
        "UPDATE payment_attempts SET state = $1, trade_no = COALESCE($2, trade_no), paid_at = COALESCE($3, paid_at),
                next_query_at = CASE WHEN $1 = 'held' THEN $5 ELSE next_query_at END
         WHERE id = $4 AND state IN ('pending', 'closing', 'closed', 'held')",
        "payment_attempts",
        "state",
    )
    .bind(to)
    .bind(trade_no)
    .bind(paid_at)
    .bind(subject.attempt.id)
    .bind(at);
}

pub(super) async fn post_to_suspense(tx: &mut Tx, rng: &Rng, at: Timestamp, event: &VerifiedEvent, id: Uuid) -> Result<()> {
    ledger::post(tx, rng, at, &suspense(id, event.channel().as_str(), event.amount().money())).await
}
