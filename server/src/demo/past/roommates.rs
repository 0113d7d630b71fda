//! Roommates of the past: in some rooms two people live, the second of whom joined by a link of the first.

use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::DAY;

use super::{PastRoom, Span};
use domain::rng::Rng;
use people::roommates;
use store::accounts::NewResident;
use store::operators::NewLink;
use store::{Db, Result, users};

/// One room in so many is shared.
const SHARED: usize = 97;

/// They join when the site is taken over; `hash` is of everybody's password.
pub async fn join(db: &Db, rng: &Rng, span: &Span, hash: &str, rooms: &[PastRoom<'_>]) -> Result<()> {
    for past in rooms.iter().step_by(SHARED) {
        let login = past.room.login();
        let (Some(account), Some(user)) = (past.account, users::by_login(db, &login).await?) else { continue };
        let (role, permissions, ip) = (Role::Resident, Permissions::NONE, "10.20.3.1".to_owned());
        let who = Who { user: model::ids::UserId(user.id), role, permissions, name: user.name, ip };
        let link = NewLink { hash: rng.bytes::<32>(), expires_at: span.from.plus(DAY) };
        roommates::invite(db, span.from, &who, account, link).await?;
        let new = NewResident { name: "李同学".to_owned(), login: format!("{login}b"), password_hash: hash.to_owned() };
        roommates::join_as_new(db, rng, span.from, &link.hash, &new, &who.ip).await?;
    }
    Ok(())
}
