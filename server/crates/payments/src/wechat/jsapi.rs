//! Inside WeChat's own browser: who the payer is (OAuth2, `snsapi_base`, without a question to the payer), and the request that the
//! page hands to WeChat.

use async_trait::async_trait;
use serde::Deserialize;

use super::WechatPay;
use crate::channel::{ChannelError, PayerId, SignIn};
use crate::form;
use crate::response_body::{body, unreachable};
use domain::secret::Secret;

/// What it takes beside the rest of the channel.
pub struct Jsapi {
    /// The application's secret.
    pub secret: Secret,
    /// Where payers come back to.
    pub back: String,
}

#[derive(Deserialize)]
struct AccessTokenResponse {
    openid: Option<String>,
    errcode: Option<i64>,
}

impl WechatPay {
    /// Where payers say who they are, and where we ask what they said.
    fn oauth_origin(&self, official: &'static str) -> &str {
        if self.local { &self.gateway } else { official }
    }

    /// What the page hands to WeChat: names and values, the last one our signature.
    pub(super) fn invocation(&self, prepay_id: &str) -> Result<Vec<(String, String)>, ChannelError> {
        let seconds = (self.clock.now().0 / model::time::SECOND).to_string();
        let (nonce, package) = (hex::encode(self.rng.bytes::<16>()), format!("prepay_id={prepay_id}"));
        let signature = self.signer.key.sign(invocation_text(&self.app_id, &seconds, &nonce, &package).as_bytes())?;
        let pairs = [
            ("appId", self.app_id.as_str()),
            ("timeStamp", &seconds),
            ("nonceStr", &nonce),
            ("package", &package),
            ("signType", "RSA"),
            ("paySign", &signature),
        ];
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

/// Four lines, the last one ended too.
#[must_use]
pub fn invocation_text(app_id: &str, seconds: &str, nonce: &str, package: &str) -> String {
    format!("{app_id}\n{seconds}\n{nonce}\n{package}\n")
}

#[async_trait]
impl SignIn for WechatPay {
    fn origin(&self) -> String {
        self.oauth_origin("https://open.weixin.qq.com").to_owned()
    }

    /// WeChat wants the parameters in this order.
    fn address(&self, state: &str) -> String {
        let back = self.jsapi.as_ref().map(|jsapi| jsapi.back.as_str()).unwrap_or_default();
        let query = form::encode([
            ("appid", self.app_id.as_str()),
            ("redirect_uri", back),
            ("response_type", "code"),
            ("scope", "snsapi_base"),
            ("state", state),
        ]);
        format!("{}/connect/oauth2/authorize?{query}#wechat_redirect", SignIn::origin(self))
    }

    /// The address holds our secret: it goes into no error and no log.
    async fn payer(&self, code: &str) -> Result<PayerId, ChannelError> {
        let jsapi = self.jsapi.as_ref().ok_or(ChannelError::InvalidResponse("no secret of the application"))?;
        let query = form::encode([
            ("appid", self.app_id.as_str()),
            ("secret", jsapi.secret.expose()),
            ("code", code),
            ("grant_type", "authorization_code"),
        ]);
        let address = format!("{}/sns/oauth2/access_token?{query}", self.oauth_origin("https://api.weixin.qq.com"));
        let response = self.client.get(address).send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ChannelError::InvalidResponse("an HTTP status that is no success"));
        }
        let answer: AccessTokenResponse = serde_json::from_slice(&body(response).await?)
            .map_err(|_| ChannelError::InvalidResponse("an object that is not of its form"))?;
        if let Some(code) = answer.errcode.filter(|code| *code != 0) {
            return Err(ChannelError::Refused(code.to_string()));
        }
        answer.openid.and_then(PayerId::parse).ok_or(ChannelError::InvalidResponse("nobody's id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::PublicKey;
    use crate::wechat::config::tests::{built, good};
    use crate::wechat::keys::tests::AT;
    use crate::x509::Certificate;

    fn channel() -> WechatPay {
        let config = crate::WechatConfig { app_secret: Some("0123456789abcdef0123456789abcdef".into()), ..good() };
        built(&config, AT).unwrap()
    }

    #[test]
    fn the_payer_is_sent_to_wechat_with_the_parameters_in_its_order() {
        let expected = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxd678efh567hg6787\
                        &redirect_uri=https%3A%2F%2Fdorm.example%2Fpay%2Fwechat%2Fback&response_type=code&scope=snsapi_base\
                        &state=abc#wechat_redirect";
        assert_eq!(channel().address("abc"), expected);
    }

    #[test]
    fn what_the_page_hands_over_is_signed_by_us() {
        let request = channel().invocation("wx201410272009395522657a690389285100").unwrap();
        let names: Vec<_> = request.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"]);
        let value = |n: usize| request[n].1.as_str();
        let text = format!("{}\n{}\n{}\n{}\n", value(0), value(1), value(2), value(3));
        assert_eq!((value(3), value(4)), ("prepay_id=wx201410272009395522657a690389285100", "RSA"));
        let ours: PublicKey = Certificate::parse(include_str!("vectors/merchant.pem")).unwrap().key;
        assert!(ours.verifies(text.as_bytes(), value(5)));
    }

    #[test]
    fn an_id_is_a_word_and_never_printed() {
        for text in ["", "a b", "a\0b", "密", &"x".repeat(129)] {
            assert!(PayerId::parse(text.into()).is_none(), "{text}");
        }
        let id = PayerId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into()).unwrap();
        assert_eq!((format!("{id:?}").as_str(), id.expose()), ("PayerId(***)", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
        assert!(!format!("{:?}", crate::Payer { ip: "", device: crate::Device::Phone, id: Some(&id) }).contains("oUp"));
    }
}
