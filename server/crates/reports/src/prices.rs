//! Prices in force at an instant: which version applies where and since when, and the meters that keep something else.

use std::collections::HashMap;

use model::defaults::DefaultsOf;
use model::ids::{MeterId, PlaceId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Money;
use model::parameters::{Parameters, TierPeriod};
use model::report::{Cell, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::tariff::Tiers;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::Subject;
use domain::price_issue::gaps;
use queries::{PlanInForce, PlanPlaces};
use store::console::{Name, above, names, within};
use store::prices::{self, VersionRow};
use store::{Db, Result, read};

/// Meters that one report names.
const MOST: usize = 5_000;

#[derive(FromRow)]
struct MeterRow {
    id: MeterId,
    serial: String,
    place_id: PlaceId,
    wallet: Wallet,
    #[sqlx(flatten)]
    name: Name,
}

/// The meters in service that are charged by prices, in the order of the rooms.
async fn meters(db: &Db, operator: UserId, at: Timestamp, subject: &Subject) -> Result<Vec<MeterRow>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.serial, m.place_id, m.wallet,",
        names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.wallet <> 'none' AND m.created_at < $2 AND (m.retired_at IS NULL OR m.retired_at >= $2)
           AND ($3 IS NULL OR $3 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "ORDER BY t.sort, b.sort, r.sort, r.name, m.serial"
    ))
    .bind(operator)
    .bind(at)
    .bind(subject.place())
    .fetch_all(pool)
    .await)
}

/// The meters of a place to which a plan was given, and of nobody's plan.
#[derive(Default)]
struct Counts {
    meters: i64,
    differing: i64,
    unread: i64,
}

pub async fn contents(
    db: &Db,
    now: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let at = query.instant(now);
    let (places, plans) = (PlanPlaces::places(db).await?, Plans { at, by_id: PlanInForce::all(db, at).await? });
    // Older parameters of meters are not kept.
    let known = if at > now { Some(prices::keeps(db).await?) } else { None };
    let mut decided: HashMap<Option<(Uuid, DefaultsOf, Timestamp)>, Counts> = HashMap::new();
    let mut rows = Vec::new();
    for meter in meters(db, operator, at, subject).await? {
        let found = places.plan_at(meter.place_id, at);
        let counts = decided.entry(found).or_default();
        counts.meters += 1;
        let Some((known, (plan, ..))) = known.as_ref().zip(found).filter(|_| meter.wallet == Wallet::Meter) else { continue };
        let Some(row) = plans.look_at(meter, plan, known) else { continue };
        if row.is_read {
            counts.differing += 1
        } else {
            counts.unread += 1
        }
        rows.push(row.cells);
    }
    let mut notes = vec![Note::AsOf(at)];
    let named = queries::priced_places(db, operator).await?.into_iter().map(|place| (DefaultsOf::Place(place.id), place.name));
    let groups = queries::group_names(db).await?.into_iter().map(|(id, name)| (DefaultsOf::Group(id), name));
    let names: Vec<(DefaultsOf, String)> = named.chain(groups).collect();
    let mut sections = vec![by_place(decided, &plans, &names, known.is_some())];
    if known.is_none() {
        notes.push(Note::MetersOnlyNow);
    } else {
        if rows.len() > MOST {
            let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
            notes.push(Note::RowsLeftOut { shown: number(MOST), total: number(rows.len()) });
            rows.truncate(MOST);
        }
        let columns = vec![
            Column::text(Heading::Room),
            Column::text(Heading::Serial),
            Column::text(Heading::PriceVersion),
            Column::text(Heading::WhatDiffers),
            Column::time(Heading::ReadAt),
        ];
        sections.push(Section { title: Heading::DifferingMeters, columns, rows, chart: None });
    }
    Ok((sections, notes))
}

/// The plans as they are at an instant.
struct Plans {
    at: Timestamp,
    by_id: HashMap<Uuid, PlanInForce>,
}

/// A meter that keeps other values, or whose values are not known.
struct Differing {
    is_read: bool,
    cells: Vec<Cell>,
}

impl Plans {
    /// `None` for a meter that keeps what its plan says.
    fn look_at(&self, meter: MeterRow, plan: Uuid, known: &HashMap<MeterId, (Parameters, Timestamp)>) -> Option<Differing> {
        let PlanInForce { version, wanted, .. } = self.by_id.get(&plan)?;
        let (differs, read_at) = match known.get(&meter.id) {
            Some((known, read_at)) => {
                let gaps = gaps(known, wanted, self.at);
                if gaps.is_empty() {
                    return None;
                }
                (Cell::Gaps(gaps), Some(*read_at))
            }
            None => (Cell::Word(Heading::NotRead), None),
        };
        let name: model::console::RoomName = meter.name.into();
        let cells = vec![
            Cell::Text(name.to_string()),
            Cell::Text(meter.serial),
            Cell::Text(named(version)),
            differs,
            read_at.map_or(Cell::Empty, Cell::Time),
        ];
        Some(Differing { is_read: read_at.is_some(), cells })
    }
}

fn named(version: &VersionRow) -> String {
    format!("{} {}", version.plan, version.number)
}

/// A row for each place and group that decides about meters, in the order of `names`, and one for meters without a price.
fn by_place(
    decided: HashMap<Option<(Uuid, DefaultsOf, Timestamp)>, Counts>,
    plans: &Plans,
    names: &[(DefaultsOf, String)],
    is_compared: bool,
) -> Section {
    let position = |of: DefaultsOf| names.iter().position(|(one, _)| *one == of);
    let mut decided: Vec<_> = decided.into_iter().collect();
    decided.sort_by_key(|(found, _)| found.map_or((1, None, None), |(_, place, since)| (0, position(place), Some(since))));
    let count = |value| if is_compared { Cell::Count(value) } else { Cell::Empty };
    let row = |(found, counts): (Option<(Uuid, DefaultsOf, Timestamp)>, Counts)| {
        let of_place = |(plan, place, from)| Some((&plans.by_id.get(&plan)?.version, place, from));
        let (names, prices) = match found.and_then(of_place) {
            Some((version, place, from)) => {
                let name = position(place).and_then(|n| names.get(n));
                let name = name.map_or(Cell::Word(Heading::PlaceAbove), |(_, name)| Cell::Text(name.clone()));
                let prices = version.prices();
                let [spike, peak, flat, valley] = prices.rates.map(price);
                // A plan's first version applies before its instant, too.
                let begun = Some(version.effective_at).filter(|begins| *begins <= plans.at);
                let since = Cell::Time(begun.map_or(from, |begins| begins.max(from)));
                ([name, Cell::Text(named(version)), since], [spike, peak, flat, valley, tiers(&prices.tiers)])
            }
            None => ([Cell::Word(Heading::None), Cell::Empty, Cell::Empty], [const { Cell::Empty }; 5]),
        };
        let counts = [Cell::Count(counts.meters), count(counts.differing), count(counts.unread)];
        names.into_iter().chain(counts).chain(prices).collect()
    };
    let rates = (1..=4).map(|rate| Column::plain(Heading::RateOf(rate), ColumnKind::Price));
    let named = [Column::text(Heading::Place), Column::text(Heading::PriceVersion), Column::time(Heading::Since)];
    let counts =
        [Heading::Meters, Heading::Differing, Heading::NotRead].map(|heading| Column::summed(heading, ColumnKind::Count));
    let columns = named.into_iter().chain(counts).chain(rates).chain([Column::text(Heading::Tiers)]).collect();
    Section { title: Heading::PricesInForce, columns, rows: decided.into_iter().map(row).collect(), chart: None }
}

fn price(e4: u32) -> Cell {
    Cell::Money(Money(e4.into()))
}

/// Where each tier begins, with what it adds to the price: `> 240 kWh +0.0500`.
fn tiers(tiers: &Tiers) -> Cell {
    if tiers.period == TierPeriod::None {
        return Cell::Empty;
    }
    let tier = |(wh, e4): (i64, u32)| format!("> {} kWh +{}", model::energy::Energy(wh), Money(e4.into()));
    Cell::Text(tiers.thresholds.into_iter().zip(tiers.surcharges).map(tier).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_say_where_they_begin_and_what_they_add() {
        let all = Tiers { period: TierPeriod::Month, thresholds: [240_000, 400_000], surcharges: [500, 3_000] };
        assert_eq!(tiers(&all), Cell::Text("> 240.00 kWh +0.0500; > 400.00 kWh +0.3000".into()));
        assert_eq!(tiers(&Tiers { period: TierPeriod::None, ..all }), Cell::Empty);
    }
}
