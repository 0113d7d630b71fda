//! Opens a case before a certificate of a payment channel, a gateway or the server itself expires, while the server's own files
//! cannot be used, and while a merchant is switched off or missing that is needed.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use model::case::{CaseDetail, CaseKind, ChannelOffCase, ExpiryCase};
use model::order::Tender;
use model::task::TaskKind;
use model::time::Timestamp;

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

pub struct WatchedCertificate {
    /// The configuration key that holds it, or the name of the gateway that showed it.
    pub key: String,
    /// The last moment at which it is valid; `None` where none is in use.
    pub until: Option<Timestamp>,
    /// Of the server's own: why the files that are there now cannot be used.
    pub refused: Option<String>,
}

impl WatchedCertificate {
    /// What a person must know of it.
    fn case(&self, now: Timestamp) -> Option<ConfigCase> {
        let Self { key, until, refused } = self;
        let state = until.and_then(|at| Expiry { key: key.clone(), at }.state(now));
        if state.is_none() && refused.is_none() {
            return None;
        }
        let case = ExpiryCase { key: key.clone(), until: *until, state, refused: refused.clone() };
        Some(ConfigCase { key: key.clone(), detail: CaseDetail::Expiry(case) })
    }
}

/// The certificates of payment channels, those that gateways showed at their last connection, and those that the server itself
/// shows or should show.
pub async fn expiries(context: &Context, payments: &Payments, host: &Host) -> store::Result<Vec<WatchedCertificate>> {
    let of_gateways = gateways::certificates(&context.db, &context.gateway.certificates()).await?;
    let of_gateways = of_gateways.into_iter().map(|(key, at)| Expiry { key, at });
    let others = payments.expiries().into_iter().chain(of_gateways);
    let others = others.map(|Expiry { key, at }| WatchedCertificate { key, until: Some(at), refused: None });
    let own = host.certificates().await.into_iter().map(|(key, shown)| match shown {
        Ok(shown) => WatchedCertificate { key, until: Some(shown.until), refused: shown.refused },
        Err(why) => WatchedCertificate { key, until: None, refused: Some(why) },
    });
    Ok(others.chain(own).collect())
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
        let near: Vec<ConfigCase> = all.iter().filter_map(|one| one.case(now)).collect();
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
