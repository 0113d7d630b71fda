//! Words of the resident's pages. Sentences with figures in them are functions of `say`.

pub mod help;
pub mod say;

use super::Lang;

macro_rules! words {
    ($($key:ident: $zh:literal, $en:literal;)*) => {
        #[derive(Clone, Copy)]
        pub struct Words { $(pub $key: &'static str,)* }
        const ZH: Words = Words { $($key: $zh,)* };
        const EN: Words = Words { $($key: $en,)* };
    };
}

words! {
    nav: "主导航", "Main navigation";
    skip: "跳到正文", "Skip to the content";
    home: "首页", "Home";
    usage: "用量", "Use";
    top_up: "充值", "Top up";
    records: "记录", "Records";
    me: "我的", "Me";
    help: "使用说明", "How it works";
    back: "返回", "Back";
    balance: "电表余额", "Balance in the meter";
    supply: "供电", "Power";
    on: "已通电", "On";
    off: "已断电", "Off";
    unknown: "未知", "Unknown";
    turn_off: "断电", "Switch off";
    turn_on: "恢复供电", "Switch on";
    switching_off: "正在断电", "Switching off";
    switching_on: "正在恢复供电", "Switching on";
    progress: "查看进度", "See how far it is";
    recent_use: "最近用电", "Recent use";
    all_use: "更多用量", "More";
    recent_records: "最近充值", "Recent top-ups";
    all_records: "全部记录", "All records";
    no_records: "还没有充值记录，充值后会显示在这里。", "No top-ups yet. They appear here.";
    no_use: "还没有用电数据，读到电表后会显示在这里。", "No use recorded yet. It appears here once the meter has been read.";
    no_room: "您名下没有已开户的房间", "No room is in your name";
    no_room_next: "刚办理入住或换房时，请联系宿舍管理员开户；开户后即可在这里查看和充值。",
        "If you have just moved in or changed rooms, ask the dormitory office to open an account. Then you can see and top it up here.";
    leaving: "本户正在办理销户或换表，暂时不能充值。", "The account is being closed or its meter replaced: nothing can be topped up now.";
    was_closed: "户已销户", "The account is closed";
    is_closing: "正在销户，电表读回后完成", "The account is being closed; it is over when the meter was read";
    is_replacing: "正在更换电表，装好后余额自动充入新表", "The meter is being replaced; what was left goes into the new one by itself";
    was_left: "余额", "What was left";
    to_be_settled: "待宿舍管理处退还或转出", "to be paid out or carried over by the dormitory office";
    was_settled: "已退还或转出", "paid out or carried over";
    amount: "充值金额", "Amount";
    own_amount: "其他金额", "Another amount";
    own_hint: "填写后以此金额为准", "if filled in, this one counts";
    pay_by: "支付方式", "Pay with";
    go_pay: "去支付", "Go to payment";
    pay_now: "继续支付", "Pay now";
    no_channel: "在线支付暂未开通，请到宿舍管理处现场充值。", "Paying online is not set up yet. Top up at the dormitory office.";
    meter_full: "电表余额已接近囤积限额，暂时不能再充值，用掉一些后再来。",
        "The meter holds nearly as much as it may. Use some of it, then top up again.";
    not_opened: "正在开户，电表确认后就可以充值，一般几分钟内完成。", "Your account is being opened. You can top up as soon as the meter confirms it, within minutes as a rule.";
    lost_top_up: "电表暂时失联。现在充值，钱会先安全保存，电表恢复后自动送入，不会丢失，也不用重复支付。",
        "The meter does not answer just now. If you top up, the money is kept safe and goes into the meter by itself when it answers. Do not pay twice.";
    pay_title: "付款", "Payment";
    to_channel: "前往付款", "Go to payment";
    to_channel_note: "将打开支付页面；付款后回到本站查看进度。", "The payment page opens; come back here after paying to follow it.";
    sheet_note: "点下面的按钮，在微信里付款；付款后会自动回到订单页。", "Press the button to pay inside WeChat; afterwards the order's page opens.";
    scan: "请用微信扫码付款", "Scan with WeChat to pay";
    scan_note: "付款后点下面的按钮查看进度，一般几秒内到账。", "After paying, press the button below to follow it; it takes seconds as a rule.";
    scan_label: "付款二维码", "QR code to pay";
    open_browser: "微信内不能打开支付页面。请点右上角“…”，选择“在浏览器打开”，再继续支付。",
        "Payment pages do not open inside WeChat. Tap … at the top right, choose to open in the browser, then go on.";
    see_order: "查看进度", "Follow the top-up";
    order: "充值进度", "Top-up";
    order_number: "订单号", "Order no.";
    paid_with: "支付方式", "Paid with";
    made_at: "下单时间", "Ordered";
    purchase_count: "购电次数", "Purchase no.";
    remaining_after: "充值后余额", "Balance after it";
    step_made: "已下单", "Ordered";
    step_pay: "等待付款", "Waiting for your payment";
    step_paid: "已付款", "Paid";
    step_to_send: "送往电表", "Send to the meter";
    step_sending: "正在送往电表", "Going to the meter";
    step_sent: "已发往电表", "Sent to the meter";
    step_confirm: "等待电表确认", "Waiting for the meter to confirm";
    step_to_meter: "存入电表", "Put into the meter";
    step_in_meter: "已存入电表", "In the meter";
    step_to_account: "存入账户", "Credit to your account";
    step_in_account: "已存入账户", "Credited to your account";
    step_power_on: "已供电", "The power is on";
    step_power_coming: "正在恢复供电", "The power is coming back";
    step_not_paid: "未付款，订单已关闭", "Not paid; the order is closed";
    step_refunding: "正在退款", "Going back to you";
    step_refunded: "已退款", "Refunded";
    step_checking: "正在核对付款", "Your payment is being checked";
    step_case: "人工核对中", "Somebody is looking into it";
    note_not_paid: "如果已经扣款，核实后会自动存入电表，不用再付。",
        "If you were charged after all, it is checked and put into the meter by itself. You need not pay again.";
    note_paying: "付款后一般几秒内到账；回到本页即可看到进度。",
        "After paying it is in the meter within seconds. Come back to this page to follow it.";
    note_checking: "收到的付款信息与订单不符，正在向支付渠道核实。请勿重复支付；核实相符会自动存入，否则由管理员处理。",
        "What we were told of the payment does not fit the order, so the channel is asked. Do not pay twice: if all is well it is credited by itself, otherwise the office settles it.";
    note_refund: "按原支付方式退回。", "To where it was paid from.";
    note_case: "您的钱是安全的，请勿重复支付。管理员会处理，可凭订单号查询。",
        "Your money is safe; do not pay twice. The office will settle it; quote the order number if you ask.";
    note_full: "您的钱是安全的。电表里的余额已达上限，这笔钱暂时放不下：管理员会在用掉一些后继续送入，或原路退款。",
        "Your money is safe. The meter holds as much as it may: the office sends this in when some is used, or pays it back the way it came.";
    head_pending: "等待付款", "Waiting for your payment";
    head_paid: "正在送入电表", "Going into the meter";
    head_credited: "已存入电表", "In the meter";
    head_in_account: "已存入账户", "Credited to your account";
    head_closed: "订单已关闭", "The order is closed";
    refresh: "刷新", "Reload";
    again: "重新充值", "Top up again";
    done: "回到首页", "Back to home";
    switch: "供电开关", "Power switch";
    ask_off: "确定要断电吗？", "Switch the room off?";
    ask_on: "确定要恢复供电吗？", "Switch the room on?";
    warn_off: "整个房间的插座和照明都会断电，正在使用的电脑等设备请先关机。随时可以在这里恢复。",
        "All sockets and lights of the room go off. Shut down computers first. You can switch it on again here at any time.";
    warn_on: "电表会立即合闸。请确认电热器具等已关好，无人触碰线路。",
        "The meter closes its relay at once. Make sure that heaters are off and nobody is touching the wiring.";
    yes_off: "确定断电", "Yes, switch off";
    yes_on: "确定恢复供电", "Yes, switch on";
    no: "取消", "Cancel";
    may_not: "现在不能操作开关", "The switch cannot be used now";
    step_decided: "已提交", "Decided";
    step_off: "电表已断电", "The meter is off";
    step_on: "电表已通电", "The meter is on";
    step_read_back: "等待读回确认", "Waiting to read it back";
    step_failed: "电表没有执行", "The meter refused";
    step_superseded: "已被后来的操作替代", "A later wish took its place";
    note_failed: "供电状态没有改变，请稍后再试或联系管理员。", "Nothing changed. Try again later, or ask the office.";
    head_switched_off: "已断电", "Switched off";
    head_switched_on: "已恢复供电", "Switched on";
    head_switching_off: "正在断电", "Switching off";
    head_switching_on: "正在恢复供电", "Switching on";
    head_not_switched: "没有执行", "Not done";
    last_30: "近 30 天", "Last 30 days";
    day: "日期", "Day";
    hour: "时段", "Hour";
    cost: "电费 (元)", "Cost (yuan)";
    kwh: "用电量 (kWh)", "Use (kWh)";
    total: "合计", "Total";
    no_hours: "这一天没有按小时的数据。", "No figures by the hour for this day.";
    by_hour: "按小时的数字", "Figures by the hour";
    newer: "较新", "Newer";
    older: "较早", "Older";
    name: "姓名", "Name";
    login: "账号", "Login name";
    room: "房间", "Room";
    account: "户号", "Account no.";
    since: "开始时间", "Since";
    settings: "设置", "Settings";
    change_password: "修改密码", "Change password";
    log_out: "退出登录", "Log out";
}

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(ZH, EN)
}
