//! The second factor: setting it up, using it, turning it off.

use app::api::auth::{NewSession, SecondFactorSetup};
use app::ports::Visit;
use data_encoding::BASE32_NOPAD;
use model::error::AppError;
use model::ids::UserId;
use model::log_in::LogInMethod;
use model::person::Who;
use model::time::MINUTE;

use super::{AuthService, Caller, Device, Queue, hash, new_token, totp};
use crate::qr::qr;
use domain::password::{self, Owner};
use people::password_log_ins;
use people::second_factors::{self, FirstStep, Proof, SecondFactor};
use store::sessions::TokenHash;
use store::users;

/// How long a log-in waits for its code.
const LONGEST_STEP: i64 = 5 * MINUTE;
/// Recovery codes that a person has.
const CODES: usize = 10;
/// Random bytes of a recovery code.
const CODE: usize = 10;
/// Letters that a code is typed with at most, spaces and dashes included.
const LONGEST_CODE: usize = 40;

/// A recovery code as it is stored; spaces, dashes and case do not matter.
fn hashed(code: &str) -> TokenHash {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    hash(&plain.to_ascii_uppercase())
}

impl AuthService {
    /// Whether a code is asked for.
    pub(super) async fn has_second_factor(&self, user: UserId) -> Result<bool, AppError> {
        let factor = second_factors::find(&self.context.db, user).await?;
        Ok(factor.is_some_and(|factor| factor.confirmed_at.is_some()))
    }

    /// The token of a log-in that waits for its code.
    pub(super) async fn begin_second_step(&self, user: UserId, method: LogInMethod) -> Result<String, AppError> {
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let first = FirstStep { user, method };
        second_factors::begin(&self.context.db, now, &first, &hash(&token), now.plus(LONGEST_STEP)).await?;
        Ok(token)
    }

    /// The same after the password that has this hash.
    pub(super) async fn begin_after_password(&self, user: UserId, password_hash: &str) -> Result<String, AppError> {
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let first = FirstStep { user, method: LogInMethod::Password };
        let proved = (&first, password_hash);
        password_log_ins::begin(&self.context.db, now, proved, &hash(&token), now.plus(LONGEST_STEP)).await?;
        Ok(token)
    }

    pub(super) async fn take_second_step(&self, code: &str, visit: &Visit) -> Result<NewSession, AppError> {
        let (db, step) = (&self.context.db, hash(&visit.session));
        if visit.session.is_empty() {
            return Err(AppError::NotLoggedIn);
        }
        let FirstStep { user, method } =
            second_factors::waits(db, &step, self.context.now()).await?.ok_or(AppError::NotLoggedIn)?;
        let found = users::by_id(db, user).await?.ok_or(AppError::NotLoggedIn)?;
        let device = Device::recognise(&visit.device, &found.password_hash);
        let attempt = self.turn(Caller::Code(user, device), Some(user), &visit.ip).await?;
        // Only now: what is refused its turn costs no try. Another password meanwhile has ended the step.
        second_factors::count_try(db, &step, self.context.now()).await?.ok_or(AppError::NotLoggedIn)?;
        let proof = self.proof(user, code).await?;
        let Some(proof) = proof else { return Err(self.failed(&attempt, Some(user), &visit.ip, AppError::WrongCode)) };
        let device = Device::remember(&visit.device, &found.password_hash, &found.password_hash, &self.context.rng);
        let (session, stored) = self.session((user, found.role), method, visit, device);
        match second_factors::complete(db, self.context.now(), &step, proof, &stored).await.map_err(AppError::from) {
            Ok(()) => {
                self.throttle.succeeded(&attempt, self.context.now());
                Ok(session)
            }
            Err(AppError::WrongCode) => Err(self.failed(&attempt, Some(user), &visit.ip, AppError::WrongCode)),
            Err(error) => Err(error),
        }
    }

    /// What a typed code proves; whether it was used before is seen when it is taken.
    async fn proof(&self, user: UserId, code: &str) -> Result<Option<Proof>, AppError> {
        if code.len() > LONGEST_CODE {
            return Ok(None);
        }
        let Some(secret) = self.secret(user).await? else { return Ok(None) };
        let digits = code.chars().filter(char::is_ascii_alphanumeric).count();
        if digits > 6 {
            return Ok(Some(Proof::Recovery(hashed(code))));
        }
        Ok(totp::step_of(&secret, code, self.context.now()).map(Proof::Step))
    }

    /// The secret of a person; `None` where there is none, or another audit key was in use when it was stored.
    async fn secret(&self, user: UserId) -> Result<Option<Vec<u8>>, AppError> {
        let factor = second_factors::find(&self.context.db, user).await?;
        Ok(factor.and_then(|factor| self.open(user, &factor)))
    }

    fn open(&self, user: UserId, factor: &SecondFactor) -> Option<Vec<u8>> {
        let secret = self.vault.open(user, &factor.secret);
        if secret.is_none() {
            tracing::error!(%user, "security.second_factor_unreadable");
        }
        secret
    }

    pub(super) async fn prepare(&self, who: &Who, password: &str) -> Result<(), AppError> {
        self.require_password(who, password).await?;
        let secret = self.context.rng.bytes::<{ totp::SECRET }>();
        let stored = self.vault.seal(who.user, &secret, &self.context.rng).ok_or(AppError::Internal)?;
        Ok(second_factors::prepare(&self.context.db, self.context.now(), who.user, &stored).await?)
    }

    pub(super) async fn setup(&self, who: &Who) -> Result<SecondFactorSetup, AppError> {
        let db = &self.context.db;
        let factor = second_factors::find(db, who.user).await?.filter(|factor| factor.confirmed_at.is_none());
        let (Some(_), Some(secret)) = (factor, self.secret(who.user).await?) else { return Err(AppError::NotFound) };
        let (login, site) = (users::login_of(db, who.user).await?, users::site_name(db).await?);
        let issuer = if site.is_empty() { "Dormwatt".to_owned() } else { format!("{site} Dormwatt") };
        let address = totp::address(&secret, &login, &issuer);
        let (size, path) = qr(&address).ok_or(AppError::Internal)?;
        Ok(SecondFactorSetup { typed: totp::typed(&secret), address, size, path })
    }

    pub(super) async fn confirm(&self, who: &Who, code: &str) -> Result<Vec<String>, AppError> {
        let (db, user) = (&self.context.db, who.user);
        let attempt = self.turn(Caller::Code(user, None), Some(user), &who.ip).await?;
        let factor = second_factors::find(db, user).await?.ok_or(AppError::NotFound)?;
        let secret = self.open(user, &factor).ok_or(AppError::NotFound)?;
        let Some(step) = totp::step_of(&secret, code, self.context.now()) else {
            return Err(self.failed(&attempt, Some(user), &who.ip, AppError::WrongCode));
        };
        let (codes, hashes) = self.new_codes();
        second_factors::confirm(db, self.context.now(), who, (&factor.secret, step), &hashes).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(codes)
    }

    pub(super) async fn renew(&self, who: &Who, password: &str) -> Result<Vec<String>, AppError> {
        let proved = self.require_password(who, password).await?;
        if !self.has_second_factor(who.user).await? {
            return Err(AppError::NotFound);
        }
        let (codes, hashes) = self.new_codes();
        second_factors::renew_codes(&self.context.db, self.context.now(), who, &proved, &hashes).await?;
        Ok(codes)
    }

    pub(super) async fn turn_off(&self, who: &Who, password: &str) -> Result<(), AppError> {
        let proved = self.require_password(who, password).await?;
        // From then on the password is all that there is.
        let owner = Owner { password_only: super::is_operator(who.role), ..Owner::default() };
        if password::check(password, &owner) == Err(AppError::PasswordAlone) {
            return Err(AppError::PasswordAlone);
        }
        Ok(second_factors::turn_off(&self.context.db, self.context.now(), who, &proved).await?)
    }

    /// A stolen session must not be enough. Gives the hash of the password.
    pub(super) async fn require_password(&self, who: &Who, password: &str) -> Result<String, AppError> {
        let attempt = self.turn(Caller::Session(who.user), Some(who.user), &who.ip).await?;
        let user = users::by_id(&self.context.db, who.user).await?.ok_or(AppError::NotLoggedIn)?;
        if !self.passwords.verify(Queue::Known(who.user), password, Some(user.password_hash.clone())).await? {
            return Err(self.failed(&attempt, Some(who.user), &who.ip, AppError::WrongPassword));
        }
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(user.password_hash)
    }

    /// Codes as a person keeps them, and as they are stored.
    fn new_codes(&self) -> (Vec<String>, Vec<TokenHash>) {
        let code = |_| {
            let text = BASE32_NOPAD.encode(&self.context.rng.bytes::<CODE>());
            let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
            groups.join("-")
        };
        let codes: Vec<String> = (0..CODES).map(code).collect();
        let hashes = codes.iter().map(|code| hashed(code)).collect();
        (codes, hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        assert_eq!(hashed("ABCD-2345-WXYZ-7777"), hashed(" abcd 2345 wxyz7777"));
        assert_ne!(hashed("ABCD-2345-WXYZ-7777"), hashed("ABCD-2345-WXYZ-7776"));
    }
}
