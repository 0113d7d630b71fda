//! The query machines of the site, and a form for another one.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use crate::i18n::kiosk::texts;
use crate::i18n::lang;
use crate::pages::resident::frame::shown_once;
use crate::ports::{form_key, operator, ports, reply};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::ids::Uuid;
use model::kiosk::{KIOSK_PREFIX, KioskLine};

/// What the page shows.
struct KioskList {
    lines: Vec<KioskLine>,
    /// The one-time link of the machine that was just added.
    link: Option<String>,
    key: Uuid,
}

/// The page: `/kiosks`. Loaded again it shows no link.
#[component]
pub fn KiosksPage() -> impl IntoView {
    let read = async move {
        let (ports, who, reply) = (ports()?, operator()?, reply()?);
        let lines = ports.kiosks.kiosks(&who).await?;
        let link = shown_once(KIOSK_PREFIX)?.map(|code| format!("{}/kiosk/setup/{code}", reply.own_address()));
        Ok(KioskList { lines, link, key: form_key()? })
    };
    load(read, |list| view! { <Body list /> }.into_any())
}

#[component]
fn Body(list: KioskList) -> impl IntoView {
    let t = texts(lang());
    let link = list.link.map(|link| {
        view! {
            <section class="card stack-tight">
                <p>{t.link}</p>
                <p class="one-time-link"><code>{link}</code></p>
                <p class="hint">{t.link_hint}</p>
            </section>
        }
    });
    let rows = list.lines.into_iter().map(row).collect_view();
    view! {
        <Frame title=t.machines section=Section::Kiosks>
            <h1>{t.machines}</h1>
            <Notice />
            <p class="hint">{t.machines_hint}</p>
            {link}
            <TableScroll label=t.machines>
                <table class="table">
                    <caption class="visually-hidden">{t.machines}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col">{t.added}</th>
                            <th scope="col">{t.registered}</th>
                            <th scope="col">{t.retire}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            <section class="card stack-tight">
                <h2>{t.add}</h2>
                <form class="stack-tight" method="post" action="/api/operator/kiosks/add">
                    <input type="hidden" name="key" value=list.key.to_string() />
                    <Field name="name" label=t.name hint=t.name_hint />
                    <div class="buttons"><button class="primary">{t.add}</button></div>
                </form>
            </section>
        </Frame>
    }
}

fn row(line: KioskLine) -> impl IntoView {
    let t = texts(lang());
    let registered = match line.registered_at {
        Some(at) => view! { <At at /> }.into_any(),
        None => t.not_yet.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{line.name}</th>
            <td><At at=line.created_at /></td>
            <td>{registered}</td>
            <td>
                <form method="post" action="/api/operator/kiosks/retire">
                    <input type="hidden" name="id" value=line.id.to_string() />
                    <button>{t.retire}</button>
                </form>
            </td>
        </tr>
    }
}
