//! Words of the console's pages for commands: what is told to meters, and how far each has come.

mod words;

pub use words::{Words, words};

use super::Lang;
use super::common;
use model::command::CommandReason;
use model::console::LeftOut;
use model::energy::Energy;
use model::issue::{Issue, Kind, Problem};
use model::money::{Fen, Money};
use model::order::CommandState;
use model::parameters::{Limits, PlanEntry, Slot, TierPeriod, Tiers};
use model::time::Timestamp;

/// What a kind is called.
#[must_use]
pub const fn kind(kind: Kind, lang: Lang) -> &'static str {
    let (zh, en) = match kind {
        Kind::Mode => ("控制方式", "Control mode"),
        Kind::Switch => ("住户开关", "Resident's switch"),
        Kind::Limits => ("限值", "Limits"),
        Kind::Prices => ("电价（立即）", "Prices, at once"),
        Kind::Standby => ("备用电价与切换时间", "Standby prices and switch-over"),
        Kind::Cancel => ("取消电价切换", "Cancel the switch-over"),
        Kind::Tiers => ("阶梯", "Tiers"),
        Kind::DayTable => ("日时段表", "Day table"),
        Kind::DatePlan => ("日期方案", "Date plan"),
        Kind::Clock => ("校时", "Clock"),
        Kind::Read => ("立即抄读", "Read now"),
    };
    lang.pick(zh, en)
}

/// What it is for, in a line.
#[must_use]
pub const fn purpose(kind: Kind, lang: Lang) -> &'static str {
    let (zh, en) = match kind {
        Kind::Mode => ("预付费、保电或强断", "Prepaid, guaranteed or forced off"),
        Kind::Switch => ("代住户合闸或关闸", "Switch on or off for the resident"),
        Kind::Limits => ("报警、透支、囤积、过载功率", "Alarms, overdraft, hoarding, overload"),
        Kind::Prices => ("马上按新电价扣费", "Charge new prices from now on"),
        Kind::Standby => ("提前存入，到时同时切换", "Loaded before, in force together"),
        Kind::Cancel => ("备用电价不再生效", "The loaded prices stay out of force"),
        Kind::Tiers => ("按月或按年的阶梯加价", "Surcharges by month or year"),
        Kind::DayTable => ("一天中各费率的起始时刻", "When each rate begins in a day"),
        Kind::DatePlan => ("一年中各时段表的起始日期", "Which day table from which date"),
        Kind::Clock => ("按服务器时间校正", "Set to the server's time"),
        Kind::Read => ("读取当前读数与状态", "Read counters and state"),
    };
    lang.pick(zh, en)
}

/// The name of a rate.
#[must_use]
pub const fn rate(rate: u8, lang: Lang) -> &'static str {
    let (zh, en) = match rate {
        1 => ("尖", "Spike"),
        2 => ("峰", "Peak"),
        3 => ("平", "Flat"),
        _ => ("谷", "Valley"),
    };
    lang.pick(zh, en)
}

/// An amount in a meter, with two decimals.
#[must_use]
pub fn amount(fen: u32) -> String {
    Fen(fen.into()).to_string()
}

/// A price or surcharge, yuan/kWh with four decimals.
#[must_use]
pub fn price(e4: u32) -> String {
    Money(e4.into()).to_string()
}

/// Energy of a threshold, kWh.
#[must_use]
pub fn threshold(centi_kwh: u32) -> String {
    Energy(i64::from(centi_kwh).saturating_mul(10)).to_string()
}

/// `尖 0.9000 · 峰 0.7000 · 平 0.5383 · 谷 0.3000 元/kWh`.
#[must_use]
pub fn prices(prices: &[u32; 4], lang: Lang) -> String {
    let parts: Vec<String> = (1..).zip(prices).map(|(n, e4)| format!("{} {}", rate(n, lang), price(*e4))).collect();
    format!("{} {}/kWh", parts.join(" · "), common::yuan(lang))
}

/// What limits say.
#[must_use]
pub fn limits(limits: &Limits, lang: Lang) -> String {
    let yuan = common::yuan(lang);
    let none = lang.pick("不限", "none");
    let hoarding = if limits.hoarding == 0 { none.to_owned() } else { format!("{} {yuan}", amount(limits.hoarding)) };
    let power = if limits.overload_w == 0 { none.to_owned() } else { format!("{} W", limits.overload_w) };
    let (alarm1, alarm2, overdraft) = (amount(limits.alarm1), amount(limits.alarm2), amount(limits.overdraft));
    match lang {
        Lang::Zh => {
            format!("报警一 {alarm1} 元 · 报警二 {alarm2} 元 · 透支 {overdraft} 元 · 囤积 {hoarding} · 过载 {power}")
        }
        Lang::En => format!(
            "alarm 1 {alarm1} yuan · alarm 2 {alarm2} yuan · overdraft {overdraft} yuan · hoarding {hoarding} · overload {power}"
        ),
    }
}

/// What tiers say.
#[must_use]
pub fn tiers(tiers: &Tiers, lang: Lang) -> String {
    let period = match tiers.period {
        TierPeriod::None => return lang.pick("不分阶梯", "no tiers").to_owned(),
        TierPeriod::Month => lang.pick("每月", "by month"),
        TierPeriod::Year => lang.pick("每年", "by year"),
    };
    let ([second, third], [more, most]) = (tiers.thresholds, tiers.surcharges);
    let (second, third, more, most) = (threshold(second), threshold(third), price(more), price(most));
    match lang {
        Lang::Zh => format!("{period} · 超过 {second} kWh 加 {more} 元 · 超过 {third} kWh 加 {most} 元"),
        Lang::En => format!("{period} · above {second} kWh +{more} yuan · above {third} kWh +{most} yuan"),
    }
}

/// What a day table says.
#[must_use]
pub fn slots(slots: &[Slot], lang: Lang) -> String {
    if slots.is_empty() {
        return lang.pick("全天平", "flat all day").to_owned();
    }
    let part = |slot: &Slot| format!("{:02}:{:02} {}", slot.hour, slot.minute, rate(slot.rate, lang));
    slots.iter().map(part).collect::<Vec<_>>().join(" · ")
}

/// What a date plan says.
#[must_use]
pub fn plan(entries: &[PlanEntry], lang: Lang) -> String {
    if entries.is_empty() {
        return lang.pick("不分时段，全年平", "no tables: flat all year").to_owned();
    }
    let part = |entry: &PlanEntry| match lang {
        Lang::Zh => format!("{}月{}日起用表 {}", entry.month, entry.day, entry.table),
        Lang::En => format!("from {:02}-{:02} table {}", entry.month, entry.day, entry.table),
    };
    entries.iter().map(part).collect::<Vec<_>>().join(" · ")
}

/// An instant in full, as one writes it down.
fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
}

/// Where a command stands; a step that is still ahead does not carry the word of its end.
#[must_use]
pub const fn state(state: CommandState, lang: Lang) -> &'static str {
    let t = words(lang);
    match state {
        CommandState::Queued => t.waiting,
        CommandState::Sending => t.sending,
        CommandState::Done => t.done,
        CommandState::Failed | CommandState::Case => t.failed,
        CommandState::Superseded => t.dropped,
    }
}

/// An issue in a line.
#[must_use]
pub fn say(issue: &Issue, lang: Lang) -> String {
    let name = kind(issue.kind(), lang);
    let values = match issue {
        Issue::Mode(mode) => common::mode(*mode, lang).to_owned(),
        Issue::Switch(true) => lang.pick("合闸", "on").to_owned(),
        Issue::Switch(false) => lang.pick("关闸", "off").to_owned(),
        Issue::Limits(values) => limits(values, lang),
        Issue::Prices(values) => prices(values, lang),
        Issue::Standby { prices: values, at } => match lang {
            Lang::Zh => format!("{} 起 {}", instant(*at), prices(values, lang)),
            Lang::En => format!("from {} {}", instant(*at), prices(values, lang)),
        },
        Issue::Tiers(values) => tiers(values, lang),
        Issue::DayTable { table, slots: values } => format!("{} {table} · {}", lang.pick("表", "table"), slots(values, lang)),
        Issue::DatePlan(entries) => plan(entries, lang),
        Issue::Cancel | Issue::Clock | Issue::Read => return name.to_owned(),
    };
    format!("{name}{}{values}", lang.pick("：", ": "))
}

/// What it will do to those meters.
#[must_use]
pub fn consequence(issue: &Issue, meters: usize, lang: Lang) -> String {
    let what = match (issue, lang) {
        (Issue::Mode(mode), _) => {
            let whom = if meters == 1 { lang.pick("该房间", "this room").to_owned() } else { many(meters, lang) };
            return super::room::consequence(*mode, &whom, lang);
        }
        (Issue::Switch(true), Lang::Zh) => "住户开关将合上：有余额即通电。屋内留着的电器会立即启动。",
        (Issue::Switch(true), Lang::En) => {
            "The resident's switch is turned on: power flows where there is credit. Appliances left on start at once."
        }
        (Issue::Switch(false), Lang::Zh) => "住户开关将关闭，立即断电；住户可以自己合上。",
        (Issue::Switch(false), Lang::En) => {
            "The resident's switch is turned off and power ends at once; residents can turn it on again."
        }
        (Issue::Limits(_), Lang::Zh) => "报警、透支、囤积和过载功率将改为上面的值；余额已低于报警值的会立即报警。",
        (Issue::Limits(_), Lang::En) => {
            "Alarms, overdraft, hoarding and overload become these; meters already below an alarm amount warn at once."
        }
        (Issue::Prices(_), Lang::Zh) => "读回之后立即按新电价扣费，各表生效时刻相差到下发完成为止。要同时切换，请用备用电价。",
        (Issue::Prices(_), Lang::En) => {
            "Each meter charges the new prices from the moment it takes them. To change all together, load standby prices."
        }
        (Issue::Standby { .. }, Lang::Zh) => {
            "新电价先存入电表，到切换时刻由电表自己切换；之后逐块读回，漏切的单独列出。切换时刻以后才恢复通信的，恢复时直接改为新电价。"
        }
        (Issue::Standby { .. }, Lang::En) => {
            "The prices are loaded now and each meter switches by itself at that time. Afterwards every meter is read; those that missed it are listed. A meter that comes back later gets the prices at once."
        }
        (Issue::Cancel, Lang::Zh) => "已存入的备用电价不再切换，继续按现行电价扣费。",
        (Issue::Cancel, Lang::En) => "The loaded prices do not come into force; the present ones stay.",
        (Issue::Tiers(_), Lang::Zh) => "阶梯加价立即改变；周期与原来不同的，本周期用电量从零重新累计。",
        (Issue::Tiers(_), Lang::En) => {
            "Surcharges change at once; where the period is another, use in the period counts from zero again."
        }
        (Issue::DayTable { .. }, Lang::Zh) => "该时段表在日期方案用到它的日子里生效。",
        (Issue::DayTable { .. }, Lang::En) => "This day table is in force on the days for which the date plan names it.",
        (Issue::DatePlan(_), Lang::Zh) => "从今天起按这个方案选用时段表。",
        (Issue::DatePlan(_), Lang::En) => "From today on the day tables are chosen by this plan.",
        (Issue::Clock, Lang::Zh) => "电表时钟改为服务器时间。靠近零点和整点时不建议校时。",
        (Issue::Clock, Lang::En) => "The meters' clocks are set to the server's time. Better not near midnight or the hour.",
        (Issue::Read, Lang::Zh) => "读取当前读数，不改变任何设置。",
        (Issue::Read, Lang::En) => "Counters and state are read; nothing is changed.",
    };
    what.to_owned()
}

/// `12 块电表`, `12 meters`.
#[must_use]
pub fn many(meters: usize, lang: Lang) -> String {
    match (lang, meters) {
        (Lang::Zh, n) => format!("{n} 块电表"),
        (Lang::En, 1) => "1 meter".to_owned(),
        (Lang::En, n) => format!("{n} meters"),
    }
}

/// Why a meter is left out.
#[must_use]
pub const fn left_out(why: LeftOut, lang: Lang) -> &'static str {
    let (zh, en) = match why {
        LeftOut::Lost => ("失联", "does not answer"),
        LeftOut::Ability => ("表型不支持", "its model cannot do it"),
        LeftOut::NotOpen => ("未开户", "no account is open"),
    };
    lang.pick(zh, en)
}

/// What is wrong with a form, and the remedy.
#[must_use]
pub const fn problem(problem: Problem, lang: Lang) -> &'static str {
    let (zh, en) = match problem {
        Problem::Choice(_) => ("请选择一项。", "Choose one."),
        Problem::Amount(_) => ("金额请填写元，0 到 21474836.47，最多两位小数。", "Give amounts in yuan, at most two decimals."),
        Problem::Alarms => ("报警二不能高于报警一。", "Alarm 2 may not be above alarm 1."),
        Problem::Power => ("过载功率请填写 0 到 65535 瓦，0 表示不限。", "Overload is 0 to 65535 W; 0 means none."),
        Problem::Price(_) => (
            "电价请填写大于 0、不超过 10 元/kWh，最多四位小数。",
            "A price is above 0 and at most 10 yuan/kWh, with at most four decimals.",
        ),
        Problem::SwitchOver => {
            ("切换时间至少在 5 分钟之后、400 天之内。", "The switch-over is at least 5 minutes and at most 400 days ahead.")
        }
        Problem::Energy(_) => ("阶梯电量请填写 kWh，最多两位小数。", "Give thresholds in kWh with at most two decimals."),
        Problem::Thresholds => ("第三档起点不能低于第二档。", "Tier 3 may not begin below tier 2."),
        Problem::Slots => ("时段从 00:00 开始，依次递增，每段选一个费率。", "Slots begin at 00:00 and ascend, each with a rate."),
        Problem::Plan => {
            ("日期要真实存在、依次递增，并选时段表 1 或 2。", "Dates must exist and ascend, each with table 1 or 2.")
        }
    };
    lang.pick(zh, en)
}

/// Why a command waits, failed, or was given up; the stored word for reasons without a text.
#[must_use]
pub fn reason(reason: CommandReason, lang: Lang) -> String {
    let (zh, en) = match reason {
        CommandReason::Lost => ("电表不应答", "the meter does not answer"),
        CommandReason::GatewayLost => ("通信管理机不应答", "the gateway does not answer"),
        CommandReason::Busy => ("电表忙，稍后再试", "the meter is busy; tried again soon"),
        CommandReason::Unreadable => ("应答无法识别", "an answer that cannot be read"),
        CommandReason::SerialMismatch => ("该地址上是另一块表", "another meter answers at this address"),
        CommandReason::Unconfirmed => ("已发送，尚未读回", "sent, not read back yet"),
        CommandReason::UnknownMeter => ("电表不在运行", "the meter is not in service"),
        CommandReason::Invalid => ("参数无法识别", "the values make no sense"),
        CommandReason::Superseded => ("被更新的指令替代", "a newer command took its place"),
        CommandReason::Cancelled => ("发出前已取消", "taken back before it was sent"),
        CommandReason::Relay => ("已执行，但继电器没有动作", "done, but the relay did not follow"),
        CommandReason::Missed => ("仍按旧电价计费", "still charges the old prices"),
        CommandReason::Password => ("电表不认密码，或未配置密码", "the meter does not know the password, or none is configured"),
        CommandReason::NotKept => ("已发送，电表没有保存", "sent, and the meter did not keep it"),
        CommandReason::Refund => ("改为退款", "its money goes back"),
        CommandReason::Late => ("错过了合适的时刻", "its moment has passed"),
        CommandReason::OutOfRange => ("电表认为超出范围", "out of the meter's range"),
        CommandReason::NotOpen => ("电表未开户", "no account is open"),
        CommandReason::FrameRefused => ("电表拒收", "the meter would not take it"),
        other => return other.as_str().to_owned(),
    };
    lang.pick(zh, en).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_said_with_its_values() {
        let limits = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 0, overload_w: 1_800 };
        assert_eq!(
            say(&Issue::Limits(limits), Lang::Zh),
            "限值：报警一 20.00 元 · 报警二 5.00 元 · 透支 0.00 元 · 囤积 不限 · 过载 1800 W"
        );
        assert_eq!(
            say(&Issue::Prices([9_000, 7_000, 5_383, 3_000]), Lang::En),
            "Prices, at once: Spike 0.9000 · Peak 0.7000 · Flat 0.5383 · Valley 0.3000 yuan/kWh"
        );
        assert_eq!(say(&Issue::Clock, Lang::Zh), "校时");
    }
}
