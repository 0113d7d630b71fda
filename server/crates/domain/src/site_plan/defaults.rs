//! The default parameters of a workbook.

use std::collections::{BTreeSet, HashMap};

use model::defaults::{DefaultKind, DefaultValues};
use model::site_workbook::{Column, Fault, RowEffect, Sheet};

use super::settings::effect;
use super::{PlaceName, Planner, Row, cells};

/// The values of each place after the import, with the row that sets them.
type Values = HashMap<Option<PlaceName>, (Option<u32>, DefaultValues)>;

impl Planner<'_> {
    pub(super) fn defaults(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut values: Values = state.defaults.iter().map(|(place, own)| (place.clone(), (None, *own))).collect();
        let mut seen: HashMap<Option<&PlaceName>, u32> = HashMap::new();
        for Row { number, value: row } in &rows.defaults {
            let before = self.conflicts.len();
            if let Some(place) = &row.place {
                self.place_is_there((Sheet::Defaults, *number), place, [Column::Building, Column::Floor]);
            }
            if let Some(first) = seen.insert(row.place.as_ref(), *number) {
                self.refuse(Sheet::Defaults, *number, Column::Building, Fault::Repeated(first));
            }
            if self.conflicts.len() > before {
                continue;
            }
            values.insert(row.place.clone(), (Some(*number), row.values));
            let known = state.defaults.get(&row.place);
            let effect = effect(known.is_some(), known.copied().unwrap_or_default() == row.values);
            if effect != RowEffect::Unchanged {
                self.plan.defaults.push(row);
            }
            self.note((Sheet::Defaults, *number), effect, || {
                let changes = known.map(|known| cells::differences(cells::defaults(known), cells::defaults(&row.values)));
                (cells::subject(row.place.as_ref()), changes.unwrap_or_default())
            });
        }
        for row in out_of_order(&values) {
            self.refuse(Sheet::Defaults, row, Column::Alarm2, Fault::AlarmOrder);
        }
    }
}

/// The rows by which alarm 2 would come before alarm 1 at a place. Rooms and groups are not in the sheet; what is set for them
/// is checked by the transaction that stores the rows.
fn out_of_order(values: &Values) -> BTreeSet<u32> {
    let row = |place: &Option<PlaceName>| {
        let up = upwards(place.as_ref());
        let value = |kind| up.iter().find_map(|place| values.get(place)?.1.get(kind));
        let alarms: DefaultValues = [value(DefaultKind::Alarm1), value(DefaultKind::Alarm2)].into_iter().collect();
        if alarms.alarms_fit() { None } else { up.iter().find_map(|place| values.get(place)?.0) }
    };
    values.keys().filter_map(row).collect()
}

/// A place and what is above it, the nearest first. One may be there twice, which does no harm.
fn upwards(place: Option<&PlaceName>) -> [Option<PlaceName>; 3] {
    let building = place.map(|place| PlaceName { building: place.building.clone(), floor: None });
    [place.cloned(), building, None]
}

#[cfg(test)]
mod tests {
    use model::ids::{PlaceId, Uuid};
    use model::money::Fen;

    use super::super::*;

    const RULES: Rules = Rules { prices: PriceChanges::Allowed, hoarding: Fen(0), listed: 20 };

    fn row(number: u32, building: Option<&str>, alarms: [Option<u32>; 2]) -> Row<DefaultsRow> {
        let place = building.map(|building| PlaceName { building: building.into(), floor: None });
        Row { number, value: DefaultsRow { place, values: alarms.into_iter().collect() } }
    }

    fn planned(site: &SiteState, defaults: Vec<Row<DefaultsRow>>) -> Result<(usize, Vec<Column>), Vec<Conflict>> {
        let rows = SiteRows { defaults, ..SiteRows::default() };
        let partial = PartialRows::default();
        let planned = plan(&rows, &partial, site, &RULES)?;
        let changes = planned.outcome.rows.iter().flat_map(|row| &row.changes).map(|change| change.column);
        Ok((planned.defaults.len(), changes.collect()))
    }

    fn site() -> SiteState {
        SiteState { buildings: [("A".to_owned(), PlaceId(Uuid::nil()))].into(), ..SiteState::default() }
    }

    #[test]
    fn an_import_sets_only_default_parameters_that_differ() {
        let mut site = site();
        let rows = || vec![row(2, None, [Some(2_000), Some(500)]), row(3, Some("A"), [None, None])];
        assert_eq!(planned(&site, rows()), Ok((1, Vec::new())), "a row that sets nothing is nothing new");
        for one in rows() {
            site.defaults.insert(one.value.place, one.value.values);
        }
        assert_eq!(planned(&site, rows()), Ok((0, Vec::new())));
        let other = vec![row(2, None, [Some(2_000), Some(400)])];
        assert_eq!(planned(&site, other), Ok((1, vec![Column::Alarm2])));
        let unknown = vec![row(2, Some("B"), [None, None]), row(3, Some("B"), [None, None])];
        assert_eq!(planned(&site, unknown).unwrap_err().len(), 3, "unknown twice, and repeated");
    }

    #[test]
    fn alarm_2_stays_below_alarm_1_where_one_is_inherited() {
        let mut site = site();
        let wrong = |rows: Result<_, Vec<Conflict>>| -> Vec<(u32, Fault)> {
            rows.err().into_iter().flatten().map(|found| (found.row, found.fault)).collect()
        };
        let both = vec![row(2, None, [Some(2_000), None]), row(3, Some("A"), [None, Some(3_000)])];
        assert_eq!(wrong(planned(&site, both)), [(3, Fault::AlarmOrder)]);
        site.defaults.insert(Some(PlaceName { building: "A".into(), floor: None }), [None, Some(1_500)].into_iter().collect());
        let lowered = |building| vec![row(2, None, [Some(1_000), None]), row(3, Some("A"), [None, building])];
        let alone = vec![row(2, None, [Some(1_000), None])];
        assert_eq!(wrong(planned(&site, alone)), [(2, Fault::AlarmOrder)], "what the site has below");
        assert_eq!(wrong(planned(&site, lowered(Some(900)))), [], "both at once, in any order");
    }
}
