//! The meters of a workbook.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::console::RoomName;
use model::meter::Wallet;
use model::site_workbook::{Column, Fault, RowEffect, Sheet};

use super::{MeterRow, Planner, Row, cells};
use crate::serial::Serial;

impl<'a> Planner<'a> {
    pub(super) fn meters(&mut self) {
        let (rows, partial, state) = (self.rows, self.partial, self.state);
        let mut seen: HashMap<Serial, u32> = HashMap::with_capacity(rows.meters.len());
        let named: HashSet<Serial> = rows.meters.iter().map(|row| row.value.serial).collect();
        let named_in_part: HashSet<Serial> = partial.meters.iter().filter_map(|row| row.value.serial).collect();
        // Addresses of meters that the workbook does not name stay taken.
        let mut taken: HashMap<(&str, u8), (Serial, Option<u32>)> = HashMap::with_capacity(rows.meters.len());
        for (serial, meter) in &state.meters {
            if !named.contains(serial) && !named_in_part.contains(serial) {
                taken.insert((&meter.row.gateway, meter.row.unit), (*serial, None));
            }
        }
        let of_instruments = self.kept_addresses();
        for Row { number, value: row } in &rows.meters {
            let before = self.conflicts.len();
            self.meter_is_somewhere(*number, Some(&row.room), Some(&row.gateway));
            if let Some(first) = seen.insert(row.serial, *number) {
                self.refuse(Sheet::Meters, *number, Column::Serial, Fault::Repeated(first));
                continue;
            }
            match taken.insert((&row.gateway, row.unit), (row.serial, Some(*number))) {
                Some((_, Some(first))) => self.refuse(Sheet::Meters, *number, Column::Unit, Fault::Repeated(first)),
                Some((serial, None)) => {
                    self.refuse(Sheet::Meters, *number, Column::Unit, Fault::AddressTaken(serial.to_string()));
                }
                None => {}
            }
            if let Some(instrument) = of_instruments.get(&(&*row.gateway, row.unit)) {
                self.refuse(Sheet::Meters, *number, Column::Unit, Fault::AddressTaken(instrument.clone()));
            }
            let known = state.meters.get(&row.serial);
            if let Some(meter) = known.filter(|meter| meter.has_account) {
                let MeterRow { room, profile, wallet, .. } = &meter.row;
                let moved = [
                    (room != &row.room, Column::Room),
                    (profile != &row.profile, Column::Profile),
                    (wallet != &row.wallet, Column::Wallet),
                ];
                for (_, column) in moved.into_iter().filter(|(differs, _)| *differs) {
                    self.refuse(Sheet::Meters, *number, column, Fault::MeterInUse);
                }
            }
            if self.conflicts.len() > before {
                continue;
            }
            let (at, subject) = ((Sheet::Meters, *number), || format!("{} · {}", row.serial, row.room));
            match known {
                None => {
                    self.plan.new_meters.push(row);
                    self.note(at, RowEffect::Created, || (subject(), Vec::new()));
                }
                Some(meter) if &meter.row == row => self.note(at, RowEffect::Unchanged, || (subject(), Vec::new())),
                Some(meter) => {
                    self.plan.changed_meters.push((meter.id, row));
                    let changes = || cells::differences(cells::meter(&meter.row), cells::meter(row));
                    self.note(at, RowEffect::Changed, || (row.serial.to_string(), changes()));
                }
            }
        }
        for Row { number, value: row } in &partial.meters {
            if let Some(first) = row.serial.and_then(|serial| seen.insert(serial, *number)) {
                self.refuse(Sheet::Meters, *number, Column::Serial, Fault::Repeated(first));
            }
            self.meter_is_somewhere(*number, row.room.as_ref(), row.gateway.as_deref());
        }
    }

    fn meter_is_somewhere(&mut self, number: u32, room: Option<&RoomName>, gateway: Option<&str>) {
        if room.is_some_and(|room| !self.has_room(room)) {
            self.refuse(Sheet::Meters, number, Column::Room, Fault::UnknownRoom);
        }
        if gateway.is_some_and(|gateway| !self.has_gateway(gateway)) {
            self.refuse(Sheet::Meters, number, Column::Gateway, Fault::UnknownGateway);
        }
    }

    /// The meters that sell, by room, as they are after the import.
    pub(super) fn selling_meters(&self) -> HashMap<&'a RoomName, Vec<(Serial, Wallet)>> {
        let mut after: HashMap<Serial, &'a MeterRow> = self.state.meters.iter().map(|(serial, m)| (*serial, &m.row)).collect();
        after.extend(self.rows.meters.iter().map(|row| (row.value.serial, &row.value)));
        let serials: BTreeSet<Serial> = after.keys().copied().collect();
        let mut sells: HashMap<&RoomName, Vec<(Serial, Wallet)>> = HashMap::new();
        for row in serials.iter().filter_map(|serial| after.get(serial)).filter(|row| row.wallet != Wallet::None) {
            sells.entry(&row.room).or_default().push((row.serial, row.wallet));
        }
        sells
    }
}
