//! Words for a counter that is held back, and what a person may decide about it.

use super::Lang;
use model::console::{Gap, Split};
use model::energy::Energy;

/// The words of the form.
#[derive(Clone, Copy)]
pub struct Words {
    pub last: &'static str,
    pub now: &'static str,
    pub decide: &'static str,
    pub end: &'static str,
    pub start: &'static str,
    pub replaced_hint: &'static str,
    pub settle: &'static str,
    pub answers: &'static str,
    pub take_over: &'static str,
    pub take_over_hint: &'static str,
}

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(
        Words {
            last: "最后计入的读数",
            now: "现在的读数",
            decide: "这段电量怎么处理",
            end: "旧表最后示数（kWh）",
            start: "新表起始示数（kWh）",
            replaced_hint: "仅换表时填写；两只表各自走过的电量相加计入。分费率电表：新表按自己的分费率示数，旧表这一段按平段，记为估算。",
            settle: "按此处理并结案",
            answers: "现在应答的表号",
            take_over: "换过表：改用此表号",
            take_over_hint: "表号取自抄读，无需手填。新表的起始示数另有一条“读数异常”待处理。",
        },
        Words {
            last: "Last value that counted",
            now: "Value now",
            decide: "What becomes of the energy in between",
            end: "Old meter's last value (kWh)",
            start: "New meter's first value (kWh)",
            replaced_hint: "Only where the meter was replaced; what passed on each of the two is added and counted. By rate: as the new meter's registers say, and what passed on the old one at the flat rate, marked as estimated.",
            settle: "Settle and close",
            answers: "Serial number that answers",
            take_over: "It was replaced: take this number over",
            take_over_hint: "The number was read, nobody has to type it. The new meter's counter is settled by a case of its own.",
        },
    )
}

/// How counted energy falls into rates, behind the sentence that counts it.
const fn split(by: Split, lang: Lang) -> &'static str {
    let (zh, en) = match by {
        Split::None => ("", ""),
        Split::Registers => ("，各费率按电表自己的分费率示数", ", by rate as the meter's own registers say"),
        Split::Flat => {
            ("，分费率不明，全部按平段，记为估算", ", all at the flat rate and marked as estimated, for its rates are not known")
        }
    };
    lang.pick(zh, en)
}

/// What a choice does.
#[must_use]
pub fn choice(gap: Gap, difference: Option<Energy>, by: Split, lang: Lang) -> String {
    match (gap, lang) {
        (Gap::Accept, Lang::Zh) => "从现在的读数起计；这段电量不计入".to_owned(),
        (Gap::Accept, Lang::En) => "Count from the value now; nothing for the gap".to_owned(),
        (Gap::Count, Lang::Zh) => format!("把差额 {} kWh 计入用电{}", difference.unwrap_or_default(), split(by, lang)),
        (Gap::Count, Lang::En) => format!("Count the difference of {} kWh{}", difference.unwrap_or_default(), split(by, lang)),
        (Gap::Replaced { .. }, Lang::Zh) => "换过表：按旧表止度和新表起度计入".to_owned(),
        (Gap::Replaced { .. }, Lang::En) => "The meter was replaced: count by its end and the new one's start".to_owned(),
    }
}
