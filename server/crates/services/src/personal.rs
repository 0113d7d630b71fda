//! A resident's tokens, and the end of their personal data.

use app::api::auth::ProvedPassword;
use app::api::personal::{NewToken, PersonalPort};
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::ids::ApiTokenId;
use model::person::Who;
use model::personal::{ApiToken, Erasable, TOKEN_PREFIX};
use model::time::DAY;

use super::Context;
use super::auth::{hash, new_token};
use people::{erasure, tokens};

pub struct PersonalService {
    context: Context,
}

impl PersonalService {
    #[must_use]
    pub const fn new(context: Context) -> Self {
        Self { context }
    }
}

#[async_trait]
impl PersonalPort for PersonalService {
    async fn tokens(&self, who: &Who) -> Result<Vec<ApiToken>, AppError> {
        Ok(tokens::of_person(&self.context.db, who.user).await?)
    }

    async fn create_token(&self, who: &Who, visit: &Visit, new: &NewToken) -> Result<String, AppError> {
        let Context { db, rng, .. } = &self.context;
        let (token, now) = (format!("{TOKEN_PREFIX}{}", new_token(rng)), self.context.now());
        let stored = tokens::NewToken {
            hash: hash(&token),
            session: hash(&visit.session),
            name: &new.name,
            reads_use: new.reads_use,
            reads_records: new.reads_records,
            expires_at: now.plus(i64::from(new.days) * DAY),
        };
        tokens::create(db, rng, now, who, &stored).await?;
        Ok(token)
    }

    async fn revoke_token(&self, who: &Who, id: ApiTokenId) -> Result<(), AppError> {
        Ok(tokens::revoke(&self.context.db, self.context.now(), who, id).await?)
    }

    async fn erasable(&self, who: &Who) -> Result<Erasable, AppError> {
        Ok(erasure::erasable(&self.context.db, who).await?)
    }

    async fn erase(&self, who: &Who, proved: &ProvedPassword) -> Result<(), AppError> {
        Ok(erasure::erase(&self.context.db, self.context.now(), who, &proved.0).await?)
    }
}
