//! The site workbook, by which a site is described, imported and exported: its sheets and columns, and what can be wrong in it.

mod changes;
mod titles;

use serde::{Deserialize, Serialize};

use crate::money::Fen;
use crate::word_enum;
pub use changes::{CellChange, CellValue, Preview, RowChange, RowEffect};

word_enum! {
    /// A sheet; the word is also the name of its CSV file.
    pub enum Sheet {
        Rooms = "rooms",
        Gateways = "gateways",
        Meters = "meters",
        Prices = "prices",
        Accounts = "accounts",
        Instruments = "instruments",
        FriendlyHours = "friendly_hours",
        Contacts = "contacts",
        Defaults = "defaults",
        Groups = "groups",
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
        /// Of an instrument.
        Number = "number",
        Name = "name",
        StartRegister = "start_register",
        StepKwh = "step_kwh",
        PtRatio = "pt_ratio",
        /// Which counter of the instrument.
        Circuit = "circuit",
        CircuitName = "circuit_name",
        CtRatio = "ct_ratio",
        /// The circuit that feeds it: number of the instrument, or number/circuit.
        Master = "master",
        FeedsBuilding = "feeds_building",
        FeedsFloor = "feeds_floor",
        /// A group of places, to which a row of prices, friendly hours or contacts applies.
        Group = "group",
        /// Of friendly hours.
        NightFrom = "night_from",
        NightUntil = "night_until",
        Weekends = "weekends",
        Holidays = "holidays",
        Examinations = "examinations",
        FriendlyOverdraft = "friendly_overdraft",
        EmergencyYuan = "emergency_yuan",
        CreditPeriod = "credit_period",
        /// The number that residents may call, and who signs text messages.
        Phone = "phone",
        Signature = "signature",
        /// Of default parameters.
        Alarm1 = "alarm1",
        Alarm2 = "alarm2",
        Overdraft = "overdraft",
        Hoarding = "hoarding",
        OverloadW = "overload_w",
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
                (C::Floor, false),
                (C::Room, false),
                (C::Group, false),
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
            Self::Instruments => &[
                (C::Number, true),
                (C::Name, true),
                (C::Building, false),
                (C::Floor, false),
                (C::Gateway, true),
                (C::Unit, true),
                (C::Profile, true),
                (C::StartRegister, false),
                (C::StepKwh, false),
                (C::PtRatio, false),
                (C::IntervalS, false),
                (C::Circuit, false),
                (C::CircuitName, false),
                (C::CtRatio, false),
                (C::Master, false),
                (C::FeedsBuilding, false),
                (C::FeedsFloor, false),
            ],
            Self::FriendlyHours => &[
                (C::Building, false),
                (C::Floor, false),
                (C::Room, false),
                (C::Group, false),
                (C::NightFrom, false),
                (C::NightUntil, false),
                (C::Weekends, false),
                (C::Holidays, false),
                (C::Examinations, false),
                (C::FriendlyOverdraft, false),
                (C::EmergencyYuan, false),
                (C::CreditPeriod, false),
            ],
            Self::Contacts => &[
                (C::Building, false),
                (C::Floor, false),
                (C::Room, false),
                (C::Group, false),
                (C::Phone, false),
                (C::Signature, false),
            ],
            Self::Groups => &[(C::Group, true), (C::Building, false), (C::Floor, false), (C::Room, false)],
            Self::Defaults => &[
                (C::Building, false),
                (C::Floor, false),
                (C::Alarm1, false),
                (C::Alarm2, false),
                (C::Overdraft, false),
                (C::Hoarding, false),
                (C::OverloadW, false),
                (C::IntervalS, false),
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
    /// A quotation mark in this line is never closed, so that everything behind it would be one cell.
    UnclosedQuote(u32),
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
    /// A truth value, such as a spreadsheet makes of the text `TRUE`.
    TruthValue,
    /// A number with more digits than a spreadsheet keeps.
    DigitsLost,
    /// A number where a text is expected, of which the format does not show all digits and nothing else.
    NumberFormat,
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
    /// Not a time of day, or a night without its other end.
    NotTime,
    /// Not ranges of days.
    NotDayRanges,
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
    /// Not a transformer ratio of 1 to 10,000.
    NotRatio,
    /// Not the energy of a count.
    NotStep,
    /// Not a register, or not all counters are registers from there on.
    NotRegister,
    /// What belongs to the instrument differs from this row, which is about another of its circuits.
    InstrumentDiffers(u32),
    UnknownFloor,
    UnknownGroup,
    /// The group has or had a price plan, or one waits for approval, so that its places do not change.
    GroupPriced,
    /// The group names no place, so that a price plan would apply nowhere.
    GroupEmpty,
    TooManyGroups,
    /// A row names a group and a place.
    GroupAndPlace,
    /// Not a number to call.
    NotPhone,
    /// Not a signature of text messages: too long, or with brackets.
    NotSignature,
    /// No circuit is called so.
    UnknownMaster,
    /// It would feed itself.
    FeedsItself,
    /// What feeds it, or what it feeds, is in another building.
    OtherBuilding,
    /// The circuit of this name already feeds the place.
    FedTwice(String),
    /// The profile changes, and these rows do not say what becomes of a circuit at this position.
    CircuitMissing(u32),
    /// A `/` stands between a number and a circuit.
    SlashInNumber,
    /// The meter has an open account; its room, profile and wallet stay until that is closed.
    MeterInUse,
    /// Meters of this model cannot have this wallet.
    WalletOfModel,
    /// An operator logs in by this name.
    LoginOfOperator,
    /// A resident of this other room logs in by this name.
    LoginOfOther(String),
    /// A resident of this name lives in the room and logs in by this other name.
    LoginChanged(String),
    /// Somebody who lived in this room logs in by this name, and has no account now.
    LoginOfFormer(String),
    WeakPassword,
    /// Neither the name nor the address of a host.
    NotHost,
    /// It has characters that a login name cannot have.
    NotLogin,
    /// The room has no meter that sells.
    RoomSellsNothing,
    /// The amount is outside of what one purchase may be.
    AmountRefused,
    /// The opening balances of the room's residents are together more than the meter or the wallet of the room may hold.
    OverHoardingLimit {
        sum: Fen,
        limit: Fen,
    },
    /// The wallet is on the server and no prices apply to the room.
    NoPrices,
    /// Another person approves prices that are new or changed, or that apply somewhere else.
    PricesNeedApproval,
    /// Alarm 2 would be above alarm 1 at a place.
    AlarmOrder,
}

/// How many rows of a sheet an import creates, changes and leaves alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub created: u32,
    pub changed: u32,
    pub unchanged: u32,
}

impl Counts {
    #[must_use]
    pub const fn of(&self, effect: RowEffect) -> u32 {
        match effect {
            RowEffect::Created => self.created,
            RowEffect::Changed => self.changed,
            RowEffect::Unchanged => self.unchanged,
        }
    }

    pub const fn add(&mut self, effect: RowEffect) {
        match effect {
            RowEffect::Created => self.created += 1,
            RowEffect::Changed => self.changed += 1,
            RowEffect::Unchanged => self.unchanged += 1,
        }
    }
}
