//! Open cases about relays, which end when two readings in a row show nothing wrong.

use std::collections::HashMap;

use model::case::{CaseDetail, CaseKind};
use model::ids::MeterId;
use model::meter::Latest;

use domain::alarm_conditions;
use domain::meter_state::MeterStatus;
use store::{self, Db, cases};

/// Readings in a row that must show nothing wrong.
const GOOD: u8 = 2;

/// The position that the command wanted, where it is known, and the number of good readings in a row.
#[derive(Default)]
pub(super) struct RelayCases(HashMap<MeterId, (Option<bool>, u8)>);

impl RelayCases {
    pub(super) async fn load(db: &Db) -> store::Result<Self> {
        let open = cases::details_of_kind(db, CaseKind::Relay).await?.into_iter().filter_map(|(meter, detail)| match detail {
            // A clock that was not kept has no relay to look at.
            CaseDetail::Relay(case) if case.command != "clock" => Some((meter, (case.closed, 0))),
            _ => None,
        });
        Ok(Self(open.collect()))
    }

    pub(super) async fn refresh(&mut self, db: &Db) -> store::Result<()> {
        let before = std::mem::replace(self, Self::load(db).await?);
        for (meter, (wanted, good)) in &mut self.0 {
            *good = before.0.get(meter).filter(|(of, _)| of == wanted).map_or(0, |(_, good)| *good);
        }
        Ok(())
    }

    /// Whether this full reading, which `latest` holds, is the last one that the case of the meter needed.
    pub(super) fn is_mended(&mut self, meter: MeterId, status: &MeterStatus, latest: &Latest) -> bool {
        let Some((wanted, good)) = self.0.get_mut(&meter) else { return false };
        let shown = match status {
            MeterStatus::Wallet(state) => Some(state.status.relay_closed()),
            MeterStatus::Plain(plain) => plain.relay_closed,
        };
        let Some(shown) = shown else { return false };
        let is_good = !alarm_conditions::has_relay_fault(!shown, latest) && wanted.is_none_or(|wanted| wanted == shown);
        *good = if is_good { *good + 1 } else { 0 };
        let mended = *good >= GOOD;
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
        let mut cases = RelayCases(HashMap::from([(meter, (Some(false), 0))]));
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
}
