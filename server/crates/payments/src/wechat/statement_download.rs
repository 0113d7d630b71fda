//! Statement download (`/v3/bill/tradebill`): a signed response with a URL and a digest, then the file. The request for the file
//! is signed, its response is not.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use http::Method;
use model::time::Date;
use reqwest::Url;
use serde::Deserialize;

use super::{WechatPay, statement_file};
use crate::channel::ChannelError;
use crate::response_body::{STATEMENT_TIMEOUT, file, successful};
use crate::statement::fields::Lines;
use crate::statement::{StatementError, StatementResponse};
use crate::unpack::gunzip;
use crate::verified;
use domain::statement::Statement;

#[derive(Deserialize)]
struct StatementLocation {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl WechatPay {
    pub(super) async fn fetch_statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        let target = format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP");
        let response = self.call(Method::GET, &target, None).await?;
        // WeChat Pay also returns this before the statement is ready; the caller knows whether payments are expected.
        if response.is_error(400, &["NO_STATEMENT_EXIST"]) {
            return Ok(StatementResponse::Ready(Statement::empty(day)));
        }
        if response.is_error(400, &["STATEMENT_CREATING"]) || response.status >= 500 {
            return Ok(StatementResponse::NotYet);
        }
        let location: StatementLocation = response.parse()?;
        if location.hash_type != "SHA1" {
            return Err(ChannelError::InvalidResponse("an unsupported digest"));
        }
        let target = self
            .download_target(&location.download_url)
            .ok_or(ChannelError::InvalidResponse("a download URL at another host"))?;
        let plain = gunzip(&self.download(&target).await?).map_err(StatementError::from)?;
        if !location.hash_value.eq_ignore_ascii_case(&hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &plain))) {
            return Err(StatementError::Digest.into());
        }
        let Lines { ours: lines, foreign } = statement_file::read(&self.signer.mchid, &self.apps, day, &plain)?;
        Ok(StatementResponse::Ready(Statement { lines, foreign, digest: verified::sha256(&plain), ..Statement::empty(day) }))
    }

    /// Path and query of a URL at the gateway, unchanged because the request signature covers them; `None` for another origin.
    fn download_target(&self, text: &str) -> Option<String> {
        let (url, gateway) = (Url::parse(text).ok()?, Url::parse(&self.gateway).ok()?);
        let target = text.strip_prefix(self.gateway.trim_end_matches('/'))?;
        (url.origin() == gateway.origin() && target.starts_with('/') && !target.contains('#')).then(|| target.to_owned())
    }

    async fn download(&self, target: &str) -> Result<Vec<u8>, ChannelError> {
        let nonce = hex::encode_upper(self.rng.bytes::<16>());
        let authorization = self.signer.authorization("GET", target, self.clock.now(), &nonce, "")?;
        let request = self.client.get(format!("{}{target}", self.gateway.trim_end_matches('/')));
        let request =
            request.timeout(STATEMENT_TIMEOUT).header("Authorization", authorization).header("Accept", "application/json");
        file(successful(self.client.send(request).await?)?).await
    }
}
