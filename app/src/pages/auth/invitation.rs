//! The page behind a one-time link: choosing a name and a password.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{AuthFrame, link_ended, password_field};
use crate::i18n::operators::texts;
use crate::i18n::{auth, lang};
use crate::ports::{ports, visit};
use crate::ui::field::Field;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::error::AppError;
use model::operator::{Invitation, LinkKind};

/// The page: `/invitations/:code`. Looking at it does not use the link.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let code = use_params_map().with_untracked(|params| params.get("code")).unwrap_or_default();
    Suspend::new(async move {
        let found = async { ports()?.invitations.invitation(&code, &visit()).await }.await;
        match found {
            Ok(invitation) => view! { <Form code invitation /> }.into_any(),
            Err(AppError::LinkEnded) => {
                let t = texts(lang());
                link_ended(t.link_ended, t.link_ended_hint, ("/login", t.to_login))
            }
            Err(error) => view! { <crate::pages::error::ErrorPage error /> }.into_any(),
        }
    })
}

#[component]
fn Form(code: String, invitation: Invitation) -> impl IntoView {
    let (t, a) = (texts(lang()), auth::texts(lang()));
    let is_new = invitation.kind == LinkKind::Invite;
    let (title, hint) = if is_new { (t.welcome, t.welcome_hint) } else { (t.another_password, t.another_hint) };
    let rule = if invitation.password_only { a.rule_password_only } else { a.rule };
    let name = is_new.then(|| {
        view! { <Field name="name" label=t.your_name value=invitation.name.clone() autocomplete="name" /> }
    });
    view! {
        <AuthFrame title=title>
            <Notice />
            <p>{hint}</p>
            <form class="stack" method="post" action="/api/auth/accept-invitation">
                <input type="hidden" name="code" value=code />
                <label class="field">
                    <span>{t.login}</span>
                    <input class="input" value=invitation.login readonly autocomplete="username" />
                </label>
                {name}
                {password_field("password", a.password, "new-password")}
                <p class="hint">{rule}" "{a.rule_more}</p>
                <button class="primary">{t.choose_password}</button>
            </form>
            <p class="hint">{t.link_until}" "<At at=invitation.expires_at /></p>
        </AuthFrame>
    }
}
