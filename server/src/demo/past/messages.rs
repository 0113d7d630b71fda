//! Messages of the past: every seventh resident has a phone number, and gets what the product asks for.

use model::language::Lang;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{Date, MINUTE};
use notify::queue;

use super::{PastRoom, Span};
use domain::rng::Rng;
use store::notifications::{self, NewCode};
use store::{Db, Result, users};

/// One resident in so many, and one message of so many that the provider refused.
const ENROLLED: usize = 7;
const REFUSED: usize = 60;
/// What a text message costs.
const PRICE: Money = Money(450);
const CHANNEL: NotificationChannel = NotificationChannel::Sms;

/// Residents confirm their numbers when the site is taken over.
pub async fn enrol(db: &Db, rng: &Rng, span: &Span, rooms: &[PastRoom<'_>]) -> Result<()> {
    for (n, past) in rooms.iter().enumerate().step_by(ENROLLED).filter(|(_, past)| past.account.is_some()) {
        let login = past.room.login();
        let Some(user) = users::by_login(db, &login).await? else { continue };
        let (role, permissions, ip) = (Role::Resident, Permissions::NONE, "10.20.3.1".to_owned());
        let who = Who { user: model::ids::UserId(user.id), role, permissions, name: login, ip };
        let (address, hash) = (format!("138{:08}", 10_000 + n), [7_u8; 32]);
        let new = NewCode { channel: CHANNEL, address: &address, code: "000000", hash: &hash, language: Lang::Zh };
        notifications::ask_code(db, rng, span.from, &who, &new).await?;
        notifications::confirm_code(db, span.from, &who, CHANNEL, &hash, Lang::Zh).await?;
    }
    Ok(())
}

/// Hands over what was due on a day, every half hour.
pub async fn deliver(db: &Db, span: &Span, day: Date) -> Result<()> {
    let ends = (1..=48).map(|half_hours| day.start().plus(half_hours * 30 * MINUTE - 1));
    for at in ends.filter(|at| *at < span.until) {
        for (n, due) in queue::claim(db, at, CHANNEL, 1_000).await?.iter().enumerate() {
            let seed = usize::try_from(due.asked_at.0 / 1_000).unwrap_or_default() + n;
            let outcome = if seed.is_multiple_of(REFUSED) { Err(NotificationReason::Refused) } else { Ok(PRICE) };
            queue::finish(db, at, due, outcome).await?;
        }
    }
    Ok(())
}
