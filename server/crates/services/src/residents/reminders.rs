//! Reminds residents to top up, once each time that their balance falls below what they have chosen, with a link to pay.

use model::ids::UserId;
use model::notification::{NotificationKind, NotificationValues};

use super::ResidentService;
use ::residents::reminders::{self, RoomReminder};
use store::notifications::tell_resident;

/// Reminders that are read at a time.
const AT_ONCE: i64 = 200;

impl ResidentService {
    /// `address` is that of this server, as people reach it. Gives how many residents were reminded.
    pub async fn remind(&self, address: &str) -> store::Result<u64> {
        let (mut reminded, mut after): (u64, Option<UserId>) = (0, None);
        loop {
            let page = reminders::of_rooms(&self.context.db, after, AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(reminded) };
            after = Some(last.user_id);
            for reminder in &page {
                reminded += u64::from(self.remind_one(reminder, address).await?);
            }
        }
    }

    async fn remind_one(&self, reminder: &RoomReminder, address: &str) -> store::Result<bool> {
        let latest = self.context.latest(reminder.meter_id);
        // The last balance of a lost meter says nothing about the present one.
        if latest.observed_at.is_none() || latest.lost_since.is_some() {
            return Ok(false);
        }
        let is_below = latest.remaining < reminder.below;
        if is_below == reminder.is_told() {
            return Ok(false);
        }
        let (db, rng, now) = (&self.context.db, &self.context.rng, self.context.now());
        let mut tx = db.begin().await?;
        if !is_below {
            reminders::clear_told(&mut tx, reminder).await?;
            tx.commit().await?;
            return Ok(false);
        }
        let page = self.pay_link(reminder.user_id, reminder.account_id, reminder.chosen_at);
        let subject = format!("{address}{}", page.as_deref().unwrap_or("/topup"));
        let values = NotificationValues { subject, balance: Some(latest.remaining), ..NotificationValues::default() };
        let whom = (reminder.user_id, reminder.meter_id);
        let is_asked = tell_resident(&mut tx, rng, now, NotificationKind::TopUp, whom, &values).await?;
        if is_asked {
            reminders::mark_told(&mut tx, reminder).await?;
            tx.commit().await?;
        }
        Ok(is_asked)
    }
}
