//! A signed request: public parameters in the address, the business content in the body, as Alipay's own SDKs send it (the
//! gateway takes the charset of the body from the address).

use model::time::Timestamp;

use super::sign::{SIGN_TYPE, request_text};
use crate::channel::{ChannelError, Form};
use crate::form::{Fields, encode};
use crate::rsa::PrivateKey;

/// What every request of one application carries.
pub struct Caller<'a> {
    /// The gateway's address.
    pub gateway: &'a str,
    pub app_id: &'a str,
    pub key: &'a PrivateKey,
    /// Now; printed in Beijing time.
    pub now: Timestamp,
}

impl Caller<'_> {
    /// Signs a call of `method`; `more` are further public parameters.
    ///
    /// # Errors
    /// Where the key does not sign.
    pub fn sign(&self, method: &str, biz_content: &serde_json::Value, more: &[(&str, &str)]) -> Result<Form, ChannelError> {
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
        for &(name, value) in public.iter().chain(more) {
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
