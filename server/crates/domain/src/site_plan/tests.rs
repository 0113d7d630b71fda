mod prices;

use model::ids::{AccountId, GatewayId, MeterId, PlaceId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::person::Role;
use model::site_workbook::{CellChange, CellValue, Counts};
use model::tariff::Prices;

use super::*;
use crate::framing::Framing;
use crate::serial::Serial;

fn place(room: &str) -> RoomName {
    RoomName { building: "A".into(), floor: "1".into(), room: room.into() }
}

fn row<T>(number: u32, value: T) -> Row<T> {
    Row { number, value }
}

fn meter(serial: u64, room: &str, unit: u8) -> MeterRow {
    let serial = format!("{serial:012}").parse().unwrap();
    MeterRow { serial, room: place(room), gateway: "G".into(), unit, profile: "rpp".into(), wallet: Wallet::Meter }
}

fn gateway() -> GatewayRow {
    let framing = Framing::ModbusTcp;
    GatewayRow { name: "G".into(), reach: dialled("h"), framing, interval_s: None, tls_name: None }
}

fn dialled(host: &str) -> Dialling {
    let (host, port) = (model::gateway::Host::parse(host).unwrap(), std::num::NonZeroU16::new(502).unwrap());
    Dialling::Dialled { host, port }
}

fn account(room: &str, login: &str, fen: i64) -> AccountRow {
    AccountRow { room: place(room), resident: login.into(), login: login.into(), password: None, opening: Fen(fen) }
}

fn building(name: &str) -> SettingsOf {
    SettingsOf::Place(PlaceName { building: name.into(), floor: None })
}

fn site() -> SiteRows {
    SiteRows {
        rooms: vec![row(2, place("101")), row(3, place("102"))],
        gateways: vec![row(2, gateway())],
        meters: vec![row(2, meter(1, "101", 1)), row(3, meter(2, "102", 2))],
        prices: vec![row(2, PriceRow { plan: "P".into(), of: SettingsOf::Site, prices: Prices::flat(6_500) })],
        accounts: vec![row(2, account("101", "a", 500)), row(3, account("101", "b", 20))],
        instruments: Vec::new(),
        friendly_hours: Vec::new(),
        contacts: Vec::new(),
        defaults: Vec::new(),
        groups: Vec::new(),
    }
}

/// What the site has after its first import.
fn after(rows: &SiteRows) -> SiteState {
    let mut state = SiteState { site: Some(PlaceId(Uuid::from_u128(1))), ..SiteState::default() };
    state.buildings.insert("A".into(), PlaceId(Uuid::from_u128(2)));
    state.floors.insert(("A".into(), "1".into()), PlaceId(Uuid::from_u128(3)));
    for (n, room) in (10..).zip(&rows.rooms) {
        state.rooms.insert(room.value.clone(), PlaceId(Uuid::from_u128(n)));
    }
    state.gateways.insert("G".into(), (GatewayId(Uuid::from_u128(4)), gateway()));
    for (n, meter) in (20..).zip(&rows.meters) {
        let has_account = rows.accounts.iter().any(|account| account.value.room == meter.value.room);
        let id = MeterId(Uuid::from_u128(n));
        state.meters.insert(meter.value.serial, MeterState { id, row: meter.value.clone(), has_account, hoarding: None });
    }
    for (n, account) in (30..).zip(&rows.accounts) {
        let AccountRow { room, login, resident, .. } = account.value.clone();
        let id = AccountId(Uuid::from_u128(n));
        let known = state.accounts.entry(room).or_insert(AccountState { id, residents: HashMap::new() });
        known.residents.insert(login.clone(), resident);
        state.logins.insert(login, (UserId(Uuid::from_u128(n)), Role::Resident));
    }
    let applies_to = HashSet::from([SettingsOf::Site]);
    state.plans.insert("P".into(), PlanState { id: Uuid::from_u128(5), prices: Prices::flat(6_500), applies_to });
    state
}

static NO_PARTIAL: PartialRows = PartialRows {
    unread: Vec::new(),
    rooms: Vec::new(),
    gateways: Vec::new(),
    groups: Vec::new(),
    meters: Vec::new(),
    prices: Vec::new(),
    accounts: Vec::new(),
    instruments: 0,
};
static RULES: Rules = Rules { prices: PriceChanges::Allowed, hoarding: Fen(10_000), listed: 10 };

fn planned<'a>(rows: &'a SiteRows, state: &'a SiteState) -> Result<SitePlan<'a>, Vec<Conflict>> {
    plan(rows, &NO_PARTIAL, state, &RULES)
}

fn conflicts(rows: &SiteRows, state: &SiteState) -> Vec<(u32, Column, Fault)> {
    let found = planned(rows, state).unwrap_err();
    found.into_iter().map(|Conflict { row, column, fault, .. }| (row, column, fault)).collect()
}

#[test]
fn an_empty_site_gets_everything_once() {
    let (rows, state) = (site(), SiteState::default());
    let planned = planned(&rows, &state).unwrap();
    assert_eq!((planned.buildings.len(), planned.floors.len(), planned.rooms.len()), (1, 1, 2));
    assert_eq!((planned.new_gateways.len(), planned.new_meters.len(), planned.prices.len()), (1, 2, 1));
    assert_eq!(planned.assignments, [("P", &SettingsOf::Site)]);
    let [account] = planned.new_accounts.as_slice() else { panic!("{:?}", planned.new_accounts) };
    assert_eq!((account.residents.len(), account.opening, account.meters.len()), (2, Fen(520), 1));
    assert_eq!(planned.outcome.counts.map(|counts| counts.created), [2, 1, 2, 1, 2, 0, 0, 0, 0, 0]);
}

#[test]
fn the_same_workbook_again_changes_nothing() {
    let rows = site();
    let state = after(&rows);
    let planned = planned(&rows, &state).unwrap();
    let outcome = planned.outcome.clone();
    assert_eq!(outcome.counts.map(|counts| counts.unchanged), [2, 1, 2, 1, 2, 0, 0, 0, 0, 0]);
    assert!(outcome.rows.iter().all(|row| row.effect == RowEffect::Unchanged && row.changes.is_empty()));
    assert_eq!(planned, SitePlan { outcome, ..SitePlan::default() });
}

#[test]
fn two_meters_may_exchange_their_addresses() {
    let mut rows = site();
    let state = after(&rows);
    rows.meters = vec![row(2, meter(1, "101", 2)), row(3, meter(2, "102", 1))];
    assert_eq!(planned(&rows, &state).unwrap().changed_meters.len(), 2);
    // The other meter is not in the workbook and keeps its address.
    rows.meters.truncate(1);
    assert_eq!(conflicts(&rows, &state), [(2, Column::Unit, Fault::AddressTaken("000000000002".into()))]);
}

#[test]
fn a_meter_in_use_keeps_its_room_and_wallet() {
    let mut rows = site();
    let state = after(&rows);
    rows.meters = vec![row(2, MeterRow { wallet: Wallet::Server, ..meter(1, "102", 9) })];
    assert_eq!(conflicts(&rows, &state), [(2, Column::Room, Fault::MeterInUse), (2, Column::Wallet, Fault::MeterInUse)]);
    rows.meters = vec![row(3, meter(2, "101", 9))];
    assert_eq!(planned(&rows, &state).unwrap().changed_meters.len(), 1);
}

#[test]
fn every_conflict_is_named() {
    let mut rows = site();
    rows.rooms.push(row(4, place("101")));
    rows.meters.push(row(4, MeterRow { gateway: "H".into(), ..meter(1, "101", 1) }));
    rows.meters.push(row(5, MeterRow { gateway: "H".into(), ..meter(5, "505", 1) }));
    rows.meters.push(row(6, meter(6, "101", 2)));
    rows.prices.push(row(3, PriceRow { plan: "P".into(), of: building("B"), prices: Prices::flat(1) }));
    rows.accounts.push(row(4, account("102", "a", 0)));
    rows.accounts.push(row(5, account("505", "c", 0)));
    rows.accounts.push(row(6, account("506", "c", 0)));
    assert_eq!(
        conflicts(&rows, &SiteState::default()),
        [
            (4, Column::Room, Fault::Repeated(2)),
            (4, Column::Gateway, Fault::UnknownGateway),
            (4, Column::Serial, Fault::Repeated(2)),
            (5, Column::Room, Fault::UnknownRoom),
            (5, Column::Gateway, Fault::UnknownGateway),
            (6, Column::Unit, Fault::Repeated(3)),
            (3, Column::Building, Fault::UnknownBuilding),
            (3, Column::Plan, Fault::Repeated(2)),
            (4, Column::Login, Fault::Repeated(2)),
            (5, Column::Room, Fault::UnknownRoom),
            (6, Column::Login, Fault::Repeated(5)),
            (6, Column::Room, Fault::UnknownRoom),
        ]
    );
}

#[test]
fn a_changed_login_name_makes_no_second_resident() {
    let (rows, state) = (site(), after(&site()));
    let again = AccountRow { login: "new".into(), ..rows.accounts[0].value.clone() };
    let next = |accounts| SiteRows { accounts, ..SiteRows::default() };
    assert_eq!(conflicts(&next(vec![row(2, again.clone())]), &state), [(2, Column::Login, Fault::LoginChanged("a".into()))]);
    let both = next(vec![rows.accounts[0].clone(), row(3, again)]);
    assert_eq!(planned(&both, &state).unwrap().joining.len(), 1, "two people may have one name");
}

#[test]
fn log_in_names_of_others_are_refused() {
    let rows = site();
    let mut state = after(&rows);
    state.logins.insert("boss".into(), (UserId(Uuid::from_u128(99)), Role::Admin));
    let accounts = vec![row(2, account("102", "boss", 0)), row(3, account("102", "a", 0))];
    let next = SiteRows { accounts, ..SiteRows::default() };
    assert_eq!(
        conflicts(&next, &state),
        [(2, Column::Login, Fault::LoginOfOperator), (3, Column::Login, Fault::LoginOfOther("A 1 101".into()))]
    );
}

#[test]
fn residents_join_and_are_renamed() {
    let rows = site();
    let state = after(&rows);
    let accounts =
        vec![row(2, AccountRow { resident: "Ann".into(), ..account("101", "a", 500) }), row(3, account("101", "c", 7))];
    let next = SiteRows { accounts, ..SiteRows::default() };
    let planned = planned(&next, &state).unwrap();
    assert_eq!((planned.renamed.len(), planned.joining.len(), planned.new_accounts.len()), (1, 1, 0));
}

#[test]
fn a_room_needs_a_meter_and_a_server_wallet_needs_prices() {
    let mut rows = site();
    rows.meters = vec![row(2, MeterRow { wallet: Wallet::Server, ..meter(1, "101", 1) })];
    rows.accounts.push(row(4, account("102", "d", 0)));
    assert_eq!(conflicts(&rows, &SiteState::default()), [(4, Column::Room, Fault::RoomSellsNothing)]);
    rows.accounts.truncate(1);
    rows.prices.clear();
    assert_eq!(conflicts(&rows, &SiteState::default()), [(2, Column::Room, Fault::NoPrices)]);
}

#[test]
fn registrations_of_two_gateways_are_told_apart() {
    let dial_in = |name: &str, registration: &str| {
        let registration = model::gateway::BytePattern::parse(registration).unwrap();
        GatewayRow { name: name.into(), reach: Dialling::DialIn { registration, heartbeat: None }, ..gateway() }
    };
    let mut state = SiteState::default();
    state.gateways.insert("old".into(), (GatewayId(Uuid::from_u128(1)), dial_in("old", "GW1")));
    let planned = |rows: Vec<GatewayRow>| {
        let gateways = (2..).zip(rows).map(|(number, value)| Row { number, value }).collect();
        planned(&SiteRows { gateways, ..SiteRows::default() }, &state).map(drop)
    };
    let taken = planned(vec![dial_in("new", "GW12")]).unwrap_err();
    assert_eq!(taken[0].fault, Fault::RegistrationTaken("old".into()));
    assert_eq!(planned(vec![dial_in("a", "AB"), dial_in("b", "A")]).unwrap_err().len(), 2);
    // What the workbook gives another registration no longer takes its old one.
    assert!(planned(vec![dial_in("new", "GW12"), dial_in("old", "GW2")]).is_ok());
}

fn changed(planned: &SitePlan<'_>) -> Vec<(u32, String, Vec<CellChange>)> {
    let rows = planned.outcome.rows.iter().filter(|row| row.effect == RowEffect::Changed);
    rows.map(|row| (row.row, row.subject.clone(), row.changes.clone())).collect()
}

fn change(column: Column, before: CellValue, after: CellValue) -> CellChange {
    CellChange { column, before, after }
}

#[test]
fn a_changed_row_says_what_it_was_and_becomes() {
    let mut rows = site();
    let state = after(&rows);
    rows.gateways = vec![row(2, GatewayRow { interval_s: Some(60), ..gateway() })];
    rows.meters = vec![row(3, MeterRow { wallet: Wallet::None, ..meter(2, "102", 7) })];
    rows.prices = vec![row(2, PriceRow { plan: "P".into(), of: building("A"), prices: Prices::flat(7_000) })];
    rows.accounts = vec![row(2, AccountRow { resident: "Ann".into(), ..account("101", "a", 0) })];
    let text = |text: &str| CellValue::text(text);
    assert_eq!(
        changed(&planned(&rows, &state).unwrap()),
        [
            (2, "G".to_owned(), vec![change(Column::IntervalS, CellValue::Blank, CellValue::Seconds(60))]),
            (
                3,
                "000000000002".to_owned(),
                vec![
                    change(Column::Unit, text("2"), text("7")),
                    change(Column::Wallet, CellValue::Wallet(Wallet::Meter), CellValue::Wallet(Wallet::None)),
                ]
            ),
            (
                2,
                "P · A".to_owned(),
                vec![
                    change(Column::Price, CellValue::Price(6_500), CellValue::Price(7_000)),
                    change(Column::Plan, CellValue::Blank, text("P")),
                ]
            ),
            (2, "A 1 101 · Ann (a)".to_owned(), vec![change(Column::Resident, text("a"), text("Ann"))]),
        ]
    );
}

#[test]
fn long_lists_are_counted_whole_and_listed_in_part() {
    let rooms = (2..).zip(0..25).map(|(number, room)| row(number, place(&room.to_string()))).collect();
    let (rows, state) = (SiteRows { rooms, ..SiteRows::default() }, SiteState::default());
    let planned = planned(&rows, &state).unwrap();
    assert_eq!(planned.outcome.counts[0], Counts { created: 25, ..Counts::default() });
    assert_eq!(planned.outcome.rows.len(), RULES.listed);
}

#[test]
fn an_opening_balance_must_fit_below_the_limit() {
    let over = |sum, limit| Fault::OverHoardingLimit { sum: Fen(sum), limit: Fen(limit) };
    let mut rows = site();
    rows.accounts = vec![row(2, account("101", "a", 9_000)), row(3, account("101", "b", 1_000)), row(4, account("102", "c", 9))];
    assert!(planned(&rows, &SiteState::default()).is_ok(), "exactly the limit");
    rows.accounts[1].value.opening = Fen(1_001);
    assert_eq!(conflicts(&rows, &SiteState::default()), [(3, Column::OpeningYuan, over(10_001, 10_000))]);
    let unlimited = Rules { hoarding: Fen::ZERO, ..RULES };
    assert!(plan(&rows, &NO_PARTIAL, &SiteState::default(), &unlimited).is_ok());
    // Meters that the site has already, with limits of their own.
    let mut state = after(&SiteRows { accounts: Vec::new(), ..site() });
    let serial: Serial = "000000000001".parse().unwrap();
    state.meters.get_mut(&serial).unwrap().hoarding = Some(Fen(5_000));
    rows.accounts = vec![row(2, account("101", "a", 5_001))];
    assert_eq!(conflicts(&rows, &state), [(2, Column::OpeningYuan, over(5_001, 5_000))], "the lower one of a meter's");
    state.meters.get_mut(&serial).unwrap().hoarding = Some(Fen(20_000));
    rows.accounts = vec![row(2, account("101", "a", 10_001))];
    assert_eq!(conflicts(&rows, &state), [(2, Column::OpeningYuan, over(10_001, 10_000))]);
    for known in [&mut state.meters.get_mut(&serial).unwrap().row, &mut rows.meters[0].value] {
        known.wallet = Wallet::Server;
    }
    rows.accounts = vec![row(2, account("101", "a", 20_000))];
    assert!(planned(&rows, &state).is_ok(), "a server wallet's own limit replaces the site's");
}

#[test]
fn a_former_resident_is_not_taken_for_somebody_elses() {
    let rows = site();
    let mut state = after(&rows);
    let room = *state.rooms.get(&place("101")).unwrap();
    state.accounts.clear();
    state.meters.values_mut().for_each(|meter| meter.has_account = false);
    state.former = HashMap::from([("a".to_owned(), room), ("b".to_owned(), room)]);
    let former = || Fault::LoginOfFormer("A 1 101".into());
    assert_eq!(conflicts(&rows, &state), [(2, Column::Login, former()), (3, Column::Login, former())]);
}

#[test]
fn faulty_rows_are_compared_in_part() {
    let rows = SiteRows { rooms: Vec::new(), gateways: Vec::new(), ..site() };
    let state = SiteState::default();
    let found = |partial: &PartialRows| {
        let found = plan(&rows, partial, &state, &RULES).map(drop).err().unwrap_or_default();
        found.into_iter().map(|Conflict { sheet, row, fault, .. }| (sheet, row, fault)).collect::<Vec<_>>()
    };
    let unread = PartialRows { unread: Sheet::ALL.to_vec(), ..PartialRows::default() };
    assert_eq!(found(&unread), [], "the sheets that are missing may name them");
    let room = |room: &str| PartialRoom { building: Some("A".into()), room: Some(room.into()) };
    let mended = PartialRows {
        rooms: vec![room("101"), PartialRoom { building: Some("B".into()), room: None }],
        gateways: vec![Some("G".into())],
        meters: vec![row(
            9,
            PartialMeter { serial: "000000000001".parse().ok(), room: Some(place("505")), gateway: Some("H".into()) },
        )],
        accounts: vec![row(9, PartialAccount { room: Some(place("505")), login: Some("a".into()) })],
        ..PartialRows::default()
    };
    assert_eq!(
        found(&mended),
        [
            (Sheet::Meters, 3, Fault::UnknownRoom),
            (Sheet::Meters, 9, Fault::Repeated(2)),
            (Sheet::Meters, 9, Fault::UnknownRoom),
            (Sheet::Meters, 9, Fault::UnknownGateway),
            (Sheet::Accounts, 9, Fault::Repeated(2)),
            (Sheet::Accounts, 9, Fault::UnknownRoom),
        ]
    );
    let accounts = vec![row(2, account("505", "z", 0))];
    let rows = SiteRows { accounts, rooms: vec![row(2, place("505"))], ..SiteRows::default() };
    let meter = PartialMeter { serial: None, room: Some(place("505")), gateway: None };
    let sells = PartialRows { meters: vec![row(2, meter)], ..PartialRows::default() };
    assert!(plan(&rows, &sells, &state, &RULES).is_ok(), "its meter is there, with a fault");
    assert!(plan(&rows, &NO_PARTIAL, &state, &RULES).is_err());
}
