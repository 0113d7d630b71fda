//! Signed requests: public parameters in the query string and `biz_content` in the body, as in Alipay's SDKs. The gateway takes
//! the body's charset from the query string.

use model::time::Timestamp;

use super::sign::{SIGN_TYPE, request_text};
use crate::channel::{ChannelError, Form};
use crate::form::{Fields, encode};
use crate::rsa::PrivateKey;

/// Signs the requests of one application.
pub struct Caller<'a> {
    pub gateway: &'a str,
    pub app_id: &'a str,
    pub key: &'a PrivateKey,
    pub now: Timestamp,
}

impl Caller<'_> {
    /// Signs a request of `method` with the additional public parameters `extra`.
    ///
    /// # Errors
    /// [`ChannelError::Signing`].
    pub fn sign(&self, method: &str, biz_content: &serde_json::Value, extra: &[(&str, &str)]) -> Result<Form, ChannelError> {
        let mut fields = Fields::new();
        let public = [
            ("app_id", self.app_id),
            ("charset", "utf-8"),
            ("format", "JSON"),
            ("method", method),
            ("sign_type", SIGN_TYPE),
            ("timestamp", &self.now.to_string()),
            ("version", "1.0"),
        ];
        for &(name, value) in public.iter().chain(extra) {
            fields.insert(name.to_owned(), value.to_owned());
        }
        fields.insert("biz_content".to_owned(), biz_content.to_string());
        let sign = self.key.sign(request_text(&fields).as_bytes())?;
        fields.insert("sign".to_owned(), sign);
        let biz_content = fields.remove("biz_content").unwrap_or_default();
        let query = encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Ok(Form { action: format!("{}?{query}", self.gateway), fields: vec![("biz_content".to_owned(), biz_content)] })
    }
}
