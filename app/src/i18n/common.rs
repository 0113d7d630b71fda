//! Words that every area shares: states, modes, tenders, progress, units and times.

use super::Lang;
use model::meter::{ControlMode, SupplyState};
use model::order::{CommandState, OrderState, Tender};
use model::time::{DAY, Date, HOUR, MINUTE, SECOND, Timestamp};

/// The unit behind an amount of money.
#[must_use]
pub const fn yuan(lang: Lang) -> &'static str {
    lang.pick("元", "yuan")
}

/// The word for a state of supply.
#[must_use]
pub const fn supply(state: SupplyState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        SupplyState::Open => ("正常", "Normal"),
        SupplyState::Alarm1 => ("报警一", "Alarm 1"),
        SupplyState::Alarm2 => ("报警二", "Alarm 2"),
        SupplyState::Arrears => ("欠费", "Arrears"),
        SupplyState::NotOpen => ("未开户", "Not open"),
        SupplyState::Lost => ("失联", "Lost"),
    };
    lang.pick(zh, en)
}

/// The word for a control mode.
#[must_use]
pub const fn mode(mode: ControlMode, lang: Lang) -> &'static str {
    let (zh, en) = match mode {
        ControlMode::Prepaid => ("预付费", "Prepaid"),
        ControlMode::Guaranteed => ("保电", "Guaranteed"),
        ControlMode::ForcedOff => ("强断", "Forced off"),
    };
    lang.pick(zh, en)
}

/// The word for how something was paid.
#[must_use]
pub const fn tender(tender: Tender, lang: Lang) -> &'static str {
    let (zh, en) = match tender {
        Tender::Cash => ("现金", "Cash"),
        Tender::Card => ("刷卡", "Card"),
        Tender::Transfer => ("转账", "Transfer"),
        Tender::Alipay => ("支付宝", "Alipay"),
        Tender::Subsidy => ("补贴", "Subsidy"),
        Tender::Carried => ("余额结转", "Carried over"),
        Tender::WechatPay => ("微信支付", "WeChat Pay"),
        Tender::UnionPay => ("银联云闪付", "UnionPay"),
    };
    lang.pick(zh, en)
}

/// The word for where an order stands.
#[must_use]
pub const fn order(state: OrderState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        OrderState::Pending => ("待支付", "Not paid yet"),
        OrderState::Paid => ("下发中", "On its way"),
        OrderState::Credited => ("已到账", "In the meter"),
        OrderState::Closed => ("未支付", "Not paid"),
        OrderState::Refunding => ("退款中", "Being refunded"),
        OrderState::Refunded => ("已退款", "Refunded"),
        OrderState::Case => ("人工处理中", "Being settled"),
    };
    lang.pick(zh, en)
}

/// The word for where a command stands.
#[must_use]
pub const fn command(state: CommandState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        CommandState::Queued => ("待下发", "Decided"),
        CommandState::Sending => ("下发中", "Sent"),
        CommandState::Done => ("已完成", "Done"),
        CommandState::Failed => ("未执行", "Refused"),
        CommandState::Case => ("人工处理中", "Being settled"),
        CommandState::Superseded => ("已被替代", "Replaced"),
    };
    lang.pick(zh, en)
}

/// An instant as people say it: `今天 21:15` or `21:15 today`, otherwise with the date.
#[must_use]
pub fn at(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    moment(&at.clock(), at.date(), now.date(), lang)
}

/// The same to the second, for progress: `21:15:02`, with the date where it is not today's.
#[must_use]
pub fn at_seconds(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    if at.date() == now.date() { at.clock_seconds() } else { moment(&at.clock_seconds(), at.date(), now.date(), lang) }
}

fn moment(clock: &str, date: Date, today: Date, lang: Lang) -> String {
    let day = day(date, today, lang);
    match lang {
        Lang::Zh => format!("{day} {clock}"),
        Lang::En if date.0 == today.0 || date.0 + 1 == today.0 => format!("{clock} {day}"),
        Lang::En => format!("{day}, {clock}"),
    }
}

/// A day as people say it: `今天`, `昨天`, `11月20日`, `2025年11月20日`; `today`, `yesterday`, `20 Nov`, `20 Nov 2025`.
#[must_use]
pub fn day(date: Date, today: Date, lang: Lang) -> String {
    match today.0 - date.0 {
        0 => lang.pick("今天", "today").into(),
        1 => lang.pick("昨天", "yesterday").into(),
        _ => calendar_day(date, today, lang),
    }
}

/// A day by the calendar, with the year only where it is another: `11月20日`, `20 Nov 2025`.
#[must_use]
pub fn calendar_day(date: Date, today: Date, lang: Lang) -> String {
    let (year, month, day) = date.ymd();
    let same_year = year == today.ymd().0;
    match (lang, same_year) {
        (Lang::Zh, true) => format!("{month}月{day}日"),
        (Lang::Zh, false) => format!("{year}年{month}月{day}日"),
        (Lang::En, true) => format!("{day} {}", month_name(month)),
        (Lang::En, false) => format!("{day} {} {year}", month_name(month)),
    }
}

/// `周一`, `Mon`; from 0 for Monday.
#[must_use]
pub const fn weekday(weekday: u8, lang: Lang) -> &'static str {
    let (zh, en) = match weekday {
        0 => ("周一", "Mon"),
        1 => ("周二", "Tue"),
        2 => ("周三", "Wed"),
        3 => ("周四", "Thu"),
        4 => ("周五", "Fri"),
        5 => ("周六", "Sat"),
        _ => ("周日", "Sun"),
    };
    lang.pick(zh, en)
}

const fn month_name(month: u8) -> &'static str {
    match month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

/// How long ago: `刚刚`, `12 秒前`, `3 分钟前`; `just now`, `12 s ago`, `3 min ago`.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let ms = now.since(at).max(0);
    let (n, zh, en) = match ms {
        0..5_000 => return lang.pick("刚刚", "just now").into(),
        5_000..MINUTE => (ms / SECOND, "秒", "s"),
        MINUTE..HOUR => (ms / MINUTE, "分钟", "min"),
        HOUR..DAY => (ms / HOUR, "小时", "h"),
        _ => (ms / DAY, "天", if ms / DAY == 1 { "day" } else { "days" }),
    };
    match lang {
        Lang::Zh => format!("{n} {zh}前"),
        Lang::En => format!("{n} {en} ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Civil;

    fn instant(year: i64, month: u8, day: u8, hour: u8, minute: u8) -> Timestamp {
        Civil { year, month, day, hour, minute, second: 2 }.timestamp().unwrap()
    }

    #[test]
    fn instants_as_people_say_them() {
        let now = instant(2026, 11, 23, 22, 0);
        for (then, zh, en) in [
            (instant(2026, 11, 23, 21, 15), "今天 21:15", "21:15 today"),
            (instant(2026, 11, 22, 9, 5), "昨天 09:05", "09:05 yesterday"),
            (instant(2026, 3, 2, 0, 0), "3月2日 00:00", "2 Mar, 00:00"),
            (instant(2025, 12, 31, 23, 59), "2025年12月31日 23:59", "31 Dec 2025, 23:59"),
        ] {
            assert_eq!(at(then, now, Lang::Zh), zh);
            assert_eq!(at(then, now, Lang::En), en);
        }
        assert_eq!(at_seconds(instant(2026, 11, 23, 21, 15), now, Lang::Zh), "21:15:02");
        assert_eq!(at_seconds(instant(2026, 11, 22, 21, 15), now, Lang::En), "21:15:02 yesterday");
    }

    #[test]
    fn ages_as_people_say_them() {
        let now = instant(2026, 11, 23, 22, 0);
        for (ms, zh, en) in [
            (-5_000, "刚刚", "just now"),
            (4_999, "刚刚", "just now"),
            (12_000, "12 秒前", "12 s ago"),
            (3 * MINUTE, "3 分钟前", "3 min ago"),
            (DAY - 1, "23 小时前", "23 h ago"),
            (DAY, "1 天前", "1 day ago"),
            (9 * DAY, "9 天前", "9 days ago"),
        ] {
            assert_eq!(ago(now.plus(-ms), now, Lang::Zh), zh);
            assert_eq!(ago(now.plus(-ms), now, Lang::En), en);
        }
    }
}
