//! The invariants that hold after every write, and those that hold at the end.

use std::collections::BTreeSet;

use domain::ledger::Account;
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState};
use model::refund::RefundState;

use super::Simulation;
use super::books::{self, CHANNEL};
use super::outcome::Violation;

impl Simulation {
    /// The meter holds what the store knows, or what the one pending command explains.
    pub(super) fn check_meter(&self) -> Result<(), Violation> {
        let (count, cumulative, _) = self.line.meter.totals();
        let (known, fen) = self.books.meter;
        let explained = |command: &books::Command| {
            let amount = self.books.orders[command.order].amount;
            !matches!(command.state, CommandState::Done | CommandState::Superseded)
                && command.claim == Some((1, count))
                && (count, cumulative) == (known + 1, fen + amount.0)
        };
        if (count, cumulative) != (known, fen) && !self.books.commands.iter().any(explained) {
            return Err(Violation(format!("the meter has {count}, {cumulative}; the books know {known}, {fen}")));
        }
        match self.channel.trades.iter().find(|trade| trade.refunded() > trade.amount) {
            Some(trade) => Err(Violation(format!("more went back than came: {trade:?}"))),
            None => Ok(()),
        }
    }

    /// After all messages: each payment is in the meter once, refunded, or a case.
    pub(super) fn check_end(&mut self) -> Result<(), Violation> {
        let mut wrong = false;
        for (index, order) in self.books.orders.iter().enumerate() {
            let numbers: BTreeSet<&str> =
                self.books.attempts.iter().filter(|attempt| attempt.order == index).map(|attempt| &*attempt.number).collect();
            let trades: Vec<_> = self.channel.trades.iter().filter(|trade| numbers.contains(&*trade.number)).collect();
            let paid: Fen = trades.iter().filter(|trade| trade.was_paid()).map(|trade| trade.amount).sum();
            let back: Fen = trades.iter().map(|trade| trade.refunded()).sum();
            let kept = if order.state == OrderState::Credited { order.amount } else { Fen::ZERO };
            self.tally.credited += u64::from(kept > Fen::ZERO);
            self.tally.twice += u64::from(paid > order.amount);
            self.tally.cases += order.cases.len() as u64;
            wrong |= order.cases.contains("payment");
            if paid != back + kept && order.cases.is_empty() {
                return Err(Violation(format!(
                    "{paid} came, {kept} are in the meter, {back} went back, and nobody is asked: {order:?}"
                )));
            }
            if back + kept > paid {
                return Err(Violation(format!("{paid} came, {kept} are in the meter, and {back} went back: {order:?}")));
            }
            if matches!(order.state, OrderState::Paid | OrderState::Refunding) && order.cases.is_empty() {
                return Err(Violation(format!("it does not come to its end: {order:?}")));
            }
        }
        self.tally.refunds += self.books.refunds.iter().filter(|refund| refund.state == RefundState::Done).count() as u64;
        self.tally.late += self.books.late;
        let held: i64 =
            self.channel.trades.iter().filter(|trade| trade.was_paid()).map(|trade| trade.amount.0 - trade.refunded().0).sum();
        if !wrong && self.books.balance(&Account::Clearing(CHANNEL)) != -Fen(held).money() {
            return Err(Violation(format!("the channel holds {held} for us, and our books say otherwise")));
        }
        let (_, cumulative, _) = self.line.meter.totals();
        if self.books.balance(&Account::InMeter(books::ROOM)) > Fen(cumulative).money() {
            return Err(Violation::new("the books have more in the meter than is in it"));
        }
        if self.books.balance(&Account::Refunding) != Money::ZERO {
            return Err(Violation::new("a refund does not come to its end"));
        }
        Ok(())
    }
}
