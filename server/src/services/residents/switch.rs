//! Switching the room, and how far a switching is.

use app::api::resident::{CommandView, SwitchOffer};
use model::error::AppError;
use model::ids::{CommandId, Uuid};
use model::person::Who;
use model::switch::refusal;

use super::{Residents, views};
use domain::command_args::CommandArgs;
use store::commands;
use store::rooms::{self, Switch};

impl Residents {
    pub(super) async fn switch_of(&self, who: &Who) -> Result<SwitchOffer, AppError> {
        let room = self.room(who).await?;
        let latest = self.latest(&room);
        Ok(SwitchOffer { key: self.form_key(), refusal: refusal(&latest), room: views::room(&room, latest) })
    }

    pub(super) async fn decide(&self, who: &Who, key: Uuid, on: bool) -> Result<CommandId, AppError> {
        let room = self.room(who).await?;
        // A repeated form is answered with its command even where switching has become impossible meanwhile.
        let before = commands::find(&self.db, CommandId(key)).await?;
        if before.is_none()
            && let Some(error) = refusal(&self.latest(&room))
        {
            return Err(error);
        }
        let request = Switch { key, account: room.account_id, meter: room.meter_id, on, by: who.user, ip: who.ip.clone() };
        let command = rooms::switch(&self.db, &self.rng, self.clock.now(), &request).await?;
        (self.wake)();
        Ok(command)
    }

    pub(super) async fn switching(&self, who: &Who, id: CommandId) -> Result<CommandView, AppError> {
        let room = self.room(who).await?;
        let command = commands::find(&self.db, id).await?.ok_or(AppError::NotFound)?;
        // Of their own meter, and decided since they moved in.
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
            now: self.clock.now(),
        })
    }
}
