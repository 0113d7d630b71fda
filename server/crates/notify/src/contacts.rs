//! The number that residents are told to call, and who signs text messages: by place and group, inherited downwards as default
//! parameters are: a place's own, else those of its groups, else those of the next place above.

use std::collections::HashMap;

use model::defaults::DefaultsOf;
use model::ids::{AccountId, NotificationId};
use model::notification::NotificationChannel;
use model::time::Timestamp;
use sqlx::FromRow;
use store::{Db, Result, read};

/// What is set for a place or group, or applies to it; `None` is inherited, or set nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct ContactValues {
    pub phone: Option<String>,
    pub signature: Option<String>,
}

#[derive(FromRow)]
struct FoundRow<I> {
    id: I,
    #[sqlx(flatten)]
    values: ContactValues,
}

/// What is set for each place above `up (id, place_id, level)` and its groups, the nearest first. A broken tree ends
/// after 16 levels.
macro_rules! nearest_first {
    () => {
        " UNION ALL
                SELECT up.id, p.parent_id, up.level + 1 FROM up JOIN places p ON p.id = up.place_id
                WHERE p.parent_id IS NOT NULL AND up.level < 16)
              SELECT id, phone, signature FROM (
                  SELECT up.id, up.level, 0 AS rank, '' AS name, c.phone, c.signature
                  FROM up JOIN place_contacts c ON c.place_id = up.place_id
                  UNION ALL
                  SELECT up.id, up.level, 1 AS rank, g.name, c.phone, c.signature
                  FROM up JOIN place_group_members m ON m.place_id = up.place_id JOIN place_groups g ON g.id = m.group_id
                       JOIN group_contacts c ON c.group_id = g.id
              ) AS found ORDER BY id, level, rank, name"
    };
}

impl ContactValues {
    /// What is set nearer goes first.
    fn or(self, farther: Self) -> Self {
        Self { phone: self.phone.or(farther.phone), signature: self.signature.or(farther.signature) }
    }
}

/// What applies to the messages of a channel that were claimed at that time. Those about no room have what is set for the site.
pub async fn of_claimed(db: &Db, channel: NotificationChannel, at: Timestamp) -> Result<HashMap<NotificationId, ContactValues>> {
    let rows: Vec<FoundRow<NotificationId>> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "WITH RECURSIVE up (id, place_id, level) AS (
             SELECT n.id, COALESCE(a.place_id, (
                        SELECT s.id FROM places s WHERE s.kind = 'site' ORDER BY s.sort, s.name LIMIT 1)), 0
             FROM notifications n LEFT JOIN accounts a ON a.id = n.account_id
             WHERE n.channel = $1 AND n.tried_at = $2 AND n.state = 'waiting'",
            nearest_first!()
        ))
        .bind(channel)
        .bind(at)
        .fetch_all(pool)
        .await
    })?;
    let mut found: HashMap<NotificationId, ContactValues> = HashMap::new();
    for FoundRow { id, values } in rows {
        let nearer = found.remove(&id).unwrap_or_default();
        found.insert(id, nearer.or(values));
    }
    Ok(found)
}

/// What applies to the messages about an account now.
pub async fn of_account(db: &Db, account: AccountId) -> Result<ContactValues> {
    let rows: Vec<FoundRow<AccountId>> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH RECURSIVE up (id, place_id, level) AS (SELECT a.id, a.place_id, 0 FROM accounts a WHERE a.id = $1",
        nearest_first!()
    ))
    .bind(account)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|row| row.values).fold(ContactValues::default(), ContactValues::or))
}

/// What is set for a place or group itself.
pub async fn own(db: &Db, of: DefaultsOf) -> Result<ContactValues> {
    let (sql, id) = match of {
        DefaultsOf::Place(place) => ("SELECT phone, signature FROM place_contacts WHERE place_id = $1", place.0),
        DefaultsOf::Group(group) => ("SELECT phone, signature FROM group_contacts WHERE group_id = $1", group.0),
    };
    let row: Option<ContactValues> = read!(db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    Ok(row.unwrap_or_default())
}

/// What applies where a place sets nothing itself.
pub async fn inherited(db: &Db, of: DefaultsOf) -> Result<ContactValues> {
    let DefaultsOf::Place(place) = of else { return Ok(ContactValues::default()) };
    let rows: Vec<FoundRow<model::ids::PlaceId>> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH RECURSIVE up (id, place_id, level) AS (SELECT p.id, p.id, 0 FROM places p WHERE p.id = $1",
        nearest_first!()
    ))
    .bind(place)
    .fetch_all(pool)
    .await)?;
    let own = own(db, of).await?;
    // The first row is the place's own where it has any.
    let above = rows.into_iter().map(|row| row.values).skip(usize::from(own != ContactValues::default()));
    Ok(above.fold(ContactValues::default(), ContactValues::or))
}
