//! What the room used, and what that is compared with. Nothing from before the account was theirs is shown.

use std::collections::BTreeMap;

use ::residents::rooms::Room;
use ::residents::{comparison, hours_read};
use app::api::resident::{UnusualDay, Usage, UsageQuery, Used};
use domain::abnormal_use::DayUse;
use domain::usage::{compared_days, is_estimated, months, months_since, period, similar, unusual, unusual_since};
use estate::site_options;
use model::console::{DayCost, RoomName};
use model::error::AppError;
use model::person::Who;
use model::site_option::SiteOption;
use model::time::{Date, HOUR};
use model::usage::{MonthsCompared, SimilarRooms};
use store::{energy, meters, wallets};

use super::{ResidentService, views};
use crate::day_cost::{self, DayOf};

/// The last days of a period among which unusual ones are looked for.
const LOOKED_AT: i64 = 31;

impl ResidentService {
    pub(super) async fn usage(&self, who: &Who, query: UsageQuery) -> Result<Usage, AppError> {
        let room = self.room(who).await?;
        let (from, to) = self.period(query);
        let day = query.day.filter(|day| (from..=to).contains(day)).unwrap_or(to);
        let recorded = energy::hourly(&self.context.db, room.meter_id, day).await?;
        // The hour in which the account became theirs counts whole.
        let since = room.from_at.plus(-HOUR);
        let is_theirs = |hour: u8| day.start().plus(i64::from(hour) * HOUR) > since;
        let hours: Vec<_> = recorded.into_iter().filter(|(hour, _)| is_theirs(*hour)).collect();
        let read = hours_read::of_day(&self.context.db, room.meter_id, day).await?;
        let (first, now) = (day.start().0 / HOUR, self.context.now().0 / HOUR);
        Ok(Usage {
            from,
            to,
            days: self.days(&room, (from, to)).await?,
            day,
            hours: views::hours(&hours, |hour| is_estimated(first + i64::from(hour), &read, now)),
            months: self.months(&room).await?,
            similar: self.similar(&room, (from, to)).await?,
            unusual: self.unusual(&room, (from, to)).await?,
        })
    }

    /// The days that a query is about, both included.
    pub(super) fn period(&self, query: UsageQuery) -> (Date, Date) {
        period(query.from, query.to, self.context.now().date())
    }

    pub(super) async fn days(&self, room: &Room, (from, to): (Date, Date)) -> store::Result<Vec<Used<Date>>> {
        let (db, since) = (&self.context.db, from.max(room.from_at.date()));
        let recorded = energy::days(db, room.meter_id, since, to).await?;
        let mut days = views::days(&recorded, from, to);
        views::price(&mut days, &wallets::day_charges(db, room.account_id, room.meter_id, since).await?);
        Ok(days)
    }

    async fn months(&self, room: &Room) -> store::Result<MonthsCompared> {
        let (today, since) = (self.context.now().date(), room.from_at.date());
        let from = months_since(today).max(since);
        let days = energy::daily(&self.context.db, room.meter_id, from, today).await?;
        Ok(months(&days, since, today))
    }

    async fn similar(&self, room: &Room, period: (Date, Date)) -> store::Result<Option<SimilarRooms>> {
        let db = &self.context.db;
        let Some(days) = compared_days(period, room.from_at.date(), self.context.now().date()) else { return Ok(None) };
        if !site_options::is_on(db, SiteOption::CompareRooms).await? {
            return Ok(None);
        }
        let sums = comparison::sums(db, room.account_id, days).await?;
        Ok(sums.and_then(|(own, others)| similar(days, own, others)))
    }

    async fn unusual(&self, room: &Room, (from, to): (Date, Date)) -> store::Result<Vec<UnusualDay>> {
        let db = &self.context.db;
        let (since, yesterday) = (room.from_at.date().plus(1), self.context.now().date().plus(-1));
        let to = to.min(yesterday);
        let from = from.max(to.plus(1 - LOOKED_AT)).max(since);
        let all = (unusual_since(from).max(since), to);
        let nights: BTreeMap<Date, _> = comparison::nights(db, room.meter_id, all).await?.into_iter().collect();
        let days = energy::days(db, room.meter_id, all.0, all.1).await?;
        // A day whose midnights were not read has a share of its neighbour.
        let measured = days.into_iter().filter(|day| !day.mark.estimated);
        let used = |day: energy::DayEnergy| {
            (day.day, DayUse { whole: day.energy, night: nights.get(&day.day).copied().unwrap_or_default() })
        };
        let known: BTreeMap<Date, DayUse> = measured.map(used).collect();
        let found = unusual(&known, (from, to)).into_iter();
        Ok(found.map(|(day, one)| UnusualDay { day, kind: one.kind, used: one.value, expected: one.expected }).collect())
    }

    pub(super) async fn day_cost(&self, who: &Who, day: Date) -> Result<DayCost, AppError> {
        let room = self.room(who).await?;
        let meter = meters::find(&self.context.db, room.meter_id).await?.ok_or(AppError::NotFound)?;
        let of = DayOf {
            meter: room.meter_id,
            room: RoomName { building: room.place(), floor: String::new(), room: room.room.clone() },
            wallet: meter.wallet,
            day,
            since: Some((room.account_id, room.from_at)),
        };
        day_cost::of(&self.context.db, self.context.now().date(), of).await
    }
}
