//! Accounts: opened on the meters of a room for its residents, or taken over from an older system.

mod insert;
mod meters;
mod opened;
mod residents;

use std::collections::BTreeSet;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId, PlaceId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;

pub use meters::add_meter;
pub(super) use meters::{Takes, attach_to, first_that_takes, takes, takes_locked, why_not_open};
pub use opened::{OpenedAccount, opened};
pub use residents::{ResidentToAdd, add_resident, leave, lock_open, remove_resident};
pub(super) use residents::{end as end_residents, pass_on as pass_residents_on};
pub use residents::{insert as join, link as join_known};

use super::audit::{self, Entry};
use super::commands::{self, NewCommand};
use super::orders::{self, NewOrder};
use super::receipts;
use super::{Db, Result, Tx, account_numbers, ledger, wallets};
use domain::command_args::CommandArgs;
use domain::ledger::{takeover, takeover_of_wallet};
use domain::money_rule::MoneyOperation;
use domain::order::Limits;
use domain::rng::Rng;
use domain::serial::AccountNumber;

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
    /// On which other meters of the same room.
    pub also: Vec<MeterId>,
    /// Its number; `None` for the next one.
    pub number: Option<String>,
    pub resident: NewResident,
    /// For whom else.
    pub housemates: Vec<NewResident>,
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
    pub amount: Fen,
}

/// What a meter already holds when its site is taken over.
#[derive(Clone, Debug)]
pub struct TakeOver {
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

/// Opens an account in one transaction: account, residents, the `open` command for each meter, which raises its key epoch, and
/// the first purchase behind it. The account is `opening` until a meter was read back. A meter without a wallet inside gets no
/// command: its account is open with the first reading.
///
/// # Errors
/// Refused with [`AppError::AccountAlreadyOpen`], [`AppError::LoginTaken`], [`AppError::NotFound`], [`AppError::NoPrices`], with
/// [`AppError::Invalid`] for an instrument or a meter of another room, or as [`orders::sell`] for the first purchase.
pub async fn open(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &OpenAccount) -> Result<AccountId> {
    let mut tx = db.begin().await?;
    let account = open_within(&mut tx, rng, at, limits, new).await?;
    receipts::issue_openings(&mut tx, at, new.by, &[account]).await?;
    tx.commit().await?;
    Ok(account)
}

/// [`open`] in the caller's transaction, who issues its receipt at the end ([`receipts::issue_openings`]).
pub async fn open_within(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, new: &OpenAccount) -> Result<AccountId> {
    let meters: Vec<MeterId> = std::iter::once(new.meter).chain(new.also.iter().copied()).collect();
    let opened = begin(tx, rng, at, &meters, new.by, new.number.as_deref()).await?;
    for resident in std::iter::once(&new.resident).chain(&new.housemates) {
        residents::insert(tx, rng, at, opened.account, resident).await?;
    }
    let sold = match &new.first {
        Some(first) => {
            let order = NewOrder {
                key: first.key,
                account: opened.account,
                meter: new.meter,
                tender: first.tender,
                amount: first.amount,
                by: new.by,
                ip: new.ip.clone(),
            };
            Some((orders::sell_unwritten(tx, rng, at, limits, &order).await?, order))
        }
        None => None,
    };
    // The audit lines last: they are written one transaction after the other, so whoever holds them waits for nothing else.
    let others: Vec<&str> = new.housemates.iter().map(|one| one.login.as_str()).collect();
    let detail = serde_json::json!({
        "number": opened.number, "meter": new.meter, "also": new.also, "login": new.resident.login, "others": others,
    });
    note_opened(tx, at, new.by, &new.ip, opened.account, &detail.to_string()).await?;
    if let Some((sold, order)) = sold {
        orders::write_sale(tx, at, &order, &sold).await?;
    }
    Ok(opened.account)
}

/// A room whose account is opened without anybody there, or with one resident.
#[derive(Clone, Debug)]
pub struct RoomOpening {
    pub place: PlaceId,
    /// At least one.
    pub meters: Vec<MeterId>,
    pub resident: Option<NewResident>,
    pub by: UserId,
    /// From where; for the audit chain.
    pub ip: String,
}

/// As [`open`], in the caller's transaction, where a room may be empty.
///
/// # Errors
/// Those of [`open`], and [`AppError::Conflict`] where the meters are in another room meanwhile.
pub async fn open_room(tx: &mut Tx, rng: &Rng, at: Timestamp, room: &RoomOpening) -> Result<AccountId> {
    let opened = begin(tx, rng, at, &room.meters, room.by, None).await?;
    if opened.place != room.place {
        return Err(AppError::Conflict.into());
    }
    if let Some(resident) = &room.resident {
        residents::insert(tx, rng, at, opened.account, resident).await?;
    }
    let login = room.resident.as_ref().map(|one| one.login.as_str());
    let detail = serde_json::json!({ "number": opened.number, "meters": room.meters, "login": login });
    note_opened(tx, at, room.by, &room.ip, opened.account, &detail.to_string()).await?;
    receipts::issue_openings(tx, at, room.by, &[opened.account]).await?;
    Ok(opened.account)
}

/// An account that is being opened.
pub(super) struct Opened {
    pub account: AccountId,
    /// Its number, which meters keep.
    pub number: String,
    pub place: PlaceId,
    /// Who opens it.
    pub by: UserId,
}

/// An account without residents on meters of a place that has none, in the caller's transaction. As everywhere, several meters
/// are locked by their ids, before the row of the site that the number is from.
async fn begin(tx: &mut Tx, rng: &Rng, at: Timestamp, meters: &[MeterId], by: UserId, number: Option<&str>) -> Result<Opened> {
    let mut place = None;
    for meter in meters.iter().collect::<BTreeSet<_>>() {
        let of = insert::place_of(tx, *meter).await?;
        if *place.get_or_insert(of) != of {
            return Err(AppError::Invalid.into());
        }
    }
    let place = place.ok_or(AppError::Invalid)?;
    if insert::has_account(tx, place).await? {
        return Err(AppError::AccountAlreadyOpen.into());
    }
    let account = AccountId(rng.id(at));
    let number = account_numbers::take(tx, rng, at, number).await?.to_string();
    let row = insert::NewAccount { id: account, number: &number, place, state: "opening", taken_over: false };
    insert::account(tx, at, &row).await.map_err(|error| error.or_first(AppError::AccountAlreadyOpen))?;
    let opened = Opened { account, number, place, by };
    for meter in meters {
        attach(tx, rng, at, &opened, *meter).await?;
    }
    Ok(opened)
}

/// Gives an account a meter of its room, in the caller's transaction: a wallet on the ledger begins with its next reading, one
/// inside a meter is opened there by a command.
pub(super) async fn attach(tx: &mut Tx, rng: &Rng, at: Timestamp, to: &Opened, meter: MeterId) -> Result<()> {
    if insert::place_of(tx, meter).await? != to.place {
        return Err(AppError::Invalid.into());
    }
    let inserted = insert::meter(tx, at, to.account, meter, &insert::OpeningPosition::default()).await;
    inserted.map_err(|error| error.or_first(AppError::AccountAlreadyOpen))?;
    match wallets::kind(tx, meter).await? {
        Wallet::Server => wallets::open(tx, rng, at, to.account, meter).await,
        Wallet::Meter => commands::enqueue(tx, at, &opening(rng, at, to, meter)?).await,
        // An instrument sells nothing.
        Wallet::None => Err(AppError::Invalid.into()),
    }
}

/// An account without residents on a meter of a place that has none, in the caller's transaction; the audit line is the caller's.
pub(super) async fn open_at(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, by: UserId) -> Result<AccountId> {
    Ok(begin(tx, rng, at, &[meter], by, None).await?.account)
}

/// The audit line of an opening.
async fn note_opened(tx: &mut Tx, at: Timestamp, by: UserId, ip: &str, account: AccountId, detail: &str) -> Result<()> {
    let (actor, subject) = (format!("user:{by}"), format!("account:{account}"));
    audit::append(tx, at, &Entry { actor: &actor, ip, action: AuditAction::AccountOpen, subject: &subject, detail }).await
}

/// The command that opens the account in a meter with a wallet inside.
fn opening(rng: &Rng, at: Timestamp, to: &Opened, meter: MeterId) -> Result<NewCommand> {
    let number: AccountNumber = to.number.parse().map_err(|_| AppError::Invalid)?;
    let (id, account) = (CommandId(rng.id(at)), Some(to.account));
    let args = CommandArgs::Money(MoneyOperation::Open(number));
    Ok(NewCommand { id, meter, account, order: None, args, by: Some(to.by) })
}

/// Takes over the accounts that meters already hold, all in one transaction: the ledger starts with what is in them. Gives the
/// accounts in the order of what is taken over.
///
/// # Errors
/// Where one of them cannot be taken over; then none is.
pub async fn take_over(db: &Db, rng: &Rng, at: Timestamp, accounts: &[TakeOver]) -> Result<Vec<AccountId>> {
    let mut tx = db.begin().await?;
    let mut taken = Vec::with_capacity(accounts.len());
    for one in accounts {
        let account = AccountId(rng.id(at));
        let place = insert::place_of(&mut tx, one.meter).await?;
        let on_ledger = wallets::kind(&mut tx, one.meter).await? == Wallet::Server;
        // The older system's wallet begins to count here with the first reading.
        let state = if on_ledger { "opening" } else { "open" };
        let row = insert::NewAccount { id: account, number: &one.number, place, state, taken_over: true };
        insert::account(&mut tx, one.opened_at, &row).await?;
        let known = insert::OpeningPosition { epoch: one.epoch, count: one.count, cumulative: one.cumulative };
        insert::meter(&mut tx, one.opened_at, account, one.meter, &known).await?;
        if let Some(resident) = &one.resident {
            residents::insert(&mut tx, rng, at, account, resident).await?;
        }
        if one.cumulative > Fen::ZERO {
            let amount = one.cumulative.money();
            let transfer = if on_ledger { takeover_of_wallet(account, amount) } else { takeover(account, amount) };
            ledger::post(&mut tx, rng, at, &transfer).await?;
        }
        if on_ledger {
            wallets::open(&mut tx, rng, at, account, one.meter).await?;
        }
        taken.push(account);
    }
    let detail = serde_json::json!({ "accounts": accounts.len() }).to_string();
    let entry = Entry { actor: "system", ip: "", action: AuditAction::SiteTakeOver, subject: "site", detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(taken)
}
