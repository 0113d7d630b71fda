//! When a room bought and how much, planned backwards from what it holds now: so that the last purchase leaves exactly that.

use model::order::Tender;
use model::time::{Date, HOUR, MINUTE, Timestamp};

use super::{Span, subsidies};
use domain::rng::Rng;

/// Of a monthly subsidy, fen.
pub const SUBSIDY_FEN: i64 = 2_000;
/// What is sold by mistake and taken back, fen.
const MISTAKE_FEN: i64 = 10_000;
/// What is given back, fen.
const RETURN_FEN: i64 = 2_000;

/// Money into a wallet, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// When it is in the wallet.
    pub at: Timestamp,
    /// Negative where it goes out.
    pub fen: i64,
    pub kind: MoveKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// Sold at the cash desk.
    Desk(Tender),
    /// Paid by phone.
    Online(Tender),
    Subsidy,
    /// Takes the sale before it back.
    Undo,
    /// A part of the balance is paid out.
    Return,
}

/// What a room may do.
pub struct Habits {
    pub seed: u64,
    /// What the wallet holds at the end.
    pub holds: i64,
    /// It pays in cash now and then; otherwise by card at the cash desk.
    pub pays_cash: bool,
    /// It gets a subsidy at the beginning of each month.
    pub is_subsidised: bool,
    /// Most moves, and the most money in all of them.
    pub most: (usize, i64),
}

/// The moves of a room, oldest first. `used` is what was used from an instant on, fen.
pub fn plan(span: &Span, habits: &Habits, used: impl Fn(Timestamp) -> i64) -> Vec<Move> {
    let mut dice = Dice::new(habits.seed);
    let (mut moves, mut later) = (Vec::new(), 0_i64);
    let (mut amount, mut floor) = draw(&mut dice, habits);
    for day in (span.from.date().0 + 1..=span.until.date().0).rev().map(Date) {
        let is_workday = day.weekday() < 5;
        let kind = kind(&mut dice, habits, is_workday);
        let at = day.start().plus(time_of_day(&mut dice, kind));
        let fits = moves.len() + 4 < habits.most.0 && later.saturating_add(amount + MISTAKE_FEN) < habits.most.1;
        if fits && at.plus(HOUR) < span.until && habits.holds + used(at) - later >= amount + floor {
            moves.push(Move { at, fen: amount, kind });
            later += amount;
            (amount, floor) = draw(&mut dice, habits);
            if let MoveKind::Desk(Tender::Cash) = kind
                && dice.below(9) == 0
            {
                // The cashier typed another amount first.
                moves.push(Move { at: at.plus(-4 * MINUTE), fen: -MISTAKE_FEN, kind: MoveKind::Undo });
                moves.push(Move { at: at.plus(-9 * MINUTE), fen: MISTAKE_FEN, kind });
            }
        } else if fits && is_workday && day.plus(1).start() < span.until && dice.below(900) == 0 {
            let at = day.start().plus(15 * HOUR);
            moves.push(Move { at, fen: -RETURN_FEN, kind: MoveKind::Return });
            later -= RETURN_FEN;
        }
        if habits.is_subsidised && subsidies::is_granted(span, day) {
            moves.push(Move { at: subsidies::granted_at(day), fen: SUBSIDY_FEN, kind: MoveKind::Subsidy });
            later += SUBSIDY_FEN;
        }
    }
    moves.reverse();
    moves
}

/// The next amount, and what was left in the wallet when it was bought.
fn draw(dice: &mut Dice, habits: &Habits) -> (i64, i64) {
    let amount = match dice.below(10) {
        0..=2 => 5_000,
        3..=6 => 10_000,
        7 => 12_000,
        8 => 15_000,
        _ => 20_000,
    };
    // What a subsidy brings must not have been there before it.
    let least = if habits.is_subsidised { SUBSIDY_FEN + 300 } else { 120 };
    (amount, least + dice.below(2_200))
}

fn kind(dice: &mut Dice, habits: &Habits, is_workday: bool) -> MoveKind {
    match dice.below(100) {
        0..=14 if is_workday && habits.pays_cash => MoveKind::Desk(Tender::Cash),
        0..=24 if is_workday => MoveKind::Desk(Tender::Card),
        0..=54 => MoveKind::Online(Tender::WechatPay),
        55..=87 => MoveKind::Online(Tender::Alipay),
        _ => MoveKind::Online(Tender::UnionPay),
    }
}

/// The cash desk sells while it is open, people with phones buy until late.
fn time_of_day(dice: &mut Dice, kind: MoveKind) -> i64 {
    let (from, to) = match kind {
        MoveKind::Desk(_) => (9 * HOUR, 17 * HOUR),
        _ => (8 * HOUR, 22 * HOUR),
    };
    from + dice.below((to - from) / 1_000) * 1_000
}

/// The same numbers for the same room.
struct Dice(Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(seed.to_be_bytes()).for_each(|(to, from)| *to = from);
        Self(Rng::from_seed(bytes))
    }

    /// A number from 0 to `bound` - 1.
    fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.0.below(bound.unsigned_abs())).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::DAY;

    /// A room that uses between one and four yuan a day is never in debt and ends with what it holds.
    #[test]
    fn no_wallet_was_ever_below_zero() {
        let until = Timestamp(1_796_000_000_000);
        let span = Span::before(until);
        let mut buyers = 0;
        for seed in 0..200 {
            let (a_day, holds) = (100 + i64::from(seed as u16) * 3 / 2, 2_500 + i64::from(seed as u16) * 60);
            let used = |at: Timestamp| until.since(at) * a_day / DAY;
            let habits = Habits { seed, holds, pays_cash: seed % 2 == 0, is_subsidised: seed % 3 == 0, most: (60, 500_000) };
            let moves = plan(&span, &habits, used);
            assert!(moves.is_sorted_by_key(|step| step.at));
            buyers += usize::from(moves.iter().any(|step| step.kind != MoveKind::Subsidy));
            assert!(moves.iter().all(|step| span.from < step.at && step.at < until));
            let left = |at: Timestamp| moves.iter().filter(|step| step.at > at).map(|step| step.fen).sum::<i64>();
            for at in moves.iter().map(|step| step.at.plus(-1)).chain([span.from, until]) {
                assert!(holds + used(at) - left(at) >= 0, "seed {seed}, {at}");
            }
        }
        assert!(buyers > 150, "{buyers} of 200 rooms bought something");
    }

    #[test]
    fn nothing_moved_within_the_last_hour() {
        let first = Date::from_ymd(2026, 12, 1).unwrap().start();
        for (minutes, granted) in [(0, 3), (21, 3), (79, 3), (81, 4), (1_439, 4)] {
            let until = first.plus(minutes * MINUTE);
            let habits = Habits { seed: 3, holds: 2_500, pays_cash: true, is_subsidised: true, most: (60, 500_000) };
            let moves = plan(&Span::before(until), &habits, |at| until.since(at) * 250 / DAY);
            assert!(moves.iter().all(|step| step.at.plus(HOUR) < until), "{minutes}");
            assert_eq!(moves.iter().filter(|step| step.kind == MoveKind::Subsidy).count(), granted, "{minutes}");
        }
    }
}
