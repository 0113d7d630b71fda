//! What each kind of event means, and the next step; and the words of their page.

use super::Lang;
use model::event::EventKind;

/// What a kind of event is called, why it is raised, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub name: &'static str,
    pub reason: &'static str,
    pub next: &'static str,
}

/// By its kind.
#[must_use]
pub const fn event(kind: EventKind, lang: Lang) -> Event {
    let (zh, en) = match kind {
        EventKind::RelayFault => (
            ("继电器粘连或拒动", "继电器断开后仍有电流，或没有按指令动作。", "到现场断开上级开关检查；可能触点粘连或有旁路。"),
            (
                "Relay welded or stuck",
                "Current flows through the open relay, or it does not do what it is told.",
                "Check on site with the upstream breaker off; contacts may be welded or bypassed.",
            ),
        ),
        EventKind::Overload => (
            ("过载跳闸", "功率超过了设定的上限，已断电。", "请住户拔掉大功率电器，再重新设为预付费以恢复供电。"),
            (
                "Overload trip",
                "Power went over the set limit; the room was switched off.",
                "Ask the residents to unplug heavy appliances, then set the mode to prepaid again to restore.",
            ),
        ),
        EventKind::Malignant => (
            ("恶性负载跳闸", "识别到违规的电热类负载，已断电。", "确认违规电器已拔掉，再重新设为预付费以恢复供电。"),
            (
                "Malignant load trip",
                "A forbidden heating load was recognised; the room was switched off.",
                "See that the appliance is unplugged, then set the mode to prepaid again to restore.",
            ),
        ),
        EventKind::Arrears => (
            ("欠费断电", "剩余金额已用完，电表已断电。", "住户充值后自动恢复供电。"),
            ("In arrears", "Nothing is left; the meter has switched off.", "Power comes back by itself with a top-up."),
        ),
        EventKind::Alarm2 => (
            ("报警二", "剩余金额低于报警金额二。", "提醒住户尽快充值，用完即断电。"),
            (
                "Alarm 2",
                "The remaining amount is below alarm amount 2.",
                "Remind the residents to top up soon; at nothing the meter switches off.",
            ),
        ),
        EventKind::Alarm1 => (
            ("报警一", "剩余金额低于报警金额一。", "提醒住户充值。"),
            ("Alarm 1", "The remaining amount is below alarm amount 1.", "Remind the residents to top up."),
        ),
        EventKind::Reverse => (
            ("反向电量增长", "电表测到反向电能；仍按正反向之和计量。", "检查接线是否进出线接反，或有旁路。"),
            (
                "Reverse energy grows",
                "The meter sees energy flow backwards; both directions are billed.",
                "Check for reversed wiring or a bypass.",
            ),
        ),
        EventKind::CoverOpen => (
            ("表盖打开", "电表报告表盖是打开的。", "到现场查看表盖和封印。"),
            ("Cover open", "The meter says that its cover is open.", "Look at the cover and its seal on site."),
        ),
        EventKind::Tamper => (
            ("开盖或旁路记录增加", "电表的开盖、旁路次数比上次抄读时多了。", "到现场查看表盖和封印。"),
            (
                "Cover or bypass count grew",
                "The meter counts more cover or bypass events than when it was last read.",
                "Look at the cover and its seal on site.",
            ),
        ),
        EventKind::CounterZeroed => (
            ("电量被清零", "总电量回到零附近；可能被总线命令清零或换了表。", "查看对应的读数异常事项，决定这段电量如何处理。"),
            (
                "Counter zeroed",
                "The energy counter fell to nothing: erased over the bus, or another meter.",
                "Settle the reading case: say what becomes of the energy.",
            ),
        ),
        EventKind::ClockLost => (
            ("时钟丢失", "电表时钟不对，分时电价和冻结数据不可靠。", "给电表对时；若再次丢失，更换电池或电表。"),
            (
                "Clock lost",
                "The meter's clock shows no real time; rates and midnight values cannot be relied on.",
                "Set the clock; if it is lost again, replace battery or meter.",
            ),
        ),
        EventKind::MeterLost => (
            ("电表失联", "管理机正常，但这块表没有应答。", "检查这块表的供电、接线和站号。"),
            (
                "Meter lost",
                "The gateway answers for others, but not for this meter.",
                "Check the meter's supply, wiring and unit number.",
            ),
        ),
        EventKind::GatewayLost => (
            ("管理机失联", "它下面的电表全都没有应答。", "检查管理机的网络和供电。"),
            ("Gateway lost", "Nothing behind it answers.", "Check the gateway's network and supply."),
        ),
    };
    let (name, reason, next) = lang.pick(zh, en);
    Event { name, reason, next }
}

/// The words of the page.
#[derive(Clone, Copy)]
pub struct Words {
    pub title: &'static str,
    pub open: &'static str,
    pub over: &'static str,
    pub kind: &'static str,
    pub building: &'static str,
    pub began_from: &'static str,
    pub place: &'static str,
    pub since: &'static str,
    pub until: &'static str,
    pub reason: &'static str,
    pub next: &'static str,
    pub seen: &'static str,
    pub see: &'static str,
    pub none_open: &'static str,
    pub none_over: &'static str,
}

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(
        Words {
            title: "告警",
            open: "进行中",
            over: "已结束",
            kind: "种类",
            building: "楼栋",
            began_from: "开始不早于",
            place: "位置",
            since: "开始",
            until: "结束",
            reason: "原因",
            next: "下一步",
            seen: "已确认",
            see: "确认",
            none_open: "没有进行中的告警。",
            none_over: "这里还没有已结束的告警。",
        },
        Words {
            title: "Alarms",
            open: "Open",
            over: "Over",
            kind: "Kind",
            building: "Building",
            began_from: "Began on or after",
            place: "Where",
            since: "Since",
            until: "Until",
            reason: "Reason",
            next: "Next step",
            seen: "Seen",
            see: "Acknowledge",
            none_open: "No alarm is open.",
            none_over: "No alarm that is over here yet.",
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words_of_its_own() {
        for lang in [Lang::Zh, Lang::En] {
            let names: std::collections::HashSet<_> = EventKind::ALL.map(|kind| event(kind, lang).name).into();
            assert_eq!(names.len(), EventKind::ALL.len());
        }
    }
}
