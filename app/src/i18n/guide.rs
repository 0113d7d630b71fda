//! The operator's guide: what one does at which hour, in the order in which a new colleague needs it.

use super::Lang;

/// A chapter: its anchor, its title, and its paragraphs with their headings.
pub struct Chapter {
    pub anchor: &'static str,
    pub title: &'static str,
    pub parts: &'static [(&'static str, &'static str)],
}

/// The title and the line under it.
#[must_use]
pub const fn heading(lang: Lang) -> (&'static str, &'static str) {
    lang.pick(
        ("使用说明", "按新同事上岗的顺序编写。浏览器的查找（Ctrl+F）可以找到任何一段。"),
        ("Guide", "In the order in which a new colleague needs it. The browser's own search (Ctrl+F) finds everything."),
    )
}

/// The heading above the kinds of cases, whose words stand in `cases.rs`.
#[must_use]
pub const fn cases(lang: Lang) -> (&'static str, &'static str) {
    lang.pick(
        ("待处理事项", "系统自己不能断定的事，一律保留原状、列为待处理，由人决定。每一种的含义和下一步："),
        (
            "Cases",
            "What the system cannot decide by itself is left as it is and becomes a case, for a person to settle. What each kind means, and what to do next:",
        ),
    )
}

#[must_use]
pub const fn chapters(lang: Lang) -> &'static [Chapter] {
    lang.pick(ZH, EN)
}

const ZH: &[Chapter] = &[
    Chapter {
        anchor: "day",
        title: "每天看什么",
        parts: &[
            (
                "电表墙",
                "一屏看全园区。顶部的六种状态既是计数，也是筛选。每格的颜色、形状、文字说同一件事；带斜纹的是失联，右上角的标记表示除余额之外还有事要人看。",
            ),
            (
                "先看三处",
                "待处理（系统不能自己断定的事）、失联（哪台通信管理机、哪块表，从何时起）、欠费。三处都空，就没有急事。",
            ),
            (
                "每个数都有时间",
                "页面上的余额、功率、通断都是从电表读来的，旁边写着读取时间。时间旧了，先到“电表”页要求立即读取，再下结论。",
            ),
        ],
    },
    Chapter {
        anchor: "money",
        title: "开户、售电与到账",
        parts: &[
            (
                "开户",
                "在房间页开户：可一次填多位住户，并勾选同房间的其他电表；系统给出户号。填错时页面回到错的那一行。电表确认之后才算开户完成。",
            ),
            (
                "售电",
                "按 / 查找房间，输入金额，选择付款方式，确认。单据立即生成，随后显示：已付款、已发往电表、已存入电表。只有“已存入电表”才是到账，它是从电表读回来的。",
            ),
            (
                "销户、换房、换表",
                "都在房间页“户的变更”里办。先抄读并关闭电表，电表确认后余额才退还、转入别的户，或充入新房间、新表；每一步在进度页可见。电表失联时自动等待；表已损坏或遗失的，在进度页人工填写余额和止码并写明原因。电表收到指令之前都可以撤回。新表照旧表的限额、电价和控制模式设置，阶梯用量从零起计。办理期间到账的付款不会丢：换房的跟到新房间，换表的充入新表，其余列为待处理。",
            ),
            (
                "没有到账怎么办",
                "不要重复售电。电表失联时款项安全保存，电表恢复后自动送入；系统先读电表的购电次数再决定是否补发，不会多充也不会少充。真正说不清的，会出现在“待处理”里。",
            ),
            (
                "支付渠道",
                "支付宝、微信支付、银联云闪付各按配置开通，没有配置的不显示；微信里可直接付微信支付，其他渠道请住户改用浏览器。渠道的证书到期前 30 天和 7 天会列入待处理，换好证书并重启后自动结案。",
            ),
            (
                "两种钱包",
                "电表钱包：余额存在电表里，断网也照常供电、扣费、断电。账本钱包：电表没有余额，余额记在账本上，由系统按用电扣款、按余额通断。页面看起来一样，房间页写明是哪一种。",
            ),
        ],
    },
    Chapter {
        anchor: "till",
        title: "退电、冲正与交接班",
        parts: &[
            (
                "退电",
                "在房间页填金额、付款方式和原因。系统先读电表、再从电表扣减，读回确认后页面才显示“待付款”；这时把钱交给住户，再点“已付款，完成”，收据随即生成。电表拒绝或失联时不付款，页面写明下一步。",
            ),
            (
                "冲正",
                "卖错了，在“收支记录”里点这一笔的“冲正”；退错了，在那一笔退电的页面点“冲正”。每笔只能冲正一次，不超过电表现有余额。",
            ),
            (
                "退款",
                "渠道收的钱原路退回。多付的、付给已销户房间的，按配置自动退；其余在“待处理”或“收支记录”点“退款”。未到表的订单全额退，已到表的先冲正，电表确认后系统自己退。一笔退款只有一个单号，渠道没有最终结果之前会一直查询，请不要另外付钱。渠道拒绝的或过了期限的，才由柜台以现金或转账退，写明原因。有人在渠道后台直接退了款，会成为待处理：已到表的先冲正，再到退款页结清或核销。",
            ),
            (
                "复核",
                "超过限额的退电、冲正和退款须由另一位有复核权限的操作员在“复核”页同意，申请人不能自己复核，过期作废。管理员都可复核；其他人由 dormwatt admin approver 授予。",
            ),
            (
                "交接班",
                "第一笔售电自动开班，也可先登记备用金开班。交班时清点钱箱：应有现金由账本算出，不一致要写原因，差额记入单独账户。交班后须重新开班才能售电。",
            ),
        ],
    },
    Chapter {
        anchor: "reconcile",
        title: "与支付渠道对账",
        parts: &[
            (
                "系统自动做的",
                "每天上午自动取前一天各渠道的账单，先验账单本身（合计、摘要、商户号、日期），再与账本和电表逐笔核对。渠道手续费记入单独的科目。同一份账单重复导入不会改变任何数字。",
            ),
            (
                "需要人做的",
                "打开“对账”。一致的日子直接结账；有差异的，每一笔都写明情况和下一步：处理它的待办，或在原因消除后重新对账，已消除的差异自动关闭。某一天的账单也可以提前取。还有差异没处理时，只有写明原因才能结账。",
            ),
            (
                "跨日的付款",
                "零点（银联是 23:00）前后的付款可能出现在相邻日的账单里。它会列出来，但不算差异；相邻日的账单到了，自然归位，归不了位的才成为差异。",
            ),
            ("钱到了银行", "当日页面写明渠道应付给我们的净额（账单减手续费）。按银行流水登记到账金额，没到账的部分一直显示。"),
        ],
    },
    Chapter {
        anchor: "power",
        title: "通断与强制",
        parts: &[
            (
                "三种方式",
                "预付费：按余额自动通断。保电：无论余额多少都供电。强断：无论余额多少都断电。住户自己的开关只在预付费方式下起作用。",
            ),
            ("完成以读回为准", "发出指令不等于完成。页面列出：已决定、已发送、已读回；读回之前，显示的仍是上一次观测到的状态。"),
            ("过载与恶性负载", "电表自行断电后不会自动恢复。请住户拔掉大功率电器，再重新设定供电方式解除。"),
        ],
    },
    Chapter {
        anchor: "batch",
        title: "批量指令",
        parts: &[
            ("选择对象", "在“指令”页按园区、楼栋、楼层、房间或状态选择，先看预览：多少块表会收到，哪些不会、为什么。"),
            ("过程与结果", "每块表的进度和结果单独列出。没有完成的可以重试，还没有发出的可以取消。服务器重启后从中断处继续。"),
            ("调价", "提前把备用电价和切换时间下发到每块表，到时各表同时切换。切换之后系统逐块读回，没有切换成功的会单独列出。"),
        ],
    },
    Chapter {
        anchor: "reading",
        title: "读数与时间",
        parts: &[
            ("读数不会丢", "倒走、跳变、乱序的读数照样保存，但不计入用电，并列为待处理。由人决定是换表、清零还是被动过。"),
            ("零点与补数", "断线期间的用电，用电表自己冻结的零点读数补齐；没有冻结能力的表按时间均摊，并标明“估计”。"),
            (
                "读取间隔",
                "默认每块表 30 分钟读一次，可按园区、通信管理机、电表分别设定；设为 0 则总线允许多快就多快。售电、通断永远优先于读数。",
            ),
            ("时钟", "每天检查电表时钟，偏差大的在避开零点、整点和费率切换的时刻校正；反复偏差的列为待处理。"),
        ],
    },
    Chapter {
        anchor: "lost",
        title: "失联",
        parts: &[
            (
                "一块表失联",
                "先看同一台通信管理机上的其他表。只有它不答：查电源、接线、站号。失联的表会被不断试探，恢复后立即读到。",
            ),
            ("整台失联", "连接不上：查网络和电源。连得上但所有表都不答：查总线。处理之后可在“电表”页点“立即重试”。"),
            ("失联期间", "电表钱包照常供电和扣费。账本钱包无法通断，恢复后自动补做；其间可能出现的欠费会写明。"),
        ],
    },
    Chapter {
        anchor: "proof",
        title: "账目与审计",
        parts: &[
            (
                "每一笔都可查",
                "售电、通断、结案等操作，写明何人、何时、从何处，记入环环相扣的审计链；改动或删去任何一行都会被发现。",
            ),
            ("自证", "服务器上运行 dormwatt verify：重算账本、审计链、订单与电表，不一致之处逐条列出。"),
        ],
    },
];

const EN: &[Chapter] = &[
    Chapter {
        anchor: "day",
        title: "What to look at each day",
        parts: &[
            (
                "The wall",
                "The whole site on one screen. The six states at the top are counts and filters at once. Colour, shape and word of a tile say the same thing; hatched means lost, and the mark in the corner means that something beside the credit wants a person.",
            ),
            (
                "Three places first",
                "Cases (what the system cannot decide by itself), lost (which gateway, which meter, since when), and arrears. Where all three are empty nothing is urgent.",
            ),
            (
                "Every figure has its time",
                "Balance, power and relay on a page were read from the meter, with the time beside them. Where that is old, ask for a reading on the Meters page before you conclude anything.",
            ),
        ],
    },
    Chapter {
        anchor: "money",
        title: "Accounts, sales, and when the money is there",
        parts: &[
            (
                "Opening an account",
                "On the room's page: one or more residents with name, login and first password, and other meters of the room to go with it. Where a row is wrong the page comes back to it. It is open when the meter has confirmed it.",
            ),
            (
                "Selling",
                "Press / and find the room, type the amount, choose how it was paid, confirm. The order then shows: paid, sent to the meter, in the meter. Only \u{201c}in the meter\u{201d} means that it has arrived: it was read back.",
            ),
            (
                "Closing, moving, replacing",
                "All of it begins on the room's page under “The account”. The meter is read and closed first; only when it confirmed is what was left paid out, put into another account, or sent into the new room's or the new meter. Its own page shows every step. A lost meter is waited for; for one that is broken or gone, give what was left and where its counter stood there, and say how you know. Until a meter was told, all of it can be taken back. A new meter gets the old one's limits, prices and mode; its tier use begins at nothing. Payments that come meanwhile are not lost: they follow into the new room or the new meter, or become a case.",
            ),
            (
                "It has not arrived",
                "Do not sell again. If the meter is lost, the money is kept safe and goes in when the meter answers. The system reads the purchase count before it sends anything again, so nothing is credited twice or lost. What is truly unclear becomes a case.",
            ),
            (
                "Payment channels",
                "Alipay, WeChat Pay and UnionPay are each offered where they are configured. Inside WeChat residents pay by WeChat at once and open a browser for the others. 30 and 7 days before a channel's certificate ends there is a case; it closes by itself once the new one is in the configuration and the server was restarted.",
            ),
            (
                "Two kinds of wallet",
                "Meter wallet: the credit is in the meter, which supplies, charges and switches off without the network. Server wallet: the meter holds no money; the ledger does, the system charges as power is used and switches by the balance. Pages look the same; the room's page says which it is.",
            ),
        ],
    },
    Chapter {
        anchor: "till",
        title: "Returns, corrections, and shifts",
        parts: &[
            (
                "Return",
                "On the page of the room, give amount, tender and reason. The meter is read, debited and read back; only then the page says “to be paid out”. Hand the money over, press “Paid out, done”, and the receipt is there. If the meter refuses or is lost nothing is paid, and the page says what next.",
            ),
            (
                "Correction",
                "A wrong sale is corrected from its line in the register, a wrong return from its own page: once each, and never more than the meter still holds.",
            ),
            (
                "Refund",
                "What a channel collected goes back through it. What was paid twice, or for a closed account, goes back by itself where the configuration says so; for the rest press “Give back” on the case or in the register. An order that is not in its meter goes back whole; what is in the meter is corrected first, and goes back when the meter gave it. A refund has one number, under which the channel is asked until its final word: do not pay it by other means meanwhile. Only what the channel refused or gives back no more is paid over the counter, with a reason. What somebody gave back at the channel's own console becomes a case: correct the sale if it is in the meter, then settle it on the refund page, or write it off.",
            ),
            (
                "Approval",
                "Above the limit a second operator who may approve decides under Approvals, never the one who asked, and not after it has expired. Administrators may; others are given it with `dormwatt admin approver`.",
            ),
            (
                "Shift",
                "The first sale opens a shift, or you open it with your float. At its end count the drawer: what should be there comes from the ledger, a difference needs a reason and goes to its own account. After that nothing is sold until the next shift is opened.",
            ),
        ],
    },
    Chapter {
        anchor: "reconcile",
        title: "Reconciliation with the channels",
        parts: &[
            (
                "What happens by itself",
                "Each morning the bill of the day before is fetched from every channel, checked (sums, digest, merchant, day) and compared line by line with the ledger and the meters. The channel's fees go to an account of their own. The same bill again changes nothing.",
            ),
            (
                "What you do",
                "Open Reconciliation. Equal days you close. Where something differs, each line says what is so and the next step; settle its case, or run the day again once the cause is gone: what is mended closes by itself. A day can be fetched before its turn. A day whose differences nobody has decided about is closed only with a reason.",
            ),
            (
                "Across the edge",
                "A payment near midnight (UnionPay: 23:00) may stand in the neighbour's bill. It is listed and is no difference; when both bills are there it has found its place, or it has become a difference.",
            ),
            (
                "The money in the bank",
                "The day's page says what the channel should pay: the bill less its fees. Note what the bank took in from its statement; what is outstanding stays in sight.",
            ),
        ],
    },
    Chapter {
        anchor: "power",
        title: "Switching",
        parts: &[
            (
                "Three modes",
                "Prepaid: by the credit. Guaranteed: on, whatever the credit. Forced off: off, whatever the credit. The resident's own switch works in prepaid mode only.",
            ),
            (
                "Done means read back",
                "Sending is not doing. Pages list decided, sent, read back; until then what you see is what was observed last.",
            ),
            (
                "Overload and malignant loads",
                "A meter that tripped does not come back by itself. Have the heavy appliances unplugged, then set the mode again to release it.",
            ),
        ],
    },
    Chapter {
        anchor: "batch",
        title: "Commands to many meters",
        parts: &[
            (
                "Choosing",
                "On the Commands page by site, building, floor, room or state. The preview says how many meters get it, which do not, and why.",
            ),
            (
                "Progress and outcome",
                "Each meter has its own line. What failed can be tried again, what was not sent can be cancelled. After a restart it goes on where it stopped.",
            ),
            (
                "A new price",
                "Load the standby prices and the switch-over time into every meter beforehand; all switch at that instant. Afterwards each is read back, and those that missed it are listed.",
            ),
        ],
    },
    Chapter {
        anchor: "reading",
        title: "Readings and time",
        parts: &[
            (
                "No reading is lost",
                "A counter that falls, jumps or comes out of order is kept, not counted, and becomes a case: was the meter replaced, reset or tampered with?",
            ),
            (
                "Midnight and gaps",
                "What was used while the line was down is filled from the midnight values that the meter itself freezes. Where a meter cannot, the energy is spread over the time and marked as estimated.",
            ),
            (
                "How often",
                "Every 30 minutes by default; by site, gateway or meter as you set it; 0 means as often as the bus allows. Sales and switching always go before reading.",
            ),
            (
                "Clocks",
                "Checked daily and corrected away from midnight, the hour and the edges of a rate; a clock that keeps drifting becomes a case.",
            ),
        ],
    },
    Chapter {
        anchor: "lost",
        title: "Lost",
        parts: &[
            (
                "One meter",
                "Look at the others on the same gateway. If it is the only one: power, wiring, unit number. Lost meters are tried again and again, and read at once when they answer.",
            ),
            (
                "A whole gateway",
                "No connection: network or power. A connection and no meter answers: the bus. Afterwards, retry at once on the Meters page.",
            ),
            (
                "Meanwhile",
                "A meter wallet supplies and charges as ever. A server wallet cannot be switched; that is done when the meter answers, and a balance that went below zero meanwhile is shown.",
            ),
        ],
    },
    Chapter {
        anchor: "proof",
        title: "Books and audit",
        parts: &[
            (
                "Everything can be found",
                "Who sold, switched or settled what, when and from where, is on a chained audit log: a line that was changed or removed shows.",
            ),
            (
                "Proof",
                "Run dormwatt verify on the server: it recomputes ledger, audit chain, orders and meters, and lists what differs.",
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        let shape = |lang| chapters(lang).iter().map(|c| (c.anchor, c.parts.len())).collect::<Vec<_>>();
        assert_eq!(shape(Lang::Zh), shape(Lang::En));
    }
}
