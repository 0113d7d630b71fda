//! Opening many accounts: the choice of rooms, and what would happen to each.

use leptos::prelude::*;

use super::super::commands::new::all;
use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::{Choices, choose, confirm, left_out};
use crate::api::account_batches::Openings;
use crate::i18n::account_batches::texts;
use crate::i18n::lang;
use crate::ports::{form_key, may, operator, ports, visit};
use crate::ui::callout::Problem;
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::{AccountBatchPreview, RoomToOpen};
use model::error::AppError;
use model::ids::Uuid;
use model::money::Fen;
use model::permission::Permission;

/// What the page shows.
enum Shown {
    Form(Choices, Option<AppError>, bool),
    Preview(Box<AccountBatchPreview<RoomToOpen>>, Uuid),
}

/// The page: `/accounts/open-many`, then `?step=preview&place=...&rooms=...&amount=`.
#[component]
pub fn OpenManyPage() -> impl IntoView {
    let wanted = Openings::parse(&all("place"), &param("rooms"), &param("amount"));
    let previews = param("step") == "preview";
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let may_carry = may(Permission::Site) && visit().whole_site;
        let previewed = match wanted {
            Ok(wanted) if previews && !(wanted.is_empty() && wanted.wrong.is_empty()) => {
                ports.account_batches.preview_openings(&who, &wanted).await.map(Some)
            }
            wanted => wanted.map(|_| None),
        };
        match previewed {
            Ok(Some(preview)) => Ok(Shown::Preview(Box::new(preview), form_key()?)),
            other => {
                let choices = (ports.batches.buildings(&who).await?, ports.places.groups(&who).await?);
                Ok(Shown::Form(choices, other.err(), may_carry))
            }
        }
    };
    load(read, |shown| match shown {
        Shown::Form(choices, error, may_carry) => form(&choices, error, may_carry).into_any(),
        Shown::Preview(preview, key) => view! { <Preview preview=*preview key /> }.into_any(),
    })
}

fn form(choices: &Choices, error: Option<AppError>, may_carry: bool) -> impl IntoView + use<> {
    let t = texts(lang());
    let amount = if may_carry {
        view! {
            <Field name="amount" label=t.amount inputmode="decimal" value=param("amount") hint=t.amount_hint optional=true />
        }
        .into_any()
    } else {
        view! { <p class="hint">{t.no_carry}</p> }.into_any()
    };
    let more = view! { {error.map(|error| view! { <Problem error /> })} <section class="card">{amount}</section> };
    choose(t.open_many, t.open_lead, t.open_lines_hint, "/accounts/open-many", choices, more.into_any())
}

#[component]
fn Preview(preview: AccountBatchPreview<RoomToOpen>, key: Uuid) -> impl IntoView {
    let t = texts(lang());
    let count = preview.rooms.len();
    let carried: Fen = preview.rooms.iter().map(|room| room.amount).sum();
    let hidden = vec![
        ("places", all("place").join(",")),
        ("rooms", param("rooms")),
        ("amount", param("amount")),
        ("seal", preview.seal.clone()),
        ("key", key.to_string()),
    ];
    let carried = (carried > Fen::ZERO).then(|| {
        view! { " · "{t.carried}" "<strong class="num">{carried.to_string()}</strong> }
    });
    let says = view! {
        <p><strong>{t.will_open}": "{count}" "{t.rooms}</strong>{carried}</p>
        <p>{t.open_says}</p>
    };
    let button = view! { <button class="primary">{t.confirm_open}" · "{count}" "{t.rooms}</button> };
    view! {
        <Frame title=t.open_many section=Section::Accounts>
            <h1>{t.open_many}</h1>
            <Notice />
            {confirm("/api/operator/accounts/open-many", count, says.into_any(), hidden, button.into_any())}
            {left_out(&preview.left_out, &preview.unknown)}
            {table(&preview.rooms)}
        </Frame>
    }
}

fn table(rooms: &[RoomToOpen]) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = rooms.iter().map(|room| {
        let resident = room.resident.as_ref().map(|(name, login)| format!("{name} ({login})"));
        view! {
            <tr>
                <th scope="row">{room.room.to_string()}</th>
                <td class="number">{room.meters}</td>
                <td class="number">{(room.lost > 0).then_some(room.lost)}</td>
                <td>{resident}</td>
                <td class="number">{(room.amount > Fen::ZERO).then(|| room.amount.to_string())}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    (!rooms.is_empty()).then(|| {
        view! {
            <TableScroll label=t.will_open>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.will_open}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col" class="number">{t.lost}</th>
                            <th scope="col">{t.resident}</th>
                            <th scope="col" class="number">{t.carried}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        }
    })
}
