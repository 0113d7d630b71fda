//! Words of the list of exposed meters, on the page and in its file.

use super::Lang;

#[derive(Clone, Copy)]
pub struct Words {
    pub title: &'static str,
    pub hint: &'static str,
    pub room: &'static str,
    pub residents: &'static str,
    pub account: &'static str,
    pub owed: &'static str,
    pub since: &'static str,
    pub relay: &'static str,
    pub observed: &'static str,
    pub lost: &'static str,
    pub closed: &'static str,
    pub open: &'static str,
    pub never: &'static str,
    pub still_on: &'static str,
    pub total: &'static str,
    pub none: &'static str,
    pub export: &'static str,
}

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(
        Words {
            title: "透支电表",
            hint: "账上余额为负的服务器钱包：用了电，还没有付钱。继电器状态以观测为准。",
            room: "房间",
            residents: "住户",
            account: "户号",
            owed: "透支（元）",
            since: "自",
            relay: "继电器",
            observed: "观测于",
            lost: "失联自",
            closed: "闭合",
            open: "断开",
            never: "从未抄到",
            still_on: "仍在供电",
            total: "合计",
            none: "没有透支的电表。",
            export: "导出 CSV",
        },
        Words {
            title: "Exposed meters",
            hint: "Wallets on the ledger below zero: energy that was used and not paid for. The relay is as it was observed.",
            room: "Room",
            residents: "Residents",
            account: "Account",
            owed: "Below zero (yuan)",
            since: "Since",
            relay: "Relay",
            observed: "Observed",
            lost: "Lost since",
            closed: "closed",
            open: "open",
            never: "never read",
            still_on: "still supplied",
            total: "Total",
            none: "No meter is below zero.",
            export: "Export CSV",
        },
    )
}
