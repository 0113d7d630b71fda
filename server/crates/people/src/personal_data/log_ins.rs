//! How a person logs in: accounts of WeChat, sessions, and tokens of their programs.

use model::log_in::{LogInMethod, SecondFactorProof};
use model::person::Who;
use model::personal::ApiToken;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;
use store::{Db, Result, read};

use super::{MOST, maybe, time};

#[derive(FromRow)]
struct WechatRow {
    openid: String,
    bound_at: Timestamp,
}

#[derive(FromRow)]
struct SessionRow {
    created_at: Timestamp,
    seen_at: Timestamp,
    ip: String,
    agent: String,
    method: LogInMethod,
    second_factor: Option<SecondFactorProof>,
}

/// The account by which they log in.
pub(super) async fn wechat(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        WechatRow,
        "SELECT openid, bound_at FROM wechat_bindings WHERE user_id = $1 LIMIT $2",
        |one| json!({ "openid": one.openid, "bound_at": time(one.bound_at) })
    ))
}

pub(super) async fn sessions(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        SessionRow,
        "SELECT created_at, seen_at, ip, agent, method, second_factor
         FROM sessions WHERE user_id = $1 ORDER BY seen_at DESC LIMIT $2",
        |one| json!({ "created_at": time(one.created_at), "seen_at": time(one.seen_at), "address": one.ip,
                      "browser": one.agent, "method": one.method, "second_factor": one.second_factor })
    ))
}

pub(super) async fn tokens(db: &Db, who: &Who) -> Result<Vec<Value>> {
    let tokens = crate::tokens::of_person(db, who.user).await?;
    let line = |one: ApiToken| {
        json!({
            "name": one.name, "reads_use": one.reads_use, "reads_records": one.reads_records,
            "created_at": time(one.created_at), "expires_at": time(one.expires_at), "used_at": maybe(one.used_at),
            "revoked_at": maybe(one.revoked_at),
        })
    };
    Ok(tokens.into_iter().map(line).collect())
}
