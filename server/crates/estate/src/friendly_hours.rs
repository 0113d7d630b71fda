//! Friendly hours by place and group, and the public holidays that were imported.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::audit::AuditAction;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::friendly::{CalendarDay, CreditPeriod, DayKind, DayRange, FriendlyHours, MinuteOfDay, Night};
use model::ids::{PlaceGroupId, PlaceId, UserId};
use model::money::Fen;
use model::person::Who;
use model::time::{Date, Timestamp};
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use super::places::lock;
use domain::defaults::{FriendlyTree, GroupSettings};
use domain::friendly_hours::PublicDays;
use store::audit::{self, Entry};
use store::{Db, JsonText, Result, StoreError, Tx, on, read};

/// Days around now whose kind may decide about friendly hours that hold now or soon.
const DAYS_BEFORE: i64 = 2;
const DAYS_AFTER: i64 = 400;

#[derive(FromRow)]
struct HoursRow {
    place_id: Option<PlaceId>,
    group_id: Option<PlaceGroupId>,
    night_from: Option<i64>,
    night_until: Option<i64>,
    weekends: bool,
    holidays: bool,
    examinations: JsonText<Vec<DayRange>>,
    overdraft_fen: Fen,
    emergency_fen: Fen,
    period: CreditPeriod,
}

impl HoursRow {
    fn hours(self) -> Result<FriendlyHours> {
        let night = match (self.night_from, self.night_until) {
            (Some(from), Some(until)) => {
                let minutes = MinuteOfDay::new(from).zip(MinuteOfDay::new(until));
                let wrong = StoreError::Inconsistent { table: "friendly_hours", column: "night_from" };
                let (from, until) = minutes.ok_or(wrong)?;
                Some(Night { from, until })
            }
            _ => None,
        };
        let (weekends, holidays, JsonText(examinations)) = (self.weekends, self.holidays, self.examinations);
        let (overdraft, emergency, period) = (self.overdraft_fen, self.emergency_fen, self.period);
        Ok(FriendlyHours { night, weekends, holidays, examinations, overdraft, emergency, period })
    }
}

/// A place and those above it.
macro_rules! above {
    () => {
        "WITH RECURSIVE above (id, parent_id) AS (
             SELECT id, parent_id FROM places WHERE id = $1
             UNION SELECT p.id, p.parent_id FROM places p JOIN above a ON p.id = a.parent_id) "
    };
}

macro_rules! hours {
    ($which:literal) => {
        concat!(
            "SELECT f.place_id, f.group_id, f.night_from, f.night_until, f.weekends, f.holidays, f.examinations,
                    f.overdraft_fen, f.emergency_fen, f.period
             FROM friendly_hours f LEFT JOIN place_groups g ON g.id = f.group_id",
            $which,
            " ORDER BY g.name, f.id"
        )
    };
}

const HOURS: &str = hours!("");
const HOURS_OF: &str = concat!(
    above!(),
    hours!(
        " WHERE f.place_id IN (SELECT id FROM above)
             OR f.group_id IN (SELECT m.group_id FROM place_group_members m JOIN above a ON a.id = m.place_id)"
    )
);
const MEMBERS: &str = "SELECT m.group_id, m.place_id FROM place_group_members m JOIN friendly_hours f ON f.group_id = m.group_id";
const MEMBERS_OF: &str = concat!(
    above!(),
    "SELECT m.group_id, m.place_id FROM place_group_members m JOIN above a ON a.id = m.place_id
     JOIN friendly_hours f ON f.group_id = m.group_id"
);

/// The friendly hours that are set for places and groups, with the place tree.
pub async fn tree(db: &Db) -> Result<FriendlyTree> {
    let places = read!(db, |pool| sqlx::query_as("SELECT id, parent_id FROM places").fetch_all(pool).await)?;
    let hours = read!(db, |pool| sqlx::query_as(HOURS).fetch_all(pool).await)?;
    let members = read!(db, |pool| sqlx::query_as(MEMBERS).fetch_all(pool).await)?;
    assembled(places, hours, members)
}

/// As [`tree`], with only `place`, the places above it, and their groups.
pub async fn tree_of(db: &Db, place: PlaceId) -> Result<FriendlyTree> {
    let places =
        read!(db, |pool| sqlx::query_as(concat!(above!(), "SELECT id, parent_id FROM above")).bind(place).fetch_all(pool).await)?;
    let hours = read!(db, |pool| sqlx::query_as(HOURS_OF).bind(place).fetch_all(pool).await)?;
    let members = read!(db, |pool| sqlx::query_as(MEMBERS_OF).bind(place).fetch_all(pool).await)?;
    assembled(places, hours, members)
}

fn assembled(
    places: Vec<(PlaceId, Option<PlaceId>)>,
    rows: Vec<HoursRow>,
    members: Vec<(PlaceGroupId, PlaceId)>,
) -> Result<FriendlyTree> {
    let mut named: HashMap<PlaceGroupId, HashSet<PlaceId>> = HashMap::new();
    for (group, place) in members {
        named.entry(group).or_default().insert(place);
    }
    let mut tree = FriendlyTree {
        places: places.into_iter().map(|(id, parent)| (id, (parent, None))).collect(),
        groups: Vec::with_capacity(rows.len()),
    };
    for row in rows {
        match (row.place_id, row.group_id) {
            (Some(place), _) => {
                if let Some((_, own)) = tree.places.get_mut(&place) {
                    *own = Some(row.hours()?);
                }
            }
            (None, Some(id)) => {
                let places = named.remove(&id).unwrap_or_default();
                tree.groups.push(GroupSettings { id, own: Some(row.hours()?), places });
            }
            (None, None) => {}
        }
    }
    Ok(tree)
}

/// Sets the friendly hours of a place or group, or removes them, with the audit line in one transaction. The caller
/// has checked the permission.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for values that make no sense, and with [`AppError::NotFound`] where there is no such
/// place or group.
pub async fn set(db: &Db, at: Timestamp, who: &Who, of: DefaultsOf, hours: Option<&FriendlyHours>) -> Result<()> {
    let mut tx = db.begin().await?;
    lock(&mut tx).await?;
    set_within(&mut tx, at, who, of, hours).await?;
    tx.commit().await
}

/// The same in the caller's transaction.
///
/// # Errors
/// As [`set`].
pub(super) async fn set_within(
    tx: &mut Tx,
    at: Timestamp,
    who: &Who,
    of: DefaultsOf,
    hours: Option<&FriendlyHours>,
) -> Result<()> {
    let (place, group, id) = match of {
        DefaultsOf::Place(place) => (Some(place), None, place.0),
        DefaultsOf::Group(group) => (None, Some(group), group.0),
    };
    on!(tx, |c| sqlx::query("DELETE FROM friendly_hours WHERE id = $1").bind(id).execute(c).await)?;
    if let Some(hours) = hours {
        insert(tx, (id, place, group), hours).await?;
    }
    let subject = match of {
        DefaultsOf::Place(place) => format!("place:{place}"),
        DefaultsOf::Group(group) => format!("group:{group}"),
    };
    record(tx, at, (who.user, &who.ip), (AuditAction::SiteFriendlyHours, &subject), &described(hours)).await
}

/// What is set for places and groups, as the transaction has left it.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<(DefaultsOf, FriendlyHours)>> {
    let rows: Vec<HoursRow> = on!(tx, |c| sqlx::query_as(HOURS).fetch_all(c).await)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let of = row.place_id.map(DefaultsOf::Place).or(row.group_id.map(DefaultsOf::Group));
        if let Some(of) = of {
            found.push((of, row.hours()?));
        }
    }
    Ok(found)
}

async fn insert(
    tx: &mut Tx,
    (id, place, group): (Uuid, Option<PlaceId>, Option<PlaceGroupId>),
    hours: &FriendlyHours,
) -> Result<()> {
    if !hours.is_valid() {
        return Err(AppError::Invalid.into());
    }
    let stored = on!(tx, |c| sqlx::query(
        "INSERT INTO friendly_hours (id, place_id, group_id, night_from, night_until, weekends, holidays, examinations,
                                     overdraft_fen, emergency_fen, period)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
         WHERE EXISTS (SELECT 1 FROM places WHERE id = $2) OR EXISTS (SELECT 1 FROM place_groups WHERE id = $3)"
    )
    .bind(id)
    .bind(place)
    .bind(group)
    .bind(hours.night.map(|night| night.from.minute()))
    .bind(hours.night.map(|night| night.until.minute()))
    .bind(hours.weekends)
    .bind(hours.holidays)
    .bind(JsonText(&hours.examinations))
    .bind(hours.overdraft)
    .bind(hours.emergency)
    .bind(hours.period)
    .execute(c)
    .await)?;
    if stored == 0 { Err(AppError::NotFound.into()) } else { Ok(()) }
}

/// The values for the audit log; nothing where they were removed.
fn described(hours: Option<&FriendlyHours>) -> serde_json::Value {
    let Some(hours) = hours else { return json!({ "friendly": false }) };
    json!({
        "friendly": true,
        "night": hours.night.map(|night| format!("{}-{}", night.from, night.until)),
        "weekends": hours.weekends,
        "holidays": hours.holidays,
        "examinations": hours.examinations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        "overdraft_fen": hours.overdraft,
        "emergency_fen": hours.emergency,
    })
}

const DAYS: &str = "SELECT day, kind, name FROM calendar_days WHERE day >= $1 AND day <= $2 ORDER BY day";

/// The imported days from one to another, both included.
pub async fn days(db: &Db, first: Date, last: Date) -> Result<Vec<CalendarDay>> {
    let rows: Vec<(Date, DayKind, String)> = read!(db, |pool| sqlx::query_as(DAYS).bind(first).bind(last).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(|(day, kind, name)| CalendarDay { day, kind, name }).collect())
}

/// The imported public holidays and working days around `now` that may decide about friendly hours.
pub async fn days_around(db: &Db, now: Timestamp) -> Result<PublicDays> {
    let today = now.date();
    Ok(PublicDays::of(&days(db, today.plus(-DAYS_BEFORE), today.plus(DAYS_AFTER)).await?))
}

/// Stores the days of a file, which are in order, in the place of all days from its first to its last, with the audit line in one
/// transaction. A file of one year that begins in the last days of another leaves the rest of that. The same file again
/// changes nothing at all.
pub async fn import(db: &Db, at: Timestamp, (user, ip): (UserId, &str), days: &[CalendarDay]) -> Result<()> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Ok(()) };
    replace(db, at, (user, ip), (first.day, last.day), days).await
}

/// Removes the days of a year, with the audit line in one transaction.
///
/// # Errors
/// [`AppError::Invalid`] for a year that no calendar has.
pub async fn remove_year(db: &Db, at: Timestamp, by: (UserId, &str), year: i64) -> Result<()> {
    let ends = Date::from_ymd(year, 1, 1).zip(Date::from_ymd(year, 12, 31)).ok_or(AppError::Invalid)?;
    replace(db, at, by, ends, &[]).await
}

/// Stores days in the place of all from the first to the last. Nothing is written where these are there.
async fn replace(db: &Db, at: Timestamp, by: (UserId, &str), (first, last): (Date, Date), days: &[CalendarDay]) -> Result<()> {
    let years: BTreeSet<i64> = [first, last].into_iter().chain(days.iter().map(|one| one.day)).map(|day| day.ymd().0).collect();
    let mut tx = db.begin().await?;
    lock(&mut tx).await?;
    let before: Vec<(Date, DayKind, String)> = on!(&mut tx, |c| sqlx::query_as(DAYS).bind(first).bind(last).fetch_all(c).await)?;
    if before.iter().map(|(day, kind, name)| (*day, *kind, name)).eq(days.iter().map(|one| (one.day, one.kind, &one.name))) {
        return Ok(());
    }
    on!(&mut tx, |c| sqlx::query("DELETE FROM calendar_days WHERE day >= $1 AND day <= $2")
        .bind(first)
        .bind(last)
        .execute(c)
        .await)?;
    for one in days {
        on!(&mut tx, |c| sqlx::query("INSERT INTO calendar_days (day, kind, name) VALUES ($1, $2, $3)")
            .bind(one.day)
            .bind(one.kind)
            .bind(&one.name)
            .execute(c)
            .await)?;
    }
    let detail = json!({ "days": days.len(), "years": years.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") });
    record(&mut tx, at, by, (AuditAction::SiteCalendar, "site"), &detail).await?;
    tx.commit().await
}

async fn record(
    tx: &mut Tx,
    at: Timestamp,
    (user, ip): (UserId, &str),
    (action, subject): (AuditAction, &str),
    detail: &serde_json::Value,
) -> Result<()> {
    let (actor, detail) = (format!("user:{user}"), detail.to_string());
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject, detail: &detail }).await
}
