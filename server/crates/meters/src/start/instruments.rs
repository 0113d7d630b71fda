//! The instruments behind the gateways: which are polled, and readings that somebody waits for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::framing::Framing;
use model::error::AppError;
use model::ids::{GatewayId, InstrumentId};
use model::instrument::InstrumentTrouble;
use store::instruments::{self as rows, CircuitRow, InstrumentRow};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Bus, GatewayHandle, Supervisor};
use crate::instruments::{Instrument, InstrumentPoller, read};
use crate::link::Priority;
use crate::profile::{Protocol, Step};

/// How long a person waits for a reading.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

impl Supervisor {
    /// What reads the instruments of a gateway, and the sender that tells it which they are.
    pub(super) fn instrument_poller(
        &self,
        stop: CancellationToken,
    ) -> (mpsc::UnboundedSender<Vec<Arc<Instrument>>>, InstrumentPoller) {
        let (instruments, control) = mpsc::unbounded_channel();
        (instruments, InstrumentPoller { db: self.db.clone(), clock: self.clock.clone(), control, stop })
    }

    /// Gives each gateway its instruments, and notes those that cannot be read at all.
    pub(super) async fn apply_instruments(&self) -> store::Result<()> {
        let (instruments, circuits) = rows::in_service(&self.db).await?;
        let mut unusable: Vec<InstrumentId> = Vec::new();
        {
            let buses = self.shared.lock_buses();
            let mut by_gateway: HashMap<GatewayId, Vec<Arc<Instrument>>> = buses.keys().map(|&id| (id, Vec::new())).collect();
            for row in &instruments {
                let (Some(bus), Some(list)) = (buses.get(&row.gateway_id), by_gateway.get_mut(&row.gateway_id)) else { continue };
                match self.instrument(row, &circuits, bus) {
                    Some(instrument) => list.push(Arc::new(instrument)),
                    None if row.trouble != Some(InstrumentTrouble::Unusable) => unusable.push(row.id),
                    None => {}
                }
            }
            let all = by_gateway.values().flatten().map(|instrument| (instrument.id, Arc::clone(instrument))).collect();
            *self.shared.instruments.lock().unwrap_or_else(PoisonError::into_inner) = all;
            for (gateway, list) in by_gateway {
                if let Some(bus) = buses.get(&gateway) {
                    // A poller that is gone is stopping.
                    let _ = bus.instruments.send(list);
                }
            }
        }
        for id in unusable {
            tracing::error!(instrument = %id, "instrument.unusable");
            rows::lost(&self.db, self.clock.now(), id, InstrumentTrouble::Unusable).await?;
        }
        Ok(())
    }

    /// `None` where its profile is not there, its gateway cannot carry it, or its number is no address.
    fn instrument(&self, row: &InstrumentRow, circuits: &[CircuitRow], bus: &Bus) -> Option<Instrument> {
        let profile = self.profiles.instruments().get(&row.profile)?;
        let is_dlt645 = profile.protocol() == Protocol::Dlt645;
        if is_dlt645 && bus.row.framing != Framing::Transparent {
            return None;
        }
        let start = match row.start_register {
            Some(start) => u16::try_from(start).ok()?,
            None => profile.start(),
        };
        let own = circuits.iter().filter(|circuit| circuit.instrument_id == row.id);
        let circuits = own.map(|circuit| Some((circuit.id, u8::try_from(circuit.position).ok()?)));
        let circuits = circuits.collect::<Option<Vec<_>>>()?;
        let has_all = circuits.iter().all(|(_, position)| (1..=profile.circuits).contains(position));
        (has_all && profile.fits(start)).then_some(())?;
        Some(Instrument {
            id: row.id,
            unit: u8::try_from(row.unit).ok()?,
            serial: if is_dlt645 { Some(row.number.parse().ok()?) } else { None },
            start,
            step: row.step_mwh.map_or(profile.step, |step| Step::from_mwh(step.mwh())),
            circuits,
            interval_s: u32::try_from(row.interval_s).ok()?,
            link: bus.link.clone(),
            turn: tokio::sync::Mutex::default(),
            profile,
        })
    }
}

impl GatewayHandle {
    /// Reads an instrument now, before its turn, and stores what was read; gives why it could not be.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it is not polled here, or where the database fails.
    pub async fn read_instrument(&self, id: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError> {
        let found = self.0.instruments.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let instrument = found.ok_or(AppError::NotFound)?;
        let turn = timeout(ANSWER_WITHIN, instrument.turn.lock()).await;
        let Ok(_turn) = turn else { return Ok(Some(InstrumentTrouble::Silent)) };
        let answer = timeout(ANSWER_WITHIN, read(&instrument, Priority::ReadNow)).await;
        match answer.unwrap_or(Err(Some(InstrumentTrouble::Silent))) {
            Ok(readings) => {
                rows::record(&self.0.db, self.0.clock.now(), id, instrument.wrap(), &readings).await?;
                Ok(None)
            }
            Err(trouble) => Ok(Some(trouble.ok_or(AppError::Unavailable)?)),
        }
    }
}
