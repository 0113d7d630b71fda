//! Words about gateways and how often meters are read.

use super::Lang;
use model::gateway::{GatewayHealth, SweepInterval};

#[derive(Clone, Copy)]
pub struct Words {
    pub framing: &'static str,
    pub since: &'static str,
    pub interval: &'static str,
    pub interval_of_site: &'static str,
    pub interval_hint: &'static str,
    pub interval_set: &'static str,
    pub as_configured: &'static str,
    pub as_site: &'static str,
    pub as_gateway: &'static str,
    pub set: &'static str,
    pub trust: &'static str,
    pub trust_set: &'static str,
    pub tls_name: &'static str,
    pub tls_name_hint: &'static str,
    pub tls_pin: &'static str,
    pub tls_pin_hint: &'static str,
    pub meters_lost: &'static str,
    pub gateway_lost: &'static str,
    pub no_gateways: &'static str,
}

const ZH: Words = Words {
    framing: "帧格式",
    since: "自",
    interval: "抄读间隔",
    interval_of_site: "全园区抄读间隔",
    interval_hint: "每块电表按自己的间隔抄读；没有设置的用所属通信管理机的，再没有就用这里的。有人看电表墙时会抄得更勤。",
    interval_set: "抄读间隔已更改，立即生效。",
    as_configured: "按配置文件",
    as_site: "同园区",
    as_gateway: "同通信管理机",
    set: "更改",
    trust: "TLS 证书",
    trust_set: "TLS 证书设置已更改，管理机正在重新连接。",
    tls_name: "证书中的名称",
    tls_name_hint: "与管理机地址不同时填写；空着就按地址核对。",
    tls_pin: "证书指纹（SHA-256）",
    tls_pin_hint: "证书不是由已知机构签发时填写：64 位十六进制，可带冒号。换证书后要改，否则连接不上。",
    meters_lost: "有电表失联",
    gateway_lost: "管理机失联",
    no_gateways: "还没有通信管理机。导入电表时一并添加。",
};

const EN: Words = Words {
    framing: "Framing",
    since: "Since",
    interval: "Read every",
    interval_of_site: "Read the whole site every",
    interval_hint: "Each meter is read at its own interval; what has none takes its gateway's, and else this one. While somebody watches the wall, meters are read more often.",
    interval_set: "The interval was changed and holds from now on.",
    as_configured: "as configured",
    as_site: "as the site",
    as_gateway: "as the gateway",
    set: "Change",
    trust: "TLS certificate",
    trust_set: "The certificate's settings were changed; the gateway is being connected again.",
    tls_name: "Name in its certificate",
    tls_name_hint: "Where it is not the gateway's address; empty: the address.",
    tls_pin: "Fingerprint of its certificate (SHA-256)",
    tls_pin_hint: "Where no known authority signed it: 64 hex digits, colons allowed. When the certificate is renewed, change it here, or the gateway stays away.",
    meters_lost: "Meters lost",
    gateway_lost: "Gateway lost",
    no_gateways: "There is no gateway yet. Gateways come with the meters that are imported.",
};

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

/// What a gateway's health means.
#[must_use]
pub const fn health(health: GatewayHealth, lang: Lang) -> &'static str {
    let (zh, en) = match health {
        GatewayHealth::Connecting => ("正在连接", "Connecting"),
        GatewayHealth::Up => ("应答正常", "Answers"),
        GatewayHealth::Unreachable => {
            ("连接不上，请检查电源、网线和地址", "Cannot be reached: check its power, network and address")
        }
        GatewayHealth::Silent => {
            ("能连接，但所有电表都不应答，请检查 RS-485 总线", "Connects, but no meter answers: check its RS-485 bus")
        }
    };
    lang.pick(zh, en)
}

/// An interval as people say it.
#[must_use]
pub fn interval(interval: SweepInterval, lang: Lang) -> String {
    let seconds = interval.seconds();
    match (seconds, lang) {
        (0, _) => lang.pick("总线允许的最快速度", "as often as the bus allows").to_owned(),
        (s, Lang::Zh) if s % 60 == 0 => format!("{} 分钟", s / 60),
        (s, Lang::En) if s % 60 == 0 => format!("{} min", s / 60),
        (s, Lang::Zh) => format!("{s} 秒"),
        (s, Lang::En) => format!("{s} s"),
    }
}

/// How a gateway carries frames, by its word in the database.
#[must_use]
pub fn framing(word: &str, lang: Lang) -> &'static str {
    match word {
        "modbus-tls" => lang.pick("Modbus TCP，TLS 加密", "Modbus TCP over TLS"),
        "transparent" => lang.pick("透明传输", "transparent"),
        _ => "Modbus TCP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_said_in_minutes_where_they_are_whole() {
        let said = |s| SweepInterval::new(s).map(|i| interval(i, Lang::En)).unwrap_or_default();
        assert_eq!((said(0), said(90), said(1_800)), ("as often as the bus allows".into(), "90 s".into(), "30 min".into()));
    }
}
