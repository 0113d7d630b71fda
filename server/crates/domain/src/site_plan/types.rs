//! The rows of a site workbook, what a site has, and what an import does.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::console::RoomName;
use model::defaults::DefaultValues;
use model::friendly::FriendlyHours;
use model::gateway::Dialling;
use model::ids::{AccountId, GatewayId, InstrumentId, MeterId, PlaceGroupId, PlaceId, UserId, Uuid};
use model::instrument::{CountStep, Ratio};
use model::meter::Wallet;
use model::money::Fen;
use model::notification::Contact;
use model::person::Role;
use model::site_workbook::{Column, Counts, Fault, RowChange, Sheet};
use model::tariff::Prices;

use crate::framing::Framing;
use crate::serial::Serial;

/// A row of a sheet with its number in the file, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    pub number: u32,
    pub value: T,
}

/// The rows of a workbook, each by itself right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRows {
    pub rooms: Vec<Row<RoomName>>,
    pub gateways: Vec<Row<GatewayRow>>,
    pub meters: Vec<Row<MeterRow>>,
    pub prices: Vec<Row<PriceRow>>,
    pub accounts: Vec<Row<AccountRow>>,
    pub instruments: Vec<Row<InstrumentRow>>,
    pub friendly_hours: Vec<Row<FriendlyRow>>,
    pub contacts: Vec<Row<ContactRow>>,
    pub defaults: Vec<Row<DefaultsRow>>,
    pub groups: Vec<Row<GroupRow>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRow {
    pub name: String,
    pub reach: Dialling,
    pub framing: Framing,
    /// `None`: the site's.
    pub interval_s: Option<i64>,
    pub tls_name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRow {
    pub serial: Serial,
    pub room: RoomName,
    /// The gateway's name.
    pub gateway: String,
    /// Unit id, 1-247.
    pub unit: u8,
    /// The profile's name.
    pub profile: String,
    pub wallet: Wallet,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    pub plan: String,
    /// Where it applies.
    pub of: SettingsOf,
    pub prices: Prices,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub room: RoomName,
    pub resident: String,
    pub login: String,
    /// `None`: the resident cannot log in before a password is set.
    pub password: Option<String>,
    /// What the resident had in the older system; added up over the residents of a room.
    pub opening: Fen,
}

/// A circuit of an instrument. What belongs to the instrument is in each of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentRow {
    pub device: InstrumentDevice,
    /// Which counter of the instrument, from 1.
    pub position: u8,
    pub name: String,
    pub ct: Ratio,
    /// The number of the instrument, and the circuit of it, that feeds this one.
    pub master: Option<(String, u8)>,
    /// The place whose prepaid meters it feeds.
    pub feeds: Option<PlaceName>,
}

/// What belongs to an instrument as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentDevice {
    pub number: String,
    pub name: String,
    /// `None`: the whole site.
    pub place: Option<PlaceName>,
    /// The gateway's name.
    pub gateway: String,
    pub unit: u8,
    pub profile: String,
    pub start: Option<u16>,
    pub step: Option<CountStep>,
    pub pt: Ratio,
    pub interval_s: u32,
}

/// What a setting belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingsOf {
    Site,
    Place(PlaceName),
    Room(RoomName),
    /// By its name.
    Group(String),
}

/// The friendly hours of a place or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FriendlyRow {
    pub of: SettingsOf,
    pub hours: FriendlyHours,
}

/// Whom residents of a place or group may call, and who signs their text messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    pub of: SettingsOf,
    pub contact: PlaceContact,
}

/// The default parameters of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultsRow {
    /// `None`: the whole site.
    pub place: Option<PlaceName>,
    pub values: DefaultValues,
}

/// A place of a group, or the group alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupRow {
    pub group: String,
    /// A building, a floor or a room.
    pub member: Option<SettingsOf>,
}

/// `None` is inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceContact {
    pub phone: Option<Contact>,
    pub signature: Option<String>,
}

/// A building, or a floor of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceName {
    pub building: String,
    pub floor: Option<String>,
}

/// What is right of the rows in which something is wrong: the other rows are compared with it, so that one fault is not named in
/// every row that mentions the same thing, and what these rows themselves mention is looked up too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialRows {
    /// Sheets that may have rows which were not read.
    pub unread: Vec<Sheet>,
    pub rooms: Vec<PartialRoom>,
    /// The names of gateways.
    pub gateways: Vec<Option<String>>,
    /// The names of groups.
    pub groups: Vec<Option<String>>,
    pub meters: Vec<Row<PartialMeter>>,
    /// The buildings of price plans.
    pub prices: Vec<Row<Option<String>>>,
    pub accounts: Vec<Row<PartialAccount>>,
    /// Rows of instruments with a fault.
    pub instruments: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialRoom {
    pub building: Option<String>,
    pub room: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialMeter {
    pub serial: Option<Serial>,
    pub room: Option<RoomName>,
    pub gateway: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialAccount {
    pub room: Option<RoomName>,
    pub login: Option<String>,
}

/// What the site has.
#[derive(Clone, Debug, Default)]
pub struct SiteState {
    pub site: Option<PlaceId>,
    pub buildings: HashMap<String, PlaceId>,
    /// By building and floor; a room without a floor is below its building.
    pub floors: HashMap<(String, String), PlaceId>,
    pub rooms: HashMap<RoomName, PlaceId>,
    pub gateways: HashMap<String, (GatewayId, GatewayRow)>,
    pub meters: HashMap<Serial, MeterState>,
    /// By their numbers in the register.
    pub instruments: HashMap<String, InstrumentState>,
    /// Groups of places by name.
    pub groups: HashMap<String, PlaceGroupId>,
    pub group_places: HashMap<String, HashSet<PlaceId>>,
    /// Those that have or had a price plan, or wait for one, by name: their places do not change.
    pub priced_groups: HashSet<String>,
    pub friendly_hours: HashMap<SettingsOf, FriendlyHours>,
    pub contacts: HashMap<SettingsOf, PlaceContact>,
    /// Of the site, buildings and floors that have some of their own.
    pub defaults: HashMap<Option<PlaceName>, DefaultValues>,
    pub accounts: HashMap<RoomName, AccountState>,
    /// All login names, with the role of the person.
    pub logins: HashMap<String, (UserId, Role)>,
    /// Login names of residents who have no account now, with the room that they had last.
    pub former: HashMap<String, PlaceId>,
    /// The newest prices of each plan, and where it applies now.
    pub plans: HashMap<String, PlanState>,
}

#[derive(Clone, Debug)]
pub struct MeterState {
    pub id: MeterId,
    pub row: MeterRow,
    pub has_account: bool,
    /// A hoarding limit of its own: of the server wallet, or of the meter as it was last read.
    pub hoarding: Option<Fen>,
}

#[derive(Clone, Debug)]
pub struct InstrumentState {
    pub id: InstrumentId,
    /// Its circuits by position.
    pub rows: BTreeMap<u8, InstrumentRow>,
}

#[derive(Clone, Debug)]
pub struct AccountState {
    pub id: AccountId,
    /// Login and name.
    pub residents: HashMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct PlanState {
    pub id: Uuid,
    pub prices: Prices,
    pub applies_to: HashSet<SettingsOf>,
}

/// What is done, in this order: places, groups, gateways, meters, prices, accounts. It borrows from the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SitePlan<'a> {
    pub buildings: Vec<&'a str>,
    /// Building and floor.
    pub floors: Vec<(&'a str, &'a str)>,
    pub rooms: Vec<&'a RoomName>,
    /// New groups, and the places that groups get.
    pub groups: Vec<&'a str>,
    pub members: Vec<(&'a str, &'a SettingsOf)>,
    pub new_gateways: Vec<&'a GatewayRow>,
    pub changed_gateways: Vec<(GatewayId, &'a GatewayRow)>,
    pub new_meters: Vec<&'a MeterRow>,
    pub changed_meters: Vec<(MeterId, &'a MeterRow)>,
    /// A plan's name and its next prices.
    pub prices: Vec<(&'a str, &'a Prices)>,
    /// A plan's name and where it applies from now on.
    pub assignments: Vec<(&'a str, &'a SettingsOf)>,
    pub new_accounts: Vec<NewAccount<'a>>,
    /// Residents who join an open account.
    pub joining: Vec<(AccountId, &'a AccountRow)>,
    pub renamed: Vec<(UserId, &'a str)>,
    /// Rows of instruments that are new or changed, with the instrument where it is there already.
    pub circuits: Vec<(Option<InstrumentId>, &'a InstrumentRow)>,
    /// New or changed.
    pub friendly_hours: Vec<&'a FriendlyRow>,
    pub contacts: Vec<&'a ContactRow>,
    pub defaults: Vec<&'a DefaultsRow>,
    pub outcome: Outcome,
}

/// What happens to the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the order of [`Sheet::ALL`].
    pub counts: [Counts; Sheet::ALL.len()],
    /// The first of each sheet and effect.
    pub rows: Vec<RowChange>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount<'a> {
    pub room: &'a RoomName,
    /// The serial numbers of its meters that sell; the first takes the opening amount.
    pub meters: Vec<Serial>,
    /// At least one.
    pub residents: Vec<Row<&'a AccountRow>>,
    pub opening: Fen,
}

/// What an import must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub prices: PriceChanges,
    /// The most that a meter or a wallet without a limit of its own may hold; zero: without limit.
    pub hoarding: Fen,
    /// The most rows of a sheet with the same effect that are listed.
    pub listed: usize,
}

/// Whether an import may publish prices and give them to places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceChanges {
    Allowed,
    /// Another person approves prices, on the page of prices.
    NeedApproval,
}

/// A row that does not fit what the site has or what other rows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub sheet: Sheet,
    pub row: u32,
    pub column: Column,
    pub fault: Fault,
}
