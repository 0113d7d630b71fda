//! The mail server of the site, which takes one e-mail at a time over SMTP with TLS.

use std::time::{Duration, UNIX_EPOCH};

use domain::secret::Secret;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use model::saved_report::{MailAddress, MailTrouble};
use serde::Deserialize;

use crate::outbox::Mail;

/// For each answer of the mail server.
const ANSWER: Duration = Duration::from_secs(30);
/// For an e-mail as a whole, with a file of some megabytes on a slow line.
const WHOLE: Duration = Duration::from_secs(180);
/// Answers that say that name or password is wrong or missing (RFC 4954).
const LOG_IN: [u16; 4] = [530, 534, 535, 538];

/// The mail server of the site.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Its name; empty: none, and nothing is sent.
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    /// Empty where it wants no log-in.
    pub user: String,
    pub password: Secret,
    /// The address that e-mails come from.
    pub from: String,
}

/// How the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// In the clear first, then encrypted (usually port 587). A server that does not offer it gets nothing.
    #[default]
    StartTls,
    /// From the first byte (usually port 465).
    Tls,
    /// Never: only for a mail server on this machine.
    None,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: MailTls::default(),
            user: String::new(),
            password: Secret::default(),
            from: String::new(),
        }
    }
}

/// What is wrong with the configuration of e-mail.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    #[error("mail.from is no address: write one such as dormwatt@example.org")]
    From,
    #[error("mail.tls is \"none\", but mail.host is not this machine: the e-mails and the password would travel in the clear")]
    Clear,
    #[error("no TLS can be set up for mail.host: {0}")]
    Tls(lettre::transport::smtp::Error),
}

/// Sends e-mails. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    /// What stands behind the @ of the numbers of e-mails.
    domain: String,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Mailer {
    /// `None` where no mail server is named. Nothing is connected yet.
    ///
    /// # Errors
    /// [`MailConfigError`], which names the key.
    pub fn new(config: &MailConfig) -> Result<Option<Self>, MailConfigError> {
        if config.host.is_empty() {
            return Ok(None);
        }
        let address: MailAddress = config.from.parse().map_err(|_| MailConfigError::From)?;
        let address: Address = address.as_str().parse().map_err(|_| MailConfigError::From)?;
        let domain = address.domain().to_owned();
        let parameters = || TlsParameters::new(config.host.clone()).map_err(MailConfigError::Tls);
        let tls = match config.tls {
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::Tls => Tls::Wrapper(parameters()?),
            MailTls::None if is_this_machine(&config.host) => Tls::None,
            MailTls::None => return Err(MailConfigError::Clear),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(ANSWER))
            .hello_name(ClientId::Domain(domain.clone()));
        if !config.user.is_empty() {
            transport = transport.credentials(Credentials::new(config.user.clone(), config.password.expose().to_owned()));
        }
        Ok(Some(Self { from: Mailbox::new(Some("Dormwatt".to_owned()), address), domain, transport: transport.build() }))
    }

    /// Hands an e-mail to the mail server.
    ///
    /// # Errors
    /// What keeps it from being sent. Where it is not [`MailTrouble::Refused`], a later try may succeed.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailTrouble> {
        let message = self.message(mail).ok_or(MailTrouble::Refused)?;
        match tokio::time::timeout(WHOLE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(trouble(&error)),
            Err(_) => Err(MailTrouble::Unreachable),
        }
    }

    /// `None` where the address is none for the mail server's protocol.
    fn message(&self, mail: &Mail) -> Option<Message> {
        let to = Mailbox::new(None, mail.recipient.parse().ok()?);
        let at = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(mail.asked_at.0).ok()?))?;
        let head = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .date(at)
            // The same in every try: whoever gets it twice can tell.
            .message_id(Some(format!("<{}@{}>", mail.id, self.domain)));
        let text = SinglePart::plain(mail.body.clone());
        match &mail.file {
            Some(file) => {
                let kind = ContentType::parse(kind_of(&file.name)).ok()?;
                let file = Attachment::new(file.name.clone()).body(file.contents.clone(), kind);
                head.multipart(MultiPart::mixed().singlepart(text).singlepart(file)).ok()
            }
            None => head.singlepart(text).ok(),
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "xlsx")) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some((_, "csv")) => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn trouble(error: &lettre::transport::smtp::Error) -> MailTrouble {
    let code = error.status().map(u16::from);
    if code.is_some_and(|code| LOG_IN.contains(&code)) {
        MailTrouble::LogIn
    } else if error.is_permanent() {
        MailTrouble::Refused
    } else if error.is_transient() {
        MailTrouble::Busy
    } else if error.is_tls() || error.is_client() {
        // The protocol's own refusals before a connection is used: no STARTTLS offered, no way to log in that both know.
        MailTrouble::Tls
    } else {
        MailTrouble::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use model::ids::{MailId, Uuid};
    use model::time::Timestamp;

    use super::*;
    use crate::outbox::MailFile;
    fn config() -> MailConfig {
        MailConfig { host: "mail.example.org".to_owned(), from: "dormwatt@example.org".to_owned(), ..MailConfig::default() }
    }

    #[test]
    fn a_site_without_a_mail_server_sends_nothing() {
        assert!(Mailer::new(&MailConfig::default()).unwrap().is_none());
        assert!(Mailer::new(&config()).unwrap().is_some());
    }

    #[test]
    fn letters_and_passwords_do_not_travel_in_the_clear() {
        let clear = MailConfig { tls: MailTls::None, ..config() };
        assert!(matches!(Mailer::new(&clear), Err(MailConfigError::Clear)));
        for host in ["127.0.0.1", "::1", "localhost"] {
            assert!(Mailer::new(&MailConfig { host: host.to_owned(), ..clear.clone() }).unwrap().is_some(), "{host}");
        }
        let without = MailConfig { from: "dormwatt".to_owned(), ..config() };
        assert!(matches!(Mailer::new(&without), Err(MailConfigError::From)));
    }

    #[test]
    fn a_letter_says_who_when_and_what_and_brings_its_file() {
        let mailer = Mailer::new(&config()).unwrap().unwrap();
        let mail = Mail {
            id: MailId(Uuid::nil()),
            recipient: "office@example.org".to_owned(),
            subject: "Sales: 2026-11\r\nBcc: x@y.cn".to_owned(),
            body: "销售报表".to_owned(),
            file: Some(MailFile { name: "sales.xlsx".to_owned(), contents: vec![0, 159, 146, 150] }),
            asked_at: Timestamp(1_795_600_000_000),
            tries: 0,
        };
        let text = String::from_utf8(mailer.message(&mail).unwrap().formatted()).unwrap();
        for part in [
            "From: Dormwatt <dormwatt@example.org>",
            "To: office@example.org",
            "Message-ID: <00000000000000000000000000000000@example.org>",
            "Date: Wed, 25 Nov 2026 09:46:40 +0000",
            "sales.xlsx",
            "AJ+Slg==",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "a subject cannot begin a new line of the head");
        assert!(mailer.message(&Mail { recipient: "nobody".to_owned(), ..mail }).is_none());
    }
}
