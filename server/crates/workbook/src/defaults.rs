//! The sheet of default parameters: a row for the site, a building or a floor.

use domain::site_plan::{DefaultsRow, PlaceName};
use model::defaults::{DefaultKind, DefaultValues};
use model::site_workbook::{Column, Fault};

use crate::fields::Fields;
use crate::instruments;

/// `None` where something is wrong.
pub fn row(fields: &mut Fields<'_>) -> Option<DefaultsRow> {
    let place = instruments::place(fields, [Column::Building, Column::Floor]);
    let value = |kind: DefaultKind| match kind {
        DefaultKind::Overload | DefaultKind::Interval => {
            fields.whole(kind.column(), 0, kind.most().into()).and_then(|value| u32::try_from(value).ok())
        }
        _ => fields.decimal(kind.column(), |text| kind.read(text).ok().flatten(), Fault::NotYuan),
    };
    let values: DefaultValues = DefaultKind::ALL.into_iter().map(value).collect();
    fields.are_right().then_some(DefaultsRow { place, values })
}

/// The cells of a row.
pub fn cells(row: &DefaultsRow) -> Vec<String> {
    let DefaultsRow { place, values } = row;
    let mut cells = match place {
        Some(place) => vec![place.building.clone(), place.floor.clone().unwrap_or_default()],
        None => vec![String::new(), String::new()],
    };
    let value = |kind: DefaultKind| values.get(kind).map(|value| kind.text(value)).unwrap_or_default();
    cells.extend(DefaultKind::ALL.map(value));
    cells
}

/// The example of the template: the power of a building.
pub fn example(pick: impl Fn(&str, &str) -> String) -> Vec<String> {
    let values = [None, None, None, None, Some(1_800), None].into_iter().collect();
    cells(&DefaultsRow { place: Some(PlaceName { building: pick("1号楼", "Building 1"), floor: None }), values })
}

#[cfg(test)]
mod tests {
    use domain::site_plan::{Row, SiteRows};
    use model::language::Lang;

    use super::*;
    use crate::{Models, read, template, workbook};

    #[test]
    fn default_parameters_round_trip() {
        let values = [2_050, 500, 0, 50_000, 1_800, 900].map(Some).into_iter().collect();
        let floor = PlaceName { building: "1号楼".into(), floor: Some("1层".into()) };
        let rows = [DefaultsRow { place: None, values }, DefaultsRow { place: Some(floor), values: DefaultValues::default() }];
        let rows = (2..).zip(rows).map(|(number, value)| Row { number, value }).collect();
        let site = SiteRows { defaults: rows, ..SiteRows::default() };
        for lang in [Lang::Zh, Lang::En] {
            let found = read("site.xlsx", &workbook(lang, &Models::default(), &site).unwrap(), &Models::default());
            assert_eq!((found.problems, found.rows.defaults), (Vec::new(), site.defaults.clone()));
            let found = read("site.xlsx", &template(lang, &Models::default(), &[]).unwrap(), &Models::default());
            assert_eq!(found.rows.defaults.len(), 1);
        }
    }

    #[test]
    fn faults_are_named_with_their_cell() {
        let text = "building,alarm1,overload_w,interval_s\nA,-1,,\nA,,65536,\nA,,,x\n";
        let found = read("defaults.csv", text.as_bytes(), &Models::default());
        let faults: Vec<_> = found.problems.iter().map(|problem| (problem.row, problem.column)).collect();
        assert_eq!(faults, [(2, 1), (3, 2), (4, 3)].map(|(row, column)| (Some(row), Some(column))));
        assert_eq!(found.rows.defaults, []);
    }
}
