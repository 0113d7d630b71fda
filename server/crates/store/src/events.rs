//! Events: what is or was the matter with a meter or gateway. One of a kind is open there at a time.

use model::event::EventKind;
use model::ids::{GatewayId, MeterId};
use model::time::Timestamp;
use uuid::Uuid;

use super::{Db, Result, StoreError, Tx, on, read};
use domain::rng::Rng;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Meter(MeterId),
    /// A gateway and all behind it.
    Gateway(GatewayId),
}

impl Subject {
    const fn columns(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Meter(id) => (Some(id.0), None),
            Self::Gateway(id) => (None, Some(id.0)),
        }
    }
}

/// Something that began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: EventKind,
    pub subject: Subject,
    pub at: Timestamp,
    /// How it stands.
    pub turn: Turn,
}

/// How an event changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It began; with what is known of it, as JSON.
    Raised(String),
    /// It is over.
    Over,
    /// It happened in a moment: begun and over at once.
    Happened(String),
}

/// Writes down what began or ended, in the caller's transaction.
pub async fn apply(tx: &mut Tx, rng: &Rng, change: &Change) -> Result<()> {
    let Change { kind, subject, at, turn } = change;
    match turn {
        Turn::Raised(detail) => raise(tx, rng, *kind, *subject, *at, detail).await,
        Turn::Over => clear(tx, *kind, *subject, *at).await,
        Turn::Happened(detail) => insert(tx, rng, *kind, *subject, *at, Some(*at), detail).await,
    }
}

/// Raises an event in the caller's transaction, unless one of its kind is open there already.
pub async fn raise(tx: &mut Tx, rng: &Rng, kind: EventKind, subject: Subject, since: Timestamp, detail: &str) -> Result<()> {
    insert(tx, rng, kind, subject, since, None, detail).await
}

async fn insert(
    tx: &mut Tx,
    rng: &Rng,
    kind: EventKind,
    subject: Subject,
    since: Timestamp,
    until: Option<Timestamp>,
    detail: &str,
) -> Result<()> {
    let (meter, gateway) = subject.columns();
    on!(tx, |c| sqlx::query(
        "INSERT INTO events (id, kind, meter_id, gateway_id, since, until_at, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT DO NOTHING"
    )
    .bind(rng.id(since))
    .bind(kind.as_str())
    .bind(meter)
    .bind(gateway)
    .bind(since.0)
    .bind(until.map(|at| at.0))
    .bind(detail)
    .execute(c)
    .await)?;
    Ok(())
}

/// Ends the open event of a kind in the caller's transaction; nothing where none is open.
pub async fn clear(tx: &mut Tx, kind: EventKind, subject: Subject, until: Timestamp) -> Result<()> {
    let (meter, gateway) = subject.columns();
    on!(tx, |c| sqlx::query(
        "UPDATE events SET until_at = CASE WHEN since > $4 THEN since ELSE $4 END
         WHERE kind = $1 AND (meter_id = $2 OR gateway_id = $3) AND until_at IS NULL"
    )
    .bind(kind.as_str())
    .bind(meter)
    .bind(gateway)
    .bind(until.0)
    .execute(c)
    .await)?;
    Ok(())
}

/// The open events of meters: whose, what, since when.
pub async fn open_of_meters(db: &Db) -> Result<Vec<(MeterId, EventKind, Timestamp)>> {
    let rows: Vec<(Uuid, String, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id, kind, since FROM events WHERE until_at IS NULL AND meter_id IS NOT NULL"
    )
    .fetch_all(pool)
    .await)?;
    let parse = |(meter, kind, since): (Uuid, String, i64)| {
        let kind = EventKind::parse(&kind).ok_or(StoreError::Inconsistent { table: "events", column: "kind" })?;
        Ok((MeterId(meter), kind, Timestamp(since)))
    };
    rows.into_iter().map(parse).collect()
}

/// Gateways whose loss is open.
pub async fn lost_gateways(db: &Db) -> Result<Vec<GatewayId>> {
    let rows: Vec<(Uuid,)> = read!(db, |pool| sqlx::query_as(
        "SELECT gateway_id FROM events WHERE until_at IS NULL AND gateway_id IS NOT NULL AND kind = 'gateway-lost'"
    )
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| GatewayId(id)).collect())
}
