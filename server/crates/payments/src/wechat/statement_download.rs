//! `/v3/bill/tradebill`: a signed answer with an address and a digest, and the file that lies there, which is asked for with our
//! signature and response without one.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use http::Method;
use model::time::Date;
use reqwest::Url;
use serde::Deserialize;

use super::{WechatPay, statement_file};
use crate::channel::ChannelError;
use crate::response_body::{STATEMENT_TIMEOUT, file, unreachable};
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
        // Also what it says before the statement is made; whoever asks knows whether there should be one.
        if response.is_error(400, &["NO_STATEMENT_EXIST"]) {
            return Ok(StatementResponse::Ready(Statement::empty(day)));
        }
        if response.is_error(400, &["STATEMENT_CREATING"]) || response.status >= 500 {
            return Ok(StatementResponse::NotYet);
        }
        let location: StatementLocation = response.parse()?;
        if location.hash_type != "SHA1" {
            return Err(ChannelError::InvalidResponse("a digest of another kind"));
        }
        let target =
            self.download_target(&location.download_url).ok_or(ChannelError::InvalidResponse("a statement at another host"))?;
        let plain = gunzip(&self.download(&target).await?).map_err(StatementError::from)?;
        if !location.hash_value.eq_ignore_ascii_case(&hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &plain))) {
            return Err(StatementError::Digest.into());
        }
        let lines = statement_file::read(&self.signer.mchid, day, &plain)?;
        Ok(StatementResponse::Ready(Statement { lines, digest: verified::sha256(&plain), ..Statement::empty(day) }))
    }

    /// Path and query of an address at the gateway, as they are: they are signed.
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
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ChannelError::InvalidResponse("an HTTP status that is no success"));
        }
        file(response).await
    }
}
