//! Statement download (`alipay.data.dataservice.bill.downloadurl.query`): a signed response with a URL, then the unsigned file.

use model::time::Date;
use reqwest::Url;
use serde_json::json;

use super::Alipay;
use super::response::{ApiMethod, verify};
use super::statement_file;
use crate::channel::ChannelError;
use crate::response_body::{STATEMENT_TIMEOUT, file, successful};
use crate::statement::StatementResponse;
use crate::statement::fields::Lines;
use crate::verified;
use domain::statement::Statement;

impl Alipay {
    pub(super) async fn fetch_statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        let content = json!({ "bill_type": "trade", "bill_date": day.to_string() });
        let body = self.call(ApiMethod::Statement, &content).await?;
        let response = verify(ApiMethod::Statement, &body, &self.alipay_key)?;
        match (response.code.as_str(), response.sub_code.as_deref()) {
            ("10000", _) => {}
            // Alipay also returns this before the statement is ready; the caller knows whether payments are expected.
            (_, Some("isp.bill_not_exist")) => return Ok(StatementResponse::Ready(Statement::empty(day))),
            // A temporary system error; all other codes are permanent.
            ("20000", _) => return Ok(StatementResponse::NotYet),
            (code, sub_code) => return Err(ChannelError::Refused(format!("{code} {}", sub_code.unwrap_or_default()))),
        }
        let url = response.bill_download_url.as_deref().and_then(|url| self.download_address(url));
        let url = url.ok_or(ChannelError::InvalidResponse("no download URL at an allowed host"))?;
        let response = self.client.send(self.client.get(url).timeout(STATEMENT_TIMEOUT)).await?;
        let packed = file(successful(response)?).await?;
        let Lines { ours: lines, foreign } = statement_file::read(&self.seller_id, day, &packed)?;
        Ok(StatementResponse::Ready(Statement { lines, foreign, digest: verified::sha256(&packed), ..Statement::empty(day) }))
    }

    /// Accepts only the gateway and the configured hosts, although the URL is signed. Alipay
    /// returns plain HTTP URLs; HTTPS is used.
    fn download_address(&self, text: &str) -> Option<Url> {
        let mut url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
        let gateway = Url::parse(&self.gateway).ok()?;
        if url.origin() == gateway.origin() {
            return Some(url);
        }
        if !matches!(url.scheme(), "http" | "https") || url.port().is_some() {
            return None;
        }
        let allowed = self.statement_hosts.iter().any(|host| url.host_str() == Some(host));
        (allowed && url.set_scheme("https").is_ok()).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::alipay;

    #[test]
    fn statements_are_fetched_only_from_allowed_hosts() {
        let alipay = alipay();
        for (signed_url, download_url) in [
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
            assert_eq!(alipay.download_address(signed_url).as_ref().map(reqwest::Url::as_str), download_url, "{signed_url}");
        }
    }
}
