//! Passes to the alarm engine in which rooms the use of the last finished day was unusual, where a rule wants to know it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::abnormal_use::{finished_day, is_condition};
use domain::alarm::Observation;
use domain::alarm_rules::rule_at;
use model::alarm::OwnAlarmRule;
use model::defaults::DefaultsOf;
use model::event::EventKind;
use model::ids::{MeterId, PlaceId};
use model::task::TaskKind;
use model::time::{Date, Timestamp};
use serde_json::json;

use super::{Done, Failure, Task};
use alarms::RuleTree;
use estate::places;
use reports::JudgedDay;
use services::Context;
use store::Db;
use store::events::{self, Observed, Subject};

const KIND: EventKind = EventKind::AbnormalUse;
/// Rooms of one transaction, so that others write in between.
const CHUNK: usize = 100;

pub struct WatchUse {
    context: Context,
    /// The last day that was judged of each building; begins anew with the process.
    judged: Mutex<HashMap<PlaceId, Date>>,
}

/// Whether it holds in the room of a meter, and what is unusual there, as JSON.
type ObservedRoom = (MeterId, bool, String);

impl WatchUse {
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context, judged: Mutex::default() }
    }

    /// Judges the last finished day of each building once, where the rule of a room is on. Gives how many rooms were unusual.
    pub async fn observe(&self, now: Timestamp) -> store::Result<usize> {
        let db = &self.context.db;
        let day = finished_day(now);
        let tree = alarms::tree(db, KIND).await?;
        let on: HashSet<PlaceId> = tree.places.keys().copied().filter(|place| rule_at(&tree, KIND, *place).is_on).collect();
        let observed = alarms::observed_meters(db, KIND).await?;
        // Nobody looks at these any more, so that nothing of them is remembered for later.
        let unwatched = observed.iter().filter(|(_, room)| !on.contains(room));
        self.pass(now, unwatched.map(|(meter, _)| (*meter, false, "{}".to_owned())).collect()).await?;
        let raised: HashSet<MeterId> = observed.into_iter().map(|(meter, _)| meter).collect();
        let mut unusual = 0;
        for building in self.due(&tree, &on, day).await? {
            let days = reports::judged_days(db, building, (day, day)).await?;
            let rooms = days.into_iter().filter(|judged| on.contains(&judged.room)).map(observed_room);
            let rooms: Vec<ObservedRoom> = rooms.filter(|(meter, holds, _)| *holds || raised.contains(meter)).collect();
            unusual += rooms.iter().filter(|(_, holds, _)| *holds).count();
            self.pass(now, rooms).await?;
            self.lock().insert(building, day);
        }
        Ok(unusual)
    }

    /// The buildings with a room whose rule is on that were not judged of this day; others are judged when one is switched on.
    async fn due(&self, tree: &RuleTree, on: &HashSet<PlaceId>, day: Date) -> store::Result<Vec<PlaceId>> {
        let place = |(of, _): (DefaultsOf, &OwnAlarmRule)| if let DefaultsOf::Place(place) = of { Some(place) } else { None };
        let with_rooms: HashSet<PlaceId> = on.iter().flat_map(|room| tree.nearest_first(*room).filter_map(place)).collect();
        let buildings = places::buildings(&self.context.db).await?;
        let mut judged = self.lock();
        judged.retain(|building, _| with_rooms.contains(building));
        let is_due = |building: &PlaceId| with_rooms.contains(building) && judged.get(building) != Some(&day);
        Ok(buildings.into_iter().map(|(building, _)| building).filter(is_due).collect())
    }

    async fn pass(&self, now: Timestamp, rooms: Vec<ObservedRoom>) -> store::Result<()> {
        let Context { db, rng, .. } = &self.context;
        for rooms in rooms.chunks(CHUNK) {
            let mut tx = db.begin().await?;
            for (meter, holds, detail) in rooms {
                let (subject, seen) = (Subject::Meter(*meter), Observation::Holds(*holds));
                events::observe(&mut tx, rng, now, &Observed { kind: KIND, subject, seen, detail }).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PlaceId, Date>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn observed_room(judged: JudgedDay) -> ObservedRoom {
    let unusual: Vec<&str> = judged.found.iter().map(|kind| kind.as_str()).collect();
    let detail = json!({ "day": judged.day.to_string(), "unusual": unusual }).to_string();
    (judged.meter, is_condition(&judged.found), detail)
}

#[async_trait]
impl Task for WatchUse {
    fn kind(&self) -> TaskKind {
        TaskKind::WatchUse
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        // Of several processes the one that polls watches.
        if !self.context.gateway.polls() && !matches!(self.context.db, Db::Sqlite { .. }) {
            return Ok(Done::new(0, "left to the process that polls"));
        }
        let unusual = self.observe(self.context.now()).await?;
        Ok(Done::new(unusual, format!("{unusual} rooms found")))
    }
}
