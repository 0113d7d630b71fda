//! Accounts: the lists, and opening an account with several residents and meters.

use async_trait::async_trait;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;

use super::account_lifecycle::resident_link;
use super::form::{parse, room_page};
use super::sales::sale;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{AccountLine, AccountQuery, Overdrawn, Page, Sale};
use model::error::AppError;
use model::ids::MeterId;
use model::person::{is_login_name, is_name};
use model::typed::typed;

#[async_trait]
pub trait AccountsPort: Send + Sync {
    async fn accounts(&self, who: &Who, query: &AccountQuery) -> Result<Page<AccountLine>, AppError>;
    /// Opens an account, with a first purchase if one is given.
    async fn open_account(&self, who: &Who, opening: &AccountOpening) -> Result<(), OpeningError>;
    /// Accounts whose server wallet is below zero.
    async fn overdrawn(&self, who: &Who, page: i64) -> Result<Overdrawn, AppError>;
}

/// Residents in one form; more can be added afterwards.
pub const RESIDENTS_MAX: usize = 8;
/// Further meters in one form.
pub const METERS_MAX: usize = 8;
/// Characters of a name.
const NAME_MAX: usize = 60;
/// Characters of a password.
const PASSWORD_MAX: usize = 200;

/// A resident in the form.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidentRow {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub login: String,
    #[serde(default)]
    pub password: String,
}

impl fmt::Debug for ResidentRow {
    /// Leaves the password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResidentRow").field("login", &self.login).finish_non_exhaustive()
    }
}

/// An account to be opened.
#[derive(Clone, Debug)]
pub struct AccountOpening {
    pub meter: MeterId,
    /// Further meters of the room.
    pub also: Vec<MeterId>,
    /// At least one.
    /// Its number; `None` for the next one.
    pub number: Option<String>,
    pub residents: Vec<ResidentRow>,
    /// The first purchase, delivered into `meter`.
    pub first: Option<Sale>,
}

/// The row of the form that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormRow {
    /// Counted from 0.
    Resident(usize),
    /// A further meter.
    Meter(MeterId),
}

/// Why an account was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningError {
    pub error: AppError,
    /// `None` where the error is not about one row.
    pub row: Option<FormRow>,
}

impl OpeningError {
    /// In a resident's row.
    #[must_use]
    pub const fn of(index: usize, error: AppError) -> Self {
        Self { error, row: Some(FormRow::Resident(index)) }
    }

    /// The word in the address.
    fn place(self) -> String {
        match self.row {
            Some(FormRow::Resident(index)) => index.to_string(),
            Some(FormRow::Meter(meter)) => meter.to_string(),
            None => String::new(),
        }
    }
}

impl From<AppError> for OpeningError {
    fn from(error: AppError) -> Self {
        Self { error, row: None }
    }
}

/// The rows that are not empty, trimmed.
fn filled(rows: Vec<ResidentRow>) -> Vec<ResidentRow> {
    let trimmed =
        |row: ResidentRow| ResidentRow { name: row.name.trim().to_owned(), login: typed(&row.login), password: row.password };
    rows.into_iter().map(trimmed).filter(|row| *row != ResidentRow::default()).collect()
}

/// Whether every row is complete and no login name occurs twice.
fn check(rows: &[ResidentRow]) -> Result<(), OpeningError> {
    if rows.is_empty() {
        return Err(OpeningError::of(0, AppError::Invalid));
    }
    if rows.len() > RESIDENTS_MAX {
        return Err(AppError::Invalid.into());
    }
    for (index, row) in rows.iter().enumerate() {
        let is_named = is_name(&row.name) && is_login_name(&row.login);
        if !is_named || row.password.chars().count() > PASSWORD_MAX {
            return Err(OpeningError::of(index, AppError::Invalid));
        }
        if rows.iter().take(index).any(|before| before.login == row.login) {
            return Err(OpeningError::of(index, AppError::LoginTaken));
        }
    }
    Ok(())
}

fn meters(meter: MeterId, also: &[String]) -> Result<Vec<MeterId>, AppError> {
    let also: Vec<MeterId> = also.iter().map(|one| parse(one)).collect::<Result<_, _>>()?;
    let twice = |(index, one): (usize, &MeterId)| *one == meter || also.iter().take(index).any(|before| before == one);
    if also.len() > METERS_MAX || also.iter().enumerate().any(twice) { Err(AppError::Invalid) } else { Ok(also) }
}

/// The address of the form with what was entered, except passwords.
fn form_again(meter: &str, also: &[String], rows: &[ResidentRow], amount: &str, mistake: OpeningError) -> String {
    let mut fields: Vec<(&str, &str)> = vec![("do", "open")];
    fields.extend(also.iter().take(METERS_MAX).map(|one| ("also", one.as_str())));
    fields.extend(rows.iter().take(RESIDENTS_MAX).flat_map(|row| [("name", row.name.as_str()), ("login", row.login.as_str())]));
    let place = mistake.place();
    fields.extend([("amount", amount), ("row", &place)]);
    let short = |text: &str| text.chars().take(NAME_MAX).collect::<String>();
    fields.into_iter().fold(room_page(meter), |address, (name, text)| link::with(&address, name, &short(text)))
}

/// Where the one resident who has no password yet gets a link to choose it; with several of them, the page of the room offers it.
async fn first_link(meter: &str, residents: &[ResidentRow]) -> Result<String, AppError> {
    let mut without = residents.iter().filter(|row| row.password.is_empty());
    match (without.next(), without.next()) {
        (Some(one), None) => resident_link(meter, &one.login).await,
        _ => Ok(room_page(meter)),
    }
}

/// Opens an account. An empty amount opens it without a purchase; empty rows are ignored.
#[server(name = OpenAccount, prefix = "/api", endpoint = "operator/open-account")]
pub async fn open_account(
    meter: String,
    #[server(default)] also: Vec<String>,
    residents: Vec<ResidentRow>,
    #[server(default)] number: String,
    amount: String,
    tender: String,
    key: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let residents = filled(residents);
    let done = async {
        check(&residents)?;
        let id: MeterId = parse(&meter)?;
        let first = if amount.trim().is_empty() { None } else { Some(sale(id, &amount, &tender, &key)?) };
        let number = Some(typed(&number)).filter(|number| !number.is_empty());
        let also = meters(id, &also)?;
        let opening = AccountOpening { meter: id, also, number, residents: residents.clone(), first };
        ports.accounts.open_account(&who, &opening).await
    };
    match done.await {
        Ok(()) => answer(first_link(&meter, &residents).await.or(Ok(room_page(&meter))), ""),
        Err(mistake) => answer(Err(mistake.error), &form_again(&meter, &also, &residents, &amount, mistake)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, login: &str) -> ResidentRow {
        ResidentRow { name: name.into(), login: login.into(), password: "long enough".into() }
    }

    #[test]
    fn empty_rows_are_ignored_and_incomplete_rows_refused() {
        let rows = filled(vec![row(" 张三 ", "zhang"), ResidentRow::default(), row("李四", "li")]);
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["张三", "李四"]);
        assert_eq!(check(&rows), Ok(()));
        let half = [row("张三", "zhang"), ResidentRow { login: String::new(), ..row("李四", "") }];
        assert_eq!(check(&half), Err(OpeningError::of(1, AppError::Invalid)));
        assert_eq!(check(&[row("a", "x"), row("b", "y"), row("c", "x")]), Err(OpeningError::of(2, AppError::LoginTaken)));
        assert_eq!(check(&[row(&"名".repeat(41), "x")]), Err(OpeningError::of(0, AppError::Invalid)));
        assert_eq!(check(&[row("a", "x y")]), Err(OpeningError::of(0, AppError::Invalid)), "nobody could log in by that");
    }

    #[test]
    fn number_of_residents_and_meters_is_limited() {
        assert_eq!(check(&[]), Err(OpeningError::of(0, AppError::Invalid)));
        let many: Vec<ResidentRow> = (0..=RESIDENTS_MAX).map(|n| row("a", &n.to_string())).collect();
        assert!(check(&many).is_err() && check(&many[1..]).is_ok());
        let meter = |n: usize| MeterId(uuid::Uuid::from_u128(n as u128));
        let named: Vec<String> = (1..=METERS_MAX + 1).map(|n| meter(n).to_string()).collect();
        assert_eq!(meters(meter(0), &named[1..]).map(|all| all.len()), Ok(METERS_MAX));
        assert_eq!(meters(meter(0), &named), Err(AppError::Invalid));
        assert_eq!(meters(meter(1), &named[..1]), Err(AppError::Invalid), "itself");
        assert_eq!(meters(meter(0), &[named[0].clone(), named[0].clone()]), Err(AppError::Invalid), "twice");
    }

    #[test]
    fn form_is_filled_in_again_without_passwords() {
        let back = form_again("m", &["x".into()], &[row("a", "b")], "30", OpeningError::of(0, AppError::LoginTaken));
        assert_eq!(back, "/rooms/m?do=open&also=x&name=a&login=b&amount=30&row=0");
    }
}
