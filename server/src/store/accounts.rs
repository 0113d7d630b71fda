//! Accounts: opened on a meter for the residents of a room, or taken over from an older system.

use app::error::AppError;
use app::model::ids::{AccountId, CommandId, MeterId, PlaceId, UserId, Uuid};
use app::model::meter::Wallet;
use app::model::money::Fen;
use app::model::order::Tender;
use app::model::time::Timestamp;

use super::audit::{self, Entry};
use super::commands::{self, NewCommand, priority};
use super::orders::{self, NewOrder};
use super::{Db, Result, StoreError, Tx, ledger, on, wallets};
use crate::domain::ledger::{takeover, takeover_of_wallet};
use crate::domain::order::Limits;
use crate::rng::Rng;

/// The person an account is opened for; logs in with this.
#[derive(Clone, Debug)]
pub struct NewResident {
    /// What to call them.
    pub name: String,
    /// Login name, unique over residents and operators.
    pub login: String,
    /// Argon2id hash of the first password.
    pub password_hash: String,
}

/// An account to open.
#[derive(Clone, Debug)]
pub struct OpenAccount {
    /// On which meter.
    pub meter: MeterId,
    /// For whom.
    pub resident: NewResident,
    /// The first purchase, if one is sold with it: how it is paid, how much, and the key of the form.
    pub first: Option<FirstPurchase>,
    /// Which operator opens it.
    pub by: UserId,
    /// From where; for the audit chain.
    pub ip: String,
}

/// A purchase that is sold with the opening.
#[derive(Clone, Debug)]
pub struct FirstPurchase {
    /// Made with the form.
    pub key: Uuid,
    /// At the counter: cash, card or transfer.
    pub tender: Tender,
    /// How much.
    pub amount: Fen,
}

/// What a meter already holds when its site is taken over.
#[derive(Clone, Debug)]
pub struct TakeOver {
    /// The meter.
    pub meter: MeterId,
    /// The account number in the meter.
    pub number: String,
    /// When the older system opened it.
    pub opened_at: Timestamp,
    /// Its key epoch.
    pub epoch: u16,
    /// Money commands it has applied in this epoch.
    pub count: u16,
    /// Credited minus debited in this epoch.
    pub cumulative: Fen,
    /// Who lives there; `None` where nobody may log in yet.
    pub resident: Option<NewResident>,
}

/// Opens an account in one transaction: account, resident, the `open` command for the meter, which raises its key epoch, and the
/// first purchase behind it. The account is `opening` until the meter was read back. A meter without a wallet inside gets no
/// command: its account is open with the first reading.
///
/// # Errors
/// Refused with [`AppError::AccountAlreadyOpen`], [`AppError::LoginTaken`], [`AppError::NotFound`], [`AppError::NoPrices`], with
/// [`AppError::Invalid`] for an instrument, or as
/// [`orders::sell`] for the first purchase.
pub async fn open(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &OpenAccount) -> Result<AccountId> {
    let mut tx = db.begin().await?;
    let account = open_within(&mut tx, rng, at, limits, new).await?;
    tx.commit().await?;
    Ok(account)
}

async fn open_within(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, new: &OpenAccount) -> Result<AccountId> {
    let place = place_of(tx, new.meter).await?;
    if has_account(tx, new.meter, place).await? {
        return Err(AppError::AccountAlreadyOpen.into());
    }
    let account = AccountId(rng.id(at));
    let number = number(rng, at);
    insert(tx, at, account, &number, place, "opening").await?;
    insert_meter(tx, at, account, new.meter, 0, 0, Fen::ZERO).await?;
    add_resident(tx, rng, at, account, &new.resident).await?;
    match wallets::kind(tx, new.meter).await? {
        Wallet::Server => wallets::open(tx, rng, at, account, new.meter).await?,
        Wallet::Meter => commands::enqueue(tx, at, &opening(rng, at, account, &number, new)).await?,
        // An instrument sells nothing.
        Wallet::None => return Err(AppError::Invalid.into()),
    }
    let detail = serde_json::json!({ "number": number, "meter": new.meter, "login": new.resident.login }).to_string();
    let entry = Entry {
        actor: &format!("user:{}", new.by),
        ip: &new.ip,
        action: "account.open",
        subject: &format!("account:{account}"),
        detail: &detail,
    };
    audit::append(tx, at, &entry).await?;
    if let Some(first) = &new.first {
        let order = NewOrder {
            key: first.key,
            account,
            meter: new.meter,
            tender: first.tender,
            amount: first.amount,
            by: new.by,
            ip: new.ip.clone(),
        };
        orders::sell_within(tx, rng, at, limits, &order).await?;
    }
    Ok(account)
}

/// The command that opens the account in a meter with a wallet inside.
fn opening(rng: &Rng, at: Timestamp, account: AccountId, number: &str, new: &OpenAccount) -> NewCommand {
    NewCommand {
        id: CommandId(rng.id(at)),
        meter: new.meter,
        account: Some(account),
        order: None,
        kind: "open",
        args: format!(r#"{{"account":"{number}"}}"#),
        money: true,
        priority: priority::MONEY,
        by: Some(new.by),
    }
}

/// Takes over the accounts that meters already hold, all in one transaction: the ledger starts with what is in them.
///
/// # Errors
/// Where one of them cannot be taken over; then none is.
pub async fn take_over(db: &Db, rng: &Rng, at: Timestamp, accounts: &[TakeOver]) -> Result<()> {
    let mut tx = db.begin().await?;
    for one in accounts {
        let account = AccountId(rng.id(at));
        let place = place_of(&mut tx, one.meter).await?;
        let on_ledger = wallets::kind(&mut tx, one.meter).await? == Wallet::Server;
        // The older system's wallet begins to count here with the first reading.
        let state = if on_ledger { "opening" } else { "open" };
        insert(&mut tx, one.opened_at, account, &one.number, place, state).await?;
        insert_meter(&mut tx, one.opened_at, account, one.meter, one.epoch, one.count, one.cumulative).await?;
        if let Some(resident) = &one.resident {
            add_resident(&mut tx, rng, at, account, resident).await?;
        }
        if one.cumulative > Fen::ZERO {
            let amount = one.cumulative.money();
            let transfer = if on_ledger { takeover_of_wallet(account, amount) } else { takeover(account, amount) };
            ledger::post(&mut tx, rng, at, &transfer).await?;
        }
        if on_ledger {
            wallets::open(&mut tx, rng, at, account, one.meter).await?;
        }
    }
    let detail = serde_json::json!({ "accounts": accounts.len() }).to_string();
    let entry = Entry { actor: "system", ip: "", action: "site.take-over", subject: "site", detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

async fn place_of(tx: &mut Tx, meter: MeterId) -> Result<PlaceId> {
    let row: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as("SELECT place_id FROM meters WHERE id = $1 AND retired_at IS NULL")
        .bind(meter.0)
        .fetch_optional(c)
        .await)?;
    row.map(|(id,)| PlaceId(id)).ok_or_else(|| AppError::NotFound.into())
}

async fn has_account(tx: &mut Tx, meter: MeterId, place: PlaceId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM accounts WHERE place_id = $1 AND closed_at IS NULL
         UNION ALL
         SELECT CAST(1 AS BIGINT) FROM account_meters WHERE meter_id = $2 AND to_at IS NULL"
    )
    .bind(place.0)
    .bind(meter.0)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

async fn insert(tx: &mut Tx, at: Timestamp, id: AccountId, number: &str, place: PlaceId, state: &str) -> Result<()> {
    on!(tx, |c| sqlx::query("INSERT INTO accounts (id, number, place_id, state, opened_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.0)
        .bind(number)
        .bind(place.0)
        .bind(state)
        .bind(at.0)
        .execute(c)
        .await)?;
    Ok(())
}

async fn insert_meter(
    tx: &mut Tx,
    at: Timestamp,
    account: AccountId,
    meter: MeterId,
    epoch: u16,
    count: u16,
    cumulative: Fen,
) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO account_meters (account_id, meter_id, epoch, count, cumulative_fen, from_at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(account.0)
    .bind(meter.0)
    .bind(i64::from(epoch))
    .bind(i64::from(count))
    .bind(cumulative.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    Ok(())
}

async fn add_resident(tx: &mut Tx, rng: &Rng, at: Timestamp, account: AccountId, resident: &NewResident) -> Result<()> {
    let user = UserId(rng.id(at));
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO users (id, role, login, name, password_hash, created_at) VALUES ($1, 'resident', $2, $3, $4, $5)
         ON CONFLICT (login) DO NOTHING"
    )
    .bind(user.0)
    .bind(&resident.login)
    .bind(&resident.name)
    .bind(&resident.password_hash)
    .bind(at.0)
    .execute(c)
    .await)?;
    if inserted == 0 {
        return Err(StoreError::Refused(AppError::LoginTaken));
    }
    on!(tx, |c| sqlx::query("INSERT INTO account_residents (account_id, user_id, from_at) VALUES ($1, $2, $3)")
        .bind(account.0)
        .bind(user.0)
        .bind(at.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// Sixteen digits: the day it was opened, then ten that nobody can guess; never all zero, which means no account in a meter.
fn number(rng: &Rng, at: Timestamp) -> String {
    let (year, month, day) = at.date().ymd();
    format!("{:02}{month:02}{day:02}{:010}", year % 100, rng.below(10_000_000_000))
}
