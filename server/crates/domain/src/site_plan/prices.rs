//! The price plans of a workbook.

use std::collections::{HashMap, HashSet};

use model::console::RoomName;
use model::site_workbook::{CellChange, CellValue, Column, Fault, RowEffect, Sheet};
use model::tariff::Prices;

use super::{Planner, PriceChanges, PriceRow, Row, cells};

/// Where a price plan applies after the import.
pub struct Priced<'a> {
    everywhere: bool,
    buildings: HashSet<&'a str>,
}

impl<'a> Planner<'a> {
    pub(super) fn prices(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut plans: HashMap<&str, (u32, &Prices)> = HashMap::new();
        let mut places: HashMap<Option<&str>, u32> = HashMap::new();
        for Row { number, value: row } in &rows.prices {
            let place = row.building.as_deref();
            let before = self.conflicts.len();
            if place.is_some_and(|building| !self.has_building(building)) {
                self.refuse(Sheet::Prices, *number, Column::Building, Fault::UnknownBuilding);
            } else if let Some(first) = places.insert(place, *number) {
                self.refuse(Sheet::Prices, *number, Column::Building, Fault::Repeated(first));
            }
            // A plan that applies in several buildings has the same prices in each of its rows.
            let first_row = match plans.get(row.plan.as_str()) {
                Some((first, prices)) if **prices != row.prices => {
                    self.refuse(Sheet::Prices, *number, Column::Plan, Fault::Repeated(*first));
                    continue;
                }
                Some(_) => false,
                None => {
                    plans.insert(&row.plan, (*number, &row.prices));
                    true
                }
            };
            if self.conflicts.len() > before {
                continue;
            }
            let known = state.plans.get(&row.plan);
            let published = first_row && known.is_none_or(|plan| plan.prices != row.prices);
            let assigned = known.is_none_or(|plan| !plan.applies_to.contains(&row.building));
            if (published || assigned) && self.rules.prices == PriceChanges::NeedApproval {
                let column = if published { Column::Plan } else { Column::Building };
                self.refuse(Sheet::Prices, *number, column, Fault::PricesNeedApproval);
                continue;
            }
            if published {
                self.plan.prices.push((&row.plan, &row.prices));
            }
            if assigned {
                self.plan.assignments.push((&row.plan, place));
            }
            let effect = match known {
                None => RowEffect::Created,
                Some(_) if published || assigned => RowEffect::Changed,
                Some(_) => RowEffect::Unchanged,
            };
            let replaced = assigned.then(|| self.plan_of(row.building.as_ref()));
            self.note((Sheet::Prices, *number), effect, || {
                let mut changes = Vec::new();
                if published {
                    changes = cells::differences(cells::prices(known.map(|plan| &plan.prices)), cells::prices(Some(&row.prices)));
                }
                let replaced = replaced.filter(|before| known.is_some() || before.is_some());
                if let Some(before) = replaced {
                    let (before, after) = (CellValue::text(before.unwrap_or_default()), CellValue::text(&*row.plan));
                    changes.push(CellChange { column: Column::Plan, before, after });
                }
                (subject(row), changes)
            });
        }
        for Row { number, value: building } in &self.partial.prices {
            if building.as_ref().is_some_and(|building| !self.has_building(building)) {
                self.refuse(Sheet::Prices, *number, Column::Building, Fault::UnknownBuilding);
            }
        }
    }

    /// The plan that applies to a building now, or to the whole site.
    fn plan_of(&self, building: Option<&String>) -> Option<&'a str> {
        let building = building.cloned();
        self.state.plans.iter().find(|(_, plan)| plan.applies_to.contains(&building)).map(|(name, _)| name.as_str())
    }

    /// Where a plan applies after the import.
    pub(super) fn priced(&self) -> Priced<'a> {
        let now = self.state.plans.values().flat_map(|plan| &plan.applies_to);
        let after: HashSet<Option<&str>> =
            now.chain(self.rows.prices.iter().map(|row| &row.value.building)).map(Option::as_deref).collect();
        let everywhere = after.contains(&None) || self.uncertain.may_have_prices();
        Priced { everywhere, buildings: after.into_iter().flatten().collect() }
    }

    /// Whether a plan applies to a room after the import.
    pub(super) fn has_prices(&self, priced: &Priced<'_>, room: &RoomName) -> bool {
        let state = self.state;
        let floor = || state.floors.get(&(room.building.clone(), room.floor.clone()));
        let own = || [floor(), state.rooms.get(room)].into_iter().flatten().any(|place| state.priced.contains(place));
        priced.everywhere || priced.buildings.contains(room.building.as_str()) || own()
    }
}

fn subject(row: &PriceRow) -> String {
    match &row.building {
        Some(building) => format!("{} · {building}", row.plan),
        None => row.plan.clone(),
    }
}
