//! Words of account life: residents, meters, closing, moving, replacing.

use super::till::catalogue;
use super::{Lang, common};
use model::console::{BalanceTarget, ClosingKind, WithdrawalRefusal};
use model::money::Fen;

catalogue! {
    title: "户的变更", "The account";
    under_way: "这一户或这块表正在办理变更，办完之前不能售电和退电。", "This account or meter is being changed; nothing is sold or returned until that is done.";
    see: "查看进度", "See how far it is";
    residents: "住户", "Residents";
    remove: "移出", "Take out";
    add_resident: "添加住户", "Add a resident";
    add_resident_hint: "添加后此人即可用登录名查看本房间、充值和开关电。已有登录名且名下没有房间的住户，只填登录名，不填密码。",
        "They can then log in, see this room, top up and switch. Somebody who has a login name and no room now: give that name alone, and no password.";
    name: "姓名", "Name";
    login: "登录名", "Login name";
    password: "初始密码", "First password";
    add_meter: "加装电表", "Add a meter";
    add_meter_hint: "把本房间另一块未开户的电表加入本户。", "Puts another meter of this room, one without an account, on this account.";
    meter: "表号", "Meter";
    no_free: "本房间没有其他未开户的电表。", "No other meter of this room is without an account.";
    siblings: "本户的其他电表", "Other meters of this account";
    close: "销户", "Close the account";
    close_hint: "先抄读并关闭电表，电表确认后余额才退还或转入别的户；关闭后断电。",
        "The meter is read and closed first; only when it confirmed, what is left is paid out or put into another account. The power goes off.";
    to_counter: "退给住户", "Paid out by";
    to_account: "或转入户号", "or into account number";
    to_account_hint: "填写后余额转入该户的电表，不再付现。", "If given, what is left goes into that account's meter and nothing is paid out.";
    relocate: "换房", "Move to another room";
    relocate_hint: "住户立即改到新房间，原房间销户，余额在原表读回后充入新房间的电表。",
        "The residents have the new room at once; the old room's account is closed, and what is left goes into the new room's meter when the old one was read.";
    new_room: "新房间", "New room";
    choose_room: "选择新房间", "Choose the new room";
    no_room: "没有找到这个房间。", "No such room was found.";
    replace: "换表", "Replace the meter";
    replace_hint: "先抄读并关闭旧表（断电），装好新表后填写新表号，余额自动充入新表一次。",
        "The old meter is read and closed first (the power goes off). When the new one is in place, give its number; what was left goes into it, once.";
    replace_settings: "表内的限额、电价和控制模式会照旧表下发到新表；阶梯用量从零起计，表内没有设置它的指令。",
        "The old meter's limits, prices and mode are sent to the new one. Its tier use begins at nothing: meters have no command that sets it.";
    replace_ledger: "余额、限额和阶梯用量都在账上，照旧延续。", "Credit, limits and tier use are on the ledger and go on as they are.";
    swap_hint: "这块表没有开户：装好新表后填写新表号，旧表停用；表内的限额、电价和模式照旧表下发到新表。",
        "No account is on this meter: when the new one is in place, give its number; the old one is retired, and its limits, prices and mode are sent to the new one.";
    reason: "原因", "Reason";
    go_on: "下一步", "Go on";
    new_serial: "新表号（12 位）", "New meter's number (12 digits)";
    gateway: "管理机（不选则同旧表）", "Gateway (as the old one, if none is chosen)";
    unit: "站号（不填则同旧表）", "Unit id (as the old one, if empty)";
    profile: "表型（不填则同旧表）", "Profile (as the old one, if empty)";
    as_before: "同旧表", "As the old one";
    install: "装上新表", "Put it in place";
    install_hint: "旧表停用；新表按本户开户，余额和未到表的售电充入新表，再把旧表最后读到的限额、电价、阶梯、时段表和控制模式逐项下发并读回。",
        "The old meter is retired, the new one opened for this account, and what was left is sent into it with what could not reach the old one. Then it is told the limits, prices, tiers, tables and mode that were last read in the old one; each is read back.";
    install_hint_ledger: "旧表停用；新表接着本户计量。余额、限额和阶梯用量在账上，照旧延续。",
        "The old meter is retired and the new one goes on for this account. Credit, limits and tier use are on the ledger and go on as they are.";
    install_unknown: "旧表的参数从未读到：装好后请在新表的房间页另行设置。", "The old meter's parameters were never read: set the new one on its room's page afterwards.";
    install_tiers: "新表的阶梯用量从零起计，本期内可能少收阶梯加价：电表没有设置阶梯用量的指令。",
        "The new meter counts its tier use from nothing, so this period may be charged too little: meters have no command that sets it.";
    settings: "新表的参数", "The new meter's settings";
    withdraw: "撤回", "Take it back";
    withdraw_hint: "电表还没有收到指令，钱也没有动：撤回后一切照旧。", "No meter was told anything yet and no money has moved: everything stays as it was.";
    withdrawn: "已撤回，一切照旧", "Taken back; everything stays as it was";
    decided: "已决定", "Decided";
    asked: "等待下发关闭指令", "Still to be told to close";
    to_read: "等待电表读回", "To be read back";
    wait_reading: "等待最后一次抄读", "Waits for the last reading";
    lost: "电表失联：恢复通信后自动继续，也可由人工确认", "The meter is lost: it goes on by itself when it answers; or count it below";
    held: "下发存疑，见待办", "In doubt: see the cases";
    read: "已读回并关闭", "Read back and closed";
    counted: "人工确认", "Counted by a person";
    left: "余额", "Left";
    written_off: "核销", "Written off";
    total: "止码（kWh）", "Counter (kWh)";
    to_settle: "余额去向", "Where the money goes";
    nothing_left: "没有余额", "Nothing was left";
    approve: "退款待复核", "The return waits for approval";
    pay: "待付款", "To be paid out";
    paid: "已付款", "Paid out";
    came_to_nothing: "退款未获同意，请重新决定余额去向", "The return was not approved: decide anew";
    carried: "已转入", "Carried over";
    carrying: "正在下发到新表", "On its way into the meter";
    wait_meter: "等待装上新表", "Waits for the new meter";
    done: "办结", "Done";
    count_title: "人工确认止码和余额", "Count a meter that cannot be read";
    count_hint: "电表损坏、遗失或长期失联时使用：按表上显示或最后一次抄读填写。确认后不再向这块表下发任何指令，多填的钱无法收回。",
        "For a meter that is broken, gone or lost for good: as its display or the last reading says. Nothing is sent to it afterwards, and what is said too much cannot be had back.";
    remaining: "剩余金额（元，透支填负数）", "Left in it (yuan, negative if overdrawn)";
    count_total: "总电量止码（kWh）", "Counter (kWh)";
    count: "确认", "Count it";
    decide_title: "改变余额去向", "Send the money another way";
    not_replaced: "不再换表：销户并退还余额", "Not replaced after all: close the account";
    decide: "决定", "Decide";
    stranded: "未能到表的售电", "Purchases that could not reach the meter";
    stranded_hint: "钱已收到，但电表已关闭。转入另一户，或退还付款人。", "The money is here and the meter closed. Send it to another account, or give it back.";
    send_on: "转入该户", "Send there";
    give_back: "退还", "Give back";
    old_room: "原房间", "The room";
    account: "户号", "Account";
    by: "经手人", "By";
}

/// What a closing is called.
#[must_use]
pub const fn kind(kind: ClosingKind, lang: Lang) -> &'static str {
    let t = words(lang);
    match kind {
        ClosingKind::Close => t.close,
        ClosingKind::Move => t.relocate,
        ClosingKind::Replace => t.replace,
    }
}

/// Why a closing cannot be taken back any more.
#[must_use]
pub const fn why_kept(kept: WithdrawalRefusal, lang: Lang) -> &'static str {
    let (zh, en) = match kept {
        WithdrawalRefusal::Told => (
            "已通知电表关闭，不能再撤回；办完后可重新开户。",
            "A meter was told to close, so this cannot be taken back; open an account anew when it is done.",
        ),
        WithdrawalRefusal::Read => {
            ("电表已读回并关闭，不能再撤回。", "A meter was read and closed, so this cannot be taken back.")
        }
        WithdrawalRefusal::Arrived => (
            "新房间已经开户或收款，不能再撤回；可再换回来。",
            "The account in the new room has begun, so this cannot be taken back; move it back instead.",
        ),
    };
    lang.pick(zh, en)
}

/// What closing will do to whom.
#[must_use]
pub fn close_consequence(whom: &str, goes: &BalanceTarget, held: Option<Fen>, lang: Lang) -> String {
    let yuan = common::yuan(lang);
    let overdrawn = held.is_some_and(|held| held < Fen::ZERO);
    let owed = match lang {
        Lang::Zh if overdrawn => "该户已透支：欠款将被核销，如需收回请先售电补足。",
        Lang::En if overdrawn => " It is overdrawn: what is owed is written off unless it is paid by a sale first.",
        _ => "",
    };
    let about = held.filter(|held| *held > Fen::ZERO);
    match lang {
        Lang::Zh => {
            let about = about.map(|held| format!("（约 {held} {yuan}）")).unwrap_or_default();
            let way = match goes {
                BalanceTarget::Counter(tender) => format!("以{}退给住户", common::tender(*tender, lang)),
                BalanceTarget::Account(number) => format!("转入户号 {number}"),
            };
            format!("将为 {whom} 销户：抄读并关闭电表、断电，余额{about}{way}；住户不再能看到这个房间。{owed}")
        }
        Lang::En => {
            let about = about.map(|held| format!(" (about {held} {yuan})")).unwrap_or_default();
            let way = match goes {
                BalanceTarget::Counter(tender) => format!("is paid out ({})", common::tender(*tender, lang)),
                BalanceTarget::Account(number) => format!("goes into account {number}"),
            };
            format!(
                "This closes the account of {whom}: its meters are read and closed, the power goes off, what is left{about} {way}, and the residents lose the room.{owed}"
            )
        }
    }
}

/// What moving will do to whom.
#[must_use]
pub fn move_consequence(whom: &str, to: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("将把 {whom} 换到 {to}：新房间立即开户，原房间抄读后销户断电，余额充入新房间的电表。"),
        Lang::En => format!(
            "This moves {whom} to {to}: the new room is opened at once, the old one is read, closed and cut off, and what is left goes into the new room's meter."
        ),
    }
}

/// What replacing will do to whom.
#[must_use]
pub fn replace_consequence(whom: &str, serial: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("将抄读并关闭 {whom} 的电表 {serial}，房间断电，直到装上新表；余额之后充入新表。"),
        Lang::En => format!(
            "This reads and closes meter {serial} of {whom}: the room has no power until the new meter is in place, which then gets what was left."
        ),
    }
}

/// What adding a meter will do to whom.
#[must_use]
pub fn meter_consequence(whom: &str, serial: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("将把电表 {serial} 加入 {whom} 的户，在表内开户，之后可分别售电。"),
        Lang::En => format!("This puts meter {serial} on the account of {whom} and opens it there; it is sold to by itself."),
    }
}

/// What taking a resident out will do.
#[must_use]
pub fn out_consequence(login: &str, room: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{login} 将立即不能再查看、充值和开关 {room}；余额和其他住户不受影响。"),
        Lang::En => format!("{login} can no longer see, top up or switch {room}; its credit and the other residents stay."),
    }
}
