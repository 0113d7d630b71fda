//! Verified events as they are stored: each once, by what identifies it.

use model::ids::Uuid;
use model::money::Fen;
use model::time::Timestamp;

use super::outcome::Outcome;
use super::subject::Subject;
use crate::one_trip::OneTrip;
use crate::{Result, Tx};
use domain::payment_event::{EventKind, StoredEventKind, VerifiedEvent};
use domain::rng::Rng;

/// What identifies a stored event of a trade.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventKey<'a> {
    kind: StoredEventKind,
    /// Empty for an event that names no refund.
    refund_no: &'a str,
    /// Zero for every kind but [`StoredEventKind::RefundTotal`].
    refund_total: Fen,
}

impl<'a> EventKey<'a> {
    pub(super) const fn of(kind: StoredEventKind) -> Self {
        Self { kind, refund_no: "", refund_total: Fen::ZERO }
    }

    pub(super) const fn refund(kind: StoredEventKind, refund_no: &'a str) -> Self {
        Self { kind, refund_no, refund_total: Fen::ZERO }
    }

    pub(super) const fn refund_total(total: Fen) -> Self {
        Self { kind: StoredEventKind::RefundTotal, refund_no: "", refund_total: total }
    }
}

/// The statement that stores an event, with where its values come from.
macro_rules! insert_event {
    ($values:literal) => {
        concat!(
            "INSERT INTO payment_events (id, channel, trade_no, kind, refund_no, refund_total_fen, source, attempt_id, amount_fen,
                                         digest, outcome, received_at) ",
            $values,
            " ON CONFLICT (channel, trade_no, kind, refund_no, refund_total_fen) DO NOTHING"
        )
    };
}

/// An event to store.
pub(super) struct NewEvent<'a> {
    pub event: &'a VerifiedEvent,
    pub key: EventKey<'a>,
    pub subject: Option<&'a Subject>,
    pub outcome: Outcome,
}

/// Stores an event; `None` if it was stored before.
pub(super) async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewEvent<'_>) -> Result<Option<Uuid>> {
    let (id, mut trip) = (rng.id(at), OneTrip::of(tx));
    new.add_to(&mut trip, id, at);
    Ok((trip.run(tx).await?.first() == Some(&1)).then_some(id))
}

impl NewEvent<'_> {
    /// [`insert`] as one statement of several.
    pub(super) fn add_to(&self, trip: &mut OneTrip, id: Uuid, at: Timestamp) {
        trip.write(insert_event!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"));
        self.bind(trip, id, at);
    }

    /// The same, where the meter of its order takes money into a wallet of its own, as [`crate::accounts::takes`] says.
    pub(super) fn add_if_taken(&self, trip: &mut OneTrip, id: Uuid, at: Timestamp) {
        trip.write(insert_event!(
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE EXISTS
               (SELECT 1 FROM account_meters here JOIN accounts a ON a.id = here.account_id JOIN meters m ON m.id = here.meter_id
                WHERE here.account_id = $13 AND here.meter_id = $14 AND here.to_at IS NULL AND a.state IN ('open', 'opening')
                  AND m.wallet = 'meter' AND NOT EXISTS
                    (SELECT 1 FROM account_closure_meters x WHERE x.meter_id = here.meter_id AND x.final_at IS NULL))"
        ));
        let order = self.subject.map(|subject| &subject.order);
        let trip = self.bind(trip, id, at);
        trip.bind(order.map(|order| order.account_id)).bind(order.map(|order| order.meter_id));
    }

    fn bind<'t>(&self, trip: &'t mut OneTrip, id: Uuid, at: Timestamp) -> &'t mut OneTrip {
        let Self { event, key, subject, outcome } = self;
        trip.bind(id)
            .bind(event.channel())
            // Some channels give no number to a trade that ended unpaid; the attempt's number replaces it.
            .bind(event.trade_no().unwrap_or_else(|| event.out_trade_no()))
            .bind(key.kind)
            .bind(key.refund_no)
            .bind(key.refund_total)
            .bind(event.source())
            .bind(subject.map(|subject| subject.attempt.id))
            // What went back, where the event tells a sum of that.
            .bind(if let EventKind::Refunded(sum) = event.kind() { sum } else { event.amount() })
            .bind(event.digest())
            .bind(outcome.recorded())
            .bind(at)
    }
}
