//! The page behind the link of a roommate: joining their room.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{AuthFrame, link_ended, password_field};
use crate::i18n::roommates::{Joining, texts};
use crate::i18n::{auth, lang, operators};
use crate::link;
use crate::ports::{Role, anyone, ports, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::error::AppError;
use model::personal::RoommateInvitation;

/// The page: `/join/:code`. Looking at it does not use the link.
#[component]
pub fn JoinPage() -> impl IntoView {
    let code = use_params_map().with_untracked(|params| params.get("code")).unwrap_or_default();
    Suspend::new(async move {
        let found = async { ports()?.joining.roommate_invitation(&code, &visit()).await }.await;
        match found {
            Ok(invitation) => view! { <Join code invitation /> }.into_any(),
            Err(AppError::LinkEnded) => {
                let t = texts(lang());
                link_ended(t.link_ended, t.link_ended_hint, ("/", t.to_start))
            }
            Err(error) => view! { <crate::pages::error::ErrorPage error /> }.into_any(),
        }
    })
}

#[component]
fn Join(code: String, invitation: RoommateInvitation) -> impl IntoView {
    let (t, o, lang) = (texts(lang()), operators::texts(lang()), lang());
    let RoommateInvitation { by_name, place, expires_at } = invitation;
    let asked = Joining { name: by_name, room: place }.text(lang);
    let form = match anyone().map(|who| who.role) {
        Ok(Role::Resident) => view! {
            <form class="stack" method="post" action="/api/resident/roommates/join">
                <input type="hidden" name="code" value=code />
                <button class="primary">{t.join}</button>
            </form>
        }
        .into_any(),
        Ok(_) => view! { <Callout tone=Tone::Warn><p>{t.for_residents}</p></Callout> }.into_any(),
        Err(_) => newcomer(code).into_any(),
    };
    view! {
        <AuthFrame title=t.join>
            <Notice />
            <p>{asked}</p>
            {form}
            <p class="hint">{o.link_until}" "<At at=expires_at /></p>
        </AuthFrame>
    }
}

/// Somebody new chooses a log-in; whoever has one logs in with it and comes back.
fn newcomer(code: String) -> impl IntoView {
    let (t, a, o) = (texts(lang()), auth::texts(lang()), operators::texts(lang()));
    let given = |name: &str| use_query_map().with_untracked(|query| query.get(name)).unwrap_or_default();
    let log_in = link::with("/login", "next", &format!("/join/{code}"));
    view! {
        <p><a class="button" href=log_in>{t.have_login}</a></p>
        <form class="stack" method="post" action="/api/auth/join-room">
            <p>{t.no_login}</p>
            <input type="hidden" name="code" value=code />
            <Field name="name" label=o.your_name value=given("name") autocomplete="name" />
            <Field name="login" label=a.login value=given("login") autocomplete="username" hint=t.login_hint />
            {password_field("password", a.password, "new-password")}
            <p class="hint">{a.rule}" "{a.rule_more}</p>
            <button class="primary">{t.join}</button>
        </form>
    }
}
