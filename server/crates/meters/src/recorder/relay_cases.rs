//! Open cases about relays, which end when two readings in a row show nothing wrong.

use std::collections::HashMap;

use model::case::{CaseDetail, CaseKind, RelayCase};
use model::command::CommandKind;
use model::ids::MeterId;
use model::meter::{ControlMode, Latest};

use domain::alarm_conditions;
use domain::meter_state::MeterStatus;
use store::{self, Db, cases};

/// Readings in a row that must show nothing wrong.
const GOOD: u8 = 2;

#[derive(Default)]
pub(super) struct RelayCases(HashMap<MeterId, RelayWatch>);

/// An open case.
#[derive(Clone, Copy, Debug, Default)]
struct RelayWatch {
    /// The position that the command wanted, where it is known.
    wanted: Option<bool>,
    /// The command was to leave the meter prepaid and switched on.
    resets: bool,
    /// Good readings in a row.
    good: u8,
}

impl RelayWatch {
    fn of(case: &RelayCase) -> Option<Self> {
        let resets = [CommandKind::Open, CommandKind::Close].iter().any(|kind| kind.as_str() == case.command);
        // A clock that was not kept has no relay to look at.
        (case.command != CommandKind::Clock.as_str()).then_some(Self { wanted: case.closed, resets, good: 0 })
    }

    /// Whether a relay in this position does what the command wanted, and what mode and switch of the meter ask for.
    fn is_met(&self, shown: bool, status: &MeterStatus) -> bool {
        let word = status.status();
        let (off, prepaid) = (word.user_switch_off(), word.mode() == ControlMode::Prepaid);
        let asked = match word.mode() {
            ControlMode::Guaranteed => shown,
            ControlMode::ForcedOff => !shown,
            ControlMode::Prepaid => !(shown && off),
        };
        let is_wallet = status.wallet().is_some();
        self.wanted.is_none_or(|wanted| wanted == shown) && (!is_wallet || (asked && (!self.resets || (prepaid && !off))))
    }
}

impl RelayCases {
    pub(super) async fn load(db: &Db) -> store::Result<Self> {
        let open = cases::details_of_kind(db, CaseKind::Relay).await?.into_iter().filter_map(|(meter, detail)| match detail {
            CaseDetail::Relay(case) => Some((meter, RelayWatch::of(&case)?)),
            _ => None,
        });
        Ok(Self(open.collect()))
    }

    pub(super) async fn refresh(&mut self, db: &Db) -> store::Result<()> {
        let before = std::mem::replace(self, Self::load(db).await?);
        for (meter, watch) in &mut self.0 {
            let same = before.0.get(meter).filter(|of| of.wanted == watch.wanted && of.resets == watch.resets);
            watch.good = same.map_or(0, |of| of.good);
        }
        Ok(())
    }

    /// Whether this full reading, which `latest` holds, is the last one that the case of the meter needed.
    pub(super) fn is_mended(&mut self, meter: MeterId, status: &MeterStatus, latest: &Latest) -> bool {
        let Some(watch) = self.0.get_mut(&meter) else { return false };
        let shown = match status {
            MeterStatus::Wallet(state) => Some(state.status.relay_closed()),
            MeterStatus::Plain(plain) => plain.relay_closed,
        };
        let Some(shown) = shown else { return false };
        let is_good = !alarm_conditions::has_relay_fault(!shown, latest) && watch.is_met(shown, status);
        watch.good = if is_good { watch.good + 1 } else { 0 };
        let mended = watch.good >= GOOD;
        if mended {
            self.0.remove(&meter);
        }
        mended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::meter_state::PlainStatus;
    use model::ids::Uuid;

    #[test]
    fn a_relay_case_ends_after_two_good_readings() {
        let meter = MeterId(Uuid::from_u128(1));
        let mut cases = RelayCases(HashMap::from([(meter, RelayWatch { wanted: Some(false), ..RelayWatch::default() })]));
        let mut see = |relay_closed: Option<bool>, watts| {
            let status = MeterStatus::Plain(PlainStatus { relay_closed, ..PlainStatus::default() });
            let latest = Latest { status: status.status(), power_w: Some(watts), ..Latest::unseen(meter) };
            cases.is_mended(meter, &status, &latest)
        };
        let readings = [(Some(false), 0), (Some(false), 1_500), (Some(false), 0), (Some(true), 0), (None, 0), (Some(false), 0)];
        assert!(readings.into_iter().all(|(closed, watts)| !see(closed, watts)));
        assert!(see(Some(false), 0));
        assert!(!see(Some(false), 0), "the case is over");
    }

    #[test]
    fn a_relay_case_stays_while_mode_or_switch_is_not_obeyed() {
        use domain::fixtures::state;
        use domain::meter_state::StateBlock;
        use model::meter::StatusWord;

        let ends = |command: &str, word: u16| {
            let meter = MeterId(Uuid::from_u128(1));
            let case = RelayCase { command: command.into(), status: Some(word), ..RelayCase::default() };
            let mut cases = RelayCases(RelayWatch::of(&case).map(|watch| (meter, watch)).into_iter().collect());
            let status = MeterStatus::Wallet(StateBlock { status: StatusWord(word), ..state() });
            let latest = Latest { status: StatusWord(word), ..Latest::unseen(meter) };
            (0..GOOD).any(|_| cases.is_mended(meter, &status, &latest))
        };
        let (closed, open) = (1, 1 << 1);
        let (guaranteed, forced_off, switched_off) = (1 << 6, 1 << 7, 1 << 8);
        for (command, word, is_over) in [
            ("mode", open | forced_off, true),
            ("mode", open | forced_off | closed, false),
            ("mode", open | guaranteed, false),
            ("mode", open | guaranteed | closed, true),
            ("switch", open | switched_off | closed, false),
            ("switch", open | switched_off | closed | guaranteed, true),
            ("switch", open | switched_off, true),
            ("open", open | switched_off, false),
            ("open", open | guaranteed | closed, false),
            ("open", open, true),
            ("clock", open, false),
        ] {
            assert_eq!(ends(command, word), is_over, "{command} {word:#b}");
        }
    }
}
