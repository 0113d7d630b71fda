//! Reports: one shape for the page, the files and the print, and what a report is asked by.

mod cell;
mod heading;
mod query;

pub use cell::Cell;
pub use heading::Heading;
pub use query::{LONGEST_TEXT, RangeProblem, ReportQuery};

use crate::co2::{Co2Factor, Mass};
use crate::energy::Energy;
use crate::money::Money;
use crate::permission::Permission;
use crate::time::{Date, Timestamp};
use crate::word_enum;

word_enum! {
    /// The reports, by the word of their address.
    pub enum ReportKind {
        Sales = "sales",
        Statement = "statement",
        BuildingStatement = "building-statement",
        Liability = "liability",
        Subsidies = "subsidies",
        Prices = "prices",
        OpenCases = "open-cases",
        Energy = "energy",
        LoadCurve = "load-curve",
        AbnormalUse = "abnormal-use",
        MissingReadings = "missing-readings",
        Instruments = "instruments",
        LostMeters = "lost-meters",
        LostGateways = "lost-gateways",
        Alarms = "alarms",
    }

    /// What one row of a report over time covers.
    pub enum Grain {
        Hour = "hour",
        Day = "day",
        Month = "month",
        Year = "year",
    }
}

impl ReportKind {
    /// What an operator must be allowed to open it.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Sales | Self::Statement | Self::BuildingStatement | Self::Liability | Self::Subsidies => Permission::Money,
            Self::Prices | Self::OpenCases => Permission::Watch,
            Self::Energy | Self::Instruments | Self::LostMeters | Self::LostGateways | Self::Alarms => Permission::Watch,
            Self::LoadCurve | Self::AbnormalUse | Self::MissingReadings => Permission::Watch,
        }
    }

    /// What its rows may cover, the usual one first.
    #[must_use]
    pub const fn grains(self) -> &'static [Grain] {
        match self {
            Self::Sales => &[Grain::Day, Grain::Month, Grain::Year],
            Self::Energy => &[Grain::Day, Grain::Hour, Grain::Month],
            Self::LoadCurve => &[Grain::Day, Grain::Month],
            Self::AbnormalUse | Self::MissingReadings => &[Grain::Day],
            // Their rows are not by time.
            Self::Statement | Self::BuildingStatement | Self::Liability | Self::Subsidies | Self::Prices | Self::OpenCases => {
                &[Grain::Day]
            }
            Self::Instruments | Self::LostMeters | Self::LostGateways | Self::Alarms => &[Grain::Day],
        }
    }

    /// Whether it can be asked about one room or account, which is typed.
    #[must_use]
    pub const fn is_of_rooms(self) -> bool {
        matches!(self, Self::Energy | Self::LoadCurve | Self::Statement)
    }

    /// Whether it is about one account alone, and not about places.
    #[must_use]
    pub const fn is_of_one_account(self) -> bool {
        matches!(self, Self::Statement)
    }

    /// Whether it says how things were at an instant: the end of its last day, or now.
    #[must_use]
    pub const fn is_of_an_instant(self) -> bool {
        matches!(self, Self::Liability | Self::Prices | Self::OpenCases)
    }

    /// Whether it is usually asked for about the month that is over.
    #[must_use]
    pub const fn is_monthly(self) -> bool {
        matches!(self, Self::BuildingStatement)
    }

    /// Whether a section without rows says that all is well, and not that there is nothing that it could be about.
    #[must_use]
    pub const fn is_well_without(self, section: Heading) -> bool {
        match self {
            Self::OpenCases | Self::LostMeters | Self::Alarms => true,
            Self::AbnormalUse => matches!(section, Heading::AbnormalUse),
            Self::MissingReadings => matches!(section, Heading::ByMeter),
            _ => false,
        }
    }

    /// Whether it can leave out what is younger than a number of days.
    #[must_use]
    pub const fn has_age(self) -> bool {
        matches!(self, Self::OpenCases)
    }
}

impl Grain {
    /// The most days of one report.
    #[must_use]
    pub const fn longest(self) -> i64 {
        match self {
            Self::Hour => 31,
            Self::Day => 400,
            Self::Month | Self::Year => 3_660,
        }
    }

    /// The cell that names the row of a day: the day itself, its month or its year.
    #[must_use]
    pub fn cell(self, day: Date) -> Cell {
        let (year, month, _) = day.ymd();
        match self {
            Self::Hour | Self::Day => Cell::Day(day),
            Self::Month => Cell::Month { year, month },
            Self::Year => Cell::Year(year),
        }
    }
}

/// A report, complete: everything that is shown, printed and written to files.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub kind: ReportKind,
    pub query: ReportQuery,
    /// The place, group or account that it is about; empty for all that the operator may see.
    pub about: String,
    pub made_at: Timestamp,
    pub sections: Vec<Section>,
    pub notes: Vec<Note>,
}

/// A table of a report: one sheet of the workbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub title: Heading,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    pub chart: Option<Chart>,
}

/// A column of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub heading: Heading,
    pub kind: ColumnKind,
    /// Whether its values add up to a total at the foot.
    pub is_summed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// A day, month, year or instant.
    Time,
    Count,
    /// An amount in yuan.
    Money,
    /// Yuan per kWh.
    Price,
    /// Energy in kWh.
    Energy,
    /// A mass in kg.
    Mass,
    /// Power in kW.
    Power,
    /// A share in per cent.
    Share,
}

impl Column {
    #[must_use]
    pub const fn text(heading: Heading) -> Self {
        Self { heading, kind: ColumnKind::Text, is_summed: false }
    }

    #[must_use]
    pub const fn time(heading: Heading) -> Self {
        Self { heading, kind: ColumnKind::Time, is_summed: false }
    }

    #[must_use]
    pub const fn share(heading: Heading) -> Self {
        Self { heading, kind: ColumnKind::Share, is_summed: false }
    }

    /// Values with a total.
    #[must_use]
    pub const fn summed(heading: Heading, kind: ColumnKind) -> Self {
        Self { heading, kind, is_summed: true }
    }

    /// Values without one.
    #[must_use]
    pub const fn plain(heading: Heading, kind: ColumnKind) -> Self {
        Self { heading, kind, is_summed: false }
    }

    /// Whether its values stand to the right.
    #[must_use]
    pub const fn is_number(self) -> bool {
        !matches!(self.kind, ColumnKind::Text | ColumnKind::Time)
    }
}

/// How a section is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chart {
    /// A column for each row, as high as that column of the table.
    Series(usize),
    /// A bar beside each value of that column of the table.
    Bars(usize),
    /// A field for each value: all columns but the first beside each other, such as the times of a day.
    Heat,
    /// A curve for each of so many columns, from the first on.
    Lines { first: usize, count: usize },
}

/// What a reader must know of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// How things were at that instant.
    AsOf(Timestamp),
    /// Every sum equals the ledger's.
    LedgerAgrees,
    /// So many sums differ from the ledger's; the section of the comparison says by how much.
    LedgerDiffers(i64),
    /// Channels' fees are in the ledger by channel, so those of some buildings are not compared.
    FeesNotCompared,
    /// The room had several accounts in these days; the statement is of the newest.
    StatementOfNewest,
    /// Energy is counted by whole days, also where an account began or ended within one.
    EnergyOfWholeDays,
    /// What a meter deducted by itself is known from one comparison with the books to the next.
    DeductedByMeters,
    /// What was used is booked when a meter is compared with the books, so that it may be of other days than the energy.
    UsedAsCompared,
    /// The rows of the accounts are left out, because there would be more than so many.
    AccountsTooMany(i64),
    /// The orders, returns and use of so many days are compared with the ledger one by one.
    DaysCompared(i64),
    /// Credit in meters is what the books know; the displays are compared once a day.
    BooksAndDisplays,
    /// Subsidies count by whole months, and how much of them was used is not kept apart from other credit.
    SubsidiesByMonth,
    /// Meters are compared with the prices only as they are now.
    MetersOnlyNow,
    /// Cases younger than so many days are left out.
    AtLeastOld(i64),
    /// What was read up to then is in it.
    EnergyUntil(Timestamp),
    /// So many of its rows were corrected by readings that came late, the last time then.
    Revised { rows: i64, at: Timestamp },
    /// Nothing is known of days before, so that nothing is compared with them.
    KnownSince(Date),
    /// The range has today in it, which is not over.
    TodayIsRunning,
    /// How much carbon dioxide is counted per kWh.
    Co2(Co2Factor),
    /// So many hours are known of some of the meters only.
    HoursPartlyKnown(i64),
    /// The highest power of all together in W, when, and what the peaks of the parts add up to.
    PeakOfAll { power: i64, at: Timestamp, of_parts: i64 },
    /// Power is the average of an hour.
    PowerByHour,
    /// Weekends are Saturdays and Sundays, whatever holidays there are.
    WeekendsByCalendar,
    /// A transformer is a group of the places that it feeds.
    TransformerAsGroup,
    /// What makes use abnormal.
    AbnormalRules,
    /// So many days of rooms are left out, because they are not known, or not by themselves.
    DaysUnknown(i64),
    /// What is due is counted by the intervals that apply now.
    IntervalsAsNow,
    /// How often meters that are read all the time are due.
    ContinuousDue,
    /// Only the first of so many rows are listed.
    RowsLeftOut { shown: i64, total: i64 },
    /// Places are counted as they are now, also for days before a room was moved.
    PlacesAsNow,
    /// A meter behind a lost gateway is not counted as lost by itself.
    LossesBehindGateways,
    /// Somewhere an alarm rule switches the alarm of a loss off or delays it, so that losses may be missing.
    LossesByRules,
    /// Only the newest of so many rows are shown.
    RowsTooMany { shown: i64, total: i64 },
    /// Which readings are compared for line losses, and when one is not known.
    LineLossReadings,
    /// Too many values for a table of hours; at most so many days, or a smaller place.
    HoursTooMany(i64),
}

impl Section {
    /// The values at the foot; `None` where no column adds up.
    #[must_use]
    pub fn totals(&self) -> Option<Vec<Cell>> {
        if self.rows.is_empty() || !self.columns.iter().any(|column| column.is_summed) {
            return None;
        }
        let total = |(index, column): (usize, &Column)| {
            if !column.is_summed {
                return Cell::Empty;
            }
            let amounts = self.rows.iter().filter_map(|row| row.get(index)).map(Cell::amount);
            let sum = amounts.fold(0_i64, |sum, amount| sum.saturating_add(amount.unwrap_or_default()));
            match column.kind {
                ColumnKind::Money => Cell::Money(Money(sum)),
                ColumnKind::Energy => Cell::Energy(Energy(sum)),
                ColumnKind::Mass => Cell::Mass(Mass(sum)),
                ColumnKind::Power => Cell::Power(sum),
                _ => Cell::Count(sum),
            }
        };
        Some(self.columns.iter().enumerate().map(total).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(rows: Vec<Vec<Cell>>) -> Section {
        let columns = vec![
            Column::time(Heading::Day),
            Column::summed(Heading::Sales, ColumnKind::Money),
            Column::summed(Heading::Energy, ColumnKind::Energy),
            Column::share(Heading::Share),
        ];
        Section { title: Heading::ByTime, columns, rows, chart: None }
    }

    #[test]
    fn totals_are_of_the_columns_that_add_up() {
        let row = |yuan, wh| vec![Cell::Day(Date(1)), Cell::Money(Money(yuan)), Cell::Energy(Energy(wh)), Cell::Permille(500)];
        let mut unknown = row(5, 0);
        if let Some(cell) = unknown.get_mut(2) {
            *cell = Cell::Empty;
        }
        let totals = section(vec![row(10_000, 7), row(-2_500, 8), unknown]).totals();
        assert_eq!(totals, Some(vec![Cell::Empty, Cell::Money(Money(7_505)), Cell::Energy(Energy(15)), Cell::Empty]));
        assert_eq!(section(Vec::new()).totals(), None);
    }

    #[test]
    fn rows_are_named_by_what_they_cover() {
        let day = Date::from_ymd(2026, 11, 29).unwrap();
        let cells = Grain::ALL.map(|grain| grain.cell(day));
        assert_eq!(cells, [Cell::Day(day), Cell::Day(day), Cell::Month { year: 2026, month: 11 }, Cell::Year(2026)]);
    }
}
