//! Opens a case before a certificate of a payment channel expires, and while a merchant is switched off or missing that is
//! needed.

use std::time::Duration;

use async_trait::async_trait;
use model::case::{CaseDetail, CaseKind, ChannelOffCase, ExpiryCase};

use super::{Failure, Task};
use crate::services::Context;
use payments::Payments;
use store::config_cases::{ConfigCase, keep};
use store::payments::{MerchantInUse, merchants_in_use};

pub struct WatchExpiries {
    pub context: Context,
    pub payments: Payments,
}

#[async_trait]
impl Task for WatchExpiries {
    fn name(&self) -> &'static str {
        "payments.expiries"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        let all = self.payments.expiries();
        let near: Vec<ConfigCase> = all
            .iter()
            .filter_map(|expiry| {
                let state = expiry.state(now)?;
                let detail = CaseDetail::Expiry(ExpiryCase { key: expiry.key.clone(), until: expiry.at, state });
                Some(ConfigCase { key: expiry.key.clone(), detail })
            })
            .collect();
        keep(db, rng, now, CaseKind::Expiry, &near).await?;
        let faults = self.payments.faults();
        let mut off: Vec<ConfigCase> = faults
            .iter()
            .map(|fault| {
                let (channel, key) = (fault.channel, fault.error.key.clone());
                // Several channels may have the same key at fault.
                let subject = format!("{} {key}", channel.as_str());
                ConfigCase {
                    key: subject,
                    detail: CaseDetail::ChannelOff(ChannelOffCase { channel, current: fault.current, key }),
                }
            })
            .collect();
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
        Ok(format!("{} watched, {} near their end{switched_off}", all.len(), near.len()))
    }
}
