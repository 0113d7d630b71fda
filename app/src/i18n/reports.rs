//! Texts of the reports: their words, and values as the page, the files and the print show them.

mod notes;

use super::Lang;
pub use super::catalogue::reports::*;
use super::{alarms, cases, common, events, price_meters};
use model::abnormal_use::AbnormalKind;
use model::energy::Energy;
use model::money::{Fen, Money};
use model::report::{Cell, Column, ColumnKind, Grain, Heading, Report, ReportKind};
use model::time::Timestamp;
pub use notes::{note, problem};

/// The name of a report, and what it is good for.
#[must_use]
pub const fn report(kind: ReportKind, lang: Lang) -> (&'static str, &'static str) {
    let t = texts(lang);
    match kind {
        ReportKind::Sales => (t.sales.name, t.sales.about),
        ReportKind::Statement => (t.statement.name, t.statement.about),
        ReportKind::BuildingStatement => (t.building_statement.name, t.building_statement.about),
        ReportKind::Liability => (t.liability.name, t.liability.about),
        ReportKind::Subsidies => (t.subsidies.name, t.subsidies.about),
        ReportKind::Prices => (t.prices.name, t.prices.about),
        ReportKind::OpenCases => (t.open_cases.name, t.open_cases.about),
        ReportKind::Energy => (t.energy.name, t.energy.about),
        ReportKind::LoadCurve => (t.load_curve.name, t.load_curve.about),
        ReportKind::AbnormalUse => (t.abnormal_use.name, t.abnormal_use.about),
        ReportKind::MissingReadings => (t.missing_readings.name, t.missing_readings.about),
        ReportKind::Instruments => (t.instruments.name, t.instruments.about),
        ReportKind::LostMeters => (t.lost_meters.name, t.lost_meters.about),
        ReportKind::LostGateways => (t.lost_gateways.name, t.lost_gateways.about),
        ReportKind::Alarms => (t.alarms.name, t.alarms.about),
    }
}

#[must_use]
pub const fn grain(grain: Grain, lang: Lang) -> &'static str {
    let t = texts(lang).grain;
    match grain {
        Grain::Hour => t.hour,
        Grain::Day => t.day,
        Grain::Month => t.month,
        Grain::Year => t.year,
    }
}

/// What time it is about.
#[must_use]
pub fn period(report: &Report, lang: Lang) -> String {
    let (from, until) = (report.query.from, report.query.until);
    if report.kind.is_of_an_instant() { OnDay { day: until }.text(lang) } else { Period { from, until }.text(lang) }
}

/// A word of a report.
#[must_use]
pub fn heading(heading: Heading, lang: Lang) -> String {
    let (t, g) = (texts(lang).heading, texts(lang).grain);
    let word = match heading {
        Heading::ByTime => t.by_time,
        Heading::ByOperator => t.by_operator,
        Heading::ByTender => t.by_tender,
        Heading::ByBuilding => t.by_building,
        Heading::Balances => t.balances,
        Heading::LedgerCheck => t.ledger_check,
        Heading::ByRate => t.by_rate,
        Heading::ByPlace => t.by_place,
        Heading::HoursOfDays => t.hours_of_days,
        Heading::MonthsOfFloors => t.months_of_floors,
        Heading::Sums => t.sums,
        Heading::Movements => t.movements,
        Heading::UseByPrice => t.use_by_price,
        Heading::Accounts => t.accounts,
        Heading::ByRoom => t.by_room,
        Heading::NotDelivered => t.not_delivered,
        Heading::OtherLiabilities => t.other_liabilities,
        Heading::ByMonth => t.by_month,
        Heading::PricesInForce => t.prices_in_force,
        Heading::DifferingMeters => t.differing_meters,
        Heading::OpenCases => t.open_cases,
        Heading::Day => g.day,
        Heading::Month => g.month,
        Heading::Year => g.year,
        Heading::Hour => g.hour,
        Heading::Operator => t.operator,
        Heading::Tender => t.tender,
        Heading::Building => t.building,
        Heading::Place => texts(lang).place,
        Heading::Rate => t.rate,
        Heading::Sales => t.sales,
        Heading::Returns => t.returns,
        Heading::Corrections => t.corrections,
        Heading::Refunds => t.refunds,
        Heading::Unassigned => t.unassigned,
        Heading::Fees => t.fees,
        Heading::Net => t.net,
        Heading::Opening => t.opening,
        Heading::Closing => t.closing,
        Heading::Subsidies => t.subsidies,
        Heading::Consumption => t.consumption,
        Heading::GivenBack => t.given_back,
        Heading::OtherChanges => t.other_changes,
        Heading::InReport => t.in_report,
        Heading::InLedger => t.in_ledger,
        Heading::Difference => t.difference,
        Heading::Energy => t.energy,
        Heading::EnergyBefore => t.energy_before,
        Heading::Change => t.change,
        Heading::Share => t.share,
        Heading::Rank => t.rank,
        Heading::Corrected => t.corrected,
        Heading::Co2 => t.co2,
        Heading::ByGateway => t.by_gateway,
        Heading::ByMeter => t.by_meter,
        Heading::DaysOfMeters => t.days_of_meters,
        Heading::UsualDay => t.usual_day,
        Heading::PeakDemand => t.peak_demand,
        Heading::AbnormalUse => t.abnormal_use,
        Heading::Weekdays => t.weekdays,
        Heading::Weekends => t.weekends,
        Heading::AllDays => t.all_days,
        Heading::Highest => t.highest,
        Heading::HighestAt => t.highest_at,
        Heading::Peak => t.peak,
        Heading::AveragePower => t.average_power,
        Heading::LoadFactor => t.load_factor,
        Heading::KnownShare => t.known_share,
        Heading::AtPeakOfAll => t.at_peak_of_all,
        Heading::Expected => t.expected,
        Heading::OfExpected => t.of_expected,
        Heading::Severity => t.severity,
        Heading::Rooms => t.rooms,
        Heading::ReadingsDue => t.readings_due,
        Heading::ReadingsMissing => t.readings_missing,
        Heading::MissingShare => t.missing_share,
        Heading::MetersLacking => t.meters_lacking,
        Heading::IntervalSeconds => t.interval_seconds,
        Heading::EmptyDays => t.empty_days,
        Heading::LongestGap => t.longest_gap,
        Heading::GapSince => t.gap_since,
        Heading::Abnormal(kind) => abnormal(kind, lang),
        Heading::DayOf(day) => return day.to_string().get(5..).unwrap_or_default().to_owned(),
        Heading::LostMeters => t.lost_meters,
        Heading::LostGateways => t.lost_gateways,
        Heading::Alarms => t.alarms,
        Heading::ByKind => t.by_kind,
        Heading::Room => t.room,
        Heading::Serial => t.serial,
        Heading::Gateway => t.gateway,
        Heading::Meters => t.meters,
        Heading::LostSince => t.lost_since,
        Heading::LastReading => t.last_reading,
        Heading::Counter => t.counter,
        Heading::Remaining => t.remaining,
        Heading::TimesLost => t.times_lost,
        Heading::MinutesLost => t.minutes_lost,
        Heading::Availability => t.availability,
        Heading::Since => t.since,
        Heading::Until => t.until,
        Heading::Kind => t.kind,
        Heading::Times => t.times,
        Heading::StillOpen => t.still_open,
        Heading::Minutes => t.minutes,
        Heading::AcknowledgedAt => t.acknowledged_at,
        Heading::AcknowledgedBy => t.acknowledged_by,
        Heading::AlarmLevel => t.alarm_level,
        Heading::AssignedTo => t.assigned_to,
        Heading::Account => t.account,
        Heading::OpenedAt => t.opened_at,
        Heading::ClosedAt => t.closed_at,
        Heading::Item => t.item,
        Heading::Amount => t.amount,
        Heading::Balance => t.balance,
        Heading::Number => t.number,
        Heading::PriceVersion => t.price_version,
        Heading::Tier => t.tier,
        Heading::Tiers => t.tiers,
        Heading::Price => t.price,
        Heading::InMeters => t.in_meters,
        Heading::ShownByMeters => t.shown_by_meters,
        Heading::InServerWallets => t.in_server_wallets,
        Heading::Overdrawn => t.overdrawn,
        Heading::Undelivered => t.undelivered,
        Heading::Liability => t.liability,
        Heading::Days => t.days,
        Heading::Heads => t.heads,
        Heading::Granted => t.granted,
        Heading::Delivered => t.delivered,
        Heading::Differing => t.differing,
        Heading::NotRead => t.not_read,
        Heading::WhatDiffers => t.what_differs,
        Heading::ReadAt => t.read_at,
        Heading::Due => t.due,
        Heading::Age => t.age,
        Heading::OverdueDays => t.overdue_days,
        Heading::Owner => t.owner,
        Heading::Cases => t.cases,
        Heading::Overdue => t.overdue,
        Heading::Oldest => t.oldest,
        Heading::PlaceAbove => t.place_above,
        Heading::Purchase => t.purchase,
        Heading::Return => t.return_of_credit,
        Heading::Correction => t.correction,
        Heading::Refund => t.refund,
        Heading::Subsidy => t.subsidy,
        Heading::Carried => t.carried,
        Heading::TakenOver => t.taken_over,
        Heading::FinalSettlement => t.final_settlement,
        Heading::WriteOff => t.write_off,
        Heading::Adjustment => t.adjustment,
        Heading::Reroute => t.reroute,
        Heading::DeductedByMeter => t.deducted_by_meter,
        Heading::Rounding => t.rounding,
        Heading::Refunding => t.refunding,
        Heading::CarriedOut => t.carried_out,
        Heading::Circuits => t.circuits,
        Heading::LineLoss => t.line_loss,
        Heading::Circuit => t.circuit,
        Heading::StartAt => t.start_at,
        Heading::StartReading => t.start_reading,
        Heading::EndAt => t.end_at,
        Heading::EndReading => t.end_reading,
        Heading::Ratio => t.ratio,
        Heading::Completeness => t.completeness,
        Heading::Level => t.level,
        Heading::EnergyBelow => t.energy_below,
        Heading::LossShare => t.loss_share,
        Heading::Complete => t.complete,
        Heading::PartOfRange => t.part_of_range,
        Heading::NotCounted => t.not_counted,
        Heading::NoReading => t.no_reading,
        Heading::MetersMissing => t.meters_missing,
        Heading::BelowUnknown => t.below_unknown,
        Heading::Residents => t.residents,
        Heading::None => t.none,
        Heading::NoBuilding => t.no_building,
        Heading::WithoutRate => t.without_rate,
        Heading::RestOfBefore => t.rest_of_before,
        Heading::RateOf(rate) => common::rate(rate, lang),
        Heading::HourOfDay(hour) => return format!("{hour:02}"),
        Heading::MonthOf { year, month } => return format!("{year:04}-{month:02}"),
    };
    word.to_owned()
}

/// The heading of a column with its unit.
#[must_use]
pub fn column(column: Column, lang: Lang) -> String {
    let word = heading(column.heading, lang);
    match column.kind {
        // The section of a table of hours or months has the unit.
        ColumnKind::Energy if matches!(column.heading, Heading::HourOfDay(_) | Heading::MonthOf { .. }) => word,
        ColumnKind::Energy => UnitKwh { heading: word }.text(lang),
        ColumnKind::Power => UnitKw { heading: word }.text(lang),
        ColumnKind::Mass => UnitKg { heading: word }.text(lang),
        ColumnKind::Money => UnitYuan { heading: word }.text(lang),
        ColumnKind::Price => UnitYuanPerKwh { heading: word }.text(lang),
        ColumnKind::Share => UnitPerCent { heading: word }.text(lang),
        _ => word,
    }
}

/// A value without its unit.
#[must_use]
pub fn cell(cell: &Cell, lang: Lang) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) | Cell::Room { name: text, .. } => text.clone(),
        Cell::Word(word) => heading(*word, lang),
        Cell::Event(kind) => events::event(*kind, lang).name.to_owned(),
        Cell::Level(level) => alarms::level(*level, lang).to_owned(),
        Cell::Case(kind) => cases::case(*kind, lang).name.to_owned(),
        Cell::Gaps(gaps) => gaps
            .iter()
            .map(|gap| price_meters::gap(*gap, lang).to_owned())
            .reduce(|all, one| AndOne { all, one }.text(lang))
            .unwrap_or_default(),
        Cell::Tender(tender) => common::tender(*tender, lang).to_owned(),
        Cell::Count(count) => count.to_string(),
        Cell::Money(money) => yuan(*money),
        Cell::Energy(energy) => energy.to_string(),
        Cell::Mass(mass) => mass.to_string(),
        Cell::Power(watts) => kilo(*watts),
        Cell::Permille(permille) => tenths(*permille),
        Cell::Day(day) => day.to_string(),
        Cell::Month { year, month } => format!("{year:04}-{month:02}"),
        Cell::Year(year) => format!("{year:04}"),
        Cell::Time(at) => minute(*at),
    }
}

/// How use is unusual.
#[must_use]
pub const fn abnormal(kind: AbnormalKind, lang: Lang) -> &'static str {
    let t = texts(lang).abnormal;
    match kind {
        AbnormalKind::Night => t.night,
        AbnormalKind::Jump => t.jump,
        AbnormalKind::Zero => t.zero,
        AbnormalKind::AboveFloor => t.above_floor,
    }
}

/// Up to the minute.
fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().to_owned()
}

/// Thousands with two decimals: W as kW.
fn kilo(value: i64) -> String {
    Energy(value).to_string()
}

/// Fen, and what is below them only where there is any: fees are computed to a hundredth of a fen.
fn yuan(money: Money) -> String {
    if money.0 % 100 == 0 { Fen(money.0 / 100).to_string() } else { money.to_string() }
}

fn tenths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{}", value.unsigned_abs() / 10, value.unsigned_abs() % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_their_unit() {
        for (value, text) in [
            (Cell::Money(Money(632_000)), "63.20"),
            (Cell::Money(Money(-1_234)), "-0.1234"),
            (Cell::Energy(Energy(12_480)), "12.48"),
            (Cell::Permille(-25), "-2.5"),
            (Cell::Month { year: 2026, month: 3 }, "2026-03"),
            (Cell::Word(Heading::HourOfDay(7)), "07"),
            (Cell::Time(Timestamp(1_795_600_000_000)), "2026-11-25 17:46"),
            (Cell::Empty, ""),
        ] {
            assert_eq!(cell(&value, Lang::En), text);
        }
    }

    #[test]
    fn columns_name_their_unit() {
        let of = |kind| column(Column::plain(Heading::Net, kind), Lang::Zh);
        assert_eq!((of(ColumnKind::Money), of(ColumnKind::Text)), ("净额（元）".to_owned(), "净额".to_owned()));
        assert_eq!(column(Column::share(Heading::Share), Lang::En), "Share (%)");
    }
}
