//! The sheet of prices.

use super::*;

#[test]
fn a_floor_a_room_and_a_group_may_have_prices() {
    let mut rows = site();
    rows.meters = vec![row(2, MeterRow { wallet: Wallet::Server, ..meter(1, "101", 1) })];
    let mut state = after(&SiteRows { accounts: Vec::new(), ..rows.clone() });
    state.plans.clear();
    state.groups.insert("G".into(), model::ids::PlaceGroupId(Uuid::from_u128(6)));
    let group = SettingsOf::Group("G".into());
    let mut refused = |of: &SettingsOf, members: &[u128]| {
        let members = members.iter().map(|id| PlaceId(Uuid::from_u128(*id))).collect();
        state.group_places.insert("G".into(), members);
        rows.prices = vec![row(2, PriceRow { plan: "P".into(), of: of.clone(), prices: Prices::flat(1) })];
        planned(&rows, &state).err().unwrap_or_default().iter().map(|one| one.fault.clone()).collect::<Vec<_>>()
    };
    let floor = |name: &str| SettingsOf::Place(PlaceName { building: "A".into(), floor: Some(name.into()) });
    assert_eq!(refused(&floor("1"), &[]), []);
    assert_eq!(refused(&SettingsOf::Room(place("101")), &[]), []);
    assert_eq!(refused(&group, &[10]), [], "of the room");
    assert_eq!(refused(&group, &[2]), [], "of its building");
    assert_eq!(refused(&group, &[11]), [Fault::NoPrices, Fault::NoPrices], "of another room");
    assert_eq!(refused(&SettingsOf::Group("H".into()), &[]).first(), Some(&Fault::UnknownGroup));
    assert_eq!(refused(&floor("9"), &[]).first(), Some(&Fault::UnknownFloor));
    rows.prices = vec![row(2, PriceRow { plan: "P".into(), of: group, prices: Prices::flat(1) })];
    rows.groups = vec![row(2, GroupRow { group: "G".into(), member: Some(SettingsOf::Room(place("101"))) })];
    assert!(planned(&rows, &state).is_ok(), "the workbook puts the room into the group");
}

#[test]
fn changed_prices_are_published_once_for_a_plan() {
    let mut rows = site();
    let state = after(&rows);
    let price = |of| PriceRow { plan: "P".into(), of, prices: Prices::flat(7_000) };
    rows.prices = vec![row(2, price(SettingsOf::Site)), row(3, price(building("A")))];
    let planned = planned(&rows, &state).unwrap();
    assert_eq!((planned.prices.len(), planned.assignments.len()), (1, 1));
}

#[test]
fn prices_that_need_approval_are_refused() {
    let mut rows = site();
    let need = Rules { prices: PriceChanges::NeedApproval, ..RULES };
    let refused = |rows: &SiteRows, state: &SiteState| {
        let found = plan(rows, &NO_PARTIAL, state, &need).unwrap_err();
        found.into_iter().map(|Conflict { row, column, fault, .. }| (row, column, fault)).collect::<Vec<_>>()
    };
    let state = after(&rows);
    assert_eq!(refused(&rows, &SiteState::default()), [(2, Column::Plan, Fault::PricesNeedApproval)], "a new plan");
    assert!(plan(&rows, &NO_PARTIAL, &state, &need).is_ok(), "nothing differs");
    let price = |of, e4| PriceRow { plan: "P".into(), of, prices: Prices::flat(e4) };
    rows.prices = vec![row(2, price(SettingsOf::Site, 7_000))];
    assert_eq!(refused(&rows, &state), [(2, Column::Plan, Fault::PricesNeedApproval)]);
    rows.prices = vec![row(2, price(SettingsOf::Site, 6_500)), row(3, price(building("A"), 6_500))];
    assert_eq!(refused(&rows, &state), [(3, Column::Building, Fault::PricesNeedApproval)], "another place");
}
