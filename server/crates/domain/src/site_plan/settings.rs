//! The friendly hours and contacts of a workbook.

use std::collections::HashMap;

use model::site_workbook::{CellChange, Column, Fault, RowEffect, Sheet};

use super::{PlaceContact, Planner, Row, SettingsOf, cells};

impl<'a> Planner<'a> {
    pub(super) fn friendly_hours(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut seen = HashMap::new();
        for Row { number, value: row } in &rows.friendly_hours {
            if !self.may_be_set(Sheet::FriendlyHours, *number, &row.of, &mut seen) {
                continue;
            }
            let known = state.friendly_hours.get(&row.of);
            let effect = effect(known.is_some(), known == Some(&row.hours));
            if effect != RowEffect::Unchanged {
                self.plan.friendly_hours.push(row);
            }
            let changes = || known.map(|known| cells::differences(cells::friendly(known), cells::friendly(&row.hours)));
            self.note_settings((Sheet::FriendlyHours, *number), effect, &row.of, changes);
        }
    }

    pub(super) fn contacts(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let (mut seen, nothing) = (HashMap::new(), PlaceContact::default());
        for Row { number, value: row } in &rows.contacts {
            if !self.may_be_set(Sheet::Contacts, *number, &row.of, &mut seen) {
                continue;
            }
            let known = state.contacts.get(&row.of);
            let effect = effect(known.is_some(), known.unwrap_or(&nothing) == &row.contact);
            if effect != RowEffect::Unchanged {
                self.plan.contacts.push(row);
            }
            let changes = || known.map(|known| cells::differences(cells::contact(known), cells::contact(&row.contact)));
            self.note_settings((Sheet::Contacts, *number), effect, &row.of, changes);
        }
    }

    /// Whether the place or group of a row exists and no earlier row has it.
    pub(super) fn may_be_set(
        &mut self,
        sheet: Sheet,
        number: u32,
        of: &'a SettingsOf,
        seen: &mut HashMap<&'a SettingsOf, u32>,
    ) -> bool {
        let before = self.conflicts.len();
        match of {
            SettingsOf::Place(place) => self.place_is_there((sheet, number), place, [Column::Building, Column::Floor]),
            SettingsOf::Room(room) if !self.has_room(room) => self.refuse(sheet, number, Column::Room, Fault::UnknownRoom),
            SettingsOf::Group(name) if !self.has_group(name) => {
                self.refuse(sheet, number, Column::Group, Fault::UnknownGroup);
            }
            SettingsOf::Site | SettingsOf::Room(_) | SettingsOf::Group(_) => {}
        }
        if let Some(first) = seen.insert(of, number) {
            self.refuse(sheet, number, column_of(of), Fault::Repeated(first));
        }
        self.conflicts.len() == before
    }

    fn note_settings(
        &mut self,
        at: (Sheet, u32),
        effect: RowEffect,
        of: &SettingsOf,
        changes: impl FnOnce() -> Option<Vec<CellChange>>,
    ) {
        self.note(at, effect, || (subject(of), changes().unwrap_or_default()));
    }
}

pub(super) const fn effect(is_set: bool, is_same: bool) -> RowEffect {
    match (is_set, is_same) {
        (_, true) => RowEffect::Unchanged,
        (true, false) => RowEffect::Changed,
        (false, false) => RowEffect::Created,
    }
}

/// The column that is marked when the place or group of a row cannot be set.
pub(super) const fn column_of(of: &SettingsOf) -> Column {
    if matches!(of, SettingsOf::Group(_)) { Column::Group } else { Column::Building }
}

pub(super) fn subject(of: &SettingsOf) -> String {
    match of {
        SettingsOf::Site => cells::subject(None),
        SettingsOf::Place(place) => cells::subject(Some(place)),
        SettingsOf::Room(room) => room.to_string(),
        SettingsOf::Group(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use model::friendly::FriendlyHours;
    use model::ids::{PlaceId, Uuid};
    use model::money::Fen;

    use super::super::*;

    const RULES: Rules = Rules { prices: PriceChanges::Allowed, hoarding: Fen(0), listed: 20 };

    fn row(number: u32, building: Option<&str>, weekends: bool) -> Row<FriendlyRow> {
        let place = building.map(|building| PlaceName { building: building.into(), floor: None });
        let of = place.map_or(SettingsOf::Site, SettingsOf::Place);
        Row { number, value: FriendlyRow { of, hours: FriendlyHours { weekends, ..FriendlyHours::default() } } }
    }

    #[test]
    fn an_import_sets_only_friendly_hours_that_differ() {
        let mut site = SiteState { buildings: [("A".to_owned(), PlaceId(Uuid::nil()))].into(), ..SiteState::default() };
        let (partial, rows) = (PartialRows::default(), vec![row(2, None, true), row(3, Some("A"), false)]);
        let rows = SiteRows { friendly_hours: rows, ..SiteRows::default() };
        assert_eq!(plan(&rows, &partial, &site, &RULES).unwrap().friendly_hours.len(), 2);
        for one in &rows.friendly_hours {
            site.friendly_hours.insert(one.value.of.clone(), one.value.hours.clone());
        }
        assert_eq!(plan(&rows, &partial, &site, &RULES).unwrap().friendly_hours, [] as [&FriendlyRow; 0]);
        site.friendly_hours.insert(SettingsOf::Site, FriendlyHours::default());
        let planned = plan(&rows, &partial, &site, &RULES).unwrap();
        assert_eq!(planned.friendly_hours, [&rows.friendly_hours[0].value]);
        let changes: Vec<_> = planned.outcome.rows.iter().flat_map(|row| &row.changes).map(|change| change.column).collect();
        assert_eq!(changes, [Column::Weekends]);
        let wrong = SiteRows { friendly_hours: vec![row(2, Some("B"), true), row(3, Some("B"), true)], ..SiteRows::default() };
        assert_eq!(plan(&wrong, &partial, &site, &RULES).unwrap_err().len(), 3, "unknown twice, and repeated");
    }

    #[test]
    fn contacts_are_set_for_known_rooms_and_groups() {
        let mut site = SiteState::default();
        let room = RoomName { building: "A".into(), floor: String::new(), room: "101".into() };
        let phone = "010-62770000".parse().ok();
        let of_all = [SettingsOf::Site, SettingsOf::Room(room.clone()), SettingsOf::Group("G".into())];
        let contacts = |contact: &PlaceContact| {
            let row =
                |(number, of): (u32, &SettingsOf)| Row { number, value: ContactRow { of: of.clone(), contact: contact.clone() } };
            SiteRows { contacts: (2..).zip(&of_all).map(row).collect(), ..SiteRows::default() }
        };
        let (partial, rows) = (PartialRows::default(), contacts(&PlaceContact { phone, signature: None }));
        let faults: Vec<_> = plan(&rows, &partial, &site, &RULES).unwrap_err().into_iter().map(|found| found.fault).collect();
        assert_eq!(faults, [Fault::UnknownRoom, Fault::UnknownGroup]);
        site.rooms.insert(room, PlaceId(Uuid::nil()));
        site.groups.insert("G".into(), model::ids::PlaceGroupId(Uuid::nil()));
        assert_eq!(plan(&rows, &partial, &site, &RULES).unwrap().contacts.len(), 3);
        for one in &rows.contacts {
            site.contacts.insert(one.value.of.clone(), one.value.contact.clone());
        }
        assert_eq!(plan(&rows, &partial, &site, &RULES).unwrap().contacts.len(), 0);
        let blank = contacts(&PlaceContact::default());
        assert_eq!(plan(&blank, &partial, &site, &RULES).unwrap().contacts.len(), 3, "they inherit again");
        site.contacts.clear();
        assert_eq!(plan(&blank, &partial, &site, &RULES).unwrap().contacts.len(), 0);
    }
}
