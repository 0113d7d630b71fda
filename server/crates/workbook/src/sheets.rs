//! From the sheets of a file to the rows of a site.

use std::num::NonZeroU16;

use domain::framing::Framing;
use domain::site_plan::{AccountRow, GatewayRow, MeterRow, PartialAccount, PartialMeter, PartialRoom, PriceRow, Row, SettingsOf};
use model::console::RoomName;
use model::gateway::{BytePattern, Dialling, GatewayName, Heartbeat, Host};
use model::meter::Wallet;
use model::money::Fen;
use model::person::{MAX_LOGIN, is_login_name};
use model::site_workbook::Column as C;
use model::site_workbook::{Column, Fault, Problem, Sheet};
use model::typed::typed;

use crate::fields::Fields;
use crate::limits::MAX_ROWS;
use crate::names;
use crate::prices::prices;
use crate::table::{Cell, Table};
use crate::{Contents, Models};
use crate::{contacts, defaults, friendly, groups, instruments, settings_of};

/// Characters of a place's, a gateway's and a resident's name.
pub const NAME: u32 = 40;
const LOGIN: u32 = MAX_LOGIN as u32;
const PASSWORD: u32 = 200;
/// The columns that name a room.
const PLACE: [Column; 3] = [Column::Building, Column::Floor, Column::Room];
/// The largest opening balance: 100,000 yuan.
const MAX_OPENING: Fen = Fen(10_000_000);

/// The words of framings and wallets: the program's own, and Chinese ones.
pub const FRAMINGS: [(&str, Framing); 5] = [
    ("modbus-tcp", Framing::ModbusTcp),
    ("modbus-tls", Framing::ModbusTls),
    ("transparent", Framing::Transparent),
    ("透传", Framing::Transparent),
    ("透明传输", Framing::Transparent),
];
pub const WALLETS: [(&str, Wallet); 6] = [
    ("meter", Wallet::Meter),
    ("server", Wallet::Server),
    ("none", Wallet::None),
    ("表内钱包", Wallet::Meter),
    ("系统钱包", Wallet::Server),
    ("无", Wallet::None),
];

/// Takes what is in a table.
pub fn take(contents: &mut Contents, table: &Table, models: &Models) {
    if names::is_notes(&table.title) {
        return;
    }
    let Some(sheet) = names::sheet(&table.title) else {
        contents.problems.push(of_sheet(&table.title, Fault::UnknownSheet));
        return;
    };
    if contents.titles.iter().any(|(before, _)| *before == sheet) {
        contents.problems.push(of_sheet(&table.title, Fault::RepeatedSheet));
        return;
    }
    if table.is_cut {
        contents.partial.unread.push(sheet);
        contents.problems.push(of_sheet(&table.title, Fault::TooManyRows(MAX_ROWS - 1)));
    }
    let columns = head(&mut contents.problems, sheet, table);
    contents.titles.push((sheet, table.title.clone()));
    rows(contents, sheet, table, &columns, models);
    contents.columns.push((sheet, columns));
}

/// Notes what is wrong with the tables as a whole.
pub fn finish(contents: &mut Contents) {
    if contents.titles.is_empty() && contents.problems.is_empty() {
        contents.problems.push(of_sheet("", Fault::NoSheet));
    }
    // A sheet of another name may be any of those that are missing.
    if contents.problems.iter().any(|found| found.fault == Fault::UnknownSheet) {
        contents.miss_sheets();
    }
}

fn of_sheet(title: &str, fault: Fault) -> Problem {
    Problem { sheet: title.to_owned(), row: None, column: None, fault }
}

/// The columns by the first row.
fn head(problems: &mut Vec<Problem>, sheet: Sheet, table: &Table) -> Vec<Option<Column>> {
    let mut columns = Vec::new();
    let (row, cells) = table.rows.first().map_or((1, [].as_slice()), |(row, cells)| (*row, cells.as_slice()));
    for (index, cell) in (0..).zip(cells) {
        let mut wrong = |fault| {
            problems.push(Problem { sheet: table.title.clone(), row: Some(row), column: Some(index), fault });
        };
        let found = match cell {
            Cell::Text(title) if title.is_empty() => None,
            Cell::Text(title) => {
                let column = names::column(sheet, title);
                match column {
                    None => wrong(Fault::UnknownColumn(title.chars().take(40).collect())),
                    Some(column) if columns.contains(&Some(column)) => wrong(Fault::RepeatedColumn(column)),
                    Some(_) => {}
                }
                column
            }
            Cell::Number(number) => {
                wrong(Fault::UnknownColumn(number.value.clone()));
                None
            }
            Cell::Wrong(fault) => {
                wrong(Fault::clone(fault));
                None
            }
        };
        columns.push(found);
    }
    for (column, _) in sheet.columns().iter().filter(|(column, required)| *required && !columns.contains(&Some(*column))) {
        problems.push(Problem { sheet: table.title.clone(), row: Some(row), column: None, fault: Fault::MissingColumn(*column) });
    }
    columns
}

fn rows(contents: &mut Contents, sheet: Sheet, table: &Table, columns: &[Option<Column>], models: &Models) {
    let (rows, partial) = (&mut contents.rows, &mut contents.partial);
    for (number, cells) in table.rows.iter().skip(1) {
        let number = *number;
        let mut fields = Fields::new(&table.title, number, columns, cells);
        match sheet {
            Sheet::Rooms => {
                let room = room(&mut fields);
                if fields.are_right() {
                    rows.rooms.push(Row { number, value: room });
                } else {
                    let (building, room) = (fields.right(&[C::Building], room.building), fields.right(&[C::Room], room.room));
                    partial.rooms.push(PartialRoom { building, room });
                }
            }
            Sheet::Gateways => match gateway(&mut fields) {
                Ok(value) => rows.gateways.push(Row { number, value }),
                Err(name) => partial.gateways.push(fields.right(&[C::Gateway], name)),
            },
            Sheet::Groups => match groups::row(&mut fields) {
                Ok(value) => rows.groups.push(Row { number, value }),
                Err(name) => partial.groups.push(fields.right(&[C::Group], name)),
            },
            Sheet::Meters => match meter(&mut fields, models) {
                Ok(value) => rows.meters.push(Row { number, value }),
                Err(value) => partial.meters.push(Row { number, value }),
            },
            Sheet::Prices => {
                let price = price(&mut fields);
                if fields.are_right() {
                    rows.prices.push(Row { number, value: price });
                } else {
                    let building = fields.right(&[C::Building], building(price.of)).flatten();
                    partial.prices.push(Row { number, value: building });
                }
            }
            Sheet::Instruments => match instruments::row(&mut fields, models) {
                Some(value) => rows.instruments.push(Row { number, value }),
                None => partial.instruments += 1,
            },
            // Nothing else is compared with them.
            Sheet::FriendlyHours => {
                rows.friendly_hours.extend(friendly::row(&mut fields).map(|value| Row { number, value }));
            }
            Sheet::Contacts => rows.contacts.extend(contacts::row(&mut fields).map(|value| Row { number, value })),
            Sheet::Defaults => rows.defaults.extend(defaults::row(&mut fields).map(|value| Row { number, value })),
            Sheet::Accounts => {
                let account = account(&mut fields);
                if fields.are_right() {
                    rows.accounts.push(Row { number, value: account });
                } else {
                    let room = fields.right(&PLACE, account.room);
                    let login = fields.right(&[C::Login], account.login);
                    partial.accounts.push(Row { number, value: PartialAccount { room, login } });
                }
            }
        }
        contents.problems.append(&mut fields.problems);
    }
}

fn room(fields: &mut Fields<'_>) -> RoomName {
    RoomName {
        building: fields.name(Column::Building, NAME),
        floor: fields.optional(Column::Floor, NAME).unwrap_or_default(),
        room: fields.name(Column::Room, NAME),
    }
}

/// Or the name, where something is wrong.
fn gateway(fields: &mut Fields<'_>) -> Result<GatewayRow, String> {
    let name = fields.name(Column::Gateway, GatewayName::MOST);
    let host = fields.parsed(Column::Host, Host::parse, Fault::NotHost);
    let port = fields.whole(Column::Port, 1, u16::MAX.into()).and_then(|port| u16::try_from(port).ok());
    let mut pattern = |column| fields.parsed(column, BytePattern::parse, Fault::NotPattern);
    let registration = pattern(Column::Registration);
    let (heartbeat, answer) = (pattern(Column::Heartbeat), pattern(Column::HeartbeatAnswer));
    let framing = fields.word(Column::Framing, &FRAMINGS).unwrap_or_default();
    let interval_s = fields.whole(Column::IntervalS, 0, 86_400);
    let tls_name = fields.parsed(Column::TlsName, Host::parse, Fault::NotHost).map(|name| name.to_string());
    if !fields.are_right() {
        return Err(name);
    }
    let clashes = |registration: &BytePattern| heartbeat.as_ref().is_some_and(|beat| beat.clashes_with(registration));
    let reach = match (host, port.and_then(NonZeroU16::new), registration) {
        (Some(host), Some(port), None) if heartbeat.is_none() && answer.is_none() => Dialling::Dialled { host, port },
        (None, None, Some(_)) if framing == Framing::ModbusTls => {
            fields.fault(Column::Framing, Fault::DialInTls);
            return Err(name);
        }
        (None, None, Some(registration)) if clashes(&registration) => {
            fields.fault(Column::Heartbeat, Fault::RegistrationTaken(name.clone()));
            return Err(name);
        }
        (None, None, Some(registration)) if heartbeat.is_some() || answer.is_none() => {
            Dialling::DialIn { registration, heartbeat: heartbeat.map(|pattern| Heartbeat { pattern, answer }) }
        }
        _ => {
            fields.fault(Column::Host, Fault::ReachIncomplete);
            return Err(name);
        }
    };
    Ok(GatewayRow { name, reach, framing, interval_s, tls_name })
}

/// Or what is right of it.
fn meter(fields: &mut Fields<'_>, models: &Models) -> Result<MeterRow, PartialMeter> {
    let serial = fields.serial(Column::Serial);
    let room = room(fields);
    let gateway = fields.name(Column::Gateway, NAME);
    let unit = fields.number(Column::Unit, 1, 247);
    let profile = fields.name(Column::Profile, NAME);
    let model = models.meters.get(&profile).copied();
    if !profile.is_empty() && model.is_none() && fields.right(&[C::Profile], ()).is_some() {
        fields.fault(Column::Profile, Fault::NotOneOf(models.meters.keys().cloned().collect()));
    }
    let wallet = fields.word(Column::Wallet, &WALLETS).or(model.map(|model| model.wallet)).unwrap_or_default();
    if model.is_some_and(|model| !model.allows(wallet)) {
        fields.fault(Column::Wallet, Fault::WalletOfModel);
    }
    match (serial, u8::try_from(unit)) {
        (Some(serial), Ok(unit)) if fields.are_right() => Ok(MeterRow { serial, room, gateway, unit, profile, wallet }),
        _ => Err(PartialMeter { serial, room: fields.right(&PLACE, room), gateway: fields.right(&[C::Gateway], gateway) }),
    }
}

fn price(fields: &mut Fields<'_>) -> PriceRow {
    PriceRow { plan: fields.name(Column::Plan, NAME), of: settings_of::read(fields), prices: prices(fields) }
}

/// The building that a row names.
fn building(of: SettingsOf) -> Option<String> {
    match of {
        SettingsOf::Place(place) => Some(place.building),
        SettingsOf::Room(room) => Some(room.building),
        SettingsOf::Site | SettingsOf::Group(_) => None,
    }
}

fn account(fields: &mut Fields<'_>) -> AccountRow {
    let login = typed(&fields.name(Column::Login, LOGIN));
    if !login.is_empty() && !is_login_name(&login) {
        fields.fault(Column::Login, Fault::NotLogin);
    }
    AccountRow {
        room: room(fields),
        resident: fields.name(Column::Resident, NAME),
        login,
        password: fields.optional(Column::Password, PASSWORD),
        opening: fields.yuan(Column::OpeningYuan, MAX_OPENING),
    }
}
