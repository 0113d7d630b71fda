//! Messages of the past: every seventh resident has a phone number, and gets what the product asks for.

use domain::site_plan::PlaceContact;
use estate::{contacts, places};
use model::defaults::DefaultsOf;
use model::language::Lang;
use model::money::Money;
use model::notification::{
    AlertDelivery, Contact, MessageText, NotificationChannel, NotificationKind, NotificationReason, OperatorAlerts,
};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{Date, MINUTE};
use notify::queue::{self, Due};
use notify::texts;

use super::{PastRoom, Span};
use domain::rng::Rng;
use store::notifications::{self, NewCode};
use store::{Db, Result, users};

/// One resident in so many, and one message of so many that the provider refused.
const ENROLLED: usize = 7;
const REFUSED: usize = 60;
/// What a text message costs.
const PRICE: Money = Money(450);
/// The number of the first of them.
pub const FIRST_NUMBER: &str = "13800010000";
const CHANNEL: NotificationChannel = NotificationChannel::Sms;

/// Residents confirm their numbers when the site is taken over.
pub async fn enrol(db: &Db, rng: &Rng, span: &Span, rooms: &[PastRoom<'_>]) -> Result<()> {
    for (n, past) in rooms.iter().enumerate().step_by(ENROLLED).filter(|(_, past)| past.account.is_some()) {
        let login = past.room.login();
        let Some(user) = users::by_login(db, &login).await? else { continue };
        let (role, permissions, ip) = (Role::Resident, Permissions::NONE, "10.20.3.1".to_owned());
        let who = Who { user: model::ids::UserId(user.id), role, permissions, name: login, ip };
        let (address, hash) = (format!("138{:08}", 10_000 + n), [7_u8; 32]);
        let (channel, code, language) = (CHANNEL, "000000", Lang::Zh);
        let new = NewCode { channel, address: &address, code, hash: &hash, password_hash: None, language };
        notifications::ask_code(db, rng, span.from, &who, &new).await?;
        notifications::confirm_code(db, span.from, &who, CHANNEL, &hash, Lang::Zh).await?;
    }
    Ok(())
}

/// The site has a text of its own, a number to call and a signature, and its supervisor chose what to hear.
pub async fn write(db: &Db, span: &Span, supervisor: &Who) -> Result<()> {
    let kind = NotificationKind::Alarm2;
    if let Ok(text) =
        MessageText::parse(kind, "{room} 电费仅剩 {balance} 元，请尽快充值，以免夜间断电。如有疑问请致电 {contact}。")
    {
        texts::set(db, span.from, supervisor, (kind, Lang::Zh, 0), Some(&text)).await?;
    }
    let contact = PlaceContact { phone: "010-62770000".parse().ok(), signature: Contact::signature("清河校区后勤") };
    for site in places::sites(db).await? {
        contacts::set(db, span.from, supervisor, DefaultsOf::Place(site), &contact).await?;
    }
    let alerts = OperatorAlerts { delivery_stuck: AlertDelivery::AtOnce, ..OperatorAlerts::default() };
    notifications::set_operator_alerts(db, span.from, supervisor, &alerts, Lang::Zh).await
}

/// Hands over what was due on a day, every half hour.
pub async fn deliver(db: &Db, span: &Span, day: Date) -> Result<()> {
    let ends = (1..=48).map(|half_hours| day.start().plus(half_hours * 30 * MINUTE - 1));
    for at in ends.filter(|at| *at < span.until) {
        let due = queue::claim(db, at, CHANNEL, 1_000).await?;
        if due.is_empty() {
            continue;
        }
        let outcome = |n: usize, due: &Due| {
            let seed = usize::try_from(due.asked_at.0 / 1_000).unwrap_or_default() + n;
            if seed.is_multiple_of(REFUSED) { Err(NotificationReason::Refused) } else { Ok(PRICE) }
        };
        let results: Vec<_> = due.iter().enumerate().map(|(n, due)| (due, outcome(n, due))).collect();
        queue::finish(db, at, &results).await?;
    }
    Ok(())
}
