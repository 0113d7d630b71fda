//! Friendly hours by place and group, and the public holidays.

use app::api::friendly_hours::{FriendlyHoursPort, FriendlyView, ImportedDays};
use async_trait::async_trait;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::friendly::{EmergencyCredit, FriendlyHours, HolidayFault, HolidayProblem, PreviewDay};
use model::ids::MeterId;
use model::person::Who;
use model::place::PlaceKind;
use model::time::Date;

use super::ConsoleService;
use crate::friendly;
use domain::friendly_hours::{Calendar, PublicDays, Shanghai, friendly_until, next_friendly};
use domain::place_tree::Place;
use domain::public_holidays;
use estate::{friendly_hours, friendly_limits, place_groups, places};

#[async_trait]
impl FriendlyHoursPort for ConsoleService {
    async fn friendly_hours(
        &self,
        who: &Who,
        of: Option<DefaultsOf>,
        year: Option<i64>,
    ) -> Result<Option<FriendlyView>, AppError> {
        self.context.require_whole_site(who).await?;
        let (db, now) = (&self.context.db, self.context.now());
        let (tree, groups, set) = (places::tree(db).await?, place_groups::all(db).await?, friendly_hours::tree(db).await?);
        let site = tree.site().map(|site| DefaultsOf::Place(site.id));
        let Some(of) = of.or(site) else { return Ok(None) };
        let name = |of: DefaultsOf| match of {
            DefaultsOf::Place(place) => tree.get(place).map(|place| place.name.clone()),
            DefaultsOf::Group(id) => groups.iter().find(|group| group.id == id).map(|group| group.name.clone()),
        };
        let own = set.own(of);
        let effective = match of {
            DefaultsOf::Place(place) => set.nearest(place).map(|(hours, of)| (hours.clone(), of)),
            DefaultsOf::Group(_) => own.clone().map(|hours| (hours, of)),
        };
        let line = |of: DefaultsOf| (of, name(of).unwrap_or_default(), set.own(of).is_some());
        let (above, mut below) = match of {
            DefaultsOf::Place(id) => {
                let above = tree.path(id).into_iter().filter(|place| place.id != id).map(|place| (place.id, place.name.clone()));
                let is_listed = |place: &&Place| place.kind != PlaceKind::Room || set.own(DefaultsOf::Place(place.id)).is_some();
                let below = tree.children(id).filter(is_listed).map(|place| line(DefaultsOf::Place(place.id)));
                (above.collect(), below.collect::<Vec<_>>())
            }
            DefaultsOf::Group(_) => (Vec::new(), Vec::new()),
        };
        if Some(of) == site {
            below.extend(groups.iter().map(|group| line(DefaultsOf::Group(group.id))));
        }
        let around = friendly_hours::days_around(db, now).await?;
        let calendar = effective.as_ref().map(|(hours, _)| Calendar { hours, days: &around });
        let until = calendar.and_then(|calendar| friendly_until(calendar, now, &Shanghai));
        let next = calendar.filter(|_| until.is_none()).and_then(|calendar| next_friendly(calendar, now, &Shanghai));
        let year = year.filter(|year| (2_000..=2_100).contains(year)).unwrap_or(now.date().ymd().0);
        Ok(Some(FriendlyView {
            name: name(of).ok_or(AppError::NotFound)?,
            days: self.days_of(year, effective.as_ref().map(|(hours, _)| hours)).await?,
            effective: effective.map(|(hours, of)| (hours, of, name(of).unwrap_or_default())),
            stragglers: friendly_limits::stragglers(db, now).await?,
            never_read: friendly_limits::never_read(db, &set).await?,
            today: now.date(),
            of,
            above,
            own,
            until,
            next,
            below,
        }))
    }

    async fn set_friendly_hours(&self, who: &Who, of: DefaultsOf, hours: Option<&FriendlyHours>) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(friendly_hours::set(&self.context.db, self.context.now(), who, of, hours).await?)
    }

    async fn import_holidays(&self, who: &Who, file: &[u8]) -> Result<Result<ImportedDays, HolidayProblem>, AppError> {
        self.context.require_whole_site(who).await?;
        let days = match public_holidays::parse(file) {
            Ok(days) => days,
            Err(problem) => return Ok(Err(problem)),
        };
        let ends = days.first().zip(days.last());
        let Some((first, last)) = ends else { return Ok(Err(HolidayProblem { line: 0, fault: HolidayFault::Count })) };
        friendly_hours::import(&self.context.db, self.context.now(), (who.user, &who.ip), &days).await?;
        Ok(Ok(ImportedDays { count: days.len(), first: first.day, last: last.day }))
    }

    async fn remove_holidays(&self, who: &Who, year: i64) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(friendly_hours::remove_year(&self.context.db, self.context.now(), (who.user, &who.ip), year).await?)
    }

    async fn emergency_credit(&self, who: &Who, meter: MeterId) -> Result<EmergencyCredit, AppError> {
        let account = self.context.account(who, meter).await?;
        friendly::emergency(&self.context, account, meter).await
    }

    async fn give_emergency_credit(&self, who: &Who, meter: MeterId) -> Result<(), AppError> {
        let account = self.context.account(who, meter).await?;
        friendly::take_emergency(&self.context, who, account, meter).await
    }
}

impl ConsoleService {
    /// The days of a year, as these friendly hours make them.
    async fn days_of(&self, year: i64, hours: Option<&FriendlyHours>) -> Result<Vec<PreviewDay>, AppError> {
        let ends = Date::from_ymd(year, 1, 1).zip(Date::from_ymd(year, 12, 31));
        let (first, last) = ends.ok_or(AppError::Invalid)?;
        let named = friendly_hours::days(&self.context.db, first, last).await?;
        let days = PublicDays::of(&named);
        let day = |day: Date| PreviewDay {
            day,
            is_off: hours.is_some_and(|hours| Calendar { hours, days: &days }.is_day_off(day)),
            name: named.iter().find(|one| one.day == day).map(|one| one.name.clone()).unwrap_or_default(),
        };
        Ok((first.0..=last.0).map(Date).map(day).collect())
    }
}
