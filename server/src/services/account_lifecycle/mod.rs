//! The server's side of [`LifePort`]: one function a wish, over the store.

mod device;

use std::sync::Arc;

use app::api::life::LifePort;
use async_trait::async_trait;
use model::console::{
    BalanceTarget, Closing, ClosingKind, ClosingMeter, Counted, Device, Life, ResidentToAdd, Setting, Stranded,
};
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, Uuid};
use model::order::CommandState;
use model::person::Who;
use model::time::Timestamp;

use crate::services::auth::Passwords;
use crate::services::console::{Field, MIN_PASSWORD};
use domain::clock::SharedClock;
use domain::rng::Rng;
use meters::live::Live;
use meters::profile::Profiles;
use store::accounts::{self, NewResident};
use store::closings::{self, ClosingRequest, Kind, NewClosing, View, ViewMeter, ViewSetting};
use store::{Db, StoreError, console, orders, parameters};

/// What keeps the accounts.
pub struct AccountLifecycleService {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    live: Live,
    passwords: Passwords,
    profiles: Profiles,
    field: Arc<dyn Field>,
}

impl AccountLifecycleService {
    /// Over these parts.
    ///
    /// # Errors
    /// Where no password can be hashed.
    pub fn new(
        db: Db,
        clock: SharedClock,
        rng: Rng,
        live: Live,
        profiles: Profiles,
        field: Arc<dyn Field>,
    ) -> Result<Self, AppError> {
        let passwords = Passwords::new(rng.clone())?;
        Ok(Self { db, clock, rng, live, passwords, profiles, field })
    }

    /// A room that the operator may see; anything else does not exist.
    async fn room_of(&self, who: &Who, meter: MeterId) -> Result<console::RoomRow, AppError> {
        console::room(&self.db, who.user, meter).await?.ok_or(AppError::NotFound)
    }

    async fn account_of(&self, who: &Who, meter: MeterId) -> Result<AccountId, AppError> {
        let room = self.room_of(who, meter).await?;
        room.account.account_id.ok_or(AppError::AccountNotOpen)
    }

    /// A closing of an account that the operator may see.
    async fn closing_of(&self, who: &Who, id: ClosingId) -> Result<(View, model::console::RoomName), AppError> {
        let view = closings::view(&self.db, id).await?.ok_or(AppError::NotFound)?;
        let room = console::room_of_account(&self.db, who.user, view.account).await?.ok_or(AppError::NotFound)?;
        Ok((view, room))
    }

    async fn goes(&self, who: &Who, goes: &BalanceTarget) -> Result<closings::BalanceTarget, AppError> {
        Ok(match goes {
            BalanceTarget::Counter(tender) => closings::BalanceTarget::Counter(*tender),
            BalanceTarget::Account(number) => closings::BalanceTarget::Account(self.numbered(who, number).await?),
        })
    }

    async fn numbered(&self, who: &Who, number: &str) -> Result<AccountId, AppError> {
        console::account_by_number(&self.db, who.user, number).await?.ok_or(AppError::NotFound)
    }

    async fn begin(
        &self,
        who: &Who,
        account: AccountId,
        what: ClosingRequest,
        reason: &str,
        key: Uuid,
    ) -> Result<ClosingId, AppError> {
        let new = NewClosing { key, account, what, reason: reason.to_owned(), who: who.clone() };
        let id = closings::begin(&self.db, &self.rng, self.clock.now(), &new).await?;
        self.field.wake();
        Ok(id)
    }

    /// Meters were added and retired: buses and walls take them in.
    async fn meters_changed(&self) -> Result<(), AppError> {
        self.field.reload();
        self.field.wake();
        Ok(self.live.reload(&self.db).await?)
    }
}

#[async_trait]
impl LifePort for AccountLifecycleService {
    async fn life(&self, who: &Who, meter: MeterId) -> Result<Life, AppError> {
        let account = self.room_of(who, meter).await?.account.account_id.map(AccountId);
        let (siblings, free) = console::beside(&self.db, meter, account).await?;
        let closing = closings::of_meter(&self.db, meter).await?;
        Ok(Life { siblings, free, closing, gateways: console::gateway_names(&self.db, who.user).await? })
    }

    async fn add_resident(&self, who: &Who, meter: MeterId, newcomer: &ResidentToAdd) -> Result<(), AppError> {
        let account = self.account_of(who, meter).await?;
        let newcomer = match newcomer {
            ResidentToAdd::Known(login) => accounts::ResidentToAdd::Known(login.clone()),
            ResidentToAdd::New { password, .. } if password.chars().count() < MIN_PASSWORD => return Err(AppError::WeakPassword),
            ResidentToAdd::New { name, login, password } => accounts::ResidentToAdd::New(NewResident {
                name: name.clone(),
                login: login.clone(),
                password_hash: self.passwords.hash(password).await?,
            }),
        };
        Ok(accounts::add_resident(&self.db, &self.rng, self.clock.now(), who, account, &newcomer).await?)
    }

    async fn remove_resident(&self, who: &Who, meter: MeterId, login: &str) -> Result<(), AppError> {
        let account = self.account_of(who, meter).await?;
        Ok(accounts::remove_resident(&self.db, self.clock.now(), who, account, login).await?)
    }

    async fn add_meter(&self, who: &Who, meter: MeterId, other: MeterId) -> Result<(), AppError> {
        let account = self.account_of(who, meter).await?;
        self.room_of(who, other).await?;
        accounts::add_meter(&self.db, &self.rng, self.clock.now(), who, account, other).await?;
        self.field.wake();
        // A server wallet opens with the next reading.
        self.field.read_now(other);
        Ok(())
    }

    async fn close(
        &self,
        who: &Who,
        meter: MeterId,
        goes: &BalanceTarget,
        reason: &str,
        key: Uuid,
    ) -> Result<ClosingId, AppError> {
        let account = self.account_of(who, meter).await?;
        let goes = self.goes(who, goes).await?;
        self.begin(who, account, ClosingRequest::Close(goes), reason, key).await
    }

    async fn relocate(&self, who: &Who, meter: MeterId, to: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError> {
        let account = self.account_of(who, meter).await?;
        self.room_of(who, to).await?;
        let id = self.begin(who, account, ClosingRequest::Move { to }, reason, key).await?;
        self.field.read_now(to);
        Ok(id)
    }

    async fn replace(&self, who: &Who, meter: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError> {
        let account = self.account_of(who, meter).await?;
        self.begin(who, account, ClosingRequest::Replace { meter }, reason, key).await
    }

    async fn swap(&self, who: &Who, meter: MeterId, device: &Device, reason: &str) -> Result<MeterId, AppError> {
        self.room_of(who, meter).await?;
        let device = self.device(who, meter, device).await?;
        let new = closings::swap(&self.db, &self.rng, self.clock.now(), who, meter, &device, reason).await?;
        self.meters_changed().await?;
        Ok(new)
    }

    async fn install(&self, who: &Who, closing: ClosingId, device: &Device) -> Result<MeterId, AppError> {
        let (view, _) = self.closing_of(who, closing).await?;
        let old = view.meters.first().ok_or(AppError::NotFound)?.meter;
        let device = self.device(who, old, device).await?;
        let new = closings::install(&self.db, &self.rng, self.clock.now(), who, closing, &device).await?;
        self.meters_changed().await?;
        Ok(new)
    }

    async fn withdraw(&self, who: &Who, closing: ClosingId) -> Result<(), AppError> {
        self.closing_of(who, closing).await?;
        closings::withdraw(&self.db, &self.rng, self.clock.now(), who, closing).await?;
        // What was paid meanwhile goes on.
        self.field.wake();
        Ok(())
    }

    async fn count(&self, who: &Who, closing: ClosingId, meter: MeterId, counted: &Counted) -> Result<(), AppError> {
        self.closing_of(who, closing).await?;
        let Counted { remaining, total, reason } = counted.clone();
        let counted = closings::Counted { remaining, total, reason };
        Ok(closings::count(&self.db, &self.rng, self.clock.now(), who, closing, meter, &counted).await?)
    }

    async fn decide(&self, who: &Who, closing: ClosingId, goes: &BalanceTarget) -> Result<(), AppError> {
        self.closing_of(who, closing).await?;
        let goes = self.goes(who, goes).await?;
        Ok(closings::decide(&self.db, self.clock.now(), who, closing, goes).await?)
    }

    async fn readdress(&self, who: &Who, order: OrderId, number: &str) -> Result<(), AppError> {
        let of = orders::find(&self.db, order).await?.ok_or(AppError::NotFound)?;
        console::room_of_account(&self.db, who.user, AccountId(of.account_id)).await?.ok_or(AppError::NotFound)?;
        let to = self.numbered(who, number).await?;
        orders::readdress(&self.db, &self.rng, self.clock.now(), who, order, to).await?;
        self.field.wake();
        Ok(())
    }

    async fn closing(&self, who: &Who, id: ClosingId) -> Result<Closing, AppError> {
        let (view, room) = self.closing_of(who, id).await?;
        let stranded = orders::stranded(&self.db, view.account).await?;
        let stranded = stranded.into_iter().map(|order| {
            Ok(Stranded {
                order: order.id(),
                number: order.number,
                amount: order.amount(),
                tender: order.tender()?,
                at: Timestamp(order.created_at),
            })
        });
        let old = view.meters.first().filter(|_| view.kind == Kind::Replace && view.ended_at.is_none()).map(|one| one.meter);
        let parameters = match old {
            Some(old) => parameters::find(&self.db, old).await?,
            None => None,
        };
        Ok(Closing {
            id,
            kind: match view.kind {
                Kind::Close => ClosingKind::Close,
                Kind::Move => ClosingKind::Move,
                Kind::Replace => ClosingKind::Replace,
            },
            room,
            account: view.number,
            tender: view.tender,
            to_account: view.to_account.map(|(_, number)| number),
            to_meter: view.to_meter,
            reason: view.reason,
            by: view.by,
            begun_at: view.begun_at,
            read_at: view.read_at,
            ended_at: view.ended_at,
            returned: view.returned,
            carried: view.carried,
            meters: view.meters.into_iter().map(meter).collect(),
            withdrawn_by: view.withdrawn_by,
            arrived: view.arrived,
            parameters,
            settings: view.settings.into_iter().map(setting).collect(),
            stranded: stranded.collect::<Result<_, StoreError>>()?,
            gateways: console::gateway_names(&self.db, who.user).await?,
        })
    }
}

fn setting(one: ViewSetting) -> Setting {
    Setting { batch: one.batch, issue: one.issue, state: one.state }
}

fn meter(one: ViewMeter) -> ClosingMeter {
    ClosingMeter {
        meter: one.meter,
        serial: one.serial,
        own_wallet: one.own_wallet,
        command: one.command_state.as_deref().and_then(CommandState::parse),
        reason: one.reason,
        sent_at: one.sent_at,
        lost_since: one.lost_since,
        final_at: one.final_at,
        left: one.left,
        written_off: one.written_off,
        total: one.total,
        counted: one.counted,
    }
}
