//! Commands that change nothing: a requested reading, and the check whether a planned price switch took place.

use model::case::PricesCase;
use model::command::CommandReason;
use model::time::{MINUTE, SECOND, Timestamp};

use super::{CommandStep, DeliveryEngine};
use crate::command_args::{self, Evidence};
use crate::directory::Meter;
use crate::driver;
use crate::link::Priority;
use crate::poller::PollerCommand;
use crate::recorder::MeterEvent;
use domain::operation::Operation;
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries;

/// Time for the recorder to store a reading.
const STORE_DELAY: i64 = SECOND / 2;
/// How long after the switch-over a meter may still show the old prices: its clock may be slow.
const CLOCK_TOLERANCE: i64 = 10 * MINUTE;
/// Pause before the next check.
const RECHECK: i64 = MINUTE;

impl DeliveryEngine {
    /// Reads the meter; ends when the reading is stored or the meter cannot be read.
    pub(super) async fn read(&self, command: &Command, meter: &Meter) -> Result<CommandStep, StoreError> {
        let now = self.clock.now();
        if deliveries::is_read_since(&self.db, meter.id, command.decided_at).await? {
            deliveries::done(&self.db, now, command).await?;
            return Ok(CommandStep::Ended);
        }
        if !deliveries::begin(&self.db, now, command).await? {
            return Ok(CommandStep::Ended);
        }
        match driver::read(meter, Priority::ReadNow, &self.clock).await {
            Ok(driver::Reading { at, measurement, meter_status, .. }) => {
                let source = ReadingSource::OnDemand;
                self.report(MeterEvent::Read { meter: meter.id, from: now, at, source, measurement, meter_status }).await;
                deliveries::defer(&self.db, command, self.clock.now().plus(STORE_DELAY)).await?;
                Ok(CommandStep::Later)
            }
            Err(error) => {
                // The poller finds out whether the meter is lost.
                let _ = meter.poll.send(PollerCommand::ReadNow(meter.id, ReadingSource::OnDemand));
                deliveries::unread(&self.db, self.clock.now(), command, error.reason()).await?;
                Ok(CommandStep::Ended)
            }
        }
    }

    /// Checks whether planned prices are in force; a case is opened if they are not.
    pub(super) async fn check_prices(
        &self,
        command: &Command,
        meter: &Meter,
        prices: [u32; 4],
        at: Timestamp,
    ) -> Result<CommandStep, StoreError> {
        let (seen, now) = match self.read_state(meter, Priority::Settings).await? {
            Ok(seen) => seen,
            Err(step) => return Ok(step),
        };
        let expected = Operation::SetPrices { standby: false, prices };
        let map = meter.profile.secured.as_ref().map(|secured| &secured.read_back);
        let evidence = map.map(|map| command_args::evidence(map, &expected, &seen, false, now));
        let Some(Evidence::Registers { address, words }) = evidence else {
            return self.refuse(command, None, CommandReason::Invalid).await;
        };
        let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
        let Ok(found) = meter.link.read(Priority::Settings, meter.unit, address, count).await else {
            return self.back_off(meter.id, CommandReason::Lost).await;
        };
        if found == words && !seen.status.standby_prices() {
            deliveries::done(&self.db, now, command).await?;
            return Ok(CommandStep::Ended);
        }
        if now.since(at) < CLOCK_TOLERANCE {
            deliveries::defer(&self.db, command, now.plus(RECHECK)).await?;
            return Ok(CommandStep::Later);
        }
        let clock_off_s = seen.clock.map(|clock| clock.since(now) / SECOND);
        let case = PricesCase { planned: prices, since: at, clock_off_s };
        tracing::warn!(meter = %command.meter_id, "delivery.price-switch-missed");
        deliveries::missed_price_switch(&self.db, &self.rng, now, command, case).await?;
        Ok(CommandStep::Ended)
    }
}
