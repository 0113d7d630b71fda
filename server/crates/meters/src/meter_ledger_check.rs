//! Compares account, purchase count, cumulative amount and control mode of every meter with the books; an unexplained difference
//! becomes a case (promise 3), and the case ends when the meter agrees again.
//!
//! Each reading is compared in memory. A difference must show in two readings; then the database is asked whether a command
//! explains it. A case ends after two readings that agree.

use std::collections::HashMap;

use model::case::CaseKind;
use model::ids::MeterId;
use model::meter::ControlMode;
use model::time::Timestamp;

use domain::ledger_position::{ExpectedState, LedgerPosition, ShownState, StateDifference};
use domain::meter_state::StateBlock;
use domain::rng::Rng;
use store::{self, Db, cases, deliveries};

/// Readings in a row that must agree before a case ends.
const AGREEING: u8 = 2;
const KINDS: [CaseKind; 2] = [CaseKind::MeterDiffers, CaseKind::MeterChanged];

/// What meters should show, and what was seen of those that do not.
#[derive(Default)]
pub struct MeterLedgerCheck {
    expected: HashMap<MeterId, ExpectedState>,
    /// What differed in the last reading.
    suspected: HashMap<MeterId, StateDifference>,
    open: HashMap<(MeterId, CaseKind), OpenCase>,
}

/// What was seen of a meter since its case was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OpenCase {
    /// Readings in a row that agree.
    agreeing: u8,
    /// What its record says; `None` where this process does not know.
    recorded: Option<ShownState>,
    /// What the last reading showed.
    last: Option<ShownState>,
}

/// What follows from a reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// It differs for the first time: another reading tells whether it is so.
    pub read_again: bool,
    /// It differs again, or in another way than its case says: the database tells whether that is explained.
    pub confirm: bool,
    /// Kinds of cases whose reason is gone.
    pub mended: Vec<CaseKind>,
    /// The mode, where none is known.
    pub mode: Option<ControlMode>,
}

impl MeterLedgerCheck {
    /// Loads what is expected and which cases are open.
    pub async fn load(db: &Db) -> store::Result<Self> {
        let mut open = HashMap::new();
        for kind in KINDS {
            open.extend(cases::open_of_kind(db, kind).await?.into_iter().map(|meter| ((meter, kind), OpenCase::default())));
        }
        Ok(Self { expected: deliveries::expected_states(db).await?.into_iter().collect(), suspected: HashMap::new(), open })
    }

    /// Loads them again; what was seen in earlier readings stays.
    pub async fn refresh(&mut self, db: &Db) -> store::Result<()> {
        let fresh = Self::load(db).await?;
        let before = std::mem::replace(self, fresh);
        for (case, seen) in &mut self.open {
            *seen = before.open.get(case).copied().unwrap_or_default();
        }
        self.suspected = before.suspected;
        Ok(())
    }

    /// Updates the position of a meter after a delivery; `None` if it has no open account any more.
    pub fn expect(&mut self, meter: MeterId, position: Option<LedgerPosition>) {
        let Some(expected) = self.expected.get_mut(&meter) else { return };
        match (position, &mut expected.account) {
            (Some(position), Some((_, before))) => *before = position,
            (None, account) => *account = None,
            // Opened meanwhile: the next difference looks up its number.
            (Some(_), None) => {}
        }
    }

    /// Compares a state block with what is expected.
    pub fn compare(&mut self, meter: MeterId, state: &StateBlock) -> Comparison {
        let Some(expected) = self.expected.get_mut(&meter) else { return Comparison::default() };
        let mode = expected.mode.is_none().then(|| state.status.mode());
        expected.mode = expected.mode.or(mode);
        let (now, shown) = (expected.difference(state), ShownState::of(state));
        let mut comparison = Comparison { mode, ..Comparison::default() };
        for (kind, differs) in [(CaseKind::MeterDiffers, now.ledger), (CaseKind::MeterChanged, now.is_changed())] {
            match (differs, self.open.get_mut(&(meter, kind))) {
                (false, Some(case)) => {
                    case.agreeing += 1;
                    if case.agreeing >= AGREEING {
                        self.open.remove(&(meter, kind));
                        comparison.mended.push(kind);
                    }
                }
                (true, Some(case)) => {
                    case.agreeing = 0;
                    // The meter changed again: the record follows, once two readings show it.
                    comparison.confirm |= case.recorded != Some(shown) && case.last == Some(shown);
                    case.last = Some(shown);
                }
                (true, None) if self.suspected.get(&meter) == Some(&now) => comparison.confirm = true,
                (true, None) => comparison.read_again = true,
                (false, None) => {}
            }
        }
        if now == StateDifference::default() {
            self.suspected.remove(&meter);
        } else {
            self.suspected.insert(meter, now);
        }
        comparison
    }

    /// Looks up a difference in the database; if nothing explains it, opens cases or has open ones say what is found
    /// now. Returns their kinds.
    ///
    /// # Errors
    /// If the database fails; the next reading asks again.
    pub async fn confirm(
        &mut self,
        db: &Db,
        rng: &Rng,
        at: Timestamp,
        meter: MeterId,
        read_from: Timestamp,
        state: &StateBlock,
    ) -> store::Result<Vec<CaseKind>> {
        let confirmed = deliveries::confirm_difference(db, rng, at, meter, read_from, state).await?;
        match confirmed.expected {
            Some(expected) => drop(self.expected.insert(meter, expected)),
            None => drop(self.expected.remove(&meter)),
        }
        let shown = Some(ShownState::of(state));
        let found = OpenCase { agreeing: 0, recorded: shown, last: shown };
        self.open.extend(confirmed.cases.iter().map(|kind| ((meter, *kind), found)));
        Ok(confirmed.cases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fixtures::state;
    use domain::serial::AccountNumber;
    use model::ids::Uuid;
    use model::meter::StatusWord;
    use model::money::Fen;

    #[test]
    fn a_difference_needs_two_readings_and_so_does_its_end() {
        let meter = MeterId(Uuid::from_u128(1));
        let number: AccountNumber = "6407353703886369".parse().unwrap();
        let position = LedgerPosition { epoch: 1, count: 4, cumulative: Fen(0) };
        let mut check = MeterLedgerCheck::default();
        check.expected.insert(meter, ExpectedState { account: Some((number, position)), mode: None });
        let shows =
            |count| StateBlock { epoch: 1, count, account: number, status: StatusWord(0b10), cumulative: Fen(0), ..state() };
        let first = check.compare(meter, &shows(4));
        assert_eq!(first, Comparison { mode: Some(ControlMode::Prepaid), ..Comparison::default() });
        assert!(check.compare(meter, &shows(5)).read_again);
        assert_eq!(check.compare(meter, &shows(4)), Comparison::default(), "a bad reading");
        assert!(check.compare(meter, &shows(5)).read_again);
        assert!(check.compare(meter, &shows(5)).confirm);
        let recorded = Some(ShownState::of(&shows(5)));
        check.open.insert((meter, CaseKind::MeterDiffers), OpenCase { agreeing: 0, recorded, last: recorded });
        assert_eq!(check.compare(meter, &shows(5)), Comparison::default(), "its case is open");
        assert_eq!(check.compare(meter, &shows(6)), Comparison::default(), "a bad reading");
        assert_eq!(check.compare(meter, &shows(5)), Comparison::default());
        assert_eq!(check.compare(meter, &shows(6)), Comparison::default());
        assert!(check.compare(meter, &shows(6)).confirm, "the meter has moved on");
        assert_eq!(check.compare(meter, &shows(4)), Comparison::default());
        assert_eq!(check.compare(meter, &shows(5)), Comparison::default());
        assert_eq!(check.compare(meter, &shows(4)), Comparison::default());
        assert_eq!(check.compare(meter, &shows(4)).mended, [CaseKind::MeterDiffers]);
        assert!(check.compare(meter, &shows(5)).read_again, "a new difference is a new case");
    }
}
