//! The instruments behind the gateways: which are polled, and readings that somebody waits for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use metering::instruments as rows;
use model::error::AppError;
use model::ids::{GatewayId, InstrumentId};
use model::instrument::InstrumentTrouble;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{GatewayHandle, Shared, Supervisor};
use crate::instruments::{Instrument, InstrumentPoller, read, usable};
use crate::link::Priority;

/// How long a person waits for a reading.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

impl Supervisor {
    /// What reads the instruments of a gateway, and the sender that tells it which they are.
    pub(super) fn instrument_poller(
        &self,
        stop: CancellationToken,
    ) -> (mpsc::UnboundedSender<Vec<Arc<Instrument>>>, InstrumentPoller) {
        let (instruments, control) = mpsc::unbounded_channel();
        let (clock, rng, events) = (Arc::clone(&self.shared.followed), self.rng.clone(), self.events.clone());
        (instruments, InstrumentPoller { db: self.db.clone(), clock, rng, events, control, stop })
    }

    /// Gives each gateway its instruments, and notes those that cannot be read at all.
    pub(super) async fn apply_instruments(&self) -> store::Result<()> {
        let instruments = rows::in_service(&self.db).await?;
        let mut unusable: Vec<InstrumentId> = Vec::new();
        {
            let (buses, mut polled) = (self.shared.lock_buses(), self.shared.lock_instruments());
            let mut by_gateway: HashMap<GatewayId, Vec<Arc<Instrument>>> = buses.keys().map(|&id| (id, Vec::new())).collect();
            for (row, circuits) in &instruments {
                let (Some(bus), Some(list)) = (buses.get(&row.gateway_id), by_gateway.get_mut(&row.gateway_id)) else { continue };
                match usable(row, circuits, bus.row.framing, self.profiles.instruments()) {
                    Ok(usable) => {
                        let turn = polled.get(&row.id).map_or_else(Arc::default, |before| Arc::clone(&before.turn));
                        list.push(Arc::new(Instrument::new((row.id, row.gateway_id), usable, bus.link.clone(), turn)));
                    }
                    Err(why) if row.trouble != Some(InstrumentTrouble::Unusable) => {
                        tracing::error!(instrument = %row.id, number = row.number, %why, "instrument.unusable");
                        unusable.push(row.id);
                    }
                    Err(_) => {}
                }
            }
            *polled = by_gateway.values().flatten().map(|instrument| (instrument.id, Arc::clone(instrument))).collect();
            for (gateway, list) in by_gateway {
                if let Some(bus) = buses.get(&gateway) {
                    // A poller that is gone is stopping.
                    let _ = bus.instruments.send(list);
                }
            }
        }
        for id in unusable {
            rows::lost(&self.db, &self.rng, self.clock.now(), id, InstrumentTrouble::Unusable).await?;
        }
        Ok(())
    }
}

impl Shared {
    fn lock_instruments(&self) -> std::sync::MutexGuard<'_, HashMap<InstrumentId, Arc<Instrument>>> {
        self.instruments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GatewayHandle {
    /// The unit ids of the instruments behind a gateway.
    pub(super) fn instrument_units(&self, gateway: GatewayId) -> Vec<u8> {
        let instruments = self.0.lock_instruments();
        instruments.values().filter(|instrument| instrument.gateway == gateway).map(|instrument| instrument.unit).collect()
    }

    /// Reads an instrument now, before its turn, and stores what was read; gives why it could not be.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it is not polled here, [`AppError::Unavailable`] while the clock is wrong or the
    /// database does not answer.
    pub async fn read_instrument(&self, id: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError> {
        let found = self.0.lock_instruments().get(&id).cloned();
        let instrument = found.ok_or(AppError::NotFound)?;
        let turn = timeout(ANSWER_WITHIN, instrument.turn.lock()).await;
        let Ok(_turn) = turn else { return Ok(Some(InstrumentTrouble::Silent)) };
        let answer = timeout(ANSWER_WITHIN, read(&instrument, Priority::ReadNow)).await;
        match answer.unwrap_or(Err(Some(InstrumentTrouble::Silent))) {
            Ok(readings) => {
                let at = self.0.followed.now().ok_or(AppError::Unavailable)?;
                rows::record(&self.0.db, &self.0.rng, at, id, instrument.wrap(), &readings).await?;
                Ok(None)
            }
            Err(trouble) => Ok(Some(trouble.ok_or(AppError::Unavailable)?)),
        }
    }
}
