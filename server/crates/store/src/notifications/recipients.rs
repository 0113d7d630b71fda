//! Residents who are told, and where.

use model::console::RoomName;
use model::ids::{AccountId, MeterId, UserId};
use model::language::Lang;
use model::notification::{AlertPreferences, NotificationChannel, NotificationKind, NotificationValues};
use sqlx::FromRow;

use super::alerts::PreferencesRow;
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
    #[sqlx(flatten)]
    preferences: PreferencesRow,
    #[sqlx(flatten)]
    name: Name,
}

impl Recipient {
    #[must_use]
    pub fn preferences(&self) -> AlertPreferences {
        self.preferences.into()
    }

    /// The room's name, from the building inwards.
    #[must_use]
    pub fn room(&self) -> String {
        RoomName::from(self.name.clone()).to_string()
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

/// Those who want to hear that their room may be empty tonight, after an address of a person, `most` at a time.
pub async fn wanting(db: &Db, after: Option<&Recipient>, most: i64) -> Result<Vec<Recipient>> {
    let user = after.map_or(UserId(model::ids::Uuid::nil()), |last| last.user_id);
    let channel = after.map_or("", |last| last.channel.as_str());
    let address = after.map_or("", |last| &*last.address);
    read!(db, |pool| sqlx::query_as(concat!(
        recipients!(),
        "p.tonight AND NOT p.is_off
           AND (d.user_id > $1 OR (d.user_id = $1 AND (d.channel > $2 OR (d.channel = $2 AND d.address > $3))))
         ORDER BY d.user_id, d.channel, d.address, am.meter_id LIMIT $4"
    ))
    .bind(user)
    .bind(channel)
    .bind(address)
    .bind(most)
    .fetch_all(pool)
    .await)
}
