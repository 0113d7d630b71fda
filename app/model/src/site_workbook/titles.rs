//! The titles of sheets and columns in a file, in the words of the pages.

use super::{Column, Sheet};
use crate::language::Lang;

impl Sheet {
    #[must_use]
    pub const fn title(self, lang: Lang) -> &'static str {
        let titles = match self {
            Self::Rooms => ["房间", "Rooms"],
            Self::Gateways => ["通信管理机", "Gateways"],
            Self::Meters => ["电表", "Meters"],
            Self::Prices => ["电价", "Prices"],
            Self::Accounts => ["账户", "Accounts"],
            Self::Instruments => ["计量仪表", "Instruments"],
            Self::FriendlyHours => ["友好时段", "Friendly hours"],
            Self::Contacts => ["咨询电话", "Contacts"],
            Self::Defaults => ["默认参数", "Default parameters"],
            Self::Groups => ["分组", "Groups"],
        };
        pick(lang, titles)
    }
}

impl Column {
    #[must_use]
    pub const fn title(self, lang: Lang) -> &'static str {
        let titles = match self {
            Self::Building => ["楼栋", "Building"],
            Self::Floor => ["楼层", "Floor"],
            Self::Room => ["房间", "Room"],
            Self::Gateway => ["通信管理机", "Gateway"],
            Self::Host => ["主机名或 IP 地址", "Host name or IP address"],
            Self::Port => ["端口", "Port"],
            Self::Framing => ["帧格式", "Framing"],
            Self::Registration => ["注册包", "Registration"],
            Self::Heartbeat => ["心跳包", "Heartbeat"],
            Self::HeartbeatAnswer => ["心跳应答", "Heartbeat answer"],
            Self::IntervalS => ["抄读间隔(秒)", "Interval (s)"],
            Self::TlsName => ["证书中的名称", "Certificate name"],
            Self::Serial => ["表号", "Serial number"],
            Self::Unit => ["站号", "Unit number"],
            Self::Profile => ["表型", "Profile"],
            Self::Wallet => ["钱包", "Wallet"],
            Self::Plan => ["电价方案", "Price plan"],
            Self::Price => ["单价", "Price"],
            Self::Spike => ["尖价", "Spike price"],
            Self::Peak => ["峰价", "Peak price"],
            Self::Flat => ["平价", "Flat price"],
            Self::Valley => ["谷价", "Valley price"],
            Self::DayTable1 => ["日时段表1", "Day table 1"],
            Self::DayTable2 => ["日时段表2", "Day table 2"],
            Self::DatePlan => ["年时区", "Date plan"],
            Self::TierPeriod => ["阶梯周期", "Tier period"],
            Self::Tier2From => ["二阶起点(kWh)", "Tier 2 from (kWh)"],
            Self::Tier2Surcharge => ["二阶加价", "Tier 2 surcharge"],
            Self::Tier3From => ["三阶起点(kWh)", "Tier 3 from (kWh)"],
            Self::Tier3Surcharge => ["三阶加价", "Tier 3 surcharge"],
            Self::Resident => ["住户", "Resident"],
            Self::Login => ["登录名", "Login name"],
            Self::Password => ["初始密码", "First password"],
            Self::OpeningYuan => ["期初余额(元)", "Opening balance (yuan)"],
            Self::Number => ["编号", "Number"],
            Self::Name => ["名称", "Name"],
            Self::StartRegister => ["起始寄存器", "First register"],
            Self::StepKwh => ["每计数电量(kWh)", "kWh per count"],
            Self::PtRatio => ["电压互感器变比", "PT ratio"],
            Self::Circuit => ["回路", "Circuit"],
            Self::CircuitName => ["回路名称", "Circuit name"],
            Self::CtRatio => ["电流互感器变比", "CT ratio"],
            Self::Master => ["上级回路", "Master"],
            Self::FeedsBuilding => ["供电楼栋", "Feeds building"],
            Self::FeedsFloor => ["供电楼层", "Feeds floor"],
            Self::Group => ["分组", "Group"],
            Self::NightFrom => ["夜间从", "Night from"],
            Self::NightUntil => ["夜间到", "Night until"],
            Self::Weekends => ["周末", "Weekends"],
            Self::Holidays => ["节假日", "Public holidays"],
            Self::Examinations => ["考试日", "Examination days"],
            Self::FriendlyOverdraft => ["期间透支限额(元)", "Overdraft meanwhile (yuan)"],
            Self::EmergencyYuan => ["应急额度(元)", "Emergency credit (yuan)"],
            Self::CreditPeriod => ["应急额度周期", "Emergency credit once in"],
            Self::Phone => ["咨询电话", "Contact number"],
            Self::Signature => ["短信签名", "SMS signature"],
            Self::Alarm1 => ["报警一(元)", "Alarm 1 (yuan)"],
            Self::Alarm2 => ["报警二(元)", "Alarm 2 (yuan)"],
            Self::Overdraft => ["透支限额(元)", "Overdraft limit (yuan)"],
            Self::Hoarding => ["囤积限额(元)", "Hoarding limit (yuan)"],
            Self::OverloadW => ["过载功率(W)", "Overload power (W)"],
        };
        pick(lang, titles)
    }

    /// Titles of earlier templates, which are still read.
    #[must_use]
    pub const fn former_titles(self) -> &'static [&'static str] {
        match self {
            Self::Host => &["地址", "Host"],
            Self::Framing => &["通信方式"],
            Self::TlsName => &["证书名称"],
            Self::Unit => &["通信地址", "Unit id"],
            Self::DayTable1 => &["时段表1"],
            Self::DayTable2 => &["时段表2"],
            Self::DatePlan => &["时区表"],
            Self::StepKwh => &["每单位电量(kWh)", "kWh a count"],
            Self::FeedsBuilding => &["下级楼栋"],
            Self::FeedsFloor => &["下级楼层"],
            _ => &[],
        }
    }
}

const fn pick(lang: Lang, [zh, en]: [&'static str; 2]) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}
