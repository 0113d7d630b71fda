//! When a resident has the room switched off and on.

use leptos::prelude::*;

use crate::api::form::{at, fits, parse};
use crate::api::{ApiError, answer};
use crate::i18n::{lang, switch_schedule};
use crate::ports::{ports, resident};
use model::error::AppError;
use model::ids::{CommandId, Uuid};
use model::switch_schedule::{SwitchOutcome, SwitchTimes, Weekdays};
use model::time::Timestamp;

/// A schedule of the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleView {
    pub id: Uuid,
    pub times: SwitchTimes,
    /// The next switching, and whether it switches on.
    pub next: (Timestamp, bool),
    /// The roommate who made it; `None` for one's own.
    pub by: Option<String>,
    pub last: Option<LastSwitchView>,
}

/// What became of the last switching of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSwitchView {
    pub at: Timestamp,
    pub on: bool,
    pub outcome: SwitchOutcome,
    /// Says what the meter did.
    pub command: Option<CommandId>,
}

/// Adds a schedule.
#[server(name = AddSchedule, prefix = "/api", endpoint = "resident/add-schedule")]
pub async fn add_schedule(key: Uuid, off: String, on: String, #[server(default)] weekdays: Vec<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let added = async {
        let weekdays = weekdays.iter().map(|day| parse(day)).collect::<Result<Vec<u8>, _>>()?;
        let t = switch_schedule::texts(lang());
        let weekdays = fits("weekdays", (t.weekdays, t.weekdays_form), Weekdays::of(weekdays).ok_or(AppError::Invalid))?;
        let (off, on) = (at("off", parse(&off))?, at("on", parse(&on))?);
        let times = fits("on", (t.on_at, t.on_form), SwitchTimes::new(weekdays, off, on).ok_or(AppError::Invalid))?;
        ports.resident.add_schedule(&who, key, times).await
    };
    answer(added.await.map(|()| PAGE.to_owned()), PAGE)
}

/// Removes a schedule.
#[server(name = RemoveSchedule, prefix = "/api", endpoint = "resident/remove-schedule")]
pub async fn remove_schedule(id: Uuid) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    answer(ports.resident.remove_schedule(&who, id).await.map(|()| PAGE.to_owned()), PAGE)
}

const PAGE: &str = "/switch";
