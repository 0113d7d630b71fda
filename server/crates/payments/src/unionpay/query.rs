//! `queryTrans`: one code answers the question, another says how the trade stands.

use model::order::Tender;
use model::time::Timestamp;

use super::message::Message;
use super::sign::fields;
use super::{UnionPay, wire_time};
use crate::channel::{Answer, ChannelError};
use crate::form::Fields;
use domain::payment::DEAD_AFTER;
use domain::payment_event::{Kind, Source, Statement, Verified};
use store::payments::Attempt;

/// How a trade stands by its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The money moved; A6 with a limitation that concerns the payer's bank.
    Done,
    /// It is on its way, or nobody knows: ask again.
    Open,
    /// There is no such trade, or not yet.
    Absent,
    /// It did not happen, by this code.
    Failed(String),
    /// The question itself was not answered.
    Unanswered(String),
}

impl Standing {
    /// Of an answer to a query.
    pub fn of(message: &Message) -> Self {
        let (asked, trade) = (message.get("respCode"), message.get("origRespCode"));
        match (asked, trade) {
            ("34", _) | ("00", "34") => Self::Absent,
            ("00", "00" | "A6") => Self::Done,
            ("00", "03" | "04" | "05") => Self::Open,
            ("00", code) if is_code(code) => Self::Failed(code.to_owned()),
            (code, _) => Self::Unanswered(if is_code(code) { format!("respCode {code}") } else { "no respCode".into() }),
        }
    }
}

pub(super) fn is_code(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A question about a transaction of ours, by its number and time.
pub(super) fn question(number: &str, at: Timestamp) -> Fields {
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
    pub(super) async fn ask_trade(&self, attempt: &Attempt) -> Result<Answer, ChannelError> {
        let message = self.ask(question(&attempt.out_trade_no, Timestamp(attempt.created_at))).await?;
        self.read(attempt, &message)
    }

    fn read(&self, attempt: &Attempt, message: &Message) -> Result<Answer, ChannelError> {
        let standing = Standing::of(message);
        if let Standing::Unanswered(code) = standing {
            return Ok(Answer::Unknown(code));
        }
        self.is_about(message, &attempt.out_trade_no, Timestamp(attempt.created_at))?;
        let dead = self.clock.now().since(attempt.expires_at()) > DEAD_AFTER;
        let kind = match standing {
            Standing::Done => Kind::Paid,
            Standing::Absent => Kind::Absent,
            // The payer may try another card until the time is over.
            Standing::Failed(_) if !dead => return Ok(Answer::Waiting),
            Standing::Failed(_) => Kind::Closed,
            Standing::Open | Standing::Unanswered(_) => return Ok(Answer::Unknown("it is on its way".into())),
        };
        let paid = kind == Kind::Paid;
        let trade_no = message.word("queryId").map(str::to_owned);
        let amount = if paid { message.amount() } else { Some(attempt.amount()) };
        let (Some(amount), true) = (amount, trade_no.is_some() || !paid) else {
            return Err(ChannelError::Answer("a trade without number or amount"));
        };
        Ok(Answer::Event(Verified::from_verified_signature(Statement {
            channel: Tender::UnionPay,
            kind,
            source: Source::Query,
            out_trade_no: attempt.out_trade_no.clone(),
            trade_no: trade_no.filter(|_| kind != Kind::Absent),
            app_id: None,
            seller_id: Some(if paid { message.get("merId").to_owned() } else { self.signer.mer_id.clone() }),
            amount,
            cny: !paid || message.is_cny(),
            refund_no: None,
            digest: message.digest(),
        })))
    }

    /// Merchant, number and time together are a transaction's name.
    pub(super) fn is_about(&self, message: &Message, number: &str, at: Timestamp) -> Result<(), ChannelError> {
        let same = message.get("orderId") == number && message.get("txnTime") == wire_time(at);
        if same { Ok(()) } else { Err(ChannelError::Answer("another transaction")) }
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

    fn read(changes: &[(&str, &str)]) -> Result<Answer, ChannelError> {
        unionpay().read(&attempt(), &message(changes))
    }

    fn kind(changes: &[(&str, &str)]) -> Option<Kind> {
        match read(changes) {
            Ok(Answer::Event(event)) => Some(event.kind()),
            _ => None,
        }
    }

    #[test]
    fn the_codes_tell_the_question_from_the_trade() {
        for code in ["00", "A6"] {
            assert_eq!(kind(&[("origRespCode", code)]), Some(Kind::Paid), "{code}");
        }
        assert_eq!((kind(&[("respCode", "34")]), kind(&[("origRespCode", "34")])), (Some(Kind::Absent), Some(Kind::Absent)));
        for code in ["03", "04", "05", "", "0", "000", "é"] {
            assert!(matches!(read(&[("origRespCode", code)]), Ok(Answer::Unknown(_))), "{code}");
        }
        for code in ["01", "02", "10", "11", "37", "98", "", "A6"] {
            assert!(matches!(read(&[("respCode", code)]), Ok(Answer::Unknown(_))), "{code}: the question was not answered");
        }
        assert!(matches!(read(&[("origRespCode", "61")]), Ok(Answer::Waiting)), "another card may do");
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        for change in
            [("orderId", "D7531000N2"), ("txnTime", "20261123210001"), ("txnAmt", "-5000"), ("txnAmt", "0"), ("queryId", "")]
        {
            assert!(read(&[change]).is_err(), "{change:?}");
        }
        let Ok(Answer::Event(event)) = read(&[("merId", "1"), ("currencyCode", "840"), ("txnAmt", "5001")]) else {
            panic!("no event")
        };
        assert_eq!((event.seller_id(), event.is_cny(), event.amount()), (Some("1"), false, Fen(5_001)), "told as it is");
    }

    #[test]
    fn a_failed_trade_closes_when_it_can_no_longer_be_paid() {
        let mut over = attempt();
        over.expires_at = attempt().created_at - DEAD_AFTER - 1;
        let Ok(Answer::Event(event)) = unionpay().read(&over, &message(&[("origRespCode", "61")])) else { panic!("no event") };
        assert_eq!((event.kind(), event.amount()), (Kind::Closed, Fen(5_000)));
        let open = unionpay().read(&over, &message(&[("origRespCode", "05")]));
        assert!(matches!(open, Ok(Answer::Unknown(_))), "what is not known stays so");
    }
}
