//! The site workbook, by which a site is described, imported and exported: its sheets and columns, and what can be wrong in it.

use serde::{Deserialize, Serialize};

use crate::word_enum;

word_enum! {
    /// A sheet; the word is also the name of its CSV file.
    pub enum Sheet {
        Rooms = "rooms",
        Gateways = "gateways",
        Meters = "meters",
        Prices = "prices",
        Accounts = "accounts",
    }

    /// A column. Some are in several sheets.
    pub enum Column {
        Building = "building",
        Floor = "floor",
        Room = "room",
        Gateway = "gateway",
        Host = "host",
        Port = "port",
        Framing = "framing",
        /// The bytes that name a gateway that dials in, its heartbeat, and what is answered to that.
        Registration = "registration",
        Heartbeat = "heartbeat",
        HeartbeatAnswer = "heartbeat_answer",
        /// Seconds between two readings of a meter.
        IntervalS = "interval_s",
        TlsName = "tls_name",
        Serial = "serial",
        Unit = "unit",
        Profile = "profile",
        Wallet = "wallet",
        Plan = "plan",
        /// One price at all times, yuan/kWh; or the next four.
        Price = "price",
        Spike = "spike",
        Peak = "peak",
        Flat = "flat",
        Valley = "valley",
        DayTable1 = "day_table_1",
        DayTable2 = "day_table_2",
        DatePlan = "date_plan",
        TierPeriod = "tier_period",
        /// kWh at which the tier begins.
        Tier2From = "tier_2_from",
        Tier2Surcharge = "tier_2_surcharge",
        Tier3From = "tier_3_from",
        Tier3Surcharge = "tier_3_surcharge",
        Resident = "resident",
        Login = "login",
        Password = "password",
        /// What the resident had in the older system, yuan.
        OpeningYuan = "opening_yuan",
    }
}

impl Sheet {
    /// Its columns in the order of the template, with whether a cell of it must be filled.
    #[must_use]
    pub const fn columns(self) -> &'static [(Column, bool)] {
        use Column as C;
        match self {
            Self::Rooms => &[(C::Building, true), (C::Floor, false), (C::Room, true)],
            Self::Gateways => &[
                (C::Gateway, true),
                (C::Host, false),
                (C::Port, false),
                (C::Framing, false),
                (C::IntervalS, false),
                (C::TlsName, false),
                (C::Registration, false),
                (C::Heartbeat, false),
                (C::HeartbeatAnswer, false),
            ],
            Self::Meters => &[
                (C::Serial, true),
                (C::Building, true),
                (C::Floor, false),
                (C::Room, true),
                (C::Gateway, true),
                (C::Unit, true),
                (C::Profile, true),
                (C::Wallet, false),
            ],
            Self::Prices => &[
                (C::Plan, true),
                (C::Building, false),
                (C::Price, false),
                (C::Spike, false),
                (C::Peak, false),
                (C::Flat, false),
                (C::Valley, false),
                (C::DayTable1, false),
                (C::DayTable2, false),
                (C::DatePlan, false),
                (C::TierPeriod, false),
                (C::Tier2From, false),
                (C::Tier2Surcharge, false),
                (C::Tier3From, false),
                (C::Tier3Surcharge, false),
            ],
            Self::Accounts => &[
                (C::Building, true),
                (C::Floor, false),
                (C::Room, true),
                (C::Resident, true),
                (C::Login, true),
                (C::Password, false),
                (C::OpeningYuan, false),
            ],
        }
    }
}

/// Where something is wrong, and what. The texts of `site_workbook` say it with its remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The name of the sheet as it stands in the file; empty for the file as a whole.
    pub sheet: String,
    /// From 1, as spreadsheets count.
    pub row: Option<u32>,
    /// From 0: 0 is column A.
    pub column: Option<u32>,
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Neither a workbook (XLSX) nor CSV.
    NotATable,
    /// Larger than this many MB.
    FileTooLarge(u32),
    /// It unpacks to more than this many MB.
    UnpacksTooLarge(u32),
    /// Neither UTF-8 nor GBK.
    Encoding,
    /// More rows than this in one sheet.
    TooManyRows(u32),
    /// No sheet of the workbook has one of the known names.
    NoSheet,
    UnknownSheet,
    /// Two sheets of the same kind.
    RepeatedSheet,
    MissingColumn(Column),
    UnknownColumn(String),
    RepeatedColumn(Column),
    /// The cell is part of a merged area.
    Merged,
    Formula,
    /// A date where none is expected.
    Date,
    /// An error value such as `#N/A`.
    ErrorValue,
    /// A number with more digits than a spreadsheet keeps.
    DigitsLost,
    Empty,
    /// Longer than this many characters.
    TooLong(u32),
    ControlCharacter,
    NotWhole,
    OutOfRange(i64, i64),
    /// Only these words are allowed.
    NotOneOf(Vec<String>),
    /// It must have exactly this many digits.
    NotDigits(u32),
    /// Not 1 to 64 bytes as text, or in hexadecimal after `hex:`.
    NotPattern,
    /// Neither host and port, nor a registration alone.
    ReachIncomplete,
    /// A gateway that dials in has no framing of its own inside TLS: its port has.
    DialInTls,
    /// The bytes clash with the registration of the gateway of this name.
    RegistrationTaken(String),
    NotYuan,
    NotPrice,
    NotDayTable,
    NotDatePlan,
    /// Neither one price nor all four.
    PriceIncomplete,
    TierIncomplete,
    /// The same as in this row.
    Repeated(u32),
    UnknownGateway,
    UnknownRoom,
    UnknownBuilding,
    /// The address on this gateway belongs to the meter with this serial number.
    AddressTaken(String),
    /// The meter has an open account; its room, profile and wallet stay until that is closed.
    MeterInUse,
    /// Meters of this model cannot have this wallet.
    WalletOfModel,
    /// An operator logs in by this name.
    LoginOfOperator,
    /// A resident of another room logs in by this name.
    LoginOfOther,
    WeakPassword,
    /// Neither the name nor the address of a host.
    NotHost,
    /// It has characters that a login name cannot have.
    NotLogin,
    /// The room has no meter that sells.
    RoomSellsNothing,
    /// The amount is outside of what one purchase may be.
    AmountRefused,
    /// The wallet is on the server and no prices apply to the room.
    NoPrices,
    /// Another person approves prices that are new or changed, or that apply somewhere else.
    PricesNeedApproval,
}

/// What an import does to one kind of thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub created: u32,
    pub changed: u32,
    pub unchanged: u32,
}

/// What an import does, or what is in its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// In the order of [`Sheet::ALL`].
    pub counts: [Counts; Sheet::ALL.len()],
    /// The first [`Self::SHOWN`].
    pub problems: Vec<Problem>,
    /// How many there are.
    pub problem_count: u32,
}

impl Preview {
    /// The most problems that are listed.
    pub const SHOWN: usize = 200;

    /// Nothing is created or changed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.counts.iter().all(|counts| counts.created == 0 && counts.changed == 0)
    }
}
