//! Opens a case before a certificate of a payment channel, a gateway or the server itself expires, and while a merchant is
//! switched off or missing that is needed.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use model::case::{CaseDetail, CaseKind, ChannelOffCase, ExpiryCase};
use model::order::Tender;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use estate::gateways;
use payments::expiry::Expiry;
use payments::{ChannelFault, Payments};
use services::Context;
use services::host::Host;
use store::config_cases::{ConfigCase, keep};
use store::payments::{MerchantInUse, merchants_in_use};

pub struct WatchExpiries {
    pub context: Context,
    pub payments: Payments,
    pub host: Host,
}

/// A certificate whose end is known.
pub struct WatchedCertificate {
    pub expiry: Expiry,
    /// Of the server's own: why a newer file cannot take its place.
    pub refused: Option<String>,
}

/// The certificates whose end is known: those of payment channels, those that gateways showed at their last connection, and those
/// that the server itself shows.
pub async fn expiries(context: &Context, payments: &Payments, host: &Host) -> store::Result<Vec<WatchedCertificate>> {
    let of_gateways = gateways::certificates(&context.db, &context.gateway.certificates()).await?;
    let of_gateways = of_gateways.into_iter().map(|(key, at)| Expiry { key, at });
    let others = payments.expiries().into_iter().chain(of_gateways);
    let own = host.certificates().await.into_iter().map(|(key, shown)| {
        let expiry = Expiry { key, at: shown.until };
        WatchedCertificate { expiry, refused: shown.refused }
    });
    Ok(others.map(|expiry| WatchedCertificate { expiry, refused: None }).chain(own).collect())
}

#[async_trait]
impl Task for WatchExpiries {
    fn kind(&self) -> TaskKind {
        TaskKind::WatchExpiries
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        let all = expiries(&self.context, &self.payments, &self.host).await?;
        let near: Vec<ConfigCase> = all
            .iter()
            .filter_map(|WatchedCertificate { expiry, refused }| {
                let (state, refused) = (expiry.state(now)?, refused.clone());
                let detail = CaseDetail::Expiry(ExpiryCase { key: expiry.key.clone(), until: expiry.at, state, refused });
                Some(ConfigCase { key: expiry.key.clone(), detail })
            })
            .collect();
        keep(db, rng, now, CaseKind::Expiry, &near).await?;
        let mut off = switched_off(self.payments.faults());
        // What waits for a merchant of which nothing is configured would wait for ever.
        for MerchantInUse { channel, app_id, seller_id } in merchants_in_use(db).await? {
            if self.payments.merchant_of(channel, &app_id, &seller_id).is_none() {
                let key = format!("pay.former.{}: {seller_id} {app_id}", channel.as_str());
                off.push(ConfigCase {
                    key: key.clone(),
                    detail: CaseDetail::ChannelOff(ChannelOffCase { channel, current: false, key }),
                });
            }
        }
        keep(db, rng, now, CaseKind::ChannelOff, &off).await?;
        let switched_off = if off.is_empty() { String::new() } else { format!(", {} switched off", off.len()) };
        let summary = format!("{} watched, {} near their end{switched_off}", all.len(), near.len());
        Ok(Done::new(near.len() + off.len(), summary))
    }
}

/// One case for each key of each channel: several channels, and several merchants of one, may have the same key at fault.
fn switched_off(faults: &[ChannelFault]) -> Vec<ConfigCase> {
    let mut by_key: BTreeMap<(Tender, &str), bool> = BTreeMap::new();
    for ChannelFault { channel, current, error } in faults {
        *by_key.entry((*channel, &error.key)).or_default() |= *current;
    }
    let case = |((channel, key), current): ((Tender, &str), bool)| ConfigCase {
        key: format!("{} {key}", channel.as_str()),
        detail: CaseDetail::ChannelOff(ChannelOffCase { channel, current, key: key.to_owned() }),
    };
    by_key.into_iter().map(case).collect()
}

#[cfg(test)]
mod tests {
    use payments::ConfigError;

    use super::*;

    #[test]
    fn merchants_with_the_same_fault_are_one_case() {
        let fault = |channel, current, key: &str| {
            let error = ConfigError { key: key.to_owned(), problem: "is wrong".to_owned() };
            ChannelFault { channel, current, error }
        };
        let url = "pay.public_url";
        let (alipay, wechat) = (Tender::Alipay, Tender::WechatPay);
        let faults = [fault(alipay, false, url), fault(alipay, true, url), fault(alipay, false, url), fault(wechat, false, url)];
        let found = switched_off(&faults);
        let subjects: Vec<&str> = found.iter().map(|case| case.key.as_str()).collect();
        assert_eq!(subjects, ["alipay pay.public_url", "wechat pay.public_url"]);
        let is_current = |case: &ConfigCase| matches!(&case.detail, CaseDetail::ChannelOff(off) if off.current);
        assert_eq!(found.iter().map(is_current).collect::<Vec<_>>(), [true, false]);
    }
}
