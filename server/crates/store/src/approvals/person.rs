//! Who may be the second person.

use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::time::{DAY, Timestamp};

use crate::console::{above, within};
use crate::roles::{approves, can_log_in};
use crate::{Result, Tx, on};

/// How long a link that somebody made for another makes the two one person, ms.
const SAME_PERSON: i64 = 7 * DAY;

/// Whether one may approve what the other asked for. Two log-ins by the name of one person are one person, and so are whoever
/// made a one-time link and whoever chose a password by it within the last seven days: nobody invites their own second person,
/// and nobody takes over an account to be one, or to ask in its name.
///
/// # Errors
/// Refused with [`AppError::SecondPerson`].
pub(crate) async fn second_person(tx: &mut Tx, at: Timestamp, who: UserId, asked_by: UserId) -> Result<()> {
    if is_second(tx, at.plus(-SAME_PERSON), who, asked_by).await? { Ok(()) } else { Err(AppError::SecondPerson.into()) }
}

/// As [`second_person`]; a link makes two one person where it was used after `links_since`. An invitation does so for what its
/// maker asks, a reset also for what is asked in the account that it may have taken over.
async fn is_second(tx: &mut Tx, links_since: Timestamp, who: UserId, asked_by: UserId) -> Result<bool> {
    let row: Option<(UserId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT u.id FROM users u JOIN users a ON a.id = $2
         WHERE u.id = $1 AND u.id <> a.id AND LOWER(TRIM(u.name)) <> LOWER(TRIM(a.name))
           AND NOT EXISTS (SELECT 1 FROM invitations i WHERE i.used_at > $3
                           AND (i.user_id = u.id AND i.created_by = a.id
                                OR i.kind = 'reset' AND i.user_id = a.id AND i.created_by = u.id)) AND ",
        can_log_in!("u"),
        " AND ",
        approves!("u")
    ))
    .bind(who)
    .bind(asked_by)
    .bind(links_since)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// Whether there is somebody who may approve what one asks for at a place, now or once their links no longer matter: otherwise
/// whoever makes a link for the only other person could act alone.
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
        if is_second(tx, at, other, who).await? && is_within(tx, other, place).await? {
            return Ok(true);
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
