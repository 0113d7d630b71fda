//! What the server observes of itself and of its money, for the engine.

use model::alarm::AlarmChannel;
use model::event::EventKind;
use model::ids::{MeterId, PlaceId};
use model::time::{MINUTE, Timestamp};

use store::{Db, Result, read};

/// Meters without an alarm that are looked at in one run, those that wait longest.
const MOST: i64 = 500;

/// A meter whose money waits, and for how many minutes.
pub type StuckMeter = (MeterId, i64);

/// The meters whose oldest money command has not arrived for a minute or longer, except behind lost gateways, where nothing is
/// raised; and those with an open or waiting alarm of a stuck delivery, with 0 minutes where everything has arrived.
pub async fn stuck_deliveries(db: &Db, now: Timestamp) -> Result<Vec<StuckMeter>> {
    let waiting: Vec<(MeterId, Timestamp)> = read!(db, |pool| sqlx::query_as(
        "SELECT c.meter_id, MIN(c.decided_at) AS oldest FROM commands c JOIN meters m ON m.id = c.meter_id
         WHERE c.money AND c.state IN ('queued', 'sending', 'case') AND c.decided_at <= $1 AND m.retired_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.gateway_id = m.gateway_id AND e.kind = 'gateway-lost'
                           AND e.until_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.meter_id = m.id AND e.kind = 'delivery-stuck' AND e.until_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM alarm_waits w WHERE w.meter_id = m.id AND w.kind = 'delivery-stuck')
         GROUP BY c.meter_id ORDER BY oldest, c.meter_id LIMIT $2"
    )
    .bind(now.plus(-MINUTE))
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    // Read separately, because these meters may not be among those that wait longest.
    let alarms: Vec<(MeterId, Option<Timestamp>)> = read!(db, |pool| sqlx::query_as(
        "SELECT a.meter_id, (SELECT MIN(c.decided_at) FROM commands c
                             WHERE c.meter_id = a.meter_id AND c.money AND c.state IN ('queued', 'sending', 'case'))
         FROM (SELECT meter_id FROM events WHERE kind = 'delivery-stuck' AND until_at IS NULL AND meter_id IS NOT NULL
               UNION SELECT meter_id FROM alarm_waits WHERE kind = 'delivery-stuck' AND meter_id IS NOT NULL) a"
    )
    .fetch_all(pool)
    .await)?;
    let waiting = waiting.into_iter().map(|(meter, since)| (meter, Some(since)));
    Ok(waiting.chain(alarms).map(|(meter, since)| (meter, since.map_or(0, |since| now.since(since) / MINUTE))).collect())
}

/// How many payments do not fit their order and wait for a person.
pub async fn mismatched_payments(db: &Db) -> Result<i64> {
    let found: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT COUNT(*) FROM cases WHERE closed_at IS NULL AND kind IN ('payment', 'paid-twice')"
    )
    .fetch_optional(pool)
    .await)?;
    Ok(found.map_or(0, |(count,)| count))
}

/// The channels with an alarm, open or waiting, and its detail: one that is not configured any more is no longer observed.
pub async fn observed_channels(db: &Db) -> Result<Vec<(AlarmChannel, String)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT subject, detail FROM events WHERE kind = 'channel-down' AND until_at IS NULL AND subject IS NOT NULL
         UNION SELECT subject, detail FROM alarm_waits WHERE kind = 'channel-down' AND subject IS NOT NULL"
    )
    .fetch_all(pool)
    .await)
}

/// The meters with an alarm of a kind, open or waiting, and their rooms.
pub async fn observed_meters(db: &Db, kind: EventKind) -> Result<Vec<(MeterId, PlaceId)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT m.id, m.place_id FROM meters m
         WHERE m.id IN (SELECT meter_id FROM events WHERE kind = $1 AND until_at IS NULL
                        UNION SELECT meter_id FROM alarm_waits WHERE kind = $1)"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)
}

/// The channels with an open alarm, and since when they are down.
pub async fn channels_down(db: &Db) -> Result<Vec<(AlarmChannel, Timestamp)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT subject, since FROM events WHERE kind = 'channel-down' AND until_at IS NULL AND subject IS NOT NULL"
    )
    .fetch_all(pool)
    .await)
}
