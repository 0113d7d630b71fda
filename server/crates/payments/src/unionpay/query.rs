//! `queryTrans`: one code answers the question, another says how the trade stands.

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

/// How a trade stands by its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// The money moved; A6 with a limitation that concerns the payer's bank.
    Succeeded,
    /// It is on its way, or nobody knows: ask again.
    Pending,
    /// There is no such trade, or not yet.
    NotFound,
    /// It did not happen, by this code.
    Failed(String),
    /// The question itself was not answered.
    QueryFailed(String),
}

impl TransactionStatus {
    /// Of an answer to a query.
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

/// A question about a transaction of ours, by its number and time.
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
        let message = self.query_transaction(query_fields(&attempt.out_trade_no, Timestamp(attempt.created_at))).await?;
        self.read(attempt, &message)
    }

    fn read(&self, attempt: &Attempt, message: &Message) -> Result<QueryResponse, ChannelError> {
        let status = TransactionStatus::of(message);
        if let TransactionStatus::QueryFailed(code) = status {
            return Ok(QueryResponse::Unknown(code));
        }
        self.check_subject(message, &attempt.out_trade_no, Timestamp(attempt.created_at))?;
        let dead = self.clock.now().since(attempt.expires_at()) > DEAD_AFTER;
        let kind = match status {
            TransactionStatus::Succeeded => EventKind::Paid,
            TransactionStatus::NotFound => EventKind::Absent,
            // The payer may try another card until the time is over.
            TransactionStatus::Failed(_) if !dead => return Ok(QueryResponse::Waiting),
            TransactionStatus::Failed(_) => EventKind::Closed,
            TransactionStatus::Pending | TransactionStatus::QueryFailed(_) => {
                return Ok(QueryResponse::Unknown("it is on its way".into()));
            }
        };
        let paid = kind == EventKind::Paid;
        let trade_no = message.word("queryId").map(str::to_owned);
        let amount = if paid { message.amount() } else { Some(attempt.amount()) };
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
            digest: message.digest(),
        })))
    }

    /// Merchant, number and time together are a transaction's name.
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
    fn the_codes_tell_the_question_from_the_trade() {
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
            assert!(
                matches!(read(&[("respCode", code)]), Ok(QueryResponse::Unknown(_))),
                "{code}: the question was not answered"
            );
        }
        assert!(matches!(read(&[("origRespCode", "61")]), Ok(QueryResponse::Waiting)), "another card may do");
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        for change in
            [("orderId", "D7531000N2"), ("txnTime", "20261123210001"), ("txnAmt", "-5000"), ("txnAmt", "0"), ("queryId", "")]
        {
            assert!(read(&[change]).is_err(), "{change:?}");
        }
        let Ok(QueryResponse::Event(event)) = read(&[("merId", "1"), ("currencyCode", "840"), ("txnAmt", "5001")]) else {
            panic!("no event")
        };
        assert_eq!((event.seller_id(), event.is_cny(), event.amount()), (Some("1"), false, Fen(5_001)), "told as it is");
    }

    #[test]
    fn a_trade_that_failed_is_closed_when_nobody_can_pay_it_any_more() {
        let mut over = attempt();
        over.expires_at = attempt().created_at - DEAD_AFTER - 1;
        let Ok(QueryResponse::Event(event)) = unionpay().read(&over, &message(&[("origRespCode", "61")])) else {
            panic!("no event")
        };
        assert_eq!((event.kind(), event.amount()), (EventKind::Closed, Fen(5_000)));
        let open = unionpay().read(&over, &message(&[("origRespCode", "05")]));
        assert!(matches!(open, Ok(QueryResponse::Unknown(_))), "what is not known stays so");
    }
}
