//! The sheet of contacts: whom residents may call, and who signs their text messages, of the site, a place or a group.

use domain::site_plan::{ContactRow, PlaceContact, PlaceName, SettingsOf};
use model::notification::Contact;
use model::site_workbook::{Column, Fault};

use crate::fields::Fields;
use crate::settings_of;

/// `None` where something is wrong.
pub fn row(fields: &mut Fields<'_>) -> Option<ContactRow> {
    let of = settings_of::read(fields);
    let phone = fields.parsed(Column::Phone, |text| text.parse::<Contact>().ok(), Fault::NotPhone);
    let signature = fields.parsed(Column::Signature, Contact::signature, Fault::NotSignature);
    fields.are_right().then_some(ContactRow { of, contact: PlaceContact { phone, signature } })
}

/// The cells of a row.
pub fn cells(ContactRow { of, contact }: &ContactRow) -> Vec<String> {
    let phone = contact.phone.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut cells = settings_of::cells(of);
    cells.extend([phone, contact.signature.clone().unwrap_or_default()]);
    cells
}

/// The example of the template: the number of a building.
pub fn example(pick: impl Fn(&str, &str) -> String) -> Vec<String> {
    let of = SettingsOf::Place(PlaceName { building: pick("1号楼", "Building 1"), floor: None });
    cells(&ContactRow { of, contact: PlaceContact { phone: "010-62770000".parse().ok(), signature: None } })
}

#[cfg(test)]
mod tests {
    use domain::site_plan::{Row, SiteRows};
    use model::console::RoomName;
    use model::language::Lang;

    use super::*;
    use crate::{Models, read, template, workbook};

    #[test]
    fn contacts_round_trip() {
        let room = RoomName { building: "1号楼".into(), floor: "1层".into(), room: "101".into() };
        let place = PlaceName { building: "1号楼".into(), floor: Some("1层".into()) };
        let of_all = [SettingsOf::Site, SettingsOf::Place(place), SettingsOf::Room(room), SettingsOf::Group("研究生".into())];
        let contact = PlaceContact { phone: "110".parse().ok(), signature: Some("清河宿舍".into()) };
        let row = |(number, of)| Row { number, value: ContactRow { of, contact: contact.clone() } };
        let site = SiteRows { contacts: (2..).zip(of_all).map(row).collect(), ..SiteRows::default() };
        for lang in [Lang::Zh, Lang::En] {
            let found = read("site.xlsx", &workbook(lang, &Models::default(), &site).unwrap(), &Models::default());
            assert_eq!((found.problems, found.rows.contacts), (Vec::new(), site.contacts.clone()));
            let found = read("site.xlsx", &template(lang, &Models::default(), &[]).unwrap(), &Models::default());
            assert_eq!(found.rows.contacts.len(), 1);
        }
    }

    #[test]
    fn faults_of_contacts_are_named_with_their_cell() {
        let text = "building,room,group,phone,signature\nA,101,G,110,\n,101,,110,\nA,,,ask,\nA,,,110,[a]\n";
        let found = read("contacts.csv", text.as_bytes(), &Models::default());
        let faults: Vec<_> = found.problems.iter().map(|problem| (problem.row, problem.column)).collect();
        assert_eq!(faults, [(2, 2), (3, 0), (4, 3), (5, 4)].map(|(row, column)| (Some(row), Some(column))));
        assert_eq!(found.rows.contacts, []);
    }
}
