//! What the residents' site shows besides money: rooms that are switched by themselves, reminders to top up, that others may pay,
//! and a query machine that waits for its browser.

use ::residents::kiosks::{self, NewKiosk};
use ::residents::reminders;
use ::residents::schedules::{self, NewSchedule};
use domain::rng::Rng;
use domain::switch_schedule::next;
use estate::site_options;
use model::money::Fen;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::site_option::SiteOption;
use model::switch_schedule::{MinuteOfDay, SwitchTimes, Weekdays};
use model::time::DAY;

use super::{PastRoom, Span};
use store::{Db, Result, users};

/// One resident in so many has a schedule, from this one on.
const SCHEDULED: usize = 97;
const FIRST: usize = 50;
/// They are reminded to top up below this.
const REMINDED: Fen = Fen(2_000);

pub async fn set(db: &Db, rng: &Rng, span: &Span, by: &Who, rooms: &[PastRoom<'_>]) -> Result<()> {
    let (off, on) = (MinuteOfDay::new(23 * 60 + 30), MinuteOfDay::new(6 * 60));
    let week = Weekdays::of(0..5).zip(off.zip(on));
    let times = week.and_then(|(weekdays, (off, on))| SwitchTimes::new(weekdays, off, on));
    let next = times.and_then(|times| next(&times, span.until));
    for past in rooms.iter().skip(FIRST).step_by(SCHEDULED).filter(|past| past.open().is_some()) {
        let (Some(account), Some(times), Some(next)) = (past.account, times, next) else { continue };
        let login = past.room.login();
        let Some(user) = users::by_login(db, &login).await? else { continue };
        let (role, permissions, ip) = (Role::Resident, Permissions::NONE, "10.20.3.1".to_owned());
        let who = Who { user: model::ids::UserId(user.id), role, permissions, name: login, ip };
        let new = NewSchedule { id: rng.id(span.until), account, meter: past.meter, times, next };
        schedules::add(db, span.until, &who, &new).await?;
        reminders::choose(db, span.until, &who, Some(REMINDED)).await?;
    }
    site_options::set(db, span.until, by, SiteOption::PayForOthers, true).await?;
    let new = NewKiosk { id: rng.id(span.until), name: "1号楼大厅", link: rng.bytes(), expires: span.until.plus(DAY) };
    kiosks::add(db, span.until, by, &new).await
}
