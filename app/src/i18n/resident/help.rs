//! How it works and what to do when: the questions that people ask the office, answered.

use crate::i18n::Lang;

/// Questions and answers, in the order in which they come up.
#[must_use]
pub const fn help(lang: Lang) -> &'static [(&'static str, &'static str)] {
    lang.pick(ZH, EN)
}

const ZH: &[(&str, &str)] = &[
    (
        "电费是怎么扣的？",
        "余额存放在房间的电表里，边用边扣。页面上的余额是从电表读来的，旁边写着读取时间。网络中断时电表照常供电、照常扣费。",
    ),
    (
        "充值多久到账？",
        "付款后一般几秒内送入电表。充值进度页会逐步显示：已付款、已发往电表、已存入电表；显示“已存入电表”才算完成。",
    ),
    (
        "付了款，余额没有变？",
        "请不要重复支付。打开“记录”里的那一笔查看进度：电表失联时，钱会安全保存，电表恢复后自动送入。超过一天仍未到账，请凭订单号联系宿舍管理员。",
    ),
    (
        "支付页面关掉了，怎么办？",
        "如果已经扣款，系统会自动核实并入账，不用再付。如果没有扣款，可以在“记录”里打开这一笔继续支付，过期后重新充值即可。",
    ),
    ("报警一、报警二是什么？", "余额低于报警金额时的提醒：先是报警一，更低时是报警二。两者都还不会断电；余额用完才会断电。"),
    ("欠费断电后怎么恢复？", "充值后电表会自动合闸，不需要再操作开关。首页会写明至少要充多少。"),
    (
        "怎么关掉整个房间的电？",
        "首页“供电”一栏可以断电和恢复供电，例如放假离校时。断电后不再用电，余额也不变。欠费、过载、管理员强断或保电时，开关不能使用，页面会写明原因。",
    ),
    ("过载断电怎么办？", "同时使用的电器功率太大，或使用了电热器具，电表会自动断电。请拔掉大功率电器，然后联系宿舍管理员恢复。"),
    ("“失联”是什么意思？", "服务器暂时读不到这块电表，多半是线路或网络问题。用电不受影响，页面显示的是最后一次读到的数。"),
    ("“还能用几天”是怎么算的？", "按最近几个整天（最多 7 天）的平均用电和这期间的实际电价估算，用电习惯变化后会随之变化。"),
];

const EN: &[(&str, &str)] = &[
    (
        "How is electricity charged?",
        "The credit is kept in your room's meter, which takes from it as you use power. The balance on the page was read from the meter; the time of the reading stands beside it. When the network is down the meter goes on supplying and charging.",
    ),
    (
        "How long does a top-up take?",
        "It is in the meter within seconds of paying, as a rule. The top-up's page shows each step: paid, sent to the meter, in the meter. It is complete when it says that it is in the meter.",
    ),
    (
        "I paid and the balance has not changed.",
        "Do not pay twice. Open the top-up under Records to see how far it is. If the meter does not answer, the money is kept safe and goes in by itself when it does. If it takes more than a day, quote the order number at the office.",
    ),
    (
        "I closed the payment page.",
        "If you were charged, it is checked and put into the meter by itself; you need not pay again. If you were not, open the order under Records and pay it, or start a new one when it has expired.",
    ),
    (
        "What are alarm 1 and alarm 2?",
        "Warnings that the balance is low: alarm 1 first, alarm 2 when it is lower still. The power stays on until the credit is used up.",
    ),
    (
        "The credit is used up and the power is off.",
        "Top up and the meter switches on by itself; you need not touch the switch. The home page says how much it takes.",
    ),
    (
        "How do I switch the whole room off?",
        "Under Power on the home page, for example when you leave for the holidays. Nothing is used while it is off and the balance stays. After arrears or an overload, or when the office has forced the room off or guaranteed it, the switch cannot be used and the page says why.",
    ),
    (
        "The meter tripped for overload.",
        "Too much was plugged in at once, or a heater. Unplug heavy appliances, then ask the office to restore the power.",
    ),
    (
        "What does \u{201c}lost\u{201d} mean?",
        "The server cannot read this meter just now, most often because of a cable or the network. Your power is not affected; the page shows what was read last.",
    ),
    (
        "How is \u{201c}days left\u{201d} worked out?",
        "From the average of your last full days, seven at most, and what a kWh really cost in that time. It follows when your habits change.",
    ),
];
