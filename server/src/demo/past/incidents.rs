//! What went wrong in the past: alarms that are over, cases that were mended, and some that somebody works on; beside them a
//! group of places and an invitation that nobody has answered yet.

use model::alarm::OwnAlarmRule;
use model::case::{CaseDetail, CaseKind, JournalCase, MoneyRecord, ParametersCase, RelayCase};
use model::console::SilenceOf;
use model::defaults::{DefaultKind, DefaultsOf};
use model::event::EventKind;
use model::friendly::{CalendarDay, DayKind, DayRange, FriendlyHours};
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::money::Fen;
use model::operator::RoleChoice;
use model::person::{Role, Who};
use model::time::{DAY, Date, HOUR, MINUTE, Timestamp};

use super::super::site::LIMITS;
use super::Span;
use super::room::PastRoom;
use super::staff::Staff;
use domain::rng::Rng;
use domain::wall_layout::Scope;
use estate::{defaults, friendly_hours, place_groups, places};
use store::console::{self, case_work};
use store::events::{self, Change, Subject, Turn};
use store::operators::{self, ChangedBy, NewLink, NewOperator};
use store::{Db, Result, cases, meters};

/// How long an invitation holds.
const INVITATION: i64 = 7 * DAY;
/// Days until examinations begin: they are still to come when the demo starts.
const EXAMINATIONS_IN: i64 = 130;
/// Emergency credit, once a month.
const EMERGENCY: Fen = Fen(1_000);

/// What somebody has to do with.
pub enum Incident {
    /// A case of the nth room with an account and such a wallet, which somebody takes up.
    Case(Wallet, usize, CaseDetail),
    /// The relay of the nth room did not follow at first.
    Relay(usize),
    Group,
    Invitation,
    /// A rule of alarms, and maintenance of the nth room.
    AlarmRules(usize),
}

/// What happens when.
pub fn plan(span: &Span) -> Vec<(Timestamp, Incident)> {
    let at = |days: i64, hours: i64| span.until.date().plus(-days).start().plus(hours * HOUR);
    let parameters = CaseDetail::Parameters(ParametersCase { since: at(4, 14), accepted: 6, sent: 5 });
    let journal = JournalCase { record: MoneyRecord::Credit, at: Some(at(1, 11)), amount: Fen(5_000), count: None };
    let password = RelayCase { command: "mode".into(), closed: Some(false), tries: Some(1), ..RelayCase::default() };
    vec![
        (at(58, 20), Incident::Relay(60)),
        (at(27, 20), Incident::Relay(230)),
        (at(20, 10), Incident::Group),
        (at(9, 20), Incident::Relay(400)),
        (at(7, 9), Incident::AlarmRules(88)),
        (at(6, 10), Incident::Case(Wallet::Server, 9, CaseDetail::Password(password))),
        (at(4, 15), Incident::Case(Wallet::Meter, 322, parameters)),
        (at(2, 9), Incident::Case(Wallet::Meter, 133, CaseDetail::Clock { off_s: Some(210), sets: 4 })),
        (at(1, 14).max(span.until.plus(-DAY)), Incident::Invitation),
        (at(1, 16), Incident::Case(Wallet::Meter, 468, CaseDetail::Journal(journal))),
    ]
}

/// Lets one happen at an instant.
pub async fn happen(db: &Db, rng: &Rng, (at, what): (Timestamp, &Incident), staff: &Staff, rooms: &[PastRoom<'_>]) -> Result<()> {
    match what {
        Incident::Case(wallet, nth, detail) => {
            let mut of_kind = rooms.iter().filter(|past| past.room.wallet == *wallet && past.account.is_some());
            let Some(past) = of_kind.nth(*nth) else { return Ok(()) };
            let mut tx = db.begin().await?;
            cases::open(&mut tx, rng, at, Some(past.meter), None, detail).await?;
            tx.commit().await?;
            work(db, rng, at, staff, (past.meter, detail.kind())).await
        }
        Incident::Relay(nth) => match rooms.iter().filter(|past| past.open().is_some()).nth(*nth) {
            Some(past) => mended(db, rng, at, past.meter).await,
            None => Ok(()),
        },
        Incident::Group => group(db, rng, at, &staff.manager).await,
        Incident::Invitation => invite(db, rng, at, &staff.supervisor).await,
        Incident::AlarmRules(nth) => match rooms.get(*nth) {
            Some(past) => alarm_rules(db, rng, at, staff, past.meter).await,
            None => Ok(()),
        },
    }
}

/// An own threshold for a full disk, and two hours of maintenance of a meter.
async fn alarm_rules(db: &Db, rng: &Rng, at: Timestamp, staff: &Staff, meter: MeterId) -> Result<()> {
    if let Some(site) = places::tree(db).await?.site() {
        let own = OwnAlarmRule { threshold: Some(15), ..OwnAlarmRule::default() };
        let of = (DefaultsOf::Place(site.id), EventKind::DiskLow);
        alarms::set_rule(db, rng, at, &staff.supervisor, of, &own).await?;
    }
    let until = at.plus(2 * HOUR);
    alarms::silence(db, rng, at, &staff.technician, SilenceOf::Meter(meter), (until, "更换电表接线端子")).await?;
    Ok(())
}

/// Alarms of meters and gateways that began and ended.
pub async fn alarms(db: &Db, rng: &Rng, span: &Span, rooms: &[PastRoom<'_>]) -> Result<()> {
    let mut changes = Vec::new();
    let mut add = |kind, subject, days: i64, minute: i64, minutes: i64, detail: &str| {
        let since = span.until.date().plus(-days).start().plus(minute * MINUTE);
        if since > span.from && since.plus(minutes * MINUTE) < span.until {
            changes.push(Change { kind, subject, at: since, turn: Turn::Raised(detail.into()) });
            changes.push(Change { kind, subject, at: since.plus(minutes * MINUTE), turn: Turn::Over });
        }
    };
    let gateways = meters::gateways(db).await?;
    for (nth, days, minute, minutes) in [(1, 47, 805, 37), (0, 31, 615, 12), (4, 12, 1_330, 64)] {
        if let Some(gateway) = gateways.get(nth) {
            add(EventKind::GatewayLost, Subject::Gateway(gateway.id), days, minute, minutes, "{}");
        }
    }
    let mut open = rooms.iter().filter(|past| past.open().is_some()).map(|past| Subject::Meter(past.meter)).skip(7).step_by(41);
    for (kind, days, minute, minutes, detail) in [
        (EventKind::Overload, 71, 1_270, 24, r#"{"power_w":2780,"current_ca":1262}"#),
        (EventKind::MeterLost, 66, 540, 311, "{}"),
        (EventKind::Overload, 52, 1_309, 9, r#"{"power_w":2615,"current_ca":1190}"#),
        (EventKind::CoverOpen, 40, 622, 15, "{}"),
        (EventKind::MeterLost, 33, 95, 702, "{}"),
        (EventKind::Overload, 19, 1_215, 31, r#"{"power_w":3120,"current_ca":1421}"#),
        (EventKind::ClockLost, 15, 480, 130, "{}"),
        (EventKind::Overload, 6, 1_248, 18, r#"{"power_w":2702,"current_ca":1230}"#),
        (EventKind::MeterLost, 3, 830, 95, "{}"),
    ] {
        if let Some(subject) = open.next() {
            add(kind, subject, days, minute, minutes, detail);
        }
    }
    let mut tx = db.begin().await?;
    for change in &changes {
        events::apply(&mut tx, rng, change).await?;
    }
    tx.commit().await
}

/// A relay that did not follow before the next morning.
async fn mended(db: &Db, rng: &Rng, at: Timestamp, meter: MeterId) -> Result<()> {
    let case = RelayCase { command: "mode".into(), closed: Some(false), status: Some(3), tries: Some(3), ..RelayCase::default() };
    let mut tx = db.begin().await?;
    cases::open(&mut tx, rng, at, Some(meter), None, &CaseDetail::Relay(case)).await?;
    tx.commit().await?;
    let mut tx = db.begin().await?;
    cases::mend_of_meter(&mut tx, at.plus(14 * HOUR), CaseKind::Relay, meter).await?;
    tx.commit().await
}

/// Somebody takes a case up and says what they found.
async fn work(db: &Db, rng: &Rng, at: Timestamp, staff: &Staff, (meter, kind): (MeterId, CaseKind)) -> Result<()> {
    let (by, owner, text) = match kind {
        CaseKind::Clock => (&staff.technician, &staff.technician, "已到现场，电池电压偏低，周五换表内电池"),
        CaseKind::Parameters => (&staff.supervisor, &staff.technician, "厂家上门调试时改过报警金额，等厂家提供记录"),
        CaseKind::Journal => (&staff.accountant, &staff.accountant, "住户说在旧售电窗口交过 50 元，正在找凭据"),
        _ => (&staff.technician, &staff.supervisor, "现场密码与档案不符，已请厂家重置"),
    };
    let open = console::cases_of(db, staff.supervisor.user, meter).await?;
    let Some(case) = open.iter().find(|line| line.detail.kind() == kind).map(|line| line.id) else { return Ok(()) };
    case_work::assign(db, rng, at.plus(5 * MINUTE), &staff.supervisor, &[case.into()], Some(owner.user)).await?;
    case_work::comment(db, rng, at.plus(20 * MINUTE), by, case, text).await
}

/// What meters are told, and floors whose power somebody chooses together.
async fn group(db: &Db, rng: &Rng, at: Timestamp, who: &Who) -> Result<()> {
    let tree = places::tree(db).await?;
    let ground = |(building, _): &(PlaceId, String)| tree.children(*building).map(|floor| floor.id).next();
    let floors: Vec<PlaceId> = places::buildings(db).await?.iter().filter_map(ground).collect();
    if let Some(site) = tree.site() {
        let limits = DefaultKind::ALL.into_iter().map(|kind| kind.of(&LIMITS)).collect();
        defaults::set(db, at, who, DefaultsOf::Place(site.id), &limits).await?;
        let first = at.date().plus(EXAMINATIONS_IN);
        let examinations = vec![DayRange { first, last: first.plus(4) }];
        let hours = FriendlyHours { holidays: true, examinations, emergency: EMERGENCY, ..FriendlyHours::default() };
        friendly_hours::set(db, at, who, DefaultsOf::Place(site.id), Some(&hours)).await?;
        let new_year = Date::from_ymd(at.date().ymd().0 + 1, 1, 1).unwrap_or(first);
        let days = [CalendarDay { day: new_year, kind: DayKind::DayOff, name: "元旦".into() }];
        friendly_hours::import(db, at, (who.user, &who.ip), &days).await?;
    }
    let group = place_groups::create(db, rng, at, who, "一层（夜间巡查）").await?;
    place_groups::change(db, at, who, group, &floors, &[]).await
}

async fn invite(db: &Db, rng: &Rng, at: Timestamp, who: &Who) -> Result<()> {
    let own = Scope::Buildings(places::buildings(db).await?.into_iter().map(|(id, _)| id).take(1).collect());
    let new = NewOperator { login: "hejing", name: "何静", role: RoleChoice::Ready(Role::Cashier), buildings: &own };
    let link = NewLink { hash: Rng::from_system().bytes(), expires_at: at.plus(INVITATION) };
    operators::invite(db, rng, at, ChangedBy::Person(who), &new, link).await.map(drop)
}
