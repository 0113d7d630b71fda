//! The account lifecycle: residents and meters of an account, closures, moves and meter replacements.

mod device;

use app::api::account_lifecycle::AccountLifecyclePort;
use async_trait::async_trait;
use model::console::{
    BalanceTarget, Closing, ClosingKind, ClosingMeter, Counted, Device, Lifecycle, ResidentToAdd, RoomName, Setting,
    UndeliverableOrder,
};
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, Uuid};
use model::person::Who;

use super::Context;
use super::auth::{Passwords, hash, new_token};
use super::console::link_until;
use domain::password::{Owner, check};
use meters::profile::Profiles;
use queries::{ClosingMeterRow, ClosingRow, ClosingSettingRow};
use store::accounts::{self, NewResident};
use store::closings::{self, ClosingRequest, NewClosing};
use store::operators::NewLink;
use store::{orders, parameters};

pub struct AccountLifecycleService {
    context: Context,
    passwords: Passwords,
    profiles: Profiles,
}

impl AccountLifecycleService {
    #[must_use]
    pub const fn new(context: Context, passwords: Passwords, profiles: Profiles) -> Self {
        Self { context, passwords, profiles }
    }

    /// A closing of an account that the operator may see.
    async fn closing_of(&self, who: &Who, id: ClosingId) -> Result<(ClosingRow, RoomName), AppError> {
        let view = queries::closing(&self.context.db, id).await?.ok_or(AppError::NotFound)?;
        let room = queries::room_of_account(&self.context.db, who.user, view.account).await?.ok_or(AppError::NotFound)?;
        Ok((view, room))
    }

    async fn balance_target(&self, who: &Who, target: &BalanceTarget) -> Result<closings::BalanceTarget, AppError> {
        Ok(match target {
            BalanceTarget::Counter(tender) => closings::BalanceTarget::Counter(*tender),
            BalanceTarget::Account(number) => closings::BalanceTarget::Account(self.account_numbered(who, number).await?),
        })
    }

    async fn account_numbered(&self, who: &Who, number: &str) -> Result<AccountId, AppError> {
        queries::account_by_number(&self.context.db, who.user, number).await?.ok_or(AppError::NotFound)
    }

    /// The closing that this form has begun already: it may have ended since, and the account and its meter with it.
    async fn begun(&self, who: &Who, key: Uuid, kind: ClosingKind, meter: MeterId) -> Result<Option<ClosingId>, AppError> {
        let Some((id, of)) = queries::closing_begun_with(&self.context.db, who.user, key, meter).await? else { return Ok(None) };
        self.closing_of(who, id).await?;
        if of == kind { Ok(Some(id)) } else { Err(AppError::Conflict) }
    }

    async fn begin(
        &self,
        who: &Who,
        account: AccountId,
        request: ClosingRequest,
        reason: &str,
        key: Uuid,
    ) -> Result<ClosingId, AppError> {
        let new = NewClosing { key, account, what: request, reason: reason.to_owned(), who: who.clone() };
        let id = closings::begin(&self.context.db, &self.context.rng, self.context.now(), &new).await?;
        self.context.gateway.wake();
        Ok(id)
    }
}

#[async_trait]
impl AccountLifecyclePort for AccountLifecycleService {
    async fn lifecycle(&self, who: &Who, meter: MeterId) -> Result<Lifecycle, AppError> {
        let account = self.context.room(who, meter).await?.account.account_id;
        let (siblings, free) = queries::other_meters(&self.context.db, meter, account).await?;
        let closing = queries::closing_of_meter(&self.context.db, meter).await?;
        Ok(Lifecycle { siblings, free, closing, gateways: queries::gateway_names(&self.context.db, who.user).await? })
    }

    async fn add_resident(&self, who: &Who, meter: MeterId, resident: &ResidentToAdd) -> Result<(), AppError> {
        let account = self.context.account(who, meter).await?;
        let resident = match resident {
            ResidentToAdd::Known(login) => accounts::ResidentToAdd::Known(login.clone()),
            ResidentToAdd::New { name, login, password } => {
                let password_hash = if password.is_empty() {
                    String::new()
                } else {
                    check(password, &Owner { login, ..Owner::default() })?;
                    self.passwords.hash(password).await?
                };
                accounts::ResidentToAdd::New(NewResident { name: name.clone(), login: login.clone(), password_hash })
            }
        };
        Ok(accounts::add_resident(&self.context.db, &self.context.rng, self.context.now(), who, account, &resident).await?)
    }

    async fn invite_resident(&self, who: &Who, meter: MeterId, login: &str) -> Result<String, AppError> {
        let account = self.context.account(who, meter).await?;
        let (code, now) = (new_token(&self.context.rng), self.context.now());
        let link = |kind| NewLink { hash: hash(&code), expires_at: link_until(kind, now) };
        people::invitations::invite(&self.context.db, now, who, (account, login), link).await?;
        Ok(code)
    }

    async fn remove_resident(&self, who: &Who, meter: MeterId, login: &str) -> Result<(), AppError> {
        let account = self.context.account(who, meter).await?;
        Ok(accounts::remove_resident(&self.context.db, self.context.now(), who, account, login).await?)
    }

    async fn add_meter(&self, who: &Who, meter: MeterId, other: MeterId) -> Result<(), AppError> {
        let account = self.context.account(who, meter).await?;
        self.context.room(who, other).await?;
        accounts::add_meter(&self.context.db, &self.context.rng, self.context.now(), who, account, other).await?;
        self.context.gateway.wake();
        // A server wallet opens with the next reading.
        self.context.gateway.read_now(other);
        Ok(())
    }

    async fn close_account(
        &self,
        who: &Who,
        meter: MeterId,
        target: &BalanceTarget,
        reason: &str,
        key: Uuid,
    ) -> Result<ClosingId, AppError> {
        if let Some(begun) = self.begun(who, key, ClosingKind::Close, meter).await? {
            return Ok(begun);
        }
        let account = self.context.account(who, meter).await?;
        let target = self.balance_target(who, target).await?;
        self.begin(who, account, ClosingRequest::Close(target), reason, key).await
    }

    async fn move_account(&self, who: &Who, meter: MeterId, to: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError> {
        if let Some(begun) = self.begun(who, key, ClosingKind::Move, meter).await? {
            return Ok(begun);
        }
        let account = self.context.account(who, meter).await?;
        self.context.room(who, to).await?;
        let id = self.begin(who, account, ClosingRequest::Move { to }, reason, key).await?;
        self.context.gateway.read_now(to);
        Ok(id)
    }

    async fn begin_replacement(&self, who: &Who, meter: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError> {
        if let Some(begun) = self.begun(who, key, ClosingKind::Replace, meter).await? {
            return Ok(begun);
        }
        let account = self.context.account(who, meter).await?;
        self.begin(who, account, ClosingRequest::Replace { meter }, reason, key).await
    }

    async fn swap_meter(&self, who: &Who, meter: MeterId, device: &Device, reason: &str) -> Result<MeterId, AppError> {
        // Sent again, it finds the old one out of service, and this one in its place.
        if let Some(old) = queries::retired_meter(&self.context.db, who.user, meter).await?
            && let Some(new) = old.new_id.filter(|_| old.new_serial.as_deref() == Some(device.serial.as_str()))
        {
            return Ok(new);
        }
        self.context.room(who, meter).await?;
        let device = self.device(who, meter, device).await?;
        let new = closings::swap(&self.context.db, &self.context.rng, self.context.now(), who, meter, &device, reason).await?;
        self.context.meters_changed().await?;
        Ok(new)
    }

    async fn install_meter(&self, who: &Who, closing: ClosingId, device: &Device) -> Result<MeterId, AppError> {
        let (view, _) = self.closing_of(who, closing).await?;
        let old = view.meters.first().ok_or(AppError::NotFound)?.meter;
        let device = self.device(who, old, device).await?;
        let new = closings::install(&self.context.db, &self.context.rng, self.context.now(), who, closing, &device).await?;
        self.context.meters_changed().await?;
        Ok(new)
    }

    async fn withdraw_closing(&self, who: &Who, closing: ClosingId) -> Result<(), AppError> {
        self.closing_of(who, closing).await?;
        closings::withdraw(&self.context.db, &self.context.rng, self.context.now(), who, closing).await?;
        // Purchases paid meanwhile can be delivered now.
        self.context.gateway.wake();
        Ok(())
    }

    async fn count_meter(&self, who: &Who, closing: ClosingId, meter: MeterId, counted: &Counted) -> Result<(), AppError> {
        self.closing_of(who, closing).await?;
        let Counted { remaining, total, reason } = counted.clone();
        let counted = closings::Counted { remaining, total, reason };
        Ok(closings::count(&self.context.db, &self.context.rng, self.context.now(), who, closing, meter, &counted).await?)
    }

    async fn decide_closing(&self, who: &Who, closing: ClosingId, target: &BalanceTarget) -> Result<(), AppError> {
        self.closing_of(who, closing).await?;
        let target = self.balance_target(who, target).await?;
        Ok(closings::decide(&self.context.db, self.context.now(), who, closing, target).await?)
    }

    async fn reassign_order(&self, who: &Who, order: OrderId, number: &str) -> Result<(), AppError> {
        let found = orders::find(&self.context.db, order).await?.ok_or(AppError::NotFound)?;
        queries::room_of_account(&self.context.db, who.user, found.account_id).await?.ok_or(AppError::NotFound)?;
        let to = self.account_numbered(who, number).await?;
        orders::reassign(&self.context.db, &self.context.rng, self.context.now(), who, order, to).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn closing(&self, who: &Who, id: ClosingId) -> Result<Closing, AppError> {
        let (view, room) = self.closing_of(who, id).await?;
        let undeliverable = orders::undeliverable_orders(&self.context.db, view.account).await?;
        let undeliverable = undeliverable.into_iter().map(|order| UndeliverableOrder {
            order: order.id,
            number: order.number,
            amount: order.amount,
            tender: order.tender,
            at: order.created_at,
        });
        let old =
            view.meters.first().filter(|_| view.kind == ClosingKind::Replace && view.ended_at.is_none()).map(|one| one.meter);
        let parameters = match old {
            Some(old) => parameters::find(&self.context.db, old).await?,
            None => None,
        };
        Ok(Closing {
            id,
            kind: view.kind,
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
            undeliverable: undeliverable.collect(),
            gateways: queries::gateway_names(&self.context.db, who.user).await?,
        })
    }
}

fn setting(one: ClosingSettingRow) -> Setting {
    Setting { batch: one.batch, issue: one.issue, state: one.state }
}

fn meter(one: ClosingMeterRow) -> ClosingMeter {
    ClosingMeter {
        meter: one.meter,
        serial: one.serial,
        own_wallet: one.own_wallet,
        command: one.command_state,
        reason: one.reason,
        sent_at: one.sent_at,
        lost_since: one.lost_since,
        unreadable: one.unreadable,
        final_at: one.final_at,
        left: one.left,
        written_off: one.written_off,
        total: one.total,
        counted: one.counted,
    }
}
