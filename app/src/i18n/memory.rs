//! Words for what a meter keeps itself, for the parts of a day, and for what cannot be sure.

use super::Lang;
use model::console::JournalLine;
use model::reading::JournalKind;

#[derive(Clone, Copy)]
pub struct Words {
    pub journal: &'static str,
    pub what: &'static str,
    pub amount: &'static str,
    pub count: &'static str,
    pub remaining: &'static str,
    pub clock_lost: &'static str,
    pub day: &'static str,
    pub total: &'static str,
    pub rates: [&'static str; 4],
    pub rate_now: &'static str,
    pub tier_use: &'static str,
    pub reverse: &'static str,
    pub by_day: &'static str,
    pub no_serial: &'static str,
}

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(
        Words {
            journal: "电表自己的记录",
            what: "事情",
            amount: "金额（元）",
            count: "购电次数",
            remaining: "剩余（元）",
            clock_lost: "时钟丢失",
            day: "日期",
            total: "合计",
            rates: ["尖", "峰", "平", "谷"],
            rate_now: "当前费率",
            tier_use: "本阶梯周期用电",
            reverse: "反向",
            by_day: "逐日：分费率与反向（kWh）",
            no_serial: "这种电表不报表号：地址上换了别的表时，只能靠电量读数不连续来发现。",
        },
        Words {
            journal: "The meter's own journal",
            what: "What",
            amount: "Amount (yuan)",
            count: "Purchases",
            remaining: "Left (yuan)",
            clock_lost: "clock lost",
            day: "Day",
            total: "Total",
            rates: ["Spike", "Peak", "Flat", "Valley"],
            rate_now: "Rate in force",
            tier_use: "Use in this tier period",
            reverse: "Reverse",
            by_day: "By day: rates and reverse (kWh)",
            no_serial: "This model does not say its serial number: another meter at its address shows only by a counter that does not go on.",
        },
    )
}

/// A record in words; with the reason where the meter gives one.
#[must_use]
pub fn record(line: &JournalLine, lang: Lang) -> String {
    let (zh, en) = match line.kind {
        JournalKind::Credit => ("充入", "Credit"),
        JournalKind::Debit => ("退出", "Debit"),
        JournalKind::Open => ("开户", "Account opened"),
        JournalKind::Close => ("销户", "Account closed"),
        JournalKind::RelayOpened => ("断电", "Relay opened"),
        JournalKind::RelayClosed => ("通电", "Relay closed"),
        JournalKind::Parameter => ("改参数", "Settings changed"),
        JournalKind::Tamper => ("开盖或旁路", "Cover or bypass"),
    };
    let what = lang.pick(zh, en);
    let why = match (line.kind, line.cause) {
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 4) => Some(("欠费", "arrears")),
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 5) => Some(("过载", "overload")),
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 11) => Some(("恶性负载", "malignant load")),
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 12) => Some(("继电器故障", "relay fault")),
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 0xff) => Some(("按指令", "by command")),
        _ => None,
    };
    match why {
        Some((zh, en)) => match lang {
            Lang::Zh => format!("{what}（{zh}）"),
            Lang::En => format!("{what} ({en})"),
        },
        None => what.to_owned(),
    }
}
