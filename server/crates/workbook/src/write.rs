//! Writes the workbook: empty with examples, or with what a site has.

use std::io::ErrorKind;

use domain::site_plan::{AccountRow, GatewayRow, MeterRow, PriceRow, SiteRows};
use model::console::RoomName;
use model::gateway::{Dialling, Heartbeat};
use model::language::Lang;
use model::meter::Wallet;
use model::parameters::TierPeriod;
use model::site_workbook::{Column, Sheet};
use model::tariff::Prices;
use rust_xlsxwriter::{DataValidation, Format, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::names::NOTES;
use crate::{Models, contacts, defaults, friendly, groups, instruments, settings_of};

/// Rows below the head that have drop-downs and the text format.
const PREPARED_ROWS: u32 = 20_000;

/// The workbook cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be written")]
pub struct WriteError(#[from] XlsxError);

impl WriteError {
    /// Whether the disk is full, or this user's share of it.
    #[must_use]
    pub fn is_of_space(&self) -> bool {
        let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded];
        matches!(&self.0, XlsxError::IoError(error) if kinds.contains(&error.kind()))
    }
}

/// A workbook with a row of example in each sheet, notes, and drop-downs where only some words are allowed.
///
/// # Errors
/// [`WriteError`].
pub fn template(lang: Lang, models: &Models, notes: &[String]) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let [zh, en] = NOTES;
    sheet.set_name(if lang == Lang::Zh { zh } else { en })?;
    sheet.set_column_width(0, 100)?;
    for (row, note) in (0..).zip(notes) {
        sheet.write_string_with_format(row, 0, note, &Format::new().set_text_wrap())?;
    }
    for kind in Sheet::ALL {
        let sheet = add(&mut book, kind, lang, models)?;
        write_row(sheet, 1, &example(kind, lang, models))?;
    }
    Ok(book.save_to_buffer()?)
}

/// The workbook of a site: importing it changes nothing.
///
/// # Errors
/// [`WriteError`].
pub fn workbook(lang: Lang, models: &Models, rows: &SiteRows) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    for kind in Sheet::ALL {
        let sheet = add(&mut book, kind, lang, models)?;
        let lines: Vec<Vec<String>> = match kind {
            Sheet::Rooms => rows.rooms.iter().map(|row| room(&row.value)).collect(),
            Sheet::Gateways => rows.gateways.iter().map(|row| gateway(&row.value)).collect(),
            Sheet::Meters => rows.meters.iter().map(|row| meter(&row.value)).collect(),
            Sheet::Prices => rows.prices.iter().map(|row| price(&row.value)).collect(),
            Sheet::Accounts => rows.accounts.iter().map(|row| account(&row.value)).collect(),
            Sheet::Instruments => rows.instruments.iter().map(|row| instruments::cells(&row.value)).collect(),
            Sheet::FriendlyHours => rows.friendly_hours.iter().map(|row| friendly::cells(&row.value)).collect(),
            Sheet::Contacts => rows.contacts.iter().map(|row| contacts::cells(&row.value)).collect(),
            Sheet::Defaults => rows.defaults.iter().map(|row| defaults::cells(&row.value)).collect(),
            Sheet::Groups => rows.groups.iter().map(|row| groups::cells(&row.value)).collect(),
        };
        for (row, cells) in (1..).zip(&lines) {
            write_row(sheet, row, cells)?;
        }
    }
    Ok(book.save_to_buffer()?)
}

fn add<'a>(book: &'a mut Workbook, kind: Sheet, lang: Lang, models: &Models) -> Result<&'a mut Worksheet, XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(kind.title(lang))?.set_freeze_panes(1, 0)?;
    let head = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
    // Everything is text, so that no spreadsheet takes leading zeros away.
    let text = Format::new().set_num_format("@");
    for (index, (column, required)) in (0..).zip(kind.columns()) {
        let title = column.title(lang);
        let title = if *required { format!("{title}*") } else { title.to_owned() };
        sheet.set_column_format(index, &text)?.set_column_width(index, if *column == Column::DayTable1 { 40 } else { 16 })?;
        sheet.write_string_with_format(0, index, title, &head)?;
        let words: Vec<&str> = match column {
            Column::Framing => vec!["modbus-tcp", "modbus-tls", "transparent"],
            Column::Wallet => vec!["meter", "server", "none"],
            Column::TierPeriod => vec!["none", "month", "year"],
            Column::Weekends | Column::Holidays => vec!["yes", "no"],
            Column::CreditPeriod => vec!["week", "month", "term"],
            Column::Profile if kind == Sheet::Instruments => models.instruments.keys().map(String::as_str).collect(),
            Column::Profile => models.meters.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        // Spreadsheets allow 255 characters in a list of words.
        if !words.is_empty() && words.iter().map(|word| word.len() + 1).sum::<usize>() < 255 {
            let list = DataValidation::new().allow_list_strings(&words)?;
            sheet.add_data_validation(1, index, PREPARED_ROWS, index, &list)?;
        }
    }
    Ok(sheet)
}

fn write_row(sheet: &mut Worksheet, row: u32, cells: &[String]) -> Result<(), XlsxError> {
    for (column, cell) in (0..).zip(cells) {
        if !cell.is_empty() {
            sheet.write_string(row, column, cell)?;
        }
    }
    Ok(())
}

fn room(RoomName { building, floor, room }: &RoomName) -> Vec<String> {
    vec![building.clone(), floor.clone(), room.clone()]
}

fn gateway(row: &GatewayRow) -> Vec<String> {
    let [mut host, mut port, mut name, mut beat, mut answered] = [const { String::new() }; 5];
    match &row.reach {
        Dialling::Dialled { host: of, port: at } => (host, port) = (of.to_string(), at.to_string()),
        Dialling::DialIn { registration, heartbeat } => {
            name = registration.to_string();
            if let Some(Heartbeat { pattern, answer }) = heartbeat {
                beat = pattern.to_string();
                answered = answer.as_ref().map(ToString::to_string).unwrap_or_default();
            }
        }
    }
    let interval = row.interval_s.map(|seconds| seconds.to_string()).unwrap_or_default();
    let (framing, tls_name) = (row.framing.as_str().to_owned(), row.tls_name.clone().unwrap_or_default());
    vec![row.name.clone(), host, port, framing, interval, tls_name, name, beat, answered]
}

fn meter(row: &MeterRow) -> Vec<String> {
    let mut cells = vec![row.serial.to_string()];
    cells.extend(room(&row.room));
    cells.extend([row.gateway.clone(), row.unit.to_string(), row.profile.clone(), row.wallet.as_str().to_owned()]);
    cells
}

fn price(row: &PriceRow) -> Vec<String> {
    let Prices { rates, tiers, tables: [first, second], plan } = &row.prices;
    let yuan = |price: u32| format!("{}.{:04}", price / 10_000, price % 10_000);
    let [spike, peak, flat, valley] = *rates;
    let mut cells = vec![row.plan.clone()];
    cells.extend(settings_of::cells(&row.of));
    if [spike, peak, valley] == [flat; 3] {
        cells.extend([yuan(flat), String::new(), String::new(), String::new(), String::new()]);
    } else {
        cells.push(String::new());
        cells.extend([spike, peak, flat, valley].map(yuan));
    }
    let plan: Vec<String> = plan.iter().map(ToString::to_string).collect();
    cells.extend([first.to_string(), second.to_string(), plan.join(" ")]);
    if tiers.period == TierPeriod::None {
        return cells;
    }
    let ([from_2, from_3], [more_2, more_3]) = (tiers.thresholds, tiers.surcharges);
    cells.push(tiers.period.as_str().to_owned());
    cells.extend([(from_2 / 1_000).to_string(), yuan(more_2), (from_3 / 1_000).to_string(), yuan(more_3)]);
    cells
}

fn account(row: &AccountRow) -> Vec<String> {
    let mut cells = room(&row.room);
    let opening = if row.opening.0 == 0 { String::new() } else { row.opening.to_string() };
    cells.extend([row.resident.clone(), row.login.clone(), row.password.clone().unwrap_or_default(), opening]);
    cells
}

fn example(kind: Sheet, lang: Lang, models: &Models) -> Vec<String> {
    let pick = |zh: &str, en: &str| if lang == Lang::Zh { zh.to_owned() } else { en.to_owned() };
    let place = RoomName { building: pick("1号楼", "Building 1"), floor: pick("1层", "Floor 1"), room: "101".to_owned() };
    match kind {
        Sheet::Rooms => room(&place),
        Sheet::Gateways => {
            vec![pick("1号楼通信管理机", "Gateway 1"), "192.168.1.10".to_owned(), "502".to_owned()]
        }
        Sheet::Meters => {
            let profile = models
                .meters
                .iter()
                .find(|(_, model)| model.wallet == Wallet::Meter)
                .map(|(name, _)| name.clone())
                .unwrap_or_default();
            let mut cells = vec!["000000000001".to_owned()];
            cells.extend(room(&place));
            cells.extend([pick("1号楼通信管理机", "Gateway 1"), "1".to_owned(), profile, Wallet::Meter.as_str().to_owned()]);
            cells
        }
        Sheet::Prices => {
            let [building, floor, room, group] = [const { String::new() }; 4];
            vec![pick("居民电价", "Residents"), building, floor, room, group, "0.6500".to_owned()]
        }
        Sheet::Instruments => instruments::example(pick, models),
        Sheet::FriendlyHours => friendly::example(pick),
        Sheet::Contacts => contacts::example(pick),
        Sheet::Defaults => defaults::example(pick),
        Sheet::Groups => groups::example(pick),
        Sheet::Accounts => {
            let mut cells = room(&place);
            cells.extend([pick("张三", "Zhang San"), "zhangsan".to_owned(), String::new(), "50.00".to_owned()]);
            cells
        }
    }
}
