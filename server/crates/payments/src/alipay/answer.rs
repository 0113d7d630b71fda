//! A synchronous answer: the signature covers the raw text of the inner object exactly as it came, so it is never written again.

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
    sign: Option<&'a str>,
}

/// Which answer is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `alipay.trade.query`.
    Query,
    /// `alipay.trade.close`.
    Close,
    /// `alipay.trade.refund`.
    Refund,
    /// `alipay.trade.fastpay.refund.query`.
    RefundQuery,
    /// `alipay.data.dataservice.bill.downloadurl.query`.
    Bill,
}

impl Method {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "alipay.trade.query",
            Self::Close => "alipay.trade.close",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
            Self::Bill => "alipay.data.dataservice.bill.downloadurl.query",
        }
    }
}

/// The inner object of an answer whose signature is good.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Inner {
    /// 10000 for done.
    #[serde(default)]
    pub code: String,
    /// The reason where it is not.
    pub sub_code: Option<String>,
    pub out_trade_no: Option<String>,
    pub trade_no: Option<String>,
    /// Where the trade stands.
    pub trade_status: Option<String>,
    /// Its amount, yuan.
    pub total_amount: Option<String>,
    /// When it was paid; also there when all of it went back.
    pub send_pay_date: Option<String>,
    /// `Y` where this very call gave the money back.
    pub fund_change: Option<String>,
    /// The refund's number, where one is asked about and known.
    pub out_request_no: Option<String>,
    /// `REFUND_SUCCESS` where it is with the payer.
    pub refund_status: Option<String>,
    /// How much of it, yuan.
    pub refund_amount: Option<String>,
    /// Where a bill lies, for half a minute.
    pub bill_download_url: Option<String>,
}

/// Opens an answer.
///
/// # Errors
/// Where it is no answer, unsigned, or signed by somebody else: then nothing may be concluded.
pub fn open(method: Method, body: &[u8], key: &PublicKey) -> Result<Inner, ChannelError> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| ChannelError::Answer("no JSON of its form"))?;
    let raw = match method {
        Method::Query => envelope.alipay_trade_query_response,
        Method::Close => envelope.alipay_trade_close_response,
        Method::Refund => envelope.alipay_trade_refund_response,
        Method::RefundQuery => envelope.alipay_trade_fastpay_refund_query_response,
        Method::Bill => envelope.alipay_data_dataservice_bill_downloadurl_query_response,
    };
    let raw = raw.ok_or(ChannelError::Answer("another method's answer"))?;
    let sign = envelope.sign.ok_or(ChannelError::Answer("no signature"))?;
    if !key.verifies(raw.get().as_bytes(), sign) {
        return Err(ChannelError::Answer("a signature that is not the channel's"));
    }
    serde_json::from_str(raw.get()).map_err(|_| ChannelError::Answer("an object that is not of its form"))
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
    fn the_raw_text_is_what_was_signed() {
        let inner = open(Method::Query, PAID.as_bytes(), &key()).unwrap();
        assert_eq!((inner.code.as_str(), inner.trade_status.as_deref()), ("10000", Some("TRADE_SUCCESS")));
        assert_eq!(inner.total_amount.as_deref(), Some("50.00"));
        let absent = open(Method::Query, ABSENT.as_bytes(), &key()).unwrap();
        assert_eq!(absent.sub_code.as_deref(), Some("ACQ.TRADE_NOT_EXIST"));
    }

    #[test]
    fn nothing_is_concluded_from_an_answer_that_is_not_signed() {
        let changed = PAID.replace("50.00", "51.00");
        let unsigned = r#"{"alipay_trade_query_response":{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}}"#;
        let twice = PAID.replacen('{', "{\"alipay_trade_query_response\":{},", 1);
        for body in [&*changed, unsigned, &*twice, "", "{}", "null", "<html>", "{\"sign\":\"\"}"] {
            assert!(open(Method::Query, body.as_bytes(), &key()).is_err(), "{body}");
        }
        assert!(open(Method::Close, PAID.as_bytes(), &key()).is_err(), "an answer to something else");
    }
}
