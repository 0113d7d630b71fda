//! The test of a gateway that a person asks for.

use std::sync::Arc;
use std::time::Duration;

use model::error::AppError;
use model::gateway::{ConnectFault, GatewayTest, TestOutcome};
use model::ids::GatewayId;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Bus, GatewayHandle};
use crate::directory::Meter;
use crate::driver;
use crate::link::{Carrier, Link, LinkError, LinkState, Priority, Target};
use crate::reader::ReadError;
use domain::rng::Rng;

/// How long a person waits for the link to connect, beyond the gateway's own limit: one that serves a single connection may
/// refuse the next for some seconds.
const SLOT_WAIT: Duration = Duration::from_secs(5);
/// The most meters that are tried.
const TRIED: usize = 3;

/// How long a gateway that was added a moment ago may take until it is polled.
const ADDED_WAIT: Duration = Duration::from_secs(5);
const ADDED_CHECK: Duration = Duration::from_millis(50);

impl GatewayHandle {
    /// What a person needs of a gateway's bus. One that was added a moment ago is waited for.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where the gateway is not polled here.
    pub(super) async fn of_bus<T>(&self, gateway: GatewayId, find: impl Fn(&Bus) -> T) -> Result<T, AppError> {
        let found = async {
            loop {
                if let Some(found) = self.0.lock_buses().get(&gateway).map(&find) {
                    return found;
                }
                sleep(ADDED_CHECK).await;
            }
        };
        timeout(ADDED_WAIT, found).await.map_err(|_| AppError::NotFound)
    }

    /// Connects to a gateway, reads the first of its meters that answers, and says what was found. Nothing is written to a meter.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where the gateway is not polled here.
    pub async fn test_gateway(&self, gateway: GatewayId, rng: &Rng) -> Result<GatewayTest, AppError> {
        let (link, target, config) =
            self.of_bus(gateway, |bus| (bus.link.clone(), bus.target.clone(), Arc::clone(&bus.config))).await?;
        let within = Duration::from_millis(config.connect_timeout_ms);
        if *link.state().borrow() != LinkState::Up {
            if let Some(fault) = target.fault(within).await {
                return Ok(GatewayTest::unreachable(fault));
            }
            self.retry_gateway(gateway);
            let mut state = link.state();
            if !matches!(timeout(within + SLOT_WAIT, state.wait_for(|state| *state == LinkState::Up)).await, Ok(Ok(_))) {
                return Ok(GatewayTest::unreachable(ConnectFault::Closed));
            }
        }
        let mut meters: Vec<Arc<Meter>> = self.0.directory.all();
        meters.retain(|meter| meter.gateway == gateway);
        meters.sort_by_key(|meter| meter.unit);
        let Some(first) = meters.first() else { return Ok(GatewayTest::of(TestOutcome::NoMeters, None)) };
        for meter in meters.iter().take(TRIED) {
            if let Some(outcome) = self.outcome(meter).await {
                return Ok(GatewayTest::of(outcome, Some(meter.unit)));
            }
        }
        let is_other = match other_framing(&target) {
            Some(other) => answers(other, first, &config, rng).await,
            None => false,
        };
        let outcome = if is_other { TestOutcome::OtherFraming } else { TestOutcome::Silent };
        Ok(GatewayTest::of(outcome, Some(first.unit)))
    }

    /// `None` where the meter does not answer.
    async fn outcome(&self, meter: &Meter) -> Option<TestOutcome> {
        match driver::meter_status(meter, Priority::ReadNow, &self.0.clock).await {
            Ok(_) => Some(TestOutcome::Answered),
            Err(ReadError::SerialMismatch(_)) => Some(TestOutcome::OtherMeter),
            Err(error) if error.is_answered() => Some(TestOutcome::Unreadable),
            Err(_) => None,
        }
    }
}

/// The same gateway as if it carried frames the other way. One that dials in has a single connection, which is its link's.
fn other_framing(target: &Target) -> Option<Target> {
    if target.incoming.is_some() {
        return None;
    }
    let carrier = match target.carrier {
        Carrier::Tcp => Carrier::Transparent,
        Carrier::Transparent => Carrier::Tcp,
        Carrier::Tls(_) | Carrier::Unusable(_) => return None,
    };
    Some(Target { carrier, ..target.clone() })
}

/// Whether anything answers a reading of one register there.
async fn answers(target: Target, meter: &Meter, config: &Arc<crate::config::Config>, rng: &Rng) -> bool {
    let stop = CancellationToken::new();
    let (link, task) = Link::start(target, Arc::clone(config), rng.clone(), stop.clone());
    let within = Duration::from_millis(config.connect_timeout_ms + config.late_ms + config.request_timeout_ms) + SLOT_WAIT;
    let answer = timeout(within, link.read(Priority::ReadNow, meter.unit, 0, 1)).await;
    stop.cancel();
    // It ends with the request under way.
    let _ = timeout(within, task).await;
    matches!(answer, Ok(Ok(_) | Err(LinkError::Exception(_))))
}

#[cfg(test)]
mod tests {
    use model::gateway::BytePattern;

    use super::*;
    use crate::link::Incoming;

    #[test]
    fn a_dial_in_connection_is_left_to_its_link() {
        let dialled = Target::dialled("10.0.0.9".to_owned(), 502, Carrier::Transparent);
        assert!(matches!(other_framing(&dialled).map(|other| other.carrier), Some(Carrier::Tcp)));
        let registration = BytePattern::parse("GW-1").unwrap();
        let incoming = Some(Incoming { mailbox: Arc::default(), registration, heartbeat: None });
        assert!(other_framing(&Target { incoming, ..dialled }).is_none());
    }
}
