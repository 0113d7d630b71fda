//! The sheet of groups: a row for each place of a group, and one for a group without any.

use domain::site_plan::{GroupRow, PlaceName, SettingsOf};
use model::site_workbook::Column;

use crate::fields::Fields;
use crate::settings_of;
use crate::sheets::NAME;

/// Or the name, where something is wrong.
pub fn row(fields: &mut Fields<'_>) -> Result<GroupRow, String> {
    let (group, names) = (fields.name(Column::Group, NAME), settings_of::names(fields));
    let member = settings_of::place(fields, names);
    if !fields.are_right() {
        return Err(group);
    }
    Ok(GroupRow { group, member: Some(member).filter(|member| *member != SettingsOf::Site) })
}

/// The cells of a row.
pub fn cells(GroupRow { group, member }: &GroupRow) -> Vec<String> {
    let mut cells = vec![group.clone()];
    cells.extend(settings_of::cells(member.as_ref().unwrap_or(&SettingsOf::Site)).into_iter().take(3));
    cells
}

/// The example of the template: a group with a building.
pub fn example(pick: impl Fn(&str, &str) -> String) -> Vec<String> {
    let place = PlaceName { building: pick("1号楼", "Building 1"), floor: None };
    cells(&GroupRow { group: pick("研究生", "Graduates"), member: Some(SettingsOf::Place(place)) })
}

#[cfg(test)]
mod tests {
    use domain::site_plan::{Row, SiteRows};
    use model::console::RoomName;
    use model::language::Lang;

    use super::*;
    use crate::{Models, read, template, workbook};

    #[test]
    fn groups_round_trip() {
        let room = RoomName { building: "1号楼".into(), floor: String::new(), room: "101".into() };
        let place =
            |floor: Option<&str>| SettingsOf::Place(PlaceName { building: "1号楼".into(), floor: floor.map(Into::into) });
        let members = [None, Some(place(None)), Some(place(Some("1层"))), Some(SettingsOf::Room(room))];
        let row = |(number, member)| Row { number, value: GroupRow { group: "研究生".into(), member } };
        let site = SiteRows { groups: (2..).zip(members).map(row).collect(), ..SiteRows::default() };
        for lang in [Lang::Zh, Lang::En] {
            let found = read("site.xlsx", &workbook(lang, &Models::default(), &site).unwrap(), &Models::default());
            assert_eq!((found.problems, found.rows.groups), (Vec::new(), site.groups.clone()));
            let found = read("site.xlsx", &template(lang, &Models::default(), &[]).unwrap(), &Models::default());
            assert_eq!(found.rows.groups.len(), 1);
        }
    }

    #[test]
    fn faults_of_groups_are_named_with_their_cell() {
        let text = "分组,楼栋,楼层,房间\n,A,,\nG,,1,\nG,,,101\nG,,,\n";
        let found = read("分组.csv", text.as_bytes(), &Models::default());
        let faults: Vec<_> = found.problems.iter().map(|problem| (problem.row, problem.column)).collect();
        assert_eq!(faults, [(2, 0), (3, 1), (4, 1)].map(|(row, column)| (Some(row), Some(column))));
        assert_eq!(found.rows.groups.len(), 1);
    }
}
