//! Accounts: the lists, and opening an account.

use app::api::accounts::{AccountOpening, AccountsPort, FormRow, OpeningError, ResidentRow};
use async_trait::async_trait;
use model::console::{AccountLine, AccountQuery, Overdrawn, Page};
use model::error::AppError;
use model::ids::{MeterId, UserId};
use model::person::Who;

use super::ConsoleService;
use crate::auth::Queue;
use domain::password::{Owner, check};
use store::accounts::{self, FirstPurchase, NewResident, OpenAccount};
use store::{StoreError, users};

#[async_trait]
impl AccountsPort for ConsoleService {
    async fn accounts(&self, who: &Who, query: &AccountQuery) -> Result<Page<AccountLine>, AppError> {
        let mut page = queries::accounts(&self.context.db, who.user, query).await?;
        for line in &mut page.lines {
            line.latest = line.meter.map(|meter| self.context.latest(meter));
        }
        Ok(page)
    }

    async fn open_account(&self, who: &Who, opening: &AccountOpening) -> Result<(), OpeningError> {
        self.context.room(who, opening.meter).await?;
        if self.is_repeated(who.user, opening).await? {
            return Ok(());
        }
        let (_, free) = queries::other_meters(&self.context.db, opening.meter, None).await.map_err(AppError::from)?;
        if let Some(meter) = opening.also.iter().find(|meter| free.iter().all(|one| one.meter != **meter)) {
            return Err(OpeningError { error: AppError::AccountAlreadyOpen, row: Some(FormRow::Meter(*meter)) });
        }
        for (index, one) in opening.residents.iter().enumerate().filter(|(_, one)| !one.password.is_empty()) {
            check(&one.password, &Owner { login: &one.login, ..Owner::default() })
                .map_err(|error| OpeningError::of(index, error))?;
        }
        let mut residents = Vec::with_capacity(opening.residents.len());
        for one in &opening.residents {
            // Without a password they choose one through a link.
            let password_hash = if one.password.is_empty() { String::new() } else { self.passwords.hash(&one.password).await? };
            residents.push(NewResident { name: one.name.clone(), login: one.login.clone(), password_hash });
        }
        let mut residents = residents.into_iter();
        let new = OpenAccount {
            number: opening.number.clone(),
            meter: opening.meter,
            also: opening.also.clone(),
            resident: residents.next().ok_or(AppError::Invalid)?,
            housemates: residents.collect(),
            first: opening.first.as_ref().map(|sale| FirstPurchase { key: sale.key, tender: sale.tender, amount: sale.amount }),
            by: who.user,
            ip: who.ip.clone(),
        };
        match accounts::open(&self.context.db, &self.context.rng, self.context.now(), &self.limits, &new).await {
            // The same form was sent twice at once, and the other came first.
            Err(StoreError::Refused(_)) if self.is_repeated(who.user, opening).await? => return Ok(()),
            Err(StoreError::Refused(AppError::LoginTaken)) => return Err(self.login_taken(&opening.residents).await),
            opened => opened.map_err(AppError::from)?,
        };
        self.context.gateway.wake();
        // A server wallet opens with the next reading.
        for meter in std::iter::once(opening.meter).chain(opening.also.iter().copied()) {
            self.context.gateway.read_now(meter);
        }
        Ok(())
    }

    async fn overdrawn(&self, who: &Who, page: i64) -> Result<Overdrawn, AppError> {
        Ok(queries::overdrawn(&self.context.db, who.user, page).await?)
    }
}

impl ConsoleService {
    /// Whether this form has opened the account already, as where the server ended before it could answer: the account has these
    /// meters, residents with these passwords and this first purchase.
    async fn is_repeated(&self, opening_by: UserId, opening: &AccountOpening) -> Result<bool, AppError> {
        let Some(opened) = accounts::opened(&self.context.db, opening.meter).await? else { return Ok(false) };
        let mut meters: Vec<MeterId> = std::iter::once(opening.meter).chain(opening.also.iter().copied()).collect();
        meters.sort();
        let first = opening.first.as_ref().map(|sale| sale.key);
        let is_sold = match first {
            Some(key) => opened.order_keys.contains(&key),
            None => opened.order_keys.is_empty(),
        };
        if opened.meters != meters || opened.residents.len() != opening.residents.len() || !is_sold {
            return Ok(false);
        }
        for resident in &opening.residents {
            let stored = opened.residents.iter().find(|(login, _)| *login == resident.login).map(|(_, hash)| hash.clone());
            let is_same = match stored {
                None => false,
                Some(hash) if resident.password.is_empty() || hash.is_empty() => hash.is_empty() && resident.password.is_empty(),
                hash => self.passwords.verify(Queue::Known(opening_by), &resident.password, hash).await?,
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds the row whose login name is taken.
    async fn login_taken(&self, residents: &[ResidentRow]) -> OpeningError {
        let logins: Vec<&str> = residents.iter().map(|one| one.login.as_str()).collect();
        let taken = users::taken(&self.context.db, &logins).await.unwrap_or_default();
        match residents.iter().position(|one| taken.contains(&one.login)) {
            Some(index) => OpeningError::of(index, AppError::LoginTaken),
            None => AppError::LoginTaken.into(),
        }
    }
}
