//! The first start: the set-up page, and the list of what a new site lacks.

use async_trait::async_trait;
use leptos::prelude::*;

use super::auth::NewSession;
use super::form::{at, wrong};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Visit, Who, operator, ports, reply, visit};
use model::defaults::{DefaultKind, DefaultValues};
use model::error::AppError;
use model::person::{is_login_name, is_name};
use model::setup::Checklist;
use model::typed;

/// What the set-up page asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUpForm {
    /// The administrator's login name.
    pub login: String,
    /// What to call the administrator.
    pub name: String,
    pub password: String,
    /// The site's name.
    pub site: String,
    /// The default parameters of its meters; none need be given.
    pub defaults: DefaultValues,
}

#[async_trait]
pub trait SetupPort: Send + Sync {
    /// Whether the database has no people yet.
    async fn is_open(&self) -> Result<bool, AppError>;
    /// Checks the token that this server printed when it started.
    ///
    /// Fails with [`AppError::NotFound`] where somebody was added before, [`AppError::Forbidden`] for another token, and
    /// [`AppError::RateLimited`] after several of them.
    async fn check_token(&self, token: &str, visit: &Visit) -> Result<(), AppError>;
    /// Adds the administrator, names the site, and opens a session.
    async fn set_up(&self, token: &str, form: &SetUpForm, visit: &Visit) -> Result<NewSession, AppError>;
    /// What the site still lacks.
    async fn checklist(&self, who: &Who) -> Result<Checklist, AppError>;
    /// Hides the list, or shows it again.
    async fn hide_checklist(&self, who: &Who, hidden: bool) -> Result<(), AppError>;
    /// Whether the rail links to the list; as of the last look at it.
    fn has_checklist(&self) -> bool;
    /// Whether this server reads meters: it has their keys.
    fn reads_meters(&self) -> bool;
}

/// Sets the site up and goes on to what it lacks. What was typed is kept where it is refused, except the password.
#[server(name = SetUp, prefix = "/api", endpoint = "setup/site")]
pub async fn set_up(
    token: String,
    login: String,
    name: String,
    password: String,
    site: String,
    #[server(default)] alarm1: String,
    #[server(default)] alarm2: String,
    #[server(default)] overdraft: String,
    #[server(default)] hoarding: String,
    #[server(default)] overload_w: String,
    #[server(default)] interval_s: String,
) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let values = [alarm1, alarm2, overdraft, hoarding, overload_w, interval_s];
    let fields = [("token", &token), ("login", &login), ("name", &name), ("site", &site)];
    let given = DefaultKind::ALL.into_iter().map(DefaultKind::as_str).zip(&values);
    let kept = |(key, value): &(&str, &String)| !value.is_empty() && (*key == "token" || value.chars().count() <= 60);
    let back = fields
        .into_iter()
        .chain(given)
        .filter(kept)
        .fold("/setup".to_owned(), |page, (key, value)| link::with(&page, key, value));
    let opened = async {
        let read = |(kind, text): (DefaultKind, &String)| at(kind.as_str(), kind.read(text).map_err(|_| AppError::Invalid));
        let defaults = DefaultKind::ALL.into_iter().zip(&values).map(read).collect::<Result<_, _>>()?;
        let form =
            SetUpForm { login: typed::typed(&login), name: name.trim().into(), password, site: typed::name(&site), defaults };
        let fields = [("login", is_login_name(&form.login)), ("name", is_name(&form.name)), ("site", is_name(&form.site))];
        if let Some((field, _)) = fields.into_iter().find(|(_, fits)| !fits) {
            wrong(field);
        }
        ports.setup.set_up(token.trim(), &form, &visit()).await
    };
    let opened = opened.await;
    let onwards = opened.map(|session| {
        reply.session(&session.token);
        "/start".to_owned()
    });
    answer(onwards, &back)
}

/// Hides the list of what the site lacks, or shows it again where `hidden` is empty.
#[server(name = HideChecklist, prefix = "/api", endpoint = "operator/setup/hide")]
pub async fn hide_checklist(hidden: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let hides = hidden == "1";
    let done = ports.setup.hide_checklist(&who, hides).await;
    answer(done.map(|()| if hides { "/wall".to_owned() } else { "/start".to_owned() }), "/start")
}
