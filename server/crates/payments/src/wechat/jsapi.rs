//! JSAPI payments in WeChat's own browser: OAuth2 sign-in (`snsapi_base`, without user interaction) for the payer's `openid`, and
//! the signed parameters for WeChat's JavaScript bridge.

use async_trait::async_trait;
use serde::Deserialize;

use super::WechatPay;
use crate::channel::{ChannelError, PayerId, SignIn};
use crate::form;
use crate::response_body::{body, successful};
use domain::secret::Secret;

/// Additional settings for JSAPI payments.
pub struct Jsapi {
    /// Secret of the application.
    pub secret: Secret,
    /// URL to which the sign-in redirects.
    pub back: String,
}

#[derive(Deserialize)]
struct AccessTokenResponse {
    openid: Option<String>,
    errcode: Option<i64>,
}

impl WechatPay {
    /// The official origin, or the gateway's if that is a sandbox.
    fn oauth_origin(&self, official: &'static str) -> &str {
        if self.local { &self.gateway } else { official }
    }

    /// The parameters of `getBrandWCPayRequest` with the merchant's signature.
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

/// The signed text: four lines, each ending in a line feed.
#[must_use]
pub fn invocation_text(app_id: &str, seconds: &str, nonce: &str, package: &str) -> String {
    format!("{app_id}\n{seconds}\n{nonce}\n{package}\n")
}

#[async_trait]
impl SignIn for WechatPay {
    fn origin(&self) -> String {
        self.oauth_origin("https://open.weixin.qq.com").to_owned()
    }

    /// WeChat requires this order of the parameters.
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

    /// The URL contains the application's secret and must not appear in errors or logs.
    async fn payer(&self, code: &str) -> Result<PayerId, ChannelError> {
        let jsapi = self.jsapi.as_ref().ok_or(ChannelError::InvalidResponse("no application secret configured"))?;
        let query = form::encode([
            ("appid", self.app_id.as_str()),
            ("secret", jsapi.secret.expose()),
            ("code", code),
            ("grant_type", "authorization_code"),
        ]);
        let address = format!("{}/sns/oauth2/access_token?{query}", self.oauth_origin("https://api.weixin.qq.com"));
        let response = successful(self.client.send(self.client.get(address)).await?)?;
        let answer: AccessTokenResponse = serde_json::from_slice(&body(response).await?)
            .map_err(|_| ChannelError::InvalidResponse("an object of another form"))?;
        if let Some(code) = answer.errcode.filter(|code| *code != 0) {
            return Err(ChannelError::Refused(code.to_string()));
        }
        answer.openid.and_then(PayerId::parse).ok_or(ChannelError::InvalidResponse("no valid openid"))
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
    fn sign_in_url_has_parameters_in_required_order() {
        let expected = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxd678efh567hg6787\
                        &redirect_uri=https%3A%2F%2Fdorm.example%2Fpay%2Fwechat%2Fback&response_type=code&scope=snsapi_base\
                        &state=abc#wechat_redirect";
        assert_eq!(channel().address("abc"), expected);
    }

    #[test]
    fn jsapi_parameters_are_signed_by_the_merchant() {
        let request = channel().invocation("wx201410272009395522657a690389285100").unwrap();
        let names: Vec<_> = request.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"]);
        let value = |n: usize| request[n].1.as_str();
        let text = format!("{}\n{}\n{}\n{}\n", value(0), value(1), value(2), value(3));
        assert_eq!((value(3), value(4)), ("prepay_id=wx201410272009395522657a690389285100", "RSA"));
        let merchant_key: PublicKey = Certificate::parse(include_str!("vectors/merchant.pem")).unwrap().key;
        assert!(merchant_key.verifies(text.as_bytes(), value(5)));
    }

    #[test]
    fn payer_ids_are_validated_and_not_printed() {
        for text in ["", "a b", "a\0b", "密", &"x".repeat(129)] {
            assert!(PayerId::parse(text.into()).is_none(), "{text}");
        }
        let id = PayerId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into()).unwrap();
        assert_eq!((format!("{id:?}").as_str(), id.expose()), ("PayerId(***)", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
        assert!(!format!("{:?}", crate::Payer { ip: "", device: crate::Device::Phone, id: Some(&id) }).contains("oUp"));
    }
}
