//! The return from WeChat's sign-in.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::wechat_log_in::log_in_by_wechat;
use crate::ports::reply;
use crate::ui::load::load;

/// Redirects at once, which also removes the code from the address.
#[component]
pub fn WechatReturnPage() -> impl IntoView {
    let get = |name: &str| use_query_map().with_untracked(|query| query.get(name));
    let (state, code, next) = (get("state").unwrap_or_default(), get("code").unwrap_or_default(), get("next"));
    let read = async move {
        let reply = reply()?;
        reply.redirect(&log_in_by_wechat(&state, &code, next).await?);
        Ok(())
    };
    load(read, |()| ().into_any())
}
