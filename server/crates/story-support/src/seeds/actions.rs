//! The actions of people, the channel, the tasks and the delivery engine.

use domain::ledger::Account;
use domain::money_rule::{ClaimedOperation, MoneyOperation};
use meters::delivery::next_action::{MoneyAction, SendProgress, SentFrame, next_action};
use model::money::Fen;
use model::order::{CommandState, OrderState};
use model::refund::RefundState;

use super::channel::{Message, Status};
use super::outcome::{Flaw, Violation};
use super::{DEAD, LIFETIME, LIMIT, Simulation, Step, Stop};

impl Simulation {
    pub(super) fn order(&mut self) -> Step {
        let (amount, number) = (Fen(100 + self.rng.below(12_000) as i64), self.rng.below(1 << 60));
        let ends = self.now + LIFETIME;
        let number = self.commit(|books| {
            let order = books.order(number, amount);
            let attempt = books.attempt(order, ends);
            Ok(books.attempts[attempt].number.clone())
        })?;
        self.log(|| format!("order of {amount} as {number}"));
        // Some payers open the cashier later, or never.
        if !self.one_in(4) {
            self.channel.begin(&number, amount);
        }
        Ok(())
    }

    pub(super) fn another_attempt(&mut self) -> Step {
        let pending: Vec<usize> = (0..self.books.orders.len())
            .filter(|&order| self.books.orders[order].state == OrderState::Pending)
            .filter(|&order| {
                self.books
                    .attempts
                    .iter()
                    .all(|attempt| attempt.order != order || matches!(attempt.state, "pending" | "closing" | "closed"))
            })
            .collect();
        let Some(order) = self.any(&pending) else { return Ok(()) };
        let ends = self.now + LIFETIME;
        let (number, amount) = self.commit(|books| {
            // Checked again under the lock.
            if books.orders[order].state != OrderState::Pending {
                return Ok((String::new(), Fen::ZERO));
            }
            let attempt = books.attempt(order, ends);
            Ok((books.attempts[attempt].number.clone(), books.orders[order].amount))
        })?;
        if !number.is_empty() {
            self.channel.begin(&number, amount);
        }
        Ok(())
    }

    /// A payer pays. A payer who had not opened the cashier may do so late, as the channel's clock differs from ours.
    pub(super) fn pay(&mut self) -> Step {
        if let Some(attempt) = self.any(&self.books.attempts.clone()).filter(|_| self.one_in(3)) {
            let amount = self.books.orders[attempt.order].amount;
            self.channel.begin(&attempt.number, amount);
        }
        let waiting: Vec<String> = self
            .channel
            .trades
            .iter()
            .filter(|trade| trade.status == Status::Waiting)
            .map(|trade| trade.number.clone())
            .collect();
        let Some(number) = self.any(&waiting) else { return Ok(()) };
        let Some(word) = self.channel.pay(&number) else { return Ok(()) };
        self.log(|| format!("paid {number}"));
        self.tally.payments += 1;
        let asked =
            self.books.by_number(&number).is_some_and(|at| matches!(self.books.attempts[at].state, "pending" | "closing"));
        // A lost notification is queried; one for a closed attempt is repeated until it arrives.
        if !(asked && self.bad(3)) {
            self.messages.push(word);
        }
        Ok(())
    }

    /// Any pending notification arrives, and may arrive again later.
    pub(super) fn receive(&mut self) -> Step {
        if self.messages.is_empty() {
            return Ok(());
        }
        let at = self.rng.below(self.messages.len() as u64) as usize;
        let word = self.messages[at].clone();
        self.settle(&word)?;
        if !self.bad(2) {
            self.messages.retain(|other| *other != word);
        }
        Ok(())
    }

    fn settle(&mut self, word: &Message) -> Step {
        self.log(|| format!("hears {word:?}"));
        // Some verified notifications have a wrong amount.
        let wrong = if matches!(word, Message::Paid { .. }) && self.bad(40) { Fen(1) } else { Fen::ZERO };
        let (now, flaw) = (self.now, self.books.flaw);
        self.commit(|books| match word {
            Message::Paid { number, trade_no, amount } => books.paid(number, trade_no, *amount + wrong),
            Message::Closed { number } => books.unpaid(number),
            Message::Absent { number } => {
                let dead = books.by_number(number).is_some_and(|at| now > books.attempts[at].ends + DEAD);
                if dead || flaw == Flaw::BelievesSilence { books.unpaid(number) } else { Ok(()) }
            }
            Message::Returned { refund } => books.refunded(refund, true),
            Message::NotReturned { refund } => books.refunded(refund, false),
        })
    }

    /// The query job: queries; after expiry closes and queries again.
    pub(super) fn query(&mut self) -> Step {
        let waiting: Vec<_> =
            self.books.attempts.iter().filter(|attempt| matches!(attempt.state, "pending" | "closing")).cloned().collect();
        for attempt in if self.calm { waiting } else { self.any(&waiting).into_iter().collect::<Vec<_>>() } {
            let number = attempt.number;
            if self.bad(4) {
                // No answer.
                if self.books.flaw == Flaw::BelievesSilence {
                    self.settle(&Message::Absent { number })?;
                }
                continue;
            }
            let word = match self.channel.status(&number) {
                Some(word @ (Message::Paid { .. } | Message::Closed { .. })) => word,
                answer if self.now <= attempt.ends => match answer {
                    Some(word) => word,
                    None => continue,
                },
                _ => {
                    self.commit(|books| {
                        let at = books.by_number(&number).unwrap_or_default();
                        if books.attempts[at].state == "pending" {
                            books.attempts[at].state = "closing";
                        }
                        Ok(())
                    })?;
                    // The request or its answer may be lost; the next query shows the result.
                    if !self.bad(4) {
                        self.channel.close(&number);
                    }
                    match self.channel.status(&number) {
                        Some(word) if !self.bad(4) => word,
                        _ => continue,
                    }
                }
            };
            self.settle(&word)?;
        }
        Ok(())
    }

    /// One activation of the next money command, as the delivery engine does it.
    pub(super) fn deliver(&mut self) -> Step {
        let Some(command) = self.books.next_command() else { return Ok(()) };
        let Some((epoch, count)) = self.commit(|books| Ok(books.claim(command)))? else { return Ok(()) };
        let order = self.books.orders[self.books.commands[command].order].clone();
        let money_operation =
            MoneyOperation::Credit { order: order.number, amount: u32::try_from(order.amount.0).unwrap_or_default() };
        let mut claimed = ClaimedOperation { money_operation, epoch, count };
        let fresh = self.books.commands[command].attempts == 0;
        let mut progress = SendProgress { never_sent: fresh, last_frame: None, sends: 0, limit: LIMIT };
        loop {
            if self.bad(8) {
                return Ok(());
            }
            let seen = self.line.look()?;
            if self.books.flaw == Flaw::CountsFromTheMeter {
                claimed.count = seen.count + 1;
            }
            match next_action(&claimed, &progress, &seen) {
                MoneyAction::Settle => {
                    self.log(|| format!("{} is in the meter", order.number));
                    return self.commit(|books| books.credited(command));
                }
                MoneyAction::Hold(_, case) => {
                    self.log(|| format!("{} is held: {}", order.number, case.reason.as_str()));
                    return self.commit(|books| books.held(command));
                }
                MoneyAction::Refuse(..) => return Err(Violation::new("a credit was declined as a debit is").into()),
                MoneyAction::Wait => return Ok(()),
                MoneyAction::Send => {}
            }
            let Some(frame_number) = self.commit(|books| Ok(books.begin_send(command)))? else { return Ok(()) };
            self.tally.frames += 1;
            let (arrives, answered) = (!self.bad(4), !self.bad(4));
            self.line.send(&claimed.operation(), &seen, frame_number, arrives)?;
            if self.bad(10) {
                return Err(Stop::Crash);
            }
            let taken = arrives && answered;
            if taken && self.books.flaw == Flaw::BelievesTheWrite {
                return self.commit(|books| books.credited(command));
            }
            progress = SendProgress {
                last_frame: Some(SentFrame { challenge: seen.challenge, accepted: taken }),
                sends: progress.sends + 1,
                ..progress
            };
        }
    }

    /// The refund task: begins owed refunds, and requests each from the channel until it answers.
    pub(super) fn refunds(&mut self) -> Step {
        let owed: Vec<(usize, Fen)> = (0..self.books.attempts.len())
            .filter(|&at| self.books.attempts[at].state == "paid" && self.books.refunds.iter().all(|refund| refund.attempt != at))
            .filter(|&at| self.books.is_apart(at))
            .map(|at| (at, self.books.attempts[at].paid))
            .collect();
        for (attempt, amount) in owed {
            self.commit(|books| books.ask_refund(attempt, Account::Suspense, amount))?;
        }
        let sending: Vec<_> = self.books.refunds.iter().filter(|refund| refund.state == RefundState::Sending).cloned().collect();
        for refund in sending {
            let trade = self.books.attempts[refund.attempt].number.clone();
            let at = self.books.refunds.iter().position(|other| other.number == refund.number).unwrap_or_default();
            self.commit(|books| {
                books.refunds[at].tries += 1;
                Ok(())
            })?;
            let number = match self.books.flaw {
                Flaw::RefundsUnderNewNumbers => format!("{}.{}", refund.number, refund.tries),
                _ => refund.number.clone(),
            };
            if self.bad(4) {
                continue;
            }
            // Requested the first time, and again if the channel does not know it.
            let word = if refund.tries > 0 && self.channel.knows(&trade, &number) {
                Message::Returned { refund: number }
            } else {
                self.channel.refund(&trade, &number, refund.amount)
            };
            if self.bad(3) {
                // The answer is lost; a notification may arrive instead.
                if self.one_in(2) {
                    self.messages.push(word);
                }
                continue;
            }
            self.settle(&word)?;
        }
        Ok(())
    }

    /// An operator retries a held command after some consumption.
    pub(super) fn try_again(&mut self) -> Step {
        let held = self.books.commands.iter().position(|command| command.state == CommandState::Case);
        let Some(command) = held else { return Ok(()) };
        self.line.meter.consume(6_000);
        self.commit(|books| books.try_again(command))
    }

    /// An operator refunds a paid order, where that is still allowed.
    pub(super) fn give_back(&mut self) -> Step {
        let paid: Vec<usize> = (0..self.books.orders.len())
            .filter(|&order| matches!(self.books.orders[order].state, OrderState::Paid | OrderState::Case))
            .collect();
        let Some(order) = self.any(&paid) else { return Ok(()) };
        let began = self.commit(|books| books.give_back(order))?;
        self.log(|| format!("{} is to go back: {began}", self.books.orders[order].number));
        Ok(())
    }
}
