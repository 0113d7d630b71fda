//! Who may be the second person.

use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::time::{DAY, Timestamp};

use crate::console::{above, within};
use crate::roles::{approves, can_log_in};
use crate::{Result, StoreError, Tx, on};

/// How long a link that somebody made for another makes the two one person, ms.
const SAME_PERSON: i64 = 7 * DAY;

/// Whether one may approve what the other asked for. Two log-ins by the name of one person are one person, and so are whoever
/// made a one-time link and whoever chose a password by it within the last seven days: nobody invites their own second person,
/// and nobody takes over an account to be one.
///
/// # Errors
/// Refused with [`AppError::SecondPerson`].
pub(crate) async fn second_person(tx: &mut Tx, at: Timestamp, who: UserId, asked_by: UserId) -> Result<()> {
    let row: Option<(UserId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT u.id FROM users u JOIN users a ON a.id = $2
         WHERE u.id = $1 AND u.id <> a.id AND LOWER(TRIM(u.name)) <> LOWER(TRIM(a.name))
           AND NOT EXISTS (SELECT 1 FROM invitations i WHERE i.user_id = u.id AND i.created_by = a.id AND i.used_at > $3) AND ",
        can_log_in!("u"),
        " AND ",
        approves!("u")
    ))
    .bind(who)
    .bind(asked_by)
    .bind(at.plus(-SAME_PERSON))
    .fetch_optional(c)
    .await)?;
    row.map(drop).ok_or_else(|| AppError::SecondPerson.into())
}

/// Whether there is somebody who may approve what one asks for at a place.
pub(super) async fn another(tx: &mut Tx, at: Timestamp, who: UserId, place: Option<PlaceId>) -> Result<bool> {
    let others: Vec<(UserId,)> = on!(tx, |c| {
        sqlx::query_as(concat!(
            "SELECT u.id FROM users u WHERE u.id <> $1 AND ",
            can_log_in!("u"),
            " AND ",
            approves!("u"),
            " ORDER BY u.id LIMIT 100"
        ))
        .bind(who)
        .fetch_all(c)
        .await
    })?;
    for (other,) in others {
        match second_person(tx, at, other, who).await {
            Ok(()) if is_within(tx, other, place).await? => return Ok(true),
            Ok(()) | Err(StoreError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether an operator may see a place; `None`: the whole site.
pub(super) async fn is_within(tx: &mut Tx, user: UserId, place: Option<PlaceId>) -> Result<bool> {
    let Some(place) = place else {
        let all: Option<(bool,)> =
            on!(tx, |c| sqlx::query_as("SELECT all_buildings FROM users WHERE id = $1").bind(user).fetch_optional(c).await)?;
        return Ok(all == Some((true,)));
    };
    let row: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as(concat!("SELECT r.id FROM places r", above!(), "WHERE r.id = $2 AND", within!()))
            .bind(user)
            .bind(place)
            .fetch_optional(c)
            .await)?;
    Ok(row.is_some())
}
