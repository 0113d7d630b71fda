//! Parameters held in the meters: read when a meter's parameter version changes, and stored for display.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use model::ids::MeterId;
use model::parameters::{Limits, Parameters, PlanEntry, Slot, TierPeriod, Tiers};
use model::time::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::directory::{Directory, Meter};
use super::link::Priority;
use super::profile::ReadBack;
use super::recorder::is_overtaken;
use domain::bcd::BcdTime;
use domain::rng::Rng;
use store::{self, Db, parameters};

/// Retry interval after a failed read.
const RETRY: Duration = Duration::from_secs(30);

/// Meter, new parameter version, and when the meter showed it.
pub type VersionChange = (MeterId, u16, Timestamp);

/// Detects changes of parameter versions.
pub struct VersionTracker {
    /// Version of each meter, and since when it is known.
    versions: HashMap<MeterId, (u16, Timestamp)>,
    changes: mpsc::UnboundedSender<VersionChange>,
}

impl VersionTracker {
    /// Starts with the stored versions.
    pub async fn load(db: &Db, changes: mpsc::UnboundedSender<VersionChange>) -> store::Result<Self> {
        let rows = parameters::versions(db).await?;
        let versions = rows.into_iter().filter_map(|(meter, version, at)| Some((meter, (u16::try_from(version).ok()?, at))));
        Ok(Self { versions: versions.collect(), changes })
    }

    /// The clock was set back by `step`, which is negative, and it is `now`.
    pub fn move_times(&mut self, step: i64, now: Timestamp) {
        for (_, since) in self.versions.values_mut().filter(|(_, since)| *since > now) {
            *since = since.plus(step).min(now);
        }
    }

    /// Records the version that a meter showed at `at`.
    pub fn observe(&mut self, meter: MeterId, version: u16, at: Timestamp) {
        let before = self.versions.get(&meter).copied();
        if before.is_some_and(|(_, since)| is_overtaken(at, since)) {
            return;
        }
        self.versions.insert(meter, (version, at));
        if before.is_none_or(|(last, _)| last != version) {
            // During shutdown the receiver may be gone.
            let _ = self.changes.send((meter, version, at));
        }
    }
}

/// Task that reads and stores parameters, one meter at a time; nothing waits for it.
pub struct ParameterReader {
    pub db: Db,
    pub rng: Rng,
    pub directory: Arc<Directory>,
}

impl ParameterReader {
    /// Runs until `stop` is cancelled.
    pub async fn run(self, mut changes: mpsc::UnboundedReceiver<VersionChange>, stop: CancellationToken) {
        let mut waiting: BTreeMap<MeterId, (u16, Timestamp)> = BTreeMap::new();
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return,
                next = timeout(RETRY, changes.recv()) => next,
            };
            let due: Vec<MeterId> = match next {
                Ok(Some((meter, version, at))) => {
                    waiting.insert(meter, (version, at));
                    vec![meter]
                }
                Ok(None) => return,
                Err(_) => waiting.keys().copied().collect(),
            };
            for meter in due {
                let Some(&(version, at)) = waiting.get(&meter).filter(|_| !stop.is_cancelled()) else { continue };
                if self.read_and_store(meter, version, at).await {
                    waiting.remove(&meter);
                }
            }
        }
    }

    /// Returns whether the change is done with; otherwise it is retried.
    async fn read_and_store(&self, id: MeterId, version: u16, at: Timestamp) -> bool {
        let Some(meter) = self.directory.get(id) else { return true };
        let Some(map) = meter.profile.secured.as_ref().map(|secured| &secured.read_back) else { return true };
        let Some(found) = read(&meter, map).await else { return false };
        match parameters::store(&self.db, &self.rng, at, id, version, &found).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, meter = %meter, "parameters.not-stored");
                false
            }
        }
    }
}

/// Reads all parameters in two requests, with the lowest priority on the bus.
async fn read(meter: &Meter, map: &ReadBack) -> Option<Parameters> {
    let [first, second] = map.day_tables;
    let settings = span(&[(map.limits, 9), (map.prices, 8), (map.tiers, 9), (map.standby_prices, 8), (map.switch_over, 3)])?;
    let tables = span(&[(map.date_plan, 6), (first, 21), (second, 21)])?;
    let mut registers = HashMap::new();
    for (address, count) in [settings, tables] {
        let words = meter.link.read(Priority::Sweep, meter.unit, address, count).await.ok()?;
        registers.extend((address..).zip(words));
    }
    decode(map, &registers)
}

/// The range from the first to the last register of several ranges.
fn span(parts: &[(u16, u16)]) -> Option<(u16, u16)> {
    let first = parts.iter().map(|(address, _)| *address).min()?;
    let end = parts.iter().map(|(address, count)| address.saturating_add(*count)).max()?;
    Some((first, end - first))
}

fn decode(map: &ReadBack, registers: &HashMap<u16, u16>) -> Option<Parameters> {
    let word = |address: u16| registers.get(&address).copied();
    let double = |address: u16| Some(u32::from(word(address)?) << 16 | u32::from(word(address.checked_add(1)?)?));
    let prices = |at: u16| Some([double(at)?, double(at + 2)?, double(at + 4)?, double(at + 6)?]);
    let bytes = |at: u16, count: u16| -> Option<Vec<u8>> {
        Some((at..at + count).map(word).collect::<Option<Vec<_>>>()?.into_iter().flat_map(u16::to_be_bytes).collect())
    };
    let limits = Limits {
        alarm1: double(map.limits)?,
        alarm2: double(map.limits + 2)?,
        overdraft: double(map.limits + 4)?,
        hoarding: double(map.limits + 6)?,
        overload_w: word(map.limits + 8)?,
    };
    let tiers = Tiers {
        period: TierPeriod::from_code(word(map.tiers)?.try_into().ok()?)?,
        thresholds: [double(map.tiers + 1)?, double(map.tiers + 3)?],
        surcharges: [double(map.tiers + 5)?, double(map.tiers + 7)?],
    };
    let table = |at: u16| -> Option<Vec<Slot>> {
        let slots = bytes(at, 21)?;
        let slots = slots.chunks_exact(3).filter_map(|slot| match *slot {
            [rate, hour, minute] if rate != 0 => Some(Slot { rate, hour, minute }),
            _ => None,
        });
        Some(slots.collect())
    };
    let plan = bytes(map.date_plan, 6)?;
    let date_plan = plan.chunks_exact(3).filter_map(|entry| match *entry {
        [month, day, table] if month != 0 => Some(PlanEntry { month, day, table }),
        _ => None,
    });
    let [first, second] = map.day_tables;
    Some(Parameters {
        limits,
        prices: prices(map.prices)?,
        tiers,
        standby: prices(map.standby_prices)?,
        switch_over: bytes(map.switch_over, 3)?.try_into().ok().and_then(BcdTime::from_bytes).map(BcdTime::timestamp),
        date_plan: date_plan.collect(),
        day_tables: [table(first)?, table(second)?],
    })
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profiles;
    use super::*;
    use crate::command_args::{Evidence, evidence, operations};
    use domain::fixtures::state;
    use domain::operation::Operation;
    use model::issue::Issue;

    #[test]
    fn versions_overtaken_by_a_command_are_ignored() {
        let (changes, mut seen) = mpsc::unbounded_channel();
        let (meter, mut tracker) = (MeterId(uuid::Uuid::nil()), VersionTracker { versions: HashMap::new(), changes });
        tracker.observe(meter, 7, Timestamp(1_000));
        // The sweep began at 1,500 and saw 7; the command was read before and after it was applied.
        tracker.observe(meter, 7, Timestamp(1_400));
        tracker.observe(meter, 8, Timestamp(1_600));
        tracker.observe(meter, 7, Timestamp(1_500));
        tracker.observe(meter, 8, Timestamp(2_500));
        tracker.observe(meter, 9, Timestamp(3_500));
        drop(tracker);
        let reported: Vec<VersionChange> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
        let expected = [(7, 1_000), (8, 1_600), (9, 3_500)].map(|(version, at)| (meter, version, Timestamp(at)));
        assert_eq!(reported, expected);
    }

    #[test]
    fn parameters_read_equal_the_parameters_issued() {
        let map = Profiles::load(None).unwrap().get("rpp").unwrap().secured.clone().unwrap().read_back;
        let slots = vec![Slot { rate: 4, hour: 0, minute: 0 }, Slot { rate: 2, hour: 8, minute: 30 }];
        let wanted = Parameters {
            limits: Limits { alarm1: 70_000, alarm2: 500, overdraft: 1, hoarding: 2, overload_w: 1_800 },
            prices: [9_000, 7_000, 5_383, 3_000],
            tiers: Tiers { period: TierPeriod::Year, thresholds: [100, 70_000], surcharges: [500, 3_000] },
            standby: [0; 4],
            switch_over: None,
            date_plan: vec![PlanEntry { month: 7, day: 1, table: 2 }],
            day_tables: [Vec::new(), slots.clone()],
        };
        let mut registers: HashMap<u16, u16> = (0x0140..0x0168).chain(0x2000..0x2030).map(|address| (address, 0)).collect();
        for issue in [
            Issue::Limits(wanted.limits),
            Issue::Prices(wanted.prices),
            Issue::Tiers(wanted.tiers),
            Issue::DayTable { table: 2, slots },
            Issue::DatePlan(wanted.date_plan.clone()),
        ] {
            let see = |operation: &Operation| evidence(&map, operation, &state(), true, Timestamp(0));
            for operation in &operations(&issue, Timestamp(0)).unwrap() {
                let Evidence::Registers { address, words } = see(operation) else { panic!("{operation:?}") };
                registers.extend((address..).zip(words));
            }
        }
        assert_eq!(decode(&map, &registers), Some(wanted));
        registers.remove(&0x0144);
        assert_eq!(decode(&map, &registers), None);
    }
}
