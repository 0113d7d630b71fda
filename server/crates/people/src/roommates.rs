//! Several residents on one account: who they are, and the links by which one of them lets another join.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, UserId};
use model::money::Fen;
use model::person::Who;
use model::personal::{PaidBy, ROOMMATE_LINKS_MAX, ROOMMATES_MAX, Roommate, RoommateInvitation, RoommateLink};
use model::time::Timestamp;
use serde_json::json;
use store::accounts::{self, NewResident};
use store::audit::{self, Entry, record};
use store::operators::NewLink;
use store::sessions::TokenHash;
use store::{Db, Result, StoreError, Tx, on, read};

use domain::rng::Rng;

/// Who has access to an account, or had it on or after `since`.
pub async fn of_account(db: &Db, account: AccountId, since: Timestamp) -> Result<Vec<Roommate>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT u.id AS \"user\", u.name, ar.from_at, ar.to_at FROM account_residents ar JOIN users u ON u.id = ar.user_id
         WHERE ar.account_id = $1 AND (ar.to_at IS NULL OR ar.to_at >= $2) ORDER BY ar.from_at, u.login LIMIT 100"
    )
    .bind(account)
    .bind(since)
    .fetch_all(pool)
    .await)
}

/// Who paid into an account in `[from, until)`. What was sold at the counter, by whomever, and what somebody of another room paid
/// counts for none of them.
pub async fn paid(db: &Db, account: AccountId, from: Timestamp, until: Timestamp) -> Result<Vec<PaidBy>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT p.\"user\", p.name, p.is_subsidy, CAST(SUM(p.amount_fen) AS BIGINT) AS sum_fen
         FROM (SELECT CASE WHEN h.user_id IS NOT NULL THEN u.id END AS \"user\",
                      CASE WHEN h.user_id IS NOT NULL THEN u.name END AS name,
                      o.tender = 'subsidy' AS is_subsidy, o.amount_fen
               FROM orders o JOIN users u ON u.id = o.created_by
               LEFT JOIN (SELECT DISTINCT user_id FROM account_residents WHERE account_id = $1) AS h
                    ON h.user_id = u.id AND u.role = 'resident'
               WHERE o.account_id = $1 AND o.paid_at >= $2 AND o.paid_at < $3 AND o.state IN ('paid', 'credited', 'case')
                 AND o.tender NOT IN ('carried', 'taken_over')) AS p
         GROUP BY p.\"user\", p.name, p.is_subsidy ORDER BY p.is_subsidy, p.name LIMIT 100",
        )
        .bind(account)
        .bind(from)
        .bind(until)
        .fetch_all(pool)
        .await
    })
}

/// What was taken out of the credit of an account again in `[from, until)`, by returns and corrections. It counts against nobody:
/// the office pays it out, and what reverses one is a sale at the counter. A sale that never reached its meter, and went back,
/// is not in [`paid`] either.
pub async fn returned(db: &Db, account: AccountId, from: Timestamp, until: Timestamp) -> Result<Fen> {
    let row: Option<(Fen,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM returns
         WHERE account_id = $1 AND source <> 'order' AND taken_at >= $2 AND taken_at < $3"
    )
    .bind(account)
    .bind(from)
    .bind(until)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map_or(Fen::ZERO, |(sum,)| sum))
}

/// When an account was opened.
pub async fn opened_at(db: &Db, account: AccountId) -> Result<Option<Timestamp>> {
    let row: Option<(Timestamp,)> = read!(db, |pool| sqlx::query_as("SELECT opened_at FROM accounts WHERE id = $1")
        .bind(account)
        .fetch_optional(pool)
        .await)?;
    Ok(row.map(|(at,)| at))
}

/// The links of an account that can still be used, which end when their maker leaves.
pub async fn links(db: &Db, account: AccountId, now: Timestamp) -> Result<Vec<RoommateLink>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT l.code_hash AS hash, u.name AS by_name, l.expires_at FROM roommate_links l JOIN users u ON u.id = l.created_by
         JOIN account_residents ar ON ar.account_id = l.account_id AND ar.user_id = l.created_by AND ar.to_at IS NULL
         WHERE l.account_id = $1 AND l.expires_at > $2 AND l.used_at IS NULL AND l.withdrawn_at IS NULL
         ORDER BY l.created_at LIMIT 20"
    )
    .bind(account)
    .bind(now)
    .fetch_all(pool)
    .await)
}

/// Stores a link into the resident's own account.
///
/// # Errors
/// Refused with [`AppError::RoommatesByOffice`], or [`AppError::TooManyKept`] for a full room or too many open links; as
/// [`accounts::lock_open`] for an account that is no longer open.
pub async fn invite(db: &Db, at: Timestamp, who: &Who, account: AccountId, link: NewLink) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::lock_open(&mut tx, account).await?;
    require_room_for_one(&mut tx, account).await?;
    let open: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT COUNT(*) FROM roommate_links l
         JOIN account_residents ar ON ar.account_id = l.account_id AND ar.user_id = l.created_by AND ar.to_at IS NULL
         WHERE l.account_id = $1 AND l.expires_at > $2 AND l.used_at IS NULL AND l.withdrawn_at IS NULL"
    )
    .bind(account)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    if open.is_some_and(|(open,)| usize::try_from(open).is_ok_and(|open| open >= ROOMMATE_LINKS_MAX)) {
        return Err(AppError::TooManyKept.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO roommate_links (code_hash, account_id, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)"
    )
    .bind(link.hash.as_slice())
    .bind(account)
    .bind(who.user)
    .bind(at)
    .bind(link.expires_at)
    .execute(c)
    .await)?;
    record(&mut tx, at, who, (AuditAction::AccountRoommateLink, &format!("account:{account}")), &json!({})).await?;
    tx.commit().await
}

/// Ends a link of the resident's own account.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for one that is not open.
pub async fn withdraw(db: &Db, at: Timestamp, who: &Who, account: AccountId, hash: &[u8]) -> Result<()> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE roommate_links SET withdrawn_at = $3
         WHERE code_hash = $1 AND account_id = $2 AND used_at IS NULL AND withdrawn_at IS NULL"
    )
    .bind(hash)
    .bind(account)
    .bind(at)
    .execute(c)
    .await)?;
    if ended == 0 {
        return Err(AppError::NotFound.into());
    }
    record(&mut tx, at, who, (AuditAction::AccountRoommateLinkEnd, &format!("account:{account}")), &json!({})).await?;
    tx.commit().await
}

/// Where a link leads that can be used now: whoever made it still lives there, and the site allows it.
pub async fn invitation(db: &Db, hash: &TokenHash, now: Timestamp) -> Result<Option<RoommateInvitation>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT u.name AS by_name, COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name AS place, l.expires_at
         FROM roommate_links l JOIN site_settings s ON s.one = 1 AND s.roommate_links
         JOIN users u ON u.id = l.created_by
         JOIN account_residents ar ON ar.account_id = l.account_id AND ar.user_id = l.created_by AND ar.to_at IS NULL
         JOIN accounts a ON a.id = l.account_id AND a.state IN ('opening', 'open')
         JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         WHERE l.code_hash = $1 AND l.expires_at > $2 AND l.used_at IS NULL AND l.withdrawn_at IS NULL"
    )
    .bind(hash.as_slice())
    .bind(now)
    .fetch_optional(pool)
    .await)
}

/// Lets somebody new join by a link.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`], [`AppError::LoginTaken`], or as [`invite`].
pub async fn join_as_new(db: &Db, rng: &Rng, at: Timestamp, hash: &TokenHash, new: &NewResident, ip: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let account = use_link(&mut tx, at, hash).await?;
    let user = accounts::join(&mut tx, rng, at, account, new).await?;
    // Nobody else knows the password.
    on!(&mut tx, |c| sqlx::query("UPDATE users SET password_due = FALSE WHERE id = $1").bind(user).execute(c).await)?;
    joined(&mut tx, at, hash, account, (user, ip), &new.login).await?;
    tx.commit().await
}

/// Lets a resident without a room join by a link.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`], [`AppError::HasAccount`], or as [`invite`].
pub async fn join(db: &Db, at: Timestamp, hash: &TokenHash, who: &Who) -> Result<()> {
    let mut tx = db.begin().await?;
    let account = use_link(&mut tx, at, hash).await?;
    accounts::join_known(&mut tx, at, account, who.user).await?;
    let login: Option<(String,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT login FROM users WHERE id = $1").bind(who.user).fetch_optional(c).await)?;
    let (login,) = login.ok_or(AppError::NotFound)?;
    joined(&mut tx, at, hash, account, (who.user, &who.ip), &login).await?;
    tx.commit().await
}

/// Locks the account of a link that can be used now.
async fn use_link(tx: &mut Tx, at: Timestamp, hash: &TokenHash) -> Result<AccountId> {
    let found: Option<(AccountId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT l.account_id FROM roommate_links l
         JOIN account_residents ar ON ar.account_id = l.account_id AND ar.user_id = l.created_by AND ar.to_at IS NULL
         WHERE l.code_hash = $1"
    )
    .bind(hash.as_slice())
    .fetch_optional(c)
    .await)?;
    let (account,) = found.ok_or(StoreError::Refused(AppError::LinkEnded))?;
    accounts::lock_open(tx, account).await?;
    require_room_for_one(tx, account).await?;
    // Under the lock of the account, so that a link that two use at once lets one of them in.
    let open: Option<(AccountId,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE roommate_links SET account_id = account_id
         WHERE code_hash = $1 AND expires_at > $2 AND used_at IS NULL AND withdrawn_at IS NULL RETURNING account_id"
    )
    .bind(hash.as_slice())
    .bind(at)
    .fetch_optional(c)
    .await)?;
    open.map(|(account,)| account).ok_or(StoreError::Refused(AppError::LinkEnded))
}

async fn joined(
    tx: &mut Tx,
    at: Timestamp,
    hash: &TokenHash,
    account: AccountId,
    (user, ip): (UserId, &str),
    login: &str,
) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE roommate_links SET used_at = $2, used_by = $3 WHERE code_hash = $1")
        .bind(hash.as_slice())
        .bind(at)
        .bind(user)
        .execute(c)
        .await)?;
    let (actor, subject) = (format!("user:{user}"), format!("account:{account}"));
    let (action, detail) = (AuditAction::AccountRoommate, json!({ "login": login }).to_string());
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail }).await
}

/// Refuses where the site forbids links, or where as many live as may.
async fn require_room_for_one(tx: &mut Tx, account: AccountId) -> Result<()> {
    let row: Option<(bool, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT s.roommate_links, (SELECT COUNT(*) FROM account_residents ar WHERE ar.account_id = $1 AND ar.to_at IS NULL)
         FROM site_settings s WHERE s.one = 1"
    )
    .bind(account)
    .fetch_optional(c)
    .await)?;
    match row {
        Some((true, residents)) if usize::try_from(residents).is_ok_and(|residents| residents < ROOMMATES_MAX) => Ok(()),
        Some((true, _)) => Err(AppError::TooManyKept.into()),
        _ => Err(AppError::RoommatesByOffice.into()),
    }
}

/// Ends the resident's own access to their account. What they paid stays with the account.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where it is not theirs.
pub async fn leave(db: &Db, at: Timestamp, who: &Who, account: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::leave(&mut tx, at, account, who.user).await?;
    record(&mut tx, at, who, (AuditAction::AccountLeave, &format!("account:{account}")), &json!({})).await?;
    tx.commit().await
}
