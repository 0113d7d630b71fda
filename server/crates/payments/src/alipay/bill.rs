//! `alipay.data.dataservice.bill.downloadurl.query`: a signed answer with an address, and the file that lies there.

use aws_lc_rs::digest::{SHA256, digest};
use model::time::Date;
use reqwest::Url;
use serde_json::json;

use super::Alipay;
use super::answer::{Method, open};
use super::statement;
use crate::bill::BillAnswer;
use crate::channel::ChannelError;
use crate::wire::{BILL_TIMEOUT, file, unreachable};
use domain::statement::Bill;

impl Alipay {
    pub(super) async fn fetch_bill(&self, day: Date) -> Result<BillAnswer, ChannelError> {
        let content = json!({ "bill_type": "trade", "bill_date": day.to_string() });
        let body = self.call(Method::Bill, &content).await?;
        let inner = open(Method::Bill, &body, &self.alipay_key)?;
        match (inner.code.as_str(), inner.sub_code.as_deref()) {
            ("10000", _) => {}
            // Also what it says before the bill is made; whoever asks knows whether there should be one.
            (_, Some("isp.bill_not_exist")) => return Ok(BillAnswer::Ready(Bill::empty(day))),
            // Their side is busy; anything else is a fault that asking again does not mend.
            ("20000", _) => return Ok(BillAnswer::NotYet),
            (code, sub_code) => return Err(ChannelError::Refused(format!("{code} {}", sub_code.unwrap_or_default()))),
        }
        let url = inner.bill_download_url.as_deref().and_then(|url| self.download_address(url));
        let url = url.ok_or(ChannelError::Answer("no address of the bill at one of its hosts"))?;
        let response = self.client.get(url).timeout(BILL_TIMEOUT).send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ChannelError::Answer("an HTTP status that is no success"));
        }
        let packed = file(response).await?;
        let lines = statement::read(&self.seller_id, day, &packed)?;
        Ok(BillAnswer::Ready(Bill { lines, digest: digest(&SHA256, &packed).as_ref().to_vec(), ..Bill::empty(day) }))
    }

    /// The address comes signed, and still leads only where the configuration allows. Alipay names it without TLS; it is asked with.
    fn download_address(&self, text: &str) -> Option<Url> {
        let mut url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
        let gateway = Url::parse(&self.gateway).ok()?;
        if url.origin() == gateway.origin() {
            return Some(url);
        }
        if !matches!(url.scheme(), "http" | "https") || url.port().is_some() {
            return None;
        }
        let allowed = self.bill_hosts.iter().any(|host| url.host_str() == Some(host));
        (allowed && url.set_scheme("https").is_ok()).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::alipay;

    #[test]
    fn a_bill_is_fetched_from_nowhere_else() {
        let alipay = alipay();
        for (told, asked) in [
            ("http://dwbillcenter.alipay.com/down?token=1", Some("https://dwbillcenter.alipay.com/down?token=1")),
            ("https://dwbillcenter.alipay.com/down", Some("https://dwbillcenter.alipay.com/down")),
            ("https://gateway.example/down", Some("https://gateway.example/down")),
            ("http://gateway.example/down", None),
            ("https://dwbillcenter.alipay.com.example/down", None),
            ("https://a@dwbillcenter.alipay.com/down", None),
            ("https://dwbillcenter.alipay.com:8443/down", None),
            ("http://127.0.0.1/down", None),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(alipay.download_address(told).as_ref().map(reqwest::Url::as_str), asked, "{told}");
        }
    }
}
