//! Texts of saved reports, and of the e-mails that bring them.

use super::Lang;
use super::catalogue::saved_reports::{Body, Subject};
pub use super::catalogue::saved_reports::{GivenUpBecause, HourOfDay, NotMade, SentAt, ToOne, WaitingBecause, texts};
use model::saved_report::{MailState, MailTrouble, ReportDays, ReportTrouble, SendEvery, SentMail};

#[must_use]
pub fn days(days: ReportDays, lang: Lang) -> &'static str {
    texts(lang).all_days.get(days.as_str()).unwrap_or_default()
}

#[must_use]
pub fn every(every: SendEvery, lang: Lang) -> &'static str {
    texts(lang).send_every.get(every.as_str()).unwrap_or_default()
}

/// Why a report was not made, as a part of a sentence.
#[must_use]
pub fn report_trouble(trouble: ReportTrouble, lang: Lang) -> &'static str {
    texts(lang).report_trouble.get(trouble.as_str()).unwrap_or_default()
}

/// What became of the newest e-mail to one address.
#[must_use]
pub fn mail(sent: &SentMail, lang: Lang) -> String {
    let t = texts(lang);
    let trouble = sent.trouble.map(|one: MailTrouble| t.mail_trouble.get(one.as_str()).unwrap_or_default());
    let state = match (sent.state, sent.finished_at, trouble) {
        (MailState::Sent, Some(at), _) => SentAt { time: at.to_string().get(..16).unwrap_or_default() }.text(lang),
        (MailState::Waiting, _, Some(trouble)) => WaitingBecause { trouble }.text(lang),
        (MailState::GivenUp, _, Some(trouble)) => GivenUpBecause { trouble }.text(lang),
        (state, ..) => t.mail_state.get(state.as_str()).unwrap_or_default().to_owned(),
    };
    ToOne { address: sent.recipient.as_str(), state }.text(lang)
}

/// What an e-mail with a report says.
#[derive(Clone, Debug)]
pub struct ReportMail {
    /// The name that it was saved by.
    pub name: String,
    /// The report's name in the language of the e-mail.
    pub report: String,
    /// The place, room or account.
    pub about: String,
    pub period: String,
    pub site: String,
    /// Who saved it.
    pub owner: String,
}

impl ReportMail {
    #[must_use]
    pub fn subject(&self, lang: Lang) -> String {
        Subject { name: self.name.as_str(), period: self.period.as_str() }.text(lang)
    }

    #[must_use]
    pub fn body(&self, lang: Lang) -> String {
        Body {
            kind: self.report.as_str(),
            about: self.about.as_str(),
            period: self.period.as_str(),
            owner: self.owner.as_str(),
            site: self.site.as_str(),
        }
        .text(lang)
    }
}
