//! The page of one gateway.

use super::{GatewayLine, RoomName};
use crate::gateway::{DialInConnection, GatewayForm};
use crate::ids::{GatewayId, MeterId};
use crate::meter::Latest;
use crate::time::Timestamp;

/// A gateway with its meters and its history.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayView {
    pub id: GatewayId,
    pub name: String,
    pub form: GatewayForm,
    /// As the list has it; `None` for one that is retired.
    pub line: Option<GatewayLine>,
    pub created_at: Timestamp,
    pub retired_at: Option<Timestamp>,
    /// With the last known state of each.
    pub meters: Vec<(GatewayMeter, Latest)>,
    /// Of one that dials in, since the server started; the newest first.
    pub connections: Vec<DialInConnection>,
    /// The newest first.
    pub losses: Vec<GatewayLoss>,
    /// Somewhere an alarm rule switches the alarm of a loss off or delays it, so that losses may be missing.
    pub is_by_rules: bool,
    /// The newest first.
    pub changes: Vec<GatewayChange>,
}

impl GatewayView {
    /// The meters that are in use, so that the gateway cannot be retired.
    pub fn in_use(&self) -> impl Iterator<Item = &GatewayMeter> {
        self.meters.iter().map(|(meter, _)| meter).filter(|meter| meter.has_account || meter.has_command)
    }
}

/// A meter behind a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayMeter {
    pub id: MeterId,
    pub room: RoomName,
    pub unit: i64,
    pub serial: String,
    pub profile: String,
    pub has_account: bool,
    /// A command waits for it, or is a case.
    pub has_command: bool,
}

/// When nothing behind a gateway answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayLoss {
    pub since: Timestamp,
    /// `None` while it lasts.
    pub until: Option<Timestamp>,
}

/// What a person changed about a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayChange {
    pub at: Timestamp,
    pub by: String,
    /// The code of the action in the audit chain.
    pub action: String,
    pub from: String,
    pub to: String,
    pub reason: String,
}
