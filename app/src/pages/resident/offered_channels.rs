//! The channels that are offered where a page is seen.

use crate::ports::{Visit, visit};
use model::order::Tender;

/// The apps that open pages in their own browser and pay by one channel, by what is in their user agent.
const APPS: [(&str, Tender); 3] =
    [("MicroMessenger", Tender::WechatPay), ("AlipayClient", Tender::Alipay), ("UnionPay/", Tender::UnionPay)];

/// The channels that work in this browser; in one of the apps, its own channel is the first.
pub fn offered_channels(channels: &[Tender]) -> Vec<Tender> {
    offered_in(&visit(), channels)
}

fn offered_in(visit: &Visit, channels: &[Tender]) -> Vec<Tender> {
    // A query machine offers only what a phone can scan.
    let mut offered: Vec<_> =
        channels.iter().copied().filter(|channel| !visit.at_kiosk || *channel != Tender::UnionPay).collect();
    let around = APPS.into_iter().find(|(name, _)| visit.agent.contains(*name)).map(|(_, channel)| channel);
    if let Some(own) = around.filter(|own| offered.contains(own)) {
        // WeChat opens no other channel's cashier.
        offered.retain(|channel| own != Tender::WechatPay || *channel == own);
        offered.sort_by_key(|channel| *channel != own);
    }
    offered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_app_is_offered_its_own_channel_first() {
        use Tender::{Alipay, UnionPay, WechatPay};
        for (agent, at_kiosk, expected) in [
            ("Chrome/130", false, vec![Alipay, WechatPay, UnionPay]),
            ("Chrome/130", true, vec![Alipay, WechatPay]),
            ("Mobile MicroMessenger/8.0", false, vec![WechatPay]),
            ("Mobile AlipayClient/10.7", false, vec![Alipay, WechatPay, UnionPay]),
            ("Mobile UnionPay/1.0 CloudPay", false, vec![UnionPay, Alipay, WechatPay]),
        ] {
            let visit = Visit { agent: agent.into(), at_kiosk, ..Visit::default() };
            assert_eq!(offered_in(&visit, &[Alipay, WechatPay, UnionPay]), expected, "{agent} {at_kiosk}");
        }
        let in_wechat = Visit { agent: "MicroMessenger".into(), ..Visit::default() };
        assert_eq!(offered_in(&in_wechat, &[Alipay]), [Alipay], "the next page says how to leave WeChat");
    }
}
