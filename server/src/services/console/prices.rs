//! Price plans and the limits of server wallets, as the console asks for them.

use app::api::operator::{Plan, PlanVersion, PricesView};
use model::console::{DayCharge, WalletLimits, WalletView};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, MeterId, PlaceId, Uuid};
use model::money::{Fen, Money};
use model::person::Who;
use model::tariff::Prices;
use model::time::{Date, Timestamp};

use super::Operator;
use domain::wall_layout::Scope;
use store::console;
use store::prices::{self, Publication};
use store::wallets;

/// Days whose charges a room's page explains.
const DAYS: i64 = 14;

pub(super) async fn prices(desk: &Operator, who: &Who) -> Result<PricesView, AppError> {
    let mut plans: Vec<Plan> = Vec::new();
    for row in prices::versions(&desk.db).await? {
        let version = PlanVersion {
            number: row.number,
            effective_at: row.effective_at,
            prices: row.prices().clone(),
            by: row.by_name,
            published_at: row.published_at,
        };
        match plans.last_mut().filter(|plan| plan.id == row.plan_id) {
            Some(plan) => plan.versions.push(version),
            None => plans.push(Plan { id: row.plan_id, name: row.plan, versions: vec![version], places: Vec::new() }),
        }
    }
    let places = console::priced_places(&desk.db, who.user).await?;
    for (plan, place, from) in prices::places(&desk.db).await? {
        let name = places.iter().find(|(id, _)| *id == place);
        if let (Some(plan), Some((_, name))) = (plans.iter_mut().find(|one| one.id == plan), name) {
            plan.places.push((name.clone(), from));
        }
    }
    let may_publish = console::scope(&desk.db, who.user).await? == Scope::All;
    Ok(PricesView { plans, places, may_publish, now: desk.clock.now() })
}

/// Plans are for all buildings: an operator of some of them publishes none.
pub(super) async fn publish(
    desk: &Operator,
    who: &Who,
    plan: &str,
    from: Option<Timestamp>,
    prices: Prices,
) -> Result<(), AppError> {
    if console::scope(&desk.db, who.user).await? != Scope::All {
        return Err(AppError::Forbidden);
    }
    let new = Publication { plan: plan.to_owned(), effective_at: from, prices };
    prices::publish(&desk.db, &desk.rng, desk.clock.now(), Some(who), &new).await?;
    Ok(())
}

pub(super) async fn assign(desk: &Operator, who: &Who, place: PlaceId, plan: Uuid) -> Result<(), AppError> {
    let places = console::priced_places(&desk.db, who.user).await?;
    if !places.iter().any(|(id, _)| *id == place) {
        return Err(AppError::NotFound);
    }
    prices::assign(&desk.db, desk.clock.now(), Some(who), place, plan).await?;
    Ok(())
}

pub(super) async fn set_limits(desk: &Operator, who: &Who, meter: MeterId, limits: &WalletLimits) -> Result<(), AppError> {
    desk.room_of(who, meter).await?;
    let WalletLimits { alarm1, alarm2, overdraft, hoarding, overload_w, malignant_w } = *limits;
    let limits = wallets::Limits { alarm1, alarm2, overdraft, hoarding, overload_w, malignant_w };
    wallets::set_limits(&desk.db, &desk.rng, desk.clock.now(), who, meter, &limits).await?;
    desk.field.wake();
    Ok(())
}

/// The wallet of a room; `None` where it is in the meter.
pub(super) async fn wallet(desk: &Operator, meter: MeterId, account: Option<AccountId>) -> Result<Option<WalletView>, AppError> {
    let Some(view) = wallets::view(&desk.db, meter).await? else { return Ok(None) };
    let first = desk.clock.now().date().plus(1 - DAYS);
    let lines = match account {
        Some(account) => wallets::day_charges(&desk.db, account, meter, first).await?,
        None => Vec::new(),
    };
    let charges = lines.into_iter().map(|line| DayCharge {
        day: line.day,
        plan: format!("{} {}", line.plan, line.version),
        rate: line.rate,
        tier: line.tier,
        price: Money(line.price_e4),
        energy: line.wh,
        cost: Money(line.cost_e7 / 1_000),
    });
    let limits = WalletLimits {
        alarm1: view.alarm1_fen,
        alarm2: view.alarm2_fen,
        overdraft: view.overdraft_fen,
        hoarding: view.hoarding_fen,
        overload_w: u16::try_from(view.overload_w).unwrap_or(u16::MAX),
        malignant_w: u16::try_from(view.malignant_w).unwrap_or(u16::MAX),
    };
    let (counted_at, tier, uncharged) = (view.counted_at, view.tier_wh, view.uncharged_wh);
    Ok(Some(WalletView { closed: view.closed, counted_at, tier, uncharged, limits, charges: charges.collect() }))
}
