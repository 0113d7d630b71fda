//! The link by which a resident chooses a password, right after it was made. Loaded again it shows no link.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::form::parse;
use crate::i18n::operators::texts;
use crate::i18n::{account_lifecycle, lang};
use crate::ports::{operator, ports, reply, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use model::error::AppError;
use model::ids::MeterId;

/// Who gets the link, and the link: its address, and its QR code as size and path.
struct Shown {
    meter: MeterId,
    room: String,
    name: String,
    login: String,
    address: Option<(String, Option<(i32, String)>)>,
}

/// The page: `/rooms/:meter/resident-link?login=...`.
#[component]
pub fn ResidentLinkPage() -> impl IntoView {
    let meter = use_params_map().with_untracked(|params| params.get("meter")).unwrap_or_default();
    let login = param("login");
    let read = async move {
        let (ports, who, reply, code) = (ports()?, operator()?, reply()?, visit().once);
        let meter: MeterId = parse(&meter).map_err(|_| AppError::NotFound)?;
        let room = ports.rooms.room(&who, meter).await?;
        let found = room.account.iter().flat_map(|account| &account.residents).find(|one| one.login == login);
        let name = found.map(|one| one.name.clone()).ok_or(AppError::NotFound)?;
        let address = (!code.is_empty()).then(|| format!("{}/invitations/{code}", reply.own_address()));
        if address.is_some() {
            reply.once("");
        }
        let address = address.map(|address| {
            let picture = ports.joining.qr(&address);
            (address, picture)
        });
        Ok(Shown { meter, room: room.name.to_string(), name, login, address })
    };
    load(read, |shown| view! { <Link shown /> }.into_any())
}

#[component]
fn Link(shown: Shown) -> impl IntoView {
    let (t, l) = (texts(lang()), account_lifecycle::texts(lang()));
    let Shown { meter, room, name, login, address } = shown;
    let body = match address {
        Some((address, picture)) => {
            let picture = picture.map(|(size, path)| {
                view! {
                    <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label=l.link_qr><path d=path /></svg>
                }
            });
            view! {
                <section class="card stack-tight">
                    <p>{t.link_for}" "<strong>{name}</strong>" ("<span class="num">{login}</span>")"</p>
                    {picture}
                    <p class="one-time-link"><code>{address}</code></p>
                    <p class="hint">{t.link_once}" "{l.link_lasts}</p>
                </section>
            }
            .into_any()
        }
        None => view! { <Callout tone=Tone::Warn><p>{l.link_gone}</p></Callout> }.into_any(),
    };
    view! {
        <Frame title=t.link_page section=Section::Wall>
            <h1>{room}</h1>
            <h2>{t.link_page}</h2>
            {body}
            <div class="buttons"><a class="button" href=format!("/rooms/{meter}")>{l.to_room}</a></div>
        </Frame>
    }
}
