//! The page of a plan, and the dry run of a version.

use std::collections::{HashMap, HashSet};

use model::console::{PlanPage, PlanPlace, PlanVersion, PriceTrial, TrialCost, Typical};
use model::defaults::DefaultsOf;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::money::Money;
use model::person::Who;
use model::tariff::{NewVersion, Prices, in_force};
use model::time::{Date, HOUR, Timestamp};

use super::super::ConsoleService;
use crate::Context;
use domain::price_steps::period_start;
use domain::price_year::{Numbered, changes, year};
use domain::tariff::{Passed, Position, Version, charge, period_of};
use domain::wall_layout::Scope;
use queries::{PlanPlaces, WalletCounts};
use store::prices::{self, Publication, VersionRow};
use store::{approvals, energy};

/// Years before and after the present one that the calendar shows.
const YEARS: i64 = 20;
/// Days whose readings a dry run prices.
const DAYS: i64 = 30;
/// What a room is assumed to use in that time where there are no readings: 100 kWh.
const ASSUMED: i64 = 100_000;

/// The versions of a plan, newest first, with what each changed.
pub(super) fn versions(rows: &[VersionRow]) -> Vec<PlanVersion> {
    let before = rows.iter().skip(1).map(Some).chain([None]);
    let version = |(row, before): (&VersionRow, Option<&VersionRow>)| PlanVersion {
        number: row.number,
        effective_at: row.effective_at,
        prices: row.prices().clone(),
        by: row.by_name.clone(),
        published_at: row.published_at,
        approved_by: row.approved_by.clone(),
        changes: before.map_or_else(Vec::new, |before| changes(before.prices(), row.prices())),
    };
    rows.iter().zip(before).map(version).collect()
}

fn numbered<'a>(rows: impl DoubleEndedIterator<Item = &'a VersionRow>) -> Vec<Numbered> {
    let one = |row: &VersionRow| Numbered { number: row.number, from: row.effective_at, prices: row.prices().clone() };
    rows.rev().map(one).collect()
}

impl ConsoleService {
    pub(super) async fn plan_page(&self, who: &Who, plan: Uuid, asked: Option<i64>) -> Result<PlanPage, AppError> {
        let (db, now) = (&self.context.db, self.context.now());
        let rows = prices::versions_of(db, plan).await?;
        let name = rows.first().ok_or(AppError::NotFound)?.plan.clone();
        let (present, _, _) = now.date().ymd();
        let asked = asked.unwrap_or(present).clamp(present - YEARS, present + YEARS);
        let (places, is_elsewhere) = self.plan_places(who, plan, now).await?;
        Ok(PlanPage {
            id: plan,
            waiting: prices::waiting(db, &name).await?,
            name,
            versions: versions(&rows),
            places,
            is_elsewhere,
            year: year(asked, &numbered(rows.iter())),
            now,
            may_publish: queries::scope(db, who.user).await? == Scope::All,
        })
    }

    /// Where a plan was given to, in the order of the places, and then of the groups; only what the operator may see, and whether
    /// there is more.
    async fn plan_places(&self, who: &Who, plan: Uuid, now: Timestamp) -> Result<(Vec<PlanPlace>, bool), AppError> {
        let db = &self.context.db;
        let places = PlanPlaces::read(db).await?;
        let mut meters: HashMap<DefaultsOf, Vec<_>> = HashMap::new();
        for (meter, decides) in places.meters_of(plan, now) {
            meters.entry(decides).or_default().push(meter);
        }
        let assigned = queries::assigned_plans(db).await?.into_iter().filter(|(one, ..)| *one == plan);
        let given: HashMap<DefaultsOf, Timestamp> = assigned.map(|(_, of, from)| (of, from)).collect();
        let places = queries::priced_places(db, who.user).await?.into_iter();
        let places = places.map(|place| (DefaultsOf::Place(place.id), place.name));
        let groups = self.priced_groups(who).await?.into_iter().map(|(id, name)| (DefaultsOf::Group(id), name));
        let place = |(of, name): (DefaultsOf, String)| {
            let from = *given.get(&of)?;
            let counts = WalletCounts::of(meters.get(&of).map_or(&[][..], Vec::as_slice).iter());
            Some(PlanPlace { of, name, from, meter_wallets: counts.meter_wallets, server_wallets: counts.server_wallets })
        };
        let shown: Vec<PlanPlace> = places.chain(groups).filter_map(place).collect();
        let is_elsewhere = shown.len() < given.len();
        Ok((shown, is_elsewhere))
    }

    pub(super) async fn trial(&self, who: &Who, new: &NewVersion) -> Result<PriceTrial, AppError> {
        // Plans are for all buildings.
        self.context.require_whole_site(who).await?;
        let (db, now) = (&self.context.db, self.context.now());
        let publication = Publication { plan: new.plan.clone(), effective_at: new.from, prices: new.prices.clone() };
        prices::check(now, &publication)?;
        let from = new.from.unwrap_or(now);
        let rows: Vec<VersionRow> = prices::versions(db).await?.into_iter().filter(|row| row.plan == new.plan).collect();
        if rows.iter().any(|row| row.effective_at == from) {
            return Err(AppError::Conflict);
        }
        let plan = rows.first().map(|row| row.plan_id);
        let before = in_force(&rows, from, |row| row.effective_at).map(|(row, _)| row.prices());
        let meters = match plan {
            Some(plan) => PlanPlaces::read(db).await?.meters_of(plan, now),
            None => Vec::new(),
        };
        let counts = WalletCounts::of(meters.iter().map(|(meter, _)| meter));
        let mut line = numbered(rows.iter());
        line.push(Numbered {
            number: rows.iter().map(|row| row.number).max().unwrap_or(0) + 1,
            from,
            prices: new.prices.clone(),
        });
        line.sort_by_key(|version| version.from);
        let whom: Vec<MeterId> = meters.iter().map(|(meter, _)| meter.id).collect();
        let last = now.date().plus(-1);
        let days = (last.plus(1 - DAYS), last);
        let (rooms, costs) = costs(&self.context, plan.map(|_| whom.as_slice()), days, (before, &new.prices)).await?;
        Ok(PriceTrial {
            plan,
            changes: before.map_or_else(Vec::new, |before| changes(before, &new.prices)),
            days,
            rooms,
            costs,
            meter_wallets: counts.meter_wallets,
            server_wallets: counts.server_wallets,
            year: year(from.date().ymd().0, &line),
            tiers: new.prices.tiers.period,
            second_person: approvals::waits_for_another(db, now, who.user).await?,
        })
    }
}

/// What a small, a middle and a large room paid and would pay for these days; of all meters where the plan is new.
async fn costs(
    context: &Context,
    of: Option<&[MeterId]>,
    days: (Date, Date),
    (before, after): (Option<&Prices>, &Prices),
) -> Result<(usize, Vec<TrialCost>), AppError> {
    let used = prices::used_between(&context.db, days.0, days.1).await?;
    let chosen: HashSet<MeterId> = of.unwrap_or_default().iter().copied().collect();
    let used: Vec<(MeterId, Energy)> = used.into_iter().filter(|(meter, _)| of.is_none() || chosen.contains(meter)).collect();
    let at = |part: usize| used.get(used.len().saturating_sub(1) * part / 10).copied();
    let mut picks: Vec<(Typical, MeterId)> = Vec::new();
    for (typical, part) in [(Typical::Low, 1), (Typical::Median, 5), (Typical::High, 9)] {
        let Some((meter, _)) = at(part) else { continue };
        if picks.iter().all(|(_, one)| *one != meter) {
            picks.push((typical, meter));
        }
    }
    // One room or two: the middle says enough.
    if let [(typical, _)] = picks.as_mut_slice() {
        *typical = Typical::Median;
    }
    let mut costs = Vec::new();
    for (typical, meter) in picks {
        let hours = energy::hours(&context.db, meter, days.0.start(), days.1.plus(1).start()).await?;
        let first = |prices: &Prices| period_start(prices.tiers.period, days.0);
        let mut already = HashMap::new();
        for day in [before.and_then(first), first(after)].into_iter().flatten().filter(|day| *day < days.0) {
            let sums = energy::daily(&context.db, meter, day, days.0.plus(-1)).await?;
            already.insert(day, sums.iter().map(|(_, energy)| energy.0).sum::<i64>());
        }
        let price = |prices: &Prices| {
            let used = first(prices).and_then(|day| already.get(&day).copied()).unwrap_or(0);
            cost(prices, &hours, position(prices, days.0, used))
        };
        let energy = hours.iter().fold(Energy::ZERO, |sum, (_, energy)| sum + *energy);
        costs.push(TrialCost { typical, energy, before: before.map(price), after: price(after) });
    }
    if costs.is_empty() {
        let hours = i64::from(u16::try_from(DAYS * 24).unwrap_or(1));
        let hour = |n: i64| (days.0.start().plus(n * HOUR), Energy(ASSUMED * (n + 1) / hours - ASSUMED * n / hours));
        let evenly: Vec<(Timestamp, Energy)> = (0..hours).map(hour).collect();
        let price = |prices: &Prices| cost(prices, &evenly, Position::default());
        costs.push(TrialCost {
            typical: Typical::Assumed,
            energy: Energy(ASSUMED),
            before: before.map(price),
            after: price(after),
        });
    }
    Ok((used.len(), costs))
}

/// The position at the start of a day, after `used` Wh in the period.
fn position(prices: &Prices, day: Date, used: i64) -> Position {
    Position { period: period_of(prices.tiers.period, day), used_wh: used, carry_e7: 0 }
}

/// The cost of hours of energy by one version, as a server wallet is charged.
fn cost(prices: &Prices, hours: &[(Timestamp, Energy)], mut position: Position) -> Money {
    let versions = [Version { id: Uuid::nil(), from: Timestamp(0), prices: prices.clone() }];
    let charged = hours.iter().filter(|(_, energy)| energy.0 > 0).filter_map(|&(from, energy)| {
        charge(&mut position, &versions, &Passed { from, to: from.plus(HOUR), energy, rates: None })
    });
    charged.map(|charge| charge.amount).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::parameters::TierPeriod;
    use model::tariff::Tiers;

    #[test]
    fn a_dry_run_goes_on_in_the_tier_that_was_reached() {
        let day = Date::from_ymd(2026, 11, 15).unwrap();
        let tiers = Tiers { period: TierPeriod::Month, thresholds: [100_000, 200_000], surcharges: [1_000, 2_000] };
        let prices = Prices { tiers, ..Prices::flat(5_000) };
        let hours = [(day.start(), Energy(10_000)), (Date::from_ymd(2026, 12, 1).unwrap().start(), Energy(10_000))];
        // 5 kWh in tier 1, 5 in tier 2; in December the tiers begin anew.
        assert_eq!(cost(&prices, &hours, position(&prices, day, 95_000)), Money(25_000 + 30_000 + 50_000));
        let year = Prices { tiers: Tiers { period: TierPeriod::Year, ..tiers }, ..prices };
        assert_eq!(cost(&year, &hours, position(&year, day, 95_000)), Money(25_000 + 30_000 + 60_000));
    }
}
