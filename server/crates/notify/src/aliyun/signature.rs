//! The signature of Alibaba Cloud's interfaces, version 3 (ACS3-HMAC-SHA256), of a request without a body:
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>.

use domain::secret::Secret;
use model::time::{HOUR, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::signing::{hmac_hex, sha256_hex};
use crate::template::percent_encoded;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// A call of an operation whose parameters are in the query.
pub(super) struct Call<'a> {
    pub host: &'a str,
    pub action: &'a str,
    pub version: &'a str,
    pub at: Timestamp,
    /// Different in every request.
    pub nonce: &'a str,
    /// By [`canonical_query`].
    pub query: &'a str,
}

/// Parameters in the order of their names, which the caller keeps.
pub(super) fn canonical_query(parameters: &[(&str, String)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

impl Call<'_> {
    /// The headers, with the signature; `None` where one cannot be sent.
    pub(super) fn signed(&self, key_id: &str, key_secret: &Secret) -> Option<HeaderMap> {
        let (empty, date) = (sha256_hex(b""), utc(self.at));
        // In the order of their names.
        let headers = [
            ("host", self.host),
            ("x-acs-action", self.action),
            ("x-acs-content-sha256", &*empty),
            ("x-acs-date", &*date),
            ("x-acs-signature-nonce", self.nonce),
            ("x-acs-version", self.version),
        ];
        let names = headers.map(|(name, _)| name).join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let request = format!("POST\n/\n{}\n{lines}\n{names}\n{empty}", self.query);
        let text = format!("{ALGORITHM}\n{}", sha256_hex(request.as_bytes()));
        let signature = hmac_hex(key_secret.expose().as_bytes(), text.as_bytes());
        let authorization = format!("{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        let mut authorization = HeaderValue::try_from(authorization).ok()?;
        authorization.set_sensitive(true);
        map.insert(AUTHORIZATION, authorization);
        Some(map)
    }
}

/// `2023-10-26T10:22:32Z`.
fn utc(at: Timestamp) -> String {
    // Civil time is eight hours ahead.
    let at = at.plus(-8 * HOUR);
    format!("{}T{}Z", at.date(), at.clock_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_has_its_signature() {
        let query = canonical_query(&[
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd".to_owned()),
            ("RegionId", "cn-shanghai".to_owned()),
        ]);
        let call = Call {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            at: Timestamp(1_698_315_752_000),
            nonce: "3156853299f313e23d1673dc12e1703d",
            query: &query,
        };
        let headers = call.signed("YourAccessKeyId", &"YourAccessKeySecret".into()).unwrap();
        assert_eq!(headers.get("x-acs-date").unwrap(), "2023-10-26T10:22:32Z");
        assert_eq!(
            headers.get(AUTHORIZATION).unwrap(),
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;\
             x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
        assert!(!format!("{headers:?}").contains("06563a9e"), "the signature is not printed");
    }
}
