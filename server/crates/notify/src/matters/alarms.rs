//! Alarms that operators are told of.

use model::alarm::AlarmLevel;
use model::console::RoomName;
use model::event::EventKind;
use model::ids::EventId;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues};
use model::time::Timestamp;
use sqlx::FromRow;
use store::console::{Name, above, names};
use store::notifications::About;
use store::{Db, Result, read, silenced, within_silence};

use super::{COOL_DOWN, MOST, Matter, Operator, OperatorMatter};

#[derive(FromRow)]
struct AlarmRow {
    id: EventId,
    kind: EventKind,
    level: Option<AlarmLevel>,
    since: Timestamp,
    part: Option<String>,
    #[sqlx(flatten)]
    name: Name,
}

macro_rules! alarm_columns {
    () => {
        concat!(" e.id, e.kind, e.level, e.since, COALESCE(g.name, i.name, e.subject) AS part,", names!())
    };
}

/// That a channel is down is not told through that channel. The words are those of `model::alarm::AlarmChannel`.
macro_rules! is_of_other_channel {
    ($channel:literal) => {
        concat!(" e.subject IS DISTINCT FROM 'message-' || ", $channel, " ")
    };
}

/// Alarms among the matters of [`super::open_matters`].
pub(super) async fn open(db: &Db, channel: NotificationChannel, since: Timestamp, now: Timestamp) -> Result<Vec<Matter>> {
    let rows: Vec<AlarmRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        alarm_columns!(),
        "FROM",
        of_alarm!(),
        "WHERE",
        is_alarm!(),
        "AND",
        is_due!("n.channel = $2", "$4", "$5"),
        "AND",
        is_of_other_channel!("$2"),
        "ORDER BY e.since, e.id LIMIT $3"
    ))
    .bind(since)
    .bind(channel)
    .bind(MOST)
    .bind(now)
    .bind(now.plus(-COOL_DOWN))
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(matter).collect())
}

/// Those among the matters of [`super::urgent_matters`].
pub(super) async fn urgent(db: &Db, since: Timestamp, now: Timestamp) -> Result<Vec<(Operator, Matter)>> {
    let rows: Vec<OperatorMatter<AlarmRow>> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        operator_columns!(),
        ",",
        alarm_columns!(),
        "FROM",
        of_alarm!(),
        operators!(),
        "WHERE",
        is_alarm!(),
        "AND",
        is_due!("n.channel = d.channel AND n.user_id = d.user_id", "$3", "$4"),
        "AND",
        is_of_other_channel!("d.channel"),
        "AND p.alarm = 'at-once' AND (",
        sees_room!(),
        "OR",
        sees_gateway!(),
        ") ORDER BY e.since, e.id, d.user_id, d.channel LIMIT $2"
    ))
    .bind(since)
    .bind(MOST)
    .bind(now)
    .bind(now.plus(-COOL_DOWN))
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|row| (row.operator, matter(row.of))).collect())
}

fn matter(row: AlarmRow) -> Matter {
    let values = NotificationValues {
        room: row.part.unwrap_or_else(|| RoomName::from(row.name).to_string()),
        subject: row.kind.as_str().to_owned(),
        since: Some(row.since),
        ..NotificationValues::default()
    };
    let about = About { event: Some(row.id), level: row.level, ..About::default() };
    Matter { kind: NotificationKind::Alarm, about, values }
}
