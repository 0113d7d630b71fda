//! Rooms with server wallets: their price plan, a change of prices, and their accounts.

use model::energy::Energy;
use model::ids::Uuid;
use model::meter::Wallet;
use model::money::Fen;
use model::parameters::{PlanEntry, TierPeriod};
use model::person::Who;
use model::tariff::{DayTable, Prices, Slot, Tiers};
use model::time::{DAY, Date, Timestamp};

use super::super::annex;
use super::Span;
use super::readings::instants;
use super::room::PastRoom;
use domain::rng::Rng;
use domain::tariff::{Passed, Position, Version, charge};
use estate::places;
use store::accounts::{self, NewResident, TakeOver};
use store::prices::{self, Publication};
use store::{Db, Result};

/// What the wallets hold now, fen, in turn: one in arrears, one warned.
const HELD: [i64; 6] = [4_320, 12_650, -30, 380, 8_000, 1_540];
const PLAN: &str = "宿舍分时电价";
/// What each rate rises by, 0.0001 yuan/kWh.
const RISE: u32 = 200;
/// The new prices are published so long before they are in force.
const NOTICE: i64 = 10 * DAY;

/// What a wallet was charged from its first reading on.
pub struct Costs {
    /// Instants of readings, and the sum of charges up to them, 0.0001 yuan.
    sums: Vec<(Timestamp, i64)>,
}

impl Costs {
    /// Charges the readings of a room as the ledger will.
    fn of(span: &Span, past: &PastRoom<'_>, versions: &[Version]) -> Self {
        let days = (span.from.date().0..=span.until.date().0).map(Date);
        let readings: Vec<Timestamp> = days.flat_map(|day| instants(span, day, past)).collect();
        let (mut position, mut sum) = (Position::default(), 0);
        let mut sums: Vec<(Timestamp, i64)> = readings.first().map(|at| (*at, 0)).into_iter().collect();
        for (&from, &to) in readings.iter().zip(readings.iter().skip(1)) {
            let energy = past.total(to) - past.total(from);
            let passed = Passed { from, to, energy, rates: Some([Energy::ZERO; 4]) };
            let charged = (energy > Energy::ZERO).then(|| charge(&mut position, versions, &passed)).flatten();
            sum += charged.map_or(0, |charge| charge.amount.0);
            sums.push((to, sum));
        }
        Self { sums }
    }

    /// What is charged for the time from an instant on, fen.
    pub fn after(&self, at: Timestamp) -> i64 {
        let whole = self.sums.last().map_or(0, |(_, sum)| *sum);
        let index = self.sums.partition_point(|(to, _)| *to <= at);
        let (Some(next), before) = (self.sums.get(index), index.checked_sub(1).and_then(|index| self.sums.get(index))) else {
            return 0;
        };
        let (from, sum) = before.copied().unwrap_or((at, 0));
        let share = (next.1 - sum) * at.since(from) / next.0.since(from).max(1);
        (whole - sum - share) / 100
    }
}

/// The versions as they hold at the meters, to plan with.
fn versions(span: &Span) -> [Version; 2] {
    let version = |id, from, more| Version { id: Uuid::from_u128(id), from, prices: prices(more) };
    [version(1, span.from, 0), version(2, change_at(span), RISE)]
}

/// When the new prices come into force.
fn change_at(span: &Span) -> Timestamp {
    span.from.date().plus(super::DAYS / 2).start()
}

/// Plans what the rooms with server wallets bought.
pub fn plan(span: &Span, rooms: &mut [PastRoom<'_>]) {
    let versions = versions(span);
    let rooms = rooms.iter_mut().filter(|past| past.room.wallet == Wallet::Server);
    for (past, holds) in rooms.zip(HELD.into_iter().cycle()) {
        let costs = Costs::of(span, past, &versions);
        past.with_costs(span, costs, holds);
    }
}

/// Publishes the plan and takes the accounts over.
pub async fn take_over(db: &Db, rng: &Rng, span: &Span, by: &Who, hash: &str, rooms: &mut [PastRoom<'_>]) -> Result<()> {
    let mut here: Vec<&mut PastRoom<'_>> = rooms.iter_mut().filter(|past| past.room.wallet == Wallet::Server).collect();
    if here.is_empty() {
        return Ok(());
    }
    for (building, _) in places::buildings(db).await?.into_iter().filter(|(_, name)| name == annex::NAME) {
        let new = Publication { plan: PLAN.into(), effective_at: None, prices: prices(0) };
        let plan = prices::publish(db, rng, span.from, Some(by), &new).await?;
        prices::assign(db, span.from, Some(by), building, plan).await?;
    }
    let account = |(n, past): (usize, &&mut PastRoom<'_>)| {
        let held = past.remaining(span.from.plus(-1));
        TakeOver {
            meter: past.meter,
            number: format!("260901{:010}", n + 1),
            opened_at: span.from,
            epoch: 0,
            count: u16::from(held > Fen::ZERO),
            cumulative: held,
            resident: Some(NewResident {
                name: format!("{}室", past.room.name()),
                login: past.room.login(),
                password_hash: hash.to_owned(),
            }),
        }
    };
    let held: Vec<TakeOver> = here.iter().enumerate().map(account).collect();
    let accounts = accounts::take_over(db, rng, span.from, &held).await?;
    here.iter_mut().zip(accounts).for_each(|(past, account)| past.account = Some(account));
    Ok(())
}

/// Publishes the new prices on the day on which they are announced.
pub async fn announce(db: &Db, rng: &Rng, span: &Span, day: Date, by: &Who) -> Result<()> {
    let change = change_at(span);
    if day != change.plus(-NOTICE).date() {
        return Ok(());
    }
    let new = Publication { plan: PLAN.into(), effective_at: Some(change), prices: prices(RISE) };
    prices::publish(db, rng, day.start().plus(DAY / 2), Some(by), &new).await.map(drop)
}

/// Valley at night, peak in the morning and the evening; monthly tiers. `more` is added to each rate, 0.0001 yuan/kWh.
fn prices(more: u32) -> Prices {
    let slot = |(starts, rate): (u16, u8)| Slot { rate, starts: starts * 60 };
    let day = [(0, 4), (7, 3), (10, 2), (15, 3), (18, 2), (23, 4)].map(slot);
    Prices {
        rates: [8_600, 7_200, 5_400, 3_000].map(|rate| rate + more),
        tiers: Tiers { period: TierPeriod::Month, thresholds: [240_000, 400_000], surcharges: [500, 3_000] },
        tables: [DayTable(day.into()), DayTable::default()],
        plan: vec![PlanEntry { month: 1, day: 1, table: 1 }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_plans_are_valid() {
        for more in [0, RISE] {
            assert_eq!(prices(more).validate(), Ok(()));
        }
    }

    #[test]
    fn charges_are_counted_back_from_the_last_reading() {
        let costs = Costs { sums: vec![(Timestamp(100), 0), (Timestamp(200), 1_000), (Timestamp(300), 4_000)] };
        let after = |at| costs.after(Timestamp(at));
        assert_eq!([0, 100, 150, 200, 250, 300, 400].map(after), [40, 40, 35, 30, 15, 0, 0]);
    }
}
