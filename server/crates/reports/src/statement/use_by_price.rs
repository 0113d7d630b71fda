//! What an account used at which price. A server wallet is charged by price version, rate and tier. A meter deducts by itself:
//! its energy is known by rate, and its money as a sum from one comparison with the books to the next.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::ids::{AccountId, MeterId, PlaceId, Uuid};
use model::money::{Fen, Money};
use model::report::{Cell, Column, ColumnKind, Heading, ReportQuery, Section};
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use super::is_within;
use crate::ledger_check::Compared;
use crate::meters::{days_of_accounts, has_own_wallet};
use domain::tariff::{Line, Version};
use queries::PlanPlaces;
use store::prices::VersionRow;
use store::{JsonText, Result, Tx, on};

/// 1e-7 yuan in 0.0001 yuan.
const E7_PER_E4: i64 = 1_000;

/// A price of a server wallet: version, rate, tier, and 0.0001 yuan/kWh.
type Price = (Uuid, i64, i64, i64);

/// What was used, as far as it is stored.
#[derive(Default)]
pub struct Used {
    /// Wh and 1e-7 yuan by price.
    charged: BTreeMap<Price, (i64, i64)>,
    /// Server wallets: each may carry less than 0.0001 yuan to its next charge.
    wallets: i64,
    /// By the version in force and when it took over; `None` where no price plan applied.
    deducted: BTreeMap<Option<(Timestamp, Uuid)>, Deducted>,
}

/// What meters deducted while a version was in force.
#[derive(Default)]
struct Deducted {
    /// Wh by rate, and in all.
    rates: [i64; 4],
    wh: i64,
    amount: Money,
}

#[derive(FromRow)]
struct ChargeDayRow {
    version_id: Uuid,
    rate: i64,
    tier: i64,
    price_e4: i64,
    wh: i64,
    cost_e7: i64,
}

#[derive(FromRow)]
struct ChargeRow {
    posted_at: Timestamp,
    lines: JsonText<Vec<Line>>,
}

#[derive(FromRow)]
struct MeterRow {
    meter_id: MeterId,
    /// Of the account: the meter may be elsewhere by now.
    place_id: PlaceId,
    from_at: Timestamp,
    first_day: Date,
    /// `None` while the account has it.
    last_day: Option<Date>,
}

#[derive(FromRow)]
struct DayRow {
    day: Date,
    wh: i64,
    spike_wh: i64,
    peak_wh: i64,
    flat_wh: i64,
    valley_wh: i64,
}

impl Used {
    /// What the ledger posted in the range of a query. What a meter used before it was taken over is not use of this account.
    pub async fn read(
        tx: &mut Tx,
        account: AccountId,
        query: &ReportQuery,
        places: &PlanPlaces,
        versions: &[VersionRow],
    ) -> Result<Self> {
        let mut used = Self::default();
        used.read_charges(tx, account, query).await?;
        let all: Vec<(Uuid, Version)> = versions.iter().map(version).collect();
        for meter in meters(tx, account, query).await? {
            used.read_meter(tx, account, query, &meter, &places.timeline(meter.place_id, &all)).await?;
        }
        Ok(used)
    }

    /// The days as they were charged, corrected for charges that the ledger has on another day than the energy: of a reading
    /// after a midnight that the range begins or ends with, and reversals.
    async fn read_charges(&mut self, tx: &mut Tx, account: AccountId, query: &ReportQuery) -> Result<()> {
        let (from, to) = query.instants();
        let days: Vec<ChargeDayRow> = on!(tx, |c| sqlx::query_as(
            "SELECT version_id, rate, tier, price_e4, CAST(SUM(wh) AS BIGINT) AS wh, CAST(SUM(cost_e7) AS BIGINT) AS cost_e7
             FROM charge_days WHERE account_id = $1 AND day BETWEEN $2 AND $3 GROUP BY version_id, rate, tier, price_e4"
        )
        .bind(account)
        .bind(query.from)
        .bind(query.until)
        .fetch_all(c)
        .await)?;
        for row in days {
            self.add((row.version_id, row.rate, row.tier, row.price_e4), row.wh, row.cost_e7);
        }
        let crossing: Vec<ChargeRow> = on!(tx, |c| sqlx::query_as(
            "SELECT COALESCE(t.at, c.at - 1) AS posted_at, c.lines
             FROM charges c LEFT JOIN ledger_transfers t ON c.reverses IS NOT NULL AND t.operation = 'consumption-reversal'
                                                        AND t.reference = c.id
             WHERE c.account_id = $1
               AND (c.reverses IS NOT NULL OR (c.at >= $2 AND c.from_at < $2) OR (c.at >= $3 AND c.from_at < $3))"
        )
        .bind(account)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await)?;
        for charge in crossing {
            let posted = i64::from(charge.posted_at >= from && charge.posted_at < to);
            for line in charge.lines.0 {
                let times = posted - i64::from(is_within(query, line.day));
                let price = (line.version, i64::from(line.rate), i64::from(line.tier), line.price_e4);
                self.add(price, line.wh * times, line.cost_e7 * times);
            }
        }
        self.charged.retain(|_, used| *used != (0, 0));
        let wallets: Option<(i64,)> =
            on!(tx, |c| sqlx::query_as("SELECT COUNT(DISTINCT meter_id) FROM charge_days WHERE account_id = $1")
                .bind(account)
                .fetch_optional(c)
                .await)?;
        self.wallets = wallets.map_or(0, |(count,)| count);
        Ok(())
    }

    fn add(&mut self, price: Price, wh: i64, cost_e7: i64) {
        let used = self.charged.entry(price).or_default();
        *used = (used.0 + wh, used.1 + cost_e7);
    }

    async fn read_meter(
        &mut self,
        tx: &mut Tx,
        account: AccountId,
        query: &ReportQuery,
        meter: &MeterRow,
        timeline: &[Version],
    ) -> Result<()> {
        let (from, to) = query.instants();
        let last = meter.last_day.map_or(query.until, |day| day.min(query.until));
        let days: Vec<DayRow> = on!(tx, |c| sqlx::query_as(
            "SELECT day, wh, spike_wh, peak_wh, flat_wh, valley_wh FROM energy_daily
             WHERE meter_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day"
        )
        .bind(meter.meter_id)
        .bind(query.from.max(meter.first_day))
        .bind(last)
        .fetch_all(c)
        .await)?;
        let posted: Vec<(Timestamp, Fen)> = on!(tx, |c| sqlx::query_as(
            "SELECT COALESCE(u.from_at, u.at), u.amount_fen FROM meter_consumption u
             WHERE u.account_id = $1 AND u.meter_id = $2 AND u.at > $3 AND u.at <= $4
               AND NOT EXISTS (SELECT 1 FROM ledger_transfers l WHERE l.operation = 'use' AND l.reference = u.id
                                                               AND 'taken-over' IN (l.debit, l.credit))
             ORDER BY u.at"
        )
        .bind(account)
        .bind(meter.meter_id)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await)?;
        for row in days {
            let of_version = self.deducted_at(timeline, row.day.start().max(meter.from_at));
            of_version.wh += row.wh;
            for (sum, wh) in of_version.rates.iter_mut().zip([row.spike_wh, row.peak_wh, row.flat_wh, row.valley_wh]) {
                *sum += wh;
            }
        }
        for (began, amount) in posted {
            let of_version = self.deducted_at(timeline, began);
            of_version.amount = of_version.amount + amount.money();
        }
        Ok(())
    }

    /// What was deducted under the version that applied at an instant.
    fn deducted_at(&mut self, timeline: &[Version], at: Timestamp) -> &mut Deducted {
        // The first one also applies before.
        let in_force = timeline.iter().rev().find(|version| version.from <= at).or(timeline.first());
        self.deducted.entry(in_force.map(|version| (version.from, version.id))).or_default()
    }

    /// Whether meters with their own wallet used something.
    pub fn is_of_meters(&self) -> bool {
        !self.deducted.is_empty()
    }

    fn deducted_sum(&self) -> Money {
        self.deducted.values().map(|one| one.amount).sum()
    }

    fn charged_e7(&self) -> i64 {
        self.charged.values().map(|(_, cost)| cost).sum()
    }

    /// What is below 0.0001 yuan is carried to the next charge.
    fn is_equal(&self, ledger: Money) -> bool {
        let differs = self.charged_e7() - (ledger - self.deducted_sum()).0 * E7_PER_E4;
        differs == 0 || differs.abs() < self.wallets * E7_PER_E4
    }

    /// The sum by price, beside what the ledger says.
    pub fn compared(&self, ledger: Money) -> Compared {
        let sum = Money(rounded(self.charged_e7())) + self.deducted_sum();
        Compared { heading: Heading::UseByPrice, report: if self.is_equal(ledger) { ledger } else { sum }, ledger }
    }

    pub fn section(&self, ledger: Money, versions: &[VersionRow]) -> Section {
        let named = |id: Uuid| match versions.iter().find(|version| version.id == id) {
            Some(version) => Cell::Text(format!("{} {}", version.plan, version.number)),
            None => Cell::Word(Heading::None),
        };
        let order = |id: &Uuid| versions.iter().find(|version| version.id == *id).map(|version| version.effective_at);
        let mut charged: Vec<_> = self.charged.iter().collect();
        charged.sort_by_key(|((version, rate, tier, _), _)| (order(version), *rate, *tier));
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for ((version, rate, tier, price), (wh, cost)) in charged {
            let (price, energy, cost) =
                (Cell::Money(Money(*price)), Cell::Energy(Energy(*wh)), Cell::Money(Money(rounded(*cost))));
            rows.push(vec![named(*version), rate_cell(*rate), Cell::Count(*tier), price, energy, cost]);
        }
        for (version, one) in &self.deducted {
            let name = version.map_or(Cell::Word(Heading::None), |(_, id)| named(id));
            rows.extend(one.rows(&name));
        }
        let shown = rows.iter().filter_map(|row| row.last()?.amount()).sum::<i64>();
        if self.is_equal(ledger) && ledger.0 != shown {
            let rounding = Cell::Money(Money(ledger.0 - shown));
            rows.push(vec![Cell::Word(Heading::Rounding), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, rounding]);
        }
        let columns = vec![
            Column::text(Heading::PriceVersion),
            Column::text(Heading::Rate),
            Column::plain(Heading::Tier, ColumnKind::Count),
            Column::plain(Heading::Price, ColumnKind::Price),
            Column::summed(Heading::Energy, ColumnKind::Energy),
            Column::summed(Heading::Consumption, ColumnKind::Money),
        ];
        Section { title: Heading::UseByPrice, columns, rows, chart: None }
    }
}

impl Deducted {
    /// A row for the energy of each rate, and one for the money, which no rate is known of.
    fn rows(&self, name: &Cell) -> Vec<Vec<Cell>> {
        let without = self.wh - self.rates.iter().sum::<i64>();
        let rates =
            (1..).zip(self.rates).map(|(rate, wh)| (rate_cell(rate), wh)).chain([(Cell::Word(Heading::WithoutRate), without)]);
        let energy = |(rate, wh)| vec![name.clone(), rate, Cell::Empty, Cell::Empty, Cell::Energy(Energy(wh)), Cell::Empty];
        let amount = Cell::Money(self.amount);
        let money = vec![name.clone(), Cell::Word(Heading::DeductedByMeter), Cell::Empty, Cell::Empty, Cell::Empty, amount];
        rates.filter(|(_, wh)| *wh != 0).map(energy).chain([money]).collect()
    }
}

fn rate_cell(rate: i64) -> Cell {
    u8::try_from(rate).map_or(Cell::Empty, |rate| Cell::Word(Heading::RateOf(rate)))
}

/// 0.0001 yuan of 1e-7 yuan.
const fn rounded(e7: i64) -> i64 {
    (e7 + E7_PER_E4 / 2).div_euclid(E7_PER_E4)
}

fn version(row: &VersionRow) -> (Uuid, Version) {
    (row.plan_id, Version { id: row.id, from: row.effective_at, prices: row.prices().clone() })
}

/// The meters that held their credit themselves while an account had them in the range.
async fn meters(tx: &mut Tx, account: AccountId, query: &ReportQuery) -> Result<Vec<MeterRow>> {
    let (from, to) = query.instants();
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT am.meter_id, a.place_id, am.from_at, am.first_day, am.last_day FROM ",
        days_of_accounts!(),
        " AS am JOIN meters m ON m.id = am.meter_id JOIN accounts a ON a.id = am.account_id
         WHERE am.account_id = $1 AND am.from_at < $3 AND (am.to_at IS NULL OR am.to_at >= $2) AND",
        has_own_wallet!(),
        "ORDER BY am.from_at, am.meter_id"
    ))
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(c)
    .await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_carried_may_differ() {
        let used = Used { charged: [((Uuid::nil(), 3, 1, 5_000), (100, 12_600))].into(), wallets: 1, deducted: BTreeMap::new() };
        assert_eq!((used.compared(Money(12)).report, used.compared(Money(13)).report), (Money(12), Money(13)));
        assert_eq!(used.compared(Money(14)).report, Money(13));
        let last = |ledger| used.section(Money(ledger), &[]).rows.last().unwrap().clone();
        assert_eq!((&last(12)[0], &last(12)[5]), (&Cell::Word(Heading::Rounding), &Cell::Money(Money(-1))));
        assert_ne!(last(14)[0], Cell::Word(Heading::Rounding), "what differs is not hidden");
    }
}
