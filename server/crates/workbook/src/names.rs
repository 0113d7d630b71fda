//! The titles of sheets and columns. Files are read in either language, whatever the language of the reader.

use model::language::Lang;
use model::site_workbook::{Column, Sheet};

#[must_use]
pub const fn sheet_title(sheet: Sheet, lang: Lang) -> &'static str {
    let [zh, en] = match sheet {
        Sheet::Rooms => ["房间", "Rooms"],
        Sheet::Gateways => ["通信管理机", "Gateways"],
        Sheet::Meters => ["电表", "Meters"],
        Sheet::Prices => ["电价", "Prices"],
        Sheet::Accounts => ["账户", "Accounts"],
    };
    pick(lang, zh, en)
}

#[must_use]
pub const fn column_title(column: Column, lang: Lang) -> &'static str {
    let [zh, en] = match column {
        Column::Building => ["楼栋", "Building"],
        Column::Floor => ["楼层", "Floor"],
        Column::Room => ["房间", "Room"],
        Column::Gateway => ["通信管理机", "Gateway"],
        Column::Host => ["地址", "Host"],
        Column::Port => ["端口", "Port"],
        Column::Framing => ["通信方式", "Framing"],
        Column::Registration => ["注册包", "Registration"],
        Column::Heartbeat => ["心跳包", "Heartbeat"],
        Column::HeartbeatAnswer => ["心跳应答", "Heartbeat answer"],
        Column::IntervalS => ["抄读间隔(秒)", "Interval (s)"],
        Column::TlsName => ["证书名称", "Certificate name"],
        Column::Serial => ["表号", "Serial number"],
        Column::Unit => ["通信地址", "Unit id"],
        Column::Profile => ["表型", "Profile"],
        Column::Wallet => ["钱包", "Wallet"],
        Column::Plan => ["电价方案", "Price plan"],
        Column::Price => ["单价", "Price"],
        Column::Spike => ["尖价", "Spike price"],
        Column::Peak => ["峰价", "Peak price"],
        Column::Flat => ["平价", "Flat price"],
        Column::Valley => ["谷价", "Valley price"],
        Column::DayTable1 => ["时段表1", "Day table 1"],
        Column::DayTable2 => ["时段表2", "Day table 2"],
        Column::DatePlan => ["时区表", "Date plan"],
        Column::TierPeriod => ["阶梯周期", "Tier period"],
        Column::Tier2From => ["二阶起点(kWh)", "Tier 2 from (kWh)"],
        Column::Tier2Surcharge => ["二阶加价", "Tier 2 surcharge"],
        Column::Tier3From => ["三阶起点(kWh)", "Tier 3 from (kWh)"],
        Column::Tier3Surcharge => ["三阶加价", "Tier 3 surcharge"],
        Column::Resident => ["住户", "Resident"],
        Column::Login => ["登录名", "Login name"],
        Column::Password => ["初始密码", "First password"],
        Column::OpeningYuan => ["期初余额(元)", "Opening balance (yuan)"],
    };
    pick(lang, zh, en)
}

const fn pick(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// The sheet of notes that the template has.
pub const NOTES: [&str; 2] = ["说明", "Notes"];

pub fn is_notes(title: &str) -> bool {
    NOTES.iter().any(|notes| notes.eq_ignore_ascii_case(title.trim()))
}

/// The sheet of a title in either language, or of its word.
pub fn sheet(title: &str) -> Option<Sheet> {
    Sheet::ALL
        .into_iter()
        .find(|sheet| is_title(title, [sheet_title(*sheet, Lang::Zh), sheet_title(*sheet, Lang::En), sheet.as_str()]))
}

/// The column of a title among those of a sheet. A star marks what must be filled and does not count.
pub fn column(sheet: Sheet, title: &str) -> Option<Column> {
    let title = title.trim_end_matches(['*', '＊', ' ']);
    sheet
        .columns()
        .iter()
        .map(|(column, _)| *column)
        .find(|column| is_title(title, [column_title(*column, Lang::Zh), column_title(*column, Lang::En), column.as_str()]))
}

/// Full-width brackets and spaces do not count, nor does case.
fn is_title(title: &str, names: [&str; 3]) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|c| !c.is_whitespace());
        letters
            .map(|c| match c {
                '（' => '(',
                '）' => ')',
                c => c.to_ascii_lowercase(),
            })
            .collect()
    };
    let title = plain(title);
    names.into_iter().any(|name| plain(name) == title)
}
