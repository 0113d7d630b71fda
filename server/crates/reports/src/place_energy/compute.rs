//! The energy of places from that of their meters.

use std::collections::{BTreeMap, HashMap};

use domain::rollup::Parts;
use model::energy::Energy;
use model::ids::PlaceId;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use crate::energy::Sum;
use store::{Db, Result, read};

/// Places above each other that are followed; ends the walk if the tree has a cycle.
const DEEPEST: usize = 16;

/// The places above rooms, each with its parent.
pub struct Tree(HashMap<PlaceId, Option<PlaceId>>);

impl Tree {
    pub async fn read(db: &Db) -> Result<Self> {
        let rows: Vec<(PlaceId, Option<PlaceId>)> =
            read!(db, |pool| sqlx::query_as("SELECT id, parent_id FROM places WHERE kind <> 'room'").fetch_all(pool).await)?;
        Ok(Self(rows.into_iter().collect()))
    }

    /// A place and everything above it.
    fn path(&self, place: PlaceId) -> impl Iterator<Item = PlaceId> {
        let known = |place: PlaceId| self.0.contains_key(&place).then_some(place);
        std::iter::successors(known(place), move |place| self.0.get(place).copied().flatten().and_then(known)).take(DEEPEST)
    }
}

/// Energy by place and day.
pub type Rows = BTreeMap<(PlaceId, Date), Sum>;

#[derive(FromRow)]
struct SumRow {
    place_id: Option<PlaceId>,
    day: Date,
    wh: Energy,
    reverse_wh: Energy,
    spike_wh: Energy,
    peak_wh: Energy,
    flat_wh: Energy,
    valley_wh: Energy,
    revised_at: Option<Timestamp>,
}

/// Each place above rooms that used energy, on each day from `from` to `until`.
pub async fn days(db: &Db, tree: &Tree, from: Date, until: Date) -> Result<Rows> {
    // Meter by meter: the days are stored by meter, so that a few of them are found without reading the others.
    let sums: Vec<SumRow> = read!(db, |pool| sqlx::query_as(
        "SELECT CASE WHEN r.kind = 'room' THEN r.parent_id ELSE r.id END AS place_id, d.day, CAST(SUM(d.wh) AS BIGINT) AS wh,
                CAST(SUM(d.reverse_wh) AS BIGINT) AS reverse_wh, CAST(SUM(d.spike_wh) AS BIGINT) AS spike_wh,
                CAST(SUM(d.peak_wh) AS BIGINT) AS peak_wh, CAST(SUM(d.flat_wh) AS BIGINT) AS flat_wh,
                CAST(SUM(d.valley_wh) AS BIGINT) AS valley_wh, MAX(d.revised_at) AS revised_at
         FROM meters m JOIN places r ON r.id = m.place_id
              JOIN energy_daily d ON d.meter_id = m.id AND d.day BETWEEN $1 AND $2
         WHERE m.wallet <> 'none' GROUP BY 1, 2"
    )
    .bind(from)
    .bind(until)
    .fetch_all(pool)
    .await)?;
    let mut rows = Rows::new();
    for sum in sums {
        let rates = [sum.spike_wh, sum.peak_wh, sum.flat_wh, sum.valley_wh];
        let parts = Parts { reverse: sum.reverse_wh, rates };
        let energy = Sum { energy: sum.wh, parts, revised_at: sum.revised_at };
        for place in sum.place_id.into_iter().flat_map(|place| tree.path(place)) {
            let row = rows.entry((place, sum.day)).or_default();
            *row = *row + energy;
        }
    }
    Ok(rows)
}
