//! Whether payments are only tried out: a gateway on this machine, or the sandbox's well-known merchants. And whether a simulated
//! WeChat lets people in.

use payments::is_loopback_url;

use super::Config;

/// The sandbox's applications and merchants.
const SANDBOX: [&str; 5] = ["2021000000000001", "2088000000000001", "wx2026112300000001", "1900000001", "777290058110048"];

/// One sentence for each channel that takes no real money.
#[must_use]
pub fn reasons(config: &Config) -> Vec<String> {
    let pay = &config.pay;
    let mut channels: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    if let Some(alipay) = &pay.alipay {
        channels.push(("alipay", &alipay.gateway, vec![&alipay.app_id, &alipay.seller_id]));
    }
    if let Some(wechat) = &pay.wechat {
        channels.push(("wechat", &wechat.gateway, vec![&wechat.app_id, &wechat.mchid]));
    }
    if let Some(unionpay) = &pay.unionpay {
        channels.push(("unionpay", &unionpay.gateway, vec![&unionpay.mer_id]));
    }
    let reason = |(channel, gateway, ids): (&str, &str, Vec<&str>)| {
        if is_loopback_url(gateway) {
            Some(format!("pay.{channel}: the gateway is on this machine"))
        } else if ids.iter().any(|id| SANDBOX.contains(id)) {
            Some(format!("pay.{channel}: the merchant is the sandbox's"))
        } else {
            None
        }
    };
    let mut reasons: Vec<String> = channels.into_iter().filter_map(reason).collect();
    if pay.unionpay.as_ref().is_some_and(|unionpay| unionpay.test) {
        reasons.push("pay.unionpay.test: certificates of the test environment are trusted".to_owned());
    }
    reasons
}

/// A warning where WeChat's addresses lead to this machine, which then says who logs in as which resident.
#[must_use]
pub fn simulated_wechat(config: &Config) -> Option<&'static str> {
    let wechat = config.notify.wechat.as_ref()?;
    let is_here = [&wechat.api, &wechat.sign_in].into_iter().any(|address| is_loopback_url(address));
    is_here.then_some("notify.wechat: WeChat is on this machine, which says who logs in as which resident")
}

#[cfg(test)]
mod tests {
    use payments::{AlipayConfig, UnionpayConfig};

    use super::*;

    fn alipay(gateway: &str, app_id: &str) -> usize {
        let alipay = AlipayConfig { gateway: gateway.into(), app_id: app_id.into(), ..AlipayConfig::default() };
        let mut config = Config::default();
        config.pay.alipay = Some(alipay);
        reasons(&config).len()
    }

    #[test]
    fn a_sandbox_or_a_gateway_on_this_machine_is_named() {
        assert_eq!(alipay("https://openapi.alipay.com/gateway.do", "2021003100000000"), 0);
        assert_eq!(alipay("https://openapi.alipay.com/gateway.do", "2021000000000001"), 1);
        for host in ["127.0.0.1:8090", "localhost", "[::1]:80", "127.8.0.1"] {
            assert_eq!(alipay(&format!("http://{host}/gateway.do"), "2021003100000000"), 1, "{host}");
        }
        // It may lead to the real gateway.
        assert_eq!(alipay("https://192.168.1.5/gateway.do", "2021003100000000"), 0);
        let mut config = Config::default();
        assert!(reasons(&config).is_empty());
        config.pay.unionpay = Some(UnionpayConfig { test: true, ..UnionpayConfig::default() });
        assert_eq!(reasons(&config).len(), 1);
    }

    #[test]
    fn a_simulated_wechat_is_warned_of() {
        let mut config = Config::default();
        assert_eq!(simulated_wechat(&config), None);
        config.notify.wechat = Some(notify::WechatConfig::default());
        assert_eq!(simulated_wechat(&config), None);
        config.notify.wechat =
            Some(notify::WechatConfig { api: "http://127.0.0.1:8099".into(), ..notify::WechatConfig::default() });
        assert!(simulated_wechat(&config).is_some());
    }

    #[cfg(feature = "demo")]
    #[test]
    fn the_merchants_are_those_of_the_sandbox() {
        let keys = sandbox::Keys::generate().unwrap();
        for id in [&keys.app_id, &keys.seller_id, sandbox::APP_ID, sandbox::MCHID, sandbox::MER_ID] {
            assert!(SANDBOX.contains(&id), "{id}");
        }
    }
}
