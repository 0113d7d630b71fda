//! The scheme of account numbers, and the number that comes next.

use std::collections::HashSet;

use model::audit::AuditAction;
use model::error::AppError;
use model::person::Who;
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, on, read};
use domain::account_number::NumberScheme;
use domain::rng::Rng;
use domain::serial::AccountNumber;

/// Numbers that are skipped because an account has them.
const SKIPPED_MAX: u64 = 10_000;

type Row = (Option<String>, bool, i64);

macro_rules! setting {
    () => {
        "SELECT account_prefix, account_check_digit, account_running FROM site_settings WHERE one = 1"
    };
}

const SETTING: &str = setting!();

fn scheme((prefix, check, _): &Row) -> Option<NumberScheme> {
    NumberScheme::new(prefix.as_deref()?, *check).ok()
}

/// The scheme, if there is one, and the last running number.
pub async fn find(db: &Db) -> Result<(Option<NumberScheme>, u64)> {
    let row: Option<Row> = read!(db, |pool| sqlx::query_as(SETTING).fetch_optional(pool).await)?;
    let row = row.ok_or(StoreError::Inconsistent { table: "site_settings", column: "one" })?;
    Ok((scheme(&row), u64::try_from(row.2).unwrap_or(0)))
}

/// The number that the next account gets; `None` without a scheme, where nobody can know it.
pub async fn proposed(db: &Db) -> Result<Option<AccountNumber>> {
    let mut tx = db.begin_reading().await?;
    let row: Option<Row> = on!(&mut tx, |c| sqlx::query_as(SETTING).fetch_optional(c).await)?;
    let row = row.ok_or(StoreError::Inconsistent { table: "site_settings", column: "one" })?;
    let Some(scheme) = scheme(&row) else { return Ok(None) };
    Ok(free(&mut tx, &scheme, u64::try_from(row.2).unwrap_or(0)).await?.map(|(_, number)| number))
}

/// Sets the scheme; `None` for numbers that nobody can guess. `next` is the running number of the next account.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for a running number that the scheme has not.
pub async fn set(db: &Db, at: Timestamp, who: &Who, scheme: Option<&NumberScheme>, next: u64) -> Result<()> {
    if next == 0 || scheme.is_some_and(|scheme| scheme.number(next).is_none()) {
        return Err(AppError::Invalid.into());
    }
    let last = i64::try_from(next - 1).map_err(|_| AppError::Invalid)?;
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE site_settings SET account_prefix = $1, account_check_digit = $2, account_running = $3 WHERE one = 1"
    )
    .bind(scheme.map(NumberScheme::prefix))
    .bind(scheme.is_some_and(NumberScheme::has_check_digit))
    .bind(last)
    .execute(c)
    .await)?;
    let (prefix, check) = (scheme.map(NumberScheme::prefix), scheme.is_some_and(NumberScheme::has_check_digit));
    let detail = serde_json::json!({ "prefix": prefix, "check_digit": check, "next": next }).to_string();
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::AccountNumbers,
        subject: "site",
        detail: &detail,
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// The first running number after `last` that no account has.
async fn free(tx: &mut Tx, scheme: &NumberScheme, last: u64) -> Result<Option<(u64, AccountNumber)>> {
    let (from, to) = (last.saturating_add(1), last.saturating_add(SKIPPED_MAX).min(scheme.last()));
    let (Some(first), Some(end)) = (scheme.number(from), scheme.number(to)) else { return Ok(None) };
    // Numbers have one length, so that their order as text is that of the running numbers.
    let taken: Vec<(String,)> = on!(tx, |c| sqlx::query_as("SELECT number FROM accounts WHERE number >= $1 AND number <= $2")
        .bind(first.to_string())
        .bind(end.to_string())
        .fetch_all(c)
        .await)?;
    let taken: HashSet<String> = taken.into_iter().map(|(number,)| number).collect();
    let mut numbers = (from..=to).filter_map(|running| Some((running, scheme.number(running)?)));
    Ok(numbers.find(|(_, number)| !taken.contains(&number.to_string())))
}

async fn is_taken(tx: &mut Tx, number: AccountNumber) -> Result<bool> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as("SELECT number FROM accounts WHERE number = $1")
        .bind(number.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.is_some())
}

/// The number of an account that is opened now: the given one, the next of the scheme, or one that nobody can guess.
///
/// # Errors
/// Refused with [`AppError::NumberNotOfScheme`] or [`AppError::NumberTaken`] for a given one, and with
/// [`AppError::NoMoreNumbers`] where the scheme has no more.
pub(super) async fn take(tx: &mut Tx, rng: &Rng, at: Timestamp, given: Option<&str>) -> Result<AccountNumber> {
    let Some(given) = given else {
        return take_many(tx, rng, at, 1).await?.pop().ok_or_else(|| AppError::NoMoreNumbers.into());
    };
    let number = match scheme(&lock(tx).await?) {
        Some(scheme) => scheme.checked(given)?,
        None => NumberScheme::new("", false)?.checked(given)?,
    };
    if is_taken(tx, number).await? { Err(AppError::NumberTaken.into()) } else { Ok(number) }
}

/// The numbers of accounts that are opened one after the other, which are given to each. The row is updated once, because one
/// that a transaction updates often grows.
///
/// # Errors
/// Refused with [`AppError::NoMoreNumbers`] where the scheme has not so many.
pub async fn take_many(tx: &mut Tx, rng: &Rng, at: Timestamp, count: usize) -> Result<Vec<AccountNumber>> {
    let row = lock(tx).await?;
    let Some(scheme) = scheme(&row) else {
        return Ok((0..count).map(|_| unguessable(rng, at)).collect::<std::result::Result<_, _>>()?);
    };
    let (mut last, mut numbers) = (u64::try_from(row.2).unwrap_or(0), Vec::with_capacity(count));
    for _ in 0..count {
        let (running, number) = free(tx, &scheme, last).await?.ok_or(AppError::NoMoreNumbers)?;
        last = running;
        numbers.push(number);
    }
    on!(tx, |c| sqlx::query("UPDATE site_settings SET account_running = $1 WHERE one = 1")
        .bind(i64::try_from(last).unwrap_or(i64::MAX))
        .execute(c)
        .await)?;
    Ok(numbers)
}

/// Locks the row, so that two accounts do not get one number. SQLite has one writer.
async fn lock(tx: &mut Tx) -> Result<Row> {
    let text = match tx {
        Tx::Sqlite(_) => SETTING,
        Tx::Postgres(_) => concat!(setting!(), " FOR UPDATE"),
    };
    let row: Option<Row> = on!(tx, |c| sqlx::query_as(text).fetch_optional(c).await)?;
    row.ok_or(StoreError::Inconsistent { table: "site_settings", column: "one" })
}

/// Sixteen digits: the day it was opened, then ten that nobody can guess; never all zero, which means no account in a meter.
fn unguessable(rng: &Rng, at: Timestamp) -> std::result::Result<AccountNumber, AppError> {
    let (year, month, day) = at.date().ymd();
    let text = format!("{:02}{month:02}{day:02}{:010}", year % 100, rng.below(10_000_000_000));
    text.parse().map_err(|_| AppError::Internal)
}
