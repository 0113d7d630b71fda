//! The residents of a room among themselves.

use app::api::roommates::{DAYS_MAX, MonthSplit, OpenLink, Roommates, RoommatesPort, SHARES_MAX, SplitPerson, SplitRequest};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::UserId;
use model::money::Fen;
use model::person::Who;
use model::personal::{PaidBy, ROOMMATE_PREFIX, ROOMMATES_MAX, Roommate, RoommateLink};
use model::site_option::SiteOption;
use model::time::{DAY, Date};

use super::Context;
use super::auth::{hash, new_token};
use ::residents::rooms::{self, Room};
use domain::cost_split::{Part, days_present, split};
use estate::site_options;
use people::{month_cost, roommates};
use store::operators::NewLink;

/// How long a link can be used.
const LINK_DAYS: i64 = 3;

pub struct RoommatesService {
    context: Context,
}

impl RoommatesService {
    #[must_use]
    pub const fn new(context: Context) -> Self {
        Self { context }
    }

    async fn room(&self, who: &Who) -> Result<Room, AppError> {
        rooms::of_resident(&self.context.db, who.user).await?.ok_or(AppError::AccountNotOpen)
    }
}

/// The first and the last day of a month, which goes to today in the month that runs.
fn month_of(day: Date, today: Date) -> (Date, Date) {
    let (year, month, _) = day.ymd();
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let first = Date::from_ymd(year, month, 1).unwrap_or(day);
    let next = Date::from_ymd(next_year, next_month, 1).unwrap_or(day);
    (first, next.plus(-1).min(today))
}

/// Who lived there in that time, each once with the days that they were there.
fn present(lived: &[Roommate], first: Date, last: Date) -> Vec<(UserId, String, u32)> {
    let mut people: Vec<(UserId, String, u32)> = Vec::new();
    for one in lived {
        let days = days_present(first, last, one.from_at, one.to_at);
        match people.iter_mut().find(|(user, ..)| *user == one.user) {
            Some((.., before)) => *before = (*before + days).min(DAYS_MAX),
            None => people.push((one.user, one.name.clone(), days)),
        }
    }
    people.retain(|(.., days)| *days > 0);
    people
}

fn open_link(link: RoommateLink) -> OpenLink {
    OpenLink { id: hex::encode(link.hash), by_name: link.by_name, expires_at: link.expires_at }
}

fn sum(paid: &[PaidBy], counts: impl Fn(&PaidBy) -> bool) -> Fen {
    paid.iter().filter(|one| counts(one)).map(|one| one.sum).sum()
}

#[async_trait]
impl RoommatesPort for RoommatesService {
    async fn roommates(&self, who: &Who) -> Result<Roommates, AppError> {
        let (room, db, now) = (self.room(who).await?, &self.context.db, self.context.now());
        let mut residents = roommates::of_account(db, room.account_id, now).await?;
        residents.retain(|one| one.to_at.is_none());
        Ok(Roommates {
            is_full: residents.len() >= ROOMMATES_MAX,
            residents,
            links: roommates::links(db, room.account_id, now).await?.into_iter().map(open_link).collect(),
            is_allowed: site_options::is_on(db, SiteOption::RoommateLinks).await?,
        })
    }

    async fn invite(&self, who: &Who) -> Result<String, AppError> {
        let (room, now) = (self.room(who).await?, self.context.now());
        let code = format!("{ROOMMATE_PREFIX}{}", new_token(&self.context.rng));
        let link = NewLink { hash: hash(&code), expires_at: now.plus(LINK_DAYS * DAY) };
        roommates::invite(&self.context.db, now, who, room.account_id, link).await?;
        Ok(code)
    }

    async fn withdraw(&self, who: &Who, link: &str) -> Result<(), AppError> {
        let (room, link) = (self.room(who).await?, hex::decode(link).map_err(|_| AppError::NotFound)?);
        Ok(roommates::withdraw(&self.context.db, self.context.now(), who, room.account_id, &link).await?)
    }

    async fn join(&self, who: &Who, code: &str) -> Result<(), AppError> {
        Ok(roommates::join(&self.context.db, self.context.now(), &hash(code), who).await?)
    }

    async fn leave(&self, who: &Who) -> Result<(), AppError> {
        let room = self.room(who).await?;
        Ok(roommates::leave(&self.context.db, self.context.now(), who, room.account_id).await?)
    }

    async fn split(&self, who: &Who, request: &SplitRequest) -> Result<MonthSplit, AppError> {
        let (room, db, today) = (self.room(who).await?, &self.context.db, self.context.now().date());
        // Nothing from before they moved in, not even of that month.
        let moved_in = room.from_at.date();
        // The first of a month has no cost yet: what is split then is the month before.
        let usual = today.plus(-1);
        let (first, last) = month_of(request.month.unwrap_or(usual).min(today).max(moved_in), today);
        let (first, since) = (first.max(moved_in), first.start().max(room.from_at));
        let lived = roommates::of_account(db, room.account_id, since).await?;
        let paid = roommates::paid(db, room.account_id, since, last.plus(1).start()).await?;
        let returned = roommates::returned(db, room.account_id, since, last.plus(1).start()).await?;
        let known_cost = month_cost::of_account(db, room.account_id, first, last).await?;
        let cost = request.cost.or(known_cost).unwrap_or(Fen::ZERO);
        let chosen = |user: UserId, days: u32| match request.parts.iter().find(|(one, ..)| *one == user) {
            Some((_, shares, days)) => Part { shares: (*shares).min(SHARES_MAX), days: (*days).min(DAYS_MAX) },
            None => Part { shares: 1, days },
        };
        let people = present(&lived, first, last);
        let parts: Vec<Part> = people.iter().map(|(user, _, days)| chosen(*user, *days)).collect();
        let portions = split(cost, &parts);
        let portions: Vec<Option<Fen>> =
            portions.map_or_else(|| vec![None; parts.len()], |all| all.into_iter().map(Some).collect());
        let person = |(((user, name, _), part), portion): (((UserId, String, u32), Part), Option<Fen>)| SplitPerson {
            paid: sum(&paid, |one| one.user == Some(user) && !one.is_subsidy),
            user,
            name,
            shares: part.shares,
            days: part.days,
            portion,
        };
        Ok(MonthSplit {
            first,
            last,
            known_cost,
            cost,
            by_office: sum(&paid, |one| one.user.is_none() && !one.is_subsidy),
            subsidy: sum(&paid, |one| one.is_subsidy),
            returned,
            since: moved_in,
            people: people.into_iter().zip(parts).zip(portions).map(person).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    #[test]
    fn a_month_ends_today_while_it_runs() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(month_of(day("2026-02-11"), day("2026-11-30")), (day("2026-02-01"), day("2026-02-28")));
        assert_eq!(month_of(day("2026-12-11"), day("2026-12-11")), (day("2026-12-01"), day("2026-12-11")));
    }

    #[test]
    fn a_roommate_who_came_back_is_listed_once() {
        let user = UserId(Uuid::nil());
        let one = |from: i64, to: Option<i64>| Roommate {
            user,
            name: "a".into(),
            from_at: Date(from).start(),
            to_at: to.map(|to| Date(to).start()),
        };
        let people = present(&[one(1, Some(3)), one(10, None)], Date(0), Date(11));
        assert_eq!(people, [(user, "a".to_owned(), 5)]);
        assert!(present(&[one(20, None)], Date(0), Date(11)).is_empty());
    }
}
