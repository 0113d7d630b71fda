//! Friendly hours and emergency credit, by place and group, and the public holidays.

use async_trait::async_trait;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::form::{fits, parse, room_page, yuan_or_zero};
use super::{ApiError, answer};
use crate::i18n::friendly::{AmountForm, ExaminationLineForm, ExaminationsForm, texts};
use crate::i18n::lang;
use crate::link;
use crate::ports::{Who, operator, ports};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::friendly::{
    AMOUNT_MAX, CreditPeriod, DayRange, EXAMINATIONS_MAX, EmergencyCredit, FriendlyHours, HolidayProblem, MinuteOfDay, Night,
    PreviewDay, Straggler,
};
use model::ids::{MeterId, PlaceId};
use model::money::Fen;
use model::time::{Date, Timestamp};

/// The address of the page of friendly hours.
pub const PAGE: &str = "/settings/friendly-hours";

/// The friendly hours of a place or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FriendlyView {
    pub of: DefaultsOf,
    pub name: String,
    /// The places above it, from the site downwards.
    pub above: Vec<(PlaceId, String)>,
    pub own: Option<FriendlyHours>,
    /// What applies, and for what it is set and the name of that. Of a group only its own.
    pub effective: Option<(FriendlyHours, DefaultsOf, String)>,
    /// Until when they hold now; or else when they begin.
    pub until: Option<Timestamp>,
    pub next: Option<Timestamp>,
    pub today: Date,
    /// The days of a year.
    pub days: Vec<PreviewDay>,
    /// Places below it and, of the site, groups, with whether they have friendly hours of their own.
    pub below: Vec<(DefaultsOf, String, bool)>,
    pub stragglers: Vec<Straggler>,
    /// Meters that get no limit, because their own has never been read.
    pub never_read: usize,
}

/// The days of a file that were stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedDays {
    pub count: usize,
    pub first: Date,
    pub last: Date,
}

#[async_trait]
pub trait FriendlyHoursPort: Send + Sync {
    /// Of a place or group, of the site where none is named; with the days of a year. `None` where the site has no places yet.
    async fn friendly_hours(
        &self,
        who: &Who,
        of: Option<DefaultsOf>,
        year: Option<i64>,
    ) -> Result<Option<FriendlyView>, AppError>;
    /// Sets the friendly hours of a place or group; `None`: it inherits them.
    async fn set_friendly_hours(&self, who: &Who, of: DefaultsOf, hours: Option<&FriendlyHours>) -> Result<(), AppError>;
    /// Stores the days of a file; gives which, or what is wrong with it.
    async fn import_holidays(&self, who: &Who, file: &[u8]) -> Result<Result<ImportedDays, HolidayProblem>, AppError>;
    /// Removes the public holidays and make-up working days of a year.
    async fn remove_holidays(&self, who: &Who, year: i64) -> Result<(), AppError>;
    /// Whether the account of a meter may get emergency credit.
    async fn emergency_credit(&self, who: &Who, meter: MeterId) -> Result<EmergencyCredit, AppError>;
    /// Gives the account of a meter its emergency credit, at the counter.
    async fn give_emergency_credit(&self, who: &Who, meter: MeterId) -> Result<(), AppError>;
}

/// The form of friendly hours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FriendlyFields {
    pub inherit: String,
    pub night_from: String,
    pub night_until: String,
    pub weekends: String,
    pub holidays: String,
    pub examinations: String,
    pub overdraft: String,
    pub emergency: String,
    pub period: String,
}

impl FriendlyFields {
    /// What was typed; `None`: inherited.
    fn hours(&self) -> Result<Option<FriendlyHours>, AppError> {
        if self.inherit == "1" {
            return Ok(None);
        }
        let t = texts(lang());
        let hours = FriendlyHours {
            night: self.night()?,
            weekends: !self.weekends.is_empty(),
            holidays: !self.holidays.is_empty(),
            examinations: self.examinations()?,
            overdraft: amount("form[overdraft]", t.overdraft, &self.overdraft)?,
            emergency: amount("form[emergency]", t.emergency, &self.emergency)?,
            period: CreditPeriod::parse(&self.period).ok_or(AppError::Invalid)?,
        };
        if hours.is_valid() { Ok(Some(hours)) } else { Err(AppError::Invalid) }
    }

    fn night(&self) -> Result<Option<Night>, AppError> {
        let (t, from, until) = (texts(lang()), self.night_from.trim(), self.night_until.trim());
        if from.is_empty() && until.is_empty() {
            return Ok(None);
        }
        let time = parse::<MinuteOfDay>;
        let from = fits("form[night_from]", (t.night_from, t.time_form), time(from))?;
        let until = fits("form[night_until]", (t.night_until, t.time_form), time(until))?;
        let night = if from == until { Err(AppError::Invalid) } else { Ok(Night { from, until }) };
        fits("form[night_until]", (t.night_until, t.night_form), night).map(Some)
    }

    /// The message names the first line that is wrong.
    fn examinations(&self) -> Result<Vec<DayRange>, AppError> {
        let is_wrong = |line: &str| !line.trim().is_empty() && line.trim().parse::<DayRange>().is_err();
        let expected = match self.examinations.lines().position(is_wrong) {
            Some(before) => ExaminationLineForm { line: before + 1 }.text(lang()),
            None => ExaminationsForm { most: EXAMINATIONS_MAX }.text(lang()),
        };
        let ranges = FriendlyHours::examinations_of(&self.examinations).map_err(|_| AppError::Invalid);
        fits("form[examinations]", (texts(lang()).examinations, &expected), ranges)
    }
}

/// An amount within the range of friendly hours.
fn amount(field: &str, label: &str, text: &str) -> Result<Fen, AppError> {
    let expected = AmountForm { most: AMOUNT_MAX }.text(lang());
    let amount = yuan_or_zero(text);
    let amount = amount.and_then(|fen| if (Fen::ZERO..=AMOUNT_MAX).contains(&fen) { Ok(fen) } else { Err(AppError::Invalid) });
    fits(field, (label, &expected), amount)
}

/// Sets the friendly hours of a place or group.
#[server(name = SetFriendlyHours, prefix = "/api", endpoint = "operator/settings/friendly-hours")]
pub async fn set_friendly_hours(of: String, #[server(default)] form: FriendlyFields) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = link::with(PAGE, "of", &of);
    let done = async { ports.friendly_hours.set_friendly_hours(&who, parse(&of)?, form.hours()?.as_ref()).await };
    answer(done.await.map(|()| link::with(&page, "done", "saved")), &page)
}

/// Removes the imported days of a year; leads back to that year of the page it came from.
#[server(name = RemoveHolidays, prefix = "/api", endpoint = "operator/settings/remove-holidays")]
pub async fn remove_holidays(of: String, year: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = link::with(&link::with(PAGE, "of", &of), "year", &year);
    let done = async { ports.friendly_hours.remove_holidays(&who, parse(&year)?).await };
    answer(done.await.map(|()| link::with(&page, "done", "removed")), &page)
}

/// Gives a room its emergency credit at the counter.
#[server(name = GiveEmergencyCredit, prefix = "/api", endpoint = "operator/emergency-credit")]
pub async fn give_emergency_credit(meter: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.friendly_hours.give_emergency_credit(&who, parse(&meter)?).await }.await;
    answer(done.map(|()| link::with(&room_page(&meter), "done", "emergency")), &room_page(&meter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_whole() {
        let form = FriendlyFields {
            night_from: "22:30".into(),
            night_until: "07:00".into(),
            weekends: "1".into(),
            examinations: "2027-01-11 2027-01-15\n".into(),
            overdraft: "20".into(),
            period: "month".into(),
            ..FriendlyFields::default()
        };
        let hours = form.hours().unwrap().unwrap();
        assert_eq!((hours.overdraft, hours.emergency, hours.weekends, hours.holidays), (Fen(2_000), Fen(0), true, false));
        assert_eq!((hours.examinations.len(), hours.night.is_some()), (1, true));
        assert_eq!(FriendlyFields { inherit: "1".into(), ..form.clone() }.hours(), Ok(None));
        for wrong in [
            FriendlyFields { night_until: String::new(), ..form.clone() },
            FriendlyFields { night_until: "22:30".into(), ..form.clone() },
            FriendlyFields { period: "day".into(), ..form.clone() },
            FriendlyFields { overdraft: "1001".into(), ..form.clone() },
            FriendlyFields { examinations: "soon".into(), ..form },
        ] {
            assert!(wrong.hours().is_err(), "{wrong:?}");
        }
    }
}
