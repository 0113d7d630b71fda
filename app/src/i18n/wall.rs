//! Words of the meter wall; apart from the console's, because the browser carries these along.

use super::Lang;

#[derive(Clone, Copy)]
pub struct Words {
    pub wall: &'static str,
    pub table: &'static str,
    pub search: &'static str,
    pub all: &'static str,
    pub relay_open: &'static str,
    pub attention: &'static str,
    pub switched_off: &'static str,
    pub zoom: &'static str,
    pub heat: &'static str,
    pub tiles: &'static str,
    pub cards: &'static str,
    pub connecting: &'static str,
    pub live: &'static str,
    pub cut: &'static str,
    pub reconnecting: &'static str,
    pub ended: &'static str,
    pub log_in: &'static str,
    pub keys: &'static str,
    pub needs_script: &'static str,
    pub nothing: &'static str,
    pub clear: &'static str,
    pub remaining: &'static str,
    pub power: &'static str,
    pub observed: &'static str,
    pub lost_since: &'static str,
    pub never: &'static str,
    pub relay: &'static str,
    pub relay_is_open: &'static str,
    pub relay_is_closed: &'static str,
    pub open_room: &'static str,
    pub hint: &'static str,
    pub selected: &'static str,
    pub clear_selection: &'static str,
    pub rooms: &'static str,
    pub age: [&'static str; 4],
}

const ZH: Words = Words {
    wall: "电表墙",
    table: "表格",
    search: "房间",
    all: "全部",
    relay_open: "已断开",
    attention: "需查看",
    switched_off: "住户已关",
    zoom: "缩放",
    heat: "热图",
    tiles: "方块",
    cards: "卡片",
    connecting: "正在连接",
    live: "实时",
    cut: "连接中断，正在重连；画面停在",
    reconnecting: "连接中断，正在重连。",
    ended: "登录已失效，画面已停止更新。",
    log_in: "重新登录",
    keys: "方向键移动，回车打开房间，空格选中，加减号缩放，/ 查找。",
    needs_script: "电表墙需要脚本；相同的数据请看表格。",
    nothing: "没有符合条件的房间。",
    clear: "清除筛选",
    remaining: "剩余金额",
    power: "功率",
    observed: "观测于",
    lost_since: "失联自",
    never: "从未抄到",
    relay: "继电器",
    relay_is_open: "断开",
    relay_is_closed: "闭合",
    open_room: "打开房间",
    hint: "选一个房间查看详情。",
    selected: "已选",
    clear_selection: "取消选择",
    rooms: "间",
    age: ["秒", "分", "时", "天"],
};

const EN: Words = Words {
    wall: "Meter wall",
    table: "Table",
    search: "Room",
    all: "All",
    relay_open: "Relay open",
    attention: "Look at it",
    switched_off: "Off by resident",
    zoom: "Zoom",
    heat: "Heat map",
    tiles: "Tiles",
    cards: "Cards",
    connecting: "Connecting",
    live: "Live",
    cut: "Connection cut, reconnecting; as of",
    reconnecting: "Connection cut, reconnecting.",
    ended: "Your session has ended and the wall stands still.",
    log_in: "Log in again",
    keys: "Arrow keys move, Enter opens the room, Space selects, plus and minus zoom, / searches.",
    needs_script: "The wall needs scripts; the table shows the same.",
    nothing: "No room fits the filter.",
    clear: "Clear the filter",
    remaining: "Remaining",
    power: "Power",
    observed: "Observed",
    lost_since: "Lost since",
    never: "Never read",
    relay: "Relay",
    relay_is_open: "open",
    relay_is_closed: "closed",
    open_room: "Open the room",
    hint: "Choose a room to see more of it.",
    selected: "Selected",
    clear_selection: "Clear the selection",
    rooms: "rooms",
    age: ["s", "min", "h", "d"],
};

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(ZH, EN)
}

/// Since when a tile stands as it stands: `3 秒前观测`, `失联 12 分`.
#[must_use]
pub fn since(age: &str, lost: bool, lang: Lang) -> String {
    match (lost, lang) {
        (true, Lang::Zh) => format!("失联 {age}"),
        (true, Lang::En) => format!("Lost for {age}"),
        (false, Lang::Zh) => format!("{age}前观测"),
        (false, Lang::En) => format!("Observed {age} ago"),
    }
}

/// How old, in as little room as a tile has: `12 秒`, `3 min`.
#[must_use]
pub fn age(seconds: i64, words: &Words) -> String {
    let [second, minute, hour, day] = words.age;
    let seconds = seconds.max(0);
    let (n, unit) = match seconds {
        0..60 => (seconds, second),
        60..3_600 => (seconds / 60, minute),
        3_600..86_400 => (seconds / 3_600, hour),
        _ => (seconds / 86_400, day),
    };
    format!("{n} {unit}")
}
