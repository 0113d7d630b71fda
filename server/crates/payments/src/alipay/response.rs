//! Synchronous responses. The signature covers the raw text of the inner object, so it is verified before any parsing of that
//! object.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::ChannelError;
use crate::rsa::PublicKey;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    alipay_trade_query_response: Option<&'a RawValue>,
    #[serde(borrow)]
    alipay_trade_close_response: Option<&'a RawValue>,
    #[serde(borrow)]
    alipay_trade_refund_response: Option<&'a RawValue>,
    #[serde(borrow)]
    alipay_trade_fastpay_refund_query_response: Option<&'a RawValue>,
    #[serde(borrow)]
    alipay_data_dataservice_bill_downloadurl_query_response: Option<&'a RawValue>,
    /// Owned: Alipay may escape slashes, which cannot be borrowed.
    sign: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiMethod {
    Query,
    Close,
    Refund,
    RefundQuery,
    Statement,
}

impl ApiMethod {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "alipay.trade.query",
            Self::Close => "alipay.trade.close",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
            Self::Statement => "alipay.data.dataservice.bill.downloadurl.query",
        }
    }
}

/// The union of the fields of all responses.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ResponseBody {
    /// `10000` on success.
    #[serde(default)]
    pub code: String,
    /// Error code if `code` is not `10000`.
    pub sub_code: Option<String>,
    pub out_trade_no: Option<String>,
    pub trade_no: Option<String>,
    pub trade_status: Option<String>,
    /// Amount of the trade, yuan.
    pub total_amount: Option<String>,
    /// Time of payment; kept when the trade is closed by a full refund.
    pub send_pay_date: Option<String>,
    /// `Y` if this request moved money.
    pub fund_change: Option<String>,
    /// Refund number; missing if there is no such refund.
    pub out_request_no: Option<String>,
    pub refund_status: Option<String>,
    /// Amount of the refund, yuan.
    pub refund_amount: Option<String>,
    /// Valid for 30 seconds.
    pub bill_download_url: Option<String>,
}

/// Verifies the signature of a response to `method` and parses its inner object.
///
/// # Errors
/// [`ChannelError::InvalidResponse`] if it is malformed, unsigned, wrongly signed, or answers another method.
pub fn verify(method: ApiMethod, body: &[u8], key: &PublicKey) -> Result<ResponseBody, ChannelError> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| ChannelError::InvalidResponse("malformed JSON"))?;
    let raw = match method {
        ApiMethod::Query => envelope.alipay_trade_query_response,
        ApiMethod::Close => envelope.alipay_trade_close_response,
        ApiMethod::Refund => envelope.alipay_trade_refund_response,
        ApiMethod::RefundQuery => envelope.alipay_trade_fastpay_refund_query_response,
        ApiMethod::Statement => envelope.alipay_data_dataservice_bill_downloadurl_query_response,
    };
    let raw = raw.ok_or(ChannelError::InvalidResponse("a response to another method"))?;
    let sign = envelope.sign.ok_or(ChannelError::InvalidResponse("a response without a signature"))?;
    if !key.verifies(raw.get().as_bytes(), &sign) {
        return Err(ChannelError::InvalidResponse("an invalid signature"));
    }
    serde_json::from_str(raw.get()).map_err(|_| ChannelError::InvalidResponse("an object of another form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = include_str!("vectors/query-paid.json");
    const ABSENT: &str = include_str!("vectors/query-absent.json");

    fn key() -> PublicKey {
        PublicKey::parse(include_str!("vectors/gateway-public.pem")).unwrap()
    }

    #[test]
    fn signature_covers_the_raw_inner_object() {
        let body = verify(ApiMethod::Query, PAID.as_bytes(), &key()).unwrap();
        assert_eq!((body.code.as_str(), body.trade_status.as_deref()), ("10000", Some("TRADE_SUCCESS")));
        assert_eq!(body.total_amount.as_deref(), Some("50.00"));
        let absent = verify(ApiMethod::Query, ABSENT.as_bytes(), &key()).unwrap();
        assert_eq!(absent.sub_code.as_deref(), Some("ACQ.TRADE_NOT_EXIST"));
    }

    #[test]
    fn signatures_with_escaped_slashes_are_verified() {
        let (content, sign) = PAID.split_once("\"sign\"").unwrap();
        assert!(sign.contains('/'), "the vector must have something to escape");
        let escaped = format!("{content}\"sign\"{}", sign.replace('/', "\\/"));
        let body = verify(ApiMethod::Query, escaped.as_bytes(), &key()).unwrap();
        assert_eq!(body.total_amount.as_deref(), Some("50.00"));
    }

    #[test]
    fn unsigned_or_altered_responses_are_rejected() {
        let changed = PAID.replace("50.00", "51.00");
        let unsigned = r#"{"alipay_trade_query_response":{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}}"#;
        let twice = PAID.replacen('{', "{\"alipay_trade_query_response\":{},", 1);
        for body in [&*changed, unsigned, &*twice, "", "{}", "null", "<html>", "{\"sign\":\"\"}"] {
            assert!(verify(ApiMethod::Query, body.as_bytes(), &key()).is_err(), "{body}");
        }
        assert!(verify(ApiMethod::Close, PAID.as_bytes(), &key()).is_err(), "a response to another method");
    }
}
