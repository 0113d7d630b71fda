//! Texts that every area shares: states, modes, tenders, progress, units and times.

use super::Lang;
pub use super::catalogue::common::*;
use model::meter::{ControlMode, SupplyState};
use model::order::{CommandState, OrderState, Tender};
use model::time::{DAY, Date, HOUR, MINUTE, SECOND, Timestamp};

/// The unit behind an amount of money.
#[must_use]
pub const fn yuan(lang: Lang) -> &'static str {
    texts(lang).yuan
}

/// The name of a supply state.
#[must_use]
pub const fn supply(state: SupplyState, lang: Lang) -> &'static str {
    let t = texts(lang).supply;
    match state {
        SupplyState::Open => t.open,
        SupplyState::Alarm1 => t.alarm1,
        SupplyState::Alarm2 => t.alarm2,
        SupplyState::Arrears => t.arrears,
        SupplyState::NotOpen => t.not_open,
        SupplyState::Lost => t.lost,
        SupplyState::Unreadable => t.unreadable,
    }
}

/// The same of a meter: `known` is whether it was ever read. One that was not is lost to nobody yet.
#[must_use]
pub const fn supply_of(state: SupplyState, known: bool, lang: Lang) -> &'static str {
    if matches!(state, SupplyState::Lost) && !known { texts(lang).not_read } else { supply(state, lang) }
}

/// The name of a control mode.
#[must_use]
pub const fn mode(mode: ControlMode, lang: Lang) -> &'static str {
    let t = texts(lang).mode;
    match mode {
        ControlMode::Prepaid => t.prepaid,
        ControlMode::Guaranteed => t.guaranteed,
        ControlMode::ForcedOff => t.forced_off,
    }
}

/// The name of a way to pay.
#[must_use]
pub const fn tender(tender: Tender, lang: Lang) -> &'static str {
    let t = texts(lang).tender;
    match tender {
        Tender::Cash => t.cash,
        Tender::Card => t.card,
        Tender::Transfer => t.transfer,
        Tender::Alipay => t.alipay,
        Tender::Subsidy => t.subsidy,
        Tender::Carried => t.carried,
        Tender::TakenOver => t.taken_over,
        Tender::WechatPay => t.wechat_pay,
        Tender::UnionPay => t.union_pay,
    }
}

/// The name of an order's state.
#[must_use]
pub const fn order(state: OrderState, lang: Lang) -> &'static str {
    let t = texts(lang).order;
    match state {
        OrderState::Pending => t.pending,
        OrderState::Paid => t.paid,
        OrderState::Credited => t.credited,
        OrderState::Closed => t.closed,
        OrderState::Refunding => t.refunding,
        OrderState::Refunded => t.refunded,
        OrderState::Case => t.case,
    }
}

/// The name of a command's state.
#[must_use]
pub const fn command(state: CommandState, lang: Lang) -> &'static str {
    let t = texts(lang).command;
    match state {
        CommandState::Queued => t.queued,
        CommandState::Sending => t.sending,
        CommandState::Done => t.done,
        CommandState::Failed => t.failed,
        CommandState::Case => t.case,
        CommandState::Superseded => t.superseded,
    }
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
    let near = date.0 == today.0 || date.0 + 1 == today.0;
    let day = day(date, today, lang);
    if near { NearTime { clock, day }.text(lang) } else { DatedTime { clock, day }.text(lang) }
}

/// A day as people say it: `今天`, `昨天`, `11月20日`, `2025年11月20日`; `today`, `yesterday`, `20 Nov`, `20 Nov 2025`.
#[must_use]
pub fn day(date: Date, today: Date, lang: Lang) -> String {
    match today.0 - date.0 {
        0 => texts(lang).today.to_owned(),
        1 => texts(lang).yesterday.to_owned(),
        _ => calendar_day(date, today, lang),
    }
}

/// A day by the calendar, with the year only where it is another: `11月20日`, `20 Nov 2025`.
#[must_use]
pub fn calendar_day(date: Date, today: Date, lang: Lang) -> String {
    let (year, month, day) = date.ymd();
    let month = nth(&texts(lang).months, month.saturating_sub(1));
    if year == today.ymd().0 { DayOfMonth { day, month }.text(lang) } else { DayOfYear { day, month, year }.text(lang) }
}

/// `周一`, `Mon`; from 0 for Monday.
#[must_use]
pub fn weekday(weekday: u8, lang: Lang) -> &'static str {
    nth(&texts(lang).weekdays, weekday)
}

/// The name of a month, 1-12: `1月`, `Jan`.
#[must_use]
pub fn month(month: u8, lang: Lang) -> &'static str {
    nth(&texts(lang).months, month.saturating_sub(1))
}

/// The name of a rate, from 1: `尖`, `Super-peak`.
#[must_use]
pub fn rate(rate: u8, lang: Lang) -> &'static str {
    nth(&texts(lang).rates, rate.saturating_sub(1))
}

fn nth(names: &[&'static str], index: u8) -> &'static str {
    names.get(usize::from(index)).or(names.last()).copied().unwrap_or_default()
}

/// How long ago: `刚刚`, `12 秒前`, `3 分钟前`; `just now`, `12 s ago`, `3 min ago`.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let ms = now.since(at).max(0);
    match ms {
        0..5_000 => texts(lang).just_now.to_owned(),
        5_000..MINUTE => SecondsAgo { seconds: ms / SECOND }.text(lang),
        MINUTE..HOUR => MinutesAgo { minutes: ms / MINUTE }.text(lang),
        HOUR..DAY => HoursAgo { hours: ms / HOUR }.text(lang),
        _ => DaysAgo { count: ms / DAY }.text(lang),
    }
}

/// Parts of a list: `甲，乙`, `a, b`; `None` where there are none.
#[must_use]
pub fn list(parts: impl IntoIterator<Item = String>, lang: Lang) -> Option<String> {
    parts.into_iter().reduce(|first, second| TwoParts { first, second }.text(lang))
}

/// Clauses of a sentence: `甲；乙`, `a; b`; `None` where there are none.
#[must_use]
pub fn clauses(clauses: impl IntoIterator<Item = String>, lang: Lang) -> Option<String> {
    clauses.into_iter().reduce(|first, second| TwoClauses { first, second }.text(lang))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Civil;

    fn instant(year: i64, month: u8, day: u8, hour: u8, minute: u8) -> Timestamp {
        Civil { year, month, day, hour, minute, second: 2 }.timestamp().unwrap()
    }

    #[test]
    fn times_are_relative_to_today() {
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
    fn ages_are_in_the_largest_whole_unit() {
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
