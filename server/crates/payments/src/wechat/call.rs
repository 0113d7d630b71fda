//! Signed requests and verified responses.

use http::{HeaderMap, Method};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::WechatPay;
use crate::channel::{ChannelError, NotificationError};
use crate::response_body::body;

pub struct ApiResponse {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The body of an error response.
#[derive(serde::Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: String,
}

impl ApiResponse {
    /// Parses the body of a successful response.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ChannelError> {
        if !(200..300).contains(&self.status) {
            return Err(ChannelError::Refused(self.error_code()));
        }
        serde_json::from_slice(&self.body).map_err(|_| ChannelError::InvalidResponse("an object of another form"))
    }

    /// HTTP status and error code, e.g. `404 ORDER_NOT_EXIST`.
    pub fn error_code(&self) -> String {
        let failure: Result<ErrorBody, _> = serde_json::from_slice(&self.body);
        let code: String = failure.map(|failure| failure.code).unwrap_or_default().chars().take(64).collect();
        format!("{} {code}", self.status)
    }

    /// What a response without a valid signature is: error statuses of gateways before WeChat Pay are never signed, and say
    /// more than that they are not.
    pub fn unverified(&self, error: NotificationError) -> ChannelError {
        match error {
            _ if !(200..300).contains(&self.status) => ChannelError::Status(self.status),
            _ if serde_json::from_slice::<IgnoredAny>(&self.body).is_err() => ChannelError::InvalidResponse("malformed JSON"),
            NotificationError::UnknownKey => ChannelError::InvalidResponse("a signature by an unknown key"),
            NotificationError::Stale => ChannelError::InvalidResponse("a timestamp outside the accepted window"),
            _ => ChannelError::InvalidResponse("an invalid signature"),
        }
    }

    /// Whether this is an error with the given status and one of the codes.
    pub fn is_error(&self, status: u16, codes: &[&str]) -> bool {
        self.status == status && codes.iter().any(|code| self.error_code().ends_with(&format!(" {code}")))
    }
}

impl WechatPay {
    /// Sends a request and verifies the response's signature, if necessary after fetching new platform certificates.
    pub(super) async fn call(
        &self,
        method: Method,
        target: &str,
        content: Option<&serde_json::Value>,
    ) -> Result<ApiResponse, ChannelError> {
        let (response, headers) = self.exchange(method, target, content).await?;
        let mut good = self.keys.verify(&headers, &response.body, self.clock.now());
        if good == Err(NotificationError::UnknownKey) && self.fetch_new_keys().await {
            good = self.keys.verify(&headers, &response.body, self.clock.now());
        }
        good.map_err(|error| response.unverified(error))?;
        Ok(response)
    }

    /// Sends a request and returns the unverified response. The body is serialised once, so
    /// that the signed bytes are the sent ones.
    pub(super) async fn exchange(
        &self,
        method: Method,
        target: &str,
        content: Option<&serde_json::Value>,
    ) -> Result<(ApiResponse, HeaderMap), ChannelError> {
        let content = content.map(ToString::to_string).unwrap_or_default();
        let nonce = hex::encode_upper(self.rng.bytes::<16>());
        let authorization = self.signer.authorization(method.as_str(), target, self.clock.now(), &nonce, &content)?;
        let mut request = self
            .client
            .request(method, format!("{}{target}", self.gateway))
            .header("Authorization", authorization)
            .header("Accept", "application/json");
        if let Some(id) = &self.preferred {
            request = request.header("Wechatpay-Serial", id);
        }
        if !content.is_empty() {
            request = request.header("Content-Type", "application/json").body(content);
        }
        let response = self.client.send(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = body(response).await?;
        Ok((ApiResponse { status, body }, headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_wechat_errors_are_told_by_their_status() {
        let page = "<html><head><title>502 Bad Gateway</title></head></html>";
        let of = |body: &str, status, error| ApiResponse { status, body: body.into() }.unverified(error).to_string();
        assert_eq!(of(page, 200, NotificationError::Signature), "the channel responded with malformed JSON");
        let told = |status, error| of(if status == 200 { "{}" } else { page }, status, error);
        assert_eq!(told(502, NotificationError::Signature), "the channel answered with HTTP 502");
        assert_eq!(told(500, NotificationError::UnknownKey), "the channel answered with HTTP 500");
        assert_eq!(told(200, NotificationError::Signature), "the channel responded with an invalid signature");
        assert_eq!(told(200, NotificationError::UnknownKey), "the channel responded with a signature by an unknown key");
    }
}
