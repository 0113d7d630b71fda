//! Switching by schedule: what residents set, and what is carried out for them.

use ::residents::rooms::{self, Room, Switch};
use ::residents::schedules::{self, LastSwitching, NewSchedule, Schedule};
use domain::switch_schedule::{first, is_missed, next};
use model::error::AppError;
use model::ids::{CommandId, Uuid};
use model::person::Who;
use model::switch::refusal;
use model::switch_schedule::{SwitchOutcome, SwitchTimes};
use store::StoreError;

use super::ResidentService;

impl ResidentService {
    pub(super) async fn add_schedule(&self, who: &Who, id: Uuid, times: SwitchTimes) -> Result<(), AppError> {
        let room = self.room(who).await?;
        let now = self.context.now();
        let next = first(&times, now).ok_or(AppError::Invalid)?;
        let new = NewSchedule { id, account: room.account_id, meter: room.meter_id, times, next };
        Ok(schedules::add(&self.context.db, now, who, &new).await?)
    }

    pub(super) async fn remove_schedule(&self, who: &Who, id: Uuid) -> Result<(), AppError> {
        let room = self.room(who).await?;
        let all = schedules::of_account(&self.context.db, room.account_id).await?;
        let (schedule, _) = all.iter().find(|(schedule, _)| schedule.id == id).ok_or(AppError::NotFound)?;
        Ok(schedules::remove(&self.context.db, self.context.now(), who, room.meter_id, schedule).await?)
    }

    /// Carries out a schedule that is due, once, whatever crashes: its command has an id that follows from the schedule and the
    /// instant. `None` where it waits, because the meter does not answer yet, or where nobody has that account any more.
    pub async fn carry_out(&self, schedule: &Schedule) -> Result<Option<SwitchOutcome>, AppError> {
        let db = &self.context.db;
        let room = rooms::of_resident(db, schedule.by).await?.filter(|room| room.account_id == schedule.account);
        let Some(room) = room else {
            schedules::forget(db, schedule.id).await?;
            return Ok(None);
        };
        let Some((outcome, command)) = self.switch_now(&room, schedule).await? else { return Ok(None) };
        let (at, on) = schedule.next;
        // From now on, so that what was due while the server did not run is not made up for.
        let after = next(&schedule.times, self.context.now().max(at)).ok_or(AppError::Internal)?;
        schedules::done(db, schedule, &LastSwitching { at, on, outcome, command }, after).await?;
        Ok(Some(outcome))
    }

    /// `None` while the meter does not answer and it is not too late.
    async fn switch_now(&self, room: &Room, schedule: &Schedule) -> Result<Option<(SwitchOutcome, Option<CommandId>)>, AppError> {
        let ((at, on), now) = (schedule.next, self.context.now());
        if is_missed(at, now) {
            return Ok(Some((SwitchOutcome::Missed, None)));
        }
        let latest = self.latest(room);
        match refusal(&latest) {
            None => {}
            // Only what the meter reports decides, so nothing is decided until it does.
            Some(AppError::MeterLost) => return Ok(None),
            Some(error) => return Ok(SwitchOutcome::of(error).map(|outcome| (outcome, None))),
        }
        if latest.status.user_switch_off() != on {
            return Ok(Some((SwitchOutcome::Already, None)));
        }
        let request = Switch {
            key: key_of(schedule),
            account: room.account_id,
            meter: room.meter_id,
            on,
            by: schedule.by,
            ip: String::new(),
            schedule: Some(schedule.times.to_string()),
        };
        match rooms::switch(&self.context.db, &self.context.rng, now, &request).await {
            Ok(command) => {
                self.context.gateway.wake();
                Ok(Some((SwitchOutcome::Sent, Some(command))))
            }
            Err(StoreError::Refused(error)) => match SwitchOutcome::of(error) {
                Some(outcome) => Ok(Some((outcome, None))),
                None => Err(error),
            },
            Err(error) => Err(error.into()),
        }
    }
}

/// The id of the command of a switching: the same in each process and after each restart.
fn key_of(schedule: &Schedule) -> Uuid {
    let (at, on) = schedule.next;
    let parts = [b"schedule ".as_slice(), schedule.id.as_bytes(), &at.0.to_be_bytes(), &[u8::from(on)]].concat();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &parts);
    Uuid::from_slice(digest.as_ref().get(..16).unwrap_or_default()).unwrap_or(schedule.id)
}
