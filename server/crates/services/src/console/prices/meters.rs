//! The meters of a plan that hold their own credit: what they keep otherwise, and what is to be issued to them.

use std::collections::{HashMap, HashSet};

use model::console::{Page, PriceGap, PriceIssue, PriceMeter, PriceMeterCounts, PriceMeters};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::issue::{Issue, Kind};
use model::meter::Wallet;
use model::person::Who;
use model::time::Timestamp;

use super::super::ConsoleService;
use domain::price_issue::{Wanted, gaps, issue};
use queries::{PlanInForce, PlanPlaces, WalletCounts};
use store::prices::{self, PricedMeter};
use store::{Db, meters, parameters};

/// A plan that is there.
async fn in_force(db: &Db, plan: Uuid, at: Timestamp) -> Result<PlanInForce, AppError> {
    PlanInForce::read(db, plan, at).await?.ok_or(AppError::NotFound)
}

/// Whether a command is one of those by which a plan gets into meters.
fn is_of_plan(plan: &PlanInForce, command: &Issue, at: Timestamp) -> bool {
    GAPS.into_iter().any(|gap| issue(gap, &plan.wanted, at).as_ref() == Some(command))
}

/// Of the meters with their own wallet that a plan applies to and whose parameters were read: whether they keep its prices.
pub(crate) async fn keep_plan(db: &Db, at: Timestamp) -> Result<HashMap<MeterId, bool>, AppError> {
    let plans = PlanInForce::all(db, at).await?;
    if plans.is_empty() {
        return Ok(HashMap::new());
    }
    let (places, keeps) = (PlanPlaces::read(db).await?, prices::keeps(db).await?);
    let keeps_it = |(meter, plan, _): (PricedMeter, Uuid, DefaultsOf)| {
        let (known, _) = keeps.get(&meter.id)?;
        Some((meter.id, gaps(known, &plans.get(&plan)?.wanted, at).is_empty()))
    };
    Ok(places.priced(at).into_iter().filter_map(keeps_it).collect())
}

/// The same of one meter; `None` where no plan applies to it or it was not read.
pub(crate) async fn keeps_plan(db: &Db, at: Timestamp, meter: MeterId) -> Result<Option<bool>, AppError> {
    let Some((known, _)) = parameters::find(db, meter).await? else { return Ok(None) };
    let place = meters::find(db, meter).await?.ok_or(AppError::NotFound)?.place_id;
    let Some((plan, ..)) = PlanPlaces::places(db).await?.plan_at(place, at) else { return Ok(None) };
    Ok(Some(gaps(&known, &in_force(db, plan, at).await?.wanted, at).is_empty()))
}

impl ConsoleService {
    pub(super) async fn meters_page(&self, who: &Who, plan: Uuid, number: i64) -> Result<PriceMeters, AppError> {
        let (db, at) = (&self.context.db, self.context.now());
        let PlanInForce { version, next, wanted } = in_force(db, plan, at).await?;
        let scope = queries::scope(db, who.user).await?;
        let places = self.context.live.meter_places(&scope);
        let seen: HashSet<MeterId> = places.iter().map(|(place, _)| place.meter).collect();
        let applies: Vec<PricedMeter> = PlanPlaces::read(db)
            .await?
            .meters_of(plan, at)
            .into_iter()
            .map(|(meter, _)| meter)
            .filter(|m| seen.contains(&m.id))
            .collect();
        let own: HashSet<MeterId> = applies.iter().filter(|meter| meter.wallet == Wallet::Meter).map(|meter| meter.id).collect();
        let (keeps, commands) = (prices::keeps(db).await?, prices::last_commands(db).await?);
        let mut counts = PriceMeterCounts {
            meters: own.len(),
            server_wallets: WalletCounts::of(applies.iter()).server_wallets,
            ..PriceMeterCounts::default()
        };
        let mut lines = Vec::new();
        for (place, latest) in places.iter().filter(|(place, _)| own.contains(&place.meter)) {
            let known = keeps.get(&place.meter);
            let gaps = known.map_or_else(Vec::new, |(known, _)| gaps(known, &wanted, at));
            if known.is_some() && gaps.is_empty() {
                counts.same += 1;
                continue;
            }
            let last = commands.get(&place.meter).copied();
            counts.unread += usize::from(known.is_none());
            counts.differing += usize::from(known.is_some());
            counts.moving += usize::from(last.is_some_and(|last| last.is_moving()));
            counts.failed += usize::from(last.is_some_and(|last| last.has_failed()));
            lines.push(PriceMeter {
                meter: place.meter,
                room: place.name(),
                read_at: known.map(|(_, read_at)| *read_at),
                gaps,
                lost_since: latest.lost_since,
                last,
            });
        }
        Ok(PriceMeters {
            plan,
            name: version.plan,
            number: version.number,
            next,
            counts,
            issues: issues(&lines, &wanted, at),
            lines: page(lines, number),
        })
    }

    /// Whether a command tells each of the meters what its plan says.
    pub(in super::super) async fn is_planned(&self, command: &Issue, meters: &[MeterId]) -> Result<bool, AppError> {
        let (db, at) = (&self.context.db, self.context.now());
        let plans = PlanInForce::all(db, at).await?;
        let is_planned = |plan: &Uuid| plans.get(plan).is_some_and(|plan| is_of_plan(plan, command, at));
        let planned = PlanPlaces::read(db).await?.priced(at).into_iter().filter(|(_, plan, _)| is_planned(plan));
        let planned: HashSet<MeterId> = planned.map(|(meter, ..)| meter.id).collect();
        Ok(meters.iter().all(|meter| planned.contains(meter)))
    }

    /// The meters to which a plan applies and that keep something else than a command of this kind would tell them.
    pub(in super::super) async fn other_prices(&self, plan: Uuid, kind: Kind, table: u8) -> Result<HashSet<MeterId>, AppError> {
        let (db, at) = (&self.context.db, self.context.now());
        let wanted = in_force(db, plan, at).await?.wanted;
        let keeps = prices::keeps(db).await?;
        let needs = |meter: &MeterId| {
            let found = keeps.get(meter).map_or_else(Vec::new, |(known, _)| gaps(known, &wanted, at));
            found.iter().any(|gap| gap.kind() == kind && (gap.table() == table || kind != Kind::DayTable))
        };
        let applies = PlanPlaces::read(db).await?.meters_of(plan, at);
        Ok(applies.into_iter().map(|(meter, _)| meter.id).filter(needs).collect())
    }
}

/// What a meter keeps of a plan, in the order in which it is issued.
const GAPS: [PriceGap; 6] =
    [PriceGap::Prices, PriceGap::Standby, PriceGap::Tiers, PriceGap::Table(1), PriceGap::Table(2), PriceGap::Seasons];

/// What is to be issued, in a fixed order.
fn issues(lines: &[PriceMeter], wanted: &Wanted, at: Timestamp) -> Vec<PriceIssue> {
    let issue = |gap: PriceGap| PriceIssue {
        gap,
        issue: issue(gap, wanted, at),
        meters: lines.iter().filter(|line| line.gaps.contains(&gap)).count(),
    };
    GAPS.into_iter().map(issue).filter(|issue| issue.meters > 0).collect()
}

fn page(lines: Vec<PriceMeter>, number: i64) -> Page<PriceMeter> {
    let total = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let size = usize::try_from(Page::<PriceMeter>::SIZE).unwrap_or(1);
    let skipped = usize::try_from(number).unwrap_or(0).saturating_mul(size);
    Page { lines: lines.into_iter().skip(skipped).take(size).collect(), total }
}
