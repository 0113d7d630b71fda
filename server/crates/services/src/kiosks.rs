//! Query machines: which there are, and how residents log in at them.

use app::api::kiosks::KiosksPort;
use app::ports::{Visit, Who};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::Uuid;
use model::kiosk::{KIOSK_PREFIX, KioskLine, KioskScreen};
use model::time::{DAY, MINUTE};

use super::Context;
use super::attempt_limits::address_of;
use super::auth::{Caller, Throttle, hash, kiosk_expires, new_token};
use super::qr::qr;
use ::residents::kiosks::{self, Kiosk, KioskSession, NewKiosk};
use ::residents::rooms;
use domain::other_room::comparable;
use domain::place_tree::checked_name;

/// How long the one-time link of a machine is open.
const LINK: i64 = DAY;
/// How long a QR code is shown, and a code of digits is open.
const CODE: i64 = 3 * MINUTE;
/// A name of a room, or a number of an account, is no longer.
const ROOM_MAX: usize = 60;

pub struct KiosksService {
    context: Context,
    throttle: Throttle,
}

impl KiosksService {
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context, throttle: Throttle::default() }
    }

    /// The machine whose browser this is; [`AppError::Forbidden`] for any other browser.
    async fn kiosk(&self, visit: &Visit) -> Result<Kiosk, AppError> {
        if visit.kiosk.is_empty() {
            return Err(AppError::Forbidden);
        }
        kiosks::by_token(&self.context.db, &hash(&visit.kiosk)).await?.ok_or(AppError::Forbidden)
    }

    /// The token of a new session at a machine, and what is stored of it.
    fn session<'a>(&self, kiosk: &'a Kiosk, visit: &'a Visit) -> (String, KioskSession<'a>) {
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let (hash, expires) = (hash(&token), kiosk_expires(now, now));
        (token, KioskSession { kiosk, hash, ip: &visit.ip, agent: &visit.agent, expires })
    }
}

#[async_trait]
impl KiosksPort for KiosksService {
    async fn kiosks(&self, who: &Who) -> Result<Vec<KioskLine>, AppError> {
        self.context.require_whole_site(who).await?;
        Ok(kiosks::all(&self.context.db).await?)
    }

    async fn add_kiosk(&self, who: &Who, id: Uuid, name: &str) -> Result<String, AppError> {
        self.context.require_whole_site(who).await?;
        let name = checked_name(name)?;
        let (code, now) = (format!("{KIOSK_PREFIX}{}", new_token(&self.context.rng)), self.context.now());
        let new = NewKiosk { id, name: &name, link: hash(&code), expires: now.plus(LINK) };
        kiosks::add(&self.context.db, now, who, &new).await?;
        Ok(code)
    }

    async fn retire_kiosk(&self, who: &Who, id: Uuid) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(kiosks::retire(&self.context.db, self.context.now(), who, id).await?)
    }

    async fn register(&self, code: &str, visit: &Visit) -> Result<String, AppError> {
        let token = new_token(&self.context.rng);
        kiosks::register(&self.context.db, self.context.now(), &visit.ip, &hash(code), &hash(&token)).await?;
        Ok(token)
    }

    async fn screen(&self, visit: &Visit, address: &str, code: Option<&str>) -> Result<KioskScreen, AppError> {
        let kiosk = self.kiosk(visit).await?;
        let Some(code) = code else { return Ok(KioskScreen::Start(kiosk.name)) };
        let found = kiosks::log_in(&self.context.db, self.context.now(), &hash(code)).await?;
        match found.filter(|(at, _)| at.id == kiosk.id) {
            None => Err(AppError::LinkEnded),
            Some((_, true)) => Ok(KioskScreen::Confirmed),
            Some((_, false)) => {
                let (size, path) = qr(&format!("{address}/kiosk/confirm?code={code}")).ok_or(AppError::Internal)?;
                Ok(KioskScreen::Scan(size, path))
            }
        }
    }

    async fn begin(&self, visit: &Visit) -> Result<String, AppError> {
        let kiosk = self.kiosk(visit).await?;
        let (code, now) = (new_token(&self.context.rng), self.context.now());
        kiosks::begin(&self.context.db, now, kiosk.id, &hash(&code), now.plus(CODE)).await?;
        Ok(code)
    }

    async fn enter(&self, visit: &Visit, code: &str) -> Result<String, AppError> {
        let kiosk = self.kiosk(visit).await?;
        let (token, session) = self.session(&kiosk, visit);
        kiosks::enter(&self.context.db, self.context.now(), &hash(code), &session).await?;
        Ok(token)
    }

    async fn enter_by_code(&self, visit: &Visit, room: &str, code: &str) -> Result<String, AppError> {
        let kiosk = self.kiosk(visit).await?;
        if room.is_empty() || room.len() > ROOM_MAX || code.len() > ROOM_MAX {
            return Err(AppError::WrongCode);
        }
        let room = comparable(room);
        let login = format!("kiosk {room}");
        let address = address_of(&visit.ip);
        let attempt = self.throttle.begin(Caller::Stranger { login: &login, address }, self.context.now())?;
        tokio::time::sleep(attempt.wait).await;
        let (token, session) = self.session(&kiosk, visit);
        if !kiosks::enter_by_code(&self.context.db, self.context.now(), &room, &hash(code), &session).await? {
            return Err(AppError::WrongCode);
        }
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(token)
    }

    async fn machine(&self, who: &Who, code: &str) -> Result<String, AppError> {
        rooms::of_resident(&self.context.db, who.user).await?.ok_or(AppError::AccountNotOpen)?;
        let found = kiosks::log_in(&self.context.db, self.context.now(), &hash(code)).await?;
        found.filter(|(_, is_confirmed)| !is_confirmed).map(|(kiosk, _)| kiosk.name).ok_or(AppError::LinkEnded)
    }

    async fn confirm(&self, who: &Who, code: &str) -> Result<(), AppError> {
        rooms::of_resident(&self.context.db, who.user).await?.ok_or(AppError::AccountNotOpen)?;
        Ok(kiosks::confirm(&self.context.db, self.context.now(), who.user, &hash(code)).await?)
    }

    async fn make_code(&self, who: &Who) -> Result<String, AppError> {
        rooms::of_resident(&self.context.db, who.user).await?.ok_or(AppError::AccountNotOpen)?;
        let code = format!("{:06}", self.context.rng.below(1_000_000));
        kiosks::set_code(&self.context.db, who.user, &hash(&code), self.context.now().plus(CODE)).await?;
        Ok(code)
    }
}
