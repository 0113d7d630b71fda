//! The cells of rows, to say how two rows differ.

use model::defaults::{DefaultKind, DefaultValues};
use model::friendly::{FriendlyHours, MinuteOfDay};
use model::gateway::{Dialling, Heartbeat};
use model::money::Fen;
use model::parameters::TierPeriod;
use model::site_workbook::{CellChange, CellValue, Column};
use model::tariff::{DayTable, Prices};

use super::{GatewayRow, InstrumentRow, MeterRow, PlaceContact, PlaceName};

type Cells = Vec<(Column, CellValue)>;

/// What differs between two rows of a kind.
pub fn differences(before: Cells, after: Cells) -> Vec<CellChange> {
    let pairs = before.into_iter().zip(after).filter(|((_, before), (_, after))| before != after);
    pairs.map(|((column, before), (_, after))| CellChange { column, before, after }).collect()
}

pub fn gateway(row: &GatewayRow) -> Cells {
    let text = |text: String| CellValue::text(text);
    let [mut host, mut port, mut registration, mut heartbeat, mut answer] = [const { CellValue::Blank }; 5];
    match &row.reach {
        Dialling::Dialled { host: name, port: number } => (host, port) = (text(name.to_string()), text(number.to_string())),
        Dialling::DialIn { registration: bytes, heartbeat: beat } => {
            registration = text(bytes.to_string());
            if let Some(Heartbeat { pattern, answer: bytes }) = beat {
                heartbeat = text(pattern.to_string());
                answer = text(bytes.as_ref().map(ToString::to_string).unwrap_or_default());
            }
        }
    }
    vec![
        (Column::Host, host),
        (Column::Port, port),
        (Column::Framing, CellValue::Framing(row.framing)),
        (Column::IntervalS, row.interval_s.map_or(CellValue::Blank, CellValue::Seconds)),
        (Column::TlsName, text(row.tls_name.clone().unwrap_or_default())),
        (Column::Registration, registration),
        (Column::Heartbeat, heartbeat),
        (Column::HeartbeatAnswer, answer),
    ]
}

pub fn meter(row: &MeterRow) -> Cells {
    vec![
        (Column::Room, CellValue::text(row.room.to_string())),
        (Column::Gateway, CellValue::text(row.gateway.clone())),
        (Column::Unit, CellValue::text(row.unit.to_string())),
        (Column::Profile, CellValue::text(row.profile.clone())),
        (Column::Wallet, CellValue::Wallet(row.wallet)),
    ]
}

pub fn instrument(row: &InstrumentRow) -> Cells {
    let InstrumentRow { device, name, ct, master, feeds, .. } = row;
    let text = |text: String| CellValue::text(text);
    let place = |place: &Option<PlaceName>| match place {
        Some(place) => (text(place.building.clone()), text(place.floor.clone().unwrap_or_default())),
        None => (CellValue::Blank, CellValue::Blank),
    };
    let (building, floor) = place(&device.place);
    let (feeds_building, feeds_floor) = place(feeds);
    vec![
        (Column::Name, text(device.name.clone())),
        (Column::Building, building),
        (Column::Floor, floor),
        (Column::Gateway, text(device.gateway.clone())),
        (Column::Unit, text(device.unit.to_string())),
        (Column::Profile, text(device.profile.clone())),
        (Column::StartRegister, text(device.start.map(|start| start.to_string()).unwrap_or_default())),
        (Column::StepKwh, text(device.step.map(|step| step.to_string()).unwrap_or_default())),
        (Column::PtRatio, text(device.pt.to_string())),
        (Column::IntervalS, CellValue::Seconds(device.interval_s.into())),
        (Column::CircuitName, text(name.clone())),
        (Column::CtRatio, text(ct.to_string())),
        (Column::Master, text(master.as_ref().map(|(number, circuit)| format!("{number}/{circuit}")).unwrap_or_default())),
        (Column::FeedsBuilding, feeds_building),
        (Column::FeedsFloor, feeds_floor),
    ]
}

/// The name of a place in a list of rows; a line for the site.
pub fn subject(place: Option<&PlaceName>) -> String {
    let names = place.map(|place| [Some(place.building.as_str()), place.floor.as_deref()]);
    let names: Vec<&str> = names.into_iter().flatten().flatten().collect();
    if names.is_empty() { "—".to_owned() } else { names.join(" ") }
}

pub fn friendly(hours: &FriendlyHours) -> Cells {
    let word = |is: bool| CellValue::text(if is { "yes" } else { "no" });
    let minute = |of: Option<MinuteOfDay>| CellValue::text(of.map(|minute| minute.to_string()).unwrap_or_default());
    let examinations: Vec<String> = hours.examinations.iter().map(ToString::to_string).collect();
    vec![
        (Column::NightFrom, minute(hours.night.map(|night| night.from))),
        (Column::NightUntil, minute(hours.night.map(|night| night.until))),
        (Column::Weekends, word(hours.weekends)),
        (Column::Holidays, word(hours.holidays)),
        (Column::Examinations, CellValue::text(examinations.join("; "))),
        (Column::FriendlyOverdraft, CellValue::Amount(hours.overdraft)),
        (Column::EmergencyYuan, CellValue::Amount(hours.emergency)),
        (Column::CreditPeriod, CellValue::text(hours.period.as_str())),
    ]
}

pub fn contact(contact: &PlaceContact) -> Cells {
    let phone = contact.phone.as_ref().map(ToString::to_string);
    vec![
        (Column::Phone, CellValue::text(phone.unwrap_or_default())),
        (Column::Signature, CellValue::text(contact.signature.clone().unwrap_or_default())),
    ]
}

pub fn defaults(values: &DefaultValues) -> Cells {
    let value = |kind: DefaultKind| match (kind, values.get(kind)) {
        (_, None) => CellValue::Blank,
        (DefaultKind::Interval, Some(seconds)) => CellValue::Seconds(seconds.into()),
        (DefaultKind::Overload, Some(watts)) => CellValue::text(watts.to_string()),
        (_, Some(fen)) => CellValue::Amount(Fen(fen.into())),
    };
    DefaultKind::ALL.into_iter().map(|kind| (kind.column(), value(kind))).collect()
}

/// `None`: there was no such plan.
pub fn prices(prices: Option<&Prices>) -> Cells {
    use CellValue as V;
    let table = |table: &DayTable| if table.0.is_empty() { V::Blank } else { V::DayTable(table.clone()) };
    let mut cells = [const { V::Blank }; 13];
    let [price, spike, peak, flat, valley, table_1, table_2, plan, period, from_2, more_2, from_3, more_3] = &mut cells;
    if let Some(Prices { rates, tiers, tables: [first, second], plan: entries }) = prices {
        if rates.iter().all(|rate| Some(rate) == rates.first()) {
            *price = rates.first().map_or(V::Blank, |rate| V::Price(*rate));
        } else {
            for (cell, rate) in [spike, peak, flat, valley].into_iter().zip(rates) {
                *cell = V::Price(*rate);
            }
        }
        (*table_1, *table_2) = (table(first), table(second));
        if !entries.is_empty() {
            *plan = V::DatePlan(entries.clone());
        }
        if tiers.period != TierPeriod::None {
            let ([second, third], [more, most]) = (tiers.thresholds, tiers.surcharges);
            *period = V::Period(tiers.period);
            (*from_2, *more_2) = (V::Kwh(second / 1_000), V::Price(more));
            (*from_3, *more_3) = (V::Kwh(third / 1_000), V::Price(most));
        }
    }
    let columns = [
        Column::Price,
        Column::Spike,
        Column::Peak,
        Column::Flat,
        Column::Valley,
        Column::DayTable1,
        Column::DayTable2,
        Column::DatePlan,
        Column::TierPeriod,
        Column::Tier2From,
        Column::Tier2Surcharge,
        Column::Tier3From,
        Column::Tier3Surcharge,
    ];
    columns.into_iter().zip(cells).collect()
}
