//! A batch of accounts: how far each room is; for closures the settlement list.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{page_param, pager};
use crate::i18n::account_batches::{kind, refusal_of, room_state, texts};
use crate::i18n::{Lang, common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::live::{IDLE, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::AtSeconds;
use model::console::{AccountBatchKind, AccountBatchView, BatchRoom};
use model::error::AppError;
use model::ids::AccountBatchId;
use model::money::Fen;
use model::order::ReturnState;

/// The page: `/accounts/batches/:id?page=2`.
#[component]
pub fn AccountBatchPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: AccountBatchId = id.parse().map_err(|_| AppError::NotFound)?;
        ports.account_batches.account_batch(&who, id, number).await
    };
    load(read, move |seen| view! { <Body seen number /> }.into_any())
}

/// What of a room's balance was paid out.
#[must_use]
pub fn paid(room: &BatchRoom) -> Option<Fen> {
    room.left.filter(|_| matches!(room.returned, Some((_, ReturnState::Done))))
}

#[component]
fn Body(seen: AccountBatchView, number: i64) -> impl IntoView {
    let t = texts(lang());
    let batch = seen.batch.clone();
    let here = format!("/accounts/batches/{}", batch.id);
    let moving = seen.is_moving();
    let (empty, pages) = (seen.rooms.lines.is_empty(), pager(&seen.rooms, number, &here));
    let closes = batch.kind == AccountBatchKind::Close;
    let invites = !closes && allowed("/accounts/open-many");
    let about = batch.tender.map(|tender| {
        view! { <p>{t.tender}": "{common::tender(tender, lang())}" · "{t.reason}": "{batch.reason.clone()}</p> }
    });
    view! {
        <Frame title=kind(batch.kind, lang()) section=Section::Accounts>
            <div class="page-head">
                <h1>{kind(batch.kind, lang())}</h1>
                <p class="muted">{batch.by.clone()}" · "<AtSeconds at=batch.decided_at /></p>
            </div>
            <Notice />
            {about}
            <p class="hint">{t.batches_lead}</p>
            <Live id="account-batch" again=moving.then_some(IDLE)>
                {counts(&seen)}
                <div class="buttons">
                    {(batch.waiting > 0).then(|| act("/api/operator/accounts/cancel-batch", batch.id, t.cancel))}
                    {(batch.refused > 0).then(|| act("/api/operator/accounts/retry-batch", batch.id, t.retry))}
                    <a class="button" href=format!("/account-batch.csv?batch={}", batch.id) download="">{t.csv}</a>
                    {invites.then(|| act("/api/operator/account-batch-links", batch.id, t.links))}
                </div>
                {table(&seen, closes)}
            </Live>
            {invites.then(|| view! { <p class="hint">{t.links_hint}</p> })}
            {empty.then(|| view! { <p class="empty">{t.no_rooms}</p> })}
            {pages}
            {without_script(!moving)}
        </Frame>
    }
}

fn act(action: &'static str, batch: AccountBatchId, word: &'static str) -> impl IntoView {
    view! {
        <form method="post" action=action>
            <input type="hidden" name="batch" value=batch.to_string() />
            <button>{word}</button>
        </form>
    }
}

fn counts(seen: &AccountBatchView) -> impl IntoView + use<> {
    let t = texts(lang());
    let facts = [(t.finished, seen.finished), (t.waiting, seen.batch.waiting), (t.refused, seen.batch.refused)];
    let facts = facts.map(|(word, n)| view! { <div><dt>{word}</dt><dd class="num">{n}</dd></div> });
    let over = seen.finished + seen.batch.refused;
    view! {
        <section class="card stack-tight" aria-live="polite">
            <p class="batch-head"><strong class="num">{seen.finished}" / "{seen.batch.rooms}</strong>" "{t.finished}</p>
            <progress max=seen.batch.rooms.to_string() value=over.to_string()>{over}</progress>
            <dl class="counts">{facts}</dl>
        </section>
    }
}

fn table(seen: &AccountBatchView, closes: bool) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let rows = seen.rooms.lines.iter().map(|room| row(room, closes, lang)).collect_view();
    let title = if closes { t.settlement } else { t.open_many };
    let head = if closes {
        view! {
            <th scope="col">{t.resident}</th>
            <th scope="col" class="number">{t.left}</th>
            <th scope="col" class="number">{t.paid_out}</th>
        }
        .into_any()
    } else {
        view! {
            <th scope="col">{t.resident}</th>
            <th scope="col" class="number">{t.carried}</th>
        }
        .into_any()
    };
    let foot = closes.then(|| {
        view! {
            <tfoot>
                <tr>
                    <th scope="row" colspan="3">{t.total}</th>
                    <td class="number">{seen.left.to_string()}</td>
                    <td class="number">{seen.paid.to_string()}</td>
                    <td></td>
                </tr>
            </tfoot>
        }
    });
    view! {
        <TableScroll label=title>
            <table class="table sticky">
                <caption class="visually-hidden">{title}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.room}</th>
                        <th scope="col">{t.number}</th>
                        {head}
                        <th scope="col">{t.state}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                {foot}
            </table>
        </TableScroll>
    }
}

fn row(room: &BatchRoom, closes: bool, lang: Lang) -> impl IntoView + use<> {
    let name = room.room.to_string();
    let name = match room.meter {
        Some(meter) => view! { <a href=format!("/rooms/{meter}")>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    let number = room.account.as_ref().map(|(number, _)| number.clone());
    let middle = if closes {
        view! {
            <td class="long">{room.residents.clone()}</td>
            <td class="number">{room.left.map(|fen| fen.to_string())}</td>
            <td class="number">{paid(room).map(|fen| fen.to_string())}</td>
        }
        .into_any()
    } else {
        let resident = room.resident.as_ref().map(|(name, login)| format!("{name} ({login})"));
        view! {
            <td>{resident}</td>
            <td class="number">{(room.amount > Fen::ZERO).then(|| room.amount.to_string())}</td>
        }
        .into_any()
    };
    let state = room_state(room, lang);
    let state = match room.closing {
        Some(closing) => view! { <a href=format!("/closings/{closing}")>{state}</a> }.into_any(),
        None => state.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="num">{number}</td>
            {middle}
            <td class="long">{state}{room.refusal.map(|error| format!(": {}", refusal_of(error, lang)))}</td>
        </tr>
    }
}
