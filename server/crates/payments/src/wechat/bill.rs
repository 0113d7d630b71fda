//! `/v3/bill/tradebill`: a signed answer with an address and a digest, and the file that lies there, which is asked for with our
//! signature and answered without one.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use http::Method;
use model::time::Date;
use reqwest::Url;
use serde::Deserialize;

use super::{WechatPay, statement};
use crate::bill::{BillAnswer, BillError};
use crate::channel::ChannelError;
use crate::unpack::gunzip;
use crate::wire::{BILL_TIMEOUT, file, unreachable};
use domain::statement::Bill;

#[derive(Deserialize)]
struct Told {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl WechatPay {
    pub(super) async fn fetch_bill(&self, day: Date) -> Result<BillAnswer, ChannelError> {
        let target = format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP");
        let answered = self.call(Method::GET, &target, None).await?;
        // Also what it says before the bill is made; whoever asks knows whether there should be one.
        if answered.is(400, &["NO_STATEMENT_EXIST"]) {
            return Ok(BillAnswer::Ready(Bill::empty(day)));
        }
        if answered.is(400, &["STATEMENT_CREATING"]) || answered.status >= 500 {
            return Ok(BillAnswer::NotYet);
        }
        let told: Told = answered.object()?;
        if told.hash_type != "SHA1" {
            return Err(ChannelError::Answer("a digest of another kind"));
        }
        let target = self.download_target(&told.download_url).ok_or(ChannelError::Answer("a bill at another host"))?;
        let plain = gunzip(&self.download(&target).await?).map_err(BillError::from)?;
        if !told.hash_value.eq_ignore_ascii_case(&hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &plain))) {
            return Err(BillError::Digest.into());
        }
        let lines = statement::read(&self.signer.mchid, day, &plain)?;
        Ok(BillAnswer::Ready(Bill { lines, digest: digest(&SHA256, &plain).as_ref().to_vec(), ..Bill::empty(day) }))
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
        let request = request.timeout(BILL_TIMEOUT).header("Authorization", authorization).header("Accept", "application/json");
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ChannelError::Answer("an HTTP status that is no success"));
        }
        file(response).await
    }
}
