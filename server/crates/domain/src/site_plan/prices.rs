//! The price plans of a workbook.

use std::collections::{HashMap, HashSet};

use model::console::RoomName;
use model::site_workbook::{CellChange, CellValue, Column, Fault, RowEffect, Sheet};
use model::tariff::Prices;

use super::settings::{column_of, subject};
use super::{PlaceName, Planner, PriceChanges, PriceRow, Row, SettingsOf, cells};

/// Where a price plan applies after the import.
pub struct Priced<'a> {
    everywhere: bool,
    of: HashSet<&'a SettingsOf>,
}

impl<'a> Planner<'a> {
    pub(super) fn prices(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut plans: HashMap<&str, (u32, &Prices)> = HashMap::new();
        let mut seen: HashMap<&SettingsOf, u32> = HashMap::new();
        for Row { number, value: row } in &rows.prices {
            let may_be_set = self.may_be_set(Sheet::Prices, *number, &row.of, &mut seen);
            // A plan that applies in several places has the same prices in each of its rows.
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
            if !may_be_set {
                continue;
            }
            let known = state.plans.get(&row.plan);
            let published = first_row && known.is_none_or(|plan| plan.prices != row.prices);
            let assigned = known.is_none_or(|plan| !plan.applies_to.contains(&row.of));
            if (published || assigned) && self.rules.prices == PriceChanges::NeedApproval {
                let column = if published { Column::Plan } else { column_of(&row.of) };
                self.refuse(Sheet::Prices, *number, column, Fault::PricesNeedApproval);
                continue;
            }
            if let SettingsOf::Group(group) = &row.of
                && assigned
                && !self.has_places(group)
            {
                self.refuse(Sheet::Prices, *number, Column::Group, Fault::GroupEmpty);
                continue;
            }
            if published {
                self.plan.prices.push((&row.plan, &row.prices));
            }
            if assigned {
                self.plan.assignments.push((&row.plan, &row.of));
            }
            let effect = match known {
                None => RowEffect::Created,
                Some(_) if published || assigned => RowEffect::Changed,
                Some(_) => RowEffect::Unchanged,
            };
            let replaced = assigned.then(|| self.plan_of(&row.of));
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
                (named(row), changes)
            });
        }
        for Row { number, value: building } in &self.partial.prices {
            if building.as_ref().is_some_and(|building| !self.has_building(building)) {
                self.refuse(Sheet::Prices, *number, Column::Building, Fault::UnknownBuilding);
            }
        }
    }

    /// The plan that a place or group has itself now.
    fn plan_of(&self, of: &SettingsOf) -> Option<&'a str> {
        self.state.plans.iter().find(|(_, plan)| plan.applies_to.contains(of)).map(|(name, _)| name.as_str())
    }

    /// Where a plan applies after the import.
    pub(super) fn priced(&self) -> Priced<'a> {
        let now = self.state.plans.values().flat_map(|plan| &plan.applies_to);
        let mut of: HashSet<&SettingsOf> = now.chain(self.rows.prices.iter().map(|row| &row.value.of)).collect();
        // What the workbook adds to a group gets its plan.
        let groups = self.rows.groups.iter().map(|row| &row.value);
        let priced = groups.filter(|row| of.contains(&SettingsOf::Group(row.group.clone())));
        let members: Vec<&SettingsOf> = priced.filter_map(|row| row.member.as_ref()).collect();
        of.extend(members);
        Priced { everywhere: of.contains(&SettingsOf::Site) || self.uncertain.may_have_prices(), of }
    }

    /// Whether a plan applies to a room after the import.
    pub(super) fn has_prices(&self, priced: &Priced<'_>, room: &RoomName) -> bool {
        let place = |floor| SettingsOf::Place(PlaceName { building: room.building.clone(), floor });
        let above = || [place(None), place(Some(room.floor.clone())), SettingsOf::Room(room.clone())];
        priced.everywhere || above().iter().any(|of| priced.of.contains(of)) || self.has_prices_by_group(priced, room)
    }

    fn has_prices_by_group(&self, priced: &Priced<'_>, room: &RoomName) -> bool {
        let state = self.state;
        let floor = state.floors.get(&(room.building.clone(), room.floor.clone()));
        let places = [state.buildings.get(&room.building), floor, state.rooms.get(room)];
        let group = |of: &&SettingsOf| match of {
            SettingsOf::Group(name) => state.group_places.get(name),
            _ => None,
        };
        priced.of.iter().filter_map(group).any(|group| places.iter().flatten().any(|place| group.contains(*place)))
    }
}

fn named(row: &PriceRow) -> String {
    match &row.of {
        SettingsOf::Site => row.plan.clone(),
        of => format!("{} · {}", row.plan, subject(of)),
    }
}
