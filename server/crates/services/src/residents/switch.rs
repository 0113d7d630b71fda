//! Switching the room's power, and the progress of the command.

use app::api::resident::{CommandView, SwitchOffer};
use model::error::AppError;
use model::ids::{CommandId, Uuid};
use model::person::Who;
use model::switch::refusal;

use super::{ResidentService, views};
use ::residents::rooms::{self, Switch};
use ::residents::schedules;
use domain::command_args::CommandArgs;
use store::commands;

impl ResidentService {
    pub(super) async fn switch_offer(&self, who: &Who) -> Result<SwitchOffer, AppError> {
        let room = self.room(who).await?;
        let latest = self.latest(&room);
        let schedules = schedules::of_account(&self.context.db, room.account_id).await?;
        Ok(SwitchOffer {
            key: self.context.form_key(),
            refusal: refusal(&latest),
            schedules: schedules.into_iter().map(|(one, by)| views::schedule(&one, by, who)).collect(),
            room: views::room(&room, latest, false),
        })
    }

    pub(super) async fn switch(&self, who: &Who, key: Uuid, on: bool) -> Result<CommandId, AppError> {
        let room = self.room(who).await?;
        // A form that is sent again returns its command even where switching is no longer possible.
        let before = commands::find(&self.context.db, CommandId(key)).await?;
        if before.is_none()
            && let Some(error) = refusal(&self.latest(&room))
        {
            return Err(error);
        }
        let request =
            Switch { key, account: room.account_id, meter: room.meter_id, on, by: who.user, ip: who.ip.clone(), schedule: None };
        let command = rooms::switch(&self.context.db, &self.context.rng, self.context.now(), &request).await?;
        self.context.gateway.wake();
        Ok(command)
    }

    pub(super) async fn command(&self, who: &Who, id: CommandId) -> Result<CommandView, AppError> {
        let room = self.room(who).await?;
        let command = commands::find(&self.context.db, id).await?.ok_or(AppError::NotFound)?;
        // Only of their own meter, and not from before they moved in.
        if command.meter_id != room.meter_id || command.decided_at < room.from_at {
            return Err(AppError::NotFound);
        }
        Ok(CommandView {
            on: command.args().and_then(CommandArgs::switches_on).ok_or(AppError::NotFound)?,
            state: command.state,
            decided_at: command.decided_at,
            sent_at: command.sent_at,
            finished_at: command.finished_at,
            lost_since: self.latest(&room).lost_since,
            now: self.context.now(),
        })
    }
}
