//! The prepaid meters of the places that circuits feed. A meter belongs to the lowest of these places, once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::energy::Energy;
use model::ids::{MeterId, PlaceId, UserId};
use model::report::ReportQuery;
use model::time::HOUR;
use sqlx::FromRow;

use super::circuits::{Circuit, Completeness, Range};
use crate::Extent;
use crate::coverage::{MeteredTime, metered_times};
use crate::tree::Tree;
use store::console::{above, within};
use store::{Db, Result, read};

/// The meters of a place, without those that belong to a fed place below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceMeters {
    pub name: String,
    pub meters: i64,
    /// Those whose energy is not known for all of the range.
    pub missing: i64,
    pub wh: Energy,
}

impl PlaceMeters {
    pub const fn completeness(&self) -> Completeness {
        if self.meters == 0 {
            Completeness::NotRead
        } else if self.missing > 0 {
            Completeness::MetersMissing
        } else {
            Completeness::Complete
        }
    }
}

/// A meter with the places around it.
#[derive(Clone, Copy, Debug, FromRow)]
struct MeterRow {
    id: MeterId,
    room: PlaceId,
    above: Option<PlaceId>,
    higher: Option<PlaceId>,
    highest: Option<PlaceId>,
    wh: Energy,
}

/// By place, the prepaid meters of all places that these circuits feed, as far as the operator may see them. A place all of
/// whose meters belong to places below it is left out.
pub async fn below_places(
    db: &Db,
    operator: UserId,
    query: &ReportQuery,
    range: Range,
    circuits: &[Circuit],
) -> Result<BTreeMap<PlaceId, PlaceMeters>> {
    let shown: BTreeSet<PlaceId> = circuits.iter().filter_map(|circuit| circuit.feeds).collect();
    if shown.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Also by circuits that are not shown here.
    let fed: Vec<(PlaceId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT DISTINCT c.feeds_place_id FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         WHERE c.feeds_place_id IS NOT NULL AND (i.retired_at IS NULL OR i.retired_at > $1)"
    )
    .bind(range.from)
    .fetch_all(pool)
    .await)?;
    let mut meters: Vec<MeterRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, r.id AS room, b.id AS above, t.id AS higher, t.parent_id AS highest,
                (SELECT COALESCE(CAST(SUM(d.wh) AS BIGINT), 0) FROM energy_daily d
                 WHERE d.meter_id = m.id AND d.day BETWEEN $2 AND $3) AS wh
         FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.wallet <> 'none' AND m.created_at < $5 AND (m.retired_at IS NULL OR m.retired_at > $4)
           AND EXISTS (SELECT 1 FROM circuits c JOIN instruments i ON i.id = c.instrument_id
                       WHERE c.feeds_place_id IN (r.id, b.id, t.id, t.parent_id)
                         AND (i.retired_at IS NULL OR i.retired_at > $4)) AND",
        within!()
    ))
    .bind(operator)
    .bind(query.from)
    .bind(query.until)
    .bind(range.from)
    .bind(range.to)
    .fetch_all(pool)
    .await)?;
    if !range.has_begun() {
        meters.clear();
    }
    let tree = Tree::read(db, operator).await?;
    let tops = Extent::All(tree.uppermost(|place| shown.contains(&place)));
    let times = metered_times(db, operator, &tops).await?;
    let times: HashMap<MeterId, MeteredTime> = times.into_iter().map(|time| (time.id, time)).collect();
    let fed = fed.into_iter().map(|(place,)| place).collect();
    let mut found = by_lowest_place(&meters, &fed, &shown, |meter| is_known(times.get(&meter), range));
    for (place, meters) in &mut found {
        meters.name = tree.get(*place).map(|node| node.name.clone()).unwrap_or_default();
    }
    Ok(found)
}

/// Whether the energy of a meter is known for all of the range in which it was there.
fn is_known(time: Option<&MeteredTime>, Range { from, to, ends_now }: Range) -> bool {
    let Some(time) = time else { return false };
    // A meter is first read some time after it was set up, and last some time before it was taken out.
    let to = if ends_now { to.plus(-HOUR) } else { to };
    let begin = from.max(time.begins_at.plus(HOUR));
    let end = time.ends_at.map_or(to, |end| to.min(end.plus(-HOUR)));
    time.measured().iter().any(|(first, last)| *first <= begin && *last >= end)
}

fn by_lowest_place(
    meters: &[MeterRow],
    fed: &BTreeSet<PlaceId>,
    shown: &BTreeSet<PlaceId>,
    is_known: impl Fn(MeterId) -> bool,
) -> BTreeMap<PlaceId, PlaceMeters> {
    let mut own: BTreeMap<PlaceId, PlaceMeters> = BTreeMap::new();
    let mut all: BTreeSet<PlaceId> = BTreeSet::new();
    for meter in meters {
        let around = [Some(meter.room), meter.above, meter.higher, meter.highest];
        let mut around = around.into_iter().flatten().filter(|place| fed.contains(place)).peekable();
        if let Some(lowest) = around.peek() {
            let of_place = own.entry(*lowest).or_default();
            of_place.meters += 1;
            of_place.missing += i64::from(!is_known(meter.id));
            of_place.wh = of_place.wh + meter.wh;
        }
        all.extend(around);
    }
    let without = shown.iter().filter(|place| !all.contains(place)).map(|place| (*place, PlaceMeters::default()));
    own.into_iter().filter(|(place, _)| shown.contains(place)).chain(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    fn place(number: u128) -> PlaceId {
        PlaceId(Uuid::from_u128(number))
    }

    fn meter(number: u128, floor: u128, wh: i64) -> MeterRow {
        let id = MeterId(Uuid::from_u128(number));
        let (above, higher, highest) = (Some(place(floor)), Some(place(2)), Some(place(1)));
        MeterRow { id, room: place(100 + number), above, higher, highest, wh: Energy(wh) }
    }

    #[test]
    fn a_meter_belongs_to_the_lowest_fed_place_once() {
        let meters = [meter(1, 11, 100), meter(2, 11, 20), meter(3, 12, 3)];
        let [building, first, second, other] = [2, 11, 12, 13].map(place);
        let energies = |fed: &[PlaceId], shown: &[PlaceId]| -> Vec<(PlaceId, i64, i64)> {
            let (fed, shown) = (fed.iter().copied().collect(), shown.iter().copied().collect());
            let found = by_lowest_place(&meters, &fed, &shown, |meter| meter != meters[1].id);
            found.into_iter().map(|(place, meters)| (place, meters.wh.0, meters.missing)).collect()
        };
        assert_eq!(energies(&[building], &[building]), [(building, 123, 1)]);
        assert_eq!(energies(&[building, first], &[building, first]), [(building, 3, 0), (first, 120, 1)]);
        assert_eq!(energies(&[building, first], &[building]), [(building, 3, 0)], "the floor's circuit is not shown");
        let floors = [building, first, second];
        assert_eq!(energies(&floors, &floors), [(first, 120, 1), (second, 3, 0)], "nothing is left for the building");
        assert_eq!(energies(&[building, other], &[other]), [(other, 0, 0)], "without meters");
    }
}
