//! What a rule would have raised: conditions of the past through the engine. Conditions of meters come from their stored
//! readings, the others from stored alarms, which are all that is kept of them.

use std::collections::HashMap;

use model::alarm::AlarmChannel;
use model::console::RoomName;
use model::defaults::DefaultsOf;
use model::event::EventKind;
use model::ids::{GatewayId, InstrumentId, MeterId, PlaceId};
use model::meter::StatusWord;
use model::time::Timestamp;
use sqlx::FromRow;

use super::RuleTree;
use domain::alarm_conditions::{of_meter, of_wallet};
use domain::alarm_rules::{PastAlarm, Replay, rule_at};
use store::console::{Name, above, names};
use store::{Db, Result, read};

/// Changes of one meter, and stored alarms, that are looked at.
const MOST: i64 = 20_000;
/// Alarms that are named.
const EXAMPLES: usize = 20;

/// What would have been raised, by the current rules and by the new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub now: usize,
    pub new: usize,
    /// Those that the new rules would have raised, the longest first.
    pub examples: Vec<(String, PastAlarm)>,
    /// Meters that were looked at, of how many, where readings are; otherwise none.
    pub meters: Option<(usize, usize)>,
}

#[derive(FromRow)]
struct MeterRow {
    id: MeterId,
    place_id: PlaceId,
    #[sqlx(flatten)]
    name: Name,
}

#[derive(FromRow)]
struct StoredRow {
    meter_id: Option<MeterId>,
    gateway_id: Option<GatewayId>,
    instrument_id: Option<InstrumentId>,
    subject: Option<AlarmChannel>,
    place_id: Option<PlaceId>,
    since: Timestamp,
    until_at: Option<Timestamp>,
    gateway: Option<String>,
    instrument: Option<String>,
    #[sqlx(flatten)]
    name: Name,
}

impl StoredRow {
    /// What the alarm is about.
    const fn key(&self) -> (Option<MeterId>, Option<GatewayId>, Option<InstrumentId>, Option<AlarmChannel>) {
        (self.meter_id, self.gateway_id, self.instrument_id, self.subject)
    }
}

/// The place or group whose rule is edited, with the current rules and with the edited one among them.
pub struct EditedRule<'a> {
    pub of: DefaultsOf,
    pub kind: EventKind,
    pub now: &'a RuleTree,
    pub new: &'a RuleTree,
}

impl EditedRule<'_> {
    fn concerns(&self, place: PlaceId) -> bool {
        self.new.nearest_first(place).any(|(of, _)| of == self.of)
    }

    /// Both replays of conditions at a place.
    fn replays(&self, place: PlaceId) -> [Replay; 2] {
        [self.now, self.new].map(|tree| Replay::new(self.kind, rule_at(tree, self.kind, place)))
    }
}

/// Between two instants; `is_over` says when to stop, and then the rest is not looked at.
pub async fn preview(
    db: &Db,
    edited: &EditedRule<'_>,
    (from, to): (Timestamp, Timestamp),
    is_over: impl Fn() -> bool + Send + Sync,
) -> Result<Preview> {
    let mut found = Preview::default();
    if is_in_status(edited.kind) {
        of_readings(db, edited, (from, to), is_over, &mut found).await?;
    } else {
        of_stored(db, edited, (from, to), &mut found).await?;
    }
    found.shorten(to);
    Ok(found)
}

/// The same from what was observed of meters, for a kind of which neither readings nor stored alarms tell it.
pub async fn preview_of_meters(
    db: &Db,
    edited: &EditedRule<'_>,
    end: Timestamp,
    observed: &HashMap<MeterId, Vec<(Timestamp, bool)>>,
) -> Result<Preview> {
    let mut found = Preview::default();
    let meters = concerned_meters(db, edited).await?;
    let (all, mut looked_at) = (meters.len(), 0);
    for meter in meters {
        let Some(observed) = observed.get(&meter.id) else { continue };
        let mut replays = edited.replays(meter.place_id);
        for (at, holds) in observed {
            replays.iter_mut().for_each(|replay| replay.observe(*at, *holds));
        }
        found.add(&RoomName::from(meter.name).to_string(), replays, end);
        looked_at += 1;
    }
    found.meters = Some((looked_at, all));
    found.shorten(end);
    Ok(found)
}

impl Preview {
    fn add(&mut self, name: &str, replays: [Replay; 2], end: Timestamp) {
        let [now, new] = replays.map(|replay| replay.finish(end));
        self.now += now.len();
        self.new += new.len();
        self.examples.extend(new.into_iter().map(|alarm| (name.to_owned(), alarm)));
        // Bounded, and sorted again at the end.
        if self.examples.len() > 100 * EXAMPLES {
            self.shorten(end);
        }
    }

    /// Keeps the longest examples.
    fn shorten(&mut self, end: Timestamp) {
        self.examples.sort_by_key(|(_, alarm)| std::cmp::Reverse(alarm.until.unwrap_or(end).since(alarm.since)));
        self.examples.truncate(EXAMPLES);
    }
}

/// Whether each reading tells if the condition holds.
fn is_in_status(kind: EventKind) -> bool {
    conditions(StatusWord::default()).any(|(one, _)| one == kind)
}

fn conditions(status: StatusWord) -> impl Iterator<Item = (EventKind, bool)> {
    of_meter(status).into_iter().chain(of_wallet(status))
}

/// The meters in service that the edited rule is about.
async fn concerned_meters(db: &Db, edited: &EditedRule<'_>) -> Result<Vec<MeterRow>> {
    let meters: Vec<MeterRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.place_id,",
        names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.retired_at IS NULL ORDER BY m.id"
    ))
    .fetch_all(pool)
    .await)?;
    Ok(meters.into_iter().filter(|meter| edited.concerns(meter.place_id)).collect())
}

/// From the status word of readings. One query a meter: each reads the changes of one meter by its key, and the time is bounded.
async fn of_readings(
    db: &Db,
    edited: &EditedRule<'_>,
    (from, to): (Timestamp, Timestamp),
    is_over: impl Fn() -> bool + Send + Sync,
    found: &mut Preview,
) -> Result<()> {
    let meters = concerned_meters(db, edited).await?;
    let (all, mut looked_at) = (meters.len(), 0);
    for meter in meters {
        if is_over() {
            break;
        }
        let changes: Vec<(Timestamp, i64)> = read!(db, |pool| sqlx::query_as(
            "SELECT at, status FROM (
                 SELECT at, status, LAG(status) OVER (ORDER BY at) AS earlier FROM readings
                 WHERE meter_id = $1 AND at >= $2 AND at < $3) changed
             WHERE earlier IS NULL OR earlier <> status ORDER BY at LIMIT $4"
        )
        .bind(meter.id)
        .bind(from)
        .bind(to)
        .bind(MOST)
        .fetch_all(pool)
        .await)?;
        let mut replays = edited.replays(meter.place_id);
        for (at, status) in changes {
            let status = StatusWord(u16::try_from(status).unwrap_or_default());
            let holds = conditions(status).any(|(kind, holds)| kind == edited.kind && holds);
            replays.iter_mut().for_each(|replay| replay.observe(at, holds));
        }
        found.add(&RoomName::from(meter.name).to_string(), replays, to);
        looked_at += 1;
    }
    found.meters = Some((looked_at, all));
    Ok(())
}

/// From stored alarms, by their subject and in their order.
async fn of_stored(db: &Db, edited: &EditedRule<'_>, (from, to): (Timestamp, Timestamp), found: &mut Preview) -> Result<()> {
    let rows: Vec<StoredRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT * FROM (SELECT e.meter_id, e.gateway_id, e.instrument_id, e.subject,
                COALESCE(m.place_id, i.place_id, (SELECT gr.parent_id FROM meters gm JOIN places gr ON gr.id = gm.place_id
                    WHERE gm.gateway_id = e.gateway_id AND gm.retired_at IS NULL ORDER BY gm.id LIMIT 1),
                    (SELECT id FROM places WHERE kind = 'site' ORDER BY id LIMIT 1)) AS place_id,
                e.since, e.until_at, g.name AS gateway, i.name AS instrument,",
        names!(),
        "FROM events e LEFT JOIN meters m ON m.id = e.meter_id LEFT JOIN instruments i ON i.id = e.instrument_id
         LEFT JOIN places r ON r.id = COALESCE(m.place_id, i.place_id)",
        above!(),
        "LEFT JOIN gateways g ON g.id = e.gateway_id
         WHERE e.kind = $1 AND e.since < $3 AND (e.until_at IS NULL OR e.until_at > $2)
         ORDER BY e.since DESC LIMIT $4) newest ORDER BY meter_id, gateway_id, instrument_id, subject, since"
    ))
    .bind(edited.kind)
    .bind(from)
    .bind(to)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let mut rows = rows.into_iter().peekable();
    while let Some(first) = rows.next() {
        let mut replays = first.place_id.filter(|place| edited.concerns(*place)).map(|place| edited.replays(place));
        let key = first.key();
        let name = first.gateway.clone().or_else(|| first.instrument.clone());
        let room = RoomName::from(first.name.clone()).to_string();
        let rest = std::iter::from_fn(|| rows.next_if(|row| row.key() == key));
        for row in std::iter::once(first).chain(rest) {
            for replay in replays.iter_mut().flatten() {
                replay.observe(row.since.max(from), true);
                if let Some(until) = row.until_at.filter(|until| *until < to) {
                    replay.observe(until, false);
                }
            }
        }
        if let Some(replays) = replays {
            found.add(&name.unwrap_or(room), replays, to);
        }
    }
    Ok(())
}
