//! `queryTrans`: `respCode` is the result of the query, `origRespCode` the result of the transaction.

use model::order::Tender;
use model::time::Timestamp;

use super::message::Message;
use super::sign::fields;
use super::{UnionPay, wire_time};
use crate::channel::{ChannelError, QueryResponse};
use crate::form::Fields;
use crate::verified;
use domain::payment::DEAD_AFTER;
use domain::payment_event::{EventFacts, EventKind, EventSource};
use store::payments::Attempt;

/// The state of a transaction by the two codes of a query response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// `00`, or `A6`: succeeded with a limitation at the payer's bank.
    Succeeded,
    /// In progress or unknown to UnionPay.
    Pending,
    /// There is no such transaction, or not yet.
    NotFound,
    /// Failed with this code.
    Failed(String),
    /// The query itself failed, with this text.
    QueryFailed(String),
}

impl TransactionStatus {
    pub fn of(message: &Message) -> Self {
        let (query_code, trade_code) = (message.get("respCode"), message.get("origRespCode"));
        match (query_code, trade_code) {
            ("34", _) | ("00", "34") => Self::NotFound,
            ("00", "00" | "A6") => Self::Succeeded,
            ("00", "03" | "04" | "05") => Self::Pending,
            ("00", code) if is_code(code) => Self::Failed(code.to_owned()),
            (code, _) => Self::QueryFailed(if is_code(code) { format!("respCode {code}") } else { "no respCode".into() }),
        }
    }
}

pub(super) fn is_code(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The fields of a query for the transaction with this number and `txnTime`.
pub(super) fn query_fields(number: &str, at: Timestamp) -> Fields {
    let time = wire_time(at);
    fields([
        ("txnType", "00"),
        ("txnSubType", "00"),
        ("bizType", "000201"),
        ("channelType", "07"),
        ("orderId", number),
        ("txnTime", &time),
    ])
}

impl UnionPay {
    pub(super) async fn query_trade(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError> {
        let message = self.query_transaction(query_fields(&attempt.out_trade_no, attempt.created_at)).await?;
        self.read(attempt, &message)
    }

    fn read(&self, attempt: &Attempt, message: &Message) -> Result<QueryResponse, ChannelError> {
        let status = TransactionStatus::of(message);
        if let TransactionStatus::QueryFailed(code) = status {
            return Ok(QueryResponse::Unknown(code));
        }
        self.check_subject(message, &attempt.out_trade_no, attempt.created_at)?;
        let expired = self.clock.now().since(attempt.expires_at) > DEAD_AFTER;
        let kind = match status {
            TransactionStatus::Succeeded => EventKind::Paid,
            TransactionStatus::NotFound => EventKind::Absent,
            // The payer may try another card until the attempt expires.
            TransactionStatus::Failed(_) if !expired => return Ok(QueryResponse::Waiting),
            TransactionStatus::Failed(_) => EventKind::Closed,
            TransactionStatus::Pending | TransactionStatus::QueryFailed(_) => {
                return Ok(QueryResponse::Unknown("in progress".into()));
            }
        };
        let paid = kind == EventKind::Paid;
        let trade_no = message.word("queryId").map(str::to_owned);
        let amount = if paid { message.amount() } else { Some(attempt.amount) };
        let (Some(amount), true) = (amount, trade_no.is_some() || !paid) else {
            return Err(ChannelError::InvalidResponse("a trade without number or amount"));
        };
        Ok(QueryResponse::Event(verified::event(EventFacts {
            channel: Tender::UnionPay,
            kind,
            source: EventSource::Query,
            out_trade_no: attempt.out_trade_no.clone(),
            trade_no: trade_no.filter(|_| kind != EventKind::Absent),
            app_id: None,
            seller_id: Some(if paid { message.get("merId").to_owned() } else { self.signer.mer_id.clone() }),
            amount,
            cny: !paid || message.is_cny(),
            refund_no: None,
            finished: false,
            digest: message.digest(),
        })))
    }

    /// A transaction is identified by merchant, number and time.
    pub(super) fn check_subject(&self, message: &Message, number: &str, at: Timestamp) -> Result<(), ChannelError> {
        let same = message.get("orderId") == number && message.get("txnTime") == wire_time(at);
        if same { Ok(()) } else { Err(ChannelError::InvalidResponse("another transaction")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unionpay::front::tests::attempt;
    use crate::unionpay::message::parse_answer;
    use crate::unionpay::tests::unionpay;
    use model::money::Fen;

    fn message(changes: &[(&str, &str)]) -> Message {
        let mut fields = parse_answer(include_bytes!("vectors/query-paid.txt")).unwrap();
        fields.extend(changes.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        Message::from_verified_signature(fields, b"")
    }

    fn read(changes: &[(&str, &str)]) -> Result<QueryResponse, ChannelError> {
        unionpay().read(&attempt(), &message(changes))
    }

    fn kind(changes: &[(&str, &str)]) -> Option<EventKind> {
        match read(changes) {
            Ok(QueryResponse::Event(event)) => Some(event.kind()),
            _ => None,
        }
    }

    #[test]
    fn unionpay_query_and_trade_codes_are_separate() {
        for code in ["00", "A6"] {
            assert_eq!(kind(&[("origRespCode", code)]), Some(EventKind::Paid), "{code}");
        }
        assert_eq!(
            (kind(&[("respCode", "34")]), kind(&[("origRespCode", "34")])),
            (Some(EventKind::Absent), Some(EventKind::Absent))
        );
        for code in ["03", "04", "05", "", "0", "000", "é"] {
            assert!(matches!(read(&[("origRespCode", code)]), Ok(QueryResponse::Unknown(_))), "{code}");
        }
        for code in ["01", "02", "10", "11", "37", "98", "", "A6"] {
            assert!(matches!(read(&[("respCode", code)]), Ok(QueryResponse::Unknown(_))), "{code}: the query failed");
        }
        assert!(matches!(read(&[("origRespCode", "61")]), Ok(QueryResponse::Waiting)), "the payer may use another card");
    }

    #[test]
    fn mismatched_unionpay_query_responses_are_rejected() {
        for change in
            [("orderId", "D7531000N2"), ("txnTime", "20261123210001"), ("txnAmt", "-5000"), ("txnAmt", "0"), ("queryId", "")]
        {
            assert!(read(&[change]).is_err(), "{change:?}");
        }
        let Ok(QueryResponse::Event(event)) = read(&[("merId", "1"), ("currencyCode", "840"), ("txnAmt", "5001")]) else {
            panic!("no event")
        };
        assert_eq!((event.seller_id(), event.is_cny(), event.amount()), (Some("1"), false, Fen(5_001)), "reported unchanged");
    }

    #[test]
    fn failed_unionpay_trade_closes_only_after_expiry() {
        let mut over = attempt();
        over.expires_at = attempt().created_at.plus(-DEAD_AFTER - 1);
        let Ok(QueryResponse::Event(event)) = unionpay().read(&over, &message(&[("origRespCode", "61")])) else {
            panic!("no event")
        };
        assert_eq!((event.kind(), event.amount()), (EventKind::Closed, Fen(5_000)));
        let open = unionpay().read(&over, &message(&[("origRespCode", "05")]));
        assert!(matches!(open, Ok(QueryResponse::Unknown(_))), "an unknown state stays unknown");
    }
}
