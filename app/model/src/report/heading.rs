//! The words of reports: headings of sections and columns, and names of rows.

use crate::abnormal_use::AbnormalKind;
use crate::time::Date;

/// A word of a report, in whichever language it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heading {
    // Sections; each is one of [`Heading::TITLES`] too.
    ByTime,
    ByOperator,
    ByTender,
    ByBuilding,
    Balances,
    LedgerCheck,
    ByRate,
    ByPlace,
    HoursOfDays,
    MonthsOfFloors,
    LostMeters,
    LostGateways,
    Alarms,
    ByKind,
    /// The sums of a statement.
    Sums,
    Movements,
    UseByPrice,
    Accounts,
    ByRoom,
    NotDelivered,
    OtherLiabilities,
    ByMonth,
    PricesInForce,
    DifferingMeters,
    OpenCases,
    ByGateway,
    ByMeter,
    DaysOfMeters,
    UsualDay,
    PeakDemand,
    AbnormalUse,
    Circuits,
    LineLoss,
    // Columns.
    Day,
    Month,
    Year,
    Hour,
    Operator,
    Tender,
    Building,
    Place,
    Rate,
    /// Sales, money in.
    Sales,
    /// Returns, money out.
    Returns,
    /// Corrections of sales and returns, money in or out.
    Corrections,
    /// Refunds, money out.
    Refunds,
    /// Received without a purchase that it could credit, less what found one later.
    Unassigned,
    /// What channels keep, money out.
    Fees,
    Net,
    Opening,
    Closing,
    Subsidies,
    Consumption,
    GivenBack,
    OtherChanges,
    InReport,
    InLedger,
    Difference,
    Energy,
    EnergyBefore,
    Change,
    Share,
    Rank,
    Corrected,
    Co2,
    Weekdays,
    Weekends,
    AllDays,
    Highest,
    HighestAt,
    Peak,
    AveragePower,
    /// Average power in parts of the highest.
    LoadFactor,
    /// How much of the time of all meters is known.
    KnownShare,
    AtPeakOfAll,
    Expected,
    OfExpected,
    Severity,
    Rooms,
    ReadingsDue,
    ReadingsMissing,
    MissingShare,
    MetersLacking,
    IntervalSeconds,
    EmptyDays,
    LongestGap,
    GapSince,
    Room,
    Serial,
    Gateway,
    Meters,
    LostSince,
    LastReading,
    /// The energy counter.
    Counter,
    Remaining,
    TimesLost,
    MinutesLost,
    Availability,
    Since,
    Until,
    Kind,
    Times,
    StillOpen,
    Minutes,
    AcknowledgedAt,
    AcknowledgedBy,
    AlarmLevel,
    AssignedTo,
    Account,
    OpenedAt,
    ClosedAt,
    Item,
    Amount,
    Balance,
    /// The number of an order, a return or a refund.
    Number,
    /// A price plan with the number of its version.
    PriceVersion,
    Tier,
    Tiers,
    Price,
    InMeters,
    ShownByMeters,
    InServerWallets,
    Overdrawn,
    /// Received, and not in a meter or wallet.
    Undelivered,
    Liability,
    Days,
    Heads,
    Granted,
    Delivered,
    Differing,
    NotRead,
    WhatDiffers,
    ReadAt,
    Due,
    Age,
    OverdueDays,
    Owner,
    Cases,
    Overdue,
    Oldest,
    // Columns about instruments.
    Circuit,
    StartAt,
    StartReading,
    EndAt,
    EndReading,
    /// Of the transformers.
    Ratio,
    Completeness,
    /// How far down in the tree.
    Level,
    EnergyBelow,
    LossShare,
    // Whether the energy of a circuit is that of the whole range.
    Complete,
    PartOfRange,
    NotCounted,
    NoReading,
    MetersMissing,
    BelowUnknown,
    // Rows.
    /// A place above those that the operator may see.
    PlaceAbove,
    Purchase,
    Return,
    Correction,
    Refund,
    Subsidy,
    /// The balance of another meter or account, and of an older system.
    Carried,
    TakenOver,
    FinalSettlement,
    WriteOff,
    Adjustment,
    Reroute,
    /// What a meter took from its own wallet.
    DeductedByMeter,
    Rounding,
    Refunding,
    /// Out of closed meters, on its way.
    CarriedOut,
    /// A day as a column.
    DayOf(Date),
    // Rows.
    Abnormal(AbnormalKind),
    /// Whoever pays through a channel does so without an operator.
    Residents,
    /// Nobody, or no place, can be named.
    None,
    /// The row of a table by building for what belongs to none, or to several.
    NoBuilding,
    /// A rate of the tariff, from 1.
    RateOf(u8),
    /// Energy that the meter does not split by rate.
    WithoutRate,
    /// What the time before has beyond the rows of the time itself.
    RestOfBefore,
    /// A time of the day, 0 to 23.
    HourOfDay(u8),
    /// A calendar month of 1 to 12.
    MonthOf {
        year: i64,
        month: u8,
    },
}

impl Heading {
    /// The titles of sections, which are the names of sheets too.
    pub const TITLES: [Self; 33] = [
        Self::ByTime,
        Self::ByOperator,
        Self::ByTender,
        Self::ByBuilding,
        Self::Balances,
        Self::LedgerCheck,
        Self::ByRate,
        Self::ByPlace,
        Self::HoursOfDays,
        Self::MonthsOfFloors,
        Self::LostMeters,
        Self::LostGateways,
        Self::Alarms,
        Self::ByKind,
        Self::Sums,
        Self::Movements,
        Self::UseByPrice,
        Self::Accounts,
        Self::ByRoom,
        Self::NotDelivered,
        Self::OtherLiabilities,
        Self::ByMonth,
        Self::PricesInForce,
        Self::DifferingMeters,
        Self::OpenCases,
        Self::ByGateway,
        Self::ByMeter,
        Self::DaysOfMeters,
        Self::UsualDay,
        Self::PeakDemand,
        Self::AbnormalUse,
        Self::Circuits,
        Self::LineLoss,
    ];

    /// The heading of a column that names rows by time.
    #[must_use]
    pub const fn of_grain(grain: super::Grain) -> Self {
        match grain {
            super::Grain::Hour => Self::Hour,
            super::Grain::Day => Self::Day,
            super::Grain::Month => Self::Month,
            super::Grain::Year => Self::Year,
        }
    }
}
