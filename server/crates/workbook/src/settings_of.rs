//! The columns that say what a row of settings belongs to: building, floor, room and group.

use domain::site_plan::{PlaceName, SettingsOf};
use model::console::RoomName;
use model::site_workbook::{Column, Fault};

use crate::fields::Fields;
use crate::sheets::NAME;

/// A row without any of them is for the site.
pub fn read(fields: &mut Fields<'_>) -> SettingsOf {
    let (names, group) = (names(fields), fields.optional(Column::Group, NAME));
    let Some(group) = group else { return place(fields, names) };
    if names.iter().any(Option::is_some) {
        fields.fault(Column::Group, Fault::GroupAndPlace);
    }
    SettingsOf::Group(group)
}

/// The names of building, floor and room.
pub fn names(fields: &mut Fields<'_>) -> [Option<String>; 3] {
    [Column::Building, Column::Floor, Column::Room].map(|column| fields.optional(column, NAME))
}

/// The place of these names; the site without any.
pub fn place(fields: &mut Fields<'_>, [building, floor, room]: [Option<String>; 3]) -> SettingsOf {
    match (building, room) {
        (Some(building), Some(room)) => SettingsOf::Room(RoomName { building, floor: floor.unwrap_or_default(), room }),
        (Some(building), None) => SettingsOf::Place(PlaceName { building, floor }),
        (None, room) => {
            if room.is_some() || floor.is_some() {
                fields.fault(Column::Building, Fault::Empty);
            }
            SettingsOf::Site
        }
    }
}

/// The cells of these columns.
pub fn cells(of: &SettingsOf) -> Vec<String> {
    let [mut building, mut floor, mut room, mut group] = [const { String::new() }; 4];
    match of {
        SettingsOf::Site => {}
        SettingsOf::Place(place) => {
            (building, floor) = (place.building.clone(), place.floor.clone().unwrap_or_default());
        }
        SettingsOf::Room(name) => (building, floor, room) = (name.building.clone(), name.floor.clone(), name.room.clone()),
        SettingsOf::Group(name) => group.clone_from(name),
    }
    vec![building, floor, room, group]
}
