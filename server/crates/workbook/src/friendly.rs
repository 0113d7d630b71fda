//! The sheet of friendly hours: a row for the site, a place or a group.

use domain::site_plan::{FriendlyRow, PlaceName, SettingsOf};
use model::friendly::{CreditPeriod, FriendlyHours, MinuteOfDay, Night};
use model::money::Fen;
use model::site_workbook::{Column, Fault};

use crate::fields::Fields;
use crate::settings_of;

/// The words of truth values and periods.
pub const TRUTH: [(&str, bool); 4] = [("yes", true), ("no", false), ("是", true), ("否", false)];
pub const PERIODS: [(&str, CreditPeriod); 6] = [
    ("week", CreditPeriod::Week),
    ("month", CreditPeriod::Month),
    ("term", CreditPeriod::Term),
    ("周", CreditPeriod::Week),
    ("月", CreditPeriod::Month),
    ("学期", CreditPeriod::Term),
];
/// The largest amount.
const MOST: Fen = Fen(100_000);

/// `None` where something is wrong.
pub fn row(fields: &mut Fields<'_>) -> Option<FriendlyRow> {
    let of = settings_of::read(fields);
    let minute = |text: &str| text.parse::<MinuteOfDay>().ok();
    let from = fields.parsed(Column::NightFrom, minute, Fault::NotTime);
    let until = fields.parsed(Column::NightUntil, minute, Fault::NotTime);
    let night = from.zip(until).map(|(from, until)| Night { from, until });
    if fields.are_right() && (from.is_some() != until.is_some() || night.is_some_and(|night| night.from == night.until)) {
        fields.fault(Column::NightUntil, Fault::NotTime);
    }
    let mut truth = |column| fields.word(column, &TRUTH).unwrap_or_default();
    let (weekends, holidays) = (truth(Column::Weekends), truth(Column::Holidays));
    let ranges = |text: &str| FriendlyHours::examinations_of(&text.replace(';', "\n")).ok();
    let examinations = fields.parsed(Column::Examinations, ranges, Fault::NotDayRanges).unwrap_or_default();
    let (overdraft, emergency) = (fields.yuan(Column::FriendlyOverdraft, MOST), fields.yuan(Column::EmergencyYuan, MOST));
    let period = fields.word(Column::CreditPeriod, &PERIODS).unwrap_or_default();
    let hours = FriendlyHours { night, weekends, holidays, examinations, overdraft, emergency, period };
    fields.are_right().then_some(FriendlyRow { of, hours })
}

/// The cells of a row.
pub fn cells(row: &FriendlyRow) -> Vec<String> {
    let FriendlyRow { of, hours } = row;
    let minute = |of: Option<MinuteOfDay>| of.map(|minute| minute.to_string()).unwrap_or_default();
    let word = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let mut cells = settings_of::cells(of);
    cells.extend([
        minute(hours.night.map(|night| night.from)),
        minute(hours.night.map(|night| night.until)),
        word(hours.weekends),
        word(hours.holidays),
        hours.examinations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        hours.overdraft.to_string(),
        hours.emergency.to_string(),
        hours.period.as_str().to_owned(),
    ]);
    cells
}

/// The example of the template: the nights of a building.
pub fn example(pick: impl Fn(&str, &str) -> String) -> Vec<String> {
    let minute = |minute| MinuteOfDay::new(minute);
    let night = minute(23 * 60).zip(minute(7 * 60)).map(|(from, until)| Night { from, until });
    let of = SettingsOf::Place(PlaceName { building: pick("1号楼", "Building 1"), floor: None });
    cells(&FriendlyRow { of, hours: FriendlyHours { night, ..FriendlyHours::default() } })
}

#[cfg(test)]
mod tests {
    use domain::site_plan::{Row, SiteRows};
    use model::console::RoomName;
    use model::language::Lang;

    use super::*;
    use crate::{Models, read, template, workbook};

    #[test]
    fn friendly_hours_round_trip() {
        let night = Night { from: "22:30".parse().unwrap(), until: "07:00".parse().unwrap() };
        let examinations = FriendlyHours::examinations_of("2027-01-11 2027-01-15\n2027-06-20").unwrap();
        let hours = FriendlyHours {
            night: Some(night),
            weekends: true,
            examinations,
            overdraft: Fen(2_000),
            emergency: Fen(1_050),
            period: CreditPeriod::Term,
            ..FriendlyHours::default()
        };
        let place = PlaceName { building: "1号楼".into(), floor: Some("1层".into()) };
        let room = RoomName { building: "1号楼".into(), floor: String::new(), room: "101".into() };
        let of_all = [SettingsOf::Place(place), SettingsOf::Site, SettingsOf::Room(room), SettingsOf::Group("研究生".into())];
        let rows = of_all.map(|of| FriendlyRow { of, hours: hours.clone() });
        let rows = (2..).zip(rows).map(|(number, value)| Row { number, value }).collect();
        let site = SiteRows { friendly_hours: rows, ..SiteRows::default() };
        for lang in [Lang::Zh, Lang::En] {
            let found = read("site.xlsx", &workbook(lang, &Models::default(), &site).unwrap(), &Models::default());
            assert_eq!((found.problems, found.rows.friendly_hours), (Vec::new(), site.friendly_hours.clone()));
            let found = read("site.xlsx", &template(lang, &Models::default(), &[]).unwrap(), &Models::default());
            assert_eq!(found.rows.friendly_hours.len(), 1);
        }
    }

    #[test]
    fn faults_are_named_with_their_cell() {
        let text = "building,night_from,night_until,weekends,examinations,credit_period\n\
                    A,22:00,,no,,\nA,7,22:00,no,,\nA,,,maybe,,\nA,,,no,soon,\nA,,,no,,day\n";
        let found = read("friendly_hours.csv", text.as_bytes(), &Models::default());
        let faults: Vec<_> = found.problems.iter().map(|problem| (problem.row, problem.column)).collect();
        assert_eq!(faults, [(2, 2), (3, 1), (4, 3), (5, 4), (6, 5)].map(|(row, column)| (Some(row), Some(column))));
        assert_eq!(found.rows.friendly_hours, []);
    }
}
