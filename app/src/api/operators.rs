//! The people who work with the console, and their roles.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports, reply};
use model::console::Page;
use model::error::AppError;
use model::ids::{PlaceId, RoleId, UserId};
use model::operator::{OperatorChoices, OperatorLine, OwnRole, RoleChoice};
use model::permission::{Permission, Permissions};
use model::person::{is_login_name, is_name};
use model::typed::typed;

/// Buildings in one form.
const BUILDINGS_MAX: usize = 500;

#[async_trait]
pub trait OperatorsPort: Send + Sync {
    /// A page of the operators.
    async fn operators(&self, who: &Who, page: i64) -> Result<Page<OperatorLine>, AppError>;
    async fn operator(&self, who: &Who, id: UserId) -> Result<OperatorLine, AppError>;
    /// The roles and buildings that this person may give.
    async fn choices(&self, who: &Who) -> Result<OperatorChoices, AppError>;
    /// Adds an operator; gives them and the code of the link by which they choose their password.
    async fn invite(&self, who: &Who, new: NewOperator) -> Result<(UserId, String), AppError>;
    /// Makes a new one-time link for an operator; gives its code.
    async fn new_link(&self, who: &Who, id: UserId) -> Result<String, AppError>;
    async fn set_disabled(&self, who: &Who, id: UserId, disabled: bool) -> Result<(), AppError>;
    async fn end_sessions(&self, who: &Who, id: UserId) -> Result<(), AppError>;
    async fn set_access(&self, who: &Who, id: UserId, access: NewAccess) -> Result<(), AppError>;
    /// The roles that the site made for itself.
    async fn roles(&self) -> Result<Vec<OwnRole>, AppError>;
    /// Makes a role, or changes the one of that id.
    async fn save_role(&self, who: &Who, id: Option<RoleId>, name: &str, permissions: Permissions) -> Result<(), AppError>;
    /// Removes a role that nobody has.
    async fn remove_role(&self, who: &Who, id: RoleId) -> Result<(), AppError>;
}

/// What an operator may do and see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccess {
    pub role: RoleChoice,
    /// `None`: all.
    pub buildings: Option<Vec<PlaceId>>,
}

/// An operator to invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOperator {
    pub login: String,
    pub name: String,
    pub access: NewAccess,
}

/// A name of a person or role, trimmed.
fn name_of(text: &str) -> Result<&str, AppError> {
    let name = text.trim();
    at("name", if is_name(name) { Ok(name) } else { Err(AppError::Invalid) })
}

fn access_of(role: &str, all: Option<&str>, buildings: &[String]) -> Result<NewAccess, AppError> {
    if buildings.len() > BUILDINGS_MAX {
        return at("buildings", Err(AppError::Invalid));
    }
    let ids = || buildings.iter().map(|id| parse(id)).collect::<Result<_, _>>();
    Ok(NewAccess { role: at("role", parse(role))?, buildings: if all.is_some() { None } else { Some(ids()?) } })
}

/// Adds an operator and shows the link, once.
#[server(name = InviteOperator, prefix = "/api", endpoint = "operator/operators/invite")]
pub async fn invite_operator(
    login: String,
    name: String,
    role: String,
    #[server(default)] all: Option<String>,
    #[server(default)] buildings: Vec<String>,
) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, operator()?);
    let done = async {
        let login = typed(&login);
        if !is_login_name(&login) {
            return at("login", Err(AppError::Invalid));
        }
        let name = if name.trim().is_empty() { login.clone() } else { name_of(&name)?.to_owned() };
        let access = access_of(&role, all.as_deref(), &buildings)?;
        let new = NewOperator { login, name, access };
        let (id, code) = ports.operators.invite(&who, new).await?;
        reply.once(&code);
        Ok(format!("/operators/{id}/link"))
    };
    let back = [("login", &login), ("name", &name), ("role", &role)];
    let back = back.into_iter().fold("/operators/new".to_owned(), |back, (key, value)| link::with(&back, key, value));
    answer(done.await, &back)
}

/// Makes a new one-time link for an operator and shows it, once.
#[server(name = NewOperatorLink, prefix = "/api", endpoint = "operator/operators/link")]
pub async fn new_operator_link(id: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, operator()?);
    let done = async {
        let code = ports.operators.new_link(&who, parse(&id)?).await?;
        reply.once(&code);
        Ok(format!("/operators/{}/link", id.trim()))
    };
    answer(done.await, &page_of(&id))
}

/// Lets an operator log in no longer.
#[server(name = DisableOperator, prefix = "/api", endpoint = "operator/operators/disable")]
pub async fn disable_operator(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.operators.set_disabled(&who, parse(&id)?, true).await };
    answer(done.await.map(|()| done_page(&id, "disabled")), &page_of(&id))
}

/// Lets an operator log in again.
#[server(name = EnableOperator, prefix = "/api", endpoint = "operator/operators/enable")]
pub async fn enable_operator(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.operators.set_disabled(&who, parse(&id)?, false).await };
    answer(done.await.map(|()| done_page(&id, "enabled")), &page_of(&id))
}

/// Logs an operator out everywhere.
#[server(name = EndOperatorSessions, prefix = "/api", endpoint = "operator/operators/end-sessions")]
pub async fn end_operator_sessions(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.operators.end_sessions(&who, parse(&id)?).await };
    answer(done.await.map(|()| done_page(&id, "ended")), &page_of(&id))
}

/// Gives an operator another role and other buildings.
#[server(name = SetOperatorAccess, prefix = "/api", endpoint = "operator/operators/access")]
pub async fn set_operator_access(
    id: String,
    role: String,
    #[server(default)] all: Option<String>,
    #[server(default)] buildings: Vec<String>,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.operators.set_access(&who, parse(&id)?, access_of(&role, all.as_deref(), &buildings)?).await };
    answer(done.await.map(|()| done_page(&id, "access")), &page_of(&id))
}

/// Makes or changes a role; an empty id makes one.
#[server(name = SaveRole, prefix = "/api", endpoint = "operator/roles/save")]
pub async fn save_role(id: String, name: String, #[server(default)] permissions: Vec<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = if id.trim().is_empty() { "/roles/new".to_owned() } else { format!("/roles/{}", id.trim()) };
    let done = async {
        let role = if id.trim().is_empty() { None } else { Some(parse(&id)?) };
        let named = |word: &String| Permission::parse(word).ok_or(AppError::Invalid);
        let permissions: Permissions = permissions.iter().map(named).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
        ports.operators.save_role(&who, role, name_of(&name)?, permissions).await
    };
    answer(done.await.map(|()| link::with("/roles?done=saved", "name", name.trim())), &link::with(&back, "name", &name))
}

/// Removes a role that nobody has.
#[server(name = RemoveRole, prefix = "/api", endpoint = "operator/roles/remove")]
pub async fn remove_role(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.operators.remove_role(&who, parse(&id)?).await };
    answer(done.await.map(|()| "/roles?done=removed".to_owned()), &format!("/roles/{}", id.trim()))
}

fn page_of(id: &str) -> String {
    format!("/operators/{}", id.trim())
}

fn done_page(id: &str, done: &str) -> String {
    link::with(&page_of(id), "done", done)
}
