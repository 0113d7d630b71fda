//! The residents of the room: who they are, a link for another, and leaving. All of it plain forms.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load, shown_once};
use crate::api::roommates::{self as api, OpenLink, Roommates};
use crate::i18n::roommates::texts;
use crate::i18n::{common, lang};
use crate::ports::{anyone, now, ports, reply};
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::error::AppError;
use model::personal::ROOMMATE_PREFIX;

/// A link that was made just now: its address, and its QR code as size and path.
type MadeLink = (String, Option<(i32, String)>);

/// The page: `/me/roommates`. Right after a link was made it shows the link, once.
#[component]
pub fn RoommatesPage() -> impl IntoView {
    let read = async move {
        let (ports, reply) = (ports()?, reply()?);
        let made = shown_once(ROOMMATE_PREFIX)?.map(|code| format!("{}/join/{code}", reply.own_address()));
        let made = made.map(|address| {
            let code = ports.joining.qr(&address);
            (address, code)
        });
        Ok::<_, AppError>((api::roommates().await?, made))
    };
    load(Tab::Me, read, |(roommates, made)| view! { <Body roommates made /> }.into_any())
}

#[component]
fn Body(roommates: Roommates, made: Option<MadeLink>) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let me = anyone().map(|who| who.user).ok();
    let withdrawn = use_query_map().with_untracked(|query| query.get_str("done") == Some("withdrawn"));
    let people = roommates.residents.iter().map(|one| {
        let since = common::calendar_day(one.from_at.date(), now().date(), lang);
        let you = (Some(one.user) == me).then_some(t.you);
        view! {
            <li>
                <div>
                    <strong>{one.name.clone()}</strong>
                    {you.map(|you| view! { " "<span class="state accent">{you}</span> })}
                    <p class="muted small">{t.since}" "{since}</p>
                </div>
            </li>
        }
    });
    let people = people.collect_view();
    let links = roommates.links.iter().map(link).collect_view();
    let invite = if !roommates.is_allowed {
        view! { <p class="muted">{t.by_office}</p> }.into_any()
    } else if roommates.is_full {
        view! { <p class="muted">{t.full}</p> }.into_any()
    } else {
        view! {
            <p>{t.invite_hint}</p>
            <form method="post" action="/api/resident/roommates/invite"><button class="primary wide">{t.invite}</button></form>
        }
        .into_any()
    };
    view! {
        <Frame title=t.title tab=Tab::Me>
            <Notice />
            {withdrawn.then(|| view! { <Callout tone=Tone::Good><p>{t.withdrawn}</p></Callout> })}
            {made.map(shown)}
            <section class="card stack-tight" aria-labelledby="who-lives-here">
                <h2 id="who-lives-here">{t.who}</h2>
                <ul class="own-sessions">{people}</ul>
                <a class="button wide" href="/me/split">{t.split}</a>
            </section>
            <section class="card stack-tight" aria-labelledby="invite">
                <h2 id="invite">{t.invite}</h2>
                {invite}
                <ul class="own-sessions">{links}</ul>
            </section>
            {leaving()}
        </Frame>
    }
}

/// The link as text and as a QR code, which a phone beside this one scans.
fn shown((address, code): MadeLink) -> impl IntoView {
    let t = texts(lang());
    let picture = code.map(|(size, path)| {
        view! { <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label=t.qr_label><path d=path /></svg> }
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.link_made}</h2>
            {picture}
            <p><code class="secret-text">{address}</code></p>
            <p class="hint">{t.link_once}</p>
        </section>
    }
}

fn link(link: &OpenLink) -> impl IntoView + use<> {
    let t = texts(lang());
    let (name, until) = (link.by_name.clone(), link.expires_at);
    view! {
        <li>
            <div>
                <strong>{t.open_link}</strong>
                <p class="muted small">{name}" · "{t.until}" "<At at=until /></p>
            </div>
            <form method="post" action="/api/resident/roommates/withdraw">
                <input type="hidden" name="link" value=link.id.clone() />
                <button>{t.withdraw}</button>
            </form>
        </li>
    }
}

fn leaving() -> impl IntoView {
    let t = texts(lang());
    view! {
        <details class="card">
            <summary>{t.leave}</summary>
            <form class="stack-tight" method="post" action="/api/resident/roommates/leave">
                <p>{t.leave_hint}</p>
                <label class="check">
                    <input type="checkbox" name="sure" value="on" required />
                    {t.leave_sure}
                </label>
                <button class="danger wide">{t.leave}</button>
            </form>
        </details>
    }
}
