//! Residents who are told, and where.

use model::console::RoomName;
use model::ids::{AccountId, MeterId, UserId};
use model::language::Lang;
use model::notification::{AlertPreferences, NotificationChannel, NotificationKind, NotificationValues, QuietHours};
use sqlx::FromRow;

use super::{About, NewNotification};
use crate::console::{Name, above, names};
use crate::{Db, Result, Tx, on, read};

/// An address of a resident who lives in a room.
#[derive(FromRow)]
pub struct Recipient {
    pub user_id: UserId,
    pub account_id: AccountId,
    pub meter_id: MeterId,
    pub channel: NotificationChannel,
    pub address: String,
    language: String,
    is_off: bool,
    alarm1: bool,
    alarm2: bool,
    tonight: bool,
    recharge: bool,
    quiet_from: i64,
    quiet_until: i64,
    #[sqlx(flatten)]
    name: Name,
}

impl Recipient {
    #[must_use]
    pub fn preferences(&self) -> AlertPreferences {
        let Self { is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until, .. } = *self;
        let hour = |stored: i64| u8::try_from(stored).unwrap_or_default();
        let quiet = QuietHours::new(hour(quiet_from), hour(quiet_until)).unwrap_or_default();
        AlertPreferences { is_off, alarm1, alarm2, tonight, recharge, quiet }
    }

    /// The room's name, from the building inwards.
    #[must_use]
    pub fn room(&self) -> String {
        let Name { building, floor, room } = &self.name;
        RoomName { building: building.clone(), floor: floor.clone(), room: room.clone() }.to_string()
    }

    #[must_use]
    pub fn message<'a>(&'a self, kind: NotificationKind, about: About, values: &'a NotificationValues) -> NewNotification<'a> {
        NewNotification {
            kind,
            channel: self.channel,
            user: Some(self.user_id),
            address: &self.address,
            language: Lang::choose(&self.language).unwrap_or_default(),
            quiet: self.preferences().quiet,
            about,
            subject: "",
            values,
        }
    }
}

/// Addresses of residents with their rooms; the `WHERE` follows.
macro_rules! recipients {
    () => {
        concat!(
            "SELECT d.user_id, am.account_id, am.meter_id, d.channel, d.address, p.language, p.is_off, p.alarm1, p.alarm2,
                    p.tonight, p.recharge, p.quiet_from, p.quiet_until,",
            names!(),
            "FROM account_meters am
             JOIN accounts a ON a.id = am.account_id AND a.closed_at IS NULL
             JOIN account_residents ar ON ar.account_id = am.account_id AND ar.to_at IS NULL
             JOIN alert_addresses d ON d.user_id = ar.user_id
             JOIN alert_preferences p ON p.user_id = ar.user_id
             JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE am.to_at IS NULL AND "
        )
    };
}

pub(super) async fn of_meter(tx: &mut Tx, meter: MeterId) -> Result<Vec<Recipient>> {
    on!(tx, |c| sqlx::query_as(concat!(recipients!(), "am.meter_id = $1 ORDER BY d.user_id, d.channel"))
        .bind(meter)
        .fetch_all(c)
        .await)
}

/// Those who want to hear that their room may be empty tonight, after a person's address, `most` at a time.
pub async fn wanting(db: &Db, after: Option<(UserId, NotificationChannel)>, most: i64) -> Result<Vec<Recipient>> {
    let (user, channel) = after.map_or((UserId(model::ids::Uuid::nil()), ""), |(user, channel)| (user, channel.as_str()));
    read!(db, |pool| sqlx::query_as(concat!(
        recipients!(),
        "p.tonight AND NOT p.is_off AND (d.user_id > $1 OR (d.user_id = $1 AND d.channel > $2))
         ORDER BY d.user_id, d.channel, am.meter_id LIMIT $3"
    ))
    .bind(user)
    .bind(channel)
    .bind(most)
    .fetch_all(pool)
    .await)
}
