//! What is written about an event: the case that it opens, and its audit line.

use model::case::{CaseDetail, PaymentCase, PaymentReason};
use model::money::Fen;
use model::time::Timestamp;

use super::outcome::Outcome;
use super::subject::Subject;
use crate::audit::{self, Entry};
use crate::{Result, Tx, cases};
use domain::payment_event::{EventKind, VerifiedEvent};
use domain::rng::Rng;

pub(super) async fn open_case(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    subject: Option<&Subject>,
    detail: CaseDetail,
) -> Result<()> {
    cases::open(tx, rng, at, None, subject.map(|subject| subject.order.id), &detail).await
}

/// What the message says beside what the attempt expected.
pub(super) fn case(event: &VerifiedEvent, subject: Option<&Subject>, reason: PaymentReason) -> PaymentCase {
    PaymentCase {
        reason,
        channel: event.channel(),
        source: event.source(),
        out_trade_no: event.out_trade_no().to_owned(),
        trade_no: event.trade_no().map(str::to_owned),
        amount: event.amount(),
        refunded: refunded(event),
        expected: subject.map(|subject| subject.attempt.amount),
        order_was: subject.map(|subject| subject.order.state),
    }
}

/// How much the event says went back.
pub(super) fn refunded(event: &VerifiedEvent) -> Option<Fen> {
    match event.kind() {
        EventKind::Refunded(sum) => Some(sum),
        EventKind::RefundSucceeded => Some(event.amount()),
        _ => None,
    }
}

pub(super) async fn record(
    tx: &mut Tx,
    at: Timestamp,
    event: &VerifiedEvent,
    subject: Option<&Subject>,
    outcome: Outcome,
) -> Result<()> {
    let subject_code = subject.map_or_else(|| format!("trade:{}", event.out_trade_no()), |s| format!("order:{}", s.order.id));
    let entry = Entry {
        actor: &format!("channel:{}", event.channel().as_str()),
        ip: "",
        action: outcome.action(),
        subject: &subject_code,
        detail: &detail(event, subject, outcome),
    };
    audit::append(tx, at, &entry).await
}

fn detail(event: &VerifiedEvent, subject: Option<&Subject>, outcome: Outcome) -> String {
    let mismatch = if let Outcome::Held(mismatch) = outcome { Some(mismatch.as_str()) } else { None };
    serde_json::json!({
        "reason": mismatch.unwrap_or_else(|| outcome.as_str()),
        "channel": event.channel().as_str(),
        "source": event.source().as_str(),
        "out_trade_no": event.out_trade_no(),
        "trade_no": event.trade_no(),
        "amount_fen": event.amount().0,
        "refunded_fen": refunded(event),
        "expected_fen": subject.map(|s| s.attempt.amount),
        "order_was": subject.map(|s| s.order.state),
    })
    .to_string()
}
