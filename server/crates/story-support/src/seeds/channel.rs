//! A payment channel as it truly is: its trades, their refunds, and its messages about them.

use std::collections::BTreeMap;

use model::money::Fen;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Waiting,
    Paid,
    Closed,
}

#[derive(Clone, Debug)]
pub struct Trade {
    /// The merchant's number.
    pub number: String,
    pub trade_no: String,
    pub amount: Fen,
    pub status: Status,
    /// By the numbers of refunds.
    pub refunds: BTreeMap<String, Fen>,
}

impl Trade {
    pub fn refunded(&self) -> Fen {
        self.refunds.values().copied().sum()
    }

    pub fn was_paid(&self) -> bool {
        self.status == Status::Paid
    }
}

/// A verified message of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Paid { number: String, trade_no: String, amount: Fen },
    Closed { number: String },
    Absent { number: String },
    Returned { refund: String },
    NotReturned { refund: String },
}

#[derive(Default)]
pub struct Channel {
    pub trades: Vec<Trade>,
}

impl Channel {
    /// The payer is at the cashier.
    pub fn begin(&mut self, number: &str, amount: Fen) {
        if self.find(number).is_none() {
            let trade_no = format!("42{:06}", self.trades.len());
            let (number, refunds) = (number.to_owned(), BTreeMap::new());
            self.trades.push(Trade { number, trade_no, amount, status: Status::Waiting, refunds });
        }
    }

    pub fn find(&self, number: &str) -> Option<&Trade> {
        self.trades.iter().find(|trade| trade.number == number)
    }

    fn find_mut(&mut self, number: &str) -> Option<&mut Trade> {
        self.trades.iter_mut().find(|trade| trade.number == number)
    }

    pub fn pay(&mut self, number: &str) -> Option<Message> {
        let trade = self.find_mut(number).filter(|trade| trade.status == Status::Waiting)?;
        trade.status = Status::Paid;
        self.status(number)
    }

    pub fn close(&mut self, number: &str) {
        if let Some(trade) = self.find_mut(number).filter(|trade| trade.status == Status::Waiting) {
            trade.status = Status::Closed;
        }
    }

    /// The final status of a trade; none while it waits.
    pub fn status(&self, number: &str) -> Option<Message> {
        let number = number.to_owned();
        match self.find(&number) {
            None => Some(Message::Absent { number }),
            Some(Trade { status: Status::Waiting, .. }) => None,
            Some(Trade { status: Status::Closed, .. }) => Some(Message::Closed { number }),
            Some(Trade { trade_no, amount, .. }) => Some(Message::Paid { number, trade_no: trade_no.clone(), amount: *amount }),
        }
    }

    /// Refunds; a repeated number refunds nothing more.
    pub fn refund(&mut self, number: &str, refund: &str, amount: Fen) -> Message {
        let refund = refund.to_owned();
        let Some(trade) = self.find_mut(number).filter(|trade| trade.was_paid()) else { return Message::NotReturned { refund } };
        if !trade.refunds.contains_key(&refund) {
            if trade.refunded() + amount > trade.amount {
                return Message::NotReturned { refund };
            }
            trade.refunds.insert(refund.clone(), amount);
        }
        Message::Returned { refund }
    }

    /// Whether it knows a refund.
    pub fn knows(&self, number: &str, refund: &str) -> bool {
        self.find(number).is_some_and(|trade| trade.refunds.contains_key(refund))
    }
}
