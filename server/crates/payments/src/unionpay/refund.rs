//! Refunds: separate transactions identified by the merchant's number and time. Repeating a request with both refunds once.

use model::order::Tender;

use super::message::Message;
use super::query::{TransactionStatus, query_fields};
use super::sign::fields;
use super::{UnionPay, wire_time};
use crate::channel::{ChannelError, RefundResponse};
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource, VerifiedEvent};
use domain::refund::ChannelRefund;

/// Codes after which the request can never succeed: amount too large (33), no original trade (35), request does not match it
/// (36).
const FINAL: [&str; 3] = ["33", "35", "36"];

impl UnionPay {
    /// Code `00` only means accepted; the result arrives by notification or query.
    pub(super) async fn submit_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let request = fields([
            ("txnType", "04"),
            ("txnSubType", "00"),
            ("bizType", "000201"),
            ("channelType", "07"),
            ("orderId", &refund.number),
            ("txnTime", &wire_time(refund.requested_at)),
            ("txnAmt", &refund.amount.0.to_string()),
            ("currencyCode", "156"),
            ("origQryId", &refund.trade_no),
            ("backUrl", &self.notify_url),
            ("reqReserved", &refund.out_trade_no),
        ]);
        let message = self.call("backTransReq.do", request).await?;
        match message.get("respCode") {
            // 12: repeated request.
            "00" | "03" | "04" | "05" | "12" => {
                self.check_subject(&message, &refund.number, refund.requested_at)?;
                Ok(RefundResponse::Processing)
            }
            code if FINAL.contains(&code) => {
                self.check_subject(&message, &refund.number, refund.requested_at)?;
                Ok(RefundResponse::Event(self.refund_event(refund, EventKind::RefundFailed, &message)))
            }
            code => Ok(RefundResponse::Unknown(code.chars().take(8).collect())),
        }
    }

    pub(super) async fn fetch_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let message = self.query_transaction(query_fields(&refund.number, refund.requested_at)).await?;
        self.read_refund(refund, &message)
    }

    fn read_refund(&self, refund: &ChannelRefund, message: &Message) -> Result<RefundResponse, ChannelError> {
        let status = TransactionStatus::of(message);
        if let TransactionStatus::QueryFailed(code) = status {
            return Ok(RefundResponse::Unknown(code));
        }
        self.check_subject(message, &refund.number, refund.requested_at)?;
        Ok(match status {
            TransactionStatus::Succeeded if message.amount() != Some(refund.amount) || !message.is_cny() => {
                return Err(ChannelError::InvalidResponse("another amount"));
            }
            TransactionStatus::Succeeded => RefundResponse::Event(self.refund_event(refund, EventKind::RefundSucceeded, message)),
            TransactionStatus::NotFound => RefundResponse::Absent,
            // Only codes documented as final: a refund that is retried under another number would pay twice.
            TransactionStatus::Failed(code)
                if code == "01" || code == "30" || FINAL.contains(&&*code) || code.starts_with('6') =>
            {
                RefundResponse::Event(self.refund_event(refund, EventKind::RefundFailed, message))
            }
            TransactionStatus::Failed(code) => RefundResponse::Unknown(format!("origRespCode {code}")),
            TransactionStatus::Pending | TransactionStatus::QueryFailed(_) => RefundResponse::Processing,
        })
    }

    fn refund_event(&self, refund: &ChannelRefund, kind: EventKind, message: &Message) -> VerifiedEvent {
        verified::event(EventFacts {
            channel: Tender::UnionPay,
            kind,
            source: EventSource::Query,
            out_trade_no: refund.out_trade_no.clone(),
            trade_no: Some(refund.trade_no.clone()),
            app_id: None,
            seller_id: Some(self.signer.mer_id.clone()),
            amount: refund.amount,
            cny: true,
            refund_no: Some(refund.number.clone()),
            finished: false,
            digest: message.digest(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unionpay::tests::{AT, unionpay};
    use model::money::Fen;

    fn read(changes: &[(&str, &str)]) -> Result<RefundResponse, ChannelError> {
        let refund = ChannelRefund {
            number: "D7531000N1R1".into(),
            out_trade_no: "D7531000N1".into(),
            trade_no: "95".into(),
            amount: Fen(2_000),
            paid: Fen(5_000),
            requested_at: AT,
        };
        let fields_of_success = [
            ("respCode", "00"),
            ("origRespCode", "00"),
            ("orderId", "D7531000N1R1"),
            ("txnTime", "20261123210000"),
            ("txnAmt", "2000"),
            ("currencyCode", "156"),
        ];
        let message = Message::from_verified_signature(fields(fields_of_success.into_iter().chain(changes.iter().copied())), b"");
        unionpay().read_refund(&refund, &message)
    }

    fn kind(changes: &[(&str, &str)]) -> Option<EventKind> {
        match read(changes) {
            Ok(RefundResponse::Event(event)) => Some(event.kind()),
            _ => None,
        }
    }

    #[test]
    fn only_final_unionpay_codes_end_a_refund() {
        assert_eq!(
            (kind(&[]), kind(&[("origRespCode", "A6")])),
            (Some(EventKind::RefundSucceeded), Some(EventKind::RefundSucceeded))
        );
        for code in ["01", "33", "35", "36", "61"] {
            assert_eq!(kind(&[("origRespCode", code)]), Some(EventKind::RefundFailed), "{code}");
        }
        for code in ["03", "04", "05"] {
            assert!(matches!(read(&[("origRespCode", code)]), Ok(RefundResponse::Processing)), "{code}");
        }
        for code in ["02", "37", "98", "zz", ""] {
            assert!(matches!(read(&[("origRespCode", code)]), Ok(RefundResponse::Unknown(_))), "{code}");
        }
        assert!(matches!(read(&[("respCode", "34")]), Ok(RefundResponse::Absent)));
        assert!(matches!(read(&[("respCode", "02")]), Ok(RefundResponse::Unknown(_))));
    }

    #[test]
    fn mismatched_unionpay_refund_responses_are_rejected() {
        for change in [("orderId", "D7531000N1R2"), ("txnTime", "20261123210001"), ("txnAmt", "2001"), ("currencyCode", "840")] {
            assert!(read(&[change]).is_err(), "{change:?}");
        }
    }
}
