//! Abnormal use: rooms whose use of a day is far from their own weeks before, or from the rooms around them. The rules are in
//! `domain::abnormal_use`.

mod judged;
mod patterns;
mod read;
mod rooms;

use std::collections::HashSet;

use domain::abnormal_use::Abnormal;
use model::abnormal_use::AbnormalKind;
use model::ids::{MeterId, PlaceId, UserId};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{Date, Timestamp};

use crate::{Extent, Subject, count};
pub use judged::{JudgedDay, judged_days};
use read::{ReadTimes, read_times};
pub use rooms::compared_extent;
use rooms::{ComparedRooms, Finding, RoomDays};
use store::{Db, Result};

/// Rows that one report lists.
const MOST: usize = 1_000;

pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let span = (query.from, query.until.min(at.date().plus(-1)));
    let Judgement { rooms, mut findings, room_days, .. } = judge(db, Some(operator), &subject.extent, span).await?;
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.abnormal.severity), finding.day));
    let mut notes = vec![Note::AbnormalRules, Note::PlacesAsNow];
    if room_days.left_out > 0 {
        notes.push(Note::DaysUnknown(room_days.left_out));
    }
    let mut sections = Vec::new();
    // Where nothing could be judged there is no list, because an empty one says that everything is usual.
    if room_days.judged <= 0 || !findings.is_empty() {
        sections.push(by_kind(&findings));
    }
    if findings.len() > MOST {
        notes.push(Note::RowsLeftOut { shown: count(MOST), total: count(findings.len()) });
        findings.truncate(MOST);
    }
    if room_days.judged > 0 {
        sections.push(list(&rooms, &findings));
    }
    Ok((sections, notes))
}

/// The days of rooms as the rules judge them.
struct Judgement {
    rooms: ComparedRooms,
    findings: Vec<Finding>,
    room_days: RoomDays,
    /// Where nothing is left of what was found: these days are not judged.
    unmeasured: HashSet<(PlaceId, Date)>,
}

/// Judges what an operator may see; everything where it is nobody.
async fn judge(db: &Db, operator: Option<UserId>, extent: &Extent, span: (Date, Date)) -> Result<Judgement> {
    let rooms = ComparedRooms::read(db, operator, extent, span).await?;
    let (mut findings, mut room_days) = rooms.findings(span);
    let meters: HashSet<MeterId> = findings.iter().flat_map(|finding| rooms.meters(finding)).collect();
    let times = read_times(db, &meters.into_iter().collect::<Vec<_>>(), span).await?;
    let unmeasured = keep_measured(&rooms, &times, &mut findings);
    room_days.judged -= count(unmeasured.len());
    room_days.left_out += count(unmeasured.len());
    Ok(Judgement { rooms, findings, room_days, unmeasured })
}

/// Drops what readings of another day only make look so: energy between two readings is spread evenly over the time between.
/// Gives the days of rooms of which nothing is left.
fn keep_measured(rooms: &ComparedRooms, times: &ReadTimes, findings: &mut Vec<Finding>) -> HashSet<(PlaceId, Date)> {
    let room_days = |findings: &[Finding]| findings.iter().map(|one| (one.room, one.day)).collect::<HashSet<_>>();
    let before = room_days(findings);
    findings.retain(|finding| {
        let is_night = finding.abnormal.kind == AbnormalKind::Night;
        let is_measured =
            |meter: MeterId| times.is_measured(meter, finding.day) && (!is_night || times.has_night(meter, finding.day));
        rooms.meters(finding).all(is_measured)
    });
    &before - &room_days(findings)
}

/// The list, the most severe first.
fn list(rooms: &ComparedRooms, findings: &[Finding]) -> Section {
    let row = |finding: &Finding| {
        let Abnormal { kind, value, expected, severity } = finding.abnormal;
        vec![
            rooms.name(finding),
            Cell::Day(finding.day),
            Cell::Word(Heading::Abnormal(kind)),
            Cell::Energy(value),
            Cell::Energy(expected),
            Cell::share(value.0, expected.0),
            Cell::Count(severity / 10),
        ]
    };
    let columns = vec![
        Column::text(Heading::Room),
        Column::time(Heading::Day),
        Column::text(Heading::Kind),
        Column::plain(Heading::Energy, ColumnKind::Energy),
        Column::plain(Heading::Expected, ColumnKind::Energy),
        Column::share(Heading::OfExpected),
        Column::plain(Heading::Severity, ColumnKind::Count),
    ];
    Section { title: Heading::AbnormalUse, columns, rows: findings.iter().map(row).collect(), chart: Some(Chart::Bars(6)) }
}

/// How often each kind was found, and in how many rooms.
fn by_kind(findings: &[Finding]) -> Section {
    let row = |kind: AbnormalKind| {
        let of_kind = findings.iter().filter(|finding| finding.abnormal.kind == kind);
        let rooms: HashSet<PlaceId> = of_kind.clone().map(|finding| finding.room).collect();
        vec![Cell::Word(Heading::Abnormal(kind)), Cell::Count(count(of_kind.count())), Cell::Count(count(rooms.len()))]
    };
    let columns = vec![
        Column::text(Heading::Kind),
        Column::summed(Heading::Times, ColumnKind::Count),
        Column::plain(Heading::Rooms, ColumnKind::Count),
    ];
    let rows = if findings.is_empty() { Vec::new() } else { AbnormalKind::ALL.into_iter().map(row).collect() };
    Section { title: Heading::ByKind, columns, rows, chart: Some(Chart::Bars(1)) }
}
