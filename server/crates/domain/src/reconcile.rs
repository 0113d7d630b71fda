//! A channel's bill, held against our books line by line; and purchases, held against meters. No I/O, and nothing is decided
//! here: what differs is named, and a person decides.

use std::collections::HashMap;

use model::ids::OrderId;
use model::money::Fen;
use model::time::{DAY, MINUTE, Timestamp};

use crate::statement::{LineKind, StatementLine};

/// Our clock and a channel's may differ by so much.
const CLOCKS_DIFFER: i64 = 10 * MINUTE;
/// A paid order that is not in its meter after so long, and without a case, is forgotten.
const FORGOTTEN: i64 = DAY;

/// From (included) to (excluded).
pub type Window = (Timestamp, Timestamp);

/// How a line or a booking is not simply equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// In the bill, and we know nothing of it.
    ChannelOnly,
    /// In our ledger, and in no bill where it should be.
    OursOnly,
    /// In both, with another amount.
    Amount,
    /// In both, and our ledger holds nothing for it, or another trade's number.
    State,
    /// Booked on another day than the bill's, or perhaps in a bill that is still to come. Not a difference.
    Edge,
    /// Statement and ledger agree, and the meter does not.
    Meter,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::ChannelOnly, Self::OursOnly, Self::Amount, Self::State, Self::Edge, Self::Meter];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChannelOnly => "channel-only",
            Self::OursOnly => "ours-only",
            Self::Amount => "amount",
            Self::State => "state",
            Self::Edge => "edge",
            Self::Meter => "meter",
        }
    }

    /// Whether a person must decide about it.
    #[must_use]
    pub const fn is_difference(self) -> bool {
        !matches!(self, Self::Edge)
    }
}

/// What our books have of a payment or refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What it is.
    pub kind: LineKind,
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// The channel's number of the trade, where it was told.
    pub trade_no: Option<String>,
    /// The refund's number.
    pub refund_no: Option<String>,
    /// What the ledger moved for it; nothing where we know of it and moved nothing.
    pub booked: Fen,
    /// From when on it can have happened.
    pub since: Timestamp,
    /// When it was booked.
    pub at: Timestamp,
    /// Where it stands, in a word.
    pub state: String,
    pub order: Option<OrderId>,
    /// Whether another day's bill has it.
    pub beyond_the_day: bool,
}

/// What is not simply equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub class: Class,
    /// What it is about.
    pub kind: LineKind,
    pub out_trade_no: String,
    /// The channel's; empty where it is not known.
    pub trade_no: String,
    /// The refund's; empty where there is none.
    pub refund_no: String,
    /// What the bill says.
    pub bill: Option<Fen>,
    /// What we booked.
    pub ours: Option<Fen>,
    /// What it adds to the bill's total beyond the ledger's.
    pub gap: Fen,
    /// Why, in a word of ours.
    pub why: String,
    pub order: Option<OrderId>,
}

/// Statement and ledger of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Lines that are equal.
    pub equal: i64,
    /// What came, less what went back, by the bill.
    pub bill: Fen,
    /// The same by the ledger, in the same window.
    pub ledger: Fen,
    /// All else, sorted.
    pub findings: Vec<Finding>,
}

impl Comparison {
    /// The bill is the ledger and what is listed.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.bill == self.ledger + self.findings.iter().map(|finding| finding.gap).sum()
    }
}

/// Holds the lines of a bill against `ours`: all that is booked in the window, and all that any line names. `unbilled` are the
/// windows of neighbouring days whose bills are still to come.
#[must_use]
pub fn compare(window: Window, lines: &[StatementLine], ours: &[LedgerEntry], unbilled: &[Window]) -> Comparison {
    let mut index = Index::of(ours);
    let mut result = Comparison { bill: lines.iter().map(StatementLine::signed).sum(), ..Comparison::default() };
    for line in lines {
        match index.take(line).and_then(|at| ours.get(at)) {
            None => result.findings.push(finding(Class::ChannelOnly, window, Some(line), None)),
            Some(known) => match judge(window, line, known) {
                None => result.equal += 1,
                Some(class) => result.findings.push(finding(class, window, Some(line), Some(known))),
            },
        }
    }
    for (at, known) in ours.iter().enumerate() {
        let booked_here = known.booked != Fen::ZERO && within(window, known.at);
        if booked_here {
            result.ledger = result.ledger + signed(known.kind, known.booked);
        }
        if booked_here && !index.taken(at) {
            let may_come =
                unbilled.iter().any(|&(from, to)| known.since.plus(-CLOCKS_DIFFER) < to && from <= known.at.plus(CLOCKS_DIFFER));
            let class = if known.beyond_the_day || may_come { Class::Edge } else { Class::OursOnly };
            result.findings.push(finding(class, window, None, Some(known)));
        }
    }
    result.findings.sort();
    result
}

/// `None` where they are equal.
fn judge(window: Window, line: &StatementLine, known: &LedgerEntry) -> Option<Class> {
    if known.booked == Fen::ZERO || known.trade_no.as_ref().is_some_and(|number| *number != line.trade_no) {
        Some(Class::State)
    } else if known.booked != line.amount {
        Some(Class::Amount)
    } else if !within(window, known.at) {
        Some(Class::Edge)
    } else {
        None
    }
}

fn finding(class: Class, window: Window, line: Option<&StatementLine>, known: Option<&LedgerEntry>) -> Finding {
    let kind = line.map(|line| line.kind).or(known.map(|known| known.kind)).unwrap_or(LineKind::Paid);
    let bill = line.map(|line| line.amount);
    let ours = known.map(|known| known.booked);
    let here = known.filter(|known| within(window, known.at)).map_or(Fen::ZERO, |known| known.booked);
    let why = match (class, known) {
        (Class::Edge, Some(known)) if line.is_none() && !known.beyond_the_day => "bill-to-come",
        (Class::Edge, _) if line.is_none() => "other-bill",
        (Class::Edge, _) => "booked-elsewhere",
        (Class::State, Some(known)) if known.booked != Fen::ZERO => "trade-number",
        (_, Some(known)) => known.state.as_str(),
        (_, None) => "unknown",
    };
    Finding {
        class,
        kind,
        out_trade_no: known.map(|known| &known.out_trade_no).or(line.map(|line| &line.out_trade_no)).cloned().unwrap_or_default(),
        trade_no: line.map(|line| line.trade_no.clone()).or(known.and_then(|known| known.trade_no.clone())).unwrap_or_default(),
        refund_no: line.and_then(|l| l.refund_no.clone()).or(known.and_then(|k| k.refund_no.clone())).unwrap_or_default(),
        bill,
        ours,
        gap: signed(kind, bill.unwrap_or_default() - here),
        why: why.to_owned(),
        order: known.and_then(|known| known.order),
    }
}

fn within((from, to): Window, at: Timestamp) -> bool {
    from <= at && at < to
}

fn signed(kind: LineKind, amount: Fen) -> Fen {
    match kind {
        LineKind::Paid => amount,
        LineKind::Refunded => -amount,
    }
}

/// Our side by what a line can name it with; each of ours is taken once.
struct Index<'a> {
    by_trade: HashMap<(LineKind, &'a str, &'a str), Vec<usize>>,
    by_number: HashMap<(LineKind, &'a str), Vec<usize>>,
    /// Refunds whose number the channel did not tell: by trade and amount.
    unnumbered: HashMap<(&'a str, Fen), Vec<usize>>,
    taken: Vec<bool>,
}

impl<'a> Index<'a> {
    fn of(ours: &'a [LedgerEntry]) -> Self {
        let mut index = Self {
            by_trade: HashMap::new(),
            by_number: HashMap::new(),
            unnumbered: HashMap::new(),
            taken: vec![false; ours.len()],
        };
        for (at, known) in ours.iter().enumerate() {
            let refund = known.refund_no.as_deref().unwrap_or_default();
            if let Some(trade) = &known.trade_no {
                index.by_trade.entry((known.kind, trade, refund)).or_default().push(at);
                if known.kind == LineKind::Refunded {
                    index.unnumbered.entry((trade, known.booked)).or_default().push(at);
                }
            }
            let number = if known.kind == LineKind::Refunded { refund } else { &known.out_trade_no };
            if !number.is_empty() {
                index.by_number.entry((known.kind, number)).or_default().push(at);
            }
        }
        index
    }

    /// By the channel's number of the trade, then by ours; what the ledger moved money for goes first.
    fn take(&mut self, line: &StatementLine) -> Option<usize> {
        let refund = line.refund_no.as_deref().unwrap_or_default();
        let number = if line.kind == LineKind::Refunded { refund } else { &line.out_trade_no };
        let found = [
            self.by_trade.get(&(line.kind, line.trade_no.as_str(), refund)),
            self.by_number.get(&(line.kind, number)),
            self.unnumbered.get(&(line.trade_no.as_str(), line.amount)).filter(|_| line.kind == LineKind::Refunded),
        ];
        let at = found.into_iter().flatten().flatten().copied().find(|&at| !self.taken(at))?;
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        Some(at)
    }

    fn taken(&self, at: usize) -> bool {
        self.taken.get(at).copied().unwrap_or(true)
    }
}

/// A purchase that the bill has, as the other two know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// What was paid.
    pub amount: Fen,
    pub paid_at: Timestamp,
    /// What the ledger delivered.
    pub delivered: Fen,
    /// The key epoch and purchase count with which it was delivered to a meter, and when.
    pub applied: Option<(i64, i64, Timestamp)>,
    /// The epoch and count that the meter showed last, and when.
    pub shown: Option<(i64, i64, Timestamp)>,
    /// The amount beside that count in the meter's own journal, where that was read.
    pub journal: Option<Fen>,
    /// Whether it ended otherwise: given back, or about to be.
    pub ended: bool,
    /// Whether a case is open about the order or its meter.
    pub in_case: bool,
}

/// How a purchase stands with its meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metered {
    /// On its way, given back, or with a person.
    Open,
    /// Delivered, by the ledger and what the meter shows.
    Delivered,
    /// And the meter itself wrote it down.
    InJournal,
    /// They contradict each other.
    Contradicts(&'static str),
}

/// Holds a purchase against its meter.
#[must_use]
pub fn metered(purchase: &Purchase, now: Timestamp) -> Metered {
    if purchase.delivered == Fen::ZERO {
        let forgotten = now.since(purchase.paid_at) > FORGOTTEN && !purchase.ended && !purchase.in_case;
        return if forgotten { Metered::Contradicts("not-delivered") } else { Metered::Open };
    }
    if purchase.delivered != purchase.amount {
        return Metered::Contradicts("delivered-amount");
    }
    let Some((epoch, count, at)) = purchase.applied else { return Metered::Delivered };
    if purchase.journal.is_some_and(|amount| amount != purchase.amount) {
        return Metered::Contradicts("journal");
    }
    let fell = purchase.shown.is_some_and(|(of, shown, seen)| of == epoch && shown < count && seen > at);
    match (fell, purchase.journal) {
        (true, _) if !purchase.in_case => Metered::Contradicts("count"),
        (true, _) => Metered::Open,
        (false, Some(_)) => Metered::InJournal,
        (false, None) => Metered::Delivered,
    }
}

#[cfg(test)]
mod tests;
