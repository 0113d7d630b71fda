//! Words of the operator's page of a room, and the sentences that say what an action will do to whom.

use super::{Lang, common};
use model::console::{AccountState, CommandContent};
use model::meter::ControlMode;
use model::money::Fen;
use model::reading::{ReadingQuality, ReadingSource};

#[derive(Clone, Copy)]
pub struct Words {
    pub now: &'static str,
    pub remaining: &'static str,
    pub power: &'static str,
    pub voltage: &'static str,
    pub current: &'static str,
    pub total: &'static str,
    pub relay: &'static str,
    pub relay_open: &'static str,
    pub relay_closed: &'static str,
    pub switched_off: &'static str,
    pub observed: &'static str,
    pub lost_since: &'static str,
    pub never: &'static str,
    pub count: &'static str,
    pub account: &'static str,
    pub residents: &'static str,
    pub not_open: &'static str,
    pub measures_only: &'static str,
    pub login: &'static str,
    pub meter: &'static str,
    pub sale: &'static str,
    pub amount: &'static str,
    pub tender: &'static str,
    pub go_on: &'static str,
    pub confirm: &'static str,
    pub back: &'static str,
    pub control: &'static str,
    pub read_now: &'static str,
    pub read_asked: &'static str,
    pub open_account: &'static str,
    pub open_hint: &'static str,
    pub name: &'static str,
    pub first_password: &'static str,
    pub password_hint: &'static str,
    pub first_purchase: &'static str,
    pub first_hint: &'static str,
    pub first_hint_meters: &'static str,
    pub also_meters: &'static str,
    pub more_residents: &'static str,
    pub commands: &'static str,
    pub no_commands: &'static str,
    pub decided: &'static str,
    pub sent: &'static str,
    pub read_back: &'static str,
    pub to_read_back: &'static str,
    pub not_sent: &'static str,
    pub taken_back: &'static str,
    pub refused: &'static str,
    pub settled: &'static str,
    pub replaced: &'static str,
    pub waits: &'static str,
    pub waits_lost: &'static str,
    pub tries: &'static str,
    pub by_system: &'static str,
    pub days: &'static str,
    pub readings: &'static str,
    pub no_readings: &'static str,
    pub time: &'static str,
    pub quality: &'static str,
    pub source: &'static str,
    pub remaining_yuan: &'static str,
    pub total_kwh: &'static str,
    pub reverse_kwh: &'static str,
    pub power_w: &'static str,
    pub voltage_v: &'static str,
    pub current_a: &'static str,
    pub cases: &'static str,
}

const ZH: Words = Words {
    now: "现在",
    remaining: "剩余金额",
    power: "功率",
    voltage: "电压",
    current: "电流",
    total: "总电量",
    relay: "继电器",
    relay_open: "断开",
    relay_closed: "闭合",
    switched_off: "住户已关闸",
    observed: "观测于",
    lost_since: "失联自",
    never: "从未抄到",
    count: "购电次数",
    account: "户",
    residents: "住户",
    not_open: "未开户",
    measures_only: "计量仪表，只计量，不售电",
    login: "登录名",
    meter: "电表",
    sale: "售电",
    amount: "金额（元）",
    tender: "付款方式",
    go_on: "下一步",
    confirm: "确认",
    back: "返回",
    control: "控制",
    read_now: "立即抄读",
    read_asked: "已要求立即抄读，新读数会显示在这一页。",
    open_account: "开户",
    open_hint: "开户后住户可用登录名查看余额、充值和开关电。",
    name: "住户姓名",
    first_password: "初始密码",
    password_hint: "至少 10 位；请住户首次登录后修改。",
    first_purchase: "首次购电（元）",
    first_hint: "可不填，以后再售。",
    first_hint_meters: "可不填，以后再售；充入本页这块电表。",
    also_meters: "同时开户的其他电表",
    more_residents: "更多住户（空行不计）",
    commands: "指令",
    no_commands: "还没有下发过指令。",
    decided: "已决定",
    sent: "已下发",
    read_back: "已读回",
    to_read_back: "待读回",
    not_sent: "没有发出",
    taken_back: "发出前已取消",
    refused: "电表拒绝，未执行",
    settled: "待人工处理",
    replaced: "被后来的指令替代",
    waits: "等待下发",
    waits_lost: "电表失联，恢复后立即下发",
    tries: "次尝试",
    by_system: "系统",
    days: "近 14 天用电",
    readings: "最近读数",
    no_readings: "还没有读数。",
    time: "时间",
    quality: "质量",
    source: "来源",
    remaining_yuan: "剩余（元）",
    total_kwh: "总电量（kWh）",
    reverse_kwh: "其中反向（kWh）",
    power_w: "功率（W）",
    voltage_v: "电压（V）",
    current_a: "电流（A）",
    cases: "待处理",
};

const EN: Words = Words {
    now: "Now",
    remaining: "Remaining",
    power: "Power",
    voltage: "Voltage",
    current: "Current",
    total: "Energy",
    relay: "Relay",
    relay_open: "open",
    relay_closed: "closed",
    switched_off: "switched off by the resident",
    observed: "Observed",
    lost_since: "Lost since",
    never: "Never read",
    count: "Purchase count",
    account: "Account",
    residents: "Residents",
    not_open: "not open",
    measures_only: "an instrument: it only measures",
    login: "Login name",
    meter: "Meter",
    sale: "Sell",
    amount: "Amount (yuan)",
    tender: "Paid by",
    go_on: "Go on",
    confirm: "Confirm",
    back: "Back",
    control: "Control",
    read_now: "Read now",
    read_asked: "The meter will be read at once; the reading shows on this page.",
    open_account: "Open an account",
    open_hint: "The resident can then log in to see the balance, top up, and switch the room.",
    name: "Resident's name",
    first_password: "First password",
    password_hint: "At least 10 characters; ask the resident to change it.",
    first_purchase: "First purchase (yuan)",
    first_hint: "May stay empty and be sold later.",
    first_hint_meters: "May stay empty and be sold later; it goes into the meter of this page.",
    also_meters: "Other meters on the same account",
    more_residents: "More residents (empty rows are nobody)",
    commands: "Commands",
    no_commands: "No command has been sent yet.",
    decided: "Decided",
    sent: "Sent",
    read_back: "Read back",
    to_read_back: "to be read back",
    not_sent: "not sent",
    taken_back: "taken back before it was sent",
    refused: "Refused by the meter; nothing changed",
    settled: "Waits for a person",
    replaced: "Replaced by a later command",
    waits: "Waiting to be sent",
    waits_lost: "The meter is lost; sent as soon as it answers",
    tries: "tries",
    by_system: "system",
    days: "Use of the last 14 days",
    readings: "Last readings",
    no_readings: "No readings yet.",
    time: "Time",
    quality: "Quality",
    source: "Source",
    remaining_yuan: "Remaining (yuan)",
    total_kwh: "Energy (kWh)",
    reverse_kwh: "Reverse (kWh)",
    power_w: "Power (W)",
    voltage_v: "Voltage (V)",
    current_a: "Current (A)",
    cases: "Open cases",
};

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(ZH, EN)
}

/// Which resident of a form.
#[must_use]
pub fn resident(number: usize, lang: Lang) -> String {
    format!("{} {number}", lang.pick("住户", "Resident"))
}

/// What a control mode will do to whom.
#[must_use]
pub fn consequence(mode: ControlMode, whom: &str, lang: Lang) -> String {
    match (mode, lang) {
        (ControlMode::ForcedOff, Lang::Zh) => {
            format!("将断开 {whom} 的供电，无论余额多少；住户不能自行合闸，直到改回预付费或保电。")
        }
        (ControlMode::ForcedOff, Lang::En) => format!(
            "This cuts the power of {whom}, whatever the credit. The residents cannot switch it on until the mode is changed back."
        ),
        (ControlMode::Guaranteed, Lang::Zh) => {
            format!("将使 {whom} 持续供电，余额用尽也不断电；用电照常扣费，可能透支；住户不能自行关闸。")
        }
        (ControlMode::Guaranteed, Lang::En) => format!(
            "This keeps {whom} supplied even when the credit is used up. Use is still charged and may overdraw; the residents cannot switch."
        ),
        (ControlMode::Prepaid, Lang::Zh) => format!("{whom} 将恢复按余额供电：有余额即通电，用尽即断电。"),
        (ControlMode::Prepaid, Lang::En) => {
            format!("{whom} will be supplied by credit again: on while there is credit, off when it is used up.")
        }
    }
}

/// What a sale will do to whom.
#[must_use]
pub fn sale_consequence(amount: Fen, tender: &str, whom: &str, after: Option<Fen>, lang: Lang) -> String {
    let yuan = common::yuan(lang);
    match lang {
        Lang::Zh => {
            let after = after.map(|after| format!("到账后约 {after} {yuan}。")).unwrap_or_default();
            format!("向 {whom} 售电 {amount} {yuan}（{tender}），下发到电表。{after}")
        }
        Lang::En => {
            let after = after.map(|after| format!(" It will then hold about {after} {yuan}.")).unwrap_or_default();
            format!("This sells {amount} {yuan} ({tender}) to {whom} and sends it to the meter.{after}")
        }
    }
}

/// What a return will do to whom.
#[must_use]
pub fn return_consequence(amount: Fen, tender: &str, whom: &str, lang: Lang) -> String {
    let yuan = common::yuan(lang);
    match lang {
        Lang::Zh => format!("从 {whom} 的电表退出 {amount} {yuan}，电表确认后以{tender}付给住户。"),
        Lang::En => format!("This takes {amount} {yuan} out of the meter of {whom}; once it confirms, pay it out ({tender})."),
    }
}

/// What is added where the meter does not answer.
#[must_use]
pub const fn though_lost(lang: Lang) -> &'static str {
    lang.pick(
        "电表当前失联：指令会先保存，恢复通信后立即下发。",
        "The meter does not answer now: the command is kept and sent as soon as it does.",
    )
}

/// A command in words.
#[must_use]
pub fn what(what: &CommandContent, lang: Lang) -> String {
    let yuan = common::yuan(lang);
    match what {
        CommandContent::Open => lang.pick("开户", "Open the account").to_owned(),
        CommandContent::Credit(amount) => format!("{} {amount} {yuan}", lang.pick("售电", "Credit")),
        CommandContent::Debit(amount) => format!("{} {amount} {yuan}", lang.pick("退电", "Debit")),
        CommandContent::Close => lang.pick("销户", "Close the account").to_owned(),
        CommandContent::Mode(mode) => format!("{} {}", lang.pick("设为", "Set to"), common::mode(*mode, lang)),
        CommandContent::Relay(true) => lang.pick("继电器合闸", "Close the relay").to_owned(),
        CommandContent::Relay(false) => lang.pick("继电器断开", "Open the relay").to_owned(),
        CommandContent::Switch(true) => lang.pick("住户合闸", "Resident switches on").to_owned(),
        CommandContent::Switch(false) => lang.pick("住户关闸", "Resident switches off").to_owned(),
        CommandContent::Issue(issue) => super::commands::say(issue, lang),
        CommandContent::Other(kind) => format!("{} {}", lang.pick("设置", "Setting"), kind.as_str()),
    }
}

/// Where an account stands.
#[must_use]
pub const fn account(state: AccountState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        AccountState::Opening => ("开户中", "Being opened"),
        AccountState::Open => ("已开户", "Open"),
        AccountState::Closing => ("销户中", "Being closed"),
        AccountState::Closed => ("已销户", "Closed"),
    };
    lang.pick(zh, en)
}

#[must_use]
pub const fn quality(quality: ReadingQuality, lang: Lang) -> &'static str {
    let (zh, en) = match quality {
        ReadingQuality::Good => ("正常", "good"),
        ReadingQuality::Rollover => ("翻转", "rollover"),
        ReadingQuality::Fell => ("倒走", "fell"),
        ReadingQuality::Jumped => ("跳变", "jumped"),
        ReadingQuality::Disordered => ("乱序", "out of order"),
        ReadingQuality::Reset => ("清零", "reset"),
        ReadingQuality::Begun => ("人工重新起计", "begun anew by a person"),
        ReadingQuality::Settled => ("人工计入", "counted by a person"),
    };
    lang.pick(zh, en)
}

#[must_use]
pub const fn source(source: ReadingSource, lang: Lang) -> &'static str {
    let (zh, en) = match source {
        ReadingSource::Sweep => ("巡抄", "sweep"),
        ReadingSource::OnDemand => ("点抄", "on demand"),
        ReadingSource::ReadBack => ("下发读回", "read back"),
        ReadingSource::Freeze => ("冻结", "freeze"),
    };
    lang.pick(zh, en)
}
