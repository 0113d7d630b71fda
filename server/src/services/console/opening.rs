//! Opening an account, and which row of its form was refused.

use app::api::operator::{Mistake, MovesIn, Opening, Row};
use model::error::AppError;
use model::person::Who;

use super::{MIN_PASSWORD, Operator};
use store::accounts::{self, FirstPurchase, NewResident, OpenAccount};
use store::{StoreError, console, users};

pub(super) async fn open(desk: &Operator, who: &Who, opening: &Opening) -> Result<(), Mistake> {
    desk.room_of(who, opening.meter).await?;
    let (_, free) = console::beside(&desk.db, opening.meter, None).await.map_err(AppError::from)?;
    if let Some(meter) = opening.also.iter().find(|meter| free.iter().all(|one| one.meter != **meter)) {
        return Err(Mistake { error: AppError::AccountAlreadyOpen, row: Some(Row::Meter(*meter)) });
    }
    if let Some(index) = opening.residents.iter().position(|one| one.password.chars().count() < MIN_PASSWORD) {
        return Err(Mistake::of(index, AppError::WeakPassword));
    }
    let mut residents = Vec::with_capacity(opening.residents.len());
    for one in &opening.residents {
        let password_hash = desk.passwords.hash(&one.password).await?;
        residents.push(NewResident { name: one.name.clone(), login: one.login.clone(), password_hash });
    }
    let mut residents = residents.into_iter();
    let new = OpenAccount {
        meter: opening.meter,
        also: opening.also.clone(),
        resident: residents.next().ok_or(AppError::Invalid)?,
        housemates: residents.collect(),
        first: opening.first.as_ref().map(|sale| FirstPurchase { key: sale.key, tender: sale.tender, amount: sale.amount }),
        by: who.user,
        ip: who.ip.clone(),
    };
    match accounts::open(&desk.db, &desk.rng, desk.clock.now(), &desk.limits, &new).await {
        Err(StoreError::Refused(AppError::LoginTaken)) => return Err(taken(desk, &opening.residents).await),
        opened => opened.map_err(AppError::from)?,
    };
    desk.field.wake();
    // A server wallet opens with the next reading.
    for meter in std::iter::once(opening.meter).chain(opening.also.iter().copied()) {
        desk.field.read_now(meter);
    }
    Ok(())
}

/// Whose login name is somebody's already.
async fn taken(desk: &Operator, residents: &[MovesIn]) -> Mistake {
    for (index, one) in residents.iter().enumerate() {
        if matches!(users::by_login(&desk.db, &one.login).await, Ok(Some(_))) {
            return Mistake::of(index, AppError::LoginTaken);
        }
    }
    AppError::LoginTaken.into()
}
