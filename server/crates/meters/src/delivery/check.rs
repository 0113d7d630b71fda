//! Commands that change nothing: a reading that somebody asked for, and the look whether a planned price switch took place.

use model::command::CommandReason;
use model::time::{MINUTE, SECOND, Timestamp};

use super::{Engine, Step};
use crate::command_args::{self, Evidence};
use crate::directory::Meter;
use crate::driver;
use crate::link::Priority;
use crate::poller::Control;
use crate::recorder::Event;
use domain::operation::Operation;
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries;

/// A reading is stored within this; a little later it is looked for.
const STORED: i64 = SECOND / 2;
/// How long after its switch-over a meter may still show the old prices: its clock may be behind.
const GRACE: i64 = 10 * MINUTE;
/// How long until it is looked at again.
const AGAIN: i64 = MINUTE;

impl Engine {
    /// Reads the meter; over when the reading is stored, or when the meter cannot be read.
    pub(super) async fn read(&self, command: &Command, meter: &Meter) -> Result<Step, StoreError> {
        let now = self.clock.now();
        if deliveries::is_read_since(&self.db, meter.id, command.decided_at).await? {
            deliveries::done(&self.db, now, command).await?;
            return Ok(Step::Ended);
        }
        if !deliveries::begin(&self.db, now, command).await? {
            return Ok(Step::Ended);
        }
        match driver::read(meter, Priority::ReadNow, &self.clock).await {
            Ok(driver::Reading { at, measurement, meter_status }) => {
                let source = ReadingSource::OnDemand;
                self.report(Event::Read { meter: meter.id, from: now, at, source, measurement, meter_status }).await;
                deliveries::defer(&self.db, command, self.clock.now().plus(STORED)).await?;
                Ok(Step::Later)
            }
            Err(error) => {
                // The poller finds out whether the meter is lost.
                let _ = meter.poll.send(Control::ReadNow(meter.id, ReadingSource::OnDemand));
                deliveries::unread(&self.db, self.clock.now(), command, error.reason()).await?;
                Ok(Step::Ended)
            }
        }
    }

    /// Looks whether planned prices are in force; where they stay away, a person hears of it.
    pub(super) async fn in_force(
        &self,
        command: &Command,
        meter: &Meter,
        prices: [u32; 4],
        at: Timestamp,
    ) -> Result<Step, StoreError> {
        let (seen, now) = match self.look(meter, Priority::Settings).await? {
            Ok(seen) => seen,
            Err(step) => return Ok(step),
        };
        let wanted = Operation::SetPrices { standby: false, prices };
        let map = meter.profile.secured.as_ref().map(|secured| &secured.read_back);
        let evidence = map.map(|map| command_args::evidence(map, &wanted, &seen, false, now));
        let Some(Evidence::Registers { address, words }) = evidence else {
            return self.refuse(command, None, CommandReason::Invalid).await;
        };
        let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
        let Ok(found) = meter.link.read(Priority::Settings, meter.unit, address, count).await else {
            return self.wait(meter.id, CommandReason::Lost).await;
        };
        if found == words && !seen.status.standby_prices() {
            deliveries::done(&self.db, now, command).await?;
            return Ok(Step::Ended);
        }
        if now.since(at) < GRACE {
            deliveries::defer(&self.db, command, now.plus(AGAIN)).await?;
            return Ok(Step::Later);
        }
        let clock_off_s = seen.clock.map(|clock| clock.since(now) / SECOND);
        let detail = serde_json::json!({ "planned": prices, "since": at.0, "clock_off_s": clock_off_s });
        tracing::warn!(meter = %command.meter_id, "delivery.prices-missed");
        deliveries::missed_price_switch(&self.db, &self.rng, now, command, &detail.to_string()).await?;
        Ok(Step::Ended)
    }
}
