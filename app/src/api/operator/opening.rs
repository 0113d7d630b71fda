//! Opening an account: for whom, on which meters, and which row of the form is not right.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::actions::{parse, room, sale};
use super::{Desk, Sale, desk};
use crate::api::{ApiError, answer};
use crate::link;
use model::error::AppError;
use model::ids::MeterId;

/// Residents that one form takes; more are added afterwards.
pub const RESIDENTS_MAX: usize = 8;
/// Further meters that one form takes.
pub const METERS_MAX: usize = 8;
/// Characters of a name.
const NAME_MAX: usize = 60;
/// Characters of a password.
const PASSWORD_MAX: usize = 200;

/// Somebody who moves in: a row of the form.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovesIn {
    /// What to call them.
    #[serde(default)]
    pub name: String,
    /// How they will log in.
    #[serde(default)]
    pub login: String,
    /// Their first password.
    #[serde(default)]
    pub password: String,
}

impl fmt::Debug for MovesIn {
    /// Never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MovesIn").field("login", &self.login).finish_non_exhaustive()
    }
}

/// An account to open.
#[derive(Clone, Debug)]
pub struct Opening {
    /// On which meter.
    pub meter: MeterId,
    /// On which other meters of the room.
    pub also: Vec<MeterId>,
    /// For whom; at least one.
    pub residents: Vec<MovesIn>,
    /// The first purchase, if there is one; it goes into `meter`.
    pub first: Option<Sale>,
}

/// Which part of the form is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A resident, counted from 0.
    Resident(usize),
    /// A further meter.
    Meter(MeterId),
}

/// Why an account was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub error: AppError,
    /// Where, if it is one row's.
    pub row: Option<Row>,
}

impl Mistake {
    /// In a resident's row.
    #[must_use]
    pub const fn of(index: usize, error: AppError) -> Self {
        Self { error, row: Some(Row::Resident(index)) }
    }

    /// The word in the address.
    fn place(self) -> String {
        match self.row {
            Some(Row::Resident(index)) => index.to_string(),
            Some(Row::Meter(meter)) => meter.to_string(),
            None => String::new(),
        }
    }
}

impl From<AppError> for Mistake {
    fn from(error: AppError) -> Self {
        Self { error, row: None }
    }
}

/// The rows that say something, without blanks around it.
fn filled(rows: Vec<MovesIn>) -> Vec<MovesIn> {
    let trimmed =
        |row: MovesIn| MovesIn { name: row.name.trim().to_owned(), login: row.login.trim().to_owned(), password: row.password };
    rows.into_iter().map(trimmed).filter(|row| *row != MovesIn::default()).collect()
}

/// Whether every row is whole and no login name is there twice.
fn check(rows: &[MovesIn]) -> Result<(), Mistake> {
    if rows.is_empty() {
        return Err(Mistake::of(0, AppError::Invalid));
    }
    if rows.len() > RESIDENTS_MAX {
        return Err(AppError::Invalid.into());
    }
    for (index, row) in rows.iter().enumerate() {
        let long = [&row.name, &row.login].into_iter().any(|text| text.is_empty() || text.chars().count() > NAME_MAX);
        if long || row.password.chars().count() > PASSWORD_MAX {
            return Err(Mistake::of(index, AppError::Invalid));
        }
        if rows.iter().take(index).any(|before| before.login == row.login) {
            return Err(Mistake::of(index, AppError::LoginTaken));
        }
    }
    Ok(())
}

fn meters(meter: MeterId, also: &[String]) -> Result<Vec<MeterId>, AppError> {
    let also: Vec<MeterId> = also.iter().map(|one| parse(one)).collect::<Result<_, _>>()?;
    let twice = |(index, one): (usize, &MeterId)| *one == meter || also.iter().take(index).any(|before| before == one);
    if also.len() > METERS_MAX || also.iter().enumerate().any(twice) { Err(AppError::Invalid) } else { Ok(also) }
}

/// Where the form is filled in again: with all that was written, but for passwords.
fn again(meter: &str, also: &[String], rows: &[MovesIn], amount: &str, mistake: Mistake) -> String {
    let mut fields: Vec<(&str, &str)> = vec![("do", "open")];
    fields.extend(also.iter().take(METERS_MAX).map(|one| ("also", one.as_str())));
    fields.extend(rows.iter().take(RESIDENTS_MAX).flat_map(|row| [("name", row.name.as_str()), ("login", row.login.as_str())]));
    let place = mistake.place();
    fields.extend([("amount", amount), ("row", &place)]);
    let short = |text: &str| text.chars().take(NAME_MAX).collect::<String>();
    fields.into_iter().fold(room(meter), |address, (name, text)| link::with(&address, name, &short(text)))
}

/// Opens an account; an empty amount opens it without a purchase, and empty rows are nobody.
#[server(name = OpenAccount, prefix = "/api", endpoint = "operator/open-account")]
pub async fn open_account(
    meter: String,
    #[server(default)] also: Vec<String>,
    residents: Vec<MovesIn>,
    amount: String,
    tender: String,
    key: String,
) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let residents = filled(residents);
    let done = async {
        check(&residents)?;
        let id: MeterId = parse(&meter)?;
        let first = if amount.trim().is_empty() { None } else { Some(sale(id, &amount, &tender, &key)?) };
        let opening = Opening { meter: id, also: meters(id, &also)?, residents: residents.clone(), first };
        port.open_account(&who, &opening).await
    };
    match done.await {
        Ok(()) => answer(Ok(room(&meter)), ""),
        Err(mistake) => answer(Err(mistake.error), &again(&meter, &also, &residents, &amount, mistake)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, login: &str) -> MovesIn {
        MovesIn { name: name.into(), login: login.into(), password: "long enough".into() }
    }

    #[test]
    fn empty_rows_are_nobody_and_half_a_row_is_named() {
        let rows = filled(vec![row(" 张三 ", "zhang"), MovesIn::default(), row("李四", "li")]);
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["张三", "李四"]);
        assert_eq!(check(&rows), Ok(()));
        let half = [row("张三", "zhang"), MovesIn { login: String::new(), ..row("李四", "") }];
        assert_eq!(check(&half), Err(Mistake::of(1, AppError::Invalid)));
        assert_eq!(check(&[row("a", "x"), row("b", "y"), row("c", "x")]), Err(Mistake::of(2, AppError::LoginTaken)));
        assert_eq!(check(&[row(&"名".repeat(61), "x")]), Err(Mistake::of(0, AppError::Invalid)));
    }

    #[test]
    fn counts_have_bounds() {
        assert_eq!(check(&[]), Err(Mistake::of(0, AppError::Invalid)));
        let many: Vec<MovesIn> = (0..=RESIDENTS_MAX).map(|n| row("a", &n.to_string())).collect();
        assert!(check(&many).is_err() && check(&many[1..]).is_ok());
        let meter = |n: usize| MeterId(uuid::Uuid::from_u128(n as u128));
        let named: Vec<String> = (1..=METERS_MAX + 1).map(|n| meter(n).to_string()).collect();
        assert_eq!(meters(meter(0), &named[1..]).map(|all| all.len()), Ok(METERS_MAX));
        assert_eq!(meters(meter(0), &named), Err(AppError::Invalid));
        assert_eq!(meters(meter(1), &named[..1]), Err(AppError::Invalid), "itself");
        assert_eq!(meters(meter(0), &[named[0].clone(), named[0].clone()]), Err(AppError::Invalid), "twice");
    }

    #[test]
    fn what_was_written_comes_back_but_for_passwords() {
        let back = again("m", &["x".into()], &[row("a", "b")], "30", Mistake::of(0, AppError::LoginTaken));
        assert_eq!(back, "/rooms/m?do=open&also=x&name=a&login=b&amount=30&row=0");
    }
}
