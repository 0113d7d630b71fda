//! Closing many accounts: the choice of rooms, and their balances.

use leptos::prelude::*;

use super::super::commands::new::all;
use super::super::frame::{Frame, Section};
use super::super::parts::{ask_again, param};
use super::super::room::account_lifecycle::reason;
use super::super::room::tenders;
use super::{Choices, choose, confirm, left_out};
use crate::i18n::account_batches::texts;
use crate::i18n::{common, lang};
use crate::ports::{form_key, operator, ports};
use crate::ui::callout::Problem;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::{AccountBatchPreview, RoomToClose, Target, checked_reason};
use model::error::AppError;
use model::ids::Uuid;
use model::money::Fen;
use model::order::Tender;

/// What the page shows.
enum Shown {
    Form(Choices, Option<AppError>),
    Preview(Box<AccountBatchPreview<RoomToClose>>, Uuid),
}

/// The page: `/accounts/close-many`, then `?step=preview&place=...&rooms=...&tender=cash&reason=...`.
#[component]
pub fn CloseManyPage() -> impl IntoView {
    let target = Target::parse("", &all("place"), None, &param("rooms"), "1");
    let chosen = !target.is_empty();
    let (asks, has_reason) = (param("step") == "preview", checked_reason(&param("reason")).is_ok());
    let previews = asks && chosen && has_reason;
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        if asks && chosen && !has_reason {
            ask_again(AppError::Invalid, "reason")?;
        }
        let previewed = if previews { ports.account_batches.preview_closures(&who, &target).await.map(Some) } else { Ok(None) };
        match previewed {
            Ok(Some(preview)) => Ok(Shown::Preview(Box::new(preview), form_key()?)),
            other => {
                let choices = (ports.batches.buildings(&who).await?, ports.places.groups(&who).await?);
                Ok(Shown::Form(choices, other.err()))
            }
        }
    };
    load(read, |shown| match shown {
        Shown::Form(choices, error) => form(&choices, error).into_any(),
        Shown::Preview(preview, key) => view! { <Preview preview=*preview key /> }.into_any(),
    })
}

fn form(choices: &Choices, error: Option<AppError>) -> impl IntoView + use<> {
    let t = texts(lang());
    let more = view! {
        {error.map(|error| view! { <Problem error /> })}
        <section class="card stack-tight">
            <h2>{t.tender}</h2>
            {tenders()}
            {reason()}
        </section>
    };
    choose(t.close_many, t.close_lead, t.close_lines_hint, "/accounts/close-many", choices, more.into_any())
}

#[component]
fn Preview(preview: AccountBatchPreview<RoomToClose>, key: Uuid) -> impl IntoView {
    let t = texts(lang());
    let count = preview.rooms.len();
    let tender = Tender::parse(&param("tender")).filter(|tender| tender.is_counter()).unwrap_or(Tender::Cash);
    let total: Fen = preview.rooms.iter().filter_map(|room| room.balance).sum();
    let hidden = vec![
        ("places", all("place").join(",")),
        ("rooms", param("rooms")),
        ("tender", tender.as_str().to_owned()),
        ("reason", param("reason")),
        ("seal", preview.seal.clone()),
        ("key", key.to_string()),
    ];
    let says = view! {
        <p>
            <strong>{t.will_close}": "{count}" "{t.rooms}</strong>" · "{t.balance}" "
            <strong class="num">{total.to_string()}</strong>
        </p>
        <p>{t.close_says}</p>
        <p>{t.tender}": "{common::tender(tender, lang())}" · "{t.reason}": "{param("reason")}</p>
    };
    let button = view! { <button class="danger">{t.confirm_close}" · "{count}" "{t.rooms}</button> };
    view! {
        <Frame title=t.close_many section=Section::Accounts>
            <h1>{t.close_many}</h1>
            <Notice />
            {confirm("/api/operator/accounts/close-many", count, says.into_any(), hidden, button.into_any())}
            {left_out(&preview.left_out, &preview.unknown)}
            {table(&preview.rooms, total)}
        </Frame>
    }
}

fn table(rooms: &[RoomToClose], total: Fen) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = rooms.iter().map(|room| {
        view! {
            <tr>
                <th scope="row">{room.room.to_string()}</th>
                <td class="num">{room.number.clone()}</td>
                <td class="long">{room.residents.clone()}</td>
                <td class="number">{room.balance.map_or_else(|| t.unknown_balance.to_owned(), |fen| fen.to_string())}</td>
                <td class="number">{(room.lost > 0).then_some(room.lost)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    (!rooms.is_empty()).then(|| {
        view! {
            <TableScroll label=t.will_close>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.will_close}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col">{t.number}</th>
                            <th scope="col">{t.resident}</th>
                            <th scope="col" class="number">{t.balance}</th>
                            <th scope="col" class="number">{t.lost}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row" colspan="3">{t.total}</th>
                            <td class="number">{total.to_string()}</td>
                            <td></td>
                        </tr>
                    </tfoot>
                </table>
            </TableScroll>
        }
    })
}
