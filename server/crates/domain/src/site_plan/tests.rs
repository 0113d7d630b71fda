use model::ids::{AccountId, GatewayId, MeterId, PlaceId, UserId, Uuid};

use super::*;
use crate::framing::Framing;

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

fn site() -> SiteRows {
    SiteRows {
        rooms: vec![row(2, place("101")), row(3, place("102"))],
        gateways: vec![row(2, gateway())],
        meters: vec![row(2, meter(1, "101", 1)), row(3, meter(2, "102", 2))],
        prices: vec![row(2, PriceRow { plan: "P".into(), building: None, prices: Prices::flat(6_500) })],
        accounts: vec![row(2, account("101", "a", 500)), row(3, account("101", "b", 20))],
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
        state.meters.insert(meter.value.serial, MeterState { id, row: meter.value.clone(), has_account });
    }
    for (n, account) in (30..).zip(&rows.accounts) {
        let AccountRow { room, login, resident, .. } = account.value.clone();
        let id = AccountId(Uuid::from_u128(n));
        let known = state.accounts.entry(room).or_insert(AccountState { id, residents: HashMap::new() });
        known.residents.insert(login.clone(), resident);
        state.logins.insert(login, (UserId(Uuid::from_u128(n)), Role::Resident));
    }
    let applies_to = HashSet::from([None]);
    state.plans.insert("P".into(), PlanState { id: Uuid::from_u128(5), prices: Prices::flat(6_500), applies_to });
    state
}

fn planned(rows: &SiteRows, state: &SiteState) -> Result<SitePlan, Vec<Conflict>> {
    plan(rows, state, PriceChanges::Allowed)
}

fn conflicts(rows: &SiteRows, state: &SiteState) -> Vec<(u32, Column, Fault)> {
    let found = planned(rows, state).unwrap_err();
    found.into_iter().map(|Conflict { row, column, fault, .. }| (row, column, fault)).collect()
}

#[test]
fn an_empty_site_gets_everything_once() {
    let planned = planned(&site(), &SiteState::default()).unwrap();
    assert_eq!((planned.buildings.len(), planned.floors.len(), planned.rooms.len()), (1, 1, 2));
    assert_eq!((planned.new_gateways.len(), planned.new_meters.len(), planned.prices.len()), (1, 2, 1));
    assert_eq!(planned.assignments, [("P".to_owned(), None)]);
    let [account] = planned.new_accounts.as_slice() else { panic!("{:?}", planned.new_accounts) };
    assert_eq!((account.residents.len(), account.opening, account.meters.len()), (2, Fen(520), 1));
    assert_eq!(planned.counts.map(|counts| counts.created), [2, 1, 2, 1, 2]);
}

#[test]
fn the_same_workbook_again_changes_nothing() {
    let rows = site();
    let planned = planned(&rows, &after(&rows)).unwrap();
    let counts = planned.counts;
    assert_eq!(counts.map(|counts| counts.unchanged), [2, 1, 2, 1, 2]);
    assert_eq!(planned, SitePlan { counts, ..SitePlan::default() });
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
    rows.prices.push(row(3, PriceRow { plan: "P".into(), building: Some("B".into()), prices: Prices::flat(1) }));
    rows.accounts.push(row(4, account("102", "a", 0)));
    rows.accounts.push(row(5, account("505", "c", 0)));
    assert_eq!(
        conflicts(&rows, &SiteState::default()),
        [
            (4, Column::Room, Fault::Repeated(2)),
            (4, Column::Serial, Fault::Repeated(2)),
            (5, Column::Room, Fault::UnknownRoom),
            (5, Column::Gateway, Fault::UnknownGateway),
            (6, Column::Unit, Fault::Repeated(3)),
            (3, Column::Building, Fault::UnknownBuilding),
            (4, Column::Login, Fault::Repeated(2)),
            (5, Column::Room, Fault::UnknownRoom),
        ]
    );
}

#[test]
fn log_in_names_of_others_are_refused() {
    let rows = site();
    let mut state = after(&rows);
    state.logins.insert("boss".into(), (UserId(Uuid::from_u128(99)), Role::Admin));
    let accounts = vec![row(2, account("102", "boss", 0)), row(3, account("102", "a", 0))];
    let next = SiteRows { accounts, ..SiteRows::default() };
    assert_eq!(conflicts(&next, &state), [(2, Column::Login, Fault::LoginOfOperator), (3, Column::Login, Fault::LoginOfOther)]);
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
fn changed_prices_are_published_once_for_a_plan() {
    let mut rows = site();
    let state = after(&rows);
    let price = |building| PriceRow { plan: "P".into(), building, prices: Prices::flat(7_000) };
    rows.prices = vec![row(2, price(None)), row(3, price(Some("A".into())))];
    let planned = planned(&rows, &state).unwrap();
    assert_eq!((planned.prices.len(), planned.assignments.len()), (1, 1));
}

#[test]
fn prices_that_need_approval_are_refused() {
    let mut rows = site();
    let refused = |rows: &SiteRows, state: &SiteState| {
        let found = plan(rows, state, PriceChanges::NeedApproval).unwrap_err();
        found.into_iter().map(|Conflict { row, column, fault, .. }| (row, column, fault)).collect::<Vec<_>>()
    };
    let state = after(&rows);
    assert_eq!(refused(&rows, &SiteState::default()), [(2, Column::Plan, Fault::PricesNeedApproval)], "a new plan");
    assert!(plan(&rows, &state, PriceChanges::NeedApproval).is_ok(), "nothing differs");
    let price = |building, e4| PriceRow { plan: "P".into(), building, prices: Prices::flat(e4) };
    rows.prices = vec![row(2, price(None, 7_000))];
    assert_eq!(refused(&rows, &state), [(2, Column::Plan, Fault::PricesNeedApproval)]);
    rows.prices = vec![row(2, price(None, 6_500)), row(3, price(Some("A".into()), 6_500))];
    assert_eq!(refused(&rows, &state), [(3, Column::Building, Fault::PricesNeedApproval)], "another place");
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
        planned(&SiteRows { gateways, ..SiteRows::default() }, &state)
    };
    let taken = planned(vec![dial_in("new", "GW12")]).unwrap_err();
    assert_eq!(taken[0].fault, Fault::RegistrationTaken("old".into()));
    assert_eq!(planned(vec![dial_in("a", "AB"), dial_in("b", "A")]).unwrap_err().len(), 2);
    // What the workbook gives another registration no longer takes its old one.
    assert!(planned(vec![dial_in("new", "GW12"), dial_in("old", "GW2")]).is_ok());
}
