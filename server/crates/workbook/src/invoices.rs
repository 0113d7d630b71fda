//! The files of an invoice batch: the workbook that the batch import of the e-invoice system (数电票) reads, and one with the
//! reversals and the tax of each row. All cells of the import are text, as its template says. Why these columns:
//! `server/docs/decisions/0025-invoice-export.md`.

use model::invoice::{InvoiceKind, InvoiceRow, InvoiceSeller};
use model::time::Date;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::WriteError;
use crate::listing::{Cell, Formats, write};
use crate::report::Number;

/// The version of the template, as its last sheet names it.
const VERSION: &str = "pt:20260401";

/// Columns of the sheet of invoices, in the template's order.
const BASICS: [&str; 39] = [
    "发票流水号",
    "发票类型",
    "特定业务类型",
    "是否含税",
    "受票方自然人标识",
    "购买方名称",
    "购买方纳税人识别号",
    "购买方证件类型",
    "购买方证件号码",
    "购买方国籍（或地区）",
    "购买方地址",
    "购买方所在地区（报废产品收购必填）",
    "购买方所在地区（报废产品收购必填）",
    "购买方所在地区（报废产品收购必填）",
    "购买方所在地区（报废产品收购必填）",
    "购买方详细地址（报废产品收购必填）",
    "购买方电话",
    "购买方开户银行",
    "购买方银行账号",
    "是否展示购买方地址电话银行账号",
    "是否开具涉税专业服务发票品目",
    "涉税专业服务协议编号",
    "备注",
    "报废产品销售类型",
    "每千克煤炭发热量",
    "干基全硫",
    "干燥无灰基挥发分",
    "销售方开户行",
    "销售方银行账号",
    "是否展示销售方地址电话银行账号",
    "购买方邮箱",
    "购买方经办人姓名",
    "购买方经办人证件类型",
    "购买方经办人证件号码",
    "经办人国籍(地区)",
    "经办人自然人纳税人识别号",
    "放弃享受减按1%征收率原因",
    "收款人",
    "复核人",
];

/// Columns of the sheet of their lines.
const DETAILS: [&str; 14] = [
    "发票流水号",
    "项目名称",
    "商品和服务税收编码",
    "规格型号",
    "单位",
    "数量",
    "单价",
    "金额",
    "税率",
    "折扣金额",
    "是否使用优惠政策",
    "优惠政策类型",
    "即征即退类型",
    "煤炭种类",
];

/// Columns of our own sheets.
const REVERSALS: [&str; 10] = [
    "流水号",
    "被冲红流水号",
    "收据号",
    "购买方名称",
    "购买方纳税人识别号",
    "项目名称",
    "税率",
    "金额（不含税）",
    "税额",
    "价税合计",
];
const CHECK: [&str; 14] = [
    "流水号",
    "类型",
    "收据号",
    "房间",
    "账户号",
    "购买方名称",
    "数量（kWh）",
    "含税单价",
    "税率",
    "金额（不含税）",
    "税额",
    "价税合计",
    "销售方名称",
    "销售方纳税人识别号",
];

/// The invoices of a batch for the import; the same rows give the same bytes.
///
/// # Errors
/// [`WriteError`].
pub fn import(seller: &InvoiceSeller, made: Date, rows: &[InvoiceRow]) -> Result<Vec<u8>, WriteError> {
    let blue = || rows.iter().filter(|row| row.kind == InvoiceKind::Blue);
    let mut book = book(made)?;
    template_sheet(&mut book, "1-发票基本信息", &BASICS, blue().map(|row| basics(seller, row)))?;
    template_sheet(&mut book, "2-发票明细信息", &DETAILS, blue().map(|row| details(seller, row)))?;
    template_sheet(&mut book, "3-特定业务信息", &["发票流水号"], std::iter::empty())?;
    template_sheet(&mut book, "4-附加要素信息", &["发票流水号", "附加要素名称", "附加要素内容"], std::iter::empty())?;
    book.add_worksheet().set_name("excelVersion")?.write_string(3, 0, VERSION)?;
    Ok(book.save_to_buffer()?)
}

/// The reversals of a batch, and all its rows with their tax.
///
/// # Errors
/// [`WriteError`].
pub fn reversals(seller: &InvoiceSeller, made: Date, rows: &[InvoiceRow]) -> Result<Vec<u8>, WriteError> {
    let mut book = book(made)?;
    let sheet = head(&mut book, "红字发票", &REVERSALS)?;
    for (line, row) in (1..).zip(rows.iter().filter(|row| row.kind == InvoiceKind::Red)) {
        let reverses = row.reverses.map(|serial| serial.to_string()).unwrap_or_default();
        let tax_number = row.buyer.tax_number.clone().unwrap_or_default();
        let texts = [row.serial.to_string(), reverses, row.receipt.to_string(), row.buyer.name.clone(), tax_number];
        texts_at(sheet, line, 0, texts)?;
        sheet.write_string(line, 5, &seller.item)?;
        amounts(sheet, line, 6, row)?;
    }
    let sheet = head(&mut book, "核对", &CHECK)?;
    for (line, row) in (1..).zip(rows) {
        let kind = if row.kind == InvoiceKind::Blue { "蓝字" } else { "红字" };
        let [room, account, buyer] = [row.room.to_string(), row.account_number.clone(), row.buyer.name.clone()];
        texts_at(sheet, line, 0, [row.serial.to_string(), kind.to_owned(), row.receipt.to_string(), room, account, buyer])?;
        if let Some((energy, price)) = row.energy {
            number(sheet, (line, 6), Number { value: energy.0, unit: 1_000 }, "0.000")?;
            number(sheet, (line, 7), Number { value: price.0, unit: 10_000 }, "0.0000")?;
        }
        amounts(sheet, line, 8, row)?;
        texts_at(sheet, line, 12, [seller.name.clone(), seller.tax_number.clone()])?;
    }
    Ok(book.save_to_buffer()?)
}

/// A workbook of the day when the batch was made, and not when it was downloaded.
fn book(made: Date) -> Result<Workbook, XlsxError> {
    let (year, month, day) = made.ymd();
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(u16::try_from(year).unwrap_or_default(), month, day)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    Ok(book)
}

fn head<'a>(book: &'a mut Workbook, name: &str, columns: &[&str]) -> Result<&'a mut Worksheet, XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(name)?.set_freeze_panes(1, 1)?;
    for (index, column) in (0..).zip(columns) {
        sheet.set_column_width(index, 18)?.write_string_with_format(0, index, *column, &Format::new().set_bold())?;
    }
    Ok(sheet)
}

/// A sheet of the template: a line of instructions, a line of what must be filled in, the columns, and rows from the fourth line.
fn template_sheet<const N: usize>(
    book: &mut Workbook,
    name: &str,
    columns: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(name)?;
    sheet.write_string(0, 0, "由 Dormwatt 导出：每个发票流水号是一张发票，从第 4 行起。")?;
    for (index, column) in (0..).zip(columns) {
        sheet.set_column_width(index, 18)?.write_string(2, index, *column)?;
    }
    for (line, row) in (3..).zip(rows) {
        texts_at(sheet, line, 0, row)?;
    }
    Ok(())
}

fn texts_at<const N: usize>(sheet: &mut Worksheet, line: u32, column: u16, texts: [String; N]) -> Result<(), XlsxError> {
    for (index, text) in (column..).zip(texts).filter(|(_, text)| !text.is_empty()) {
        sheet.write_string(line, index, text)?;
    }
    Ok(())
}

/// Rate, net amount, tax and sum; a reversal's are negative.
fn amounts(sheet: &mut Worksheet, line: u32, column: u16, row: &InvoiceRow) -> Result<(), XlsxError> {
    let sign = if row.kind == InvoiceKind::Red { -1 } else { 1 };
    sheet.write_string(line, column, row.rate.fraction())?;
    for (index, fen) in (column + 1..).zip([row.taxed.net, row.taxed.tax, row.taxed.sum()]) {
        number(sheet, (line, index), Number { value: sign * fen.0, unit: 100 }, "0.00")?;
    }
    Ok(())
}

fn number(sheet: &mut Worksheet, (line, column): (u32, u16), number: Number, format: &str) -> Result<(), XlsxError> {
    write(sheet, line, column, Cell::Exact(number), &Format::new().set_num_format(format), &Formats::new())
}

fn basics(seller: &InvoiceSeller, row: &InvoiceRow) -> [String; BASICS.len()] {
    let is_person = row.buyer.tax_number.is_none();
    let shows_bank = !seller.bank.is_empty() && !seller.bank_account.is_empty();
    BASICS.map(|column| match column {
        "发票流水号" => row.serial.to_string(),
        "发票类型" => "普通发票".to_owned(),
        "是否含税" => "是".to_owned(),
        "受票方自然人标识" => if is_person { "是" } else { "否" }.to_owned(),
        "购买方名称" => row.buyer.name.clone(),
        "购买方纳税人识别号" => row.buyer.tax_number.clone().unwrap_or_default(),
        "备注" => format!("收据 {} 房间 {}", row.receipt, row.room),
        "销售方开户行" => seller.bank.clone(),
        "销售方银行账号" => seller.bank_account.clone(),
        "是否展示销售方地址电话银行账号" if shows_bank => "是".to_owned(),
        _ => String::new(),
    })
}

fn details(seller: &InvoiceSeller, row: &InvoiceRow) -> [String; DETAILS.len()] {
    DETAILS.map(|column| match (column, row.energy) {
        ("发票流水号", _) => row.serial.to_string(),
        ("项目名称", _) => seller.item.clone(),
        ("商品和服务税收编码", _) => seller.tax_code.clone(),
        ("单位", _) => "千瓦时".to_owned(),
        ("数量", Some((energy, _))) => format!("{}.{:03}", energy.0 / 1_000, energy.0 % 1_000),
        ("单价", Some((_, price))) => format!("{}.{:04}", price.0 / 10_000, price.0 % 10_000),
        ("金额", _) => row.taxed.sum().to_string(),
        ("税率", _) => row.rate.fraction(),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};
    use model::console::{ReceiptNumber, ReceiptSeries, RoomName};
    use model::energy::Energy;
    use model::ids::{AccountId, Uuid};
    use model::invoice::{InvoiceBuyer, InvoiceSerial, Taxed};
    use model::money::{Fen, Money};

    use super::*;

    fn seller() -> InvoiceSeller {
        InvoiceSeller {
            name: "示例物业".into(),
            tax_number: "91330106MA2ABCDE1X".into(),
            bank: String::new(),
            bank_account: String::new(),
            item: "电费".into(),
            tax_code: "1100101020200000000".into(),
        }
    }

    fn made() -> Date {
        Date::from_ymd(2026, 11, 30).unwrap()
    }

    fn row(line: i64, kind: InvoiceKind, taxed: Taxed) -> InvoiceRow {
        let serial = |line| InvoiceSerial { batch: 1, line };
        InvoiceRow {
            serial: serial(line),
            kind,
            receipt: ReceiptNumber { series: ReceiptSeries::Online, year: 2026, number: line },
            reverses: (kind == InvoiceKind::Red).then(|| serial(1)),
            buyer: InvoiceBuyer { name: "张三".into(), tax_number: None },
            account: AccountId(Uuid::nil()),
            account_number: "0012345".into(),
            room: RoomName { building: "3".into(), floor: String::new(), room: "301".into() },
            energy: (kind == InvoiceKind::Blue).then_some((Energy(92_593), Money(5_400))),
            rate: "13".parse().unwrap(),
            taxed,
        }
    }

    fn rows() -> [InvoiceRow; 2] {
        [
            row(1, InvoiceKind::Blue, Taxed { net: Fen(4_425), tax: Fen(575) }),
            row(2, InvoiceKind::Red, Taxed { net: Fen(885), tax: Fen(115) }),
        ]
    }

    fn cells(bytes: &[u8], sheet: &str) -> Vec<Vec<Data>> {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
        book.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
    }

    #[test]
    fn the_import_has_the_columns_of_the_template() {
        let bytes = import(&seller(), made(), &rows()).unwrap();
        assert_eq!(bytes, import(&seller(), made(), &rows()).unwrap(), "the same rows are the same bytes");
        let basics = cells(&bytes, "1-发票基本信息");
        assert_eq!(basics[2].len(), 39);
        let text = |text: &str| Data::String(text.into());
        assert_eq!(basics[3][..6], [text("DW000001000001"), text("普通发票"), Data::Empty, text("是"), text("是"), text("张三")]);
        assert_eq!(basics.len(), 4, "a reversal is no invoice");
        let details = cells(&bytes, "2-发票明细信息");
        assert_eq!(
            details[3][4..9],
            [text("千瓦时"), text("92.593"), text("0.5400"), text("50.00"), text("0.13")],
            "all cells are text"
        );
        assert_eq!(cells(&bytes, "excelVersion").last().unwrap()[0], text(VERSION));
    }

    #[test]
    fn a_reversal_names_its_invoice_and_is_negative() {
        let bytes = reversals(&seller(), made(), &rows()).unwrap();
        let red = cells(&bytes, "红字发票");
        assert_eq!(red[1][..2], ["DW000001000002", "DW000001000001"].map(|text| Data::String(text.into())));
        assert_eq!(red[1][7..], [-8.85, -1.15, -10.0].map(Data::Float));
        let all = cells(&bytes, "核对");
        assert_eq!(all[1][12..], ["示例物业", "91330106MA2ABCDE1X"].map(|text| Data::String(text.into())));
        assert_eq!(all.iter().skip(1).map(|row| row[11].clone()).collect::<Vec<_>>(), [50.0, -10.0].map(Data::Float));
    }
}
