//! Sentences with figures in them.

use crate::api::resident::RefundView;
use crate::i18n::Lang::{self, En, Zh};
use crate::i18n::common;
use model::forecast::Forecast;
use model::money::Fen;
use model::time::Timestamp;

/// How long the credit lasts.
#[must_use]
pub fn lasts(forecast: Forecast, lang: Lang) -> String {
    // Beyond two months the average says little.
    const LONG: i64 = 60;
    let Forecast { days, over } = forecast;
    let past = match (lang, over) {
        (Zh, 1) => "按昨天用量".to_owned(),
        (Zh, _) => format!("按近 {over} 天用量"),
        (En, 1) => "at yesterday's use".to_owned(),
        (En, _) => format!("at your use of the last {over} days"),
    };
    match (lang, days) {
        (Zh, ..=0) => format!("{past}，不到 1 天就会用完，请尽快充值"),
        (En, ..=0) => format!("Less than a day {past}. Top up soon."),
        (Zh, LONG..) => format!("{past}，可用两个月以上"),
        (En, LONG..) => format!("More than two months {past}"),
        (Zh, _) => format!("{past}，约可用 {days} 天"),
        (En, 1) => format!("About 1 day {past}"),
        (En, _) => format!("About {days} days {past}"),
    }
}

/// The power is off since then; `why` is a clause.
#[must_use]
pub fn off_since(since: Option<Timestamp>, now: Timestamp, why: &str, lang: Lang) -> String {
    match (since.map(|since| common::at(since, now, lang)), lang) {
        (Some(since), Zh) => format!("{since} 起断电：{why}"),
        (Some(since), En) => format!("Off since {since}: {why}"),
        (None, Zh) => format!("已断电：{why}"),
        (None, En) => format!("The power is off: {why}"),
    }
}

/// Used up, and how much brings it back.
#[must_use]
pub fn used_up(amount: Fen, lang: Lang) -> String {
    let amount = whole(amount);
    match lang {
        Zh => format!("余额用完，充值 {amount} 元即可恢复"),
        En => format!("no credit left; top up {amount} yuan to restore"),
    }
}

/// The meter does not answer since then, and what it means.
#[must_use]
pub fn lost(since: Timestamp, now: Timestamp, lang: Lang) -> String {
    let since = common::at(since, now, lang);
    match lang {
        Zh => format!("电表自{since} 起失联，显示的是最后读到的数。用电照常，已充的钱不会丢。"),
        En => format!(
            "The meter has not answered since {since}; this is what it last said. Your power goes on and no money is lost."
        ),
    }
}

/// When the value was read.
#[must_use]
pub fn read(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let ago = common::ago(at, now, lang);
    match lang {
        Zh => format!("{ago}读取"),
        En => format!("read {ago}"),
    }
}

/// A purchase that is paid and under way.
#[must_use]
pub fn coming(amount: Fen, lang: Lang) -> String {
    match lang {
        Zh => format!("{amount} 元已付款，正在送入电表，请勿重复支付。"),
        En => format!("{amount} yuan are paid and on their way into the meter. Do not pay twice."),
    }
}

/// What one top-up may be.
#[must_use]
pub fn range(min: Fen, max: Fen, lang: Lang) -> String {
    let (min, max) = (whole(min), whole(max));
    match lang {
        Zh => format!("单笔 {min} 至 {max} 元"),
        En => format!("From {min} to {max} yuan"),
    }
}

/// Until when it can be paid.
#[must_use]
pub fn pay_before(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let at = common::at(at, now, lang);
    match lang {
        Zh => format!("请在{at} 前完成付款"),
        En => format!("Pay before {at}"),
    }
}

/// As read back from the meter.
#[must_use]
pub fn in_meter(count: Option<i64>, remaining: Option<Fen>, lang: Lang) -> Option<String> {
    let count = count.map(|count| match lang {
        Zh => format!("第 {count} 次购电"),
        En => format!("purchase no. {count}"),
    });
    let remaining = remaining.map(|remaining| match lang {
        Zh => format!("余额 {remaining} 元"),
        En => format!("balance {remaining} yuan"),
    });
    let parts: Vec<String> = [count, remaining].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(lang.pick("，", ", ")))
}

/// The money waits because the meter does not answer.
#[must_use]
pub fn safe(lost_since: Timestamp, next: Option<Timestamp>, now: Timestamp, lang: Lang) -> String {
    let since = common::at(lost_since, now, lang);
    let next = next.filter(|next| *next > now).map(|next| common::at(next, now, lang));
    match (lang, next) {
        (Zh, Some(next)) => {
            format!("电表自{since} 起失联。您的钱是安全的，{next} 会再试，电表一恢复就自动送入。请勿重复支付。")
        }
        (Zh, None) => format!("电表自{since} 起失联。您的钱是安全的，电表一恢复就自动送入。请勿重复支付。"),
        (En, Some(next)) => format!(
            "The meter has not answered since {since}. Your money is safe; the next try is at {next}, and it goes in as soon as the meter answers. Do not pay twice."
        ),
        (En, None) => format!(
            "The meter has not answered since {since}. Your money is safe and goes in as soon as the meter answers. Do not pay twice."
        ),
    }
}

/// The wish waits because the meter does not answer.
#[must_use]
pub fn switch_waits(lost_since: Timestamp, now: Timestamp, lang: Lang) -> String {
    let since = common::at(lost_since, now, lang);
    match lang {
        Zh => format!("电表自{since} 起失联，恢复后会继续执行。"),
        En => format!("The meter has not answered since {since}. It is told as soon as it answers."),
    }
}

/// Which money goes back, and which way.
#[must_use]
pub fn goes_back(refund: &RefundView, lang: Lang) -> String {
    let (amount, way) = (refund.amount, common::tender(refund.tender, lang));
    match (lang, refund.done_at.is_some(), refund.tender.is_channel()) {
        (Zh, true, _) => format!("{amount} 元已通过{way}退回"),
        (En, true, _) => format!("{amount} yuan were paid back by {way}"),
        (Zh, ..) if refund.by_person => format!("{amount} 元将通过{way}退回，等待管理员办理"),
        (En, ..) if refund.by_person => format!("{amount} yuan go back by {way} once the office has done its part"),
        (Zh, ..) => format!("{amount} 元正通过{way}原路退回，银行卡可能要几个工作日"),
        (En, ..) => format!("{amount} yuan are on their way back by {way}; a bank card may take some days"),
    }
}

/// How often the meter was told.
#[must_use]
pub fn tries(attempts: i64, lang: Lang) -> Option<String> {
    (attempts > 1).then(|| match lang {
        Zh => format!("已尝试 {attempts} 次"),
        En => format!("{attempts} tries so far"),
    })
}

/// What the bars show, for who cannot see them.
#[must_use]
pub fn bars(days: usize, total: &str, lang: Lang) -> String {
    match lang {
        Zh => format!("最近 {days} 天每天的用电量，合计 {total} kWh"),
        En => format!("Energy used on each of {days} days, {total} kWh in all"),
    }
}

/// The hours of a day.
#[must_use]
pub fn hours_of(day: &str, lang: Lang) -> String {
    match lang {
        Zh => format!("{day}各小时用电"),
        En => format!("Hours of {day}"),
    }
}

/// Yuan without decimals where there are none.
#[must_use]
pub fn whole(amount: Fen) -> String {
    let text = amount.to_string();
    text.strip_suffix(".00").map_or_else(|| text.clone(), str::to_owned)
}

/// When the value was read, of a meter that has fallen silent since.
#[must_use]
pub fn last_read(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let at = common::at(at, now, lang);
    match lang {
        Zh => format!("{at} 读取"),
        En => format!("read at {at}"),
    }
}
