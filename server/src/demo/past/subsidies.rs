//! The monthly subsidy of one building, decided by two persons, and its grants.

use model::approval::{Decision, Outcome};
use model::ids::PlaceId;
use model::money::Fen;
use model::subsidy::{Month, Per};
use model::time::{Date, HOUR, MINUTE, Timestamp};

use super::Span;
use super::delivery::deliver;
use super::moves::{Move, MoveKind, SUBSIDY_FEN};
use super::room::PastRoom;
use super::staff::Staff;
use domain::order::Limits;
use domain::returns::Rules;
use domain::rng::Rng;
use domain::subsidy::{Rule, rule_for};
use store::approvals::{self, NewRequest};
use store::{Db, Result, subsidies};

/// When the rooms get it on the first of a month.
pub const fn granted_at(day: Date) -> Timestamp {
    day.start().plus(20 * MINUTE)
}

/// Whether they got it on a day. That of the last hour, after which no meter was read, is left to the server.
pub fn is_granted(span: &Span, day: Date) -> bool {
    day > span.from.date() && day.ymd().2 == 1 && granted_at(day).plus(HOUR) < span.until
}

/// The manager asks for the subsidy of a building from the next month on, and the supervisor approves.
pub async fn decide(db: &Db, rng: &Rng, span: &Span, staff: &Staff, place: PlaceId) -> Result<()> {
    let (asked, approved) = (span.from.plus(9 * HOUR), span.from.plus(11 * HOUR));
    let decision = Decision::Subsidy { place, from: Month(Month::of(span.from).0 + 1), per: Per::Room, amount: Fen(SUBSIDY_FEN) };
    let new = NewRequest { decision, reason: "学生宿舍每月补贴".into(), who: staff.manager.clone() };
    if approvals::ask(db, rng, asked, &Rules::default(), &new, None).await? == Outcome::Waits {
        for request in queries::approval_requests(db, staff.supervisor.user, approved).await? {
            approvals::approve(db, rng, approved, &staff.supervisor, request.id, None).await?;
        }
    }
    Ok(())
}

/// Grants the subsidy of the month that begins on a day, and delivers it.
pub async fn grant(db: &Db, rng: &Rng, day: Date, rooms: &[PastRoom<'_>]) -> Result<()> {
    let (at, month) = (granted_at(day), Month::of(day.start()));
    let decided = subsidies::rules(db).await?;
    let rules: Vec<Rule> = decided.iter().map(|decided| decided.rule).collect();
    for room in subsidies::due_rooms(db, month).await? {
        let Some(rule) = rule_for(&rules, &room.upwards(), month) else { continue };
        let Some(decided) = decided.iter().find(|decided| decided.rule == *rule) else { continue };
        subsidies::grant(db, rng, at, &Limits::default(), month, &room, decided).await?;
    }
    let is_granted = |step: &Move| step.at == at && step.kind == MoveKind::Subsidy;
    for past in rooms.iter().filter(|past| past.moves.iter().any(is_granted)) {
        deliver(db, rng, at, past).await?;
    }
    Ok(())
}
