//! Texts of the import of a site workbook.

pub use super::catalogue::site_workbook::*;
use super::{Lang, commands, common, gateways, meter_states, operator};
use model::gateway::SweepInterval;
use model::site_workbook::{CellChange, CellValue, Column as ColumnKind, Fault, Problem, RowEffect, Sheet};
use model::tariff;

#[must_use]
pub const fn sheet(sheet: Sheet, lang: Lang) -> &'static str {
    let t = texts(lang).sheet;
    match sheet {
        Sheet::Rooms => t.rooms,
        Sheet::Gateways => t.gateways,
        Sheet::Meters => t.meters,
        Sheet::Prices => t.prices,
        Sheet::Accounts => t.accounts,
        Sheet::Instruments => t.instruments,
        Sheet::FriendlyHours => t.friendly_hours,
        Sheet::Contacts => t.contacts,
        Sheet::Defaults => t.defaults,
        Sheet::Groups => t.groups,
    }
}

/// The notes of the template.
#[must_use]
pub fn notes(lang: Lang) -> [&'static str; 8] {
    let t = texts(lang);
    [t.note_1, t.note_2, t.note_3, t.note_4, t.note_5, t.note_6, t.note_7, t.note_8]
}

/// Where a problem is, as a spreadsheet names it: `B7`.
#[must_use]
pub fn position(problem: &Problem, lang: Lang) -> String {
    let column = problem.column.map(letters);
    match (problem.row, column.as_deref()) {
        (Some(row), Some(column)) => Cell { column, row: &row.to_string() }.text(lang),
        (Some(row), None) => Row { row: &row.to_string() }.text(lang),
        (None, Some(column)) => Column { column }.text(lang),
        (None, None) if problem.sheet.is_empty() => texts(lang).file.to_owned(),
        (None, None) => texts(lang).whole_sheet.to_owned(),
    }
}

/// What an import does with a row.
#[must_use]
pub const fn effect(effect: RowEffect, lang: Lang) -> &'static str {
    let t = texts(lang).effect;
    match effect {
        RowEffect::Created => t.created,
        RowEffect::Changed => t.changed,
        RowEffect::Unchanged => t.unchanged,
    }
}

/// The value of a cell as pages say it.
#[must_use]
pub fn value(value: &CellValue, lang: Lang) -> String {
    let yuan = || common::yuan(lang);
    match value {
        CellValue::Blank => "—".to_owned(),
        CellValue::Text(text) => text.clone(),
        CellValue::Framing(framing) => gateways::framing(*framing, lang).to_owned(),
        CellValue::Wallet(wallet) => meter_states::wallet(*wallet, lang).to_owned(),
        CellValue::Period(period) => commands::period(*period, lang).to_owned(),
        CellValue::Amount(amount) => format!("{amount} {}", yuan()),
        CellValue::Price(price) => format!("{} {}/kWh", commands::price(*price), yuan()),
        CellValue::Seconds(seconds) => {
            SweepInterval::new(*seconds).map_or_else(|| seconds.to_string(), |interval| gateways::interval(interval, lang))
        }
        CellValue::Kwh(kwh) => format!("{kwh} kWh"),
        CellValue::DayTable(table) => {
            let slot = |slot: &tariff::Slot| {
                format!("{:02}:{:02} {}", slot.starts / 60, slot.starts % 60, common::rate(slot.rate, lang))
            };
            table.0.iter().map(slot).collect::<Vec<_>>().join(" · ")
        }
        CellValue::DatePlan(entries) => commands::plan(entries, lang),
    }
}

/// What differs in a cell: `站号：1 → 2`. Of what is new only the value.
#[must_use]
pub fn change(change: &CellChange, effect: RowEffect, lang: Lang) -> String {
    let CellChange { column, before, after } = change;
    let (label, after) = (column.title(lang), value(after, lang));
    let values = if effect == RowEffect::Created { after } else { format!("{} → {after}", value(before, lang)) };
    commands::Labelled { label, value: values }.text(lang)
}

/// What is in the way of a meter that was found, with the field that it is about, as forms call it.
#[must_use]
pub fn placement_fault(problem: &Fault, column: Option<ColumnKind>, lang: Lang) -> String {
    let o = operator::texts(lang);
    let word = |column| match column {
        ColumnKind::Serial => Some(o.serial),
        ColumnKind::Unit => Some(o.unit),
        ColumnKind::Profile => Some(o.profile),
        ColumnKind::Building | ColumnKind::Floor | ColumnKind::Room => Some(o.room),
        ColumnKind::Gateway => Some(o.gateway),
        _ => None,
    };
    let says = match problem {
        // No sheet of rooms is at hand there.
        Fault::UnknownRoom => gateways::texts(lang).room_unknown.to_owned(),
        problem => fault(problem, lang),
    };
    column.and_then(word).map_or_else(|| says.clone(), |word| format!("{word}: {says}"))
}

/// 0 is A, 26 is AA.
fn letters(column: u32) -> String {
    let (mut rest, mut letters) = (column + 1, Vec::new());
    while rest > 0 {
        let digit = (rest - 1) % 26;
        letters.push(char::from(b'A' + u8::try_from(digit).unwrap_or_default()));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// What is wrong and what to do.
#[must_use]
pub fn fault(fault: &Fault, lang: Lang) -> String {
    let t = texts(lang);
    let title = |column: &ColumnKind| column.title(lang);
    let plain = match fault {
        Fault::FileTooLarge(megabytes) => return FileTooLarge { megabytes: &megabytes.to_string() }.text(lang),
        Fault::UnpacksTooLarge(megabytes) => return UnpacksTooLarge { megabytes: &megabytes.to_string() }.text(lang),
        Fault::TooManyRows(rows) => return TooManyRows { rows: &rows.to_string() }.text(lang),
        Fault::MissingColumn(column) => return MissingColumn { column: title(column) }.text(lang),
        Fault::UnknownColumn(column) => return UnknownColumn { column }.text(lang),
        Fault::RepeatedColumn(column) => return RepeatedColumn { column: title(column) }.text(lang),
        Fault::TooLong(characters) => return TooLong { characters: &characters.to_string() }.text(lang),
        Fault::OutOfRange(least, most) => {
            return OutOfRange { least: &least.to_string(), most: &most.to_string() }.text(lang);
        }
        Fault::NotOneOf(words) => return NotOneOf { words: &words.join(", ") }.text(lang),
        Fault::NotDigits(count) => return NotDigits { digits: &count.to_string() }.text(lang),
        Fault::Repeated(row) => return Repeated { row: &row.to_string() }.text(lang),
        Fault::AddressTaken(serial) => return AddressTaken { serial }.text(lang),
        Fault::RegistrationTaken(gateway) => return RegistrationTaken { gateway }.text(lang),
        Fault::UnclosedQuote(line) => return UnclosedQuote { line: &line.to_string() }.text(lang),
        Fault::LoginChanged(login) => return LoginChanged { login }.text(lang),
        Fault::LoginOfOther(room) => return LoginOfOther { room }.text(lang),
        Fault::LoginOfFormer(room) => return LoginOfFormer { room }.text(lang),
        Fault::OverHoardingLimit { sum, limit } => {
            return OverHoardingLimit { sum: &sum.to_string(), limit: &limit.to_string() }.text(lang);
        }
        Fault::InstrumentDiffers(row) => return InstrumentDiffers { row: &row.to_string() }.text(lang),
        Fault::FedTwice(circuit) => return FedTwice { circuit }.text(lang),
        Fault::CircuitMissing(circuit) => return CircuitMissing { circuit: &circuit.to_string() }.text(lang),
        Fault::SlashInNumber => t.slash_in_number,
        Fault::NotRatio => t.not_ratio,
        Fault::NotStep => t.not_step,
        Fault::NotRegister => t.not_register,
        Fault::UnknownFloor => t.unknown_floor,
        Fault::UnknownGroup => t.unknown_group,
        Fault::GroupPriced => t.group_priced,
        Fault::GroupEmpty => t.group_empty,
        Fault::TooManyGroups => t.too_many_groups,
        Fault::GroupAndPlace => t.group_and_place,
        Fault::NotPhone => t.not_phone,
        Fault::NotSignature => t.not_signature,
        Fault::UnknownMaster => t.unknown_master,
        Fault::FeedsItself => t.feeds_itself,
        Fault::OtherBuilding => t.other_building,
        Fault::NotPattern => t.not_pattern,
        Fault::ReachIncomplete => t.reach_incomplete,
        Fault::DialInTls => t.dial_in_tls,
        Fault::NotATable => t.not_a_table,
        Fault::Encoding => t.encoding,
        Fault::NoSheet => t.no_sheet,
        Fault::UnknownSheet => t.unknown_sheet,
        Fault::RepeatedSheet => t.repeated_sheet,
        Fault::Merged => t.merged,
        Fault::Formula => t.formula,
        Fault::Date => t.date,
        Fault::ErrorValue => t.error_value,
        Fault::TruthValue => t.truth_value,
        Fault::DigitsLost => t.digits_lost,
        Fault::NumberFormat => t.number_format,
        Fault::Empty => t.empty,
        Fault::ControlCharacter => t.control_character,
        Fault::NotWhole => t.not_whole,
        Fault::NotYuan => t.not_yuan,
        Fault::NotPrice => t.not_price,
        Fault::NotDayTable => t.not_day_table,
        Fault::NotDatePlan => t.not_date_plan,
        Fault::NotTime => t.not_time,
        Fault::NotDayRanges => t.not_day_ranges,
        Fault::PriceIncomplete => t.price_incomplete,
        Fault::TierIncomplete => t.tier_incomplete,
        Fault::UnknownGateway => t.unknown_gateway,
        Fault::UnknownRoom => t.unknown_room,
        Fault::UnknownBuilding => t.unknown_building,
        Fault::MeterInUse => t.meter_in_use,
        Fault::WalletOfModel => t.wallet_of_model,
        Fault::LoginOfOperator => t.login_of_operator,
        Fault::WeakPassword => t.weak_password,
        Fault::NotHost => t.not_host,
        Fault::NotLogin => t.not_login,
        Fault::RoomSellsNothing => t.room_sells_nothing,
        Fault::AmountRefused => t.amount_refused,
        Fault::NoPrices => t.no_prices,
        Fault::PricesNeedApproval => t.prices_need_approval,
        Fault::AlarmOrder => t.alarm_order,
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_in_words_and_units() {
        let said = |column, before, after, lang| change(&CellChange { column, before, after }, RowEffect::Changed, lang);
        let price = said(ColumnKind::Price, CellValue::Price(6_500), CellValue::Price(7_000), Lang::Zh);
        assert_eq!(price, "单价：0.6500 元/kWh → 0.7000 元/kWh");
        let wallet = CellValue::Wallet(model::meter::Wallet::Server);
        assert_eq!(said(ColumnKind::Wallet, CellValue::Blank, wallet, Lang::En), "Wallet: — → Server wallet");
        let table = CellValue::DayTable("00:00=4 08:30=2".parse().unwrap_or_default());
        assert_eq!(
            said(ColumnKind::DayTable1, CellValue::Blank, table, Lang::En),
            "Day table 1: — → 00:00 Off-peak · 08:30 Peak"
        );
        let opening = CellChange {
            column: ColumnKind::OpeningYuan,
            before: CellValue::Blank,
            after: CellValue::Amount(model::money::Fen(5_000)),
        };
        assert_eq!(change(&opening, RowEffect::Created, Lang::Zh), "期初余额(元)：50.00 元");
    }

    #[test]
    fn cells_are_named_as_spreadsheets_do() {
        let at = |row, column| Problem { sheet: "Rooms".into(), row, column, fault: Fault::Empty };
        assert_eq!(position(&at(Some(7), Some(1)), Lang::En), "B7");
        assert_eq!(position(&at(Some(7), Some(26)), Lang::En), "AA7");
        assert_eq!(position(&at(Some(7), Some(701)), Lang::En), "ZZ7");
        assert_eq!(position(&at(Some(7), None), Lang::Zh), "第 7 行");
        assert_eq!(position(&at(None, None), Lang::En), "whole sheet");
    }
}
