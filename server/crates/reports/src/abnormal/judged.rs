//! The days of a building's rooms as the report judges them, for alarms.

use std::collections::HashMap;

use model::abnormal_use::AbnormalKind;
use model::ids::{MeterId, PlaceId};
use model::time::Date;

use super::{Judgement, judge};
use crate::Extent;
use store::{Db, Result};

/// A day of a room that was measured, and what was unusual on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedDay {
    pub meter: MeterId,
    pub room: PlaceId,
    pub day: Date,
    pub found: Vec<AbnormalKind>,
}

/// The days of all rooms of a building with a meter in service; those that cannot be judged are left out.
pub async fn judged_days(db: &Db, building: PlaceId, (from, until): (Date, Date)) -> Result<Vec<JudgedDay>> {
    let Judgement { rooms, findings, unmeasured, .. } = judge(db, None, &Extent::Place(building), (from, until)).await?;
    let mut found: HashMap<(PlaceId, Date), Vec<AbnormalKind>> = HashMap::new();
    for finding in findings {
        found.entry((finding.room, finding.day)).or_default().push(finding.abnormal.kind);
    }
    let mut judged = Vec::new();
    for day in (from.0..=until.0).map(Date) {
        for (room, of) in rooms.all().filter(|(room, _)| !unmeasured.contains(&(*room, day))) {
            if let (Some(meter), Some(_)) = (of.meter(), rooms.used(room, of, day)) {
                judged.push(JudgedDay { meter, room, day, found: found.remove(&(room, day)).unwrap_or_default() });
            }
        }
    }
    Ok(judged)
}
