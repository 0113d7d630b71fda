//! The world of one seed. The product's own are: what a verified payment means (`domain::payment`), the steps of orders and refunds and
//! what may go back (`domain::{order,refund}`), the postings (`domain::ledger`), what an activation of a money command does
//! (`meters::delivery::next` over `meters::money_rule`), the sealed frames, the registers' profile and their decoding, and the simulated
//! meter with its mailbox and wallet. Modelled are the store (`books`), the channel, and the line.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a simulation says so by failing; whoever runs it uses a part"
)]

mod books;
mod channel;
mod line;

use std::collections::BTreeSet;
use std::fmt;

use app::model::money::{Fen, Money};
use app::model::order::{CommandState, OrderState};
use app::model::refund::RefundState;
use app::model::time::Timestamp;
use server::domain::ledger::Account;
use server::meters::delivery::next::{Frame, Next, Progress, next};
use server::meters::money_rule::{Claimed, Deed};
use server::rng::Rng;

use books::{Books, CHANNEL};
use channel::{Channel, Status, Word};
use line::Line;

/// The instant of all meters: they do not look at it here.
const START: Timestamp = Timestamp(1_795_600_000_000);
/// What happens in one seed before everything is said again.
const STEPS: u32 = 60;
/// A form can be paid for so many steps, by our clock.
const LIFETIME: u32 = 20;
/// What the channel does not know so long after the end cannot come to be any more.
const DEAD: u32 = 4;
/// Rounds in which everything must come to its end.
const ROUNDS: u32 = 60;
/// The most that the meter may hold.
const LIMIT: Fen = Fen(30_000);

/// A mistake that somebody might make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    #[default]
    None,
    /// An event that was heard before is settled again.
    ForgetsEvents,
    /// The count that a command makes is taken from the meter, and not from the claim.
    CountsFromTheMeter,
    /// A frame that was taken is settled without being read back.
    BelievesTheWrite,
    /// A refund is tried again under another number.
    RefundsUnderNewNumbers,
    /// An order is given back although a frame of it was sent.
    RefundsWhatMayArrive,
    /// A payment for a closed order is passed over.
    GivesUpLatePayments,
    /// A question without an answer is taken for an unpaid trade.
    BelievesSilence,
}

/// Why a seed failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl Broken {
    pub fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What cuts an action short.
enum Stop {
    /// The process died; what it had in memory is gone.
    Crash,
    Broken(Broken),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

type Step<T = ()> = Result<T, Stop>;

/// What happened, so that a simulation in which nothing happens does not pass for a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub payments: u64,
    pub credited: u64,
    pub late: u64,
    pub twice: u64,
    pub refunds: u64,
    pub frames: u64,
    pub cases: u64,
    pub crashes: u64,
}

impl Tally {
    /// Whether all of it did.
    pub fn happened(&self) -> bool {
        [self.payments, self.credited, self.late, self.twice, self.refunds, self.frames, self.cases, self.crashes]
            .into_iter()
            .all(|count| count > 0)
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            payments: self.payments + other.payments,
            credited: self.credited + other.credited,
            late: self.late + other.late,
            twice: self.twice + other.twice,
            refunds: self.refunds + other.refunds,
            frames: self.frames + other.frames,
            cases: self.cases + other.cases,
            crashes: self.crashes + other.crashes,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payments, credited, late, twice, refunds, frames, cases, crashes } = self;
        write!(f, "{payments} payments ({late} late, {twice} for an order that was paid), {credited} orders credited, ")?;
        write!(f, "{refunds} refunds, {frames} frames, {cases} cases, {crashes} crashes: 0 lost, 0 doubled")
    }
}

struct World {
    rng: Rng,
    now: u32,
    channel: Channel,
    /// What the channel has said and nobody has heard.
    mail: Vec<Word>,
    line: Line,
    books: Books,
    /// Nothing goes wrong any more.
    calm: bool,
    told: bool,
    tally: Tally,
    /// An action is under way; one more may come between two of its writes.
    nested: bool,
}

/// Runs one seed to its end. `told` prints its story.
///
/// # Errors
/// The promise that it broke.
pub fn run(seed: u64, flaw: Flaw, told: bool) -> Result<Tally, Broken> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = Rng::from_seed(bytes);
    let mut world = World {
        line: Line::new(&rng),
        rng,
        now: 0,
        channel: Channel::default(),
        mail: Vec::new(),
        books: Books { flaw, ..Books::default() },
        calm: false,
        told,
        tally: Tally::default(),
        nested: false,
    };
    for _ in 0..STEPS {
        world.now += 1;
        let what = world.rng.below(16);
        world.act(what)?;
    }
    world.calm = true;
    for _ in 0..ROUNDS {
        world.now += 2;
        for what in [3, 4, 5, 6, 7, 9] {
            world.act(what)?;
        }
    }
    world.end()?;
    Ok(world.tally)
}

impl World {
    fn one_in(&self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    /// Whether something goes wrong.
    fn bad(&self, n: u64) -> bool {
        !self.calm && self.one_in(n)
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("{:3} {}", self.now, what());
        }
    }

    fn any<T: Clone>(&self, of: &[T]) -> Option<T> {
        of.get(self.rng.below(of.len() as u64) as usize).cloned()
    }

    fn act(&mut self, what: u64) -> Result<(), Broken> {
        let done = match what {
            0 => self.order(),
            1 => self.another_attempt(),
            2 | 10 => self.pay(),
            3 | 11 => self.hear(),
            4 | 12 => self.query(),
            5 | 13 | 14 => self.deliver(),
            6 | 15 => self.refunds(),
            7 => self.try_again(),
            8 => self.give_back(),
            _ => {
                self.line.old_frame(&self.rng);
                self.line.meter.uses(self.rng.below(400) as u32);
                Ok(())
            }
        };
        match done {
            Err(Stop::Broken(broken)) => return Err(broken),
            Err(Stop::Crash) => {
                self.tally.crashes += 1;
                self.tell(|| "the process dies".into());
            }
            Ok(()) => {}
        }
        self.nested = false;
        self.agree()
    }

    /// A transaction: all of it or nothing, and the process may die before and after.
    fn commit<T>(&mut self, change: impl FnOnce(&mut Books) -> Result<T, Broken>) -> Step<T> {
        if !self.nested && self.bad(6) {
            // Somebody else comes between.
            self.nested = true;
            let what = [3, 8, 8, 4][self.rng.below(4) as usize];
            let done = match what {
                3 => self.hear(),
                4 => self.query(),
                _ => self.give_back(),
            };
            self.nested = false;
            done?;
        }
        if self.bad(14) {
            return Err(Stop::Crash);
        }
        let mut next = self.books.clone();
        let given = change(&mut next)?;
        next.check()?;
        self.books = next;
        if self.bad(14) { Err(Stop::Crash) } else { Ok(given) }
    }

    fn order(&mut self) -> Step {
        let (amount, number) = (Fen(100 + self.rng.below(12_000) as i64), self.rng.below(1 << 60));
        let ends = self.now + LIFETIME;
        let number = self.commit(|books| {
            let order = books.order(number, amount);
            let attempt = books.attempt(order, ends);
            Ok(books.attempts[attempt].number.clone())
        })?;
        self.tell(|| format!("order of {amount} as {number}"));
        // Some come to the cashier later, or never.
        if !self.one_in(4) {
            self.channel.begin(&number, amount);
        }
        Ok(())
    }

    fn another_attempt(&mut self) -> Step {
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
            // Looked at again under the lock.
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

    /// Somebody at the cashier pays. Who never came may come now: the channel's clock is not ours.
    fn pay(&mut self) -> Step {
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
        self.tell(|| format!("paid {number}"));
        self.tally.payments += 1;
        let asked =
            self.books.by_number(&number).is_some_and(|at| matches!(self.books.attempts[at].state, "pending" | "closing"));
        // A word that is lost is asked for; one for an attempt that was given up is sent until it is heard.
        if !(asked && self.bad(3)) {
            self.mail.push(word);
        }
        Ok(())
    }

    /// A notification arrives: any of those under way, perhaps not for the last time.
    fn hear(&mut self) -> Step {
        if self.mail.is_empty() {
            return Ok(());
        }
        let at = self.rng.below(self.mail.len() as u64) as usize;
        let word = self.mail[at].clone();
        self.settle(&word)?;
        if !self.bad(2) {
            self.mail.retain(|other| *other != word);
        }
        Ok(())
    }

    fn settle(&mut self, word: &Word) -> Step {
        self.tell(|| format!("hears {word:?}"));
        // Now and then a word names another amount: verified, and wrong.
        let wrong = if matches!(word, Word::Paid { .. }) && self.bad(40) { Fen(1) } else { Fen::ZERO };
        let (now, flaw) = (self.now, self.books.flaw);
        self.commit(|books| match word {
            Word::Paid { number, trade_no, amount } => books.paid(number, trade_no, *amount + wrong),
            Word::Closed { number } => books.unpaid(number),
            Word::Absent { number } => {
                let dead = books.by_number(number).is_some_and(|at| now > books.attempts[at].ends + DEAD);
                if dead || flaw == Flaw::BelievesSilence { books.unpaid(number) } else { Ok(()) }
            }
            Word::Returned { refund } => books.refunded(refund, true),
            Word::NotReturned { refund } => books.refunded(refund, false),
        })
    }

    /// The query job: asks; after the end closes and asks again.
    fn query(&mut self) -> Step {
        let waiting: Vec<_> =
            self.books.attempts.iter().filter(|attempt| matches!(attempt.state, "pending" | "closing")).cloned().collect();
        for attempt in if self.calm { waiting } else { self.any(&waiting).into_iter().collect::<Vec<_>>() } {
            let number = attempt.number;
            if self.bad(4) {
                // No answer.
                if self.books.flaw == Flaw::BelievesSilence {
                    self.settle(&Word::Absent { number })?;
                }
                continue;
            }
            let word = match self.channel.tell(&number) {
                Some(word @ (Word::Paid { .. } | Word::Closed { .. })) => word,
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
                    // Neither the request nor its answer need arrive: the question after it tells.
                    if !self.bad(4) {
                        self.channel.close(&number);
                    }
                    match self.channel.tell(&number) {
                        Some(word) if !self.bad(4) => word,
                        _ => continue,
                    }
                }
            };
            self.settle(&word)?;
        }
        Ok(())
    }

    /// One activation of the meter's next money command, as the engine does it.
    fn deliver(&mut self) -> Step {
        let Some(command) = self.books.next_command() else { return Ok(()) };
        let Some((epoch, count)) = self.commit(|books| Ok(books.claim(command)))? else { return Ok(()) };
        let order = self.books.orders[self.books.commands[command].order].clone();
        let deed = Deed::Credit { order: order.number, amount: u32::try_from(order.amount.0).unwrap_or_default() };
        let mut claimed = Claimed { deed, epoch, count };
        let fresh = self.books.commands[command].attempts == 0;
        let mut progress = Progress { fresh, last: None, sends: 0, limit: LIMIT };
        loop {
            if self.bad(8) {
                return Ok(());
            }
            let seen = self.line.look()?;
            if self.books.flaw == Flaw::CountsFromTheMeter {
                claimed.count = seen.count + 1;
            }
            match next(&claimed, &progress, &seen) {
                Next::Settle => {
                    self.tell(|| format!("{} is in the meter", order.number));
                    return self.commit(|books| books.credited(command));
                }
                Next::Hold(_, why) => {
                    self.tell(|| format!("{} is held: {why}", order.number));
                    return self.commit(|books| books.held(command));
                }
                Next::Refuse(..) => return Err(Broken::new("a credit was declined as a debit is").into()),
                Next::Wait => return Ok(()),
                Next::Send => {}
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
            progress = Progress { last: Some(Frame { challenge: seen.challenge, taken }), sends: progress.sends + 1, ..progress };
        }
    }

    /// The task that gives money back: begins what is owed, asks the channel about each until its word.
    fn refunds(&mut self) -> Step {
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
            // Asked for the first time, and again where the channel has never heard of it.
            let word = if refund.tries > 0 && self.channel.knows(&trade, &number) {
                Word::Returned { refund: number }
            } else {
                self.channel.refund(&trade, &number, refund.amount)
            };
            if self.bad(3) {
                // The answer is lost; a notification may tell.
                if self.one_in(2) {
                    self.mail.push(word);
                }
                continue;
            }
            self.settle(&word)?;
        }
        Ok(())
    }

    /// A person has a held command tried again, when the room has used something.
    fn try_again(&mut self) -> Step {
        let held = self.books.commands.iter().position(|command| command.state == CommandState::Case);
        let Some(command) = held else { return Ok(()) };
        self.line.meter.uses(6_000);
        self.commit(|books| books.try_again(command))
    }

    /// A person gives a paid order back, where that may still be.
    fn give_back(&mut self) -> Step {
        let paid: Vec<usize> = (0..self.books.orders.len())
            .filter(|&order| matches!(self.books.orders[order].state, OrderState::Paid | OrderState::Case))
            .collect();
        let Some(order) = self.any(&paid) else { return Ok(()) };
        let began = self.commit(|books| books.give_back(order))?;
        self.tell(|| format!("{} is to go back: {began}", self.books.orders[order].number));
        Ok(())
    }

    /// The meter holds what the books know, or what the one command that is under way explains.
    fn agree(&self) -> Result<(), Broken> {
        let (count, cumulative, _) = self.line.meter.holds();
        let (known, fen) = self.books.meter;
        let explained = |command: &books::Command| {
            let amount = self.books.orders[command.order].amount;
            !matches!(command.state, CommandState::Done | CommandState::Superseded)
                && command.claim == Some((1, count))
                && (count, cumulative) == (known + 1, fen + amount.0)
        };
        if (count, cumulative) != (known, fen) && !self.books.commands.iter().any(explained) {
            return Err(Broken(format!("the meter has {count}, {cumulative}; the books know {known}, {fen}")));
        }
        match self.channel.trades.iter().find(|trade| trade.refunded() > trade.amount) {
            Some(trade) => Err(Broken(format!("more went back than came: {trade:?}"))),
            None => Ok(()),
        }
    }

    /// Everything was said: each payment is in the meter once, back with who paid, or a person's case.
    fn end(&mut self) -> Result<(), Broken> {
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
                return Err(Broken(format!(
                    "{paid} came, {kept} are in the meter, {back} went back, and nobody is asked: {order:?}"
                )));
            }
            if back + kept > paid {
                return Err(Broken(format!("{paid} came, {kept} are in the meter, and {back} went back: {order:?}")));
            }
            if matches!(order.state, OrderState::Paid | OrderState::Refunding) && order.cases.is_empty() {
                return Err(Broken(format!("it does not come to its end: {order:?}")));
            }
        }
        self.tally.refunds += self.books.refunds.iter().filter(|refund| refund.state == RefundState::Done).count() as u64;
        self.tally.late += self.books.late;
        let held: i64 =
            self.channel.trades.iter().filter(|trade| trade.was_paid()).map(|trade| trade.amount.0 - trade.refunded().0).sum();
        if !wrong && self.books.balance(&Account::Clearing(CHANNEL)) != -Fen(held).money() {
            return Err(Broken(format!("the channel holds {held} for us, and our books say otherwise")));
        }
        let (_, cumulative, _) = self.line.meter.holds();
        if self.books.balance(&Account::InMeter(books::ROOM)) > Fen(cumulative).money() {
            return Err(Broken::new("the books have more in the meter than is in it"));
        }
        if self.books.balance(&Account::Refunding) != Money::ZERO {
            return Err(Broken::new("a refund does not come to its end"));
        }
        Ok(())
    }
}
