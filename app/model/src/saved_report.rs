//! Reports that somebody saved: of which days, for whom, and when they are sent; and the e-mails that bring them.

use std::fmt;
use std::str::FromStr;

use crate::ids::{SavedReportId, UserId};
use crate::language::Lang;
use crate::report::{Grain, RangeProblem, ReportKind, ReportQuery};
use crate::time::{Date, HOUR, Timestamp};
use crate::word_enum;

/// Characters of the name of a saved report.
pub const MAX_REPORT_NAME: usize = 60;
/// Addresses that one report is sent to.
pub const MAX_RECIPIENTS: usize = 10;

word_enum! {
    /// The days of a saved report, counted from the day on which it is opened or sent.
    pub enum ReportDays {
        /// Of reports about an instant: as things are when it is opened or sent.
        Today = "today",
        Yesterday = "yesterday",
        /// Monday to Sunday.
        LastWeek = "last_week",
        /// The 30 days up to yesterday.
        LastThirty = "last_30",
        /// From the first of this month up to yesterday; on the first of a month, the month before.
        ThisMonth = "this_month",
        LastMonth = "last_month",
        LastYear = "last_year",
    }

    /// When a saved report is sent by itself.
    pub enum SendEvery {
        Never = "never",
        Day = "day",
        /// On each Monday.
        Week = "week",
        /// On the first of a month.
        Month = "month",
    }

    /// The file that is sent.
    pub enum ReportFile {
        Xlsx = "xlsx",
        Csv = "csv",
    }

    /// Why a saved report was not made when it was due.
    pub enum ReportTrouble {
        /// Whoever saved it may not open it any more, or is not an operator any more.
        NotAllowed = "not_allowed",
        /// Its place or room is not there any more.
        NoSuchPlace = "no_such_place",
        /// It would have too many meters for its days.
        TooManyMeters = "too_many_meters",
        /// Its file is larger than an e-mail may be.
        TooLarge = "too_large",
        /// The server could not make it; its log says why.
        Failed = "failed",
    }

    /// How far an e-mail has come.
    pub enum MailState {
        Waiting = "waiting",
        /// The mail server took it.
        Sent = "sent",
        GivenUp = "given_up",
    }

    /// What kept an e-mail from being sent, the last time.
    pub enum MailTrouble {
        /// The configuration names no mail server.
        NotSetUp = "not_set_up",
        /// No connection, or no answer in time.
        Unreachable = "unreachable",
        /// The certificate of the mail server is not accepted, or it offers no encryption.
        Tls = "tls",
        /// The mail server does not accept name and password.
        LogIn = "log_in",
        /// The mail server will not take it now.
        Busy = "busy",
        /// The mail server will never take it: the address does not exist, for example.
        Refused = "refused",
    }
}

impl MailTrouble {
    /// Whether it is one of the mail server, which would keep every other e-mail from being sent too.
    #[must_use]
    pub const fn is_of_server(self) -> bool {
        matches!(self, Self::NotSetUp | Self::Unreachable | Self::Tls | Self::LogIn)
    }
}

impl ReportDays {
    /// The first and the last day.
    #[must_use]
    pub fn range(self, today: Date) -> (Date, Date) {
        let yesterday = today.plus(-1);
        let first_of = |day: Date| day.plus(1 - i64::from(day.ymd().2));
        match self {
            Self::Today => (today, today),
            Self::Yesterday => (yesterday, yesterday),
            Self::LastWeek => {
                let monday = today.plus(-i64::from(today.weekday()));
                (monday.plus(-7), monday.plus(-1))
            }
            Self::LastThirty => (today.plus(-30), yesterday),
            Self::ThisMonth => (first_of(yesterday), yesterday),
            Self::LastMonth => {
                let last = first_of(today).plus(-1);
                (first_of(last), last)
            }
            Self::LastYear => {
                let year = today.ymd().0 - 1;
                let day = |month, day| Date::from_ymd(year, month, day).unwrap_or(yesterday);
                (day(1, 1), day(12, 31))
            }
        }
    }
}

impl SendEvery {
    /// The first time after an instant; `None` for never. `hour` is one of 0 to 23.
    #[must_use]
    pub fn next(self, hour: u8, after: Timestamp) -> Option<Timestamp> {
        // A month has at most 31 days, and the time of the first day may be over.
        (0..=31).map(|days| after.date().plus(days)).filter(|day| self.is_day(*day)).find_map(|day| {
            let at = day.start().plus(i64::from(hour.min(23)) * HOUR);
            (at > after).then_some(at)
        })
    }

    fn is_day(self, day: Date) -> bool {
        match self {
            Self::Never => false,
            Self::Day => true,
            Self::Week => day.weekday() == 0,
            Self::Month => day.ymd().2 == 1,
        }
    }
}

/// An address for e-mail, bounded and without anything that could end a line of an e-mail's head.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress(String);

/// The text is no address for e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMailAddress;

impl MailAddress {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MailAddress {
    type Err = NoMailAddress;

    /// The form that people write, `name@example.org`: no quotes, no comments, no addresses of machines.
    fn from_str(text: &str) -> Result<Self, NoMailAddress> {
        let text = text.trim();
        let (name, domain) = text.rsplit_once('@').ok_or(NoMailAddress)?;
        let of_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let name_fits =
            (1..=64).contains(&name.len()) && name.chars().all(of_name) && name.split('.').all(|part| !part.is_empty());
        let of_label = |label: &str| {
            let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            label.len() <= 63
                && ends(label.chars().next())
                && ends(label.chars().last())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let domain_fits = domain.len() <= 190 && domain.contains('.') && domain.split('.').all(of_label);
        if name_fits && domain_fits { Ok(Self(format!("{name}@{}", domain.to_ascii_lowercase()))) } else { Err(NoMailAddress) }
    }
}

/// What is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSavedReport {
    pub name: String,
    pub kind: ReportKind,
    pub days: ReportDays,
    pub by: Grain,
    /// The id of a place or group; empty for all.
    pub place: String,
    /// A room by its name, or an account by its number; empty for all.
    pub room: String,
    /// Leaves out what is younger than that number of days; 0: nothing.
    pub age: i64,
    pub lang: Lang,
    pub file: ReportFile,
    pub every: SendEvery,
    /// The hour of the day at which it is sent, 0 to 23.
    pub hour: u8,
    pub recipients: Vec<MailAddress>,
}

/// A saved report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedReport {
    pub id: SavedReportId,
    pub owner: UserId,
    /// The name of who saved it.
    pub owner_name: String,
    pub what: NewSavedReport,
    pub next_at: Option<Timestamp>,
    /// Why it was not made when it was due last.
    pub trouble: Option<ReportTrouble>,
}

impl NewSavedReport {
    /// What it asks for on a day.
    ///
    /// # Errors
    /// [`RangeProblem`]; none that the days alone decide, where it was checked when it was saved.
    pub fn query(&self, today: Date) -> Result<ReportQuery, RangeProblem> {
        let (from, until) = self.days.range(today);
        let field = |name: &'static str| match name {
            "from" => from.to_string(),
            "until" => until.to_string(),
            "by" => self.by.as_str().to_owned(),
            "place" => self.place.clone(),
            "room" => self.room.clone(),
            "age" => self.age.to_string(),
            _ => String::new(),
        };
        ReportQuery::parse(self.kind, field, today)
    }
}

/// What became of the wish to send a report now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// Its e-mails are on their way.
    Written,
    /// Making it takes long: that goes on in the background, and then it is sent.
    InBackground,
}

/// The newest e-mail to one of the addresses of a saved report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMail {
    pub report: SavedReportId,
    pub recipient: String,
    pub state: MailState,
    pub trouble: Option<MailTrouble>,
    pub asked_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_counted_from_today_by_the_calendar() {
        for (days, today, from, until) in [
            (ReportDays::Today, "2026-03-01", "2026-03-01", "2026-03-01"),
            (ReportDays::Yesterday, "2026-03-01", "2026-02-28", "2026-02-28"),
            // 30 November 2026 is a Monday.
            (ReportDays::LastWeek, "2026-11-30", "2026-11-23", "2026-11-29"),
            (ReportDays::LastWeek, "2026-11-29", "2026-11-16", "2026-11-22"),
            (ReportDays::LastThirty, "2026-11-30", "2026-10-31", "2026-11-29"),
            (ReportDays::ThisMonth, "2026-11-30", "2026-11-01", "2026-11-29"),
            (ReportDays::ThisMonth, "2026-12-01", "2026-11-01", "2026-11-30"),
            (ReportDays::LastMonth, "2026-12-01", "2026-11-01", "2026-11-30"),
            (ReportDays::LastMonth, "2026-01-31", "2025-12-01", "2025-12-31"),
            (ReportDays::LastYear, "2026-11-30", "2025-01-01", "2025-12-31"),
        ] {
            assert_eq!(days.range(day(today)), (day(from), day(until)), "{days:?} on {today}");
        }
    }

    #[test]
    fn a_report_is_sent_at_its_hour_on_its_days() {
        let at = |text: &str, hour| day(text).start().plus(hour * HOUR);
        for (every, after, next) in [
            (SendEvery::Day, at("2026-11-30", 6), at("2026-11-30", 7)),
            (SendEvery::Day, at("2026-11-30", 7), at("2026-12-01", 7)),
            (SendEvery::Week, at("2026-11-30", 7), at("2026-12-07", 7)),
            (SendEvery::Week, at("2026-11-29", 23), at("2026-11-30", 7)),
            (SendEvery::Month, at("2026-12-01", 7), at("2027-01-01", 7)),
            (SendEvery::Month, at("2026-02-28", 0), at("2026-03-01", 7)),
        ] {
            assert_eq!(every.next(7, after), Some(next), "{every:?}");
        }
        assert_eq!(SendEvery::Never.next(7, at("2026-11-30", 0)), None);
    }

    #[test]
    fn addresses_are_those_that_people_write() {
        for good in ["a@b.cn", "finance.office+dorm@Example.EDU.cn", "o'neill@x-y.org", " a@b.cn "] {
            assert!(good.parse::<MailAddress>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b.cn",
            "a@b",
            "a b@c.cn",
            "a@b..cn",
            ".a@b.cn",
            "a@-b.cn",
            "a@b.cn\r\nBcc: c@d.cn",
            "\"a\"@b.cn",
            "a@[1.2.3.4]",
        ] {
            assert_eq!(bad.parse::<MailAddress>(), Err(NoMailAddress), "{bad:?}");
        }
        assert_eq!("A@B.CN".parse::<MailAddress>().unwrap().as_str(), "A@b.cn");
    }
}
