//! The groups of a workbook, with their places.

use std::collections::HashMap;

use model::console::GROUPS_MAX;
use model::site_workbook::{Column, Fault, RowEffect, Sheet};

use super::settings::subject;
use super::{GroupRow, Planner, Row, SettingsOf};

impl Planner<'_> {
    /// Places are added to groups and never taken out of them: what the workbook does not name is left alone.
    pub(super) fn groups(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut seen: HashMap<&GroupRow, u32> = HashMap::new();
        for Row { number, value: row } in &rows.groups {
            let (at, before) = ((Sheet::Groups, *number), self.conflicts.len());
            match &row.member {
                Some(SettingsOf::Place(place)) => self.place_is_there(at, place, [Column::Building, Column::Floor]),
                Some(SettingsOf::Room(room)) if !self.has_room(room) => {
                    self.refuse(Sheet::Groups, *number, Column::Room, Fault::UnknownRoom);
                }
                _ => {}
            }
            if let Some(first) = seen.insert(row, *number) {
                self.refuse(Sheet::Groups, *number, Column::Group, Fault::Repeated(first));
            }
            let is_known = state.groups.contains_key(&row.group);
            if !is_known && self.groups.insert(&row.group) {
                self.plan.groups.push(&row.group);
                if state.groups.len() + self.groups.len() > GROUPS_MAX {
                    self.refuse(Sheet::Groups, *number, Column::Group, Fault::TooManyGroups);
                }
            }
            let added = row.member.as_ref().filter(|member| !self.is_member(&row.group, member));
            if is_known && added.is_some() && state.priced_groups.contains(&row.group) {
                self.refuse(Sheet::Groups, *number, Column::Group, Fault::GroupPriced);
            }
            if self.conflicts.len() > before {
                continue;
            }
            if let Some(member) = added {
                self.plan.members.push((&row.group, member));
            }
            let effect = if is_known && added.is_none() { RowEffect::Unchanged } else { RowEffect::Created };
            self.note(at, effect, || (named(row), Vec::new()));
        }
    }

    pub(super) fn has_group(&self, name: &str) -> bool {
        self.state.groups.contains_key(name) || self.groups.contains(name) || self.uncertain.may_have_group(name)
    }

    /// Whether the group names the place already.
    fn is_member(&self, group: &str, member: &SettingsOf) -> bool {
        let state = self.state;
        let place = match member {
            SettingsOf::Place(place) => match &place.floor {
                Some(floor) => state.floors.get(&(place.building.clone(), floor.clone())),
                None => state.buildings.get(&place.building),
            },
            SettingsOf::Room(room) => state.rooms.get(room),
            SettingsOf::Site | SettingsOf::Group(_) => None,
        };
        place.zip(state.group_places.get(group)).is_some_and(|(place, places)| places.contains(place))
    }

    /// Whether the group names a place after the import, or may once faults are mended.
    pub(super) fn has_places(&self, group: &str) -> bool {
        let named = |row: &Row<GroupRow>| row.value.group == group && row.value.member.is_some();
        self.state.group_places.get(group).is_some_and(|places| !places.is_empty())
            || self.rows.groups.iter().any(named)
            || self.uncertain.may_have_group(group)
    }
}

fn named(row: &GroupRow) -> String {
    match &row.member {
        Some(member) => format!("{} · {}", row.group, subject(member)),
        None => row.group.clone(),
    }
}

#[cfg(test)]
mod tests {
    use model::ids::{PlaceGroupId, PlaceId, Uuid};
    use model::money::Fen;
    use model::tariff::Prices;

    use super::super::*;

    const RULES: Rules = Rules { prices: PriceChanges::Allowed, hoarding: Fen(0), listed: 20 };

    fn room() -> RoomName {
        RoomName { building: "A".into(), floor: String::new(), room: "101".into() }
    }

    fn place(building: &str, floor: Option<&str>) -> SettingsOf {
        SettingsOf::Place(PlaceName { building: building.into(), floor: floor.map(Into::into) })
    }

    fn rows(members: Vec<Option<SettingsOf>>) -> SiteRows {
        let row = |(number, member)| Row { number, value: GroupRow { group: "G".into(), member } };
        SiteRows { groups: (2..).zip(members).map(row).collect(), ..SiteRows::default() }
    }

    fn site() -> SiteState {
        let id = |n| PlaceId(Uuid::from_u128(n));
        let (buildings, rooms) = ([("A".to_owned(), id(1))].into(), [(room(), id(2))].into());
        SiteState { buildings, rooms, ..SiteState::default() }
    }

    fn faults(rows: &SiteRows, site: &SiteState) -> Vec<(u32, Column, Fault)> {
        let found = plan(rows, &PartialRows::default(), site, &RULES).unwrap_err();
        found.into_iter().map(|Conflict { row, column, fault, .. }| (row, column, fault)).collect()
    }

    #[test]
    fn an_import_adds_groups_and_their_places_once() {
        use RowEffect::{Created, Unchanged};
        let (partial, mut site) = (PartialRows::default(), site());
        let rows = rows(vec![None, Some(place("A", None)), Some(SettingsOf::Room(room()))]);
        let planned = plan(&rows, &partial, &site, &RULES).unwrap();
        assert_eq!((planned.groups, planned.members.len()), (vec!["G"], 2));
        site.groups.insert("G".into(), PlaceGroupId(Uuid::from_u128(3)));
        site.group_places.insert("G".into(), [PlaceId(Uuid::from_u128(1))].into());
        let planned = plan(&rows, &partial, &site, &RULES).unwrap();
        let effects: Vec<_> = planned.outcome.rows.iter().map(|row| (row.effect, row.subject.as_str())).collect();
        assert_eq!((planned.groups.len(), planned.members), (0, vec![("G", &SettingsOf::Room(room()))]));
        assert_eq!(effects, [(Unchanged, "G"), (Unchanged, "G · A"), (Created, "G · A 101")]);
        site.group_places.entry("G".into()).or_default().insert(PlaceId(Uuid::from_u128(2)));
        assert_eq!(plan(&rows, &partial, &site, &RULES).unwrap().members.len(), 0);
    }

    #[test]
    fn a_group_names_places_that_are_there_once() {
        let unknown = SettingsOf::Room(RoomName { building: "B".into(), ..room() });
        let members = [Some(place("B", None)), Some(place("A", Some("1"))), Some(unknown), None, None].into();
        let expected = [
            (2, Column::Building, Fault::UnknownBuilding),
            (3, Column::Floor, Fault::UnknownFloor),
            (4, Column::Room, Fault::UnknownRoom),
            (6, Column::Group, Fault::Repeated(5)),
        ];
        assert_eq!(faults(&rows(members), &site()), expected);
        let mut full = site();
        full.groups = (0..200).map(|n| (n.to_string(), PlaceGroupId(Uuid::from_u128(n)))).collect();
        assert_eq!(faults(&rows(vec![None]), &full), [(2, Column::Group, Fault::TooManyGroups)]);
    }

    #[test]
    fn a_group_with_a_plan_keeps_its_places() {
        let mut site = site();
        site.groups.insert("G".into(), PlaceGroupId(Uuid::from_u128(3)));
        let rows = rows(vec![None, Some(place("A", None))]);
        assert!(plan(&rows, &PartialRows::default(), &site, &RULES).is_ok());
        site.priced_groups.insert("G".into());
        assert_eq!(faults(&rows, &site), [(3, Column::Group, Fault::GroupPriced)]);
        site.group_places.insert("G".into(), [PlaceId(Uuid::from_u128(1))].into());
        assert!(plan(&rows, &PartialRows::default(), &site, &RULES).is_ok(), "it has that place already");
    }

    #[test]
    fn a_group_without_places_gets_no_plan() {
        let mut rows = rows(vec![None]);
        let price = PriceRow { plan: "P".into(), of: SettingsOf::Group("G".into()), prices: Prices::flat(6_500) };
        rows.prices.push(Row { number: 2, value: price });
        assert_eq!(faults(&rows, &site()), [(2, Column::Group, Fault::GroupEmpty)]);
        let unnamed = PartialRows { groups: vec![Some("G".into())], ..PartialRows::default() };
        assert!(plan(&rows, &unnamed, &site(), &RULES).is_ok(), "a row with a fault may name one");
        rows.groups.push(Row { number: 3, value: GroupRow { group: "G".into(), member: Some(place("A", None)) } });
        assert!(plan(&rows, &PartialRows::default(), &site(), &RULES).is_ok());
    }

    #[test]
    fn other_sheets_may_use_a_group_of_the_same_file() {
        let mut rows = rows(vec![Some(SettingsOf::Room(room()))]);
        let (of, contact) = (SettingsOf::Group("G".into()), PlaceContact::default());
        let price = PriceRow { plan: "P".into(), of: of.clone(), prices: Prices::flat(6_500) };
        rows.prices.push(Row { number: 2, value: price });
        rows.contacts.push(Row { number: 2, value: ContactRow { of, contact } });
        assert!(plan(&rows, &PartialRows::default(), &site(), &RULES).is_ok());
        rows.groups.clear();
        let unknown = [Column::Group, Column::Group].map(|column| (2, column, Fault::UnknownGroup));
        assert_eq!(faults(&rows, &site()), unknown);
        let faulty = PartialRows { groups: vec![None], ..PartialRows::default() };
        assert!(plan(&rows, &faulty, &site(), &RULES).is_ok(), "it may be the one without a name");
    }
}
