//! Reports: made for the page by the query in its address; saving one, and sending saved ones by e-mail.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, confirmation, parse, wrong};
use super::{ApiError, answer};
use crate::i18n::lang;
use crate::link;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::SavedReportId;
use model::report::{Grain, RangeProblem, Report, ReportKind, ReportQuery};
use model::saved_report::{
    MAX_RECIPIENTS, MAX_REPORT_NAME, MailAddress, NewSavedReport, ReportDays, ReportFile, ReportTrouble, SavedReport, SendEvery,
    SendOutcome, SentMail,
};

/// A place or group that a report can be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPlace {
    /// As it stands in the address.
    pub id: String,
    pub name: String,
    pub is_group: bool,
}

/// The most rooms that are offered where a text means several.
pub const FITTING_ROOMS: usize = 10;

/// What a person saved, with the newest e-mail to each address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedReports {
    pub reports: Vec<SavedReport>,
    pub mails: Vec<SentMail>,
}

#[async_trait]
pub trait ReportsPort: Send + Sync {
    /// The places above rooms, and the groups, that the operator may ask about.
    async fn report_places(&self, who: &Who) -> Result<Vec<ReportPlace>, AppError>;
    /// A report, or why there is none of that place or room. Refused without the report's own permission.
    async fn report(&self, who: &Who, kind: ReportKind, query: &ReportQuery) -> Result<Result<Report, RangeProblem>, AppError>;
    /// Whether e-mails can be sent: the configuration names a mail server.
    fn can_mail(&self) -> bool;
    /// The reports that the person saved; everybody's for who answers for the site.
    async fn saved_reports(&self, who: &Who) -> Result<SavedReports, AppError>;
    /// The full names of rooms that a typed text may mean, at most [`FITTING_ROOMS`].
    async fn fitting_rooms(&self, who: &Who, text: &str) -> Result<Vec<String>, AppError>;
    /// Saves a report. Refused with [`AppError::NameTaken`] where one of the same name is not to be replaced, and with
    /// [`AppError::NotFound`] for a place or room that the person may not see.
    async fn save_report(&self, who: &Who, new: &NewSavedReport, replaces: bool) -> Result<SavedReportId, AppError>;
    async fn remove_report(&self, who: &Who, report: SavedReportId) -> Result<(), AppError>;
    /// Sends a report now, with the rights of who saved it; or why it cannot be made. What takes long is sent by a task.
    async fn send_report(&self, who: &Who, report: SavedReportId) -> Result<Result<SendOutcome, ReportTrouble>, AppError>;
}

/// The addresses in a field, separated by commas, semicolons or spaces; each once.
fn recipients(text: &str) -> Result<Vec<MailAddress>, AppError> {
    let separate = |c: char| c.is_whitespace() || ",;，；、".contains(c);
    let mut addresses = text.split(separate).filter(|one| !one.is_empty()).map(parse).collect::<Result<Vec<MailAddress>, _>>()?;
    addresses.sort();
    addresses.dedup();
    if addresses.len() > MAX_RECIPIENTS { Err(AppError::TooManyAddresses) } else { Ok(addresses) }
}

/// Saves a report; its language is that of the page, `back` the address of the report with its choice.
#[server(name = SaveReport, prefix = "/api", endpoint = "operator/reports/save")]
pub async fn save_report(
    kind: ReportKind,
    name: String,
    days: String,
    by: String,
    place: String,
    room: String,
    age: String,
    file: String,
    every: String,
    hour: String,
    to: String,
    #[server(default)] back: String,
    #[server(default)] replace: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = format!("/reports/{}", kind.as_str());
    let done = async {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_REPORT_NAME || name.chars().any(char::is_control) {
            wrong("name");
            return Err(AppError::Invalid);
        }
        let every = at("every", SendEvery::parse(&every).ok_or(AppError::Invalid))?;
        let recipients = at("to", recipients(&to))?;
        if every != SendEvery::Never && recipients.is_empty() {
            wrong("to");
            return Err(AppError::Invalid);
        }
        let hour: u8 = at("hour", parse(&hour))?;
        let by = Grain::parse(&by).filter(|by| kind.grains().contains(by)).ok_or(AppError::Invalid)?;
        let days = at("days", ReportDays::parse(&days).ok_or(AppError::Invalid))?;
        if hour > 23 {
            wrong("hour");
            return Err(AppError::Invalid);
        }
        let short = |text: &str| text.trim().chars().take(model::report::LONGEST_TEXT).collect::<String>();
        let new = NewSavedReport {
            name: name.to_owned(),
            kind,
            days,
            by,
            place: short(&place),
            room: short(&room),
            age: at("age", parse(&age))?,
            lang: lang(),
            file: at("file", ReportFile::parse(&file).ok_or(AppError::Invalid))?,
            every,
            hour,
            recipients,
        };
        at("days", new.query(crate::ports::now().date()).map_err(|_| AppError::Invalid))?;
        let saved = ports.reports.save_report(&who, &new, replace == "on").await;
        if saved == Err(AppError::NameTaken) { at("name", saved) } else { saved }
    };
    answer(done.await.map(|_| link::with("/reports/saved", "done", "saved")), &confirmation(&back, &page))
}

/// Forgets a saved report.
#[server(name = RemoveReport, prefix = "/api", endpoint = "operator/reports/remove")]
pub async fn remove_report(report: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.reports.remove_report(&who, parse(&report)?).await };
    answer(done.await.map(|()| link::with("/reports/saved", "done", "removed")), "/reports/saved")
}

/// Sends a saved report now.
#[server(name = SendReport, prefix = "/api", endpoint = "operator/reports/send")]
pub async fn send_report(report: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.reports.send_report(&who, parse(&report)?).await };
    let page = |sent: Result<SendOutcome, ReportTrouble>| match sent {
        Ok(SendOutcome::Written) => link::with("/reports/saved", "done", "sent"),
        Ok(SendOutcome::InBackground) => link::with("/reports/saved", "done", "making"),
        Err(trouble) => link::with("/reports/saved", "trouble", trouble.as_str()),
    };
    answer(done.await.map(page), "/reports/saved")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_separated_as_people_do() {
        let read = |text: &str| recipients(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(read("b@x.cn, a@x.cn；a@x.cn\n c@x.cn"), Ok("a@x.cn b@x.cn c@x.cn".to_owned()));
        assert_eq!((read(""), read("a@x.cn, nobody")), (Ok(String::new()), Err(AppError::Invalid)));
        let many: Vec<String> = (0..11).map(|n| format!("a{n}@x.cn")).collect();
        assert_eq!(read(&many.join(",")), Err(AppError::TooManyAddresses));
    }
}
