//! One-time links by which residents choose their password: nobody else knows it.

use std::collections::HashSet;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountBatchId, AccountId, UserId};
use model::operator::LinkKind;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use store::audit::record;
use store::operators::{self, ChangedBy, NewLink};
use store::{Db, Result, on};

/// Makes a link for a resident of an account and ends the earlier ones: an invitation for whoever has no password yet, otherwise
/// one to choose another. The password stays as it is until the link is used. The caller checks that the operator may
/// see the account.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where nobody of that login name lives there.
pub async fn invite(
    db: &Db,
    at: Timestamp,
    who: &Who,
    (account, login): (AccountId, &str),
    link: impl Fn(LinkKind) -> NewLink,
) -> Result<LinkKind> {
    let mut tx = db.begin().await?;
    let found: Option<(UserId, bool)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT u.id, u.password_hash <> '' FROM users u JOIN account_residents ar ON ar.user_id = u.id
         WHERE ar.account_id = $1 AND ar.to_at IS NULL AND u.login = $2 AND u.role = 'resident' AND u.disabled_at IS NULL"
    )
    .bind(account)
    .bind(login)
    .fetch_optional(c)
    .await)?;
    let (user, has_password) = found.ok_or(AppError::NotFound)?;
    let kind = if has_password { LinkKind::Reset } else { LinkKind::Invite };
    operators::replace_link(&mut tx, at, ChangedBy::Person(who), (user, kind), link(kind)).await?;
    let detail = json!({ "link": kind, "login": login });
    record(&mut tx, at, who, (AuditAction::UserLink, &format!("user:{user}")), &detail).await?;
    tx.commit().await?;
    Ok(kind)
}

/// A link for one of many.
#[derive(Clone, Debug)]
pub struct BatchLink {
    pub login: String,
    pub link: NewLink,
}

/// Makes links for residents whose accounts were opened together: for those who still live there and have no password yet. Gives
/// their login names. The caller checks that the operator may see the rooms.
pub async fn invite_batch(
    db: &Db,
    at: Timestamp,
    who: &Who,
    batch: AccountBatchId,
    links: &[BatchLink],
) -> Result<HashSet<String>> {
    let mut tx = db.begin().await?;
    let mut invited = HashSet::new();
    for BatchLink { login, link } in links {
        let found: Option<(UserId,)> = on!(&mut tx, |c| sqlx::query_as(
            "SELECT u.id FROM users u JOIN account_residents ar ON ar.user_id = u.id AND ar.to_at IS NULL
             JOIN account_batch_rooms x ON x.batch_id = $2 AND x.login = u.login AND x.account_id = ar.account_id
             WHERE u.login = $1 AND u.role = 'resident' AND u.disabled_at IS NULL AND u.password_hash = ''"
        )
        .bind(login)
        .bind(batch)
        .fetch_optional(c)
        .await)?;
        let Some((user,)) = found else { continue };
        operators::replace_link(&mut tx, at, ChangedBy::Person(who), (user, LinkKind::Invite), *link).await?;
        invited.insert(login.clone());
    }
    if invited.is_empty() {
        return Ok(invited);
    }
    let detail = json!({ "link": LinkKind::Invite, "rows": invited.len() });
    record(&mut tx, at, who, (AuditAction::UserLink, &format!("account-batch:{batch}")), &detail).await?;
    tx.commit().await?;
    Ok(invited)
}
