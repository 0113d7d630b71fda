//! The first start: the first administrator and the site's name, on a database without people.

use model::audit::AuditAction;
use model::defaults::{DefaultValues, DefaultsOf};
use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::person::Role;
use model::place::PlaceKind;
use model::time::Timestamp;

use super::defaults;
use super::places::{self, NewPlace};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use store::audit::{self, Entry};
use store::sessions::{self, NewSession};
use store::users::{self, NewUser};
use store::{Db, Result, on, read};

/// What the set-up page asks for.
pub struct NewSite<'a> {
    /// The administrator's.
    pub login: &'a str,
    pub name: &'a str,
    /// A PHC string.
    pub password_hash: &'a str,
    /// The site's name.
    pub site: &'a str,
    /// What its meters should have, as far as it is known.
    pub defaults: &'a DefaultValues,
    /// From where it was asked.
    pub ip: &'a str,
}

/// Whether nobody has ever been added, so that somebody may set the site up.
pub async fn is_open(db: &Db) -> Result<bool> {
    let found: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT one FROM site_settings WHERE one = 1 AND set_up_at IS NULL AND NOT EXISTS (SELECT 1 FROM users)"
    )
    .fetch_optional(pool)
    .await)?;
    Ok(found.is_some())
}

/// Adds the administrator, names the site with its default parameters, and opens the administrator's session, in one transaction.
/// `session` makes the session of the new person.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where somebody was added before, and with [`AppError::AlarmOrder`] for an alarm 2 that
/// comes before alarm 1.
pub async fn set_up(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    new: &NewSite<'_>,
    session: impl FnOnce(UserId) -> NewSession + Send,
) -> Result<UserId> {
    let mut tx = db.begin().await?;
    // The row is locked by its update: of two at once the second finds it taken.
    let taken = on!(&mut tx, |c| sqlx::query(
        "UPDATE site_settings SET set_up_at = $1 WHERE one = 1 AND set_up_at IS NULL AND NOT EXISTS (SELECT 1 FROM users)"
    )
    .bind(at)
    .execute(c)
    .await)?;
    if taken == 0 {
        return Err(AppError::NotFound.into());
    }
    let user =
        NewUser { role: Role::Admin, login: new.login, name: new.name, password_hash: new.password_hash, buildings: &Scope::All };
    let id = users::create_within(&mut tx, rng, at, &user, "set-up page").await?;
    // They chose the password themselves, and are logged in.
    on!(&mut tx, |c| sqlx::query("UPDATE users SET password_due = FALSE WHERE id = $1").bind(id).execute(c).await)?;
    sessions::logged_in(&mut tx, at, id).await?;
    let root: Option<(PlaceId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM places WHERE kind = 'site'").fetch_optional(c).await)?;
    let root = match root {
        Some((root,)) => {
            on!(&mut tx, |c| sqlx::query("UPDATE places SET name = $2 WHERE id = $1")
                .bind(root)
                .bind(new.site)
                .execute(c)
                .await)?;
            root
        }
        None => {
            let place = NewPlace { id: PlaceId(rng.id(at)), parent: None, kind: PlaceKind::Site, name: new.site, sort: 1 };
            places::add(&mut tx, &place).await?;
            place.id
        }
    };
    let session = session(id);
    let detail = serde_json::json!({ "site": new.site, "method": session.log_in.method }).to_string();
    let actor = format!("user:{id}");
    let entry = Entry { actor: &actor, ip: new.ip, action: AuditAction::SiteSetUp, subject: "site", detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    if !new.defaults.is_empty() {
        defaults::set_within(&mut tx, at, (id, new.ip), DefaultsOf::Place(root), new.defaults).await?;
    }
    sessions::insert(&mut tx, at, &session).await?;
    tx.commit().await?;
    Ok(id)
}
