//! Events: conditions of meters, gateways, instruments and the server. Each of them has at most one open event of a kind.

use model::event::EventKind;
use model::ids::{EventId, GatewayId, InstrumentId, MeterId};
use model::time::Timestamp;

use super::{Db, Result, Tx, notifications, on, read};
use domain::rng::Rng;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Meter(MeterId),
    /// A gateway and the meters behind it.
    Gateway(GatewayId),
    Instrument(InstrumentId),
    /// The server itself.
    Site,
}

impl Subject {
    const fn columns(self) -> (Option<MeterId>, Option<GatewayId>, Option<InstrumentId>) {
        match self {
            Self::Meter(id) => (Some(id), None, None),
            Self::Gateway(id) => (None, Some(id), None),
            Self::Instrument(id) => (None, None, Some(id)),
            Self::Site => (None, None, None),
        }
    }
}

/// An event that begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: EventKind,
    pub subject: Subject,
    pub at: Timestamp,
    pub turn: Turn,
}

/// How an event changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It began; the detail is JSON.
    Raised(String),
    Over,
    /// It began and ended at once; the detail is JSON.
    Happened(String),
}

/// Stores a change in the caller's transaction. An event is not raised again while one of its kind is open.
pub async fn apply(tx: &mut Tx, rng: &Rng, change: &Change) -> Result<()> {
    let Change { kind, subject, at, turn } = change;
    match turn {
        Turn::Raised(detail) => insert(tx, rng, change, None, detail).await,
        Turn::Over => clear(tx, rng, *kind, *subject, *at).await,
        Turn::Happened(detail) => insert(tx, rng, change, Some(*at), detail).await,
    }
}

/// Raises an event in the caller's transaction, unless one of its kind is open.
pub async fn raise(tx: &mut Tx, rng: &Rng, kind: EventKind, subject: Subject, since: Timestamp, detail: &str) -> Result<()> {
    apply(tx, rng, &Change { kind, subject, at: since, turn: Turn::Raised(detail.to_owned()) }).await
}

async fn insert(tx: &mut Tx, rng: &Rng, change: &Change, until: Option<Timestamp>, detail: &str) -> Result<()> {
    let (id, (meter, gateway, instrument)) = (EventId(rng.id(change.at)), change.subject.columns());
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO events (id, kind, meter_id, gateway_id, instrument_id, since, until_at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(change.kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(change.at)
    .bind(until)
    .bind(detail)
    .execute(c)
    .await)?;
    if inserted == 1 { notifications::event_began(tx, rng, id, change).await } else { Ok(()) }
}

/// Ends the open event of a kind, if there is one, in the caller's transaction, and tells those whom it concerns.
pub async fn clear(tx: &mut Tx, rng: &Rng, kind: EventKind, subject: Subject, until: Timestamp) -> Result<()> {
    for event in end(tx, kind, subject, until).await? {
        notifications::event_ended(tx, rng, event, &Change { kind, subject, at: until, turn: Turn::Over }).await?;
    }
    Ok(())
}

/// Ends the open event of a kind, if there is one, in the caller's transaction. Nobody is told.
pub async fn end(tx: &mut Tx, kind: EventKind, subject: Subject, until: Timestamp) -> Result<Vec<EventId>> {
    let (meter, gateway, instrument) = subject.columns();
    let ended: Vec<(EventId,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE events SET until_at = CASE WHEN since > $5 THEN since ELSE $5 END
         WHERE kind = $1 AND until_at IS NULL
           AND (meter_id = $2 OR gateway_id = $3 OR instrument_id = $4
                OR (meter_id IS NULL AND gateway_id IS NULL AND instrument_id IS NULL
                    AND $2 IS NULL AND $3 IS NULL AND $4 IS NULL))
         RETURNING id"
    )
    .bind(kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(until)
    .fetch_all(c)
    .await)?;
    Ok(ended.into_iter().map(|(id,)| id).collect())
}

/// The open events of meters, and since when.
pub async fn open_of_meters(db: &Db) -> Result<Vec<(MeterId, EventKind, Timestamp)>> {
    read!(db, |pool| sqlx::query_as("SELECT meter_id, kind, since FROM events WHERE until_at IS NULL AND meter_id IS NOT NULL")
        .fetch_all(pool)
        .await)
}

/// Gateways with an open loss.
pub async fn lost_gateways(db: &Db) -> Result<Vec<GatewayId>> {
    let rows: Vec<(GatewayId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT gateway_id FROM events WHERE until_at IS NULL AND gateway_id IS NOT NULL AND kind = 'gateway-lost'"
    )
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
