//! The model of the store: the durable state and the transactions that change it. Each transaction asks the product's rules; a
//! step that they do not allow is a violation, as the real store refuses it.

use std::collections::BTreeSet;

use domain::ledger::{Account, Transfer, delivery, payment, refund, refund_release, refund_reserve, suspense};
use domain::payment::{Claimed, Expected, Verdict, judge};
use domain::{order, refund as refunds};
use model::ids::{AccountId, Uuid};
use model::money::{Fen, Money};
use model::order::OrderState::{self, Case, Closed, Credited, Paid, Pending, Refunded, Refunding};
use model::order::{CommandState, Tender};
use model::refund::RefundState;

use super::{Flaw, Violation};

pub const ROOM: AccountId = AccountId(Uuid::from_u128(1));
pub const CHANNEL: &str = Tender::Alipay.as_str();

#[derive(Clone, Debug)]
pub struct Order {
    pub number: u64,
    pub amount: Fen,
    pub state: OrderState,
    pub cases: BTreeSet<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Attempt {
    pub number: String,
    pub order: usize,
    /// `pending`, `closing`, `paid`, `closed` or `held`.
    pub state: &'static str,
    pub paid: Fen,
    /// Its expiry by our clock.
    pub ends: u32,
}

#[derive(Clone, Debug)]
pub struct Command {
    pub order: usize,
    pub state: CommandState,
    pub claim: Option<(u16, u16)>,
    pub attempts: u32,
}

#[derive(Clone, Debug)]
pub struct Refund {
    pub number: String,
    pub attempt: usize,
    pub from: Account,
    pub amount: Fen,
    pub state: RefundState,
    pub tries: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Books {
    pub orders: Vec<Order>,
    pub attempts: Vec<Attempt>,
    pub commands: Vec<Command>,
    pub refunds: Vec<Refund>,
    pub events: BTreeSet<String>,
    pub transfers: Vec<Transfer>,
    /// What the meter is known to have applied: purchase count, and fen.
    pub meter: (u16, i64),
    pub frame_number: u32,
    /// Payments that were credited after their order had been closed.
    pub late: u64,
    pub flaw: Flaw,
}

fn id(kind: u128, index: usize) -> Uuid {
    Uuid::from_u128(kind << 64 | index as u128)
}

impl Books {
    pub fn order(&mut self, number: u64, amount: Fen) -> usize {
        self.orders.push(Order { number, amount, state: Pending, cases: BTreeSet::new() });
        self.orders.len() - 1
    }

    pub fn attempt(&mut self, order: usize, ends: u32) -> usize {
        let number = format!("D{}N{}", self.orders[order].number, self.attempts.len());
        self.attempts.push(Attempt { number, order, state: "pending", paid: Fen::ZERO, ends });
        self.attempts.len() - 1
    }

    pub fn by_number(&self, number: &str) -> Option<usize> {
        self.attempts.iter().position(|attempt| attempt.number == number)
    }

    /// A verified payment.
    pub fn paid(&mut self, number: &str, trade_no: &str, amount: Fen) -> Result<(), Violation> {
        let index = self.by_number(number).ok_or_else(|| Violation::new("a trade of nobody"))?;
        let (order, settled) = (self.attempts[index].order, self.attempts[index].state == "paid");
        let expected = Expected {
            channel: Tender::Alipay,
            app_id: "app",
            seller_id: "us",
            amount: self.orders[order].amount,
            settled: settled && self.flaw != Flaw::ForgetsEvents,
            order: if self.flaw == Flaw::ForgetsEvents { Pending } else { self.orders[order].state },
        };
        let claimed = Claimed { channel: Tender::Alipay, app_id: Some("app"), seller_id: Some("us"), amount, cny: true };
        let verdict = judge(Some(&expected), &claimed);
        if !self.events.insert(format!("{trade_no} paid")) && self.flaw != Flaw::ForgetsEvents {
            return Ok(());
        }
        match verdict {
            Verdict::Credit { late: true } if self.flaw == Flaw::GivesUpLatePayments => {}
            Verdict::Credit { late } => {
                self.late += u64::from(late);
                (self.attempts[index].state, self.attempts[index].paid) = ("paid", amount);
                self.step(order, Paid)?;
                self.transfers.push(payment(id(1, order), Tender::Alipay, ROOM, amount.money()));
                self.commands.push(Command { order, state: CommandState::Queued, claim: None, attempts: 0 });
            }
            Verdict::Twice => {
                (self.attempts[index].state, self.attempts[index].paid) = ("paid", amount);
                self.transfers.push(suspense(id(2, index), CHANNEL, amount.money()));
                self.orders[order].cases.insert("paid-twice");
            }
            Verdict::Hold(mismatch) => {
                if !settled {
                    (self.attempts[index].state, self.attempts[index].paid) = ("held", amount);
                }
                if mismatch.is_our_money() {
                    self.transfers.push(suspense(id(2, index), CHANNEL, amount.money()));
                }
                self.orders[order].cases.insert("payment");
            }
        }
        Ok(())
    }

    /// Closes the attempt unpaid, and its order unless another attempt may still pay it.
    pub fn unpaid(&mut self, number: &str) -> Result<(), Violation> {
        let Some(index) = self.by_number(number) else { return Ok(()) };
        if !matches!(self.attempts[index].state, "pending" | "closing") {
            return Ok(());
        }
        self.attempts[index].state = "closed";
        let order = self.attempts[index].order;
        let live = |attempt: &Attempt| attempt.order == order && matches!(attempt.state, "pending" | "closing" | "held");
        if self.orders[order].state == Pending && !self.attempts.iter().any(live) {
            self.step(order, Closed)?;
        }
        Ok(())
    }

    /// The next money command of the meter in the outbox.
    pub fn next_command(&self) -> Option<usize> {
        let held = self.commands.iter().any(|command| command.state == CommandState::Case);
        let at = |state| self.commands.iter().position(|command| command.state == state);
        if held { None } else { at(CommandState::Sending).or_else(|| at(CommandState::Queued)) }
    }

    /// Epoch and count are fixed before the first byte leaves.
    pub fn claim(&mut self, command: usize) -> Option<(u16, u16)> {
        let claim = (1, self.meter.0 + 1);
        let row = &mut self.commands[command];
        match (row.state, row.claim) {
            (CommandState::Sending, Some(_)) => {}
            (CommandState::Queued, _) => (row.state, row.claim) = (CommandState::Sending, Some(claim)),
            _ => return None,
        }
        row.claim
    }

    /// Counts an attempt and gives the frame's number; none if the command has ended.
    pub fn begin_send(&mut self, command: usize) -> Option<u32> {
        let row = &mut self.commands[command];
        if !matches!(row.state, CommandState::Queued | CommandState::Sending) {
            return None;
        }
        row.attempts += 1;
        self.frame_number += 1;
        Some(self.frame_number)
    }

    /// Read back from the meter.
    pub fn credited(&mut self, command: usize) -> Result<(), Violation> {
        let Command { order, state, claim, .. } = self.commands[command];
        if !matches!(state, CommandState::Queued | CommandState::Sending) {
            return Ok(());
        }
        if claim != Some((1, self.meter.0 + 1)) {
            return Err(Violation::new("a count that is not the next one"));
        }
        self.step(order, Credited)?;
        let amount = self.orders[order].amount;
        self.commands[command].state = CommandState::Done;
        self.meter = (self.meter.0 + 1, self.meter.1 + amount.0);
        self.transfers.push(delivery(id(1, order), ROOM, amount.money()));
        Ok(())
    }

    /// Opens a case for a command.
    pub fn held(&mut self, command: usize) -> Result<(), Violation> {
        if !matches!(self.commands[command].state, CommandState::Queued | CommandState::Sending) {
            return Ok(());
        }
        self.commands[command].state = CommandState::Case;
        let order = self.commands[command].order;
        self.orders[order].cases.insert("delivery");
        self.step(order, Case)
    }

    /// Retries it with the epoch and count of its claim.
    pub fn try_again(&mut self, command: usize) -> Result<(), Violation> {
        let row = &mut self.commands[command];
        row.state = if row.claim.is_some() { CommandState::Sending } else { CommandState::Queued };
        let order = row.order;
        self.orders[order].cases.remove("delivery");
        self.step(order, Paid)
    }

    /// Refunds a whole order, if no frame of it can arrive any more.
    pub fn give_back(&mut self, order: usize) -> Result<bool, Violation> {
        let Some(command) = self.commands.iter().position(|command| command.order == order) else { return Ok(false) };
        let row = &mut self.commands[command];
        let unsent = row.attempts == 0 || self.flaw == Flaw::RefundsWhatMayArrive;
        let open = matches!(row.state, CommandState::Queued | CommandState::Sending | CommandState::Case);
        if !(open && unsent && order::may_step(self.orders[order].state, Refunding)) {
            return Ok(false);
        }
        row.state = CommandState::Superseded;
        self.orders[order].cases.remove("delivery");
        self.step(order, Refunding)?;
        let pays = |&at: &usize| self.attempts[at].order == order && self.attempts[at].state == "paid" && !self.is_apart(at);
        let attempt = (0..self.attempts.len()).find(pays).ok_or_else(|| Violation::new("paid by nothing"))?;
        self.ask_refund(attempt, Account::Paid(ROOM), self.orders[order].amount)
    }

    /// Reserves a refund before the channel is asked; never more than was paid.
    pub fn ask_refund(&mut self, attempt: usize, from: Account, amount: Fen) -> Result<bool, Violation> {
        let of = |refund: &&Refund| refund.attempt == attempt && refund.state.is_reserved();
        let reserved: Fen = self.refunds.iter().filter(of).map(|refund| refund.amount).sum();
        if amount > refunds::refundable(self.attempts[attempt].paid, reserved, Fen::ZERO) {
            return Ok(false);
        }
        let index = self.refunds.len();
        let number = format!("R{index}");
        self.transfers.push(refund_reserve(id(3, index), from.clone(), amount.money()));
        self.refunds.push(Refund { number, attempt, from, amount, state: RefundState::Sending, tries: 0 });
        Ok(true)
    }

    /// The channel's final answer to a refund.
    pub fn refunded(&mut self, number: &str, happened: bool) -> Result<(), Violation> {
        let number = number.split('.').next().unwrap_or(number);
        let Some(index) = self.refunds.iter().position(|refund| refund.number == number) else { return Ok(()) };
        let row = &mut self.refunds[index];
        if row.state != RefundState::Sending {
            return Ok(());
        }
        let to = if happened { RefundState::Done } else { RefundState::Failed };
        if !refunds::may_step(row.state, to) {
            return Err(Violation::new("a refund may not end so"));
        }
        row.state = to;
        let (order, whole, from, amount) =
            (self.attempts[row.attempt].order, matches!(row.from, Account::Paid(_)), row.from.clone(), row.amount.money());
        if !happened {
            self.transfers.push(refund_release(id(3, index), from, amount));
            self.orders[order].cases.insert("refund");
            return if whole { self.step(order, Case) } else { Ok(()) };
        }
        self.transfers.push(refund(id(3, index), Tender::Alipay, amount));
        if whole {
            return self.step(order, Refunded);
        }
        if self.balance(&Account::Suspense) == Money::ZERO {
            self.orders[order].cases.remove("paid-twice");
        }
        Ok(())
    }

    /// Whether the payment of an attempt is in suspense.
    pub fn is_apart(&self, attempt: usize) -> bool {
        self.transfers.iter().any(|transfer| transfer.operation == "suspense" && transfer.reference == id(2, attempt))
    }

    fn step(&mut self, index: usize, to: OrderState) -> Result<(), Violation> {
        let from = self.orders[index].state;
        if !order::may_step(from, to) && self.flaw == Flaw::None {
            return Err(Violation(format!("an order went from {from:?} to {to:?}")));
        }
        self.orders[index].state = to;
        Ok(())
    }

    pub fn balance(&self, account: &Account) -> Money {
        let of = |transfer: &Transfer| {
            let credit = if transfer.credit == *account { transfer.amount.0 } else { 0 };
            credit - if transfer.debit == *account { transfer.amount.0 } else { 0 }
        };
        Money(self.transfers.iter().map(of).sum())
    }

    /// The invariants after every write.
    pub fn check(&self) -> Result<(), Violation> {
        for account in [Account::Suspense, Account::Refunding, Account::Paid(ROOM), Account::InMeter(ROOM)] {
            if self.balance(&account) < Money::ZERO {
                return Err(Violation(format!("more was taken out of {} than was in it", account.code())));
            }
        }
        let mut once = BTreeSet::new();
        if !self.transfers.iter().all(|transfer| once.insert((transfer.operation, transfer.reference))) {
            return Err(Violation::new("something is posted twice"));
        }
        if self.balance(&Account::InMeter(ROOM)) != Fen(self.meter.1).money() {
            return Err(Violation::new("ledger and meter's row differ"));
        }
        Ok(())
    }
}
