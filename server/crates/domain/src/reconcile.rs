//! Compares a channel's statement with the ledger line by line, and purchases with their meters. Pure: it names every difference
//! and leaves the decision to a person.

use std::collections::HashMap;

use model::ids::OrderId;
use model::money::Fen;
use model::reconciliation::{DifferenceClass, DifferenceReason};
use model::time::{DAY, MINUTE, Timestamp};

use crate::statement::{LineKind, StatementLine};

/// The most that the clocks of the server and a channel may differ by, ms.
const CLOCK_TOLERANCE: i64 = 10 * MINUTE;
/// How long after its payment an order may be undelivered without a case, ms.
const UNDELIVERED_LIMIT: i64 = DAY;

/// From (included) to (excluded).
pub type Window = (Timestamp, Timestamp);

/// A payment or refund in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    pub kind: LineKind,
    /// The attempt's number, chosen by the merchant.
    pub out_trade_no: String,
    /// The channel's trade number, if known.
    pub trade_no: Option<String>,
    pub refund_no: Option<String>,
    /// What was posted for it; zero for a payment or refund that is known and not posted.
    pub booked: Fen,
    /// The earliest time at which it can have happened.
    pub since: Timestamp,
    /// When it was posted.
    pub at: Timestamp,
    /// The reason of a difference that has no other.
    pub state: DifferenceReason,
    pub order: Option<OrderId>,
    /// Whether another day's statement has it.
    pub in_other_statement: bool,
}

/// A difference, or what belongs to another day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub class: DifferenceClass,
    pub kind: LineKind,
    pub out_trade_no: String,
    /// Empty if unknown.
    pub trade_no: String,
    /// Empty for a payment.
    pub refund_no: String,
    /// The amount in the statement.
    pub statement: Option<Fen>,
    /// The amount in the ledger.
    pub ledger: Option<Fen>,
    /// By how much it raises the statement's total above the ledger's.
    pub gap: Fen,
    pub reason: DifferenceReason,
    pub order: Option<OrderId>,
}

/// The result of comparing one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Number of equal lines.
    pub equal: i64,
    /// Payments minus refunds by the statement.
    pub statement: Fen,
    /// Payments minus refunds by the ledger, in the same window.
    pub ledger: Fen,
    /// Everything that is not equal, sorted.
    pub findings: Vec<Finding>,
}

impl Comparison {
    /// Whether the statement is the ledger plus the gaps of the findings.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.statement == self.ledger + self.findings.iter().map(|finding| finding.gap).sum()
    }
}

/// Compares the lines of a statement with the ledger's entries: all that are posted in the window, and all that a line names.
/// `missing` are the windows of neighbouring days whose statements are still to come.
#[must_use]
pub fn compare(window: Window, lines: &[StatementLine], entries: &[LedgerEntry], missing: &[Window]) -> Comparison {
    let mut index = Index::of(entries);
    let mut result = Comparison { statement: lines.iter().map(StatementLine::signed).sum(), ..Comparison::default() };
    for line in lines {
        match index.take(line).and_then(|at| entries.get(at)) {
            None => result.findings.push(finding(DifferenceClass::ChannelOnly, window, Some(line), None)),
            Some(entry) => match class_of(window, line, entry) {
                None => result.equal += 1,
                Some(class) => result.findings.push(finding(class, window, Some(line), Some(entry))),
            },
        }
    }
    for (at, entry) in entries.iter().enumerate() {
        let booked_here = entry.booked != Fen::ZERO && is_within(window, entry.at);
        if booked_here {
            result.ledger = result.ledger + entry.kind.signed(entry.booked);
        }
        if booked_here && !index.is_taken(at) {
            let (earliest, latest) = (entry.since.plus(-CLOCK_TOLERANCE), entry.at.plus(CLOCK_TOLERANCE));
            let may_come = missing.iter().any(|&(from, to)| earliest < to && from <= latest);
            let is_edge = entry.in_other_statement || may_come;
            let class = if is_edge { DifferenceClass::Edge } else { DifferenceClass::LedgerOnly };
            result.findings.push(finding(class, window, None, Some(entry)));
        }
    }
    result.findings.sort();
    result
}

/// `None` if they are equal.
fn class_of(window: Window, line: &StatementLine, entry: &LedgerEntry) -> Option<DifferenceClass> {
    if entry.booked == Fen::ZERO || entry.trade_no.as_ref().is_some_and(|number| *number != line.trade_no) {
        Some(DifferenceClass::State)
    } else if entry.booked != line.amount {
        Some(DifferenceClass::Amount)
    } else if !is_within(window, entry.at) {
        Some(DifferenceClass::Edge)
    } else {
        None
    }
}

fn finding(class: DifferenceClass, window: Window, line: Option<&StatementLine>, entry: Option<&LedgerEntry>) -> Finding {
    let kind = line.map(|line| line.kind).or(entry.map(|entry| entry.kind)).unwrap_or(LineKind::Paid);
    let statement = line.map(|line| line.amount);
    let booked_here = entry.filter(|entry| is_within(window, entry.at)).map_or(Fen::ZERO, |entry| entry.booked);
    let reason = match (class, entry) {
        (DifferenceClass::Edge, Some(entry)) if line.is_none() && !entry.in_other_statement => DifferenceReason::StatementToCome,
        (DifferenceClass::Edge, _) if line.is_none() => DifferenceReason::OtherStatement,
        (DifferenceClass::Edge, _) => DifferenceReason::OtherDay,
        (DifferenceClass::State, Some(entry)) if entry.booked != Fen::ZERO => DifferenceReason::TradeNumber,
        (_, Some(entry)) => entry.state,
        (_, None) => DifferenceReason::Unknown,
    };
    Finding {
        class,
        kind,
        out_trade_no: entry.map(|entry| &entry.out_trade_no).or(line.map(|line| &line.out_trade_no)).cloned().unwrap_or_default(),
        trade_no: line.map(|line| line.trade_no.clone()).or(entry.and_then(|entry| entry.trade_no.clone())).unwrap_or_default(),
        refund_no: line.and_then(|l| l.refund_no.clone()).or(entry.and_then(|e| e.refund_no.clone())).unwrap_or_default(),
        statement,
        ledger: entry.map(|entry| entry.booked),
        gap: kind.signed(statement.unwrap_or_default() - booked_here),
        reason,
        order: entry.and_then(|entry| entry.order),
    }
}

fn is_within((from, to): Window, at: Timestamp) -> bool {
    from <= at && at < to
}

/// Ledger entries by what a line can name them with. Each is taken once.
struct Index<'a> {
    by_trade: HashMap<(LineKind, &'a str, &'a str), Vec<usize>>,
    by_number: HashMap<(LineKind, &'a str), Vec<usize>>,
    /// Refunds by trade number and amount, for those whose refund number the channel did not report.
    by_amount: HashMap<(&'a str, Fen), Vec<usize>>,
    taken: Vec<bool>,
}

impl<'a> Index<'a> {
    fn of(entries: &'a [LedgerEntry]) -> Self {
        let mut index = Self {
            by_trade: HashMap::new(),
            by_number: HashMap::new(),
            by_amount: HashMap::new(),
            taken: vec![false; entries.len()],
        };
        for (at, entry) in entries.iter().enumerate() {
            let refund_no = entry.refund_no.as_deref().unwrap_or_default();
            if let Some(trade) = &entry.trade_no {
                index.by_trade.entry((entry.kind, trade, refund_no)).or_default().push(at);
                if entry.kind == LineKind::Refunded {
                    index.by_amount.entry((trade, entry.booked)).or_default().push(at);
                }
            }
            let number = if entry.kind == LineKind::Refunded { refund_no } else { &entry.out_trade_no };
            if !number.is_empty() {
                index.by_number.entry((entry.kind, number)).or_default().push(at);
            }
        }
        index
    }

    /// The entry of a line: by the channel's trade number, else by the merchant's number, else by the amount.
    fn take(&mut self, line: &StatementLine) -> Option<usize> {
        let refund_no = line.refund_no.as_deref().unwrap_or_default();
        let number = if line.kind == LineKind::Refunded { refund_no } else { &line.out_trade_no };
        let found = [
            self.by_trade.get(&(line.kind, line.trade_no.as_str(), refund_no)),
            self.by_number.get(&(line.kind, number)),
            self.by_amount.get(&(line.trade_no.as_str(), line.amount)).filter(|_| line.kind == LineKind::Refunded),
        ];
        let at = found.into_iter().flatten().flatten().copied().find(|&at| !self.is_taken(at))?;
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        Some(at)
    }

    fn is_taken(&self, at: usize) -> bool {
        self.taken.get(at).copied().unwrap_or(true)
    }
}

/// A purchase of the statement, with what the ledger and the meter know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The amount paid.
    pub amount: Fen,
    pub paid_at: Timestamp,
    /// The amount that the ledger delivered.
    pub delivered: Fen,
    /// The key epoch and purchase count with which a meter applied it, and when.
    pub applied: Option<(i64, i64, Timestamp)>,
    /// The newest key epoch and purchase count of the meter, and when they were read.
    pub latest: Option<(i64, i64, Timestamp)>,
    /// The amount with that count in the meter's journal, if the journal was read.
    pub journal: Option<Fen>,
    /// Whether it was refunded or is being refunded.
    pub refunded: bool,
    /// Whether a case is open about the order or its meter.
    pub in_case: bool,
}

/// The result of comparing a purchase with its meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterCheck {
    /// On its way, refunded, or held for a person.
    Open,
    /// Delivered by the ledger, and the meter does not contradict it.
    Delivered,
    /// Delivered, and in the meter's journal.
    InJournal,
    Contradicts(DifferenceReason),
}

/// Compares a purchase with its meter.
#[must_use]
pub fn check_meter(purchase: &Purchase, now: Timestamp) -> MeterCheck {
    if purchase.delivered == Fen::ZERO {
        let overdue = now.since(purchase.paid_at) > UNDELIVERED_LIMIT && !purchase.refunded && !purchase.in_case;
        return if overdue { MeterCheck::Contradicts(DifferenceReason::NotDelivered) } else { MeterCheck::Open };
    }
    if purchase.delivered != purchase.amount {
        return MeterCheck::Contradicts(DifferenceReason::DeliveredAmount);
    }
    let Some((epoch, count, at)) = purchase.applied else { return MeterCheck::Delivered };
    if purchase.journal.is_some_and(|amount| amount != purchase.amount) {
        return MeterCheck::Contradicts(DifferenceReason::Journal);
    }
    let fell = purchase.latest.is_some_and(|(of, latest, read)| of == epoch && latest < count && read > at);
    match (fell, purchase.journal) {
        (true, _) if !purchase.in_case => MeterCheck::Contradicts(DifferenceReason::Count),
        (true, _) => MeterCheck::Open,
        (false, Some(_)) => MeterCheck::InJournal,
        (false, None) => MeterCheck::Delivered,
    }
}

#[cfg(test)]
mod tests;
